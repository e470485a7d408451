package alliancegen

import (
	"fmt"
	"strings"
	"time"
)

// castIdentity are the people about whom identification goes wrong.
func (s *story) castIdentity(st *stage) {
	s.fourByteName(st)
	s.fifteenDigits(st)
	s.untidyIDs(st)
	s.newborn(st)
	s.placeholders(st)
	s.sameIDOtherPerson(st)
	s.namesakes(st)
	s.cardOnly(st)
	s.nobody(st)
	s.mergedNumbers(st)
	s.equalNumbers(st)
	s.senderNumberOnly(st)
	s.badCheckDigit(st)
	s.variantName(st)
	s.wrongBirthDate(st)
	s.passport(st)
	s.threePlaces(st)
}

// cityClinic registers a patient at the city hospital with one outpatient visit.
func (s *story) cityClinic(st *stage, p *Patient, day int, dept string, dx ...string) *Visit {
	at := s.hour(day)
	s.city.adt(st.cityAdmit, "A28", at.Add(-10*time.Minute), p, nil)
	v := s.visit(p, "AMB", dept, at, dx...)
	s.city.adt(st.cityAdmit, "A04", at, p, v)
	return v
}

// countyClinic registers a patient at the county hospital with one outpatient visit.
func (s *story) countyClinic(n *night, p *Patient, day int, dept string, dx ...string) *Visit {
	at := s.hour(day)
	s.county.patient(n, p, at.Add(-10*time.Minute))
	v := s.visit(p, "AMB", dept, at, dx...)
	v.DailyNumber = fmt.Sprintf("%03d", s.r.between(1, 40))
	v.end(at.Add(time.Duration(s.r.between(20, 90))*time.Minute), "")
	s.county.visit(n, v, v.End.t.Add(time.Minute))
	return v
}

// labPanel orders a panel at p's institution and has the laboratory do it.
func (s *story) labPanel(n *night, d *labDelivery, p *Patient, v *Visit, h *human, panelKey string, day int, kinds ...string) (*Order, *Report, *Patient) {
	o := s.order(p, v, panelKey, Lab, v.Start.t.Add(15*time.Minute))
	if n != nil {
		s.county.order(n, o, v, o.Ordered.t.Add(time.Minute))
	}
	subject := s.atLab(h, p, kinds...)
	issued := s.at(day, s.r.between(10, 16), s.r.intn(60))
	rep := s.report(Lab, subject, o.panel, o, o.Ordered.t.Add(20*time.Minute), issued)
	s.fill(rep, p.Sex)
	s.lab.send(d, issued.Add(5*time.Minute), rep, subject, request{sender: p.Institution, order: o, visit: s.r.intn(2) == 0, department: v.Department.Text})
	return o, rep, subject
}

func (s *story) fourByteName(st *stage) {
	h := s.human("a character that takes four bytes in GB18030", s.born(1960, 1995), s.named(fourByteSigns))
	county, city := s.atCounty(h), s.atCity(h)
	s.countyClinic(st.countyA, county, 1, "cardiology", "hypertension")
	s.cityClinic(st, city, 6, "cardiology", "chd")
	s.trap("four-byte-name", county, city)
}

func (s *story) fifteenDigits(st *stage) {
	h := s.human("15-digit number at the county, 18 at the city", s.born(1942, 1958))
	county := s.atCounty(h, only(ResidentID), sentAs(ResidentID, fifteen))
	city := s.atCity(h, only(ResidentID))
	s.countyClinic(st.countyA, county, 0, "neuro", "infarct")
	s.cityClinic(st, city, 5, "neuro", "infarct", "hypertension")
	s.trap("fifteen-digit-id", county)
}

