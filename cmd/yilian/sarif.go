package main

import (
	"bytes"
	"path/filepath"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
)

// A SARIF log, as far as it is needed here:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifDocument struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId,omitempty"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// sarifLog gathers findings of all files.
type sarifLog struct {
	results []sarifResult
	rules   []sarifRule
	known   map[string]bool
}

var sarifLevels = map[fhir.Severity]string{
	fhir.Fatal: "error", fhir.Error: "error", fhir.Warning: "warning", fhir.Information: "note",
}

// add takes the findings about one resource, whose text it needs for columns in characters.
func (l *sarifLog) add(j judgement, text []byte) {
	lines := bytes.Split(text, []byte("\n"))
	for _, i := range j.findings {
		r := sarifResult{RuleID: i.ID, Level: sarifLevels[i.Severity], Message: sarifText{i.Text}}
		place := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{filepath.ToSlash(j.File)}}}
		if i.Line > 0 {
			place.Physical.Region = &sarifRegion{StartLine: i.Line, StartColumn: characters(lines, i.Line-j.Line, i.Column)}
		}
		if i.Expression != "" {
			place.Logical = []sarifLogical{{i.Expression}}
		}
		r.Locations = []sarifLocation{place}
		l.results = append(l.results, r)
		if !l.known[i.ID] && i.ID != "" {
			if l.known == nil {
				l.known = map[string]bool{}
			}
			l.known[i.ID] = true
			l.rules = append(l.rules, sarifRule{i.ID})
		}
	}
}

// characters turns a column in bytes into one in characters.
func characters(lines [][]byte, line, column int) int {
	if line < 0 || line >= len(lines) || column < 1 || column-1 > len(lines[line]) {
		return column
	}
	return utf8.RuneCount(lines[line][:column-1]) + 1
}

func (l *sarifLog) document() sarifDocument {
	if l.results == nil {
		l.results = []sarifResult{}
	}
	if l.rules == nil {
		l.rules = []sarifRule{}
	}
	return sarifDocument{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{Name: "yilian", InformationURI: "https://yilian.dev", Rules: l.rules}},
			ColumnKind: "unicodeCodePoints", Results: l.results,
		}},
	}
}
