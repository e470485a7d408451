package search

import (
	"sync"

	"github.com/yilian/yilian/conformance/fhir"
)

// Values returns the index values of a resource. _id, _lastUpdated and _source
// are not among them: the store has them as columns. Issues are warnings about
// values that cannot be searched because they are malformed, or too many.
func (e *Engine) Values(res *fhir.Node) (Values, []fhir.Issue) {
	t := e.parametersOf(res.ResourceType())
	if t == nil {
		return Values{}, nil
	}
	x := indexers.Get().(*indexer)
	x.engine, x.resource = e, res
	defer x.release()
	run := t.plan.Run(&e.env, e.model.Resource(res))
	defer run.Close()
	x.reserve(t)
	for i, p := range t.indexed {
		found, err := run.Evaluate(i)
		if err != nil {
			x.failed(p, err)
			continue
		}
		if len(found) == 0 {
			continue
		}
		x.param = p
		from := x.length(p.kind)
		for i := range found {
			x.add(&found[i], 0)
		}
		if n := x.length(p.kind); n > from+1 {
			if k := int(p.kind - KindToken); k < len(x.most) {
				x.most[k] = max(x.most[k], n)
			}
			x.compact(p.kind, from)
		}
		if x.count += x.length(p.kind) - from; x.count > e.opts.Limits.IndexValues {
			x.count = e.opts.Limits.IndexValues
			x.truncate(p.kind, from)
			x.excess(p)
		}
	}
	if len(t.composites) > 0 {
		x.addComposites(&run, t)
	}
	if t.narrative || t.content {
		x.addTexts(t)
	}
	t.learn(x.sizes())
	t.learn(x.most)
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

var indexers = sync.Pool{New: func() any { return &indexer{} }}

// maxKeptScratch is how many bytes an indexer may keep for other resources.
const maxKeptScratch = 16 << 10

// release forgets the resource and its values.
func (x *indexer) release() {
	names, scratch := x.names, x.scratch
	clear(names[:cap(names)])
	if cap(scratch) > maxKeptScratch {
		scratch = nil
	}
	*x = indexer{names: names[:0], scratch: scratch[:0]}
	indexers.Put(x)
}

// indexer collects the values of one resource.
type indexer struct {
	engine   *Engine
	resource *fhir.Node
	param    *parameter
	values   Values
	group    uint16 // of a composite parameter's components
	most     [7]int // most values of each kind at a time
	names    []readName
	arena    arena
	scratch  []byte
	count    int
	issues   []fhir.Issue
}

func (x *indexer) failed(p *parameter, err error) {
	x.warn(fhir.TypeProcessing, "search-value-failed", phrases.Say("the expression of search parameter {1} cannot be evaluated: {2}", p.code, err))
}

func (x *indexer) excess(p *parameter) {
	x.warn(fhir.TypeTooCostly, "search-values-many", phrases.Say("more index values than allowed: search parameter {1} does not find this resource", p.code))
}

func (x *indexer) warn(code fhir.IssueType, id string, said fhir.Text) {
	found := issue(fhir.Warning, code, id, said)
	found.Expression = x.resource.ResourceType()
	x.issues = append(x.issues, found)
}

// unreadable warns about a malformed value at its place.
func (x *indexer) unreadable(n *fhir.Node, want string) {
	x.warn(fhir.TypeValue, "search-value-unreadable", phrases.Say("search parameter {1} cannot use a value that is not {2}", x.param.code, phrases.Say(want)))
	found := &x.issues[len(x.issues)-1]
	found.Line, found.Column = n.Position()
}

// sizes are the lengths of the slices of Values.
func (x *indexer) sizes() (out [7]int) {
	for i := range out {
		out[i] = x.length(KindToken + Kind(i))
	}
	return out
}

// length is how many values of a kind there are.
func (x *indexer) length(k Kind) int {
	switch v := &x.values; k {
	case KindToken:
		return len(v.Tokens)
	case KindString:
		return len(v.Strings)
	case KindDate:
		return len(v.Dates)
	case KindReference:
		return len(v.References)
	case KindNumber, KindSpecial:
		return len(v.Numbers)
	case KindQuantity:
		return len(v.Quantities)
	default:
		return len(v.URIs)
	}
}

func (x *indexer) truncate(k Kind, to int) {
	switch v := &x.values; k {
	case KindToken:
		v.Tokens = v.Tokens[:to]
	case KindString:
		v.Strings = v.Strings[:to]
	case KindDate:
		v.Dates = v.Dates[:to]
	case KindReference:
		v.References = v.References[:to]
	case KindNumber, KindSpecial:
		v.Numbers = v.Numbers[:to]
	case KindQuantity:
		v.Quantities = v.Quantities[:to]
	default:
		v.URIs = v.URIs[:to]
	}
}

// compact drops what one parameter found twice.
func (x *indexer) compact(k Kind, from int) {
	switch v := &x.values; k {
	case KindToken:
		v.Tokens = unique(v.Tokens, from)
	case KindString:
		v.Strings = unique(v.Strings, from)
	case KindDate:
		v.Dates = unique(v.Dates, from)
	case KindReference:
		v.References = unique(v.References, from)
	case KindNumber, KindSpecial:
		v.Numbers = unique(v.Numbers, from)
	case KindQuantity:
		v.Quantities = unique(v.Quantities, from)
	default:
		v.URIs = unique(v.URIs, from)
	}
}

func unique[T comparable](values []T, from int) []T {
	fresh := values[from:]
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
