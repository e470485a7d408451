package mapping

import (
	"slices"
	"strings"
)

// grammar are the keys of every kind of mapping in the files of an institution. The loader refuses others, and a test
// holds map.schema.json to the same lists.
var grammar = map[string][]string{
	"institution": {"format", "id", "name", "level", "organization", "timezone", "charset", "settings", "identifiers",
		"authorities", "systems", "sources"},
	"settings": {"zulu-is-local", "midnight-is-date", "keep-1900", "numbers", "no-date", "flags", "dash-is-negative",
		"units"},
	"identifier": {"system", "type", "local", "check", "aliases"},
	"source":     {"format", "base", "charset", "delimiter", "tables", "ack"},
	"table":      {"file", "sheet", "heading"},
	"map": {"format", "map", "title", "extends", "include", "reads", "lane", "version", "row", "let", "resources",
		"shapes"},
	"library":  {"format", "library", "title", "include", "let", "resources", "shapes"},
	"reads":    {"format", "messages", "table", "join", "root", "namespace", "where"},
	"join":     {"table", "on", "many", "join"},
	"version":  {"time", "sequence"},
	"let":      {"each", "from", "value", "as", "with", "table", "unmapped", "expr", "is", "when", "default"},
	"resource": {"type", "each", "when", "key", "write", "required", "with", "set"},
	"shape":    {"type", "with", "set"},
	"element": {"from", "value", "each", "set", "shape", "as", "with", "table", "text", "unmapped", "system", "ref",
		"expr", "when", "default", "with-change"},
	"ref":            {"rule", "all", "type", "key", "identifier", "institution", "display"},
	"ref-identifier": {"system", "of", "from"},
}

// nearest returns the candidate that a misspelt word most likely means, "" when none is close.
func nearest(word string, candidates []string) string {
	best, found := 3, ""
	if len(word) <= 3 {
		best = 2
	}
	for _, c := range candidates {
		if d := distance([]rune(strings.ToLower(word)), []rune(strings.ToLower(c))); d < best {
			best, found = d, c
		}
	}
	return found
}

// distance counts insertions, deletions, replacements and exchanged neighbours.
func distance(a, b []rune) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// oneOf lists what was expected: "a, b or c", with a suggestion in front when one is close.
func oneOf(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return "did you mean " + near + "?"
	}
	c := slices.Clone(candidates)
	if len(c) > 24 {
		return "want one of " + strings.Join(c[:24], ", ") + " …"
	}
	if len(c) == 0 {
		return "there are none"
	}
	if len(c) == 1 {
		return "want " + c[0]
	}
	return "want " + strings.Join(c[:len(c)-1], ", ") + " or " + c[len(c)-1]
}
