package reference

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// hit is a resource that a query matches.
type hit struct {
	id    string
	first int // change that made it
	v     *version
}

// sort brings hits into the order of _sort, and of their making where it does not tell.
func (s *Server) sort(kind, by string, hits []hit) *answer {
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Compare(a.first, b.first) })
	rules := strings.Split(by, ",")
	if by == "" {
		rules = nil
	}
	for _, rule := range slices.Backward(rules) {
		code, down := strings.CutPrefix(rule, "-")
		param := s.parameter(kind, code)
		if param == nil {
			return errUnknownParameter
		}
		if s.faults[SortIgnored] {
			continue
		}
		order := func(a, b hit) int { return s.order(param, a.v.node, b.v.node) }
		if code == "_lastUpdated" { // times may be equal
			order = func(a, b hit) int { return cmp.Compare(a.v.change, b.v.change) }
		}
		slices.SortStableFunc(hits, func(a, b hit) int {
			if down {
				return order(b, a)
			}
			return order(a, b)
		})
	}
	return nil
}

// order compares two resources by the smallest value of a parameter; what has none is the smallest.
func (s *Server) order(param *definitions.SearchParameter, a, b *fhir.Node) int {
	x, y := s.keys(param, a), s.keys(param, b)
	if len(x) == 0 || len(y) == 0 {
		return cmp.Compare(len(x), len(y))
	}
	return compareKeys(x[0], y[0])
}

// sortKey is what is compared: a number, a time or a text.
type sortKey struct {
	number *big.Rat
	at     time.Time
	text   string
}

func compareKeys(a, b sortKey) int {
	switch {
	case a.number != nil && b.number != nil:
		return a.number.Cmp(b.number)
	case !a.at.IsZero() || !b.at.IsZero():
		return a.at.Compare(b.at)
	}
	return cmp.Compare(a.text, b.text)
}

func (s *Server) keys(param *definitions.SearchParameter, n *fhir.Node) []sortKey {
	var out []sortKey
	for _, v := range s.values(param, n) {
		switch n := v.Node(); param.Type {
		case "date":
			start := n.Text()
			if n.Kind() == fhir.Object {
				start = n.Get("start").Text()
			}
			if from, _, ok := period(start); ok {
				out = append(out, sortKey{at: from})
			}
		case "number", "quantity":
			text := n.Text()
			if n.Kind() == fhir.Object {
				text = n.Get("value").Text()
			}
			if r, ok := new(big.Rat).SetString(text); ok && len(text) <= 64 && !strings.ContainsAny(text, "eE/") {
				out = append(out, sortKey{number: r})
			}
		default:
			for _, t := range texts(n) {
				out = append(out, sortKey{text: strings.ToLower(t)})
			}
		}
	}
	slices.SortFunc(out, compareKeys)
	return out
}
