package mapping

import (
	"github.com/yilian/yilian/mapping/record"
)

// take notes that a value was read: of a node with parts, the first, which is its text.
func (r *run) take(v value) value {
	if v.node == nil || v.state == record.Absent {
		return v
	}
	if r.covered != nil {
		n := v.node
		for n.Kind() == record.List || n.Kind() == record.Sequence {
			k := n.Kids()
			if len(k) == 0 {
				break
			}
			n = k[0]
		}
		r.covered.read[n] = true
	}
	if r.o.Trace && v.present() {
		r.origins = append(r.origins, v.node.Origin())
	}
	return v
}

// whole notes that all parts of a value were read.
func (r *run) whole(v value) {
	if r.covered != nil && v.node != nil {
		r.covered.read[v.node] = true
	}
}

// trace notes that an element was made of what was read since the last note.
func (r *run) trace(element, by string) {
	if !r.o.Trace || r.resource == "" {
		return
	}
	r.steps = append(r.steps, Step{Resource: r.resource, Rule: r.rule, Element: element, From: r.origins, By: by})
	r.origins = nil
}
