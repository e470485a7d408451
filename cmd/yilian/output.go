package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/yilian/yilian/conformance/fhir"
)

// output is where a command reads from and writes to.
type output struct {
	in   io.Reader
	out  io.Writer // results
	err  io.Writer // what is told about them
	json bool
}

// print writes one JSON value and a line end.
func (o *output) print(v any) error {
	encoder := json.NewEncoder(o.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// open opens a file named on the command line, "-" being standard input.
func (o *output) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(o.in), nil
	}
	return os.Open(name)
}

// shown is how a file is called in what is printed.
func shown(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// tally counts findings, to tell them in one line and decide the exit code.
type tally struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

func (t *tally) add(issues []fhir.Issue) {
	for _, i := range issues {
		switch i.Severity {
		case fhir.Error, fhir.Fatal:
			t.Errors++
		case fhir.Warning:
			t.Warnings++
		}
	}
}

func (t tally) String() string { return count(t.Errors, "error") + ", " + count(t.Warnings, "warning") }

// result is the error to end a command with.
func (t tally) result() error {
	if t.Errors > 0 {
		return errFindings
	}
	return nil
}

// count writes a number with its noun: "no errors", "1 error", "2 errors".
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// issuesOf makes an empty list of no issues: --json prints lists, never null.
func issuesOf(list []fhir.Issue) []fhir.Issue {
	if list == nil {
		return []fhir.Issue{}
	}
	return list
}
