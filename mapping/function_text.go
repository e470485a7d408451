package mapping

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

var textFunctions = []*function{
	{name: "annotation", makes: []string{"Annotation"}, inputs: []string{"time", "author"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			text := lines(r, at, f.from)
			if text == "" {
				return out, true
			}
			n := fhir.NewObject()
			if a := f.input(r, at, "author"); a.present() {
				n.SetString("authorString", clean(a.text))
			}
			if t := f.input(r, at, "time"); t.present() {
				if d, p := primitive("dateTime", t.text, r.inst.dates); p == nil {
					n.Set("time", d)
				} else if !p.none {
					r.issue(fhir.Warning, fhir.TypeValue, p.id, f.target.path+".time", t.node, p.want)
				}
			}
			return append(out, product{node: n.SetString("text", text)}), false
		}
	}},
	{name: "narrative", makes: []string{"string", "markdown", "Narrative"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			text := lines(r, at, f.from)
			if text == "" {
				return out, true
			}
			if f.target.typ != "Narrative" {
				return append(out, product{node: fhir.NewString(text)}), false
			}
			div := `<div xmlns="http://www.w3.org/1999/xhtml">` + strings.ReplaceAll(xhtml.Replace(text), "\n", "<br/>") + `</div>`
			return append(out, product{node: fhir.NewObject().SetString("status", "generated").SetString("div", div)}), false
		}
	}},
	{name: "address", makes: []string{"Address"}, inputs: []string{"use", "postalCode"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			text := strings.Join(strings.Fields(clean(v.text)), " ")
			if placeholder(text) {
				return out, true
			}
			n := fhir.NewObject()
			if u := f.input(r, at, "use"); u.present() {
				n.SetString("use", u.text)
			}
			n.SetString("text", text)
			if p := f.input(r, at, "postalCode"); p.present() {
				n.SetString("postalCode", clean(p.text))
			}
			return append(out, product{node: n}), false
		}
	}},
}

var xhtml = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// lines joins every value of the path by line breaks.
func lines(r *run, at *record.Node, from *operand) string {
	var b strings.Builder
	from.each(r, at, func(v value) bool {
		if v.present() {
			r.take(v)
			text := v.text
			if v.node != nil && r.rec.Format == record.XML {
				text = v.node.Narrative()
			}
			if text = clean(text); text != "" && b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(text)
		}
		return r.step()
	})
	return b.String()
}
