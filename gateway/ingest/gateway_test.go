package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
	"github.com/yilian/yilian/testdata"
)

const alliance = "https://yilian.dev"

// setup is what a gateway of a test is made of. It is put together as package
// server does, without HTTP.
type setup struct {
	folders []fs.FS // of the members; nil for the demo alliance's
	ingest  ingest.Config
	store   sqlite.Options
	engine  func(ingest.Applier) ingest.Applier // put around the engine
}

// gateway is a running or resting gateway over a data folder.
type gateway struct {
	*ingest.Ingest
	store  *sqlite.Store
	engine *interaction.Engine

	stop context.CancelFunc
	done chan error
}

// openGateway opens a data folder. It is for child processes too, which have no test.
func openGateway(ctx context.Context, dir string, o setup) (*gateway, error) {
	s, err := sqlite.Open(ctx, dir, o.store)
	if err != nil {
		return nil, err
	}
	defs := definitions.R4()
	engine := interaction.New(interaction.Config{
		Store:       s,
		Index:       search.New(defs, search.Options{Bases: []string{"http://127.0.0.1/fhir"}}),
		Validator:   validate.New(defs, validate.Options{}),
		Definitions: defs,
		Identity:    identity.New(identity.DefaultSystems(alliance)),
		Base:        alliance,
		FHIRBase:    "http://127.0.0.1/fhir",
	})
	c := o.ingest
	c.Inbox, c.Writer, c.Engine = s, s, engine
	if o.engine != nil {
		c.Engine = o.engine(engine)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	g := &gateway{Ingest: ingest.New(c), store: s, engine: engine}
	if o.folders == nil {
		if o.folders, err = demoFolders(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if err := g.join(o.folders...); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return g, nil
}

// join makes the institutions of the folders the members.
func (g *gateway) join(folders ...fs.FS) error {
	var members []ingest.Member
	for _, f := range folders {
		inst, err := mapping.Load(f, mapping.Options{Base: base.FS, Alliance: alliance, Lazy: true})
		if err != nil {
			return err
		}
		// A salt of its own and not the store's, so that two stores have the same ids.
		members = append(members, ingest.Member{Institution: inst, Salt: []byte("salt of " + inst.ID())})
	}
	g.SetMembers(members)
	return nil
}

func demoFolders() ([]fs.FS, error) {
	var folders []fs.FS
	for _, id := range []string{"city-hospital", "county-hospital", "regional-lab"} {
		sub, err := fs.Sub(testdata.Alliance(), "institutions/"+id)
		if err != nil {
			return nil, err
		}
		folders = append(folders, sub)
	}
	return folders, nil
}

// start works on the inbox until rest.
func (g *gateway) start() {
	ctx, stop := context.WithCancel(context.Background())
	g.stop, g.done = stop, make(chan error, 1)
	go func() { g.done <- g.Run(ctx) }()
}

// rest ends the work.
func (g *gateway) rest() error {
	if g.stop == nil {
		return nil
	}
	g.stop()
	g.stop = nil
	return <-g.done
}

func (g *gateway) close() error { return errors.Join(g.rest(), g.store.Close()) }

// newGateway opens a gateway over an empty folder for the length of a test.
func newGateway(t testing.TB, o setup) *gateway {
	t.Helper()
	g, err := openGateway(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// running is a gateway that works already.
func running(t testing.TB, o setup) *gateway {
	t.Helper()
	g := newGateway(t, o)
	g.start()
	return g
}

// fail ends a child process that cannot go on.
func fail(err error) {
	fmt.Println("failed", err)
	panic(err)
}
