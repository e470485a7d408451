package validate

import (
	"github.com/yilian/yilian/conformance/fhir"
)

// judgeDefinition tests that a profile's differential can be applied.
func (r *run) judgeDefinition(n *fhir.Node) {
	if n.Get("derivation").Text() != "constraint" || n.Path("differential", "element") == nil {
		return
	}
	r.judgeTypeProfiles(n)
	_, issues := r.v.generator().Generate(n)
	for _, i := range issues {
		switch {
		case i.Severity != fhir.Error || i.Code == fhir.TypeNotFound:
		case i.ID == "cycle":
			r.report(n, fhir.Warning, msgSnapshot, i)
		default:
			r.fail(n, msgSnapshot, i)
		}
	}
}

// judgeTypeProfiles tests that the profiles on types are for these types.
func (r *run) judgeTypeProfiles(n *fhir.Node) {
	for i, e := range n.Path("differential", "element").Items() {
		for j, t := range e.Get("type").Items() {
			code := t.Get("code").Text()
			for k, url := range t.Get("profile").Items() {
				typ := r.profiledType(url.Text())
				if typ == "" || r.v.defs.KindOf(code) == 0 || r.v.defs.IsA(typ, code) && typ == code || code == "Resource" {
					continue
				}
				r.push("differential", none)
				r.push("element", i)
				r.push("type", j)
				r.push("profile", k)
				r.fail(url, msgTypeProfile, typ)
				r.path = r.path[:len(r.path)-4]
			}
		}
	}
}

// profiledType is the type that a definition is for, empty if it is not known.
func (r *run) profiledType(url string) string {
	if t := r.v.defs.Type(url); t != nil {
		return t.Name
	}
	return r.v.definition("StructureDefinition", url).Get("type").Text()
}
