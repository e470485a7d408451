package postgres

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

// collect adds writes of every kind.
func collect(w *writes, r *rand.Rand) {
	for range 1 + r.IntN(4) {
		n := r.Int64N(5) + 1
		id := fmt.Sprint("p", n)
		v := &values{keys: []key{{key: n}}, words: []int64{n}, strings: []entry{{1, id}}, dates: []date{{pid: 1, low: n}}, numbers: []number{{1, 2}}}
		w.rows = append(w.rows, resourceWrite{kind: kind(r.IntN(3)), rid: n, was: n - 1, change: n, id: id, before: &values{}, after: v})
		w.versions = append(w.versions, versionWrite{change: n, rid: n, body: []byte(id)})
		w.persons = append(w.persons, store.Person{ID: id})
		w.links = append(w.links, linkWrite{Link: store.Link{Patient: id}, since: n})
		w.features = append(w.features, featureWrite{patient: id, body: []byte(id), strong: [][]byte{{byte(n)}}})
		w.reviews = append(w.reviews, store.Review{PatientA: id, PatientB: "q"})
		w.pending = append(w.pending, pendingWrite{from: store.Key{Type: "Patient", ID: id}, waits: []store.Pending{{Type: "x"}}})
	}
}

func flushed(w *writes) (out []string) {
	b := &pgx.Batch{}
	w.flush(b)
	for _, q := range b.QueuedQueries {
		text := q.SQL
		for _, arg := range q.Arguments {
			if p, ok := arg.(*packed); ok {
				text += fmt.Sprintf(" %d:%x", p.count, p.body)
			} else {
				text += fmt.Sprint(" ", arg)
			}
		}
		out = append(out, text)
	}
	return out
}

func TestUndoForgetsAllSinceTheMark(t *testing.T) {
	for seed := range uint64(50) {
		var with, without writes
		collect(&with, rand.New(rand.NewPCG(seed, 1)))
		collect(&without, rand.New(rand.NewPCG(seed, 1)))
		m := with.mark()
		collect(&with, rand.New(rand.NewPCG(seed, 2)))
		if !with.undo(m) {
			t.Fatal("undo refuses")
		}
		want := flushed(&without)
		if len(want) < 10 {
			t.Fatalf("only %d statements", len(want))
		}
		if diff := cmp.Diff(want, flushed(&with)); diff != "" {
			t.Fatalf("seed %d (-never written +undone)\n%s", seed, diff)
		}
	}
}

func TestUndoRefusesWhatIsFlushed(t *testing.T) {
	var w writes
	m := w.mark()
	collect(&w, rand.New(rand.NewPCG(1, 1)))
	flushed(&w)
	if w.undo(m) {
		t.Error("undo of what may have been sent")
	}
	if !w.empty() {
		t.Error("something is left to be flushed")
	}
}
