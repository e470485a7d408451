package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// target finds what a literal reference leads to, nil if it is not at hand.
func (r *run) target(reference string) *fhir.Node {
	if reference == "" {
		return nil
	}
	if id, ok := strings.CutPrefix(reference, "#"); ok {
		if id == "" {
			return r.scope.node
		}
		if i, ok := r.scope.byID[id]; ok {
			return r.scope.contained[i].node
		}
		return nil
	}
	for i := len(r.bundles) - 1; i >= 0; i-- {
		b := r.bundles[i]
		f := b.resolve(reference, b.at)
		if len(f.entries) == 0 && (!f.based || b.typ == "Parameters") {
			f.entries = f.named
		}
		if len(f.entries) > 0 {
			return b.entries[f.entries[0]].resource
		}
	}
	if r.v.options.Resolver != nil {
		return r.v.options.Resolver.Resolve(reference)
	}
	return nil
}

// checkResolves tests that a reference leads somewhere, as far as that can be
// told: in a bundle and, with a Resolver, outside of it.
func (v *Validator) checkResolves(r *run, n *fhir.Node) {
	literal := n.Get("reference")
	if literal.Kind() != fhir.String {
		return
	}
	text := literal.Text()
	t := r.targetOf(text)
	if t.form == malformed || t.form == fragment || t.form == query {
		return
	}
	if b := r.bundle(); b != nil && b.typ != "Parameters" && r.inBundle(b, t, n, text) {
		return
	}
	found := r.target(text)
	if found == nil {
		if v.options.Resolver != nil && t.resource != "" {
			r.fail(n, msgReferenceNotFound)
		}
		return
	}
	if t.resource != "" && found.ResourceType() != t.resource {
		r.fail(n, msgReferenceFoundType)
	}
}

// targetAdvice tests that a reference which does not name a type leads to one
// that the property allows; nil if it allows any.
func (v *Validator) targetAdvice(p *definitions.Property) adviser {
	ref := p.Ref()
	if ref == nil || len(ref.Targets) == 0 || ref.AllowsTarget("") {
		return nil
	}
	names := strings.Join(ref.Targets, ", ")
	return func(r *run, e fhir.Element) {
		literal := e.Value.Get("reference").Text()
		if literal == "" || literal[0] == '#' || r.targetOf(literal).resource != "" {
			return
		}
		if found := r.target(literal); found != nil && !ref.AllowsTarget(found.ResourceType()) {
			r.fail(e.Value, msgReferenceType, names)
		}
	}
}

// inBundle tests a reference against the bundle around it. It reports whether
// that settles the matter.
func (r *run) inBundle(b *bundle, t target, n *fhir.Node, text string) bool {
	f := b.resolve(text, b.at)
	switch {
	case len(f.entries) > 1:
		r.fail(n, msgReferenceAmbiguous)
		return true
	case len(f.entries) == 1:
		want := t.resource
		if want == "" {
			want = strings.TrimPrefix(n.Get("type").Text(), definitions.Canonical)
		}
		if want != "" && b.entries[f.entries[0]].typ != want && b.entries[f.entries[0]].typ != "" {
			r.fail(n, msgReferenceFoundType)
		}
		return true
	case len(f.named) > 0 && b.typ == "document" && b.at == 0 && t.form == relative:
		// What a document's Composition names has to be in it.
		r.report(n, fhir.Warning, msgReferenceNamed)
		r.fail(n, msgReferenceNotInBundle)
		return true
	case t.form == urn && (b.typ == "document" || b.typ == "message" || b.typ == "transaction"):
		r.fail(n, msgReferenceNotInBundle)
		return true
	case t.form == urn:
		r.report(n, fhir.Warning, msgReferenceNotInBundle)
		return true
	case len(f.named) > 0 && b.typ != "searchset":
		severity := fhir.Warning
		if b.at >= 0 && !strings.HasPrefix(b.entries[b.at].url, "http") && b.typ != "document" && b.typ != "message" {
			severity = fhir.Information // a URN is no base for other addresses
		}
		r.report(n, severity, msgReferenceNamed)
	}
	return false
}

// targetProfiles judges a reference by what its profile wants of the target.
func (r *run) targetProfiles(targets, modes []string, it *item) {
	n := it.element.Value
	literal := n.Get("reference").Text()
	if len(modes) > 0 && literal != "" {
		r.aggregated(modes, literal, it)
	}
	if len(targets) == 0 {
		return
	}
	t := r.targetOf(literal)
	found := r.target(literal)
	typ := t.resource
	if found != nil {
		typ = found.ResourceType()
	} else if typ == "" {
		typ = strings.TrimPrefix(n.Get("type").Text(), definitions.Canonical)
	}
	if typ == "" {
		return
	}
	var profiles []*profile
	var urls, types []string
	for _, url := range targets {
		p, err := r.v.profile(url)
		switch {
		case err != nil:
			return
		case p != nil:
			types = append(types, p.typ)
			if p.typ == typ {
				profiles, urls = append(profiles, p), append(urls, url)
			}
		default:
			kind := r.v.defs.Type(url)
			if kind == nil {
				if found != nil { // it could be judged if the profile were known
					r.fail(it.node(), msgProfileUnknown, url)
				}
				return
			}
			types = append(types, kind.Name)
			if r.v.defs.IsA(typ, kind.Name) {
				return // the type alone will do
			}
		}
	}
	if len(profiles) == 0 {
		r.fail(it.node(), msgReferenceType, strings.Join(types, ", "))
		return
	}
	if found == nil {
		return
	}
	target := r.resourceItem(found)
	for _, p := range profiles {
		if r.elsewhere(found, func() bool { return r.try(p, target) }) {
			return
		}
	}
	for _, p := range profiles {
		r.report(it.node(), fhir.Information, msgReferenceProfileTried, p.url)
	}
	r.fail(it.node(), msgReferenceProfile, strings.Join(urls, ", "))
}

// elsewhere runs f as if the walk were at another resource.
func (r *run) elsewhere(n *fhir.Node, f func() bool) bool {
	path, scope := r.path, r.scope
	r.path = r.path[:len(r.path):len(r.path)]
	switch {
	case n == scope.env.Resource:
	case contains(scope, n) || n == scope.node:
		inner := *scope
		inner.see(r, n, scope.node)
		defer inner.judge.Close()
		r.scope = &inner
	default:
		r.aside(func() { r.scope = r.open(n) })
		if b := r.bundle(); b != nil {
			if i, ok := b.placeOf(n); ok {
				before := b.at
				b.at = i
				defer func() { b.at = before }()
			}
		}
	}
	ok := f()
	r.path, r.scope = path, scope
	return ok
}

func contains(s *scope, n *fhir.Node) bool {
	for i := range s.contained {
		if s.contained[i].node == n {
			return true
		}
	}
	return false
}

// aggregated tests how a reference may lead to its target.
func (r *run) aggregated(modes []string, literal string, it *item) {
	mode := "referenced"
	switch {
	case strings.HasPrefix(literal, "#"):
		mode = "contained"
	case r.bundle() != nil && len(r.bundle().resolve(literal, r.bundle().at).entries) > 0:
		mode = "bundled"
	}
	for _, m := range modes {
		if m == mode || m == "referenced" && mode == "bundled" {
			return
		}
	}
	r.fail(it.node(), msgReferenceAggregation, strings.Join(modes, ", "))
}
