package survey

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/codes"
)

// Candidates is how many codes are named that an unknown one may mean.
const Candidates = 3

// Survey is what a corpus says about the maps of an institution.
type Survey struct {
	Records    int // mapped or refused
	Rejected   int // refused by their map
	Unreadable int // that were no records
	Values     int // present in the records
	Read       int // of them, those that a rule read
	Unused     []string
	Never      []Element
	Unmapped   []Code
	Failing    []Failure
	Unread     []Field
	Dropped    int // kinds of things beyond what is counted one by one
}

// Element is one that a rule could have filled and never did.
type Element struct {
	Map, Rule, Element string
	Fields             []string // that it would read
	Tried              int      // how often there was something to make it for
	Off                int      // of these, how often its condition did not hold
	Mandatory          bool
	File               string // where the rule stands
	Line               int
}

// Code is a value that a code table does not have.
type Code struct {
	Table, Code string
	Text        string // printed beside it
	Count       int
	Candidates  []Candidate
}

// Candidate is a row of the same table, or a code of a standard, that the code may mean.
type Candidate struct {
	Code, Display string
	Target        codes.Coding
	From          string // table it stands in
}

// Failure is a kind of finding at one place of one rule.
type Failure struct {
	mapping.IssueKind
	Count int
}

// Field is a local field that no rule reads.
type Field struct {
	Name  string
	Count int
}

// Add counts what became of a record. One that no map is for has been refused.
func Add(total *mapping.Coverage, got *mapping.Result) {
	if got.Coverage != nil {
		total.Merge(got.Coverage)
		return
	}
	one := &mapping.Coverage{Records: 1, Issues: map[mapping.IssueKind]int{}}
	if got.Rejected() {
		one.Rejected = 1
	}
	for _, i := range got.Issues {
		one.Issues[mapping.IssueKind{ID: i.ID, Severity: i.Severity}]++
	}
	total.Merge(one)
}

// Of sums up. unreadable are the runs of bytes that were no records, by the code of what was wrong with them.
func Of(inst *mapping.Institution, c *mapping.Coverage, unreadable map[string]int) *Survey {
	s := &Survey{Records: c.Records, Rejected: c.Rejected, Values: c.Fields, Read: c.Read, Dropped: c.Dropped}
	for code, n := range unreadable {
		s.Unreadable += n
		s.Failing = append(s.Failing, Failure{IssueKind: mapping.IssueKind{ID: "record-" + code, Severity: fhir.Error}, Count: n})
	}
	for _, m := range inst.Maps() {
		switch {
		case c.Maps[m.Name()] > 0:
			s.never(m, c.Fills[m.Name()])
		case !m.Builtin():
			s.Unused = append(s.Unused, m.Name())
		}
	}
	slices.SortStableFunc(s.Never, func(a, b Element) int {
		return cmp.Or(boolFirst(a.Mandatory, b.Mandatory), cmp.Compare(b.Tried, a.Tried))
	})
	tables := map[string]*codes.Table{}
	for _, t := range inst.Tables() {
		tables[t.Name()] = t
	}
	for _, u := range c.UnmappedCodes() {
		s.Unmapped = append(s.Unmapped, Code{Table: u.Table, Code: u.Code, Text: u.Text, Count: c.Unmapped[u], Candidates: candidates(tables, u)})
	}
	for _, k := range c.IssueKinds() {
		s.Failing = append(s.Failing, Failure{IssueKind: k, Count: c.Issues[k]})
	}
	slices.SortStableFunc(s.Failing, func(a, b Failure) int {
		return cmp.Or(boolFirst(severe(a), severe(b)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID))
	})
	for name, n := range c.Unread {
		s.Unread = append(s.Unread, Field{name, n})
	}
	slices.SortFunc(s.Unread, func(a, b Field) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return s
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func severe(f Failure) bool { return f.Severity == fhir.Error || f.Severity == fhir.Fatal }

// never lists the elements of a map that no rule ever filled. Where an element has several rules, one that fills it is
// enough; of an object that never came to be, its elements are not told of one by one.
func (s *Survey) never(m *mapping.Map, fills []mapping.Fill) {
	type place struct{ rule, element string }
	filled := map[place]bool{}
	fields := m.Fields()
	for i, f := range fields {
		if i < len(fills) && fills[i].Filled > 0 {
			filled[place{f.Rule, f.Element}] = true
		}
	}
	told := map[place]int{} // its place in s.Never
	for i, f := range fields {
		at := place{f.Rule, f.Element}
		if filled[at] || i >= len(fills) || fills[i].Tried == 0 { // of an object that another rule makes
			continue
		}
		if f.Parent >= 0 && !filled[place{f.Rule, fields[f.Parent].Element}] {
			continue
		}
		fill := fills[i]
		k, known := told[at]
		if !known {
			k = len(s.Never)
			told[at] = k
			s.Never = append(s.Never, Element{Map: m.Name(), Rule: f.Rule, Element: f.Element, Mandatory: f.Mandatory, File: f.File, Line: f.Line})
		}
		e := &s.Never[k]
		e.Tried = max(e.Tried, fill.Tried)
		e.Off = max(e.Off, fill.Off)
		for k := i; k < len(fields); k++ { // what an object reads its elements read
			if k > i && !stands(fields, k, i) {
				break
			}
			for _, r := range fields[k].Reads {
				if r.Field != "" && !slices.Contains(e.Fields, r.Field) {
					e.Fields = append(e.Fields, r.Field)
				}
			}
		}
	}
}

// stands reports whether a field stands in another.
func stands(fields []mapping.Field, i, in int) bool {
	for i > in {
		i = fields[i].Parent
	}
	return i == in
}

// candidates are the rows that a code may mean: those of its own table that look like it or its text, then the names that
// laboratories print, for a table whose codes are LOINC's.
func candidates(tables map[string]*codes.Table, u mapping.UnmappedCode) []Candidate {
	own := tables[u.Table]
	if own == nil {
		own, _ = codes.Builtin(u.Table)
	}
	type near struct {
		Candidate
		distance int
	}
	var found []near
	add := func(t *codes.Table, text string) {
		if t == nil || strings.TrimSpace(text) == "" {
			return
		}
		for _, c := range t.Nearest(text, Candidates) {
			found = append(found, near{Candidate{Code: c.Entry.Code, Display: c.Entry.Display, Target: c.Entry.Target, From: t.Name()}, c.Distance})
		}
	}
	add(own, u.Text)
	add(standardOf(own), u.Text)
	add(own, u.Code)
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var out []Candidate
	for _, c := range found {
		same := func(o Candidate) bool {
			return o.Code == c.Code && o.From == c.From || o.Target == c.Target && o.Target.Code != ""
		}
		switch {
		case len(out) == Candidates, c.distance > 0 && found[0].distance == 0: // what is the same needs no others beside it
			return out
		case !slices.ContainsFunc(out, same):
			out = append(out, c.Candidate)
		}
	}
	return out
}

// standardOf returns the built-in table of the names of what a table's targets are, nil when there is none.
func standardOf(t *codes.Table) *codes.Table {
	if t == nil {
		return nil
	}
	systems := map[string]int{}
	for _, e := range t.Entries() {
		systems[e.Target.System]++
	}
	names := map[string]string{"http://loinc.org": "lab-names"}
	for _, system := range slices.Sorted(maps.Keys(systems)) {
		if name := names[system]; name != "" && name != t.Name() {
			found, _ := codes.Builtin(name)
			return found
		}
	}
	return nil
}
