package snapshot

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// apply puts the properties of a change over those of an element. What lies below it changes when the change names an
// element of a profile to take its place.
func (w *work) apply(e *element, c *change, at context) (out properties, children []*element) {
	out, children = e.props, e.children
	if !at.slicedBefore {
		out, children = w.profiled(e, c, at)
	}
	for _, p := range c.props {
		if p.value.Len() > w.limits.Items {
			w.contradiction(c, at, "too-many-items", "{1} has more than {2} values", clip(p.name), w.limits.Items)
			continue
		}
		switch p.name {
		case "base":
		case "min", "max":
			out = w.cardinality(out, c, p, at)
		case "type":
			out = w.types(e, out, c, p, at)
		case "short", "label", "definition", "comment", "requirements", "meaningWhenMissing":
			out = out.with(p.name, appended(out.get(p.name), p.value))
		case "constraint":
			out = out.with(p.name, constraints(out.get(p.name), p.value, at.url))
		case "mapping", "code", "alias", "condition", "example", "extension", "modifierExtension", "representation":
			out = out.with(p.name, union(out.get(p.name), p.value))
		case "binding":
			out = out.with(p.name, w.binding(out.get(p.name), c, p.value, at))
		case "mustSupport":
			if out.get(p.name).Text() == "true" && p.value.Text() == "false" {
				w.contradiction(c, at, "must-support", "mustSupport cannot be taken back")
				continue
			}
			out = out.with(p.name, p.value)
		default:
			out = w.value(out, c, p, at)
		}
	}
	if codes := out.typeCodes(); len(codes) > 0 && !slices.ContainsFunc(codes, bindable) {
		out = out.with("binding", nil)
	}
	if least, most := out.min(), out.max(); least > most {
		w.contradiction(c, at, "cardinality", "min {1} is above max {2}", least, most)
		out = out.with("min", e.props.get("min")).with("max", e.props.get("max"))
	}
	return out, children
}

// bindable reports whether a type can have a binding. Of types that R4 does not define nobody knows.
func bindable(code string) bool {
	switch code {
	case "Extension", "Reference", "BackboneElement", "Element", "Identifier", "HumanName", "Address", "ContactPoint",
		"Period", "Range", "Ratio", "Attachment", "Annotation", "Timing", "SampledData", "Signature", "Narrative", "Meta",
		"boolean", "integer", "decimal", "date", "dateTime", "instant", "time", "base64Binary", "positiveInt", "unsignedInt":
		return false
	}
	return true
}

func (w *work) contradiction(c *change, at context, id, text string, details ...any) {
	w.report(c.index, fhir.Error, fhir.TypeBusinessRule, id, "{1}: {2}", clip(at.path), texts.Say(text, details...))
}

// profiled lays the root of the one profile that a change names over the element: what the profile says of the whole. An
// extension on the profile's URL may name an element of it to be taken instead of the root.
func (w *work) profiled(e *element, c *change, at context) (properties, []*element) {
	props := e.props
	types := c.props.types()
	if len(types) != 1 || types[0].Get("code").Text() == "Reference" {
		return props, e.children
	}
	profiles := types[0].Get("profile").Items()
	if len(profiles) != 1 {
		return props, e.children
	}
	url := profiles[0].Text()
	if had := props.types(); len(had) == 1 && had[0].Path("profile").Text() == url {
		return props, e.children
	}
	if w.making(url) {
		// What refers to itself below its root adds nothing to itself.
		w.cut++
		if at.depth == 0 {
			w.report(c.index, fhir.Error, fhir.TypeBusinessRule, "cycle", "the definition is made from itself")
		}
		return props, e.children
	}
	s := w.profile(url, c, at)
	if s == nil {
		return props, e.children
	}
	code := types[0].Get("code").Text()
	root, children := s.root, e.children
	if id := profileElement(types[0]); id != "" {
		if root = s.find(id); root == nil {
			w.report(c.index, fhir.Error, fhir.TypeNotFound, "profile-element",
				"{1}: the profile {2} has no element {3}", clip(at.path), clip(url), clip(id))
			return props, e.children
		}
		children = root.children
	} else if s.typ != code && !w.isA(s.typ, code) {
		w.report(c.index, fhir.Error, fhir.TypeInvalid, "profile-type",
			"{1}: the profile {2} is one of {3}, not of {4}", clip(at.path), clip(url), clip(s.typ), clip(code))
		return props, e.children
	}
	extension := code == "Extension"
	for _, p := range root.props {
		switch p.name {
		case "base", "type", "slicing", "contentReference", "mustSupport", "isModifier", "isSummary":
		case "min", "max":
			if extension && within(props, p) {
				props = props.with(p.name, p.value)
			}
		case "constraint":
			props = props.with(p.name, constraints(props.get(p.name), p.value, s.url))
		case "mapping", "alias", "condition", "code", "example", "representation", "extension":
			props = props.with(p.name, union(props.get(p.name), p.value))
		default:
			props = props.with(p.name, p.value)
		}
	}
	return props, children
}

