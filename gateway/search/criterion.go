package search

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Criterion reads the criteria of a conditional interaction, and names what must be
// locked while it is decided: two criteria that can mean the same identity share a
// name, however they are written. A criterion that asks for identifiers is locked
// by them, as every write of a resource with such an identifier is (see
// IdentifierLocks); any other by its normal form.
//
// Criteria are strict. Parameters that say how a result is wanted do not belong
// there, apart from _format and _pretty, which are ignored; nor is a criterion
// without any condition one. ctx says to the terminology who asks. Query has Type and
// Where.
func (e *Engine) Criterion(ctx context.Context, typ string, pairs []Pair) (names []string, q *Query, issues []fhir.Issue) {
	var conditions []Pair
	for _, pair := range pairs {
		head, _, _ := strings.Cut(pair.Name, ":")
		switch head {
		case "_format", "_pretty":
			continue
		case "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude", "_contained", "_containedType", "_type":
			return nil, nil, []fhir.Issue{issue(fhir.Error, fhir.TypeInvalid, "search-criterion-result",
				phrases.Say("parameter {1}: {2}", name(pair.Name), phrases.Say("it has no place in a criterion")))}
		}
		conditions = append(conditions, pair)
	}
	request, issues := e.Parse(typ, conditions, ParseOptions{Context: ctx})
	if request == nil {
		return nil, nil, issues
	}
	q = &Query{Type: typ, Where: request.Query.Where}
	if len(q.Where) == 0 {
		return nil, nil, []fhir.Issue{issue(fhir.Error, fhir.TypeRequired, "search-criterion-empty", phrases.Say("a criterion needs a condition"))}
	}
	for i := range q.Where {
		if found := identifierLocks(typ, &q.Where[i]); found != nil {
			names = append(names, found...)
		}
	}
	if names == nil {
		sum := sha256.Sum256([]byte(Normal(q)))
		names = []string{typ + "?" + base64.RawURLEncoding.EncodeToString(sum[:])}
	}
	slices.Sort(names)
	return slices.Compact(names), q, issues
}

// identifierLocks names the identifiers that a clause asks for, nil if it can hold
// without one of them.
func identifierLocks(typ string, c *Clause) []string {
	if c.Param != "identifier" || c.Kind != KindToken || c.Not || c.Missing != nil {
		return nil
	}
	var out []string
	for _, o := range c.Any {
		m, ok := o.(TokenMatch)
		if !ok || m.Code == "" || m.Text != "" || m.Other {
			return nil
		}
		out = append(out, IdentifierLock(typ, m.Code))
	}
	return out
}

// IdentifierLock names an identifier by its value alone: a criterion may leave the
// system out and must meet all of them.
func IdentifierLock(typ, value string) string { return typ + "|" + value }

// IdentifierLocks names what every write of a resource must lock, before the
// version and after it: all its identifiers.
func (e *Engine) IdentifierLocks(res *fhir.Node) []string {
	typ := res.ResourceType()
	t := e.parametersOf(typ)
	if t == nil {
		return nil
	}
	p := t.byCode["identifier"]
	if p == nil || p.kind != KindToken || p.expr == nil {
		return nil
	}
	found, err := p.expr.Evaluate(&e.env, res)
	if err != nil {
		return nil // as Values, which then has no such value
	}
	x := indexer{engine: e, resource: res, param: p}
	for i := range found {
		x.add(&found[i], 0)
	}
	var out []string
	for _, token := range x.values.Tokens {
		if token.Code != "" {
			out = append(out, IdentifierLock(typ, token.Code))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Normal is the normal form of what a query asks for: the same for clauses and
// alternatives in another order, written twice, or encoded differently.
func Normal(q *Query) string { return q.Type + normalClauses(q.Where, "&") }

func normalClauses(where []Clause, joint string) string {
	parts := make([]string, 0, len(where))
	for i := range where {
		parts = append(parts, normalClause(&where[i]))
	}
	slices.Sort(parts)
	return "(" + strings.Join(slices.Compact(parts), joint) + ")"
}

func normalClause(c *Clause) string {
	head := fmt.Sprintf("%q %d %t", c.Param, c.Kind, c.Not)
	if c.Missing != nil {
		return head + " missing " + strconv.FormatBool(*c.Missing)
	}
	parts := make([]string, 0, len(c.Any))
	for _, o := range c.Any {
		parts = append(parts, normalOperand(o))
	}
	slices.Sort(parts)
	return head + "(" + strings.Join(slices.Compact(parts), "|") + ")"
}

func normalOperand(o Operand) string {
	switch m := o.(type) {
	case TokenMatch:
		system := "*"
		if m.System != nil {
			system = strconv.Quote(*m.System)
		}
		return fmt.Sprintf("token %s %q %q %q %t", system, m.Code, m.Text, m.Type, m.Other)
	case ReferenceMatch:
		if m.Identifier != nil {
			return "identifier " + normalOperand(*m.Identifier)
		}
		return fmt.Sprintf("reference %q %q %q %d %q", m.Type, m.ID, m.URL, m.Tree, m.Via)
	case ChainMatch:
		return fmt.Sprintf("chain %q %s", m.Type, normalClauses(m.Where, "&"))
	case HasMatch:
		return fmt.Sprintf("has %q %q %s", m.Type, m.Param, normalClauses(m.Where, "&"))
	case AllMatch:
		return "all " + normalClauses(m.Where, "&")
	case CompositeMatch:
		var b strings.Builder
		for _, part := range m.Parts { // in their order
			fmt.Fprintf(&b, "%d %s;", part.Kind, normalOperand(part.Match))
		}
		return "composite " + b.String()
	}
	return fmt.Sprintf("%T %#v", o, o) // plain values
}
