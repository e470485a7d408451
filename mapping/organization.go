package mapping

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// Organization returns the institution as a FHIR Organization whose id is the institution's: what organization: says, and
// name and level where it does not. The tree belongs to the caller.
func (inst *Institution) Organization() *fhir.Node { return inst.organization.Clone() }

func (l *loader) organization(inst *Institution, n *syntax.Node) *fhir.Node {
	own := fhir.NewObject()
	if n != nil && l.mapping(n) {
		c := &compiler{loader: l, inst: inst, m: &Map{format: record.JSON}, names: &scope{}, noting: noting{field: -1}}
		typ := l.defs.Type("Organization")
		in := typ.Root()
		for _, p := range n.Pairs {
			switch p.Key.Text {
			case "id", "resourceType", "meta", "contained":
				l.errorf(p.Key.Position, "%s of the Organization is not set here", p.Key.Text)
				continue
			}
			prop, open := c.child(in, "Organization", p.Key)
			if prop == nil || open != nil {
				continue
			}
			t := &target{prop: prop, typ: prop.Type, elem: prop.Element, path: "Organization." + prop.Name, owner: in}
			if p.Value.Kind == syntax.List && !prop.Repeats() {
				l.errorf(p.Value.Position, "%s may stand only once; want one value, not a list", t.path)
				continue
			}
			items := fhir.NewArray()
			for _, item := range p.Value.List() {
				if k := c.tree(item, t); k != nil {
					items.Append(k)
				}
			}
			switch {
			case items.Len() == 0:
			case prop.Repeats():
				own.Set(prop.Name, items)
			default:
				own.Set(prop.Name, items.At(0))
			}
		}
	}
	if own.Get("name") == nil && inst.name != "" {
		own.SetString("name", inst.name)
	}
	if own.Get("active") == nil {
		own.Set("active", fhir.NewBool(true))
	}
	if inst.level != "" {
		level := fhir.NewObject().Set("coding", fhir.NewArray(fhir.NewObject().
			SetString("system", inst.alliance+"/fhir/CodeSystem/institution-level").SetString("code", inst.level)))
		if own.Get("type") == nil {
			own.Set("type", fhir.NewArray())
		}
		own.Get("type").Append(level)
	}
	out := fhir.NewObject().SetString("resourceType", "Organization").SetString("id", inst.id)
	for _, p := range l.defs.Type("Organization").Properties() {
		if v := own.Get(p.Name); v != nil {
			out.Set(p.Name, v)
		}
	}
	return out
}
