package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
	"github.com/yilian/yilian/mapping/record"
)

type mapRunCommand struct {
	Map      string   `required:"" help:"Folder of the institution: institution.yaml, maps, codes." placeholder:"DIR"`
	Source   string   `help:"Source of institution.yaml that the files come from; default: found by their content and names." placeholder:"NAME"`
	Trace    bool     `help:"Tell for each element which rule made it of which fields."`
	Coverage bool     `help:"Tell which fields no rule read, and which mandatory elements no rule filled."`
	Files    []string `arg:"" name:"file" help:"Records as the institution sends them; several files are one delivery, as the tables of an extract are."`
}

func (mapRunCommand) Help() string {
	return `A dry run: nothing is stored, no server is needed. Prints a Bundle with the resources as a store would hold them after these
records alone: what several records say of one resource is one entry. Ids are those of cases: stable, and no server's. Findings, trace
and coverage go to standard error; findings as "file:line:column: severity: text at element from field [message id]".

Exit code 1 when a record cannot be read, is refused by its map, or becomes FHIR that is not valid.

With --json one object a line for each record instead of the Bundle: file; line; type; control; map and its version; rejected;
resources, each with rule, write (replace, update, merge, reference) and resource as this record alone makes it; issues, as
"yilian validate" has them and with origin, the field; trace, each with resource, rule, element, by and from (path, line,
column). With --coverage a last line: coverage with records, fields and read (numbers of values), unread (field → times) and
unfilled (element → times).`
}

func (c mapRunCommand) Run(ctx context.Context, out *output) error {
	inst, err := loadInstitution(c.Map)
	if err != nil {
		return folderError(out, c.Map, err)
	}
	if _, ok := inst.Source(c.Source); !ok && c.Source != "" {
		return unknownSource(inst, c.Source)
	}
	files, err := readDelivery(out, c.Files)
	if err != nil {
		return err
	}
	r := &mapRun{mapRunCommand: c, output: out, inst: inst, files: files, dry: newDryRun()}
	for cut, err := range inst.Open(c.Source, files, mapping.IntakeLimits{}).Records() {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = r.cut(cut)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

// mapRun is one run of the command.
type mapRun struct {
	mapRunCommand
	*output
	inst     *mapping.Institution
	files    []mapping.File
	dry      *dryRun
	total    tally
	refused  int
	coverage mapping.Coverage
}

// cut maps one record and prints what became of it; bytes that are none are told of, and the rest goes on.
func (r *mapRun) cut(c mapping.Cut) error {
	if c.Record == nil {
		return r.tell(c, &mapping.Result{Issues: []fhir.Issue{syntaxIssueOf(c.Err)}})
	}
	got, err := r.inst.Map(c.Record, mapping.RunOptions{Salt: []byte(maptest.Salt), Received: maptest.Received, Trace: r.Trace, Coverage: r.Coverage})
	if err != nil {
		return err
	}
	if !got.Rejected() {
		got.Issues = append(got.Issues, r.dry.apply(got)...)
	}
	r.coverage.Merge(got.Coverage)
	return r.tell(c, got)
}

func (r *mapRun) tell(c mapping.Cut, got *mapping.Result) error {
	r.total.add(got.Issues)
	if got.Rejected() {
		r.refused++
	}
	if r.json {
		return r.print(mappedOf(r.files[c.File].Name, c, got))
	}
	for _, i := range got.Issues {
		if i.Line == 0 && c.Line > 0 {
			i.Line, i.Column = c.Line, 1
		}
		fmt.Fprintln(r.err, issueLine(r.fileOf(c, i), i))
	}
	if r.Trace {
		printTrace(r.err, got)
	}
	return nil
}

// fileOf names the file that an issue's place is in, and the sheet of a workbook: that of the joined row, or the record's.
func (r *mapRun) fileOf(c mapping.Cut, i fhir.Issue) string {
	if c.Err != nil && c.Err.File != "" {
		return withSheet(c.Err.File, c.Place)
	}
	if c.Record != nil {
		for _, p := range c.Record.Parts {
			if p.Path != "" && (i.Origin == p.Path || strings.HasPrefix(i.Origin, p.Path+".")) {
				return withSheet(p.File, p.Place)
			}
		}
	}
	return withSheet(r.files[c.File].Name, c.Place)
}

// withSheet adds the sheet of a row's place to the name of its workbook.
func withSheet(file, place string) string {
	if i := strings.LastIndexByte(place, '!'); i > 0 {
		return file + ":" + place[:i]
	}
	return file
}

func syntaxIssueOf(e *record.SyntaxError) fhir.Issue {
	return fhir.Issue{Severity: fhir.Error, Code: fhir.TypeStructure, ID: "record-" + e.Code, Origin: e.Path,
		Line: e.Line, Column: e.Column, Text: e.Reason}
}

func (r *mapRun) end() error {
	switch {
	case !r.json:
		if _, err := r.out.Write(append(r.dry.bundle().AppendIndent(nil), '\n')); err != nil {
			return err
		}
		if r.Coverage {
			printCoverage(r.err, &r.coverage)
		}
		fmt.Fprintf(r.err, "%s, %d refused: %s\n", count(len(r.dry.order), "resource"), r.refused, r.total)
	case r.Coverage:
		if err := r.print(coverageOf(&r.coverage)); err != nil {
			return err
		}
	}
	return r.total.result()
}
