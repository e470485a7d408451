package fhirpath

import (
	"strings"
	"sync/atomic"

	"github.com/yilian/yilian/conformance/fhir"
)

// step is a path step by name. It remembers the element it found for the class
// it saw last, which is the same class nearly always.
type step struct {
	name   string
	offset int
	cache  atomic.Pointer[stepCache]
}

type stepCache struct {
	class *class
	prop  *prop
}

func (s *step) run(m *machine, focus []Value) error {
	for i := range focus {
		v := &focus[i]
		if v.kind != Element {
			if v.kind == TypeInfo {
				m.pushTypeInfo(v, s.name)
			}
			continue
		}
		if v.class.kind == classAny {
			m.pushUnknown(v, s.name)
			continue
		}
		if p := s.prop(v.class); p != nil {
			m.pushProp(v, p)
		} else if s.name == "value" && v.class.kind == classPrimitive {
			if sys, ok := v.system(); ok {
				m.push(sys)
			}
		}
	}
	if err := m.spend(1 + len(focus)); err != nil {
		return at(s.offset, err)
	}
	return nil
}

// prop is the child of a class that the step names, nil if it has none.
func (s *step) prop(c *class) *prop {
	cached := s.cache.Load()
	if cached == nil || cached.class != c {
		cached = &stepCache{c, c.prop(s.name)}
		s.cache.Store(cached)
	}
	return cached.prop
}

func (m *machine) pushTypeInfo(v *Value, name string) {
	switch name {
	case "namespace":
		m.push(stringValue(v.text))
	case "name":
		m.push(stringValue(v.ref.(string)))
	}
}

// holder is the object that has the children of an element: for a primitive the
// one beside it.
func (v *Value) holder() *fhir.Node {
	if v.class.kind == classPrimitive {
		return v.extra
	}
	return v.node
}

// pushProp pushes the children that an element has under one FHIRPath name.
func (m *machine) pushProp(v *Value, p *prop) {
	n := v.holder()
	if n.Kind() != fhir.Object {
		return
	}
	if p.choice {
		m.pushChoice(n, p)
		return
	}
	a := p.alts[0]
	c := a.class()
	if c.kind != classPrimitive {
		if k := n.Get(a.name); k != nil {
			m.pushNodes(k, nil, c)
		}
		return
	}
	value, extra := n.Pair(a.name)
	if value != nil || extra != nil {
		m.pushNodes(value, extra, c)
	}
}

func (m *machine) pushChoice(n *fhir.Node, p *prop) {
	for i := range n.Len() {
		k := n.At(i)
		name := k.Name()
		beside := strings.HasPrefix(name, "_")
		if beside {
			name = name[1:]
		}
		if !strings.HasPrefix(name, p.name) {
			continue
		}
		a := p.byName[name]
		if a == nil {
			continue
		}
		c := a.class()
		switch {
		case c.kind != classPrimitive:
			if !beside {
				m.pushNodes(k, nil, c)
			}
		case beside:
			if n.Get(name) == nil {
				m.pushNodes(nil, k, c)
			}
		default:
			_, extra := n.Pair(name)
			m.pushNodes(k, extra, c)
		}
	}
}

// pushNodes pushes the repetitions of an element.
func (m *machine) pushNodes(value, extra *fhir.Node, c *class) {
	if value.Kind() != fhir.Array && extra.Kind() != fhir.Array {
		m.pushNode(value, extra, c)
		return
	}
	for i := range max(value.Len(), extra.Len()) {
		m.pushNode(value.At(i), extra.At(i), c)
	}
}

func (m *machine) pushNode(value, extra *fhir.Node, c *class) {
	if value.Kind() == fhir.Null {
		value = nil
	}
	if extra.Kind() != fhir.Object {
		extra = nil
	}
	if value == nil && extra == nil {
		return
	}
	if c.kind == classAbstract {
		c = c.concrete(value)
	}
	m.stack = append(m.stack, Value{node: value, extra: extra, class: c})
}

// pushUnknown walks what no definition describes as plain JSON.
func (m *machine) pushUnknown(v *Value, name string) {
	n := v.node
	if n.Kind() != fhir.Object {
		n = v.extra
	}
	value, extra := n.Pair(name)
	if value != nil || extra != nil {
		m.pushNodes(value, extra, m.model.any)
	}
}

// pushChildren pushes all children of an element in the order of the instance.
func (m *machine) pushChildren(v *Value) {
	if v.kind != Element {
		return
	}
	n := v.holder()
	if n.Kind() != fhir.Object {
		return
	}
	v.class.load.Do(v.class.init)
	for i := range n.Len() {
		k := n.At(i)
		name := k.Name()
		if v.class.kind == classAny {
			if !strings.HasPrefix(name, "_") {
				m.pushUnknown(v, name)
			}
			continue
		}
		beside := strings.HasPrefix(name, "_")
		if beside {
			if name = name[1:]; n.Get(name) != nil {
				continue
			}
		}
		a := v.class.alternative(name)
		if a == nil {
			continue
		}
		c := a.class()
		switch {
		case c.kind != classPrimitive:
			if !beside {
				m.pushNodes(k, nil, c)
			}
		case beside:
			m.pushNodes(nil, k, c)
		default:
			_, extra := n.Pair(name)
			m.pushNodes(k, extra, c)
		}
	}
}

// alternative finds a child by its name in JSON.
func (c *class) alternative(name string) *alternative {
	if p := c.props[name]; p != nil && !p.choice {
		return p.alts[0]
	}
	// The stem of a choice ends before a capital.
	for i := 1; i < len(name); i++ {
		if name[i] < 'A' || name[i] > 'Z' {
			continue
		}
		if p := c.props[name[:i]]; p != nil && p.choice {
			if a := p.byName[name]; a != nil {
				return a
			}
		}
	}
	return nil
}
