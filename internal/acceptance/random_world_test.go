package acceptance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// dice makes small resources and searches of few values, so that the two meet, and of such that are easily taken one for
// another.
type dice struct{ *rand.Rand }

func pick[T any](d dice, of []T) T { return of[d.IntN(len(of))] }

func (d dice) one(in int) bool { return d.IntN(in) == 0 }

type object = map[string]any

var (
	randomTexts = []string{"Ana", "ana", "Ána", "ＡＮＡ", "Ana Maria", "Anamaria", "maria", "王小明", "王小", "小明", "a,b", "a|b", "a$b", `a\b`, "%", "_", "Straße", "STRASSE"}
	// randomCodes and randomSystems make a code of one system look like that of another.
	randomCodes   = []string{"x", "X", "y", "a,b", "a|b", "a$b", "x y"}
	randomSystems = []string{"", "urn:a", "urn:b", "http://a.test/x"}
	randomDates   = []string{"2024", "2023", "2024-02", "2024-02-29", "2024-03-01", "2024-02-29T00:00:00+08:00", "2024-02-28T16:00:00Z", "2024-02-28T15:59:59.999Z",
		"2024-02-29T23:59:59.5+08:00", "2024-02-29T23:59:59+08:00", "2024-03-01T00:00:00Z", "2024-02-29T10:00:00.250-05:00", "2024-12-31T23:59:59+08:00"}
	// randomSpans are ends of periods whose beginning is not behind their end.
	randomSpans   = [][2]string{{"2023", "2024"}, {"2024-02", "2024-02-29"}, {"2024-02-29", "2024-02-29"}, {"2024-02-29T00:00:00+08:00", "2024-03-01T00:00:00+08:00"}, {"2023-01-01", "2024-02-28T16:00:00Z"}, {"2024-03-01", "2024-12-31"}}
	randomNumbers = []string{"5.4", "5.40", "5.35", "5.45", "5.449", "5", "5.5", "54", "100", "1e2", "100.0", "99.6", "0", "0.054", "0.1", "1.0e-3", "-1"}
	randomUnits   = []string{"mg/dL", "g/L", "g/dL", "kg", "g", "{score}"}
	randomURLs    = []string{"http://a.test/x", "http://a.test/x/y", "http://a.test/xy", "http://a.test/x/y/z", "urn:oid:1.2.3"}
)

const unitsOfMeasure = "http://unitsofmeasure.org"

// randomSizes says how many resources of each type there are.
var randomSizes = []struct {
	typ string
	n   int
}{{"Patient", 9}, {"Organization", 5}, {"Location", 5}, {"Encounter", 7}, {"Observation", 20}, {"RiskAssessment", 8}, {"ServiceRequest", 9}, {"ValueSet", 7}, {"List", 3}}

func randomID(typ string, i int) string { return fmt.Sprintf("%s-%d", strings.ToLower(typ[:2]), i) }

// world makes all resources; some of them are missing.
func (d dice) world() (out []object) {
	for _, s := range randomSizes {
		for i := range s.n {
			if d.one(12) {
				continue
			}
			r := d.resource(s.typ)
			r["resourceType"], r["id"] = s.typ, randomID(s.typ, i)
			if d.one(3) {
				r["meta"] = object{"tag": []any{object{"system": "urn:t", "code": pick(d, []string{"t", "u"})}}}
			}
			out = append(out, r)
		}
	}
	return out
}

