package search

import (
	"math"
	"strconv"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// compositeValue reads a$b: one operand for each kind of element that the parameter
// looks at.
func (p *parser) compositeValue(t *typeParameters, param *parameter, value string) ([]Operand, bool) {
	values := splitUnescaped(value, '$')
	if len(values) != len(param.composite.parts) {
		p.invalid("expected {1} values with '$' between", len(param.composite.parts))
		return nil, false
	}
	var out []Operand
	for _, f := range param.composite.focuses {
		if f.plain != nil {
			all := AllMatch{}
			for i, plain := range f.plain {
				o, ok := p.component(t, plain, values[i])
				if !ok {
					return nil, false
				}
				all.Where = append(all.Where, Clause{Param: plain.code, Kind: plain.kind, Any: []Operand{o}})
			}
			out = append(out, all)
			continue
		}
		m := CompositeMatch{}
		for i, part := range f.parts {
			o, ok := p.component(t, part, values[i])
			if !ok {
				return nil, false
			}
			m.Parts = append(m.Parts, CompositePart{Kind: part.kind, Match: o})
		}
		if f.param == param.code {
			out = append(out, m)
		} else {
			out = append(out, AllMatch{Where: []Clause{{Param: f.param, Kind: KindComposite, Any: []Operand{m}}}})
		}
	}
	return out, true
}

func (p *parser) component(_ *typeParameters, param *parameter, value string) (Operand, bool) {
	if value == "" {
		p.invalid("one of its values is empty")
		return nil, false
	}
	return p.operand(param, "", value)
}

// nearMeters is how far near reaches when the query does not say.
const nearMeters = 10_000

// near reads latitude|longitude|distance|units.
func (p *parser) near(value string) (Operand, bool) {
	parts := splitUnescaped(value, '|')
	if len(parts) < 2 || len(parts) > 4 {
		p.invalid("expected latitude|longitude, latitude|longitude|distance or latitude|longitude|distance|unit")
		return nil, false
	}
	m := NearMatch{Meters: nearMeters}
	for i, most := range []float64{90, 180} {
		d, ok := readDecimal(parts[i])
		if !ok || math.Abs(d.value) > most {
			p.invalid("expected latitude and longitude in degrees, such as 31.2|121.5")
			return nil, false
		}
		if i == 0 {
			m.Latitude = d.value
		} else {
			m.Longitude = d.value
		}
	}
	if len(parts) < 3 || parts[2] == "" {
		return m, true
	}
	unit := "km"
	if len(parts) == 4 && parts[3] != "" {
		unit = unescape(parts[3])
	}
	distance, err := strconv.ParseFloat(parts[2], 64)
	d, ok := readDecimal(parts[2])
	u, known := ucum.Parse(unit)
	switch {
	case err != nil || !ok || distance < 0:
		p.invalid("expected a distance of 0 or more")
		return nil, false
	case !known || u.Canonical() != "m":
		p.invalid("expected a unit of length in UCUM, such as km or m")
		return nil, false
	}
	if m.Meters = u.Float(d.value); math.IsInf(m.Meters, 0) || math.IsNaN(m.Meters) {
		p.invalid("the distance is too large")
		return nil, false
	}
	return m, true
}
