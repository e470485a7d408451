package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

type validateCommand struct {
	Outcome bool     `help:"Print an OperationOutcome for each resource, one a line."`
	Files   []string `arg:"" name:"file" help:"FHIR JSON; one resource a line in *.ndjson; - for standard input."`
}

func (validateCommand) Help() string {
	return `Checks names, cardinality, formats, required bindings, references, extensions and narratives against FHIR R4 (4.0.1).
Findings are lines "file:line:column: severity: text at path [message id]"; they never quote values.

Exit code 1 when there is an error or a file cannot be read; warnings alone give 0.

With --json one object a line for each resource: file; line where it begins; type; issues, each with severity, code, id,
expression, line, column (in bytes), text.`
}

// judgement is what was found about one resource.
type judgement struct {
	File   string       `json:"file"`
	Line   int          `json:"line"`
	Type   string       `json:"type,omitempty"`
	Issues []fhir.Issue `json:"issues"`

	findings []fhir.Issue
}

func (c validateCommand) Run(out *output) error {
	if c.Outcome && out.json {
		return usageError{errors.New("--json and --outcome exclude each other")}
	}
	v := validate.New(definitions.R4(), validate.Options{})
	var total tally
	resources, unread := 0, 0
	for _, name := range c.Files {
		err := eachResource(out, name, func(text []byte, file string, line int) error {
			j := judge(v, text, file, line)
			resources++
			total.add(j.findings)
			return c.print(out, j)
		})
		if err != nil {
			fmt.Fprintln(out.err, "yilian:", err)
			unread++
		}
	}
	if !out.json && !c.Outcome {
		fmt.Fprintf(out.err, "%s: %s\n", count(resources, "resource"), total)
	}
	if unread > 0 {
		return errFindings
	}
	return total.result()
}

func (c validateCommand) print(out *output, j judgement) error {
	switch {
	case out.json:
		return out.print(j)
	case c.Outcome:
		_, err := out.out.Write(append(fhir.Outcome(j.File, j.findings).AppendJSON(nil), '\n'))
		return err
	}
	for _, i := range j.findings {
		if _, err := fmt.Fprintln(out.out, issueLine(j.File, i)); err != nil {
			return err
		}
	}
	return nil
}

// eachResource calls f for each resource of a file, with the line it begins on.
func eachResource(out *output, name string, f func(text []byte, file string, line int) error) error {
	r, err := out.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	name = shown(name)
	if filepath.Ext(name) != ".ndjson" {
		text, err := io.ReadAll(io.LimitReader(r, fhir.DefaultMaxBytes+1)) // one more, so that Parse refuses it
		if err != nil {
			return err
		}
		return f(text, name, 1)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, fhir.DefaultMaxBytes)
	line := 0
	for lines.Scan() {
		line++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := f(lines.Bytes(), name, line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	return nil
}

func judge(v *validate.Validator, text []byte, file string, line int) judgement {
	j := judgement{File: file, Line: line}
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		j.findings = []fhir.Issue{syntaxIssue(err)}
	} else {
		j.Type = n.ResourceType()
		j.findings = v.Resource(n)
	}
	for i := range j.findings {
		if j.findings[i].Line > 0 {
			j.findings[i].Line += line - 1
		}
	}
	j.Issues = issuesOf(j.findings)
	return j
}

func syntaxIssue(err error) fhir.Issue {
	i := fhir.Issue{Severity: fhir.Fatal, Code: fhir.TypeStructure, ID: "json", Text: err.Error()}
	var syntax *fhir.SyntaxError
	if errors.As(err, &syntax) {
		i.Line, i.Column, i.Text = syntax.Line, syntax.Column, syntax.Reason
		if syntax.Limit {
			i.Code, i.ID = fhir.TypeTooCostly, "too-large"
		}
	}
	return i
}

// issueLine writes a finding as a compiler does, with the file in front.
func issueLine(file string, i fhir.Issue) string {
	if i.Line > 0 {
		return file + ":" + i.String()
	}
	return file + ": " + i.String()
}