// profileElement is the id of the element of its profile that a type means; "" for the root.
func profileElement(t *fhir.Node) string {
	for _, x := range t.Get("_profile").Items() {
		for _, e := range x.Get("extension").Items() {
			if e.Get("url").Text() == definitions+"elementdefinition-profile-element" {
				return e.Get("valueString").Text()
			}
		}
	}
	return ""
}

// profile finds the profile of a type, and says so when it cannot be had.
func (w *work) profile(url string, c *change, at context) *structure {
	inner := w.inner
	w.inner = fhir.Text{}
	defer func() {
		if inner != (fhir.Text{}) {
			w.inner = inner
		}
	}()
	s := w.structure(url)
	if s != nil {
		return s
	}
	if _, known := w.source.Resolve("StructureDefinition", url); known {
		if w.inner != (fhir.Text{}) {
			w.report(c.index, fhir.Error, fhir.TypeProcessing, "profile-unusable",
				"{1}: the profile {2} has no snapshot that could be used: {3}", clip(at.path), clip(url), w.inner)
			return nil
		}
		w.report(c.index, fhir.Error, fhir.TypeProcessing, "profile-unusable",
			"{1}: the profile {2} has no snapshot that could be used", clip(at.path), clip(url))
		return nil
	}
	w.report(c.index, fhir.Warning, fhir.TypeNotFound, "profile-missing",
		"{1}: the profile {2} is not known", clip(at.path), clip(url))
	return nil
}

// within reports whether a min or max stays in the bounds of what an element allows.
func within(props properties, p property) bool {
	if p.name == "max" {
		return maximum(p.value.Text()) <= props.max()
	}
	return true
}

func (w *work) cardinality(out properties, c *change, p property, at context) properties {
	switch {
	case p.name == "max" && maximum(p.value.Text()) > out.max():
		w.contradiction(c, at, "cardinality", "max {1} is above {2} of its base", clip(p.value.Text()), out.get("max").Text())
		return out
	case p.name == "min" && (properties{p}).min() < out.min() && !at.newSlice && !at.specialize:
		w.contradiction(c, at, "cardinality", "min {1} is below {2} of its base", clip(p.value.Text()), out.min())
		return out
	}
	return out.with(p.name, p.value)
}

// types replaces the types of an element by those of a change, which must be among them or specialize one.
func (w *work) types(e *element, out properties, c *change, p property, at context) properties {
	had := out.typeCodes()
	if len(had) == 0 {
		return out.with("type", p.value)
	}
	seen := map[string]bool{}
	for _, t := range p.value.Items() {
		code := t.Get("code").Text()
		if seen[code] {
			continue
		}
		seen[code] = true
		if !slices.ContainsFunc(had, func(base string) bool { return w.isA(code, base) }) {
			w.contradiction(c, at, "type-not-allowed", "{1} is none of the types {2}", clip(code), clip(strings.Join(had, ", ")))
			return out
		}
	}
	return out.with("type", p.value)
}

// isA reports whether a type is another, or specializes it.
func (w *work) isA(code, base string) bool {
	if strings.HasPrefix(base, systemTypes) {
		// FHIRPath's own types stand for FHIR's primitives.
		return code == base || code != "" && strings.ToLower(code[:1]) == code[:1]
	}
	url, want := canonicalOf(code), canonicalOf(base)
	for range w.limits.Derivations {
		if url == want || url == "" {
			return url != ""
		}
		s := w.structure(url)
		if s == nil {
			return false
		}
		if s.typ == base {
			return true
		}
		url = s.base
	}
	return false
}

