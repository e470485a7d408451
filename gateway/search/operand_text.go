package search

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// words reads what _text and _content look for: words, all of which must occur,
// with AND, OR, NOT – in capitals or not, as the specification writes both – and
// parentheses between them. A word in quotes is none of these. Which words stand side by
// side is not indexed, so that several in quotes are refused.
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
	token string // what comes next: AND, OR, NOT, a parenthesis or a word; "" at the end
	word  bool   // it is a word
	// malformed says that what comes next cannot be read; it was reported.
	malformed bool
}

// operators are what words in no quotes may stand for.
var operators = map[string]string{"AND": "AND", "and": "AND", "OR": "OR", "or": "OR", "NOT": "NOT", "not": "NOT"}

func (w *wordReader) next() {
	w.rest = strings.TrimLeft(w.rest, " \t\r\n\u3000")
	if strings.HasPrefix(w.rest, `"`) {
		if end := strings.IndexByte(w.rest[1:], '"'); end >= 0 {
			w.token, w.word, w.rest = w.rest[1:1+end], true, w.rest[end+2:]
			if w.token == "" || len(strings.Fields(w.token)) > 1 {
				w.fail("one word is expected in quotes: which words stand side by side is not indexed, leave the quotes out to find all of them anywhere")
			}
			return
		}
		w.fail("a quotation is not closed")
		return
	}
	end := strings.IndexAny(w.rest, " \t\r\n\"()\u3000")
	switch {
	case end < 0:
		end = len(w.rest)
	case end == 0:
		end = 1
	}
	w.token, w.rest = w.rest[:end], w.rest[end:]
	operator, is := operators[w.token]
	if w.word = !is && !slices.Contains([]string{"", "(", ")"}, w.token); is {
		w.token = operator
	}
}

func (w *wordReader) fail(text string) {
	w.p.invalid(text)
	w.token, w.rest, w.malformed = "", "", true
}

// at reports whether an operator or a parenthesis comes next.
func (w *wordReader) at(symbol string) bool { return !w.word && w.token == symbol }

func (w *wordReader) either(depth int) (Clause, bool) {
	first, ok := w.all(depth)
	if !ok || !w.at("OR") {
		return first, ok
	}
	out := Clause{Param: w.param, Kind: KindText, Any: []Operand{AllMatch{Where: appendFlat(nil, first)}}}
	for w.at("OR") {
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
	for w.token != "" && !w.at(")") && !w.at("OR") {
		if w.p.tests++; w.p.tests > w.p.limits.Filter || depth > maxFilterDepth {
			w.p.fail(w.p.current, fhir.TypeTooCostly, "search-filter-long", "more than {1} words and conditions, or nested too deep", w.p.limits.Filter)
			return Clause{}, false
		}
		if w.at("AND") {
			w.next()
			continue
		}
		not := w.at("NOT")
		if not {
			w.next()
		}
		if !w.word && !w.at("(") {
			w.p.invalid("expected words")
			return Clause{}, false
		}
		token, group := w.token, w.at("(")
		w.next()
		c := Clause{Param: w.param, Kind: KindText}
		if group {
			inner, ok := w.either(depth + 1)
			if !ok {
				return Clause{}, false
			}
			if !w.at(")") {
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
	if w.malformed {
		return Clause{}, false
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
