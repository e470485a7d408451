package mapping

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/record"
)

// MaxCoverageKinds bounds how many different fields, codes and kinds of issue a Coverage tells apart, each. What comes
// beyond is counted in Dropped.
const MaxCoverageKinds = 20_000

// MaxCoverageText bounds the characters of a code and of the text beside it in a Coverage.
const MaxCoverageText = 100

// Coverage tells what of records no rule used, what of resources no rule made, and what went wrong how often. Merge sums it
// over many records. Codes and texts are those of the record: they are for whoever mends the map, never for a log.
type Coverage struct {
	Records  int
	Rejected int            // of them, those with an error: nothing of them may be written
	Maps     map[string]int // name of the map → records it read
	Fields   int            // values present
	Read     int            // of them, those that a rule read
	Unread   map[string]int // field without its position, "PID-5.7" or "LIS_BGXM.JCFF" → how often present and unread
	Unfilled map[string]int // mandatory element, "Observation.status" → how often no rule filled it
	// Fills says for each map, by its name, what became of its rules: Fills[name][i] is that of Map.Fields()[i].
	Fills    map[string][]Fill
	Unmapped map[UnmappedCode]int // how many values of the records had a code that a table does not have
	Issues   map[IssueKind]int    // how often; an issue that a record has several times at one place counts once
	Dropped  int                  // kinds of fields, codes and issues beyond MaxCoverageKinds, each time they came
}

// Fill counts what became of one rule of a map.
type Fill struct {
	Tried  int // how often there was something to make it for: a record, a repetition, the object around it
	Off    int // of these, how often its condition did not hold
	Filled int // of these, how often it gave a value
}

// UnmappedCode is a code that a table does not have. Codes that it has without a target are none.
type UnmappedCode struct {
	Table string
	Code  string
	Text  string // what stood printed beside it, "" for nothing
}

// IssueKind is what issues of one kind have in common.
type IssueKind struct {
	ID       string // "code-unmapped"
	Severity fhir.Severity
	Map      string
	Rule     string // resource rule; "" for what is read before any rule and for findings of the reader
	Element  string // "Observation.code", "" where it is about no element
	Field    string // without its position: "PID-5.7"; "" where it is about no field
}

// Merge adds o to c.
func (c *Coverage) Merge(o *Coverage) {
	if o == nil {
		return
	}
	c.Records += o.Records
	c.Rejected += o.Rejected
	c.Fields += o.Fields
	c.Read += o.Read
	c.Dropped += o.Dropped + sum(&c.Maps, o.Maps) + sum(&c.Unread, o.Unread) + sum(&c.Unfilled, o.Unfilled) +
		sum(&c.Unmapped, o.Unmapped) + sum(&c.Issues, o.Issues)
	if c.Fills == nil && o.Fills != nil {
		c.Fills = map[string][]Fill{}
	}
	for name, fills := range o.Fills {
		have := c.Fills[name]
		for len(have) < len(fills) {
			have = append(have, Fill{})
		}
		for i, f := range fills {
			have[i].Tried += f.Tried
			have[i].Off += f.Off
			have[i].Filled += f.Filled
		}
		c.Fills[name] = have
	}
}

// sum adds counts and returns those that there was no room for.
func sum[K comparable](to *map[K]int, from map[K]int) (dropped int) {
	if *to == nil {
		*to = map[K]int{}
	}
	for k, n := range from {
		if _, known := (*to)[k]; !known && len(*to) >= MaxCoverageKinds {
			dropped += n
			continue
		}
		(*to)[k] += n
	}
	return dropped
}

// UnreadFields are the keys of Unread in alphabetical order.
func (c *Coverage) UnreadFields() []string { return slices.Sorted(maps.Keys(c.Unread)) }

// UnfilledElements are the keys of Unfilled in alphabetical order.
func (c *Coverage) UnfilledElements() []string { return slices.Sorted(maps.Keys(c.Unfilled)) }

