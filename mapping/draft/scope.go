package draft

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/path"
)

// scope is what a rule can stand in: a table's rows, a document, or the items of an array inside it.
type scope struct {
	name   string // of a table, an array, a kind of document
	parent *scope // whose rows it belongs to; of a table set when it is joined to another
	each   string // path from the record's root to its repetitions; "" for the record itself
	step   []string
	kids   []*scope
	rows   int
	kind   kind
	told   kind    // what was answered
	score  float64 // of the kind

	columns []*column
	index   map[string]*column
	cells   [][]string // by row, then as columns; the first rows only

	heading []string // of a table, as written
	order   int
}

// column is a column of a table, or a value of a document.
type column struct {
	scope *scope
	steps []string // names from the scope
	at    int      // among the scope's columns
	profile

	concept   *concept // what it holds; nil: not known
	score     float64
	doubt     bool     // guessed, but to be looked at
	why       string   // by which of its values it was taken for that, where not by its heading
	left      bool     // to be left alone, as was answered
	seems     string   // what it would be taken for without the answer: an answer must not lay a name open
	rivals    []string // what else it could be
	used      bool     // a rule reads it
	key       bool     // a rule's identity reads it
	duplicate bool     // another column of the scope says the same
}

func (c *column) heading() string { return strings.Join(c.steps, ".") }

// is reports whether the column holds that.
func (c *column) is(concept string) bool {
	return c != nil && c.concept != nil && c.concept.name == concept
}

func (s *scope) column(steps []string, lim *budget) *column {
	key := strings.Join(steps, "\x00")
	if c := s.index[key]; c != nil {
		return c
	}
	if !lim.column() {
		return nil
	}
	if s.index == nil {
		s.index = map[string]*column{}
	}
	c := &column{scope: s, steps: slices.Clone(steps), at: len(s.columns)}
	c.values = map[string]int{}
	s.columns = append(s.columns, c)
	s.index[key] = c
	return c
}

// own returns the scope's column that holds the first of the concepts that one holds.
func (s *scope) own(concepts ...string) *column {
	for _, name := range concepts {
		for _, c := range s.columns {
			if c.is(name) && !c.duplicate {
				return c
			}
		}
	}
	return nil
}

// near looks in the scopes around it, too.
func (s *scope) near(concepts ...string) *column {
	for at := s; at != nil; at = at.parent {
		if c := at.own(concepts...); c != nil {
			return c
		}
	}
	return nil
}

func (s *scope) root() *scope {
	for s.parent != nil {
		s = s.parent
	}
	return s
}

// itself is the path of a repeated XML element's own text.
const itself = "."

// from returns the path that leads from a scope to a column of it or of one around it.
func (c *column) from(s *scope) string {
	names := pathOf(c.steps)
	switch {
	case c.scope == s:
		return names
	case c.scope.parent == nil:
		return "/" + names
	}
	if names == itself {
		names = ""
	} else {
		names = "." + names
	}
	up := "^"
	for at := s.parent; at != nil && at != c.scope; at = at.parent {
		up += ".^"
	}
	return up + names
}

// pathOf writes names as a path of the grammar, quoted where they need it.
func pathOf(steps []string) string {
	if len(steps) == 1 && steps[0] == itself {
		return itself
	}
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s
		if !plainName(s) {
			out[i] = `"` + s + `"`
		}
	}
	return strings.Join(out, ".")
}

// plainName reports whether a name stands in a path without quotes.
func plainName(name string) bool {
	p, err := path.Parse(name, path.Options{})
	return err == nil && p.Start() == path.Scope && p.Name() == name && p.Plain()
}

// reachable reports whether a path can name the column at all.
func reachable(steps []string) bool {
	if len(steps) == 1 && steps[0] == itself {
		return true
	}
	p, err := path.Parse(pathOf(steps), path.Options{})
	if err != nil {
		return false
	}
	return slices.Equal(p.Names(), steps)
}
