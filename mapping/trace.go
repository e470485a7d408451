package mapping

import (
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// take notes that a value was read: of a node with parts, the first, which is its text.
func (r *run) take(v value) value {
	if v.node == nil || v.state == record.Absent {
		return v
	}
	if r.readSet != nil {
		n := v.node
		for n.Kind() == record.List || n.Kind() == record.Sequence {
			k := n.Kids()
			if len(k) == 0 {
				break
			}
			n = k[0]
		}
		r.readSet[n] = true
	}
	if r.o.Trace && v.present() {
		r.origins = append(r.origins, v.node.Origin())
	}
	return v
}

// whole notes that all parts of a value were read.
func (r *run) whole(v value) {
	if r.readSet != nil && v.node != nil {
		r.readSet[v.node] = true
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

func (r *run) unfilled(element string) {
	if r.o.Coverage {
		if r.missing == nil {
			r.missing = map[string]int{}
		}
		r.missing[element]++
	}
}

// cover counts what the record has and no rule read. A value counts as read when it or what it is part of was.
func (r *run) cover() {
	c := &Coverage{Records: 1, Unread: map[string]int{}, Unfilled: r.missing}
	if c.Unfilled == nil {
		c.Unfilled = map[string]int{}
	}
	var walk func(n *record.Node, read bool)
	walk = func(n *record.Node, read bool) {
		read = read || r.readSet[n]
		if n.Kind() == record.Leaf {
			if n.State() != record.Present || strings.TrimSpace(n.Text()) == "" {
				return
			}
			c.Fields++
			if read {
				c.Read++
			} else {
				c.Unread[fieldName(n)]++
			}
			return
		}
		for _, k := range n.Kids() {
			walk(k, read)
		}
	}
	walk(r.rec.Root, false)
	r.res.Coverage = c
}

// fieldName is the place of a node without the numbers of repetitions and rows: PID-5.7, LIS_BGXM.JCFF, results.unit.
func fieldName(n *record.Node) string {
	path := n.Origin().Path
	var b strings.Builder
	for {
		open := strings.IndexByte(path, '[')
		if open < 0 {
			break
		}
		b.WriteString(path[:open])
		end := strings.IndexByte(path[open:], ']')
		if end < 0 {
			path = path[open:]
			break
		}
		path = path[open+end+1:]
	}
	b.WriteString(path)
	return b.String()
}
