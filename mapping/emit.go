package mapping

import (
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

// make runs the rules of an element: for one that repeats all of them, else until one gives a value. The products are good
// until the next element of the same object is made.
func (e *element) make(r *run, at *record.Node) ([]product, outcome) {
	if r.depth == len(r.buffers) {
		r.buffers = append(r.buffers, nil)
	}
	depth := r.depth
	r.depth++
	out := r.buffers[depth][:0]
	total := outcome{literal: true}
	for _, m := range e.makers {
		before := len(out)
		var o outcome
		out, o = m.run(r, at, out)
		total.state = rank(total.state, o.state)
		if len(out) > before {
			total.literal = total.literal && o.literal
			if !e.repeats {
				break
			}
		} else if m.slot != "" && o.state == record.Absent && !o.off {
			total.silent = append(total.silent, m.slot)
		}
	}
	if len(out) == 0 {
		total.literal = false
	}
	r.buffers[depth] = out
	r.depth = depth
	return out, total
}

// run applies one rule: condition, repetitions, default.
func (m *maker) run(r *run, at *record.Node, out []product) ([]product, outcome) {
	if r.covered == nil {
		return m.apply(r, at, out)
	}
	before := len(out)
	out, o := m.apply(r, at, out)
	r.covered.fill(m.field, len(out) > before, o.off)
	return out, o
}

func (m *maker) apply(r *run, at *record.Node, out []product) ([]product, outcome) {
	if len(m.withs) > 0 {
		r.assign(m.withs, at)
	}
	if m.each == nil {
		return m.once(r, at, out)
	}
	if state, ok := m.each.nothing(at); ok && m.def == nil {
		return out, outcome{state: r.said(state)}
	}
	return m.repeat(r, at, out)
}

func (m *maker) repeat(r *run, at *record.Node, out []product) ([]product, outcome) {
	before := len(out)
	total := outcome{literal: true}
	list := m.each.nodes(r, at, r.borrow())
	if len(list) == 0 {
		total.state = r.said(m.each.scope(r, at).state) // an empty list says that there are none
	}
	for _, node := range list {
		v := of(node)
		if !v.present() {
			total.state = rank(total.state, r.said(v.state))
			continue
		}
		if len(m.withs) > 0 {
			r.assign(m.withs, node)
		}
		n := len(out)
		var o outcome
		out, o = m.once(r, node, out)
		total.state = rank(total.state, o.state)
		if len(out) > n {
			total.literal = total.literal && o.literal
		}
		if !r.step() {
			break
		}
	}
	r.giveBack(list)
	if len(out) == before && m.def != nil {
		return m.fallback(r, out, total)
	}
	return out, total
}

func (m *maker) once(r *run, at *record.Node, out []product) ([]product, outcome) {
	if m.when != nil && !m.when(r, at) {
		return out, outcome{off: true}
	}
	n := len(out)
	r.origins = nil
	out, o := m.emit(r, at, out)
	if len(out) == n && m.def != nil && m.each == nil {
		return m.fallback(r, out, o)
	}
	return out, o
}

func (m *maker) fallback(r *run, out []product, o outcome) ([]product, outcome) {
	return append(out, product{node: r.fresh(m.def)}), outcome{state: record.Present, literal: true}
}

// emit makes the object of the scope. One in which nothing but literals stands beside paths without a value is not made.
func (o *object) emit(r *run, at *record.Node, out []product) ([]product, outcome) {
	if !r.step() {
		return out, outcome{}
	}
	r.assign(o.withs, at)
	n := fhir.NewObject()
	strong := false
	var state record.State
	mark := len(r.steps)
	for _, e := range o.elements {
		if e.decided(n) {
			continue
		}
		products, oc := e.make(r, at)
		if !oc.literal { // literals say nothing about the record
			state = rank(state, oc.state)
		}
		if len(products) == 0 {
			continue
		}
		strong = strong || !oc.literal
		e.put(n, products)
	}
	if n.Len() == 0 || o.sourced && !strong {
		r.steps = r.steps[:mark]
		if state == record.Present {
			state = record.Absent // a value that nothing could be made of
		}
		return out, outcome{state: state}
	}
	if missing := o.missing(n); missing != "" {
		r.steps = r.steps[:mark]
		if strong {
			r.issue(fhir.Warning, fhir.TypeRequired, "element-incomplete", o.path, at, o.path+" is not made: its mandatory "+missing+" has no value")
		}
		return out, outcome{state: record.Present}
	}
	return append(out, product{node: n}), outcome{state: record.Present, literal: o.literals}
}

// decided reports whether another type of the same choice stands in n already.
func (e *element) decided(n *fhir.Node) bool {
	for _, other := range e.others {
		if n.Get(other) != nil {
			return true
		}
	}
	return false
}

// put sets what an element's rules made into its object.
func (e *element) put(n *fhir.Node, products []product) {
	if e.repeats {
		list := fhir.NewArray()
		for _, p := range products {
			if p.name != "" && p.name != e.name {
				n.Set(p.name, p.node)
				continue
			}
			list.Append(p.node)
		}
		if list.Len() > 0 {
			for _, said := range n.Get(e.name).Items() { // by the value of itself: 阳性 12.5 has an interpretation beside its flag
				if !stated(list, said) {
					list.Append(said)
				}
			}
			n.Set(e.name, list)
		}
		return
	}
	for _, p := range products {
		name := p.name
		if name == "" {
			name = e.name
		}
		if n.Get(name) == nil {
			n.Set(name, p.node)
		}
	}
}

// stated reports whether one of the concepts has the first coding of another.
func stated(list, concept *fhir.Node) bool {
	want := concept.Get("coding").At(0)
	return slices.ContainsFunc(list.Items(), func(c *fhir.Node) bool {
		return slices.ContainsFunc(c.Get("coding").Items(), func(k *fhir.Node) bool {
			return k.Get("system").Text() == want.Get("system").Text() && k.Get("code").Text() == want.Get("code").Text()
		})
	})
}

// missing returns the first mandatory element that n does not have.
func (o *object) missing(n *fhir.Node) string {
	for i := range o.required {
		q := &o.required[i]
		found := false
		for _, name := range q.names {
			if n.Get(name) != nil {
				found = true
				break
			}
		}
		if !found {
			return q.name
		}
	}
	return ""
}