// untidyIDs writes valid numbers badly: lower-case x, full-width digits, spaces.
func (s *story) untidyIDs(st *stage) {
	h := s.human("lower-case x, full-width digits and spaces in the number", s.born(1965, 1990))
	for h.id[17] != 'X' {
		h.id = residentID(s.r, h.sex, h.birth)
	}
	county := s.atCounty(h, only(ResidentID), sentAs(ResidentID, fullWidth))
	city := s.atCity(h, only(ResidentID), sentAs(ResidentID, strings.ToLower))
	county.style.wide = true
	v := s.countyClinic(st.countyA, county, 2, "gastro", "gallstone")
	s.cityClinic(st, city, 8, "gastro", "gallstone")
	_, _, subject := s.labPanel(st.countyA, st.labEarly, county, v, h, "liver", 4, ResidentID)
	s.trap("full-width-id", county, subject)
	s.trap("lower-case-x", city)

	other := s.human("spaces inside the number", s.born(1965, 1990))
	spaced := s.atCounty(other, only(ResidentID), sentAs(ResidentID, func(id string) string { return " " + id[:6] + " " + id[6:14] + " " + id[14:] }))
	tidy := s.atCity(other, only(ResidentID))
	s.countyClinic(st.countyA, spaced, 1, "surgery", "gallstone")
	s.cityClinic(st, tidy, 7, "surgery", "gallstone")
	s.trap("spaces-in-id", spaced)
}

// newborn registers a baby under the mother's resident number.
func (s *story) newborn(st *stage) {
	mother := s.human("mother of the newborn", s.woman, s.born(1988, 1998))
	m := s.atCity(mother)
	s.city.adt(st.cityAdmit, "A28", s.at(3, 8, 0), m, nil)
	stay := s.visit(m, "IMP", "obstetrics", s.at(3, 9, 0), "delivery")
	stay.AdmitSource = "2"
	s.city.adt(st.cityAdmit, "A01", s.at(3, 9, 0), m, stay)

	born := s.at(4, 5, 26)
	baby := s.human("newborn registered with the mother's number", func(h *human) {
		h.birth = born
		h.name = fullName{mother.name.han + map[string]string{"male": "之子", "female": "之女"}[h.sex], ""}
		h.marital = "10"
	})
	b := s.atCity(baby, with(Identifier{Kind: ResidentID, Value: mother.id, Sent: mother.id}), func(p *Patient) {
		p.Birth, p.Marital, p.Pinyin, p.Mother = instant(born), "", "", m.ID
		p.Phone, p.Contact = mother.phone, &Contact{mother.name.han, "5", mother.phone}
		p.Address, p.Ethnicity = m.Address, m.Ethnicity
	})
	bv := s.visit(b, "IMP", "paediatrics", s.at(4, 5, 40), "liveborn")
	bv.AdmitSource = "9"
	rec := s.city.adt(st.cityAdmit, "A01", s.at(4, 5, 40), b, bv)
	s.trap("newborn-with-mothers-id", rec.record, b)
	s.never(m, b, "newborn with the mother's resident number")
	for _, v := range []*Visit{stay, bv} {
		v.end(s.at(7, 9, 30), "1")
	}
	s.city.adt(st.cityLeave, "A03", s.at(7, 9, 30), m, stay)
	s.city.adt(st.cityLeave, "A03", s.at(7, 9, 31), b, bv)

	// The mother is also known at the county: her number must lead to her, not to the baby.
	county := s.atCounty(mother)
	s.countyClinic(st.countyA, county, 0, "obstetrics", "anaemia")
	s.never(county, b, "newborn with the mother's resident number")
}

func (s *story) placeholders(st *stage) {
	var all []*Patient
	for i, text := range []string{"111111111111111111", "111111111111111111", "无", "无"} {
		h := s.human("placeholder instead of a resident number")
		var p *Patient
		if i%2 == 0 {
			p = s.atCounty(h, with(placeholder(text)))
			s.countyClinic(st.countyA, p, 2, "respiratory", "pneumonia")
		} else {
			p = s.atCity(h, with(placeholder(text)))
			s.cityClinic(st, p, 9, "respiratory", "copd")
		}
		for _, q := range all {
			s.never(p, q, "placeholder resident numbers")
		}
		all = append(all, p)
		s.trap("placeholder-id", p)
	}
}

