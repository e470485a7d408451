package interaction_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

const eyeColor = `{"resourceType":"SearchParameter","url":"https://x.example/SearchParameter/eye","name":"Eye","status":"active","description":"d",
	"code":"eye-color","base":["Patient"],"type":"token","expression":"Patient.extension.where(url='https://x.example/eye').value"}`

func (f *fixture) post(e *interaction.Engine, typ, text string) store.Key {
	f.t.Helper()
	w, err := e.Create(f.ctx(), everybody, typ, tree(f.t, text))
	if err != nil {
		var refused *interaction.Refused
		if errors.As(err, &refused) {
			f.t.Fatalf("refused: %v", refused.Issues)
		}
		f.t.Fatal(err)
	}
	return w.Key
}

func withEyes(color string) string {
	return fmt.Sprintf(`{"resourceType":"Patient","extension":[{"url":"https://x.example/eye","valueCode":%q}]}`, color)
}

// finds is how many Patients a query finds, -1 when it is refused.
func (f *fixture) finds(e *interaction.Engine, query string) int {
	f.t.Helper()
	pairs, _ := search.Pairs(query)
	found, err := e.Search(f.ctx(), everybody, "Patient", append(pairs, search.Pair{Name: "_count", Value: "1000"}), false)
	if fault.Is(err, fault.Invalid) {
		return -1
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return len(found.Matches)
}

func (f *fixture) wantFinds(e *interaction.Engine, query string, want int) {
	f.t.Helper()
	if got := f.finds(e, query); got != want {
		f.t.Errorf("%s finds %d, want %d", query, got, want)
	}
}

// reindex asks for a job and returns its id.
func (f *fixture) reindex(e *interaction.Engine, typ string, pairs ...search.Pair) string {
	f.t.Helper()
	r, err := e.Operate(f.ctx(), everybody, "reindex", &interaction.Call{Key: store.Key{Type: typ}, Pairs: pairs})
	if err != nil {
		f.t.Fatal(err)
	}
	return r.Job
}

// work runs an engine's jobs until stopped.
func (f *fixture) work(e *interaction.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(f.ctx())
	var wg sync.WaitGroup
	wg.Go(func() {
		e.Run(ctx, func(err error) { f.t.Log(err) })
	})
	return sync.OnceFunc(func() { cancel(); wg.Wait() })
}

func (f *fixture) job(e *interaction.Engine, id string) *interaction.Reindexing {
	f.t.Helper()
	jobs, err := e.Reindexings(f.ctx(), everybody)
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(jobs, func(j *interaction.Reindexing) bool { return j.ID == id })
	if i < 0 {
		f.t.Fatal("no such job")
	}
	return jobs[i]
}

func (f *fixture) await(what string, ok func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatal(what)
		}
	}
}

// complete works until a job ended.
func (f *fixture) complete(e *interaction.Engine, id string) *interaction.Reindexing {
	f.t.Helper()
	stop := f.work(e)
	defer stop()
	f.await("the job never ended", func() bool { return !f.job(e, id).Ended.IsZero() })
	return f.job(e, id)
}

