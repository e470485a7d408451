package ingest

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

// issue makes the one finding that keeps a record from being mapped.
func issue(id, text string) fhir.Issue {
	return fhir.Issue{Severity: fhir.Error, Code: fhir.TypeProcessing, ID: id, Text: text}
}

// syntaxIssue is a reader's error as a finding: the place, never the bytes.
func syntaxIssue(e *record.SyntaxError) fhir.Issue {
	var origin []string
	for _, part := range []string{e.File, e.Path} {
		if part != "" {
			origin = append(origin, part)
		}
	}
	return fhir.Issue{
		Severity: fhir.Error, Code: fhir.TypeStructure, ID: "record-" + e.Code, Origin: strings.Join(origin, ":"),
		Line: e.Line, Column: e.Column, Text: e.Reason,
	}
}

func internalIssue() fhir.Issue {
	return fhir.Issue{
		Severity: fhir.Fatal, Code: fhir.TypeException, ID: "record-failed",
		Text: "the record failed for no reason of its own; see the log, then replay it",
	}
}
