package mapping

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/organizationid"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/residentid"
)

var identifierFunctions = []*function{
	{name: "identifier", makes: []string{"Identifier"}, inputs: []string{"authority", "type", "use", "start", "end"}, keys: []string{"system"},
		compile: func(c *compiler, f *call) applier {
			static, ok := c.identifierSystem(f.system)
			if !ok {
				return nil
			}
			path := f.target.path
			return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
				s := static
				typ := f.input(r, at, "type")
				var found *identifierSystem
				a := f.input(r, at, "authority")
				if a.present() {
					r.whole(a)
					found = r.inst.authority(a)
				}
				if typ.present() && (!a.present() || found == ownNumbers) {
					found = r.inst.identifierTyped(typ.text)
				}
				if found != nil && found != ownNumbers {
					s = found
				}
				node, none := r.identifier(s, v, path)
				if node == nil {
					return out, none
				}
				if typ.present() && node.Get("type") == nil && isCode(typ.text) {
					node = withType(node, typ.text)
				}
				if use := f.input(r, at, "use"); use.present() && isCode(use.text) {
					node.Prepend("use", fhir.NewString(use.text))
				}
				period := fhir.NewObject()
				for _, side := range [...]string{"start", "end"} {
					if d := f.input(r, at, side); d.present() {
						if n, p := primitive("dateTime", d.text, r.inst.dates); p == nil {
							period.Set(side, n)
						} else if !p.none {
							r.issue(fhir.Warning, fhir.TypeValue, p.id, path+".period", d.node, p.want)
						}
					}
				}
				if period.Len() > 0 {
					node.Set("period", period)
				}
				return append(out, product{node: node}), false
			}
		}},
	{name: "authority", makes: []string{"uri"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			r.whole(v)
			s := r.inst.authority(v)
			if s == nil || s == ownNumbers { // which of its numbers, only a type could say
				return out, false
			}
			return append(out, product{node: fhir.NewString(s.system)}), false
		}
	}},
}

// identifierSystem reads system: of as: identifier: a name of §1, or a URI.
func (c *compiler) identifierSystem(n *syntax.Node) (*identifierSystem, bool) {
	if n == nil {
		return nil, true
	}
	name := c.text(n, "an identifier name")
	if name == "" {
		return nil, false
	}
	if isURI(name) {
		uri := c.inst.Canonical(name)
		if s := c.inst.identifierIn(uri); s != nil {
			return s, true
		}
		return &identifierSystem{name: uri, system: uri}, true
	}
	if s := c.inst.identifierNamed(name); s != nil {
		return s, true
	}
	c.errorf(n.Position, "unknown identifier %q; %s", name, oneOf(name, c.inst.identifierNames()))
	return nil, false
}

// identifierRule compiles the identifier of a logical reference: {system, of, from}.
func (c *compiler) identifierRule(n *syntax.Node, s *scope) func(r *run, at *record.Node, v value, path string) *fhir.Node {
	sys := n.Get("system")
	if sys == nil {
		c.errorf(n.Position, "no system; want the identifier's name")
		return nil
	}
	static, ok := c.identifierSystem(sys)
	if !ok {
		return nil
	}
	c.says(func(f *Field) { f.System = sys.Text })
	var of *operand
	if o := n.Get("of"); o != nil {
		if of = c.operand(o, s); of == nil {
			return nil
		}
		if strings.Contains(sys.Text, "/") {
			c.errorf(n.Key("of").Position, "of names the institution; %q names one already", sys.Text)
			return nil
		}
	}
	name := sys.Text
	return func(r *run, at *record.Node, v value, path string) *fhir.Node {
		s := static
		if of != nil {
			o := of.read(r, at)
			switch {
			case !o.present():
				return nil // whose number it is, is not known: certainly not the institution's own
			case !institutionID(o.text):
				r.issue(fhir.Warning, fhir.TypeValue, "institution-unknown", path, o.node, "not the id of an institution")
				return nil
			}
			s = r.inst.identifierOf(o.text, name)
		}
		node, _ := r.identifier(s, v, path)
		return node
	}
}