func (d dice) resource(typ string) object {
	r := object{}
	set := func(in int, name string, value any) {
		if d.one(in) {
			r[name] = value
		}
	}
	switch typ {
	case "Patient":
		set(2, "name", d.list(2, d.name))
		set(2, "identifier", d.list(2, d.identifier))
		set(2, "gender", pick(d, []string{"male", "female", "unknown"}))
		set(2, "birthDate", pick(d, randomDates[:5]))
		set(3, "telecom", d.list(2, d.contact))
		set(3, "address", d.list(2, d.address))
		set(3, "active", d.one(2))
		set(3, "generalPractitioner", d.list(2, func() any { return d.reference("Organization") }))
		set(3, "managingOrganization", d.reference("Organization"))
		switch d.IntN(4) {
		case 0:
			r["deceasedBoolean"] = d.one(2)
		case 1:
			r["deceasedDateTime"] = pick(d, randomDates)
		}
	case "Organization":
		r["name"] = pick(d, randomTexts)
		set(2, "identifier", d.list(2, d.identifier))
		set(2, "active", d.one(2))
		set(2, "type", d.list(2, d.concept))
		set(2, "partOf", d.reference("Organization"))
		set(3, "address", d.list(2, d.address))
	case "Location":
		r["name"] = pick(d, randomTexts)
		set(2, "status", pick(d, []string{"active", "inactive"}))
		set(2, "partOf", d.reference("Location"))
		set(2, "type", d.list(2, d.concept))
		set(2, "managingOrganization", d.reference("Organization"))
	case "Encounter":
		r["status"], r["class"] = pick(d, []string{"finished", "planned"}), d.coding()
		set(1, "subject", d.reference("Patient"))
		set(2, "type", d.list(2, d.concept))
		set(2, "period", d.period())
		set(3, "partOf", d.reference("Encounter"))
		set(3, "serviceProvider", d.reference("Organization"))
		set(3, "reasonCode", d.list(2, d.concept))
		set(3, "location", []any{object{"location": d.reference("Location"), "period": d.period()}})
		set(3, "identifier", d.list(2, d.identifier))
	case "Observation":
		d.observation(r)
	case "RiskAssessment":
		r["status"], r["subject"] = "final", d.reference("Patient")
		d.when(r, "occurrence", false)
		set(1, "prediction", d.list(2, d.prediction))
	case "ServiceRequest":
		r["status"], r["intent"], r["subject"] = pick(d, []string{"active", "draft"}), pick(d, []string{"order", "plan"}), d.reference("Patient", "Location")
		d.when(r, "occurrence", true)
		set(2, "code", d.concept())
		set(3, "instantiatesUri", d.list(2, func() any { return pick(d, randomURLs) }))
		set(3, "instantiatesCanonical", d.list(2, func() any { return pick(d, randomURLs[:4]) + pick(d, []string{"", "|1", "|1.2", "|1.2.3"}) }))
		set(3, "performer", d.list(2, func() any { return d.reference("Patient", "Organization") }))
	case "ValueSet":
		r["status"], r["name"] = pick(d, []string{"active", "draft"}), "V"
		set(2, "url", pick(d, randomURLs))
		set(2, "version", pick(d, []string{"1", "1.2"}))
		set(2, "title", pick(d, randomTexts))
		set(2, "date", pick(d, randomDates))
		set(2, "identifier", d.list(2, d.identifier))
		set(2, "useContext", d.list(2, d.use))
	case "List":
		r["status"], r["mode"] = "current", "working"
		set(2, "title", pick(d, randomTexts))
		set(2, "code", d.concept())
		set(1, "entry", d.list(4, func() any { return object{"item": d.reference("Patient", "Observation", "Organization")} }))
	}
	return r
}

func (d dice) observation(r object) {
	r["status"], r["code"] = pick(d, []string{"final", "amended"}), d.concept()
	if !d.one(5) {
		r["subject"] = d.reference("Patient", "Location")
	}
	if d.one(2) {
		r["encounter"] = d.reference("Encounter")
	}
	if d.one(3) {
		r["category"] = d.list(2, d.concept)
	}
	if d.one(3) {
		r["performer"] = d.list(2, func() any { return d.reference("Patient", "Organization") })
	}
	if d.one(4) {
		r["hasMember"] = d.list(2, func() any { return d.reference("Observation") })
	}
	if d.one(2) {
		r["effectiveDateTime"] = pick(d, randomDates)
	}
	d.value(r)
	if d.one(3) {
		r["component"] = d.list(3, func() any {
			// Of another system than that of the Observation, which must have another code.
			c := object{"code": object{"coding": []any{object{"system": "urn:c", "code": pick(d, randomCodes)}}}}
			d.value(c)
			return c
		})
	}
}

// value gives an Observation, or a component, one of the kinds of values.
func (d dice) value(r object) {
	switch d.IntN(6) {
	case 0, 1:
		r["valueQuantity"] = d.quantity(true)
	case 2:
		r["valueCodeableConcept"] = d.concept()
	case 3:
		r["valueString"] = pick(d, randomTexts)
	case 4:
		d.when(r, "value", false)
	}
}

