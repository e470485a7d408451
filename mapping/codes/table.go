package codes

import (
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// Coding is one code of one code system.
type Coding struct {
	System  string
	Code    string
	Display string
}

// IsZero reports whether c says nothing.
func (c Coding) IsZero() bool { return c.System == "" && c.Code == "" }

// Entry is one row of a table.
type Entry struct {
	Code        string
	Display     string
	Aliases     []string
	Target      Coding // zero when Equivalence is unmatched
	Equivalence string
	Preferred   bool
	Deprecated  bool
	Comment     string
	Line        int // in the CSV
}

// Policy says what becomes of a code that the table does not have.
type Policy uint8

// The policies.
const (
	Keep    Policy = iota // keep the local coding, and say that it has no translation
	Reject                // the record cannot be mapped
	Default               // use the table's default
)

func (p Policy) String() string { return [...]string{"keep", "reject", "default"}[p] }

// Match says how a code was found.
type Match uint8

// The ways, from none to the best.
const (
	NoMatch   Match = iota
	ByDefault       // not found, the table's default stands in
	ByAlias         // under one of its aliases, or its display
	ByFold          // after folding width, case and spaces
	Exact
)

// Translation is what a table says about one code.
type Translation struct {
	Source      Coding // the institution's own coding: canonical when found, otherwise the code as written
	Target      Coding // zero when there is none
	Equivalence string
	Match       Match
	Policy      Policy // of the table, for a code that was not found
}

// Mapped reports whether there is a target.
func (t Translation) Mapped() bool { return t.Target.Code != "" }

// Found reports whether the table has the code, be it without a target.
func (t Translation) Found() bool { return t.Match > ByDefault }

// Table translates the codes of one institution, or of one standard, into another code system.
type Table struct {
	name        string
	title       string
	description string
	source      string // URI of the codes' own system
	version     string
	hash        string
	unmapped    Policy
	fallback    Coding
	entries     []Entry
	exact       map[string]int32
	folded      map[string]folded
	reverse     map[target]int32
}

// folded is an entry found under a folded spelling; at is negative when several codes claim the spelling.
type folded struct {
	at    int32
	match Match
}

type target struct{ system, code string }

const ambiguous = -1

// Name returns the table's name, that of its file without .csv.
func (t *Table) Name() string { return t.name }

// Title returns the table's title, or its name.
func (t *Table) Title() string { return t.title }

// Source returns the URI of the code system of the table's own codes.
func (t *Table) Source() string { return t.source }

// Version returns the declared version, or else the first digits of the hash.
func (t *Table) Version() string { return t.version }

// Hash returns the SHA-256 of the table's file in hex.
func (t *Table) Hash() string { return t.hash }

// Unmapped returns the policy for a code that the table does not have, and the coding of the policy Default.
func (t *Table) Unmapped() (Policy, Coding) { return t.unmapped, t.fallback }

// Len returns the number of codes.
func (t *Table) Len() int { return len(t.entries) }

// Entries returns the rows in the order of the file. The caller must not change them.
func (t *Table) Entries() []Entry { return t.entries }

// WithUnmapped returns the same table with another policy. The fallback is for the policy Default only.
func (t *Table) WithUnmapped(p Policy, fallback Coding) *Table {
	c := *t
	c.unmapped, c.fallback = p, fallback
	if p != Default {
		c.fallback = Coding{}
	}
	return &c
}

// Translate looks the code up: as written, then folded, then among the aliases and displays. Codes that differ only in
// their folding are found as written only. An empty code gives the zero Translation.
func (t *Table) Translate(code string) Translation {
	i, m := t.find(code)
	if m == NoMatch {
		code = fold.Text(code)
		if code == "" {
			return Translation{}
		}
		tr := Translation{Source: Coding{System: t.source, Code: code}, Policy: t.unmapped}
		if t.unmapped == Default {
			tr.Target, tr.Match, tr.Equivalence = t.fallback, ByDefault, "inexact"
		}
		return tr
	}
	e := &t.entries[i]
	return Translation{
		Source:      Coding{System: t.source, Code: e.Code, Display: e.Display},
		Target:      e.Target,
		Equivalence: e.Equivalence,
		Match:       m,
		Policy:      t.unmapped,
	}
}

// Lookup returns the row of a code, found as Translate finds it.
func (t *Table) Lookup(code string) (Entry, bool) {
	i, m := t.find(code)
	if m == NoMatch {
		return Entry{}, false
	}
	return t.entries[i], true
}

func (t *Table) find(code string) (int32, Match) {
	if i, ok := t.exact[code]; ok {
		return i, Exact
	}
	if trimmed := strings.TrimSpace(code); trimmed != code {
		if i, ok := t.exact[trimmed]; ok {
			return i, ByFold
		}
	}
	if f, ok := t.folded[fold.Key(code)]; ok && f.at >= 0 {
		return f.at, f.match
	}
	return 0, NoMatch
}

// Reverse translates a standard code back. With several codes for one target it answers the preferred one, or else the only
// one that is equal or equivalent and not deprecated; it reports false when that leaves a choice. An empty system means any.
func (t *Table) Reverse(system, code string) (Coding, bool) {
	i, ok := t.reverse[target{system, code}]
	if !ok || i == ambiguous {
		return Coding{}, false
	}
	e := &t.entries[i]
	return Coding{System: t.source, Code: e.Code, Display: e.Display}, true
}

// index builds the lookups. Exact spellings are unique by then.
func (t *Table) index() {
	t.exact = make(map[string]int32, len(t.entries))
	t.folded = make(map[string]folded, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		t.exact[e.Code] = int32(i)
		t.claim(e.Code, int32(i), ByFold)
	}
	for i := range t.entries {
		for _, a := range t.entries[i].Aliases {
			if _, taken := t.exact[a]; !taken {
				t.claim(a, int32(i), ByAlias)
			}
		}
	}
	// A display helps when a field holds the name in place of the code, but never against a code or an alias.
	displays := map[string]folded{}
	for i := range t.entries {
		if d := fold.Key(t.entries[i].Display); d != "" {
			if prior, ok := displays[d]; ok && prior.at != int32(i) {
				displays[d] = folded{ambiguous, ByAlias}
			} else {
				displays[d] = folded{int32(i), ByAlias}
			}
		}
	}
	for d, f := range displays {
		if _, taken := t.folded[d]; !taken {
			t.folded[d] = f
		}
	}
	t.indexReverse()
}

func (t *Table) claim(spelling string, i int32, m Match) {
	key := fold.Key(spelling)
	if prior, ok := t.folded[key]; ok && prior.at != i {
		if prior.match > m {
			return // a code is stronger than an alias
		}
		t.folded[key] = folded{ambiguous, m}
		return
	} else if ok {
		return
	}
	t.folded[key] = folded{i, m}
}

func (t *Table) indexReverse() {
	t.reverse = make(map[target]int32)
	rank := make(map[target]int)
	for i := range t.entries {
		e := &t.entries[i]
		if e.Target.Code == "" {
			continue
		}
		r := 1
		switch {
		case e.Preferred:
			r = 3
		case !e.Deprecated && (e.Equivalence == "equivalent" || e.Equivalence == "equal"):
			r = 2
		}
		for _, k := range [...]target{{e.Target.System, e.Target.Code}, {"", e.Target.Code}} {
			switch {
			case r > rank[k]:
				rank[k], t.reverse[k] = r, int32(i)
			case r == rank[k]:
				t.reverse[k] = ambiguous
			}
		}
	}
}