// sameIDOtherPerson types one person's number at another's registration.
func (s *story) sameIDOtherPerson(st *stage) {
	owner := s.human("owner of a number that was typed for somebody else", s.man, s.born(1950, 1960))
	other := s.human("registered with somebody else's number, other name and sex", s.woman, s.born(1975, 1990))
	a := s.atCounty(owner, only(ResidentID))
	b := s.atCity(other, with(Identifier{Kind: ResidentID, Value: owner.id, Sent: owner.id}))
	s.countyClinic(st.countyA, a, 1, "cardiology", "chd")
	s.cityClinic(st, b, 4, "endocrine", "hyperthyroid")
	s.review(a, b, "same resident number, other name and sex", true)
	s.trap("same-id-other-person", a, b)
}

func (s *story) namesakes(st *stage) {
	one := s.human("shares name and birth date with a stranger", s.born(1970, 1985))
	two := s.human("shares name and birth date with a stranger", func(h *human) { h.sex, h.birth, h.name = one.sex, one.birth, one.name })
	a, b := s.atCounty(one), s.atCity(two)
	s.countyClinic(st.countyA, a, 3, "gastro", "hepatitisB")
	s.cityClinic(st, b, 9, "gastro", "gallstone")
	s.never(a, b, "same name, sex and birth date, other resident numbers")
	s.trap("namesakes", a, b)
}

func (s *story) cardOnly(st *stage) {
	h := s.human("known by health card alone")
	county := s.atCounty(h, func(p *Patient) { p.Identifiers = []Identifier{card(h.card)} })
	v := s.countyClinic(st.countyA, county, 2, "general", "hyperlipidaemia")
	_, _, subject := s.labPanel(st.countyA, st.labEarly, county, v, h, "lipids", 4, HealthCard)
	city := s.atCity(h, func(p *Patient) { p.Identifiers, p.style.cardInZ = []Identifier{card(h.card)}, true })
	s.cityClinic(st, city, 10, "cardiology", "hyperlipidaemia")
	s.trap("health-card-only", county, subject, city)
	s.trap("health-card-in-z-segment", city)
}

func (s *story) nobody(st *stage) {
	h := s.human("no identifier at all")
	p := s.atCity(h, noIDs, func(p *Patient) { p.Phone, p.Address, p.Contact, p.Pinyin = "", "", nil, "" })
	v := s.visit(p, "EMER", "emergency", s.at(2, 23, 12), "chestpain")
	s.trap("no-identifier", s.city.adt(st.cityAdmit, "A04", s.at(2, 23, 12), p, v).record, p)
	v.end(s.at(3, 2, 0), "")
	s.city.adt(st.cityAdmit, "A03", s.at(3, 2, 0), p, v)

	q := s.atCounty(s.human("no identifier at all"), noIDs, func(p *Patient) { p.Sex = "unknown" })
	s.countyClinic(st.countyA, q, 1, "emergency", "chestpain")
	s.never(p, q, "neither has an identifier")
	s.trap("no-identifier", q)
	s.trap("sex-unknown", q)
}

// mergedNumbers is one man with two numbers at the city hospital, merged late.
func (s *story) mergedNumbers(st *stage) {
	h := s.human("two numbers at the city hospital, merged by A40", s.born(1955, 1975))
	old := s.atCity(h, noIDs)
	kept := s.atCity(h)
	county := s.atCounty(h)
	v := s.cityClinic(st, old, 2, "respiratory", "copd")
	o := s.order(old, v, "cbc", City, v.Start.t.Add(20*time.Minute))
	s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, old, v, o)
	rep := s.report(City, old, o.panel, o, o.Ordered.t.Add(10*time.Minute), o.Ordered.t.Add(time.Hour))
	s.fill(rep, h.sex)
	s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), old, v, true, rep)
	s.cityClinic(st, kept, 8, "respiratory", "copd")
	s.countyClinic(st.countyA, county, 1, "respiratory", "copd")
	s.trap("merge-a40", s.city.merge(st.cityLate, s.at(26, 9, 0), kept, old).record)
}

