package maptest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/charset"
)

// MaxCase bounds the bytes of one case.
const MaxCase = 16 << 20

// Case is one case, read.
type Case struct {
	Name    string // of its file
	Title   string // its first comment
	Source  string
	Files   []mapping.File
	Want    []*fhir.Node // nil: not said
	Issues  []string     // nil: not said
	places  []element    // of want.txt
	archive *txtar.Archive
}

const (
	wantJSON   = "want.json"
	wantPlaces = "want.txt"
	wantIssues = "want.issues"
)

// Parse reads a case.
func Parse(name string, data []byte) (*Case, error) {
	if len(data) > MaxCase {
		return nil, fmt.Errorf("%s: more than %d bytes", name, MaxCase)
	}
	a := txtar.Parse(data)
	c := &Case{Name: name, archive: a}
	encoding := ""
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "#"); ok {
			if c.Title == "" {
				c.Title = strings.TrimSpace(text)
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); {
		case line == "":
		case ok && key == "charset":
			canonical, known := charset.Canonical(value)
			if !known {
				return nil, fmt.Errorf("%s: unknown charset %q", name, value)
			}
			encoding = canonical
		case ok && key == "source":
			c.Source = value
		default:
			return nil, fmt.Errorf("%s: %q; want a comment with #, charset: or source: before it", name, line)
		}
	}
	var book *workbook // the last one; its sheets follow each other
	for _, f := range a.Files {
		if name, sheet, ok := sheetOf(f.Name); ok {
			if book == nil || book.name != name {
				if err := c.pack(book); err != nil {
					return nil, err
				}
				book = &workbook{name: name, formats: []string{"General"}}
			}
			if err := book.add(sheet, f.Data); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.Name, f.Name, err)
			}
			continue
		}
		switch f.Name {
		case wantJSON:
			want, err := resources(f.Data)
			if err != nil {
				return nil, fmt.Errorf("%s: want.json: %w", name, err)
			}
			c.Want = want
		case wantPlaces:
			places, err := elements(f.Data)
			if err != nil {
				return nil, fmt.Errorf("%s: want.txt: %w", name, err)
			}
			c.places = places
		case wantIssues:
			c.Issues = []string{}
			for line := range strings.Lines(string(f.Data)) {
				if line = strings.TrimSpace(line); line != "" {
					c.Issues = append(c.Issues, line)
				}
			}
		default:
			if strings.HasPrefix(f.Name, "want") {
				return nil, fmt.Errorf("%s: file %q; want want.json, want.txt, want.issues or the files of a delivery", name, f.Name)
			}
			body := f.Data
			if encoding != "" {
				body = charset.Encode(string(body), encoding)
			}
			c.Files = append(c.Files, mapping.File{Name: f.Name, Bytes: body})
		}
	}
	if err := c.pack(book); err != nil {
		return nil, err
	}
	if len(c.Files) == 0 {
		return nil, fmt.Errorf("%s: nothing goes in; want a file such as -- in.hl7 --", name)
	}
	return c, nil
}

// pack adds a workbook to the delivery, if there is one.
func (c *Case) pack(w *workbook) error {
	if w == nil {
		return nil
	}
	f, err := w.file()
	c.Files = append(c.Files, f)
	return err
}

// resources reads an array of resources, a Bundle, or one resource.
func resources(data []byte) ([]*fhir.Node, error) {
	root, err := fhir.Parse(data, fhir.Limits{})
	if err != nil {
		return nil, err
	}
	out := []*fhir.Node{}
	switch {
	case root.Kind() == fhir.Array:
		out = append(out, root.Items()...)
	case root.ResourceType() == "Bundle":
		for _, e := range root.Get("entry").Items() {
			out = append(out, e.Get("resource"))
		}
	default:
		out = append(out, root)
	}
	for i, r := range out {
		if r.ResourceType() == "" {
			return nil, fmt.Errorf("item %d is not a resource", i+1)
		}
	}
	return out, nil
}

// Cases reads the cases of a folder in the order of their names. Mistakes in them are joined in the error; the others are
// there nevertheless.
func Cases(fsys fs.FS) ([]*Case, error) {
	names, err := fs.Glob(fsys, "cases/*.txtar")
	if err != nil {
		return nil, err
	}
	var cases []*Case
	var errs []error
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		c, err := Parse(path.Base(name), data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		cases = append(cases, c)
	}
	return cases, errors.Join(errs...)
}
