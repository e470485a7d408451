package alliancetest_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
	"github.com/yilian/yilian/mapping/record"
)

const institutionsDir = "../../testdata/alliance/institutions"

var members = alliancetest.Members

// institutions are the members with their maps, loaded once.
var institutions = sync.OnceValues(func() (map[string]*mapping.Institution, error) {
	out := map[string]*mapping.Institution{}
	for _, id := range members {
		inst, err := mapping.Load(os.DirFS(path.Join(institutionsDir, id)), mapping.Options{Base: base.FS})
		if err != nil {
			return nil, fmt.Errorf("%s:\n%w", id, err)
		}
		out[id] = inst
	}
	return out, nil
})

func TestMapsLoadWithoutADoubt(t *testing.T) {
	loaded, err := institutions()
	if err != nil {
		t.Fatal(err)
	}
	for id, inst := range loaded {
		for _, w := range inst.Warnings() {
			t.Errorf("%s: %s", id, w)
		}
	}
}

// world is what an alliance's stores hold after deliveries: the least that lays resources over one another as §4 of the
// grammar says, with nothing of a gateway.
type world struct {
	members map[string]*mapping.Institution
	stored  map[string]*stored // "city-hospital Patient/id"
	order   []string           // keys of stored, in the order of creation
	fates   map[string]fate    // "file#position", of workbooks also "file#position table"
	covered map[string]*mapping.Coverage
}

type stored struct {
	institution string
	tree        *fhir.Node
	stamp       mapping.Stamp // of the last record that replaced or updated it
}

// fate is what became of one record.
type fate struct {
	refused string // why reader or map did not take it
	issues  []fhir.Issue
	written int // resources that it made
	changed int // of them, those that are other than before
}

func newWorld(t *testing.T) *world {
	t.Helper()
	loaded, err := institutions()
	if err != nil {
		t.Fatal(err)
	}
	return &world{members: loaded, stored: map[string]*stored{}, fates: map[string]fate{}, covered: map[string]*mapping.Coverage{}}
}

// deliver takes files in order of arrival; those of one folder are one delivery.
func (w *world) deliver(t *testing.T, files []alliancegen.File) {
	t.Helper()
	for i := 0; i < len(files); {
		dir := path.Dir(files[i].Path)
		n := i
		var delivery []mapping.File
		for ; n < len(files) && path.Dir(files[n].Path) == dir; n++ {
			delivery = append(delivery, mapping.File{Name: files[n].Path, Bytes: files[n].Bytes})
		}
		i = n
		_, name, _ := strings.Cut(path.Base(dir), "-")
		for id, inst := range w.members {
			if strings.HasPrefix(name, id) {
				w.take(t, inst, delivery)
			}
		}
	}
}

// take reads a delivery and maps its records one by one. Messages are numbered within their file, rows have their line.
func (w *world) take(t *testing.T, inst *mapping.Institution, delivery []mapping.File) {
	t.Helper()
	count := map[int]int{}
	for c, err := range inst.Open(inst.Sources()[0].Name, delivery, mapping.IntakeLimits{}).Records() {
		if err != nil {
			t.Fatal(err)
		}
		count[c.File]++
		position := count[c.File]
		if record.Tabular(c.Format) {
			position = c.Line
		}
		at := fmt.Sprintf("%s#%d", delivery[c.File].Name, position)
		w.fates[at] = w.commit(t, inst, c)
		if c.Record != nil && c.Place != "" { // rows of several sheets have one number
			w.fates[at+" "+c.Record.Type] = w.fates[at]
		}
	}
}

// commit maps one record and lays what comes out over what is there.
func (w *world) commit(t *testing.T, inst *mapping.Institution, c mapping.Cut) fate {
	t.Helper()
	if c.Err != nil {
		return fate{refused: c.Err.Code}
	}
	res, err := inst.Map(c.Record, mapping.RunOptions{Salt: []byte("salt of " + inst.ID()), Received: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC), Coverage: true})
	if err != nil {
		t.Fatal(err)
	}
	if w.covered[inst.ID()] == nil {
		w.covered[inst.ID()] = &mapping.Coverage{}
	}
	w.covered[inst.ID()].Merge(res.Coverage)
	f := fate{issues: res.Issues}
	if i := slices.IndexFunc(res.Issues, func(i fhir.Issue) bool { return i.Severity == fhir.Error || i.Severity == fhir.Fatal }); i >= 0 {
		f.refused = res.Issues[i].ID
		return f
	}
	for i := range res.Resources {
		if r := &res.Resources[i]; r.Write != mapping.Reference {
			f.written++
			if w.lay(inst.ID(), r, res.Stamp) {
				f.changed++
			}
		}
	}
	return f
}

// lay writes one resource, unless a newer record has written it, and reports whether that changed anything.
func (w *world) lay(institution string, r *mapping.Resource, stamp mapping.Stamp) bool {
	key := institution + " " + r.Reference()
	s := w.stored[key]
	if s == nil {
		s = &stored{institution: institution}
		w.stored[key] = s
		w.order = append(w.order, key)
	} else if r.Write != mapping.Merge && (stamp.Time < s.stamp.Time || stamp.Time == s.stamp.Time && stamp.Sequence < s.stamp.Sequence) {
		return false
	}
	before := s.tree
	s.tree = r.Over(before)
	if r.Write != mapping.Merge {
		s.stamp = stamp
	}
	return before == nil || !fhir.EqualContent(before, s.tree)
}

// holdings are what is stored.
func (w *world) holdings() *alliancetest.Holdings {
	h := &alliancetest.Holdings{}
	for _, key := range w.order {
		h.Add(w.stored[key].institution, w.stored[key].tree)
	}
	return h
}
