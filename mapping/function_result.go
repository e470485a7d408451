package mapping

import (
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/record"
)

var resultFunctions = []*function{
	{name: "result", makes: []string{"[x]"}, inputs: []string{"unit", "type"}, besides: []string{"dataAbsentReason", "interpretation"}, absent: true,
		compile: func(c *compiler, f *call) applier {
			if f.target.open == nil {
				c.errorf(f.node.Position, "result chooses the type of the value itself; want value[x], not %s", f.target.prop.Name)
				return nil
			}
			m := &resultMaker{path: f.target.path, stem: stem(f.target.open.Name), can: map[string]bool{}}
			for _, t := range f.target.open.Types {
				m.can[t.Code] = true
			}
			m.reason = f.target.owner.Child("dataAbsentReason") != nil
			m.flag = f.target.owner.Child("interpretation") != nil
			return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
				return m.make(r, at, v, f, out), false
			}
		}},
	{name: "quantity", makes: []string{"Quantity", "Age", "Duration"}, inputs: []string{"unit"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			res := codes.ParseResult(v.text, r.inst.results)
			if res.Kind != codes.ResultNumber {
				if res.Kind == codes.ResultMissing {
					return out, true
				}
				r.issue(fhir.Warning, fhir.TypeValue, "quantity-format", f.target.path, v.node, "not one number with an optional comparator")
				return out, false
			}
			unit := f.input(r, at, "unit").text
			if unit == "" {
				unit = res.Unit
			}
			return append(out, product{node: r.inst.quantity(res.Value, res.Comparator, unit)}), false
		}
	}},
	{name: "range", makes: []string{"BackboneElement"}, inputs: []string{"unit"}, many: true, compile: func(c *compiler, f *call) applier {
		if f.target.elem.Name != "referenceRange" {
			c.errorf(f.node.Position, "range makes referenceRange, not %s", f.target.path)
			return nil
		}
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			all := codes.ParseRange(v.text)
			if all.Text == "" {
				return out, true
			}
			unit := f.input(r, at, "unit").text
			if len(all.Ranges) == 0 {
				return append(out, product{node: fhir.NewObject().SetString("text", clean(all.Text))}), false
			}
			for _, rr := range all.Ranges {
				out = append(out, product{node: r.inst.referenceRange(rr, unit)})
				r.count(4)
			}
			return out, false
		}
	}},
	{name: "flag", makes: []string{"CodeableConcept"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			text := clean(v.text)
			coding, ok := codes.Flag(text, r.inst.results.Flags)
			if !ok {
				if placeholder(text) || r.inst.silentFlag(text) {
					return out, true
				}
				r.issue(fhir.Warning, fhir.TypeCodeInvalid, "flag-unknown", f.target.path, v.node, "a result flag whose meaning is not known; settings: flags says what it means")
				return append(out, product{node: fhir.NewObject().SetString("text", text)}), false
			}
			n := fhir.NewObject().Set("coding", fhir.NewArray(newCoding(coding)))
			if text != coding.Code {
				n.SetString("text", text)
			}
			return append(out, product{node: n}), false
		}
	}},
}

// silentFlag reports whether the institution says that the flag means nothing.
func (inst *Institution) silentFlag(text string) bool {
	code, ok := inst.results.Flags.Own[text]
	return ok && code == ""
}

// resultMaker makes value[x] of a result as printed.
type resultMaker struct {
	path, stem   string
	can          map[string]bool
	reason, flag bool
}

func (m *resultMaker) value(typ string, n *fhir.Node) product {
	return product{name: m.stem + definitions.Capital(typ), node: n}
}

