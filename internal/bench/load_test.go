package bench_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stored is what the server holds: the ids it gave, by type, in the order of the data's numbers.
type stored struct {
	mu       sync.Mutex
	patients int // made by fill
	ids      map[string][]string
	bytes    int64 // of the resources as they were sent
	next     atomic.Int64
}

// perBundle is how many patients one transaction of fill holds: 100 entries.
const perBundle = 5

// fill brings patients in, with all that belongs to them.
func fill(t testing.TB, g target, workers, size int) (*stored, *result) {
	t.Helper()
	s := &stored{patients: max(perBundle, size/perPatient), ids: map[string][]string{}}
	for _, part := range []struct {
		typ string
		n   int
	}{{"Patient", 1}, {"Encounter", encounters}, {"ServiceRequest", requests}, {"Observation", observations}} {
		s.ids[part.typ] = make([]string, s.patients*part.n)
	}
	var next atomic.Int64
	r := g.run(time.Hour, workers, 1, func(w *worker) bool {
		from := int(next.Add(perBundle)) - perBundle
		if from >= s.patients {
			return false
		}
		to := min(from+perBundle, s.patients)
		body := family(from, to)
		a, ok := w.ask("transaction", "POST", "/fhir", "", body, 200)
		if !ok {
			return false
		}
		places := locations(a.body)
		if len(places) != (to-from)*perPatient {
			w.errors["transaction"]++
			w.first = fmt.Sprintf("%d locations for %d entries", len(places), (to-from)*perPatient)
			return false
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bytes += int64(len(body))
		at := map[string]int{}
		for i, place := range places {
			typ, id, _ := strings.Cut(place, "/")
			p := from + i/perPatient
			if i%perPatient == 0 {
				clear(at)
			}
			per := len(s.ids[typ]) / s.patients
			s.ids[typ][p*per+at[typ]] = id
			at[typ]++
		}
		return true
	})
	s.next.Store(int64(s.patients))
	if r.all.errors > 0 {
		t.Fatalf("filling the store: %s", r.first)
	}
	return s, r
}

// locations returns type and id of each entry of a transaction's answer, in order.
func locations(body []byte) (all []string) {
	for {
		_, rest, found := bytes.Cut(body, []byte(`"location":`))
		if !found {
			return all
		}
		_, rest, _ = bytes.Cut(rest, []byte(`"`))
		place, rest, _ := bytes.Cut(rest, []byte(`"`))
		body = rest
		place, _, _ = bytes.Cut(place, []byte("/_history"))
		parts := bytes.Split(place, []byte("/"))
		if len(parts) >= 2 {
			all = append(all, string(parts[len(parts)-2])+"/"+string(parts[len(parts)-1]))
		}
	}
}

func (s *stored) pick(w *worker, typ string) (n int, reference string) {
	n = w.rng.IntN(len(s.ids[typ]))
	return n, typ + "/" + s.ids[typ][n]
}

// read asks for one resource of any type by its id.
func (s *stored) read(w *worker) bool {
	types := [...]string{"Patient", "Encounter", "ServiceRequest", "Observation"}
	_, ref := s.pick(w, types[w.rng.IntN(len(types))])
	w.ask("read", "GET", "/fhir/"+ref, "", nil, 200)
	return true
}

// crud lives through one resource: it is created, read, changed, read in its first version, found by its identifier, and
// deleted. Types take turns.
func (s *stored) crud(w *worker) bool {
	n := int(s.next.Add(1))
	p, patient0 := s.pick(w, "Patient")
	per := func(typ string, of int) string { return typ + "/" + s.ids[typ][p*of] }
	var typ, system, value string
	var text func(version int) string
	const base = "https://yilian.dev/fhir/institution/bench/"
	switch n % 4 {
	case 0:
		typ, system, value = "Patient", residentID, resident(n)
		text = func(v int) string { return patient(n, v) }
	case 1:
		n += 1e8
		typ, system, value = "Encounter", base+"encounter", fmt.Sprintf("E%09d", n)
		text = func(v int) string { return encounter(n, v, patient0) }
	case 2:
		n += 1e8
		typ, system, value = "ServiceRequest", base+"order", fmt.Sprintf("S%09d", n)
		text = func(v int) string { return request(n, v, patient0, per("Encounter", encounters)) }
	default:
		n += 1e8
		typ, system, value = "Observation", base+"result", fmt.Sprintf("O%010d", n)
		text = func(v int) string {
			return observation(n, v, patient0, per("Encounter", encounters), per("ServiceRequest", requests))
		}
	}
	a, ok := w.ask("create", "POST", "/fhir/"+typ, "", []byte(text(0)), 201)
	if !ok {
		return true
	}
	place, _, _ := strings.Cut(a.location, "/_history")
	id := place[strings.LastIndexByte(place, '/')+1:]
	path := "/fhir/" + typ + "/" + id
	w.ask("read", "GET", path, "", nil, 200)
	changed := strings.Replace(text(1), `{"resourceType":"`+typ+`",`, `{"resourceType":"`+typ+`","id":"`+id+`",`, 1)
	w.ask("update", "PUT", path, "If-Match: W/\"1\"\r\n", []byte(changed), 200)
	w.ask("vread", "GET", path+"/_history/1", "", nil, 200)
	if a, ok := w.ask("search", "GET", "/fhir/"+typ+"?identifier="+url.QueryEscape(system+"|"+value), "", nil, 200); ok && !bytes.Contains(a.body, []byte(id)) {
		w.errors["search"]++
		w.first = "search by identifier does not find what was created"
	}
	w.ask("delete", "DELETE", path, "", nil, 200, 204)
	return true
}

// write sends a transaction of one Patient and one Observation.
func (s *stored) write(w *worker) bool {
	n := int(s.next.Add(1))
	var b strings.Builder
	entry(&b, urn(n, 0), patient(n, 0))
	entry(&b, urn(n, 1), observation(n+2e8, 0, urn(n, 0), "", ""))
	b.WriteString("]}")
	w.ask("transaction", "POST", "/fhir", "", []byte(b.String()), 200)
	return true
}

// shape is a kind of search. found says that its answers hold resources: one that always comes back empty is a mistake.
type shape struct {
	name string
	path func(s *stored, w *worker) string
}

var shapes = []shape{
	{"identifier", func(s *stored, w *worker) string {
		return "Patient?identifier=" + url.QueryEscape(residentID+"|"+resident(w.rng.IntN(s.patients)))
	}},
	{"name prefix", func(s *stored, w *worker) string {
		family, given := nameOf(w.rng.IntN(s.patients))
		return "Patient?name=" + url.QueryEscape(family+string([]rune(given)[0])) + "&_count=20"
	}},
	{"name by pinyin", func(s *stored, w *worker) string {
		return "Patient?name-pinyin=" + typedName(w.rng.IntN(s.patients)) + "&_count=20"
	}},
	{"birth-date range", func(s *stored, w *worker) string {
		from := birth(w.rng.IntN(s.patients))
		return "Patient?birthdate=ge" + from.Format("2006-01-02") + "&birthdate=lt" + from.AddDate(0, 1, 0).Format("2006-01-02") + "&_count=20"
	}},
	{"gender", func(s *stored, w *worker) string {
		return "Patient?gender=" + gender(w.rng.IntN(9)) + "&_count=20"
	}},
	{"patient + code", func(s *stored, w *worker) string {
		n, _ := s.pick(w, "Observation")
		return "Observation?patient=" + s.ids["Patient"][n/observations] + "&code=" + url.QueryEscape(loinc+"|"+code(n))
	}},
	{"code + date", func(s *stored, w *worker) string {
		n, _ := s.pick(w, "Observation")
		at := day(n)
		return "Observation?code=" + url.QueryEscape(loinc+"|"+code(n)) + "&date=ge" + at.Format("2006-01-02") +
			"&date=lt" + at.AddDate(0, 0, 14).Format("2006-01-02") + "&_count=20"
	}},
	{"code, sort + count", func(s *stored, w *worker) string {
		n, _ := s.pick(w, "Observation")
		return "Observation?code=" + url.QueryEscape(loinc+"|"+code(n)) + "&_sort=-date&_count=20"
	}},
	{"patient, sort + count", func(s *stored, w *worker) string {
		_, ref := s.pick(w, "Patient")
		return "Observation?patient=" + url.QueryEscape(ref) + "&_sort=-date&_count=10"
	}},
	{"value", func(s *stored, w *worker) string {
		n, _ := s.pick(w, "Observation")
		return "Observation?code=" + url.QueryEscape(loinc+"|"+code(n)) + "&value-quantity=" + url.QueryEscape("gt"+strconv.Itoa(100+w.rng.IntN(80))+"|http://unitsofmeasure.org|g/L") + "&_count=20"
	}},
	{"chain", func(s *stored, w *worker) string {
		return "Observation?patient.identifier=" + url.QueryEscape(residentID+"|"+resident(w.rng.IntN(s.patients))) + "&_count=20"
	}},
	{"_has", func(s *stored, w *worker) string {
		n, _ := s.pick(w, "Observation")
		return "Patient?_has:Observation:patient:code=" + url.QueryEscape(loinc+"|"+code(n)) + "&gender=" + gender(n) + "&_count=20"
	}},
	{"_include", func(s *stored, w *worker) string {
		from := day(w.rng.IntN(s.patients * encounters))
		return "Encounter?date=ge" + from.Format("2006-01-02") + "&date=lt" + from.AddDate(0, 0, 7).Format("2006-01-02") + "&_include=Encounter:patient&_count=20"
	}},
	{"_revinclude", func(s *stored, w *worker) string {
		return "Patient?identifier=" + url.QueryEscape(residentID+"|"+resident(w.rng.IntN(s.patients))) + "&_revinclude=Observation:patient"
	}},
	{"patient + status", func(s *stored, w *worker) string {
		_, ref := s.pick(w, "Patient")
		return "ServiceRequest?subject=" + url.QueryEscape(ref) + "&status=completed,active"
	}},
}

// hit is a question of a shape with the resources that came back, type/id.
type hit struct {
	path string
	refs []string
}

// hits is how many different questions of each shape are asked of the store and raw.
const hits = 64

// ask finds the questions of a shape, and their answers, for the raw limit.
func (s *stored) ask(t testing.TB, g target, q shape, seed uint64) (all []hit) {
	t.Helper()
	found := 0
	r := g.run(time.Minute, 1, seed, func(w *worker) bool {
		path := "/fhir/" + q.path(s, w)
		a, ok := w.ask(q.name, "GET", path, "", nil, 200)
		if !ok {
			return false
		}
		h := hit{path: path, refs: entries(a.body)}
		found += len(h.refs)
		all = append(all, h)
		return len(all) < hits
	})
	if r.all.errors > 0 {
		t.Errorf("search by %s: %s", q.name, r.first)
		return nil
	}
	if found == 0 {
		t.Errorf("search by %s never finds anything", q.name)
	}
	return all
}

// entries returns type and id of the resources on a page.
func entries(body []byte) (all []string) {
	for {
		_, rest, found := bytes.Cut(body, []byte(`"fullUrl":`))
		if !found {
			return all
		}
		_, rest, _ = bytes.Cut(rest, []byte(`"`))
		place, rest, _ := bytes.Cut(rest, []byte(`"`))
		parts := bytes.Split(place, []byte("/"))
		all = append(all, string(bytes.Join(parts[max(0, len(parts)-2):], []byte("/"))))
		body = rest
	}
}
