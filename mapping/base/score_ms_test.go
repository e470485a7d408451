package base_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// TestScoreMS compares the facts of 57 messages with those of the bundles that another converter made of them. Where the
// bundle and HL7's own tables differ the tables win: testdata/ms-exceptions.txt states what they say, and that is asked
// for in the bundle's place.
func TestScoreMS(t *testing.T) {
	dir := testenv.Corpus(t, "hl7v2", "ms")
	data, err := os.ReadFile(filepath.Join(dir, "pairs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs []struct{ Input, Expected string }
	if err := json.Unmarshal(data, &pairs); err != nil {
		t.Fatal(err)
	}
	except := readExceptions(t, "testdata/ms-exceptions.txt")
	inst := load(t, minimal)
	passed, total := 0, 0
	for _, pair := range pairs {
		name := strings.TrimSuffix(filepath.Base(pair.Input), ".hl7")
		want := msFacts(readBundle(t, filepath.Join(dir, pair.Expected)))
		got := msFacts(trees(mapped(t, inst, readMessage(t, filepath.Join(dir, pair.Input), ""))))
		for f := range want {
			if strings.HasPrefix(f.path, "Appointment.") || strings.HasPrefix(f.path, "Encounter.planned") {
				delete(want, f) // for exceptions to name
			}
		}
		p, n := compare(t, name, want, got, except)
		passed, total = passed+p, total+n
	}
	except.allUsed(t)
	score.Report(t, "hl7v2-ms", passed, total)
}

// compare asks got for every fact of want, or for what the exceptions put in its place.
func compare(t *testing.T, pair string, want, got facts, except exceptions) (passed, total int) {
	t.Helper()
	for _, f := range want.sorted() {
		total++
		ok := got[f]
		if e := except.find(pair, f); e != nil {
			e.used = true
			if ok {
				t.Errorf("%s: %s %q is met: its exception must go", pair, f.path, f.value)
			}
			ok = e.holds(got)
		}
		if ok {
			passed++
		} else {
			t.Logf("%s: %s: want %q, got %q", pair, f.path, f.value, got.under(f.path))
		}
	}
	return passed, total
}

// exception says that HL7's tables want another value than a bundle has.
type exception struct {
	pair, path, value string // pair and path may end in *
	instead           string // the value that the tables give, "-" for none
	used              bool
}

type exceptions []*exception

// readExceptions reads the file: fields divided by " | ", reasons as comments in front.
func readExceptions(t testing.TB, path string) exceptions {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out exceptions
	reason := false
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "":
			reason = false
			continue
		case strings.HasPrefix(line, "#"):
			reason = true
			continue
		}
		part := strings.Split(line, " | ")
		if len(part) != 4 || !reason {
			t.Fatalf("%s:%d: want a reason in front, and: pair | path | value | value of the tables or -", path, n)
		}
		out = append(out, &exception{pair: part[0], path: part[1], value: part[2], instead: part[3]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (es exceptions) find(pair string, f fact) *exception {
	i := slices.IndexFunc(es, func(e *exception) bool {
		return like(e.pair, pair) && like(e.path, f.path) && e.value == f.value
	})
	if i < 0 {
		return nil
	}
	return es[i]
}

// allUsed fails the test for an exception that nothing needs.
func (es exceptions) allUsed(t *testing.T) {
	t.Helper()
	for _, e := range es {
		if !e.used {
			t.Errorf("the exception for %s | %s | %s matches nothing", e.pair, e.path, e.value)
		}
	}
}

func like(pattern, s string) bool {
	if stem, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(s, stem)
	}
	return pattern == s
}

// holds reports whether got has what the tables want.
func (e *exception) holds(got facts) bool {
	if e.instead == "-" {
		return true // find was asked because got does not have the bundle's value
	}
	path, value, other := strings.Cut(e.instead, " = ")
	if !other {
		path, value = e.path, e.instead
	}
	return got[fact{path, strings.ReplaceAll(value, `\n`, "\n")}]
}

// msFacts are the clinically important facts of a set of resources.
func msFacts(resources []*fhir.Node) facts {
	fs := facts{}
	medications := map[string]*fhir.Node{}
	for _, r := range resources {
		medications["Medication/"+r.ID()] = r
	}
	for _, r := range resources {
		switch typ := r.ResourceType(); typ {
		case "Patient":
			for _, id := range r.Get("identifier").Items() {
				value := id.Get("value").Text()
				for _, c := range id.Path("type", "coding").Items() {
					value = strings.TrimSpace(c.Get("code").Text() + " " + value)
				}
				fs.add("Patient.identifier", value)
			}
			for _, n := range r.Get("name").Items() {
				fs.add("Patient.name", strings.TrimSpace(n.Get("family").Text()+", "+strings.Join(texts(n.Get("given")), " ")))
			}
			fs.add("Patient.gender", r.Get("gender").Text())
			fs.add("Patient.birthDate", r.Get("birthDate").Text())
		case "Encounter":
			fs.add("Encounter.class", r.Path("class", "code").Text())
			fs.add("Encounter.period.start", moment(r.Path("period", "start").Text()))
			fs.add("Encounter.period.end", moment(r.Path("period", "end").Text()))
			for _, x := range r.Get("extension").Items() {
				if side, ok := strings.CutPrefix(x.Get("url").Text(), "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.planned"); ok {
					fs.add("Encounter.planned"+strings.TrimSuffix(side, "Date"), moment(x.Get("valueDateTime").Text()))
				}
			}
		case "Appointment":
			for _, s := range r.Get("serviceType").Items() {
				for _, c := range codesOf(s) {
					fs.add("Appointment.serviceType", c)
				}
			}
		case "ServiceRequest", "DiagnosticReport":
			for _, c := range codesOf(r.Get("code")) {
				fs.add(typ+".code", c)
			}
		case "MedicationRequest":
			concept := r.Get("medicationCodeableConcept")
			if ref := r.Path("medicationReference", "reference").Text(); ref != "" {
				concept = medications[ref].Get("code")
			}
			for _, c := range codesOf(concept) {
				fs.add("MedicationRequest.medication", c)
			}
		case "Observation":
			observationFacts(fs, r)
		}
	}
	return fs
}

func observationFacts(fs facts, r *fhir.Node) {
	codes := codesOf(r.Get("code"))
	for _, c := range codes {
		fs.add("Observation.code", c)
	}
	if len(codes) == 0 {
		return
	}
	path := "Observation[" + codes[0] + "]"
	fs.add(path+".status", r.Get("status").Text())
	valueFacts(fs, path, r)
	for _, c := range r.Get("component").Items() {
		valueFacts(fs, path+".component", c)
	}
}

func valueFacts(fs facts, path string, n *fhir.Node) {
	quantity := func(path string, q *fhir.Node) {
		fs.add(path, q.Get("comparator").Text()+q.Get("value").Text())
		unit := q.Get("unit").Text()
		if unit == "" {
			unit = q.Get("code").Text()
		}
		fs.add(path+".unit", unit)
	}
	quantity(path+".value", n.Get("valueQuantity"))
	for _, c := range codesOf(n.Get("valueCodeableConcept")) {
		fs.add(path+".value", c)
	}
	fs.add(path+".value", n.Path("valueCodeableConcept", "text").Text())
	for _, name := range []string{"valueString", "valueDateTime", "valueTime", "valueInteger", "valueBoolean"} {
		fs.add(path+".value", moment(n.Get(name).Text()))
	}
	for _, side := range []string{"low", "high"} {
		quantity(path+".value."+side, n.Path("valueRange", side))
	}
	for _, side := range []string{"numerator", "denominator"} {
		quantity(path+".value."+side, n.Path("valueRatio", side))
	}
}
