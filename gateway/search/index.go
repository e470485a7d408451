package search

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// Values returns the index values of a resource. _id, _lastUpdated and _source
// are not among them: the store has them as columns. Issues are warnings about
// values that cannot be searched because they are malformed, or too many.
func (e *Engine) Values(res *fhir.Node) (Values, []fhir.Issue) {
	x := indexer{engine: e}
	t := e.parametersOf(res.ResourceType())
	if t == nil {
		return x.values, nil
	}
	x.resource = res
	eval := e.model.Evaluator(&e.env, e.model.Resource(res))
	defer eval.Close()
	x.reserve(t)
	for _, p := range t.indexed {
		found, err := eval.Evaluate(p.expr)
		if err != nil {
			x.warn(p, fhir.TypeProcessing, "search-value-failed", "the expression of search parameter "+p.code+" cannot be evaluated: "+err.Error())
			continue
		}
		if len(found) == 0 {
			continue
		}
		x.param = p
		from := x.sizes()
		for i := range found {
			x.add(&found[i], 0)
		}
		x.compact(from)
		if x.count() > e.opts.Limits.IndexValues {
			x.truncate(from)
			x.warn(p, fhir.TypeTooCostly, "search-values-many", "more index values than allowed: search parameter "+p.code+" does not find this resource")
		}
	}
	t.learn(x.sizes())
	return x.values, x.issues
}

// maxReserved bounds what is reserved on the experience of other resources.
const maxReserved = 64

// reserve makes room for as many values as resources of the type had so far.
func (x *indexer) reserve(t *typeParameters) {
	v := &x.values
	v.Tokens = room[Token](t, 0)
	v.Strings = room[String](t, 1)
	v.Dates = room[Date](t, 2)
	v.References = room[Reference](t, 3)
	v.Numbers = room[Number](t, 4)
	v.Quantities = room[Quantity](t, 5)
	v.URIs = room[URI](t, 6)
}

func room[T any](t *typeParameters, i int) []T {
	if n := t.typical[i].Load(); n > 0 {
		return make([]T, 0, n)
	}
	return nil
}

func (t *typeParameters) learn(sizes [7]int) {
	for i, n := range sizes {
		if n = min(n, maxReserved); n > int(t.typical[i].Load()) {
			t.typical[i].Store(int32(n))
		}
	}
}

// indexer collects the values of one resource.
type indexer struct {
	engine   *Engine
	resource *fhir.Node
	param    *parameter
	values   Values
	issues   []fhir.Issue
}

func (x *indexer) warn(p *parameter, code fhir.IssueType, id, text string) {
	x.issues = append(x.issues, fhir.Issue{
		Severity: fhir.Warning, Code: code, ID: id, Expression: x.resource.ResourceType(), Text: text,
	})
}

// unreadable warns about a malformed value at its place.
func (x *indexer) unreadable(n *fhir.Node, want string) {
	line, column := n.Position()
	x.issues = append(x.issues, fhir.Issue{
		Severity: fhir.Warning, Code: fhir.TypeValue, ID: "search-value-unreadable", Expression: x.resource.ResourceType(),
		Line: line, Column: column,
		Text: "search parameter " + x.param.code + " cannot use a value that is not " + want,
	})
}

// sizes are the lengths of the slices of Values.
func (x *indexer) sizes() [7]int {
	v := &x.values
	return [7]int{
		len(v.Tokens), len(v.Strings), len(v.Dates), len(v.References), len(v.Numbers), len(v.Quantities), len(v.URIs),
	}
}

func (x *indexer) count() int {
	n := 0
	for _, size := range x.sizes() {
		n += size
	}
	return n
}

func (x *indexer) truncate(to [7]int) {
	v := &x.values
	v.Tokens, v.Strings, v.Dates = v.Tokens[:to[0]], v.Strings[:to[1]], v.Dates[:to[2]]
	v.References, v.Numbers, v.Quantities, v.URIs = v.References[:to[3]], v.Numbers[:to[4]], v.Quantities[:to[5]], v.URIs[:to[6]]
}

// compact drops what one parameter found twice.
func (x *indexer) compact(from [7]int) {
	v := &x.values
	v.Tokens = unique(v.Tokens, from[0])
	v.Strings = unique(v.Strings, from[1])
	v.Dates = unique(v.Dates, from[2])
	v.References = unique(v.References, from[3])
	v.Numbers = unique(v.Numbers, from[4])
	v.Quantities = unique(v.Quantities, from[5])
	v.URIs = unique(v.URIs, from[6])
}

func unique[T comparable](values []T, from int) []T {
	fresh := values[from:]
	if len(fresh) < 2 {
		return values
	}
	n := 0
	if len(fresh) > 32 {
		seen := make(map[T]struct{}, len(fresh))
		for _, v := range fresh {
			if _, again := seen[v]; !again {
				seen[v] = struct{}{}
				fresh[n] = v
				n++
			}
		}
		return values[:from+n]
	}
next:
	for i, v := range fresh {
		for j := range n {
			if fresh[j] == v {
				continue next
			}
		}
		fresh[n] = fresh[i]
		n++
	}
	return values[:from+n]
}
