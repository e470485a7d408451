package validate

import (
	"errors"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// splitPath reads the restricted FHIRPath of discriminators, nil if it is not
// that: https://hl7.org/fhir/R4/profiling.html#discriminator.
func splitPath(path string) []pathStep {
	var out []pathStep
	for path != "" {
		i := strings.IndexAny(path, ".(")
		name := path
		if i >= 0 {
			name = path[:i]
		}
		if i < 0 || path[i] == '.' {
			if name == "" {
				return nil
			}
			if name != "$this" {
				out = append(out, pathStep{name: name})
			}
			if i < 0 {
				return out
			}
			path = path[i+1:]
			continue
		}
		arg, rest, ok := strings.Cut(path[i+1:], ")")
		if !ok {
			return nil
		}
		switch name {
		case "resolve", "ofType", "as", "extension":
			out = append(out, pathStep{call: name, arg: strings.Trim(strings.TrimSpace(arg), `'"`)})
		default:
			return nil
		}
		path = strings.TrimPrefix(rest, ".")
		if rest != "" && rest[0] != '.' {
			return nil
		}
	}
	return out
}

// criteria are the shapes that a discriminator's path leads to below a slice,
// in the slice itself and in the profiles of the types on the way.
func (r *run) criteria(s *shape, d *discriminator) []*shape {
	at := []*shape{s}
	for i, step := range d.steps {
		var next []*shape
		for _, k := range at {
			next = append(next, r.criterion(k, step)...)
		}
		at = next
		if len(at) == 0 || i > maxProfileDepth {
			return nil
		}
	}
	return at
}

func (r *run) criterion(s *shape, step pathStep) []*shape {
	var out []*shape
	switch step.call {
	case "ofType", "as":
		return []*shape{s}
	case "resolve":
		for _, t := range s.types {
			if len(t.targets) > 0 && (t.code == "Reference" || t.code == "canonical" || t.code == "") {
				out = append(out, &shape{path: s.path, label: s.label, types: targetTypes(t.targets), parent: s})
			}
		}
		return out
	case "extension":
		step.name = "extension"
	}
	add := func(from *shape) {
		for _, k := range from.children {
			if k.name != step.name && !k.typeOf(step.name) {
				continue
			}
			if step.call != "extension" {
				out = append(out, k)
				if k.choice && len(k.slices) == 1 {
					out = append(out, k.slices[0])
				}
			}
			for _, x := range k.slices {
				if step.call == "extension" && x.extends(step.arg) {
					out = append(append(out, x), x.slices...)
				}
			}
		}
	}
	add(s)
	for _, whole := range []*fhir.Node{s.fixed, s.pattern} {
		if part := whole.Get(step.name); part != nil && step.call == "" {
			k := &shape{path: s.path + "." + step.name, label: s.label + "." + step.name, parent: s}
			if whole == s.fixed {
				k.fixed = part
			} else {
				k.pattern = part
			}
			out = append(out, k)
		}
	}
	for _, t := range s.types {
		for _, url := range t.profiles {
			if p, err := r.v.profile(url); p != nil && err == nil {
				add(p.root)
			}
		}
	}
	return out
}

// typeOf reports whether the shape is one type of a choice by its name in an
// instance: valueCode of value.
func (s *shape) typeOf(choice string) bool {
	return !s.choice && len(s.types) == 1 && s.name == choice+definitions.Capital(s.types[0].code)
}

// extends reports whether a slice of extensions is for that url.
func (s *shape) extends(url string) bool {
	for _, t := range s.types {
		for _, p := range t.profiles {
			if p == url || strings.HasPrefix(p, url+"|") {
				return true
			}
		}
	}
	for _, k := range s.children {
		if k.name == "url" && k.fixed.Text() == url {
			return true
		}
	}
	return false
}

func targetTypes(urls []string) []shapeType {
	var out []shapeType
	for _, u := range urls {
		t := shapeType{code: strings.TrimPrefix(u, definitions.Canonical)}
		if strings.Contains(t.code, "/") {
			t.profiles = []string{u}
		}
		out = append(out, t)
	}
	return out
}

// matches tells whether an item belongs to a slice. The error says why that
// cannot be decided.
func (r *run) matches(sl *slicing, s *shape, it *item) (bool, error) {
	if len(sl.by) == 0 {
		return false, nil // slices are for people to read
	}
	var open error
	decided := false
	for i := range sl.by {
		ok, err := r.discriminates(&sl.by[i], s, it)
		switch {
		case errors.Is(err, errFree):
			open = flawed("nothing fixes {1}", sl.by[i].path)
		case err != nil || !ok:
			return false, err
		default:
			decided = true
		}
	}
	if !decided {
		return false, open
	}
	return true, nil
}

// errFree says that a slice leaves open what a discriminator looks at; the
// others decide then.
var errFree = flawed("nothing fixes it")

func (r *run) discriminates(d *discriminator, s *shape, it *item) (bool, error) {
	if d.err != nil {
		return false, d.err
	}
	found := r.criteria(s, d)
	values, err := r.reach(d, it)
	if err != nil {
		return false, err
	}
	switch d.kind {
	case "exists":
		for _, c := range found {
			if c.max == 0 {
				return len(values) == 0, nil
			}
			if c.min > 0 {
				return len(values) > 0, nil
			}
		}
		return false, errFree
	case "type":
		return r.typeMatches(found, values, d, s)
	case "profile":
		return r.profileMatches(found, values)
	}
	// An extension is known by its url even where its definition is not.
	if d.path == "url" && len(values) == 1 && s.name == "extension" || s.name == "modifierExtension" && d.path == "url" {
		if len(values) == 1 && s.extends(values[0].String()) {
			return true, nil
		}
	}
	decided := false
	for _, c := range found {
		ok, is := r.valueMatches(c, values)
		decided = decided || is
		if is && !ok {
			return false, nil
		}
	}
	if !decided {
		if len(found) == 0 && s.extendsAny() {
			return false, nil
		}
		return false, errFree
	}
	return true, nil
}

// extendsAny reports whether the slice is for an extension by its profile.
func (s *shape) extendsAny() bool {
	for _, t := range s.types {
		if t.code == "Extension" && len(t.profiles) > 0 {
			return true
		}
	}
	return false
}

// reach evaluates the path of a discriminator.
func (r *run) reach(d *discriminator, it *item) ([]fhirpath.Value, error) {
	v := it.fhirpath(r)
	if d.run == nil {
		return []fhirpath.Value{v}, nil
	}
	return d.run.Append(nil, r.scope.env, v)
}

// valueMatches compares values with what a shape fixes; decides is false if it
// fixes nothing.
func (r *run) valueMatches(c *shape, values []fhirpath.Value) (ok, decides bool) {
	any := func(test func(v fhirpath.Value) bool) bool {
		for _, v := range values {
			if test(v) {
				return true
			}
		}
		return false
	}
	switch {
	case c.fixed != nil:
		return any(func(v fhirpath.Value) bool { return equalValue(c.fixed, v.Node()) }), true
	case c.pattern != nil:
		return any(func(v fhirpath.Value) bool { return fits(c.pattern, v.Node()) }), true
	case c.bound != nil && c.bound.set.find(r.v) != nil:
		return any(func(v fhirpath.Value) bool {
			m, coded := r.member(c.bound.set.find(r.v), v.Type(), v.Node())
			return coded && m != definitions.NotMember
		}), true
	case c.binds && len(c.children) == 0:
		return false, true // by a value set that is not known
	}
	// What is below may be fixed: the value must have all of it.
	children := slicesOf(c)
	if len(children) == 0 {
		return false, false
	}
	decided := false
	for _, k := range children {
		if k.fixed == nil && k.pattern == nil && len(k.children) == 0 {
			continue
		}
		var below []fhirpath.Value
		for _, v := range values {
			for _, e := range v.Node().Elements(k.name) {
				below = append(below, r.v.untyped(e))
			}
		}
		good, is := r.valueMatches(k, below)
		if is {
			decided = true
			if !good {
				return false, true
			}
		}
	}
	return decided, decided
}

func slicesOf(s *shape) []*shape { return s.children }

// untyped is a value of which only the JSON counts.
func (v *Validator) untyped(e fhir.Element) fhirpath.Value {
	p, err := v.defs.Resolve("Element")
	if err != nil {
		return fhirpath.Value{}
	}
	return v.model.Element(e, p)
}

func (r *run) typeMatches(found []*shape, values []fhirpath.Value, d *discriminator, s *shape) (bool, error) {
	if len(found) == 0 {
		return false, errFree
	}
	for _, v := range values {
		for _, c := range found {
			for _, t := range c.types {
				if r.v.listed(t.code, v.Type()) {
					return true, nil
				}
				for _, url := range t.profiles {
					if p, err := r.v.profile(url); err == nil && p != nil && p.typ == v.Type() && strings.Contains(t.code, "/") {
						return true, nil
					}
				}
			}
		}
	}
	// A reference that cannot be followed may name the type.
	if len(values) == 0 {
		return false, nil
	}
	return false, nil
}

func (r *run) profileMatches(found []*shape, values []fhirpath.Value) (bool, error) {
	for _, v := range values {
		for _, c := range found {
			for _, t := range c.types {
				for _, url := range t.profiles {
					ok, err := r.conformsTo(v, url)
					if err != nil {
						return false, err
					}
					if ok {
						return true, nil
					}
				}
			}
		}
	}
	return false, nil
}
