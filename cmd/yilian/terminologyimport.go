package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/codesystem"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/store"
)

type terminologyImportCommand struct {
	configFlags
	System   string            `required:"" help:"Canonical URL of the code system." placeholder:"URL"`
	Version  string            `help:"Its version; of a package, the one that is meant." placeholder:"V"`
	Columns  map[string]string `mapsep:"," help:"Which column is what, by the names in the table's first row; see above." placeholder:"WHAT=COLUMN,…"`
	Name     string            `help:"Name of the code system."`
	Title    string            `help:"Title of it."`
	Language string            `help:"Language of its displays, such as zh-CN." placeholder:"TAG"`
	Comma    string            `default:"," help:"What stands between columns."`
	Inactive []string          `sep:"," help:"Values of the column status that mean that a code is not used any more." placeholder:"VALUE"`
	Prefixes bool              `help:"Codes lie below the longest other code that they begin with: J18.9 below J18."`
	AnyCase  bool              `help:"Codes that differ only in case are the same."`
	File     string            `arg:"" help:"A table (.csv), or a FHIR package (.tgz)."`
}

func (terminologyImportCommand) Help() string {
	return `Imports a code system that is too large to be a resource: a table in UTF-8, or the CodeSystem with the URL out of a FHIR package. It takes
the place of an earlier import of the same version, all at once; when it fails nothing has changed. No server may hold the data folder; on
PostgreSQL (YILIAN_STORE_URL, or store.url in the configuration) servers go on working, and see it once it is whole.

--columns says what the columns of a table are: code (required), display, definition, parent (with | between several), status, abstract,
designation.LANGUAGE for other names, property.CODE for properties. Without it the columns are called code and display; a table of
http://loinc.org is read as Loinc.csv of a release is.

A table is read twice and never held whole. The license of a code system is yours to keep.

With --json one object: system, version, codes, imported; warnings go to standard error.`
}

func (c terminologyImportCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	table, err := c.table()
	if err != nil {
		return err
	}
	work := func(ctx context.Context, s store.ConceptImporter) (store.CodeSystem, []fhir.Issue, error) {
		return codesystem.ImportTable(ctx, s, table, func() (io.ReadCloser, error) { return os.Open(c.File) }, terminology.Limits{})
	}
	if strings.HasSuffix(c.File, ".tgz") {
		m, issues, err := c.packaged()
		if err != nil {
			return err
		}
		work = func(ctx context.Context, s store.ConceptImporter) (store.CodeSystem, []fhir.Issue, error) {
			got, err := codesystem.Import(ctx, s, m, terminology.Limits{})
			return got, issues, err
		}
	}
	var got store.CodeSystem
	var issues []fhir.Issue
	err = server.UseConcepts(ctx, settings, func(ctx context.Context, s store.Concepts) (err error) {
		got, issues, err = work(ctx, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	for _, i := range issues {
		fmt.Fprintln(out.err, "yilian: warning:", i.Text)
	}
	if out.json {
		return out.print(importedSystem{got.URL, got.Version, got.Concepts, got.Imported})
	}
	_, err = fmt.Fprintf(out.out, "%s: %d codes\n", canonical(got.URL, got.Version), got.Concepts)
	return err
}

func canonical(url, version string) string {
	if version == "" {
		return url
	}
	return url + "|" + version
}

// table is the table as the flags describe it.
func (c terminologyImportCommand) table() (t terminology.Table, err error) {
	t.Columns = terminology.Columns{Code: "code", Display: "display"}
	switch loinc := terminology.LOINC(c.Version); {
	case c.Columns != nil:
		t.Columns = terminology.Columns{Designations: map[string]string{}, Properties: map[string]string{}}
	case c.System == loinc.URL:
		t = loinc
	}
	t.URL, t.Version, t.CaseSensitive, t.Prefixes = c.System, c.Version, !c.AnyCase, c.Prefixes
	t.Name, t.Title, t.Language = cmp.Or(c.Name, t.Name), cmp.Or(c.Title, t.Title), cmp.Or(c.Language, t.Language)
	if len(c.Inactive) > 0 {
		t.Inactive = c.Inactive
	}
	if t.Comma, _ = utf8.DecodeRuneInString(c.Comma); utf8.RuneCountInString(c.Comma) != 1 || strings.ContainsAny(c.Comma, "\"\r\n\uFFFD") {
		return t, usageError{fmt.Errorf("--comma: one character is expected")}
	}
	fields := map[string]*string{"code": &t.Columns.Code, "display": &t.Columns.Display, "definition": &t.Columns.Definition,
		"parent": &t.Columns.Parent, "status": &t.Columns.Status, "abstract": &t.Columns.Abstract}
	for _, what := range slices.Sorted(maps.Keys(c.Columns)) {
		language, named := strings.CutPrefix(what, "designation.")
		property, has := strings.CutPrefix(what, "property.")
		switch {
		case fields[what] != nil:
			*fields[what] = c.Columns[what]
		case named && language != "":
			t.Columns.Designations[language] = c.Columns[what]
		case has && property != "":
			t.Columns.Properties[property] = c.Columns[what]
		default:
			return t, usageError{fmt.Errorf("--columns: %q is nothing that a column can be", what)}
		}
	}
	return t, nil
}

// packageFile bounds the bytes of a CodeSystem in a package: it is read as a whole.
const packageFile = 256 << 20

// packaged reads the code system out of a package.
func (c terminologyImportCommand) packaged() (*terminology.Memory, []fhir.Issue, error) {
	p, err := packages.ReadFile(c.File, packages.Limits{File: packageFile, Unpacked: 4 * packageFile, Archive: packageFile, Nodes: 16_000_000})
	if err != nil {
		return nil, nil, err
	}
	n, ok := p.Resolve("CodeSystem", canonical(c.System, c.Version))
	if !ok {
		return nil, nil, fmt.Errorf("there is no CodeSystem %s in %s", canonical(c.System, c.Version), c.File)
	}
	if content := n.Get("content").Text(); content != "complete" {
		return nil, nil, fmt.Errorf("the CodeSystem %s in %s has not all codes: its content is %q", canonical(c.System, c.Version), c.File, content)
	}
	return terminology.Read(n, terminology.Limits{})
}
