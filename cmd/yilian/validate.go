package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
)

type validateCommand struct {
	Profile      []string `sep:"none" placeholder:"URL" help:"Canonical URL of a profile that every resource must conform to; may be repeated."`
	Package      []string `sep:"none" placeholder:"TGZ" help:"FHIR package with profiles, extensions and value sets; may be repeated. What it depends on is looked for in ~/.fhir/packages."`
	Format       string   `enum:"text,json,sarif,outcome," default:"" placeholder:"FORMAT" help:"text, json, sarif (2.1.0) or outcome; text unless --json is given."`
	Lang         string   `enum:"en,zh" default:"en" placeholder:"LANG" help:"Language of the findings: en or zh."`
	Quick        bool     `help:"Check only shape: names, cardinality, formats, required bindings, references, narratives."`
	BestPractice bool     `help:"Also warn of what is only recommended."`
	Outcome      bool     `help:"The same as --format outcome."`
	Files        []string `arg:"" name:"file" help:"FHIR as JSON or XML; one resource a line in *.ndjson; - for standard input."`
}

func (validateCommand) Help() string {
	return `Checks resources against FHIR R4 (4.0.1): names, cardinality, formats, invariants, bindings, references, bundles, extensions,
narratives, answers to questionnaires, and the profiles that they claim or that --profile names. The profiles of the alliance's
guide ("yilian ig list") are known without a package; a package that defines one of them comes first.
Findings are lines "file:line:column: severity: text at path [message id]"; they never quote values.

Exit code 1 when there is an error or a file cannot be read; warnings alone give 0.

With --json (or --format json) one object a line for each resource: file; line where it begins; type; issues, each with
severity, code, id, expression, line, column (in bytes), text. With --format outcome one OperationOutcome a line for each
resource, with --format sarif one SARIF log at the end.`
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
	if c.Format != "" && (out.json && c.Format != "json" || c.Outcome && c.Format != "outcome") {
		return usageError{errors.New("--format, --json and --outcome exclude each other")}
	}
	if c.Quick && len(c.Profile) > 0 {
		return usageError{errors.New("--quick and --profile exclude each other")}
	}
	switch {
	case out.json:
		c.Format = "json"
	case c.Outcome:
		c.Format = "outcome"
	case c.Format == "":
		c.Format = "text"
	}
	v, err := c.validator(out)
	if err != nil {
		return err
	}
	var log sarifLog
	var total tally
	resources, unread := 0, 0
	for _, name := range c.Files {
		err := eachResource(out, name, func(text []byte, file string, line int) error {
			j := judge(v, text, file, line)
			resources++
			total.add(j.findings)
			j.translate(c.Lang)
			if c.Format == "sarif" {
				log.add(j, text)
				return nil
			}
			return c.print(out, j)
		})
		if err != nil {
			fmt.Fprintln(out.err, "yilian:", err)
			unread++
		}
	}
	switch c.Format {
	case "text":
		fmt.Fprintf(out.err, "%s: %s\n", count(resources, "resource"), total)
	case "sarif":
		if err := out.print(log.document()); err != nil {
			return err
		}
	}
	if unread > 0 {
		return errFindings
	}
	return total.result()
}

// validator makes the validator that the flags ask for.
func (c validateCommand) validator(out *output) (*validate.Validator, error) {
	options := validate.Options{Thorough: !c.Quick, Profiles: c.Profile, NoBestPractice: !c.BestPractice, Source: ig.Guide()}
	if len(c.Package) > 0 {
		set, err := openPackages(c.Package)
		if err != nil {
			return nil, err
		}
		for _, i := range set.Findings() {
			fmt.Fprintln(out.err, "yilian:", i.String())
		}
		options.Source = withGuide{set}
		options.Standing = validate.Standing(set)
	}
	return validate.New(definitions.R4(), options), nil
}

// withGuide finds what packages define, then what the alliance's guide does.
type withGuide struct{ *packages.Set }

func (s withGuide) Resolve(kind, url string) (*fhir.Node, bool) {
	if n, ok := s.Set.Resolve(kind, url); ok {
		return n, true
	}
	return ig.Guide().Resolve(kind, url)
}

// openPackages reads packages with what they depend on.
func openPackages(names []string) (*packages.Set, error) {
	var roots []*packages.Package
	for _, name := range names {
		p, err := packages.ReadFile(name, packages.Limits{})
		if err != nil {
			return nil, err
		}
		roots = append(roots, p)
	}
	var finder packages.Finder
	if dir, err := packages.DefaultCache(); err == nil {
		finder = packages.NewCache(dir, packages.Limits{})
	}
	return packages.NewSet(roots, finder, packages.R4(), packages.Limits{}), nil
}

func (c validateCommand) print(out *output, j judgement) error {
	switch c.Format {
	case "json":
		return out.print(j)
	case "outcome":
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

// translate puts findings in a language.
func (j *judgement) translate(language string) {
	for i := range j.findings {
		j.findings[i].Text = j.findings[i].In(language)
	}
	j.Issues = issuesOf(j.findings)
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
		if err := f(bytes.Clone(lines.Bytes()), name, line); err != nil { // a tree owns its text, and the scanner writes over its own
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
	n, issues, err := readResource(text)
	j.findings = issues
	switch {
	case err != nil:
		j.findings = append(j.findings, syntaxIssue(err))
	case n != nil:
		j.Type = n.ResourceType()
		j.findings = append(j.findings, v.Resource(n)...)
	}
	for i := range j.findings {
		if j.findings[i].Line > 0 {
			j.findings[i].Line += line - 1
		}
	}
	j.Issues = issuesOf(j.findings)
	return j
}

// readResource reads either form of a resource. What FHIR does not allow in XML is a finding.
func readResource(text []byte) (*fhir.Node, []fhir.Issue, error) {
	start := bytes.TrimLeft(text, "\ufeff \t\r\n")
	if !bytes.HasPrefix(start, []byte("<")) && !bytes.HasPrefix(text, []byte("\xff\xfe")) && !bytes.HasPrefix(text, []byte("\xfe\xff")) {
		n, err := fhir.Parse(text, fhir.Limits{})
		return n, nil, err
	}
	n, issues, err := fhirxml.Parse(slices.Clone(text), fhirxml.Options{})
	return n, issues, err
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