func TestAPostedSearchParameterIsRefusedUntilReindexEndedAndGoneWhenItIsDeleted(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.post(f.Engine, "Patient", withEyes("blue"))
		f.wantFinds(f.Engine, "eye-color=blue", -1)
		k := f.post(f.Engine, "SearchParameter", eyeColor)
		f.post(f.Engine, "Patient", withEyes("blue"))
		f.wantFinds(f.Engine, "eye-color=blue", -1)
		other := newEngine(f.store)
		f.wantFinds(other, "eye-color=blue", -1)

		if j := f.complete(f.Engine, f.reindex(f.Engine, "Observation")); j.Done != 0 {
			t.Errorf("%+v", j)
		}
		f.wantFinds(f.Engine, "eye-color=blue", -1) // other resources were indexed
		id := f.reindex(f.Engine, "", search.Pair{Name: "parameter", Value: "https://x.example/SearchParameter/eye"})
		if j := f.complete(f.Engine, id); j.Done != 2 || !slices.Equal(j.Types, []string{"Patient"}) || len(j.Failed) > 0 {
			t.Errorf("%+v", j)
		}
		listed := func(e *interaction.Engine) bool { return bytes.Contains(e.Capabilities(), []byte(`"eye-color"`)) }
		for _, e := range []*interaction.Engine{f.Engine, other} { // the other one learns it when it is asked
			f.wantFinds(e, "eye-color=blue", 2)
			f.wantFinds(e, "eye-color=green", 0)
			if !listed(e) {
				t.Error("the statement does not list it")
			}
		}

		// Another meaning is another parameter.
		meant := strings.Replace(eyeColor, "https://x.example/eye'", "https://x.example/hair'", 1)
		changed := tree(t, meant)
		changed.SetString("id", k.ID)
		if _, err := other.Update(f.ctx(), everybody, k, changed, 0); err != nil {
			t.Fatal(err)
		}
		f.wantFinds(f.Engine, "eye-color=blue", -1)
		f.complete(other, f.reindex(other, ""))
		f.wantFinds(f.Engine, "eye-color=blue", 0)
		// Another description is not.
		changed = tree(t, strings.Replace(meant, `"description":"d"`, `"description":"other"`, 1))
		changed.SetString("id", k.ID)
		if _, err := other.Update(f.ctx(), everybody, k, changed, 0); err != nil {
			t.Fatal(err)
		}
		f.wantFinds(f.Engine, "eye-color:missing=true", 2)

		if _, err := other.Delete(f.ctx(), everybody, k, 0); err != nil {
			t.Fatal(err)
		}
		f.wantFinds(f.Engine, "eye-color=blue", -1)
		f.wantFinds(other, "eye-color=blue", -1)
		if listed(f.Engine) {
			t.Error("the statement lists it still")
		}
	})
}

func TestSearchParametersThatCannotBeUsedAreRefused(t *testing.T) {
	f := newFixture(t)
	f.post(f.Engine, "SearchParameter", eyeColor)
	refused := func(text string) *interaction.Refused {
		_, err := f.Create(f.ctx(), everybody, "SearchParameter", tree(t, text))
		var r *interaction.Refused
		if err != nil && !errors.As(err, &r) {
			t.Fatal(err)
		}
		return r
	}
	second := strings.NewReplacer("SearchParameter/eye", "SearchParameter/second", `"eye-color"`, `"second"`).Replace(eyeColor)
	for _, row := range []struct {
		name, from, to string
		want           string // "": it is stored
	}{
		{"the name of R4", `"second"`, `"gender"`, "SearchParameter.code"},
		{"the name of a posted one", `"second"`, `"eye-color"`, "SearchParameter.code"},
		{"the url of a posted one", "SearchParameter/second", "SearchParameter/eye", "SearchParameter.url"},
		{"an expression that leads nowhere", "Patient.extension", "Patient.nothing", "SearchParameter.expression"},
		{"a draft is only stored", `"status":"active","description":"d",` + "\n\t" + `"code":"second"`, `"status":"draft","description":"d","code":"gender"`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := refused(strings.Replace(second, row.from, row.to, 1))
			switch {
			case row.want == "" && r != nil:
				t.Error(r.Issues)
			case row.want != "" && (r == nil || fault.AnswerTo(r).Status != 422 || len(r.Issues) == 0 || r.Issues[0].Expression != row.want || r.Issues[0].Severity != fhir.Error):
				t.Errorf("%+v", r)
			}
		})
	}
	_, err := f.Create(f.ctx(), interaction.Viewer{Institution: "city"}, "SearchParameter", tree(t, second))
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("one institution's client: %v", err)
	}
	_, err = f.Apply(f.ctx(), f.batch("city", 1, f.replace(strings.Replace(second, `"url"`, `"id":"x","url"`, 1))))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a record: %v", err)
	}
	f.Limit.Parameters = 1
	if _, err := f.Create(f.ctx(), everybody, "SearchParameter", tree(t, second)); !fault.Is(err, fault.TooCostly) {
		t.Errorf("one too many: %v", err)
	}
}