func (m *resultMaker) make(r *run, at *record.Node, v value, f *call, out []product) []product {
	if !v.present() {
		return m.missing("unknown", "", out)
	}
	unit := f.input(r, at, "unit").text
	typ := f.input(r, at, "type").text
	var res codes.Result
	switch typ {
	case "NM":
		res = codes.ParseNM(v.text, r.inst.results)
	case "SN":
		r.whole(v)
		res = codes.ParseSN(v.node.At(1).Text(), v.node.At(2).Text(), v.node.At(3).Text(), v.node.At(4).Text(), r.inst.results)
	case "CE", "CWE", "CNE", "CF", "CNN", "IS", "ID":
		return m.coded(r, v, typ, out)
	case "TX", "FT":
		if text := lines(r, at, f.from); text != "" && m.can["string"] {
			return append(out, m.value("string", fhir.NewString(text)))
		}
		return m.missing("unknown", "", out)
	case "DT", "TS", "DTM":
		return m.moment(r, v, "dateTime", out)
	case "TM":
		return m.moment(r, v, "time", out)
	case "ED", "RP":
		r.issue(fhir.Information, fhir.TypeNotSupported, "result-attached", m.path, v.node, "an attachment is no value of an Observation")
		return m.missing("unsupported", "", out)
	default:
		res = codes.ParseResult(v.text, r.inst.results)
	}
	if unit == "" {
		unit = res.Unit
	}
	if out = m.understood(r, v, res, unit, out); res.Flag.Code != "" && m.flag {
		out = append(out, product{name: "interpretation", node: fhir.NewArray(fhir.NewObject().Set("coding", fhir.NewArray(newCoding(res.Flag))))})
	}
	return out
}

// understood makes the value of a result that was parsed.
func (m *resultMaker) understood(r *run, v value, res codes.Result, unit string, out []product) []product {
	switch {
	case res.Kind == codes.ResultMissing:
		return m.missing(res.Absent, res.Text, out)
	case res.Kind == codes.ResultNumber && m.can["Quantity"]:
		return append(out, m.value("Quantity", r.inst.quantity(res.Value, res.Comparator, unit)))
	case res.Kind == codes.ResultRange && m.can["Range"]:
		n := fhir.NewObject()
		if res.Low != "" {
			n.Set("low", r.inst.quantity(res.Low, "", unit))
		}
		if res.High != "" {
			n.Set("high", r.inst.quantity(res.High, "", unit))
		}
		return append(out, m.value("Range", n))
	case res.Kind == codes.ResultRatio && m.can["Ratio"]:
		n := fhir.NewObject().Set("numerator", r.inst.quantity(res.Numerator, res.Comparator, "")).Set("denominator", r.inst.quantity(res.Denominator, "", ""))
		return append(out, m.value("Ratio", n))
	case res.Kind == codes.ResultOrdinal && m.can["CodeableConcept"]:
		n := fhir.NewObject().Set("coding", fhir.NewArray(newCoding(res.Ordinal))).SetString("text", clean(res.Text))
		return append(out, m.value("CodeableConcept", n))
	case m.can["string"]:
		if text := clean(res.Text); text != "" {
			return append(out, m.value("string", fhir.NewString(text)))
		}
	case m.can["CodeableConcept"]:
		return append(out, m.value("CodeableConcept", fhir.NewObject().SetString("text", clean(res.Text))))
	default:
		r.issue(fhir.Warning, fhir.TypeValue, "result-type", m.path, v.node, "no type of "+m.path+" can hold the result")
	}
	return out
}

// missing makes the reason why there is no value.
func (m *resultMaker) missing(reason, text string, out []product) []product {
	if !m.reason {
		return out
	}
	n := fhir.NewObject().Set("coding", fhir.NewArray(newCoding(codes.Coding{System: codes.AbsentReason, Code: reason})))
	if text != "" {
		n.SetString("text", clean(text))
	}
	return append(out, product{name: "dataAbsentReason", node: n})
}

