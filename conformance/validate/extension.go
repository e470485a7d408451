package validate

import "github.com/yilian/yilian/conformance/fhir"

// checkExtension tests that an extension has a value or extensions, not both
// (ext-1). That it has a url is a matter of cardinality.
func checkExtension(r *run, n *fhir.Node) {
	value, nested := false, false
	for _, k := range n.All() {
		switch name := k.Name(); {
		case name == "extension":
			nested = true
		case len(name) > 5 && name[:5] == "value", len(name) > 6 && name[:6] == "_value":
			value = true
		}
	}
	switch {
	case value && nested:
		r.fail(n, msgExtensionBoth, "")
	case !value && !nested:
		r.fail(n, msgExtensionEmpty, "")
	}
}