// when gives a resource a time as one of the kinds of times.
func (d dice) when(r object, name string, timing bool) {
	switch d.IntN(5) {
	case 0, 1:
		r[name+"DateTime"] = pick(d, randomDates)
	case 2:
		r[name+"Period"] = d.period()
	case 3:
		if timing {
			t := object{"event": d.list(3, func() any { return pick(d, randomDates) })}
			if d.one(2) {
				t = object{"repeat": object{"boundsPeriod": d.period()}}
			}
			r[name+"Timing"] = t
		}
	}
}

func (d dice) list(most int, item func() any) (out []any) {
	for range 1 + d.IntN(most) {
		out = append(out, item())
	}
	return out
}

func (d dice) name() any {
	n := object{}
	if d.one(2) {
		n["text"] = pick(d, randomTexts)
	}
	if d.one(2) {
		n["given"] = d.list(2, func() any { return pick(d, randomTexts) })
	}
	if len(n) == 0 || d.one(3) {
		n["family"] = pick(d, []string{"Ana", "Li", "Ána Li", "%"})
	}
	return n
}

func (d dice) address() any {
	return object{"city": pick(d, randomTexts), "line": d.list(2, func() any { return pick(d, randomTexts) })}
}

func (d dice) contact() any {
	return object{"system": pick(d, []string{"phone", "email"}), "value": pick(d, []string{"1", "2", "x@a.test"})}
}

func (d dice) system(o object) object {
	if s := pick(d, randomSystems); s != "" {
		o["system"] = s
	}
	return o
}

func (d dice) coding() object {
	c := d.system(object{"code": pick(d, randomCodes)})
	if d.one(2) {
		c["display"] = pick(d, randomTexts)
	}
	return c
}

func (d dice) concept() any {
	c := object{}
	if !d.one(4) {
		c["coding"] = d.list(2, func() any { return d.coding() })
	}
	if len(c) == 0 || d.one(3) {
		c["text"] = pick(d, randomTexts)
	}
	return c
}

func (d dice) identifier() any {
	i := d.system(object{"value": pick(d, []string{"1", "01", "a,b", "a|b"})})
	if d.one(3) {
		i["type"] = object{"coding": d.list(2, func() any { return object{"system": "urn:type", "code": pick(d, []string{"MR", "PI"})} })}
	}
	return i
}

func (d dice) quantity(compared bool) any {
	q := object{"value": json.Number(pick(d, randomNumbers))}
	if compared && d.one(4) {
		q["comparator"] = pick(d, []string{"<", "<=", ">", ">="})
	}
	switch d.IntN(4) {
	case 0:
		q["unit"] = pick(d, randomUnits)
	case 1, 2:
		q["system"], q["code"] = unitsOfMeasure, pick(d, randomUnits)
	}
	return q
}

func (d dice) prediction() any {
	p := object{"outcome": d.concept()}
	if d.one(2) {
		p["probabilityDecimal"] = json.Number(pick(d, []string{"5.4", "5.40", "5.35", "54", "1e2", "100", "100.0", "99.6", "0", "0.1"}))
	}
	if d.one(3) {
		p["qualitativeRisk"] = d.concept()
	}
	return p
}

func (d dice) use() any {
	u := object{"code": d.coding()}
	if d.one(2) {
		u["valueQuantity"] = d.quantity(false)
	} else {
		u["valueCodeableConcept"] = d.concept()
	}
	return u
}

func (d dice) period() object {
	span := pick(d, randomSpans)
	p := object{"start": span[0], "end": span[1]}
	switch d.IntN(5) {
	case 0:
		delete(p, "start")
	case 1:
		delete(p, "end")
	}
	return p
}

// reference points to one of some types, which may not be there, in the forms that a reference may have.
func (d dice) reference(types ...string) any {
	typ := pick(d, types)
	n := 0
	for _, s := range randomSizes {
		if s.typ == typ {
			n = s.n
		}
	}
	key := typ + "/" + randomID(typ, d.IntN(n+1))
	switch d.IntN(10) {
	case 0:
		return object{"reference": "BASE" + key}
	case 1:
		return object{"reference": key + "/_history/1"}
	case 2:
		return object{"reference": "http://other.test/fhir/" + key}
	case 3:
		return object{"identifier": d.identifier()}
	case 4:
		return object{"display": "none"}
	}
	return object{"reference": key}
}
