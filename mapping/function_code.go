package mapping

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/record"
)

var codeFunctions = []*function{
	{name: "codeable", makes: []string{"CodeableConcept"}, inputs: []string{"display", "system"}, keys: []string{"table", "text", "system"},
		compile: func(c *compiler, f *call) applier {
			in, ok := c.codingSystem(f)
			if !ok {
				return nil
			}
			path := f.target.path
			return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
				list, text := r.codings(in, f, at, v, path)
				if len(list) == 0 && text == "" {
					return out, false
				}
				concept := fhir.NewObject()
				if len(list) > 0 {
					concept.Set("coding", fhir.NewArray(list...))
				}
				if text != "" {
					concept.SetString("text", text)
				}
				r.count(4 * len(list))
				return append(out, product{node: concept}), false
			}
		}},
	{name: "coding", makes: []string{"Coding"}, inputs: []string{"display", "system"}, keys: []string{"table", "system"},
		compile: func(c *compiler, f *call) applier {
			in, ok := c.codingSystem(f)
			if !ok {
				return nil
			}
			if in.table == nil && in.uri == "" && f.inputs["system"] == nil {
				c.errorf(f.node.Position, "%s is a Coding without a system; want table, system, or with: {system: PATH}", f.target.path)
				return nil
			}
			path, repeats := f.target.path, f.target.repeats()
			return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
				list, _ := r.codings(in, f, at, v, path)
				for i, coding := range list {
					if i > 0 && !repeats {
						break
					}
					r.count(3)
					out = append(out, product{node: coding})
				}
				return out, false
			}
		}},
	{name: "display", makes: []string{"string"}, keys: []string{"table"}, compile: func(c *compiler, f *call) applier {
		if f.table == nil {
			c.errorf(f.node.Position, "display without table; want the table whose names it gives")
			return nil
		}
		table, path := f.table, f.target.path
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			tr := table.Translate(v.text)
			if !tr.Found() {
				r.unmapped(table.Name(), tr, "", path, v.node)
				return out, false
			}
			if tr.Source.Display == "" {
				return out, true
			}
			return append(out, product{node: fhir.NewString(tr.Source.Display)}), false
		}
	}},
	{name: "coding-system", makes: []string{"uri"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			s := r.inst.codingNamed(v.text)
			uri := s.uri
			if s.table != nil {
				uri = s.table.Source()
			}
			if uri == "" {
				return out, false
			}
			return append(out, product{node: fhir.NewString(uri)}), false
		}
	}},
}

// codingSystem reads table: and system: of a code function.
func (c *compiler) codingSystem(f *call) (coding, bool) {
	in := coding{table: f.table}
	if f.system == nil {
		return in, true
	}
	if f.table != nil {
		c.errorf(f.system.Position, "both table and system; the table says its system")
		return in, false
	}
	name := c.text(f.system, "a coding system")
	switch {
	case name == "":
		return in, false
	case isURI(name):
		in.uri = name
		return in, true
	}
	if known, ok := c.inst.codings[name]; ok {
		return known, true
	}
	c.errorf(f.system.Position, "unknown coding system %q; want a name under systems: of institution.yaml, or a URI", name)
	return in, false
}

// codings makes the codings of a code: the standard one first, then the institution's own. Printed is the text beside the
// code, what the table calls it, or the text itself where there is no system.
func (r *run) codings(in coding, f *call, at *record.Node, v value, path string) (list []*fhir.Node, printed string) {
	if d := f.input(r, at, "display"); d.present() {
		printed = clean(d.text)
	}
	if f.text != nil {
		if t := f.text.read(r, at); t.present() {
			printed = clean(t.text)
		}
	}
	if name := f.input(r, at, "system"); name.present() && in.table == nil {
		in = r.inst.codingNamed(name.text)
	}
	code := clean(v.text)
	if in.table == nil {
		if in.uri == "" {
			if printed == "" {
				printed = code
			} else if isCode(code) {
				list = append(list, newCoding(codes.Coding{Code: code, Display: printed}))
			}
			return list, printed
		}
		if !isCode(code) {
			r.issue(fhir.Warning, fhir.TypeCodeInvalid, "code-format", path, v.node, "not a code: want no double spaces or line breaks")
			return nil, printed
		}
		display := printed
		if display == "" {
			display = r.inst.defs.Display(in.uri, code)
		}
		return []*fhir.Node{newCoding(codes.Coding{System: in.uri, Code: code, Display: display})}, printed
	}
	tr := in.table.Translate(v.text)
	if !tr.Mapped() {
		r.unmapped(in.table.Name(), tr, printed, path, v.node)
	} else {
		target := tr.Target
		if target.Display == "" {
			target.Display = r.inst.defs.Display(target.System, target.Code)
		}
		list = append(list, newCoding(target))
	}
	own := tr.Source
	if b, ok := codes.Builtin(in.table.Name()); ok && !tr.Found() && own.System == b.Source() {
		if printed == "" { // a published system does not have this code
			printed = code
		}
		return list, printed
	}
	if own.Display == "" {
		own.Display = printed
	}
	if own.System != "" && own.Code != "" && (own.System != tr.Target.System || own.Code != tr.Target.Code) && isCode(own.Code) {
		list = append(list, newCoding(own))
	}
	if printed == "" {
		printed = tr.Source.Display
	}
	return list, printed
}

func newCoding(c codes.Coding) *fhir.Node {
	n := fhir.NewObject()
	if c.System != "" {
		n.SetString("system", c.System)
	}
	n.SetString("code", c.Code)
	if c.Display != "" {
		n.SetString("display", c.Display)
	}
	return n
}

// codingNamed returns what a coding-system name of a record stands for: what institution.yaml says, then what HL7 and
// Chinese senders call it, then a URI or OID itself, then a system of the institution under that name.
func (inst *Institution) codingNamed(name string) coding {
	name = strings.TrimSpace(name)
	if c, ok := inst.codings[name]; ok {
		return c
	}
	if name == "" {
		return coding{}
	}
	if isURI(name) {
		return coding{uri: name}
	}
	if isDotted(name) {
		return coding{uri: "urn:oid:" + name}
	}
	for _, t := range [...]string{"v2-0396", "v2-0396-china"} {
		if table, ok := codes.Builtin(t); ok {
			if tr := table.Translate(name); tr.Mapped() {
				return coding{uri: tr.Target.Code}
			}
		}
	}
	if n, ok := strings.CutPrefix(strings.ToUpper(name), "HL7"); ok && len(n) == 4 && strings.Trim(n, "0123456789") == "" {
		return coding{uri: "http://terminology.hl7.org/CodeSystem/v2-" + n}
	}
	if s := slug(name); s != "" {
		return coding{uri: codes.LocalSystem(inst.alliance, inst.id, s)}
	}
	return coding{}
}
