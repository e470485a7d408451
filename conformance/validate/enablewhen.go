package validate

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// enabled evaluates the conditions of an item: all of its own, or any of them,
// and those of the items around it hold because the walk is there.
func (a *answering) enabled(q *question, here *level, depth int) bool {
	conditions := q.node.Get("enableWhen").Items()
	if len(conditions) == 0 || depth > DefaultMaxDepth {
		return true
	}
	all := q.node.Get("enableBehavior").Text() == "all"
	for _, c := range conditions {
		holds := a.holds(c, here)
		if holds != all {
			return holds
		}
	}
	return all
}

// holds evaluates one condition.
func (a *answering) holds(c *fhir.Node, here *level) bool {
	answers := answersTo(c.Get("question").Text(), here)
	operator := c.Get("operator").Text()
	name := ""
	for _, k := range c.All() {
		if len(k.Name()) > len("answer") && k.Name()[:len("answer")] == "answer" {
			name = k.Name()
		}
	}
	want := c.Get(name)
	if operator == "exists" {
		return (len(answers) > 0) == (want.Text() == "true")
	}
	for _, x := range answers {
		key := extensionValue(x)
		if compareAnswers(x.Get(key), want, operator) {
			return true
		}
	}
	return false
}

func compareAnswers(got, want *fhir.Node, operator string) bool {
	if got == nil || want == nil || got.Kind() != want.Kind() {
		return false
	}
	order, known := 1, false
	switch {
	case got.Kind() == fhir.Object && got.Get("value") != nil:
		order, known = compareQuantities(got, want)
	case got.Kind() == fhir.Object && got.Get("reference") != nil:
		known = true
		if got.Get("reference").Text() == want.Get("reference").Text() {
			order = 0
		}
	case got.Kind() == fhir.Object:
		known = true
		if got.Get("code").Text() == want.Get("code").Text() && got.Get("system").Text() == want.Get("system").Text() {
			order = 0
		}
	case got.Kind() == fhir.Number:
		order, known = compareNumbers(got.Text(), want.Text())
	default:
		order, known = dateOrder(got.Text(), want.Text()), true
	}
	switch operator {
	case "=":
		return known && order == 0
	case "!=":
		return !known || order != 0
	case ">":
		return known && order > 0
	case "<":
		return known && order < 0
	case ">=":
		return known && order >= 0
	case "<=":
		return known && order <= 0
	}
	return false
}

// answersTo finds the answers to a question nearest to a place: among the items
// there and below them, then further up.
func answersTo(link string, here *level) []*fhir.Node {
	for ; here != nil; here = here.up {
		var out []*fhir.Node
		if gather(link, here.items, &out, 0) {
			return out
		}
	}
	return nil
}

func gather(link string, items *fhir.Node, out *[]*fhir.Node, depth int) bool {
	found := false
	if depth > DefaultMaxDepth {
		return false
	}
	for _, i := range items.Items() {
		if i.Get("linkId").Text() == link {
			*out = append(*out, i.Get("answer").Items()...)
			found = true
			continue
		}
		found = gather(link, i.Get("item"), out, depth+1) || found
		for _, x := range i.Get("answer").Items() {
			found = gather(link, x.Get("item"), out, depth+1) || found
		}
	}
	return found
}
