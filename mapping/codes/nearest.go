package codes

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// Candidate is a row whose code, alias or display resembles a code that the table does not have.
type Candidate struct {
	Entry    Entry
	Distance int // edits in characters
}

// maxNearest bounds the length of what is compared; longer texts are sentences, not misspelt codes.
const maxNearest = 64

// Nearest returns at most n rows that resemble the code, the nearest first, for the person who mends the table.
// A row further away than half the code's length is no candidate.
func (t *Table) Nearest(text string, n int) []Candidate {
	key := fold.Key(text)
	length := utf8.RuneCountInString(key)
	if length == 0 || length > maxNearest || n <= 0 {
		return nil
	}
	limit := max(1, length/2)
	want := []rune(key)
	var found []Candidate
	var row []int
	for _, e := range t.entries {
		best := limit + 1
		for _, s := range [...]string{e.Code, e.Display} {
			best = min(best, distance(want, fold.Key(s), best, &row))
		}
		for _, a := range e.Aliases {
			best = min(best, distance(want, fold.Key(a), best, &row))
		}
		if best <= limit && best < length {
			found = append(found, Candidate{e, best})
		}
	}
	slices.SortStableFunc(found, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Entry.Line, b.Entry.Line))
	})
	return slices.Clip(found[:min(n, len(found))])
}

// distance returns the Levenshtein distance of a and b in characters, or limit when it is no less. row is reused.
func distance(a []rune, b string, limit int, row *[]int) int {
	n := utf8.RuneCountInString(b)
	if b == "" || n-len(a) >= limit || len(a)-n >= limit {
		return limit
	}
	d := (*row)[:0]
	for i := range len(a) + 1 {
		d = append(d, i)
	}
	*row = d
	for _, r := range b {
		diagonal := d[0]
		d[0]++
		least := d[0]
		for i, c := range a {
			cost := diagonal
			if c != r {
				cost++
			}
			diagonal = d[i+1]
			d[i+1] = min(cost, diagonal+1, d[i]+1)
			least = min(least, d[i+1])
		}
		if least >= limit {
			return limit
		}
	}
	return min(d[len(a)], limit)
}
