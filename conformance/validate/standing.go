package validate

import (
	"slices"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
)

// Standing are the resources of packages that hold without being named by what
// they hold for: see Options.
func Standing(set *packages.Set) []*fhir.Node {
	var out []*fhir.Node
	for _, p := range set.Packages() {
		for _, kind := range []string{"ImplementationGuide", "CodeSystem"} {
			for _, url := range p.URLs(kind) {
				if n, ok := p.Resolve(kind, url); ok && stands(n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

func stands(n *fhir.Node) bool {
	return n.ResourceType() == "ImplementationGuide" || n.ResourceType() == "CodeSystem" && n.Get("content").Text() == "supplement"
}

// supplements are those of code systems.
func supplements(standing []*fhir.Node) []*fhir.Node {
	var out []*fhir.Node
	for _, n := range standing {
		if n.ResourceType() == "CodeSystem" && stands(n) {
			out = append(out, n)
		}
	}
	return out
}

// maxGlobal bounds how many profiles guides may ask of every resource of a type.
const maxGlobal = 16

// globalProfiles are the profiles that guides want every resource of a type to
// conform to.
func globalProfiles(standing []*fhir.Node) map[string][]string {
	out := map[string][]string{}
	for _, n := range standing {
		if n.ResourceType() != "ImplementationGuide" {
			continue
		}
		for _, g := range n.Get("global").Items() {
			typ, url := g.Get("type").Text(), g.Get("profile").Text()
			if url != "" && len(out[typ]) < maxGlobal && !slices.Contains(out[typ], url) {
				out[typ] = append(out[typ], url)
			}
		}
	}
	return out
}

// globally judges a resource by the profiles that hold for all of its type.
func (r *run) globally(n *fhir.Node, typ string) {
	for _, url := range r.v.global[typ] {
		p, err := r.v.profile(url)
		switch {
		case err != nil:
			r.report(n, fhir.Warning, msgGlobalUnusable, url, err)
		case p == nil:
			r.report(n, fhir.Warning, msgGlobalUnknown, url)
		case p.typ == typ || r.v.defs.IsA(typ, p.typ):
			r.report(n, fhir.Information, msgGlobal, p.url)
			r.conform(p, r.resourceItem(n))
		}
	}
}
