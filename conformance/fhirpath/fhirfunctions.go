package fhirpath

import (
	"context"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// fhirFunctions are those that https://hl7.org/fhir/R4/fhirpath.html#functions
// adds.
func fhirFunctions() map[string]function {
	boolean := kindStatic(Boolean)
	return map[string]function{
		"extension": {1, 1, extension},
		"hasExtension": {1, 1, func(c *compiler, e *expr, in static) (code, static, error) {
			run, _, err := extension(c, e, in)
			return func(m *machine, focus []Value) error {
				mark := len(m.stack)
				if err := run(m, focus); err != nil {
					return err
				}
				found := len(m.stack) > mark
				m.stack = m.stack[:mark]
				m.push(boolValue(found))
				return nil
			}, boolean, err
		}},
		"hasValue": plain(boolean, func(m *machine, focus []Value) error {
			m.push(boolValue(len(focus) == 1 && focus[0].hasValue()))
			return nil
		}),
		"getValue": plain(anything.item(), func(m *machine, focus []Value) error {
			if len(focus) == 1 && focus[0].hasValue() {
				if s, ok := focus[0].system(); ok {
					m.push(s)
				}
			}
			return nil
		}),
		"resolve": plain(static{open: true, many: true}, func(m *machine, focus []Value) error {
			for i := range focus {
				if err := m.spend(10); err != nil {
					return err
				}
				m.resolve(&focus[i])
			}
			return nil
		}),
		"memberOf": {1, 1, func(c *compiler, e *expr, _ static) (code, static, error) {
			arg, _, err := c.argument(e, 0)
			return func(m *machine, focus []Value) error {
				v, url, ok, err := m.asked(focus, arg)
				if err != nil || !ok {
					return err
				}
				if m.env.Membership == nil {
					return failure("memberOf needs terminology, which is not there")
				}
				member, known, err := m.env.Membership.MemberOf(m.ctx(), v, url)
				if known && err == nil {
					m.push(boolValue(member))
				}
				return err
			}, boolean, err
		}},
		"conformsTo": {1, 1, func(c *compiler, e *expr, _ static) (code, static, error) {
			arg, _, err := c.argument(e, 0)
			return func(m *machine, focus []Value) error {
				v, url, ok, err := m.asked(focus, arg)
				if err != nil || !ok {
					return err
				}
				conforms, err := m.conforms(v, url)
				if err == nil {
					m.push(boolValue(conforms))
				}
				return err
			}, boolean, err
		}},
		"comparable": scalar(1, 1, boolean, func(m *machine, v Value, args []Value) (Value, bool, error) {
			if err := m.spend(costOfUnits); err != nil {
				return Value{}, false, err
			}
			if v.kind == Quantity && args[0].kind == Quantity {
				_, a, okA := v.quantity().canonical()
				_, b, okB := args[0].quantity().canonical()
				return boolValue(okA && okB && a == b || sameUnit(v.quantity(), args[0].quantity())), true, nil
			}
			_, _, err := m.compare(v, args[0])
			return boolValue(err == nil), true, nil
		}),
		"htmlChecks": plain(boolean, func(m *machine, focus []Value) error {
			v, ok, err := single(focus)
			if err != nil || !ok {
				return err
			}
			s, ok := v.system()
			m.push(boolValue(ok && s.kind == String && safeNarrative(s.text)))
			return m.spend(1 + len(s.text)/16)
		}),
	}
}

func (m *machine) ctx() context.Context {
	if m.env.Context != nil {
		return m.env.Context
	}
	return context.Background()
}

// asked returns the one value and the text argument of a question.
func (m *machine) asked(focus []Value, arg code) (v Value, text string, ok bool, err error) {
	if v, ok, err = single(focus); err != nil || !ok {
		return v, "", false, err
	}
	a, ok, err := m.one(arg)
	if err != nil || !ok {
		return v, "", false, err
	}
	s, ok := a.system()
	if !ok {
		return v, "", false, nil
	}
	text, err = textArg(s)
	return v, text, err == nil, err
}

// conforms answers for FHIR's own types, which need no validator to name.
func (m *machine) conforms(v Value, profile string) (bool, error) {
	if m.env.Conformance != nil {
		return m.env.Conformance.ConformsTo(m.ctx(), v, profile)
	}
	name, own := strings.CutPrefix(profile, "http://hl7.org/fhir/StructureDefinition/")
	if own && m.model.defs.KindOf(name) != 0 {
		return v.kind == Element && v.class.is(name), nil
	}
	return false, failure("unknown profile")
}

// extension filters by url without evaluating a criterion for each.
func extension(c *compiler, e *expr, in static) (code, static, error) {
	arg, _, err := c.argument(e, 0)
	step := &step{name: "extension", offset: e.offset}
	out := anything
	if class := c.model.typeClass("Extension"); class != nil {
		out = classStatic(class).asMany()
	}
	return func(m *machine, focus []Value) error {
		a, ok, err := m.one(arg)
		if err != nil || !ok {
			return err
		}
		if a, ok = a.system(); !ok {
			return nil
		}
		url, err := textArg(a)
		if err != nil {
			return err
		}
		mark := len(m.stack)
		if err := step.run(m, focus); err != nil {
			return err
		}
		n := mark
		for i := mark; i < len(m.stack); i++ {
			if m.stack[i].node.Get("url").Text() == url {
				m.stack[n] = m.stack[i]
				n++
			}
		}
		m.stack = m.stack[:n]
		return nil
	}, out, err
}

// resolve pushes what a Reference, uri or canonical points to.
func (m *machine) resolve(v *Value) {
	reference := ""
	switch s, ok := v.system(); {
	case ok && s.kind == String:
		reference = s.text
	case v.kind == Element:
		reference = v.node.Get("reference").Text()
	}
	if strings.HasPrefix(reference, "#") {
		m.resolveContained(reference[1:])
		return
	}
	if m.env.Resolver == TypesOnly {
		m.pushNamedType(v, reference)
		return
	}
	if reference == "" || m.env.Resolver == nil {
		return
	}
	if n := m.env.Resolver.Resolve(m.ctx(), reference); n != nil {
		m.push(m.model.Resource(n))
	}
}

// pushNamedType pushes a resource of which only the type is known: what the
// reference says, or Reference.type.
func (m *machine) pushNamedType(v *Value, reference string) {
	name := ""
	parts := strings.Split(reference, "/")
	for i := len(parts) - 2; i >= 0; i-- {
		if m.model.defs.IsResource(parts[i]) {
			name = parts[i]
			break
		}
	}
	if name == "" && v.kind == Element {
		name = v.node.Get("type").Text()
	}
	if c := m.model.resourceClass(name); c != nil {
		m.push(Value{node: noContent, class: c})
	}
}

// noContent stands for a resource that was not fetched.
var noContent = fhir.NewObject()

func (m *machine) resolveContained(id string) {
	if m.resource == nil {
		return
	}
	root := m.resource
	if m.env.RootResource != nil {
		root = m.env.RootResource
	}
	if id == "" {
		m.push(m.model.Resource(root))
		return
	}
	for _, n := range root.Get("contained").Items() {
		if n.ID() == id {
			m.push(m.model.Resource(n))
			return
		}
	}
}

// safeNarrative refuses what can act or load in a browser.
func safeNarrative(s string) bool {
	s = strings.ToLower(s)
	for _, bad := range []string{"<script", "<object", "<iframe", "<form", "<base", "<link", "<frame", "<embed", "javascript:", " onclick", " onload", " onerror"} {
		if strings.Contains(s, bad) {
			return false
		}
	}
	return strings.HasPrefix(strings.TrimSpace(s), "<div")
}
