package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// extensionRules say where an extension may be.
type extensionRules struct {
	contexts   []extensionContext
	invariants []string
	modifier   bool
}

type extensionContext struct{ kind, expression string }

func readExtensionRules(n *fhir.Node) *extensionRules {
	rules := &extensionRules{invariants: textList(n.Get("contextInvariant"))}
	for _, c := range n.Get("context").Items() {
		rules.contexts = append(rules.contexts, extensionContext{c.Get("type").Text(), c.Get("expression").Text()})
	}
	for _, e := range n.Path("snapshot", "element").Items() {
		if e.Get("path").Text() == "Extension" {
			rules.modifier = e.Get("isModifier").Text() == "true"
		}
	}
	// The path walk above takes the first item only; the root is the first.
	if root := n.Get("snapshot").Get("element").At(0); root != nil {
		rules.modifier = root.Get("isModifier").Text() == "true"
	}
	return rules
}

// checkExtensionURL tests the form of an extension's url.
func (v *Validator) checkExtensionURL(r *run, n *fhir.Node) {
	url := n.Get("url")
	if url.Kind() != fhir.String {
		return
	}
	if strings.Contains(url.Text(), "|") {
		r.fail(n, msgExtensionVersion)
	}
}

// adviseExtension tests whether an extension is known and may be where it is.
func (v *Validator) adviseExtension(r *run, n *fhir.Node, modifier bool) {
	url := n.Get("url").Text()
	if url == "" {
		return
	}
	if !strings.Contains(url, ":") {
		if !r.withinExtension() {
			r.fail(n, msgExtensionRelative)
		}
		return
	}
	known := v.defs.Extension(url)
	if known != nil && !strings.Contains(url, "|") {
		v.placed(r, n, known.URL, contextsOf(known), nil, known.Modifier, modifier)
		return
	}
	p, err := v.profile(url)
	if unversioned, _, has := strings.Cut(url, "|"); p == nil && has {
		p, err = v.profile(unversioned)
	}
	switch {
	case err != nil:
		r.report(n, fhir.Warning, msgExtensionUnusable, err)
	case p == nil || p.typ != "Extension":
		r.unknownExtension(n, modifier)
	default:
		v.placed(r, n, p.url, p.ext.contexts, p.ext.invariants, p.ext.modifier, modifier)
		it := item{element: fhir.Element{Value: n}, typ: "Extension"}
		if prop, err := v.defs.Resolve("Extension"); err == nil {
			it.property, it.container = prop, prop.Container()
		}
		r.conform(p, it)
	}
}

func (r *run) unknownExtension(n *fhir.Node, modifier bool) {
	if modifier && !example(n.Get("url").Text()) {
		r.fail(n, msgExtensionModifierUnknown)
		return
	}
	if example(n.Get("url").Text()) {
		if r.v.options.NoExamples {
			r.reportBelow(n.Get("url"), fhir.Error, msgExtensionExample, "url")
		} else {
			return
		}
	}
	if strings.HasPrefix(n.Get("url").Text(), core) {
		// HL7 publishes extensions for R4 apart from R4 too.
		if r.v.options.UnknownExtensions == fhir.Information {
			r.report(n, fhir.Information, msgExtensionUnknown)
		}
		return
	}
	r.report(n, r.v.options.UnknownExtensions, msgExtensionUnknown)
}

