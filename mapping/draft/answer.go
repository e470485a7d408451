package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// leaveAlone is the answer for what is not to be read.
const leaveAlone = "-"

// spot is how an answer names a column: the table and the heading, the path in a document.
func (c *column) spot() string {
	s := c.scope
	if s.heading != nil {
		return s.name + "." + c.heading()
	}
	var parts []string
	for _, p := range []string{s.root().name, s.each, c.heading()} {
		if p != "" && p != itself {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ".")
}

// spots are all names under which an answer may speak of a column.
func (c *column) spots(title string) []string {
	out := []string{c.spot(), c.heading(), title + "." + c.heading()}
	if c.scope.each != "" {
		out = append(out, c.scope.each+"."+c.heading())
	}
	return out
}

// answer reads what the user has said about columns and tables.
func (d *drafter) answer() error {
	d.told = map[*column]*concept{}
	for _, text := range d.o.Is {
		spot, to := "", ""
		if i := strings.LastIndexByte(text, '='); i > 0 {
			spot, to = strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:])
		}
		if spot == "" || to == "" {
			return fmt.Errorf("draft: answer %q; want TABLE.COLUMN=CONCEPT, COLUMN=CONCEPT or TABLE=@KIND", text)
		}
		if err := d.answerOne(spot, to); err != nil {
			return fmt.Errorf("draft: answer %q: %w", text, err)
		}
	}
	return nil
}

func (d *drafter) answerOne(spot, to string) error {
	key := fold.Key(spot)
	if name, ok := strings.CutPrefix(to, "@"); ok {
		return d.answerKind(key, spot, kind(name))
	}
	about := d.lex.concepts[to]
	if about == nil && to != leaveAlone {
		return fmt.Errorf("no concept %q; the nearest: %s", to, strings.Join(d.lex.nearest(to), ", "))
	}
	exact, found := false, []*column(nil)
	var all []string
	d.allScopes(func(s *scope) {
		for _, c := range s.columns {
			all = append(all, c.spot())
			for i, name := range c.spots(d.title(s)) {
				if fold.Key(name) != key {
					continue
				}
				if whole := i != 1; whole && !exact {
					exact, found = true, nil // a column's full name goes before an equal heading elsewhere
				} else if !whole && exact {
					continue
				}
				found = append(found, c)
				break
			}
		}
	})
	if len(found) == 0 {
		return fmt.Errorf("no such column or path; the nearest: %s", strings.Join(closest(spot, all), ", "))
	}
	for _, c := range found {
		if about == nil {
			c.left = true
			delete(d.told, c)
			continue
		}
		for o, was := range d.told {
			if o != c && o.scope == c.scope && was == about {
				return fmt.Errorf("%s is that already", o.spot())
			}
		}
		c.left = false
		d.told[c] = about
	}
	return nil
}

func (d *drafter) answerKind(key, spot string, to kind) error {
	if !knownKind(to) {
		var names []string
		for _, k := range kinds {
			names = append(names, "@"+string(k))
		}
		return fmt.Errorf("no kind @%s; want one of %s", to, strings.Join(names, ", "))
	}
	found := false
	var all []string
	d.allScopes(func(s *scope) {
		all = append(all, d.title(s))
		if fold.Key(d.title(s)) == key || s.each != "" && fold.Key(s.each) == key {
			s.told, found = to, true
		}
	})
	if !found {
		return fmt.Errorf("no such table; the nearest: %s", strings.Join(closest(spot, all), ", "))
	}
	return nil
}

// allScopes visits all scopes, whatever they are of.
func (d *drafter) allScopes(visit func(*scope)) {
	var walk func(s *scope)
	walk = func(s *scope) {
		visit(s)
		for _, k := range s.kids {
			walk(k)
		}
	}
	for _, t := range d.samples.tables {
		walk(t.scope)
	}
	for _, k := range d.kinds {
		walk(k.scope)
	}
}

// nearest are the concepts whose names or headings resemble a word.
func (l *lexicon) nearest(word string) []string {
	weights := l.match([]string{word})
	names := sortedKeys(weights)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(weights[b], weights[a]) })
	for _, name := range closest(word, sortedKeys(l.concepts)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names[:min(len(names), mostNearest)]
}

const (
	mostNearest = 3
	longestName = 64 // characters compared
)

// closest are the words that take the fewest changes.
func closest(word string, all []string) []string {
	slices.Sort(all)
	all = slices.Compact(all)
	want := []rune(fold.Key(word))
	far := map[string]int{}
	for _, s := range all {
		far[s] = changes(want[:min(len(want), longestName)], []rune(fold.Key(s)))
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(far[a], far[b]) })
	return all[:min(len(all), mostNearest)]
}

// changes counts the characters to add, leave out or exchange.
func changes(a, b []rune) int {
	b = b[:min(len(b), longestName)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// shellWord quotes an argument for a shell.
func shellWord(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