// TestWritersThatDoNotKnowAParameterYetLeaveNoHoles lets engines write all the time while
// one of them puts a parameter into effect and indexes what was there.
func TestWritersThatDoNotKnowAParameterYetLeaveNoHoles(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		nodes := []*interaction.Engine{f.Engine, newEngine(f.store), newEngine(f.store)}
		var wg sync.WaitGroup
		stop := make(chan struct{})
		written := make([]int, len(nodes))
		for i, e := range nodes {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := e.Create(f.ctx(), everybody, "Patient", tree(t, withEyes("blue"))); err != nil {
						t.Error(err)
						return
					}
					written[i]++
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		f.post(f.Engine, "SearchParameter", eyeColor)
		f.complete(nodes[1], f.reindex(f.Engine, "Patient"))
		time.Sleep(50 * time.Millisecond)
		close(stop)
		wg.Wait()
		total := 0
		for i, n := range written {
			if n == 0 {
				t.Errorf("node %d wrote nothing", i)
			}
			total += n
		}
		for _, e := range nodes {
			pairs, _ := search.Pairs("eye-color=blue&_summary=count")
			found, err := e.Search(f.ctx(), everybody, "Patient", pairs, false)
			if err != nil || found.Total != total {
				t.Errorf("%d were written, found %+v %v", total, found, err)
			}
		}
	})
}

// mortal is a store that can do no more after some transactions that index, as if the
// process had died in the middle of the next one.
type mortal struct {
	interaction.Store
	mu   sync.Mutex
	left int
}

var errDead = errors.New("dead")

func (m *mortal) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	return m.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		c := &counting{Tx: tx}
		if err := fn(ctx, c); err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if !c.indexes {
			return nil
		}
		if m.left--; m.left < 0 {
			return errDead
		}
		return nil
	})
}

type counting struct {
	store.Tx
	indexes bool
}

func (c *counting) Reindex(ctx context.Context, k store.Key, number int64, values search.Values) error {
	c.indexes = true
	return c.Tx.Reindex(ctx, k, number, values)
}

func TestReindexGoesOnWhereAProcessThatDiedWas(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		const there = 350
		for range there {
			f.post(f.Engine, "Patient", withEyes("blue"))
		}
		dying := newEngine(&mortal{Store: f.store, left: 2})
		f.post(dying, "SearchParameter", eyeColor)
		id := f.reindex(dying, "Patient")
		stop := f.work(dying)
		f.await("the first batches never came", func() bool { return f.job(f.Engine, id).Done == 200 })
		time.Sleep(20 * time.Millisecond)
		stop()
		f.wantFinds(f.Engine, "eye-color=blue", -1)
		f.post(f.Engine, "Patient", withEyes("blue"))
		before := f.job(f.Engine, id)
		if before.Done != 200 || !before.Ended.IsZero() || before.After == "" {
			t.Fatalf("%+v", before)
		}

		next := newEngine(f.store)
		after := f.complete(next, id)
		if after.Done < there || after.Done > there+1 || len(after.Failed) > 0 {
			t.Errorf("%+v", after)
		}
		f.wantFinds(next, "eye-color=blue", there+1)
		f.wantFinds(f.Engine, "eye-color=blue", there+1)
	})
}

func TestReindexIsRefused(t *testing.T) {
	f := newFixture(t)
	operate := func(v interaction.Viewer, typ string, pairs ...search.Pair) error {
		_, err := f.Operate(f.ctx(), v, "reindex", &interaction.Call{Key: store.Key{Type: typ}, Pairs: pairs})
		return err
	}
	for _, row := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"to one institution", operate(interaction.Viewer{Institution: "city"}, ""), fault.Forbidden},
		{"of what is no type", operate(everybody, "", search.Pair{Name: "type", Value: "Patinet"}), fault.Invalid},
		{"of types of a type", operate(everybody, "Patient", search.Pair{Name: "type", Value: "Patient"}), fault.Invalid},
		{"of an unknown parameter", operate(everybody, "", search.Pair{Name: "parameter", Value: "urn:x"}), fault.Invalid},
		{"with parameters it has not", operate(everybody, "", search.Pair{Name: "x", Value: "y"}), fault.Invalid},
	} {
		if !fault.Is(row.err, row.want) {
			t.Errorf("%s: %v", row.name, row.err)
		}
	}
	for range 16 {
		f.reindex(f.Engine, "Basic")
	}
	if err := operate(everybody, "Basic"); !fault.Is(err, fault.Busy) {
		t.Errorf("one job too many: %v", err)
	}
	stop := f.work(f.Engine)
	defer stop()
	f.await("the jobs never ended", func() bool {
		jobs, err := f.Reindexings(f.ctx(), everybody)
		return err == nil && !slices.ContainsFunc(jobs, func(j *interaction.Reindexing) bool { return j.Ended.IsZero() })
	})
	if _, err := f.Reindexings(f.ctx(), interaction.Viewer{Institution: "city"}); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}
