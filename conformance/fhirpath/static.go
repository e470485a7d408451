package fhirpath

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
)

// static is what is known of a result before evaluation.
type static struct {
	open      bool     // could be anything
	classes   []*class // otherwise: the classes of its elements
	kinds     uint16   // and the System kinds, as bits
	many      bool     // more than one item is possible
	unordered bool     // the order of the items means nothing
	absent    bool     // there are never items, and finding that out cannot fail
}

var anything = static{open: true, many: true}

func kindStatic(kinds ...Kind) static {
	var s static
	for _, k := range kinds {
		s.kinds |= 1 << k
	}
	return s
}

func classStatic(c *class) static { return static{classes: []*class{c}} }

// item is the type of one item of a collection.
func (s static) item() static {
	s.many, s.unordered = false, false
	return s
}

func (s static) asMany() static {
	s.many = true
	return s
}

// impossible reports that there can be no items.
func (s static) impossible() bool { return !s.open && len(s.classes) == 0 && s.kinds == 0 }

func (s static) or(o static) static {
	out := static{open: s.open || o.open, kinds: s.kinds | o.kinds, many: s.many || o.many, unordered: s.unordered || o.unordered}
	out.classes = slices.Clone(s.classes)
	for _, c := range o.classes {
		if !slices.Contains(out.classes, c) {
			out.classes = append(out.classes, c)
		}
	}
	return out
}

// member is the type behind an element name; known is false where nothing in s
// can have it.
func (s static) member(name string) (out static, known bool) {
	out = static{open: s.open, many: s.many, unordered: s.unordered, absent: s.absent}
	known = s.open || s.kinds&(1<<TypeInfo) != 0
	for _, c := range s.classes {
		if c.kind == classAny {
			out.open, known = true, true
			continue
		}
		p := c.prop(name)
		if p == nil {
			// An abstract Resource may turn out to be one that has it.
			if c.kind == classAbstract {
				out.open, known = true, true
			}
			if c.kind == classPrimitive && name == "value" {
				out.kinds |= 1 << c.system
				known = true
			}
			continue
		}
		known = true
		out.many = out.many || p.repeats
		for _, a := range p.alts {
			if k := a.class(); !slices.Contains(out.classes, k) {
				out.classes = append(out.classes, k)
			}
		}
	}
	if s.kinds&(1<<TypeInfo) != 0 {
		out.kinds |= 1 << String
	}
	return out, known
}

// mayBe reports whether an item could have the System kind.
func (s static) mayBe(k Kind) bool {
	if s.open || s.kinds&(1<<k) != 0 {
		return true
	}
	for _, c := range s.classes {
		if c.kind == classAny || c.kind == classAbstract || c.system == k {
			return true
		}
	}
	return false
}

func (s static) names() []string {
	if s.open {
		return nil
	}
	out := []string{}
	for _, c := range s.classes {
		if c.kind == classAny || c.kind == classAbstract {
			return nil
		}
		out = append(out, c.name)
	}
	for k := Boolean; k <= TypeInfo; k++ {
		if s.kinds&(1<<k) != 0 {
			out = append(out, k.String())
		}
	}
	return out
}

// describe names what s can be, for messages.
func (s static) describe() string {
	names := s.names()
	if len(names) == 0 {
		return "this"
	}
	if len(names) == 1 && len(s.classes) == 1 && s.classes[0].path != "" {
		return s.classes[0].path
	}
	return strings.Join(names, " or ")
}

// typeTest is a type specifier: a FHIR type, a System type, or, where a name
// means both, either.
type typeTest struct {
	class   *class
	system  Kind
	hasKind bool
	lenient bool // an unqualified System type is also the primitive that it stands for
}

var systemKinds = map[string]Kind{
	"Boolean": Boolean, "Integer": Integer, "Decimal": Decimal, "String": String, "Date": Date,
	"DateTime": DateTime, "Time": Time, "Quantity": Quantity,
}

func (c *compiler) typeTest(name []string, offset int) (typeTest, error) {
	var t typeTest
	last := name[len(name)-1]
	namespace := ""
	if len(name) == 2 {
		namespace = name[0]
	} else if len(name) != 1 {
		return t, c.fail(offset, "expected the name of a type")
	}
	if namespace == "" || namespace == "System" {
		t.system, t.hasKind = systemKinds[last]
		if namespace == "System" && !t.hasKind && last != "Any" {
			// A name that System does not have is no type of any value.
			return t, nil
		}
	}
	if namespace == "" || namespace == "FHIR" {
		t.class = c.model.typeClass(last)
	}
	t.lenient = c.opts.Lenient && namespace == "" && t.hasKind && t.class == nil
	if t.class == nil && !t.hasKind {
		return t, c.fail(offset, "unknown type '{1}'", strings.Join(name, "."))
	}
	return t, nil
}

// is reports whether v has the type or a subtype of it.
func (t typeTest) is(v Value) bool {
	if v.kind == Element {
		return t.class != nil && v.class.is(t.class.name) || t.lenient && v.class.system == t.system
	}
	return t.hasKind && v.kind == t.system
}

// as reports whether "as" and ofType let v through: primitives must have that
// very type, because code is derived from string only for sharing its form.
func (t typeTest) as(v Value) bool {
	if v.kind == Element && v.class.kind == classPrimitive {
		return t.class != nil && v.class == t.class
	}
	return t.is(v)
}

// narrow is the static type behind as and ofType.
func (t typeTest) narrow(in static) static {
	out := static{many: in.many, unordered: in.unordered}
	if t.hasKind {
		out.kinds = 1 << t.system
		if !in.open {
			out.kinds &= in.kinds
		}
	}
	if t.class == nil {
		return out
	}
	possible := in.open
	for _, c := range in.classes {
		if c.kind == classAny || c.kind == classAbstract || c.is(t.class.name) || t.class.is(c.name) {
			possible = true
		}
	}
	if possible {
		out.classes = []*class{t.class}
	}
	return out
}

// contextOf is the static type of the focus.
func (c *compiler) contextOf(path string) (static, error) {
	if path == "" {
		return anything.item(), nil
	}
	p, err := c.model.defs.Resolve(path)
	if err != nil {
		return static{}, errorAt("", 0, "context: {1}", err)
	}
	if p.Element.Max == definitions.Unbounded && p.Type == "" {
		return anything.item(), nil
	}
	return classStatic(c.model.classOf(p)), nil
}