// equalNumbers are two strangers with the same local number at different hospitals.
func (s *story) equalNumbers(st *stage) {
	one, two := s.human("local number equals a stranger's at the other hospital"), s.human("local number equals a stranger's at the other hospital")
	a := s.atCity(one)
	b := s.atCounty(two, func(p *Patient) { p.ID = a.ID })
	va := s.cityClinic(st, a, 6, "general", "checkup")
	vb := s.countyClinic(st.countyA, b, 2, "general", "hypertension")
	s.never(a, b, "equal local numbers")
	s.trap("equal-local-numbers", a, b)

	// Their orders have equal numbers too; the laboratory answers both.
	ob := s.order(b, vb, "electrolytes", Lab, vb.Start.t.Add(10*time.Minute))
	oa := s.order(a, va, "electrolytes", Lab, va.Start.t.Add(10*time.Minute))
	ob.Number = oa.Number
	s.county.order(st.countyA, ob, vb, ob.Ordered.t.Add(time.Minute))
	s.city.order(st.cityOrders, "OML^O21", "NW", oa.Ordered.t, a, va, oa)
	for _, x := range []struct {
		h *human
		p *Patient
		o *Order
	}{{one, a, oa}, {two, b, ob}} {
		subject := s.atLab(x.h, x.p, SenderNumber)
		rep := s.report(Lab, subject, x.o.panel, x.o, x.o.Ordered.t.Add(30*time.Minute), x.o.Ordered.t.Add(26*time.Hour))
		s.fill(rep, x.p.Sex)
		s.lab.send(st.labResults, rep.Issued.t.Add(4*time.Minute), rep, subject, request{sender: x.p.Institution, order: x.o, visit: true})
		s.trap("equal-order-numbers", rep)
	}
}

// senderNumberOnly are people the laboratory knows only by the sender's number, once
// after and once before the sender's own record arrives.
func (s *story) senderNumberOnly(st *stage) {
	h := s.human("laboratory knows only the sender's number")
	county := s.atCounty(h)
	v := s.countyClinic(st.countyA, county, 2, "general", "anaemia")
	_, _, subject := s.labPanel(st.countyA, st.labEarly, county, v, h, "cbc", 4, SenderNumber)
	s.trap("sender-number-only", subject)

	later := s.human("laboratory knows only the sender's number, before the sender's record arrives")
	p := s.atCounty(later)
	p.style.trailing = "  "
	at := s.hour(9)
	visit := s.visit(p, "AMB", "general", at, "anaemia")
	_, rep, subject := s.labPanel(nil, st.labEarly, p, visit, later, "cbc", 10, SenderNumber)
	rep.OrderLate = true
	s.county.patient(st.countyB, p, at)
	visit.end(at.Add(time.Hour), "")
	s.county.visit(st.countyB, visit, at.Add(time.Hour))
	for _, o := range later.Orders {
		s.county.order(st.countyB, o, visit, o.Ordered.t)
	}
	// This night's extract has neither phone nor address.
	p.Phone, p.Address = "", ""
	s.trap("sender-number-before-patient", subject)
	s.trap("result-before-order", rep)
	s.trap("trailing-spaces", p)
}