// UnmappedCodes are the keys of Unmapped, the most frequent first.
func (c *Coverage) UnmappedCodes() []UnmappedCode {
	return slices.SortedFunc(maps.Keys(c.Unmapped), func(a, b UnmappedCode) int {
		return cmp.Or(cmp.Compare(c.Unmapped[b], c.Unmapped[a]), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
}

// IssueKinds are the keys of Issues, the most frequent first.
func (c *Coverage) IssueKinds() []IssueKind {
	return slices.SortedFunc(maps.Keys(c.Issues), func(a, b IssueKind) int {
		return cmp.Or(cmp.Compare(c.Issues[b], c.Issues[a]), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Map, b.Map),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Element, b.Element), cmp.Compare(a.Field, b.Field))
	})
}

// covering is what a run notes for its Coverage.
type covering struct {
	read     map[*record.Node]bool
	fills    []Fill // of the map's rules
	unfilled map[string]int
	unmapped map[UnmappedCode]int
	seen     map[seenCode]bool // a value counts once, however many elements it makes
	issues   map[IssueKind]int
	dropped  int
}

type seenCode struct {
	table string
	at    *record.Node
	code  string // of a computed value
}

func newCovering(m *Map) *covering {
	return &covering{read: map[*record.Node]bool{}, fills: make([]Fill, len(m.fields)), unfilled: map[string]int{},
		unmapped: map[UnmappedCode]int{}, seen: map[seenCode]bool{}, issues: map[IssueKind]int{}}
}

// fill notes what became of one run of a rule.
func (c *covering) fill(field int, filled, off bool) {
	f := &c.fills[field]
	f.Tried++
	switch {
	case filled:
		f.Filled++
	case off:
		f.Off++
	}
}

func (r *run) noteUnfilled(element string) {
	if r.covered != nil {
		r.covered.unfilled[element]++
	}
}

// noteUnmapped counts a code that a table does not have.
func (r *run) noteUnmapped(table string, tr codes.Translation, printed string, at *record.Node) {
	c := r.covered
	if c == nil || tr.Found() || tr.Source.Code == "" {
		return
	}
	seen := seenCode{table: table, at: at}
	if at == nil {
		seen.code = tr.Source.Code
	}
	if c.seen[seen] {
		return
	}
	if len(c.seen) >= MaxCoverageKinds {
		c.dropped++
		return
	}
	c.seen[seen] = true
	if printed == tr.Source.Code {
		printed = ""
	}
	c.unmapped[UnmappedCode{Table: table, Code: short(tr.Source.Code), Text: short(printed)}]++
}

func short(s string) string {
	if utf8.RuneCountInString(s) <= MaxCoverageText {
		return s
	}
	return string([]rune(s)[:MaxCoverageText])
}

// noteIssue counts an issue of a rule.
func (r *run) noteIssue(i *fhir.Issue, rule string) {
	c := r.covered
	if c == nil {
		return
	}
	kind := IssueKind{ID: i.ID, Severity: i.Severity, Map: r.m.name, Rule: rule, Element: i.Expression, Field: withoutNumbers(i.Origin)}
	if _, known := c.issues[kind]; !known && len(c.issues) >= MaxCoverageKinds {
		c.dropped++
		return
	}
	c.issues[kind]++
}

// cover counts what the record has and no rule read. A value counts as read when it or what it is part of was.
func (r *run) cover() {
	x := r.covered
	for i := range r.rec.Issues {
		r.noteIssue(&r.rec.Issues[i], "")
	}
	c := &Coverage{Records: 1, Maps: map[string]int{r.m.name: 1}, Unread: map[string]int{}, Unfilled: x.unfilled,
		Fills: map[string][]Fill{r.m.name: x.fills}, Unmapped: x.unmapped, Issues: x.issues, Dropped: x.dropped}
	if r.res.Rejected() {
		c.Rejected = 1
	}
	var walk func(n *record.Node, read bool)
	walk = func(n *record.Node, read bool) {
		read = read || x.read[n]
		if n.Kind() == record.Leaf {
			if n.State() != record.Present || strings.TrimSpace(n.Text()) == "" {
				return
			}
			c.Fields++
			if read {
				c.Read++
				return
			}
			name := withoutNumbers(n.Origin().Path)
			if _, known := c.Unread[name]; !known && len(c.Unread) >= MaxCoverageKinds {
				c.Dropped++
				return
			}
			c.Unread[name]++
			return
		}
		for _, k := range n.Kids() {
			walk(k, read)
		}
	}
	walk(r.rec.Root, false)
	r.res.Coverage = c
}

// withoutNumbers takes the numbers of repetitions and rows out of the place of a value: PID-5.7, LIS_BGXM.JCFF,
// results.unit.
func withoutNumbers(place string) string {
	if strings.IndexByte(place, '[') < 0 {
		return place
	}
	var b strings.Builder
	for {
		open := strings.IndexByte(place, '[')
		if open < 0 {
			break
		}
		b.WriteString(place[:open])
		end := strings.IndexByte(place[open:], ']')
		if end < 0 {
			place = place[open:]
			break
		}
		place = place[open+end+1:]
	}
	b.WriteString(place)
	return b.String()
}