// appended is a text, put behind the base's when it begins with three dots.
func appended(base, text *fhir.Node) *fhir.Node {
	rest, ok := strings.CutPrefix(text.Text(), "...")
	if !ok || base == nil {
		return text
	}
	return fhir.NewString(base.Text() + "\n" + strings.TrimLeft(rest, " "))
}

// constraints are those of the base, and those of a change: it replaces what has the same key.
func constraints(base, change *fhir.Node, url string) *fhir.Node {
	out := fhir.NewArray()
	own := map[string]*fhir.Node{}
	sourced := sourced(properties{{name: "constraint", value: change}}, url).get("constraint").Items()
	for _, v := range sourced {
		own[v.Get("key").Text()] = v
	}
	for _, v := range base.Items() {
		key := v.Get("key").Text()
		if mine := own[key]; mine != nil {
			v = mine
			delete(own, key)
		}
		out.Append(v.Clone())
	}
	for _, v := range sourced {
		if key := v.Get("key").Text(); own[key] != nil {
			out.Append(own[key].Clone())
			delete(own, key)
		}
	}
	return out
}

// union is a list with what a change adds to it.
func union(base, change *fhir.Node) *fhir.Node {
	out := fhir.NewArray()
	seen := map[string]bool{}
	for _, list := range []*fhir.Node{base, change} {
		for _, v := range list.Items() {
			if text := string(v.AppendJSON(nil)); !seen[text] {
				seen[text] = true
				out.Append(v.Clone())
			}
		}
	}
	return out
}

var strengths = []string{"example", "preferred", "extensible", "required"}

// binding lays one over the base's: what it does not say stays.
func (w *work) binding(base *fhir.Node, c *change, own *fhir.Node, at context) *fhir.Node {
	if base == nil {
		return own
	}
	was, is := base.Get("strength").Text(), own.Get("strength").Text()
	if is != "" && slices.Index(strengths, is) < slices.Index(strengths, was) && was == "required" {
		w.contradiction(c, at, "binding", "the binding {1} is weaker than {2} of its base", clip(is), was)
		return base
	}
	if own.Get("valueSet") == nil {
		out := own.Clone()
		if v := base.Get("valueSet"); v != nil {
			out.Set("valueSet", v.Clone())
		}
		own = out
	}
	if own.Get("strength") == nil && was != "" {
		own = own.Clone().SetString("strength", was)
	}
	return own
}

// value replaces any other property. Fixed and pattern values must be of a type of the element, and exclude each other.
func (w *work) value(out properties, c *change, p property, at context) properties {
	for _, prefix := range []string{"fixed", "pattern", "defaultValue", "minValue", "maxValue"} {
		rest, ok := strings.CutPrefix(p.name, prefix)
		if !ok || rest == "" || rest[0] < 'A' || rest[0] > 'Z' {
			continue
		}
		codes := out.typeCodes()
		if t := c.props.typeCodes(); len(t) > 0 {
			codes = t
		}
		if (prefix == "fixed" || prefix == "pattern") && len(codes) > 0 && !slices.ContainsFunc(codes, func(code string) bool {
			return w.valueOf(rest, code)
		}) {
			w.contradiction(c, at, "value-type", "{1} is no value of {2}", clip(p.name), clip(strings.Join(codes, ", ")))
			return out
		}
		if name, _ := out.choiceOf(prefix); name != "" && name != p.name {
			out = out.with(name, nil).with("_"+name, nil)
		}
	}
	return out.with(p.name, p.value)
}

// valueOf reports whether fixedX may stand on an element of that type.
func (w *work) valueOf(name, code string) bool {
	if rest, ok := strings.CutPrefix(code, systemTypes); ok {
		// System.String stands for string, uri, id and whatever else is written as text.
		return rest == name || rest == "String"
	}
	if capital(code) == name {
		return true
	}
	for range w.limits.Derivations {
		s := w.structure(canonicalOf(code))
		if s == nil {
			return false
		}
		if capital(s.typ) == name {
			return true
		}
		if s.base == "" {
			return false
		}
		code = s.base
	}
	return false
}