func (s *story) badCheckDigit(st *stage) {
	h := s.human("number with a wrong check character at the county", s.born(1960, 1980))
	wrong := h.id[:17] + string("0123456789"[(strings.IndexByte("0123456789X", h.id[17])+3)%10])
	county := s.atCounty(h, with(Identifier{Kind: ResidentID, Value: wrong, Sent: wrong}))
	s.countyClinic(st.countyA, county, 3, "orthopaedics", "chestpain")
	// At the city the same human being is somebody else to the index: no rule may link them.
	g := s.human("the same human being as the person before, which no rule can know", func(x *human) { x.sex, x.birth, x.name = h.sex, h.birth, h.name })
	g.id = h.id
	city := s.atCity(g, only(ResidentID))
	s.cityClinic(st, city, 11, "orthopaedics", "chestpain")
	s.review(county, city, "wrong check character at one of them", false)
	s.trap("bad-check-digit", county)
}

// variantName writes a rare character as a common one; number, sex and birth date agree.
func (s *story) variantName(st *stage) {
	h := s.human("name written with a substitute character at the county", s.born(1960, 1990), func(h *human) {
		h.name = s.name(h.sex, surnames, fourByteSigns[:1])
	})
	county := s.atCounty(h, func(p *Patient) { p.Name = strings.ReplaceAll(p.Name, "𠮷", "吉") })
	city := s.atCity(h)
	s.countyClinic(st.countyA, county, 0, "surgery", "gallstone")
	s.cityClinic(st, city, 5, "surgery", "gallstone")
	s.trap("variant-name", county, city)
}

// wrongBirthDate registers the lunar birthday: warn, do not refuse.
func (s *story) wrongBirthDate(st *stage) {
	h := s.human("birth date at the county differs from the resident number", s.born(1940, 1960))
	county := s.atCounty(h, func(p *Patient) { p.Birth = date(h.birth.AddDate(0, 0, -29)) })
	city := s.atCity(h)
	s.countyClinic(st.countyA, county, 0, "cardiology", "chf")
	s.cityClinic(st, city, 7, "cardiology", "chf")
	s.trap("birth-date-differs-from-id", county)
}

func (s *story) passport(st *stage) {
	h := s.human("foreigner with a passport and a Latin name", func(h *human) { h.name = fullName{"Müller Anna", ""}; h.sex = "female"; h.ethnicity = "01" })
	no := fmt.Sprintf("E99%06d", s.r.intn(1e6))
	county := s.atCounty(h, with(Identifier{Kind: Passport, Value: no, Sent: no, Usable: true}), func(p *Patient) { p.Ethnicity = "" })
	s.countyClinic(st.countyA, county, 2, "general", "pneumonia")
	s.trap("passport", county)
}

// threePlaces are people with records in all three institutions.
func (s *story) threePlaces(st *stage) {
	for i, sign := range [][]sign{backslashSigns, barSigns, tildeSigns, rareSurnames} {
		trap := []string{"gbk-trail-backslash", "gbk-trail-bar", "gbk-trail-tilde", "rare-surname"}[i]
		h := s.human("records in all three institutions", s.born(1945, 1985), func(h *human) {
			if i == 3 {
				h.name = s.name(h.sex, sign, nil)
			} else {
				h.name = s.name(h.sex, surnames, sign)
			}
		})
		county, city := s.atCounty(h), s.atCity(h)
		v := s.countyClinic(st.countyA, county, i%4, "endocrine", "t2dm")
		s.labPanel(st.countyA, st.labEarly, county, v, h, []string{"hba1c", "renal", "thyroid", "lipids"}[i], 4, ResidentID, SenderNumber)
		cv := s.cityClinic(st, city, 6+i, "endocrine", "t2dm", "hypertension")
		o := s.order(city, cv, "glucose", City, cv.Start.t.Add(10*time.Minute))
		s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, city, cv, o)
		rep := s.report(City, city, o.panel, o, o.Ordered.t.Add(10*time.Minute), o.Ordered.t.Add(2*time.Hour))
		s.fill(rep, h.sex)
		s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), city, cv, i%2 == 0, rep)
		s.trap(trap, h.Person)
		s.trap("person-in-three-institutions", h.Person)
	}
}
