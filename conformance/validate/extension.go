package validate

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// checkExtension tests that an extension has a value or extensions, not both
// (ext-1), and that one published with FHIR holds what its definition says.
// That it has a url is a matter of cardinality.
func (v *Validator) checkExtension(r *run, n *fhir.Node) {
	value, nested := extensionValue(n), n.Get("extension")
	switch {
	case value != "" && nested != nil:
		r.fail(n, msgExtensionBoth, "")
	case value == "" && nested == nil:
		r.fail(n, msgExtensionEmpty, "")
	default:
		if known := v.defs.Extension(n.Get("url").Text()); known != nil {
			v.checkDefined(r, n, known, "")
		}
	}
}

// extensionValue is the name of the property holding the value, without the
// underscore of a primitive that has only an extension; empty if there is none.
func extensionValue(n *fhir.Node) string {
	for _, k := range n.All() {
		name := strings.TrimPrefix(k.Name(), "_")
		if len(name) > len("value") && strings.HasPrefix(name, "value") {
			return name
		}
	}
	return ""
}

// checkDefined tests an extension or part against its definition. place leads
// from where the walk is to the part.
func (v *Validator) checkDefined(r *run, n *fhir.Node, def *definitions.Extension, place string) {
	value := extensionValue(n)
	if value != "" {
		allowed := false
		for i := range def.Types {
			allowed = allowed || value[len("value"):] == definitions.Capital(def.Types[i].Code)
		}
		if !allowed {
			r.reportBelow(n, fhir.Error, msgExtensionType, place, def.URL)
		}
	} else if def.ValueRequired {
		r.reportBelow(n, fhir.Error, msgExtensionType, place, def.URL)
	}
	if len(def.Parts) == 0 {
		return
	}
	counts := make([]int, len(def.Parts))
	for i, k := range n.Get("extension").All() {
		at := strings.TrimPrefix(place+".extension["+strconv.Itoa(i)+"]", ".")
		url := k.Get("url").Text()
		part := -1
		for j, p := range def.Parts {
			if p.URL == url {
				part = j
			}
		}
		switch {
		case part >= 0:
			counts[part]++
			v.checkDefined(r, k, def.Parts[part], at)
		case url != "" && !strings.Contains(url, ":"):
			// An absolute url is another extension, on this one.
			r.reportBelow(k, fhir.Error, msgExtensionPart, at, def.URL)
		}
		if part < 0 && r.thorough {
			r.reportBelow(k, fhir.Information, msgSliceNone, at, def.URL)
		}
	}
	for j, p := range def.Parts {
		if counts[j] < p.Min {
			r.reportBelow(n, fhir.Error, msgExtensionMissing, place, p.URL)
		}
		if p.Max >= 0 && counts[j] > p.Max {
			r.reportBelow(n, fhir.Error, msgExtensionTooMany, place, p.URL)
		}
	}
}
