package fhirxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/internal/testenv"
)

func TestExamplesSurviveXML(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 720 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		out, issues := fhirxml.Append(nil, n)
		if len(issues) > 0 {
			t.Errorf("%s: not written: %v", name, issues)
			continue
		}
		back, issues, err := fhirxml.Parse(out, fhirxml.Options{})
		if err != nil || len(issues) > 0 {
			t.Errorf("%s: not read again: %v, %v", name, err, issues)
			continue
		}
		if !fhir.Equal(n, back) {
			t.Errorf("%s: differs behind XML", name)
		}
	}
}

// resources yields the XML resources of the corpus. Some are inside another
// document; the validator's cases are wrong on purpose here and there.
func resources(t *testing.T) map[string][]byte {
	t.Helper()
	root := testenv.Corpus(t)
	out := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".xml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if strings.HasPrefix(name, "patch") {
			for i, part := range inner(text) {
				out[name+"#"+string(rune('0'+i%10))+string(rune('0'+i/10))] = part
			}
			return nil
		}
		out[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inner cuts the resources out of a document that holds some.
func inner(text []byte) (out [][]byte) {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		at := d.InputOffset()
		token, err := d.Token()
		if err != nil {
			return out
		}
		start, ok := token.(xml.StartElement)
		if ok && start.Name.Space == fhirxml.Namespace && definitions.R4().IsResource(start.Name.Local) {
			if d.Skip() != nil {
				return out
			}
			out = append(out, text[at:d.InputOffset()])
		}
	}
}

// wrong are the documents of the corpus that are not a resource in the XML form of
// R4, with the first thing that is wrong: manifests, resources of other versions of
// FHIR, elements out of order, and what the validator's cases do on purpose.
var wrong = map[string]string{
	"fhirpath/input/myconsent-ext.xml":                                         "element-unknown",
	"fhirpath/input/observation-example.xml":                                   "element-order",
	"fhirpath/tests-fhir-r4.xml":                                               "xml-namespace",
	"snapshot-generation/manifest.xml":                                         "xml-namespace",
	"snapshot-generation/pattern-ext-2-input.xml":                              "xml-attribute",
	"testscripts/r4-crucible-engine/examples/testscript/read_testscript.xml":   "element-order",
	"testscripts/r4-crucible-engine/examples/testscript/search_testscript.xml": "element-order",
	"validator/Observation-ex-pain.xml":                                        "xml-attribute",
	"validator/bundle-dual-subject.xml":                                        "element-too-many",
	"validator/pat-security-bad-string2.xml":                                   "element-unknown",
	"validator/xml-fail.xml":                                                   "xml-text",
}

// TestXMLSurvivesJSON compares what another parser reads in both documents: names,
// attributes and text, in order.
func TestXMLSurvivesJSON(t *testing.T) {
	read, refused := 0, 0
	for name, text := range resources(t) {
		n, issues, err := fhirxml.Parse(text, fhirxml.Options{})
		if err != nil || len(issues) > 0 || n == nil {
			first := "not XML"
			if len(issues) > 0 {
				first = issues[0].ID
			}
			if first != wrong[name] {
				t.Errorf("%s: %s, %v", name, first, err)
			}
			refused++
			continue
		}
		read++
		again, err := fhir.Parse(n.AppendJSON(nil), fhir.Limits{Depth: 512})
		if err != nil {
			t.Errorf("%s: the tree is no JSON: %v", name, err)
			continue
		}
		out, issues := fhirxml.Append(nil, again)
		if len(issues) > 0 {
			t.Errorf("%s: not written: %v", name, issues)
			continue
		}
		want, got := tokens(t, text), tokens(t, out)
		if !slices.Equal(want, got) {
			for i := range want {
				if i >= len(got) || want[i] != got[i] {
					t.Errorf("%s: %d tokens, %d wanted; first difference at %d: %.200q, want %.200q", name, len(got), len(want), i, got[min(i, len(got)-1)], want[i])
					break
				}
			}
		}
	}
	t.Logf("%d read, %d refused", read, refused)
	if refused != len(wrong) {
		t.Errorf("%d documents have issues, expected %d", refused, len(wrong))
	}
}

// tokens lists what encoding/xml reads, but for what FHIR ignores.
func tokens(t *testing.T, text []byte) (out []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))))
	pending := ""
	flush := func() {
		if s := strings.TrimSpace(pending); s != "" {
			out = append(out, "text "+strings.Join(strings.Fields(s), " "))
		}
		pending = ""
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			flush()
			line := "start " + token.Name.Space + " " + token.Name.Local
			slices.SortFunc(token.Attr, func(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) })
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || strings.HasSuffix(a.Name.Space, "XMLSchema-instance") {
					continue
				}
				line += " " + a.Name.Space + ":" + a.Name.Local + "=" + strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ", "\r", " ").Replace(a.Value)
			}
			out = append(out, line)
		case xml.EndElement:
			flush()
			out = append(out, "end "+token.Name.Local)
		case xml.CharData:
			pending += string(token)
		}
	}
}
