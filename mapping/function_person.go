package mapping

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/personname"
	"github.com/yilian/yilian/mapping/phone"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/residentid"
)

var personFunctions = []*function{
	{name: "name", makes: []string{"HumanName"}, inputs: []string{"pinyin", "use"}, compile: func(c *compiler, f *call) applier {
		if f.inputs["pinyin"] != nil && !f.target.repeats() {
			c.errorf(f.node.Position, "%s may stand only once; the name in pinyin would be a second one", f.target.path)
			return nil
		}
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			n := humanName(v.text)
			if n == nil {
				return out, true
			}
			if use := f.input(r, at, "use"); use.present() && isCode(use.text) {
				n.Prepend("use", fhir.NewString(use.text))
			}
			out = append(out, product{node: n})
			if p := f.input(r, at, "pinyin"); p.present() {
				if n := syllables(p.text); n != nil {
					n.Prepend("extension", fhir.NewArray(fhir.NewObject().SetString("url", nameRepresentation).SetString("valueCode", "SYL")))
					out = append(out, product{node: n})
				}
			}
			return out, false
		}
	}},
	{name: "phone", makes: []string{"ContactPoint"}, inputs: []string{"use"}, many: true, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			numbers := phone.Parse(v.text)
			use := f.input(r, at, "use")
			for _, number := range numbers {
				n := fhir.NewObject().SetString("system", number.System()).SetString("value", number.Text)
				u := number.Use()
				if use.present() && isCode(use.text) {
					u = use.text
				}
				if u != "" {
					n.SetString("use", u)
				}
				r.count(3)
				out = append(out, product{node: n})
			}
			return out, len(numbers) == 0
		}
	}},
	{name: "age-birth", makes: []string{"date"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			id := residentid.Parse(v.text)
			if !id.Valid {
				return out, id.Reason.Missing()
			}
			return append(out, product{node: fhir.NewString(id.Birth)}), false
		}
	}},
	{name: "id-sex", makes: []string{"code"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			id := residentid.Parse(v.text)
			if !id.Valid {
				return out, id.Reason.Missing()
			}
			return append(out, product{node: fhir.NewString(string(id.Sex))}), false
		}
	}},
}

// nameRepresentation marks a name as written in syllables: pinyin.
const nameRepresentation = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

// syllables makes the HumanName of a Chinese name in pinyin: the family name stands first. Nil for a placeholder.
func syllables(text string) *fhir.Node {
	n := humanName(text)
	if words := strings.Fields(n.Get("text").Text()); len(words) > 1 {
		n.SetString("family", words[0])
		n.Set("given", fhir.NewArray(fhir.NewString(strings.Join(words[1:], " "))))
	}
	return n
}

// humanName makes a HumanName, nil for a placeholder.
func humanName(text string) *fhir.Node {
	name := personname.Parse(text)
	if name.Kind == personname.None || name.Kind == personname.Placeholder {
		return nil
	}
	n := fhir.NewObject().SetString("text", name.Text)
	if name.Family != "" {
		n.SetString("family", name.Family)
	}
	if len(name.Given) > 0 {
		given := fhir.NewArray()
		for _, g := range name.Given {
			given.Append(fhir.NewString(g))
		}
		n.Set("given", given)
	}
	return n
}
