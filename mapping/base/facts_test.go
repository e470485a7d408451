package base_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

// A fact is one value that resources hold, under a path: {"Observation[8867-4].status", "final"}. Suites are compared by
// facts: those of the expected resources against those of the made ones.
type fact struct{ path, value string }

// facts are the facts of a set of resources.
type facts map[fact]bool

func (fs facts) add(path, value string) {
	if value != "" {
		fs[fact{path, value}] = true
	}
}

// under are the values of a path, sorted.
func (fs facts) under(path string) []string {
	var out []string
	for f := range fs {
		if f.path == path {
			out = append(out, f.value)
		}
	}
	slices.Sort(out)
	return out
}

func (fs facts) sorted() []fact {
	var out []fact
	for f := range fs {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b fact) int { return strings.Compare(a.path+"\x00"+a.value, b.path+"\x00"+b.value) })
	return out
}

// readMessage parses an HL7 v2 file.
func readMessage(t testing.TB, path, charset string) *record.Record {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := hl7v2.Parse(data, hl7v2.Options{Charset: charset})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return rec
}

var salt = []byte("salt of the tests of the built-in maps")

// mapped maps a record; what a mandatory element's absence would quarantine is looked at all the same.
func mapped(t testing.TB, inst *mapping.Institution, rec *record.Record) *mapping.Result {
	t.Helper()
	res, err := inst.Map(rec, mapping.RunOptions{Salt: salt})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// trees are the resources of a result.
func trees(res *mapping.Result) []*fhir.Node {
	var out []*fhir.Node
	for i := range res.Resources {
		out = append(out, res.Resources[i].Tree)
	}
	return out
}

// readBundle reads the resources of a bundle.
func readBundle(t testing.TB, path string) []*fhir.Node {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := fhir.Parse(data, fhir.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	var out []*fhir.Node
	for _, e := range bundle.Get("entry").Items() {
		out = append(out, e.Get("resource"))
	}
	return out
}

// moment makes dates comparable: instants in UTC, shorter dates as they are.
func moment(text string) string {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC().Format("2006-01-02T15:04:05.999Z")
	}
	return text
}

// texts are the texts of an array.
func texts(n *fhir.Node) []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, strings.TrimSpace(item.Text()))
	}
	return out
}

// codesOf are the codes of a concept, with the system in front where that is LOINC or SNOMED CT.
func codesOf(concept *fhir.Node) []string {
	var out []string
	for _, c := range concept.Get("coding").Items() {
		if code := c.Get("code").Text(); code != "" {
			out = append(out, published(c.Get("system").Text())+code)
		}
	}
	return out
}

func published(system string) string {
	switch {
	case strings.HasPrefix(system, "http://loinc.org"):
		return "loinc:"
	case strings.HasPrefix(system, "http://snomed.info/sct"):
		return "snomed:"
	}
	return ""
}
