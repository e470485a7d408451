package snapshot_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// differ compares the elements of two definitions in what a snapshot decides: id, path, cardinality, types with their
// profiles, binding, fixed and pattern values, keys of constraints and slicing. It returns the first differences.
func differ(want, got *fhir.Node, part string) string {
	a, b := facts(want, part), facts(got, part)
	var out []string
	for i := range max(len(a), len(b)) {
		var w, g string
		if i < len(a) {
			w = a[i]
		}
		if i < len(b) {
			g = b[i]
		}
		if w != g {
			out = append(out, "\n  want "+w+"\n  got  "+g)
		}
		if len(out) == maxDifferences {
			break
		}
	}
	return strings.Join(out, "")
}

var maxDifferences = 4

func facts(sd *fhir.Node, part string) []string {
	var out []string
	for _, e := range sd.Path(part, "element").Items() {
		out = append(out, fact(e))
	}
	return out
}

func fact(e *fhir.Node) string {
	var b strings.Builder
	first := e.Path("base", "path").Text()
	fmt.Fprintf(&b, "%s %s %s..%s", e.Get("id").Text(), e.Get("path").Text(), e.Get("min").Text(), e.Get("max").Text())
	for _, t := range e.Get("type").Items() {
		if code := t.Get("code").Text(); otherTypes[code] && e.Get("type").Len() > 1 || otherTypesOf[first] == code {
			continue
		}
		fmt.Fprintf(&b, " %s", t.Get("code").Text())
		for _, list := range []string{"profile", "targetProfile"} {
			var urls []string
			for _, u := range t.Get(list).Items() {
				if !slices.Contains(otherTargets[first], strings.TrimPrefix(u.Text(), definitions.Canonical)) {
					urls = append(urls, u.Text())
				}
			}
			slices.Sort(urls)
			if len(urls) > 0 {
				fmt.Fprintf(&b, "%s%v", list[:1], urls)
			}
		}
	}
	if v := e.Get("binding"); v != nil && !otherBindings[first] {
		fmt.Fprintf(&b, " <%s %s>", v.Get("strength").Text(), unversioned(v.Get("valueSet").Text()))
	}
	for _, v := range e.All() {
		if strings.HasPrefix(v.Name(), "fixed") || strings.HasPrefix(v.Name(), "pattern") {
			fmt.Fprintf(&b, " %s=%s", v.Name(), ordered(v).AppendJSON(nil))
		}
	}
	var keys []string
	for _, c := range e.Get("constraint").Items() {
		key := c.Get("key").Text()
		if in, ok := otherKeys[key]; ok {
			key = in
		}
		if key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	fmt.Fprintf(&b, " %v", keys)
	if s := e.Get("slicing"); s != nil {
		fmt.Fprintf(&b, " slicing")
		for _, d := range s.Get("discriminator").Items() {
			fmt.Fprintf(&b, " %s:%s", d.Get("type").Text(), d.Get("path").Text())
		}
		order := s.Get("ordered").Text()
		if order == "" {
			order = "false"
		}
		fmt.Fprintf(&b, " ordered=%s %s", order, s.Get("rules").Text())
	}
	return b.String()
}

// The wanted snapshots of the corpus were made from the definitions of R4B, those here are made from R4's. What differs
// between the two has nothing to do with how a snapshot is made: the version of FHIR's own value sets, constraints and
// bindings that were added or renamed, two types that R4 does not have. It is brought to the words of R4 on both sides.
var (
	otherKeys  = map[string]string{"dom-r4b": "", "cnl-0": "pdf-0", "que-1a": "que-1", "que-1b": "", "que-1c": ""}
	otherTypes = map[string]bool{"CodeableReference": true, "RatioRange": true, "Meta": true}
	// By the path of the element where it is first defined.
	otherTypesOf = map[string]string{
		"PlanDefinition.subject[x]": "canonical", "PlanDefinition.action.subject[x]": "canonical",
	}
	otherTargets = map[string][]string{
		"Observation.subject": {"Medication", "Organization", "Practitioner", "Procedure", "Substance"},
	}
	otherBindings = map[string]bool{
		"PlanDefinition.action.code": true, "PlanDefinition.action.reason": true, "PlanDefinition.action.participant.role": true,
		"Contract.term.action.performerType": true, "Contract.term.action.performerRole": true,
		"ExplanationOfBenefit.priority": true, "Composition.category": true, "Composition.confidentiality": true,
	}
)

func unversioned(url string) string {
	if base, version, ok := strings.Cut(url, "|"); ok && (version == "4.3.0" || version == "4.0.1") {
		return base
	}
	return url
}

// ordered is a value with its properties by name: XML has them in another order than JSON.
func ordered(n *fhir.Node) *fhir.Node {
	switch n.Kind() {
	case fhir.Array:
		out := fhir.NewArray()
		for _, v := range n.All() {
			out.Append(ordered(v))
		}
		return out
	case fhir.Object:
		var names []string
		for _, v := range n.All() {
			names = append(names, v.Name())
		}
		slices.Sort(names)
		out := fhir.NewObject()
		for _, name := range names {
			out.Set(name, ordered(n.Get(name)))
		}
		return out
	}
	return n.Clone()
}
