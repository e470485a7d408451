package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// target is what a literal reference says about where it points.
type target struct {
	form     form
	resource string // resource type if the reference names one
	fragment string // id of a contained resource; empty for the container
}

type form uint8

const (
	malformed form = iota
	relative       // Patient/1, Patient/1/_history/2
	absolute       // https://…
	urn            // urn:uuid:…, urn:oid:…
	fragment       // #id
	query          // Patient?identifier=…, as conditional references have it
)

// targetOf reads Reference.reference, which several checks in a row ask for.
func (r *run) targetOf(s string) target {
	if s != r.lastReference {
		r.lastReference, r.lastTarget = s, r.v.parseReference(s)
	}
	return r.lastTarget
}

// parseReference reads Reference.reference.
func (v *Validator) parseReference(s string) target {
	if s == "" || strings.ContainsAny(s, " \t\r\n") {
		return target{}
	}
	if s[0] == '#' {
		return target{form: fragment, fragment: s[1:]}
	}
	if rest, ok := strings.CutPrefix(s, "urn:"); ok {
		if space, name, _ := strings.Cut(rest, ":"); space == "" || name == "" {
			return target{}
		}
		return target{form: urn}
	}
	if scheme, rest, ok := strings.Cut(s, ":"); ok && validScheme(scheme) {
		if rest == "" {
			return target{}
		}
		// Only an address that ends as a FHIR server's would names a type.
		path, _, _ := strings.Cut(rest, "#")
		return target{form: absolute, resource: v.typeAtEnd(path)}
	}
	if name, _, ok := strings.Cut(s, "?"); ok {
		if !v.defs.IsResource(name) {
			return target{}
		}
		return target{form: query, resource: name}
	}
	name, rest, _ := strings.Cut(s, "/")
	rest, _, _ = strings.Cut(rest, "#")
	id, version, versioned := strings.Cut(rest, "/_history/")
	if !v.defs.IsResource(name) || !validID(id) || versioned && !validID(version) {
		return target{}
	}
	return target{form: relative, resource: name}
}

// typeAtEnd is the resource type in a path ending in [type]/[id] or
// [type]/[id]/_history/[version], empty if it does not.
func (v *Validator) typeAtEnd(path string) string {
	parts := make([]string, 0, 4)
	for range 4 {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			break
		}
		parts = append(parts, path[i+1:])
		path = path[:i]
	}
	if len(parts) == 4 && parts[1] == "_history" {
		parts = parts[2:]
	}
	if len(parts) >= 2 && v.defs.IsResource(parts[1]) && validID(parts[0]) {
		return parts[1]
	}
	return ""
}

// checkReference tests what every Reference must satisfy: its form, that a
// fragment exists, and that its type agrees.
func (v *Validator) checkReference(r *run, n *fhir.Node) {
	named := n.Get("type")
	if named.Kind() == fhir.String && !strings.Contains(named.Text(), "/") && !v.defs.IsResource(named.Text()) {
		r.reportBelow(named, fhir.Error, msgReferenceTypeName, "type", "")
		return
	}
	literal := n.Get("reference")
	if literal.Kind() != fhir.String {
		return
	}
	t := r.targetOf(literal.Text())
	switch t.form {
	case malformed:
		severity := fhir.Error
		if r.thorough && literal.Text() != "" && !strings.ContainsAny(literal.Text(), " \t\r\n") {
			severity = fhir.Warning // it may be an address relative to something else than a FHIR server
		}
		r.report(literal, severity, msgReferenceFormat)
		return
	case fragment:
		if !r.scope.use(t.fragment) {
			r.fail(literal, msgReferenceUnresolved)
			return
		}
		t.resource = r.scope.typeOf(t.fragment)
	}
	if named.Kind() == fhir.String && t.resource != "" &&
		strings.TrimPrefix(named.Text(), definitions.Canonical) != t.resource {
		r.reportBelow(named, fhir.Error, msgReferenceMismatch, "type", "")
	}
}

// targetCheck tests that references of a property point to the types it
// allows; nil if it allows any.
func (v *Validator) targetCheck(p *definitions.Property) check {
	ref := p.Ref()
	if ref == nil || len(ref.Targets) == 0 || ref.AllowsTarget("") {
		return nil
	}
	names := strings.Join(ref.Targets, ", ")
	return func(r *run, n *fhir.Node) {
		literal := n.Get("reference")
		t := r.targetOf(literal.Text())
		if t.form == fragment {
			t.resource = r.scope.typeOf(t.fragment)
		}
		if t.resource == "" {
			literal = n.Get("type")
			t.resource = strings.TrimPrefix(literal.Text(), definitions.Canonical)
		}
		if t.resource != "" && !ref.AllowsTarget(t.resource) {
			r.fail(literal, msgReferenceType, names)
		}
	}
}

// checkAbsolute tests that the address of a bundle's entry is a URL or URN of
// its own.
func checkAbsolute(r *run, n *fhir.Node) {
	if scheme, rest, ok := strings.Cut(n.Text(), ":"); !ok || !validScheme(scheme) || rest == "" {
		path := r.path
		r.path = r.path[:len(r.path)-1]
		r.fail(n, msgFullURL)
		r.path = path
	}
}