// coded makes a coded result of its components: code, text, system, and the alternate three.
func (m *resultMaker) coded(r *run, v value, typ string, out []product) []product {
	if !m.can["CodeableConcept"] {
		return out
	}
	r.whole(v)
	n := fhir.NewObject()
	list := fhir.NewArray()
	text := ""
	if v.node != nil {
		text = clean(v.node.At(9).Text()) // the original text
	}
	for _, first := range [...]int{1, 4} {
		if v.node == nil && first > 1 || (typ == "IS" || typ == "ID") && first > 1 {
			break
		}
		code, display, system := v.node.At(first), clean(v.node.At(first+1).Text()), v.node.At(first+2).Text()
		if text == "" {
			text = display
		}
		if code.State() != record.Present {
			continue
		}
		f := &call{}
		codings, _ := r.codings(r.inst.codingNamed(system), f, nil, of(code), m.path)
		for _, c := range codings {
			if display != "" && c.Get("display") == nil {
				c.SetString("display", display)
			}
			list.Append(c)
		}
		if len(codings) == 0 && text == "" {
			text = clean(code.Text())
		}
	}
	if v.node == nil {
		text = v.text
	}
	if list.Len() > 0 {
		n.Set("coding", list)
	}
	if text == "" {
		text = clean(v.node.At(9).Text())
	}
	if text != "" {
		n.SetString("text", text)
	}
	if n.Len() == 0 {
		return m.missing("unknown", "", out)
	}
	return append(out, m.value("CodeableConcept", n))
}

func (m *resultMaker) moment(r *run, v value, typ string, out []product) []product {
	n, p := primitive(typ, v.text, r.inst.dates)
	switch {
	case p == nil && m.can[typ]:
		return append(out, m.value(typ, n))
	case p != nil && p.none:
		return m.missing("unknown", "", out)
	case m.can["string"]:
		if p != nil {
			r.issue(fhir.Warning, fhir.TypeValue, p.id, m.path, v.node, p.want)
		}
		return append(out, m.value("string", fhir.NewString(clean(v.text))))
	}
	return out
}

// quantity makes a Quantity of a number as text; the unit gets its UCUM code when it is known.
func (inst *Institution) quantity(number, comparator, unit string) *fhir.Node {
	n := fhir.NewObject().Set("value", fhir.NewNumber(number))
	if comparator != "" {
		n.SetString("comparator", comparator)
	}
	if unit == "" {
		return n
	}
	u := codes.ParseUnit(unit, codes.UnitOptions{})
	if code, ok := inst.units[strings.TrimSpace(unit)]; ok {
		u = codes.Unit{Text: unit, Code: code, Known: true}
	}
	if text := clean(u.Text); text != "" {
		n.SetString("unit", text)
	}
	if u.Known {
		n.SetString("system", codes.UCUM).SetString("code", u.Code)
	}
	return n
}

func (inst *Institution) referenceRange(rr codes.ReferenceRange, unit string) *fhir.Node {
	n := fhir.NewObject()
	if unit == "" {
		unit = rr.Unit
	}
	if rr.Low != "" {
		n.Set("low", inst.quantity(rr.Low, "", unit))
	}
	if rr.High != "" {
		n.Set("high", inst.quantity(rr.High, "", unit))
	}
	applies := fhir.NewArray()
	if rr.Sex != "" {
		applies.Append(fhir.NewObject().Set("coding", fhir.NewArray(newCoding(codes.Coding{System: "http://hl7.org/fhir/administrative-gender", Code: rr.Sex}))))
	}
	if rr.AppliesTo != "" {
		applies.Append(fhir.NewObject().SetString("text", rr.AppliesTo))
	}
	if applies.Len() > 0 {
		n.Set("appliesTo", applies)
	}
	if rr.AgeLow != "" || rr.AgeHigh != "" {
		age := fhir.NewObject()
		for _, side := range [...]struct{ name, value string }{{"low", rr.AgeLow}, {"high", rr.AgeHigh}} {
			if side.value != "" {
				age.Set(side.name, fhir.NewObject().Set("value", fhir.NewNumber(side.value)).SetString("system", codes.UCUM).SetString("code", rr.AgeUnit))
			}
		}
		n.Set("age", age)
	}
	return n.SetString("text", strings.TrimSpace(clean(rr.Text)))
}
