package patch_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/patch"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

func TestScorePatch(t *testing.T) {
	folder := testenv.Corpus(t, "patch")
	passed, total := 0, 0
	run := func(name string, problem error) {
		total++
		if problem == nil {
			passed++
			return
		}
		t.Errorf("%s: %v", name, problem)
	}
	fhirPathCases(t, filepath.Join(folder, "fhir-patch-tests.xml"), run)
	jsonCases(t, filepath.Join(folder, "json-patch-tests.json"), run)
	xmlCases(t, filepath.Join(folder, "xml-patch-tests.xml"), run)
	score.Report(t, "patch", passed, total)
}

// inner is an element whose content is kept as it is written.
type inner struct {
	Text string `xml:",innerxml"`
}

func (i *inner) bytes() []byte {
	if i == nil {
		return nil
	}
	return []byte(strings.TrimSpace(i.Text))
}

func unmarshal(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// failed reports whether an error is what a patch says that cannot be applied.
func failed(err error) error {
	var e *patch.Error
	switch {
	case err == nil:
		return errors.New("applied, expected an error")
	case !errors.As(err, &e) || e.ID == "" || e.Text == "":
		return fmt.Errorf("not an error of a patch: %w", err)
	}
	return nil
}

func fhirPathCases(t *testing.T, path string, run func(string, error)) {
	var suite struct {
		Cases []struct {
			Name   string `xml:"name,attr"`
			Input  inner  `xml:"input"`
			Diff   inner  `xml:"diff"`
			Output *inner `xml:"output"`
			Error  *inner `xml:"error"`
		} `xml:"case"`
	}
	unmarshal(t, path, &suite)
	read := func(i *inner) *fhir.Node {
		n, issues, err := fhirxml.Parse(i.bytes(), fhirxml.Options{})
		if err != nil || len(issues) > 0 {
			t.Fatal(err, issues)
		}
		return n
	}
	for _, c := range suite.Cases {
		input := read(&c.Input)
		before := input.Clone()
		got, err := patch.ApplyFHIRPath(input, read(&c.Diff), patch.Limits{})
		switch {
		case !fhir.Equal(input, before):
			err = errors.New("the input is changed")
		case c.Error != nil:
			err = failed(err)
		case err == nil && !fhir.Equal(narrated(t, got), narrated(t, read(c.Output))):
			err = fmt.Errorf("got %s", got.AppendJSON(nil))
		}
		run("FHIRPath Patch: "+c.Name, err)
	}
}

// narrated puts in place of a narrative what it consists of: one of the cases writes
// a quotation mark as a reference in one document and as itself in the other.
func narrated(t *testing.T, n *fhir.Node) *fhir.Node {
	text := n.Get("text")
	if div := text.Get("div"); div != nil {
		text.SetString("div", strings.Join(nodes(t, []byte(div.Text())), "\n"))
	}
	return n
}

func jsonCases(t *testing.T, path string, run func(string, error)) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases.All() {
		doc := c.Get("doc")
		before := doc.Clone()
		got, err := patch.ApplyJSON(doc, c.Get("patch"), patch.Limits{})
		switch {
		case !fhir.Equal(doc, before):
			err = errors.New("the input is changed")
		case c.Get("error") != nil:
			err = failed(err)
		case err == nil && !fhir.Equal(got, c.Get("expected")):
			err = fmt.Errorf("got %s", got.AppendJSON(nil))
		}
		run("JSON Patch: "+c.Get("comment").Text(), err)
	}
}

func xmlCases(t *testing.T, path string, run func(string, error)) {
	var suite struct {
		Cases []struct {
			Name    string `xml:"name,attr"`
			Target  inner  `xml:"target"`
			Patched *inner `xml:"patched"`
			Error   *inner `xml:"error"`
		} `xml:"case"`
	}
	unmarshal(t, path, &suite)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	patches := elements(t, text, "patch")
	if len(patches) != len(suite.Cases) {
		t.Fatalf("%d patches for %d cases", len(patches), len(suite.Cases))
	}
	for i, c := range suite.Cases {
		doc := c.Target.bytes()
		before := bytes.Clone(doc)
		got, err := patch.ApplyXMLDocument(doc, patches[i], patch.Limits{})
		switch {
		case !bytes.Equal(doc, before):
			err = errors.New("the input is changed")
		case c.Error != nil:
			err = failed(err)
		case err == nil:
			if d := cmp.Diff(nodes(t, c.Patched.bytes()), nodes(t, got)); d != "" {
				err = errors.New(d)
			}
		}
		run("XML Patch: "+c.Name, err)
	}
}

// elements cuts the elements of a name out of a document, with their own tags.
func elements(t *testing.T, text []byte, name string) (out [][]byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		begin := d.InputOffset()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
			out = append(out, text[begin:d.InputOffset()])
		}
	}
}

// nodes lists a document as another parser reads it: elements, attributes with the
// declarations of prefixes, comments, and text that is not white space.
func nodes(t *testing.T, text []byte) (out []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
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
			out = append(out, "start "+token.Name.Space+" "+token.Name.Local)
			var attrs []string
			for _, a := range token.Attr {
				if a.Name.Local != "xmlns" {
					attrs = append(attrs, fmt.Sprintf("attribute %s %s %q", a.Name.Space, a.Name.Local, a.Value))
				}
			}
			slices.Sort(attrs)
			out = append(out, attrs...)
		case xml.EndElement:
			out = append(out, "end "+token.Name.Local)
		case xml.Comment:
			out = append(out, "comment "+string(token))
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); s != "" {
				out = append(out, "text "+s)
			}
		}
	}
}