// identifier makes an Identifier of a value in a system, which may be nil. A number that fails its check keeps its text but
// not the system: nobody must be found under it.
func (r *run) identifier(s *identifierSystem, v value, path string) (node *fhir.Node, none bool) {
	text := fold.Text(v.text)
	if text == "" || placeholder(text) {
		return nil, true
	}
	checked := true
	if s != nil {
		switch s.check {
		case "resident-id":
			id := residentid.Parse(text)
			if id.Reason.Missing() {
				return nil, true
			}
			checked = id.Valid
			text = id.Number
			if !checked {
				r.issue(fhir.Warning, fhir.TypeValue, "identifier-check", path, v.node, "not a resident identity number: "+id.Reason.String())
			}
		case "organization-id":
			id := organizationid.Parse(text)
			if checked = id.Valid; checked {
				text = id.Code
			} else {
				r.issue(fhir.Warning, fhir.TypeValue, "identifier-check", path, v.node, "not a credit code or organisation code")
			}
		}
	}
	node = fhir.NewObject()
	if s != nil && s.typ != "" {
		node = withType(node, s.typ)
	}
	if s != nil && checked && s.system != "" {
		node.SetString("system", r.inst.Canonical(s.system))
	}
	return node.SetString("value", text), false
}

func withType(node *fhir.Node, code string) *fhir.Node {
	coding := fhir.NewObject().SetString("system", identifierTypes).SetString("code", code)
	node.Prepend("type", fhir.NewObject().Set("coding", fhir.NewArray(coding)))
	return node
}

// placeholder reports whether a text stands for "no number".
func placeholder(s string) bool {
	switch fold.Key(s) {
	case "", "-", "--", "---", "/", "\\", "*", ".", "?", "无", "没有", "暂无", "不详", "未知", "未填", "空", "null", "(null)", "nil", "none", "n/a", "na", "unknown", "\"\"":
		return true
	}
	return false
}

func residentNumber(text string) (string, bool) {
	id := residentid.Parse(text)
	return id.Number, id.Valid
}

// ownNumbers stands for an authority that is the institution itself and gives out numbers of several kinds: the type of a
// number, or the rule, says which it is.
var ownNumbers = &identifierSystem{}

// authority returns the identifier system of an HL7 v2 assigning authority: by its name in §1, by its OID or UUID, or, when
// only a name is known, a system of the institution under that name.
func (inst *Institution) authority(v value) *identifierSystem {
	namespace, id, kind := v.text, "", ""
	if v.node != nil && v.node.Kind() != record.Leaf {
		namespace = strings.TrimSpace(v.node.At(1).Text())
		id, kind = strings.TrimSpace(v.node.At(2).Text()), strings.TrimSpace(v.node.At(3).Text())
	}
	for _, name := range [...]string{namespace, id} {
		if s := inst.authorities[name]; s != nil && name != "" {
			return s
		}
	}
	if id == "" && isDotted(namespace) {
		id, kind = namespace, "ISO"
	}
	uri := ""
	switch {
	case id == "":
	case isURI(id):
		uri = id
	case strings.EqualFold(kind, "ISO") && isDotted(id), kind == "" && isDotted(id):
		uri = "urn:oid:" + id
	case strings.EqualFold(kind, "UUID"), strings.EqualFold(kind, "GUID"):
		uri = "urn:uuid:" + strings.ToLower(id)
	}
	if uri != "" {
		uri = inst.Canonical(uri)
		if s := inst.identifierIn(uri); s != nil {
			return s
		}
		return &identifierSystem{name: namespace, system: uri}
	}
	if name := slug(namespace + id); name != "" {
		return &identifierSystem{name: name, system: LocalSystem(inst.alliance, inst.id, "authority/"+name)}
	}
	return nil
}

func isDotted(s string) bool {
	return oidForm.MatchString("urn:oid:" + s)
}

// slug makes a name fit for a URI: letters and digits of any script, the rest as hyphens.
func slug(s string) string {
	var b strings.Builder
	for _, r := range fold.Key(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r >= 0x80:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 128 {
			break
		}
	}
	return strings.Trim(b.String(), "-.")
}