// example reports whether a URL is one that stands for those of others.
func example(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	for _, domain := range []string{"example.org", "example.com", "acme.com"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// misplaced are extensions whose context R4 tells wrongly: its own definitions
// have them elsewhere.
var misplaced = map[string]string{
	core + "structuredefinition-fhir-type":         "ElementDefinition.type",
	core + "structuredefinition-standards-status":  "Element",
	core + "structuredefinition-normative-version": "Element",
	core + "regex": "ElementDefinition.type",
}

func contextsOf(e *definitions.Extension) []extensionContext {
	out := make([]extensionContext, len(e.Contexts))
	for i, c := range e.Contexts {
		if better, ok := misplaced[e.URL]; ok {
			c = better
		}
		out[i] = extensionContext{"element", c}
	}
	return out
}

// withinExtension reports whether the place is an extension of an extension.
func (r *run) withinExtension() bool {
	if len(r.path) < 2 {
		return false
	}
	name := r.path[len(r.path)-2].name
	return name == "extension" || name == "modifierExtension"
}

// placed tests an extension's place against the contexts of its definition. The
// path is that of the extension.
func (v *Validator) placed(r *run, n *fhir.Node, url string, contexts []extensionContext, rules []string, isModifier, modifier bool) {
	switch {
	case modifier && !isModifier:
		r.fail(n, msgExtensionNotModifier, url)
	case !modifier && isModifier:
		r.fail(n, msgExtensionModifier, url)
	}
	here := r.place()
	allowed := len(contexts) == 0
	var names []string
	for _, c := range contexts {
		names = append(names, c.expression)
		allowed = allowed || v.fitsContext(r, here, c)
	}
	// The location is that of the holder, as the published validator suite has it; line and column are the extension's.
	own := r.path
	r.path = r.path[:len(r.path)-1]
	if !allowed {
		r.fail(n, msgExtensionContext, url, strings.Join(names, ", "))
	}
	for _, rule := range rules {
		x, err := v.model.Compile(rule, fhirpath.Options{Lenient: true, Variables: []string{"extension"}})
		if err != nil || len(here.value) == 0 {
			continue
		}
		env := *r.scope.env
		env.Variables = map[string][]fhirpath.Value{"extension": {v.untyped(fhir.Element{Value: n})}}
		if holds, _, err := x.Holds(&env, here.value[0]); err == nil && !holds {
			r.fail(n, msgExtensionContextRule, url, rule)
		}
	}
	r.path = own
}

// place is the element that holds an extension.
type place struct {
	paths []string // in definitions: "Patient.name", "HumanName", ancestors of it
	value []fhirpath.Value
	url   string // of the extension it is part of
}

// place finds what the definitions call the holder of the extension at the
// path's end, by following the path from the resource down.
func (r *run) place() place {
	var out place
	t := r.v.defs.Type(r.root)
	if t == nil || len(r.path) == 0 {
		return out
	}
	node := r.top
	var extra *fhir.Node
	container := t.Root()
	name, typ := t.Name, t.Name
	var property *definitions.Property
	passed := make([]string, len(r.path)) // urls of extensions on the way
	for at, s := range r.path[:len(r.path)-1] {
		key := s.name
		if stem, rest, ok := strings.Cut(key, ".ofType("); ok {
			key = stem + definitions.Capital(strings.TrimSuffix(rest, ")"))
		}
		if container == nil {
			return place{}
		}
		p := container.Child(key)
		if p == nil {
			return place{}
		}
		holder := node
		if holder.Kind() != fhir.Object {
			holder = extra
		}
		value, beside := holder.Get(key), holder.Get("_"+key)
		if s.index != none {
			value, beside = value.At(s.index), beside.At(s.index)
		}
		if value == nil && beside == nil {
			return place{}
		}
		node, extra = value, beside
		property, container, typ = p, p.Container(), p.Type
		if typ == "Extension" {
			passed[at] = node.Get("url").Text()
		}
		name += "." + strings.TrimSuffix(p.Element.Name, "[x]")
		if p.Element.Backbone() || p.Element.ContentReference != "" {
			name = p.Container().Path
		} else if p.Element.Owner().Kind == definitions.Complex {
			name = p.Element.Owner().Name + "." + strings.TrimSuffix(p.Element.Name, "[x]")
		}
		if r.v.defs.KindOf(typ) == definitions.Resource {
			if typ = node.ResourceType(); !r.v.defs.IsResource(typ) {
				return place{}
			}
			container, name, property = r.v.defs.Type(typ).Root(), typ, nil
		} else if inner := p.Container(); inner != nil && !p.Element.Backbone() && p.Element.ContentReference == "" {
			container = inner
		}
	}
	for i := len(r.path) - 2; i >= 0 && out.url == ""; i-- {
		out.url = passed[i]
	}
	out.paths = append(out.paths, name)
	for at := typ; at != ""; {
		out.paths = append(out.paths, at)
		t := r.v.defs.Type(at)
		if t == nil {
			break
		}
		at = t.Base
	}
	if typ == "BackboneElement" || r.v.defs.KindOf(typ) == definitions.Resource && typ != "" {
		out.paths = append(out.paths, "Element")
	}
	if property != nil {
		out.value = []fhirpath.Value{r.v.model.Element(fhir.Element{Value: node, Extra: extra}, property)}
	} else {
		out.value = []fhirpath.Value{r.v.model.Resource(node)}
	}
	return out
}

func (v *Validator) fitsContext(r *run, here place, c extensionContext) bool {
	switch c.kind {
	case "extension":
		return here.url == c.expression
	case "fhirpath":
		x, err := v.model.Compile(c.expression, fhirpath.Options{Lenient: true})
		if err != nil || len(here.value) == 0 {
			return true // nothing can be said
		}
		found, err := x.Append(nil, r.scope.env, v.model.Resource(r.scope.node))
		if err != nil {
			return true
		}
		for _, f := range found {
			if f.Node() != nil && f.Node() == here.value[0].Node() {
				return true
			}
		}
		return false
	}
	if len(here.paths) == 0 {
		return true // the place is not one that definitions know
	}
	want, _, _ := strings.Cut(c.expression, "#")
	if i := strings.LastIndexByte(c.expression, '#'); i >= 0 {
		want = c.expression[i+1:]
	}
	want = strings.TrimSuffix(want, "[x]")
	for _, p := range here.paths {
		if p == want {
			return true
		}
	}
	return here.url == c.expression
}
