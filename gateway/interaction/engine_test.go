package interaction_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

// fixture is an engine over an empty store.
type fixture struct {
	*interaction.Engine
	store storetest.Store
	t     testing.TB
}

const base = "http://127.0.0.1:8080/fhir"

func newFixture(t testing.TB) *fixture {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	return over(t, s, err)
}

func over(t testing.TB, s interface {
	storetest.Store
	io.Closer
}, err error) *fixture {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{Engine: newEngine(s), store: s, t: t}
}

// onEachStore runs a test over every store there is.
func onEachStore(t *testing.T, run func(t *testing.T, f *fixture)) {
	t.Run("sqlite", func(t *testing.T) { run(t, newFixture(t)) })
	t.Run("postgres", func(t *testing.T) {
		open := func(url string) (io.Closer, error) { return postgres.Open(t.Context(), url, postgres.Options{}) }
		s, err := postgres.Open(t.Context(), testenv.PostgresCopy(t, "store", open), postgres.Options{})
		run(t, over(t, s, err))
	})
}

// validator is shared: what it compiles serves all tests.
var validator = sync.OnceValue(func() *validate.Validator {
	return validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true})
})

func newEngine(s interaction.Store) *interaction.Engine {
	defs := definitions.R4()
	return interaction.New(interaction.Config{
		Store:       s,
		Index:       search.New(defs, search.Options{Bases: []string{base}}),
		Validator:   validator(),
		Definitions: defs,
		Identity:    identity.New(identity.DefaultSystems("https://yilian.dev")),
		Base:        "https://yilian.dev",
		FHIRBase:    base,
	})
}

// everybody sees all and writes for the city hospital.
var everybody = interaction.Viewer{Client: "test", Institution: "city", Everything: true}

func (f *fixture) ctx() context.Context { return f.t.Context() }

func tree(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// accept puts a record into the inbox and returns its id.
func (f *fixture) accept(institution string) string {
	f.t.Helper()
	receipts, err := f.store.Accept(f.ctx(), []store.Entry{{
		Record: store.Record{Institution: institution, Source: "test", Format: "json", State: store.Received},
		Bytes:  []byte("{}"),
	}})
	if err != nil {
		f.t.Fatal(err)
	}
	return receipts[0].ID
}

// apply writes what a record of an institution at a minute of a day became.
func (f *fixture) apply(institution string, minute int64, writes ...interaction.Write) interaction.Applied {
	f.t.Helper()
	got, err := f.Apply(f.ctx(), f.batch(institution, minute, writes...))
	if err != nil {
		var refused *interaction.Refused
		if errors.As(err, &refused) {
			f.t.Fatalf("refused: %v", refused.Issues)
		}
		f.t.Fatal(err)
	}
	return got
}

func (f *fixture) batch(institution string, minute int64, writes ...interaction.Write) interaction.Batch {
	return interaction.Batch{
		Institution: institution, Record: f.accept(institution), Digest: strings.Repeat("0", 64), Map: "test@1",
		Stamp:  store.Stamp{Time: time.Date(2025, 6, 1, 0, int(minute), 0, 0, time.UTC).UnixMicro()},
		Writes: writes,
	}
}

// replace states a resource as a whole.
func (f *fixture) replace(text string) interaction.Write {
	return interaction.Write{Resource: tree(f.t, text)}
}

// fill adds what is not there.
func (f *fixture) fill(text string) interaction.Write {
	more := tree(f.t, text)
	return interaction.Write{Resource: more, Fills: true, Over: func(stored *fhir.Node) *fhir.Node {
		out := stored.Clone()
		for _, k := range more.All() {
			if out.Get(k.Name()) == nil {
				out.Set(k.Name(), k.Clone())
			}
		}
		return out
	}}
}

// get reads a resource as stored, without meta.
func (f *fixture) get(typ, id string) string {
	f.t.Helper()
	v, err := f.Read(f.ctx(), everybody, store.Key{Type: typ, ID: id})
	if err != nil {
		f.t.Fatal(err)
	}
	n := tree(f.t, string(v.Body))
	n.Remove("meta")
	return string(n.AppendJSON(nil))
}
