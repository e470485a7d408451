package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
)

// mapped is what "map run --json" prints of one record.
type mapped struct {
	File      string           `json:"file"`
	Line      int              `json:"line,omitempty"`
	Type      string           `json:"type,omitempty"`
	Control   string           `json:"control,omitempty"`
	Map       string           `json:"map,omitempty"`
	Version   string           `json:"version,omitempty"`
	Rejected  bool             `json:"rejected"`
	Resources []mappedResource `json:"resources"`
	Issues    []fhir.Issue     `json:"issues"`
	Trace     []traceStep      `json:"trace,omitempty"`
}

type mappedResource struct {
	Rule     string     `json:"rule"`
	Write    string     `json:"write"`
	Resource *fhir.Node `json:"resource"`
}

type traceStep struct {
	Resource string  `json:"resource"`
	Rule     string  `json:"rule"`
	Element  string  `json:"element"`
	By       string  `json:"by,omitempty"`
	From     []place `json:"from"`
}

type place struct {
	Path   string `json:"path"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type coverageReport struct {
	Coverage struct {
		Records  int            `json:"records"`
		Fields   int            `json:"fields"`
		Read     int            `json:"read"`
		Unread   map[string]int `json:"unread"`
		Unfilled map[string]int `json:"unfilled"`
	} `json:"coverage"`
}

func mappedOf(file string, c mapping.Cut, got *mapping.Result) mapped {
	m := mapped{
		File: file, Line: c.Line, Map: got.Map, Version: got.Version, Rejected: got.Rejected(),
		Resources: []mappedResource{}, Issues: issuesOf(got.Issues),
	}
	if c.Record != nil {
		m.Type, m.Control = c.Record.Type, c.Record.Control
	}
	for _, res := range got.Resources {
		m.Resources = append(m.Resources, mappedResource{Rule: res.Rule, Write: res.Write.String(), Resource: res.Tree})
	}
	for _, s := range got.Trace {
		step := traceStep{Resource: s.Resource, Rule: s.Rule, Element: s.Element, By: s.By, From: []place{}}
		for _, from := range s.From {
			step.From = append(step.From, place{Path: from.Path, Line: from.Line, Column: from.Column})
		}
		m.Trace = append(m.Trace, step)
	}
	return m
}

func coverageOf(c *mapping.Coverage) coverageReport {
	var r coverageReport
	r.Coverage.Records, r.Coverage.Fields, r.Coverage.Read = c.Records, c.Fields, c.Read
	r.Coverage.Unread, r.Coverage.Unfilled = map[string]int{}, map[string]int{}
	maps.Copy(r.Coverage.Unread, c.Unread)
	maps.Copy(r.Coverage.Unfilled, c.Unfilled)
	return r
}

// printTrace writes element ← what made it ← fields, resource by resource.
func printTrace(w io.Writer, got *mapping.Result) {
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	resource := ""
	for _, s := range got.Trace {
		if s.Resource != resource {
			resource = s.Resource
			table.Flush()
			fmt.Fprintf(w, "%s, rule %s of map %s\n", s.Resource, s.Rule, got.Map)
		}
		from := make([]string, len(s.From))
		for i, origin := range s.From {
			from[i] = fmt.Sprintf("%s (%d:%d)", origin.Path, origin.Line, origin.Column)
		}
		fmt.Fprintf(table, "  %s\t", s.Element)
		if s.By != "" {
			fmt.Fprintf(table, "← %s\t", s.By)
		}
		if len(from) > 0 {
			fmt.Fprintf(table, "← %s", strings.Join(slices.Compact(from), ", "))
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

func printCoverage(w io.Writer, c *mapping.Coverage) {
	fmt.Fprintf(w, "coverage: %s, %d of %d values read\n", count(c.Records, "record"), c.Read, c.Fields)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(c.Unread) > 0 {
		fmt.Fprintln(table, "fields that no rule read, and how often they had a value:")
	}
	for _, field := range c.UnreadFields() {
		fmt.Fprintf(table, "  %s\t%d\n", field, c.Unread[field])
	}
	table.Flush()
	if len(c.Unfilled) > 0 {
		fmt.Fprintln(table, "mandatory elements that no rule filled, and how often:")
	}
	for _, element := range c.UnfilledElements() {
		fmt.Fprintf(table, "  %s\t%d\n", element, c.Unfilled[element])
	}
	table.Flush()
}
