package search

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// words reads what _text and _content look for: words, all of which must occur,
// with AND, OR, NOT and parentheses between them. Words in quotes need not stand
// side by side.
func (p *parser) words(param, value string) (Clause, bool) {
	w := wordReader{p: p, param: param, rest: value}
	w.next()
	c, ok := w.either(0)
	if ok && w.token != "" {
		p.invalid("a parenthesis is closed that was not opened")
		return Clause{}, false
	}
	return c, ok
}

// wordReader reads the words of a text search.
type wordReader struct {
	p     *parser
	param string
	rest  string
	token string // what comes next: a parenthesis or a word; "" at the end
}

func (w *wordReader) next() {
	w.rest = strings.TrimLeft(w.rest, " \t\r\n\"\u3000")
	end := strings.IndexAny(w.rest, " \t\r\n\"()\u3000")
	switch {
	case end < 0:
		end = len(w.rest)
	case end == 0:
		end = 1
	}
	w.token, w.rest = w.rest[:end], w.rest[end:]
}

func (w *wordReader) either(depth int) (Clause, bool) {
	first, ok := w.all(depth)
	if !ok || w.token != "OR" {
		return first, ok
	}
	out := Clause{Param: w.param, Kind: KindText, Any: []Operand{AllMatch{Where: appendFlat(nil, first)}}}
	for w.token == "OR" {
		w.next()
		c, ok := w.all(depth)
		if !ok {
			return Clause{}, false
		}
		out.Any = append(out.Any, AllMatch{Where: appendFlat(nil, c)})
	}
	return out, true
}

func (w *wordReader) all(depth int) (Clause, bool) {
	var where []Clause
	var terms []string
	for w.token != "" && w.token != ")" && w.token != "OR" {
		if w.p.tests++; w.p.tests > w.p.limits.Filter || depth > maxFilterDepth {
			w.p.fail(w.p.current, fhir.TypeTooCostly, "search-filter-long", "more than {1} words and conditions, or nested too deep", w.p.limits.Filter)
			return Clause{}, false
		}
		token := w.token
		w.next()
		if token == "AND" {
			continue
		}
		not := token == "NOT"
		if not {
			token = w.token
			w.next()
		}
		c := Clause{Param: w.param, Kind: KindText}
		if token == "(" {
			inner, ok := w.either(depth + 1)
			if !ok {
				return Clause{}, false
			}
			if w.token != ")" {
				w.p.invalid("a parenthesis is not closed")
				return Clause{}, false
			}
			w.next()
			c = inner
			if not {
				c = allOf(c)
			}
		} else {
			found := appendTerms(nil, Fold(token), true)
			if len(found) == 0 {
				continue
			}
			if !not {
				terms = append(terms, found...)
				continue
			}
			c.Any = []Operand{TextMatch{Terms: found}}
		}
		c.Not = c.Not != not
		where = append(where, c)
	}
	if len(terms) > 0 {
		slices.Sort(terms)
		c := Clause{Param: w.param, Kind: KindText, Any: []Operand{TextMatch{Terms: slices.Compact(terms)}}}
		where = append(where, c)
	}
	switch len(where) {
	case 0:
		w.p.invalid("expected words")
		return Clause{}, false
	case 1:
		return where[0], true
	}
	return Clause{Param: w.param, Kind: KindText, Any: []Operand{AllMatch{Where: where}}}, true
}
