package base_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

// TestScoreCDC compares messages of one segment or data type each with the resources that another converter made of them:
// every clinical value of the expected resources is asked for. What is left out: extensions of that converter, references
// (their targets are compared), headers and provenance, which maps do not make.
func TestScoreCDC(t *testing.T) {
	root := testenv.Corpus(t, "hl7v2", "cdc", "mappinginventory", "catchall")
	inst, err := mapping.Load(os.DirFS("testdata/cdc"), mapping.Options{Base: base.FS})
	if err != nil {
		t.Fatal(err)
	}
	except := readExceptions(t, "testdata/cdc-exceptions.txt")
	passed, total := 0, 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		stem, ok := strings.CutSuffix(path, ".hl7")
		if err != nil || !ok {
			return err
		}
		rel, _ := filepath.Rel(root, stem)
		want := clinicalFacts(readBundle(t, stem+".fhir"), false)
		got := clinicalFacts(trees(mapped(t, inst, readMessage(t, path, "UTF-8"))), true)
		p, n := compare(t, rel, want, got, except)
		passed, total = passed+p, total+n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	except.allUsed(t)
	score.Report(t, "hl7v2-cdc", passed, total)
}

// clinical are the types whose every value is compared.
var clinical = map[string]bool{"Patient": true, "RelatedPerson": true, "Encounter": true, "Observation": true, "DiagnosticReport": true,
	"ServiceRequest": true, "Specimen": true, "Coverage": true}

// clinicalFacts are the values of clinical resources, and of whoever and wherever they refer to. With parts a name also counts
// by each run of its words: a display may hold a title before a name, and all the parts of a place.
func clinicalFacts(resources []*fhir.Node, parts bool) facts {
	fs := facts{}
	mention := func(typ string, identifier *fhir.Node, name string) {
		id := typ + ".identifier"
		if typ == "Location" {
			id = typ + ".name" // the parts of a PL are identifiers there, one name here
		}
		fs.add(id, identifier.Get("value").Text())
		fs.add(typ+".name", name)
		for words := strings.Fields(name); parts && len(words) > 0; words = words[1:] {
			for j := range words {
				fs.add(typ+".name", strings.Join(words[:j+1], " "))
			}
		}
	}
	at := map[string]*fhir.Node{}
	for _, r := range resources {
		at[r.ResourceType()+"/"+r.ID()] = r
	}
	seen := map[string]bool{}
	var walk func(path string, n *fhir.Node)
	refer := func(n *fhir.Node) {
		ref := n.Get("reference").Text()
		typ, _, _ := strings.Cut(ref, "/")
		if typ == "" {
			typ = n.Get("type").Text()
		}
		if clinical[typ] || typ == "" {
			return
		}
		mention(typ, n.Get("identifier"), n.Get("display").Text())
		if r := at[ref]; r != nil && !seen[ref] {
			seen[ref] = true
			if typ == "PractitionerRole" {
				walk(typ, r)
				return
			}
			for _, id := range r.Get("identifier").Items() {
				mention(typ, id, "")
			}
			name := r.Get("name")
			mention(typ, nil, name.Text())
			for _, n := range name.Items() {
				mention(typ, nil, strings.TrimSpace(strings.Join(append(texts(n.Get("given")), n.Get("family").Text()), " ")))
			}
			if typ == "Location" {
				walk("", r.Get("partOf"))
			}
		}
	}
	walk = func(path string, n *fhir.Node) {
		switch n.Kind() {
		case fhir.Object:
			if n.Get("reference") != nil || n.Get("type").Kind() == fhir.String && (n.Get("identifier") != nil || n.Get("display") != nil) {
				refer(n)
				return
			}
			for _, k := range n.All() {
				switch name := k.Name(); {
				case name == "id", name == "extension", name == "meta", name == "resourceType", name == "display", name == "version",
					strings.HasPrefix(name, "_"), name == "system" && !strings.HasSuffix(path, "telecom"):
				default:
					walk(path+"."+name, k)
				}
			}
		case fhir.Array:
			for _, k := range n.Items() {
				walk(path, k)
			}
		default:
			if path != "" {
				fs.add(path, strings.TrimSpace(moment(n.Text())))
			}
		}
	}
	for _, r := range resources {
		if clinical[r.ResourceType()] {
			walk(r.ResourceType(), r)
		}
	}
	return fs
}
