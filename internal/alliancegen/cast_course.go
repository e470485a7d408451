package alliancegen

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// castCourse are people to whose visits, registrations and orders something happens.
func (s *story) castCourse(st *stage) {
	s.plannedStay(st)
	s.cancelledStay(st)
	s.cancelledTransfer(st)
	s.cancelledDischarge(st)
	s.deceased(st)
	s.checkup(st)
	s.personUpdate(st)
	s.oldAfterNew(st)
	s.backAndForth(st)
	s.absentColumns(st)
	s.olderRow(st)
	s.quotedAddress(st)
	s.cancelledOrders(st)
	s.resultBeforeOrder(st)
	s.secondReferralUp(st)
	s.cancelledVisit(st)
}

// inpatient registers and admits somebody at the city hospital.
func (s *story) inpatient(st *stage, p *Patient, at time.Time, dept string, dx ...string) *Visit {
	s.city.adt(st.cityAdmit, "A28", at.Add(-20*time.Minute), p, nil)
	v := s.visit(p, "IMP", dept, at, dx...)
	v.AdmitSource = pick(s.r, []string{"1", "2"})
	s.city.adt(st.cityAdmit, "A01", at, p, v)
	return v
}

func (s *story) plannedStay(st *stage) {
	p := s.atCity(s.human("pre-admitted, then admitted"))
	s.city.adt(st.cityAdmit, "A28", s.at(2, 9, 0), p, nil)
	v := s.visit(p, "IMP", "surgery", s.at(6, 9, 0), "gallstone")
	v.AdmitSource, v.Status, v.Class, v.LocalClass = "2", "planned", "PRENC", "P"
	s.trap("preadmit-a05", s.city.adt(st.cityAdmit, "A05", s.at(2, 9, 30), p, v).record)
	v.Status, v.Class, v.LocalClass, v.Start = "in-progress", "IMP", "I", instant(s.at(6, 9, 20))
	s.city.adt(st.cityAdmit, "A01", s.at(6, 9, 20), p, v)
	v.end(s.at(12, 10, 0), "1")
	s.city.adt(st.cityLeave, "A03", s.at(12, 10, 0), p, v)

	q := s.atCity(s.human("pre-admitted only"))
	s.city.adt(st.cityAdmit, "A28", s.at(2, 10, 0), q, nil)
	w := s.visit(q, "IMP", "orthopaedics", s.at(40, 9, 0), "chestpain")
	w.AdmitSource, w.Status, w.Class, w.LocalClass = "2", "planned", "PRENC", "P"
	s.city.adt(st.cityAdmit, "A05", s.at(2, 10, 30), q, w)
}

func (s *story) cancelledStay(st *stage) {
	p := s.atCity(s.human("admission cancelled"))
	v := s.inpatient(st, p, s.at(5, 14, 0), "neuro", "infarct")
	v.Status = "cancelled"
	s.trap("cancel-admit-a11", s.city.adt(st.cityLeave, "A11", s.at(5, 16, 0), p, v).record)
}

func (s *story) cancelledTransfer(st *stage) {
	p := s.atCity(s.human("transfer cancelled"))
	v := s.inpatient(st, p, s.at(6, 11, 0), "cardiology", "chd")
	home, bed := v.Department, v.Bed
	v.Department, v.Bed = departmentAt(City, "respiratory"), "3"
	s.city.adt(st.cityLeave, "A02", s.at(8, 9, 0), p, v)
	v.Department, v.Bed = home, bed
	s.trap("cancel-transfer-a12", s.city.adt(st.cityLeave, "A12", s.at(8, 10, 0), p, v).record)
}

func (s *story) cancelledDischarge(st *stage) {
	h := s.human("discharge cancelled")
	p := s.atCity(h)
	v := s.inpatient(st, p, s.at(4, 11, 0), "nephrology", "t2dm-kidney")
	v.end(s.at(11, 9, 0), "1")
	s.city.adt(st.cityLeave, "A03", s.at(11, 9, 0), p, v)
	v.End, v.Disposition, v.Status = nil, "", "in-progress"
	s.trap("cancel-discharge-a13", s.city.adt(st.cityLeave, "A13", s.at(11, 15, 0), p, v).record)
	county := s.atCounty(h)
	s.countyClinic(st.countyA, county, 0, "general", "t2dm")
}

func (s *story) deceased(st *stage) {
	h := s.human("died in hospital", s.born(1936, 1945))
	p := s.atCity(h)
	v := s.inpatient(st, p, s.at(3, 20, 0), "emergency", "sepsis")
	v.AdmitSource = "1"
	t := instant(s.at(9, 4, 17))
	p.Deceased = &t
	v.end(s.at(9, 4, 17), "5")
	s.trap("deceased", s.city.adt(st.cityLeave, "A03", s.at(9, 5, 0), p, v).record)
	county := s.atCounty(h)
	s.countyClinic(st.countyA, county, 1, "general", "copd")
}

func (s *story) checkup(st *stage) {
	p := s.atCity(s.human("health check-up"))
	s.city.adt(st.cityAdmit, "A28", s.at(7, 8, 0), p, nil)
	v := s.visit(p, "AMB", "checkup", s.at(7, 8, 15), "checkup")
	v.LocalClass = "T"
	s.trap("checkup-class", s.city.adt(st.cityAdmit, "A04", s.at(7, 8, 15), p, v).record)
	v.end(s.at(7, 10, 0), "")
	s.city.adt(st.cityAdmit, "A03", s.at(7, 10, 0), p, v)
}

// personUpdate changes name and address and deletes the phone with "".
func (s *story) personUpdate(st *stage) {
	h := s.human("name changed, phone deleted", s.woman)
	p := s.atCity(h, func(p *Patient) { p.Pinyin = "" })
	s.cityClinic(st, p, 5, "endocrine", "hyperthyroid")
	p.Name = s.name("female", surnames, nil).han
	p.Address = "衡远市云溪区" + pick(s.r, streets) + "8号"
	p.Phone = ""
	m := s.city.adt(st.cityLate, "A31", s.at(24, 9, 0), p, nil)
	for i, seg := range m.segs {
		if f := strings.Split(seg, "|"); f[0] == "PID" {
			f[13] = `""`
			m.segs[i] = strings.Join(f, "|")
		}
	}
	s.trap("delete-value", m.record)
	s.trap("name-change", p)
}

// oldAfterNew delivers an A08 that is older than what is known.
func (s *story) oldAfterNew(st *stage) {
	p := s.atCity(s.human("an older update arrives after a newer one"), func(p *Patient) { p.Pinyin = "" })
	v := s.cityClinic(st, p, 6, "gastro", "hepatitisB")
	first := p.Address
	p.Address, p.Marital = "衡远市北亭区"+pick(s.r, streets)+"21号", "20"
	v.Diagnoses = ranked("hepatitisB", "gallstone")
	s.city.adt(st.cityLeave, "A08", s.at(15, 10, 0), p, v)

	older := *p
	older.Address = first
	olderVisit := *v
	olderVisit.Diagnoses = ranked("hepatitisB")
	m := s.city.adt(st.cityLate, "A08", s.at(10, 10, 0), &older, &olderVisit)
	m.record.Fate, m.record.Reason = Superseded, "older than the update that was applied"
	s.trap("old-after-new", m.record, p)
}

// backAndForth changes a value and changes it back: the third state must be applied
// though it equals the first.
func (s *story) backAndForth(st *stage) {
	p := s.atCounty(s.human("contact's phone changes and changes back"))
	s.countyClinic(st.countyA, p, 1, "general", "hypertension")
	x := p.Contact.Phone
	p.Contact.Phone = phone(s.r)
	s.county.patient(st.countyB, p, s.at(12, 9, 0))
	p.Contact.Phone = x
	s.trap("back-and-forth", s.county.patient(st.countyC, p, s.at(22, 9, 0)), p)

	// The same for rows without a stamp: a further diagnosis is replaced and put back.
	q := s.atCounty(s.human("a further diagnosis changes and changes back"))
	at := s.at(2, 9, 0)
	s.county.patient(st.countyA, q, at)
	v := s.visit(q, "AMB", "general", at, "hypertension", "hyperlipidaemia")
	v.end(at.Add(time.Hour), "")
	s.county.visit(st.countyA, v, at.Add(time.Hour))
	v.Diagnoses = ranked("hypertension", "t2dm")
	s.county.visit(st.countyB, v, s.at(12, 10, 0))
	v.Diagnoses = ranked("hypertension", "hyperlipidaemia")
	s.trap("back-and-forth", s.county.visit(st.countyC, v, s.at(22, 10, 0)), v)
}

// absentColumns: a night without phone and address columns must not erase them; an
// empty phone on a later night does.
func (s *story) absentColumns(st *stage) {
	p := s.atCounty(s.human("phone and address survive a night without these columns"))
	s.countyClinic(st.countyA, p, 0, "orthopaedics", "chestpain")
	p.Marital = "40"
	s.trap("absent-column", s.county.patient(st.countyB, p, s.at(12, 11, 0)), p)

	q := s.atCounty(s.human("phone removed by an empty cell"))
	s.countyClinic(st.countyA, q, 0, "orthopaedics", "chestpain")
	q.Phone = ""
	s.trap("empty-cell", s.county.patient(st.countyC, q, s.at(23, 11, 0)), q)

	// An old row with a one-digit marital code, sent twice.
	o := s.atCounty(s.human("old one-digit marital code"), func(p *Patient) { p.Marital = "2" })
	s.county.patient(st.countyA, o, s.at(0, 7, 0))
	p2 := s.county.patient(st.countyC, o, s.at(21, 8, 0))
	s.trap("old-marital-code", o)
	v := s.visit(o, "AMB", "general", s.at(21, 9, 0), "copd")
	v.end(s.at(21, 9, 30), "")
	rec := s.county.visit(st.countyC, v, s.at(21, 9, 31))
	s.trap("duplicate-row", s.county.again(st.countyC, rec), s.county.again(st.countyC, p2))

	// A visit that comes again unchanged on a night with another column order.
	w := s.visit(o, "AMB", "general", s.at(1, 9, 0), "copd")
	w.end(s.at(1, 9, 30), "")
	s.trap("duplicate-row", s.county.again(st.countyB, s.county.visit(st.countyA, w, s.at(1, 9, 31))))
}

func (s *story) olderRow(st *stage) {
	p := s.atCounty(s.human("an older row arrives on a later night"))
	s.countyClinic(st.countyA, p, 0, "surgery", "gallstone")
	old := *p
	p.Address, p.Phone = "衡远市青崖县"+pick(s.r, streets)+"77号", phone(s.r)
	s.county.patient(st.countyC, p, s.at(20, 9, 0))
	rec := s.county.patient(st.countyC, &old, s.at(10, 9, 0))
	rec.Fate, rec.Reason = Superseded, "older than the row that was applied"
	s.trap("older-row", rec, p)
}

func (s *story) quotedAddress(st *stage) {
	h := s.human("address with quotes, comma and line break")
	h.address = fmt.Sprintf("衡远市青崖县\"東湖錦苑\",%d幢\n2单元501室", s.r.between(1, 20))
	county, city := s.atCounty(h), s.atCity(h)
	s.countyClinic(st.countyA, county, 3, "gastro", "hepatitisB")
	s.cityClinic(st, city, 12, "gastro", "hepatitisB")
	s.trap("quotes-and-newlines", county, city)
}

func (s *story) cancelledOrders(st *stage) {
	h := s.human("orders cancelled")
	p := s.atCity(h)
	v := s.cityClinic(st, p, 8, "cardiology", "chestpain")
	o := s.order(p, v, "chest-xr", City, v.Start.t.Add(9*time.Minute))
	o.Priority = "asap"
	s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	o.Status = "revoked"
	s.trap("order-cancelled", s.city.order(st.cityOrders, "ORM^O01", "CA", o.Ordered.t.Add(time.Hour), p, nil, o).record, o)

	c := s.atCounty(h)
	cv := s.countyClinic(st.countyA, c, 2, "cardiology", "chestpain")
	co := s.order(c, cv, "chest-xr", County, cv.Start.t.Add(8*time.Minute))
	s.county.order(st.countyA, co, cv, co.Ordered.t)
	co.Status = "revoked"
	s.trap("order-cancelled", s.county.order(st.countyB, co, cv, s.at(11, 8, 0)), co)
	rx := s.prescribe(c, cv, s.number("cf", "CF%08d", 7000000), 1, "aspirin", instant(cv.Start.t.Add(12*time.Minute)))
	s.county.prescription(st.countyA, rx, rx.Written.t)
	rx.Status = "cancelled"
	s.trap("prescription-cancelled", s.county.prescription(st.countyB, rx, s.at(11, 8, 5)))
}

// resultBeforeOrder: a city result overtakes its order; one laboratory result is for
// an order that never comes, one for a clinic that is no member.
func (s *story) resultBeforeOrder(st *stage) {
	h := s.human("results overtake their orders")
	p := s.atCity(h)
	v := s.cityClinic(st, p, 10, "respiratory", "pneumonia")
	o := s.order(p, v, "crp", City, v.Start.t.Add(10*time.Minute))
	rep := s.report(City, p, o.panel, o, o.Ordered.t.Add(10*time.Minute), o.Ordered.t.Add(50*time.Minute))
	s.fill(rep, h.sex)
	rep.OrderLate = true
	s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), p, nil, true, rep)
	s.city.order(st.cityLate, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	s.trap("result-before-order", rep)
	s.trap("sparse-pid", rep)

	// An order of the city for the laboratory; the document comes first.
	lo := s.order(p, v, "coagulation", Lab, v.Start.t.Add(12*time.Minute))
	subject := s.atLab(h, p, HealthCard, SenderNumber)
	lr := s.report(Lab, subject, lo.panel, lo, lo.Ordered.t.Add(15*time.Minute), lo.Ordered.t.Add(4*time.Hour))
	s.fill(lr, h.sex)
	lr.OrderLate = true
	s.lab.send(st.labEarly, lr.Issued.t.Add(3*time.Minute), lr, subject, request{sender: City, order: lo, visit: true, department: v.Department.Text})
	s.city.order(st.cityOrders, "OML^O21", "NW", lo.Ordered.t, p, v, lo)
	s.trap("result-before-order", lr)

	county := s.atCounty(h)
	s.countyClinic(st.countyA, county, 2, "respiratory", "pneumonia")
	sj := s.atLab(h, county, ResidentID)
	never := s.report(Lab, sj, panelByKey("crp"), nil, s.at(2, 10, 0), s.at(2, 15, 0))
	never.Order = &Ref{County, "SQ" + strconv.Itoa(99000000+s.r.intn(99999))}
	s.fill(never, h.sex)
	s.lab.send(st.labResults, s.at(2, 15, 4), never, sj, request{sender: County})
	s.trap("order-never-arrives", never)

	g := s.human("sent to the laboratory by a clinic that is no member")
	known := s.atCounty(g)
	s.countyClinic(st.countyA, known, 0, "general", "anaemia")
	gj := s.atLab(g, known, ResidentID)
	foreign := s.report(Lab, gj, panelByKey("cbc"), nil, s.at(5, 9, 0), s.at(5, 14, 0))
	s.fill(foreign, g.sex)
	s.lab.send(st.labResults, s.at(5, 14, 10), foreign, gj, request{})
	s.trap("sender-not-a-member", foreign)
}

func (s *story) secondReferralUp(st *stage) {
	h := s.human("referred up as urgent; the referral waits")
	county := s.atCounty(h)
	v := s.countyClinic(st.countyA, county, 3, "cardiology", "chd", "hypertension")
	r := &Referral{
		Institution: County, Number: s.number("zz", "ZZ%08d", 2500000), Patient: county.ID, Visit: v.Number, Direction: "up", From: County, To: City,
		Department: "心血管内科", Status: "active", LocalStatus: "0", Priority: "urgent", Reason: "反复胸痛,需冠脉造影", ReasonCode: "4",
		Diagnoses: []Coded{diagnosisCoded("chd")}, Date: date(s.at(13, 0, 0)), Requester: v.Doctor, Summary: "反复胸痛1周,心电图ST-T改变",
	}
	h.Referrals = append(h.Referrals, r)
	s.county.referral(st.countyB, r, s.at(13, 9, 0))
	r.LocalStatus = "1"
	s.county.referral(st.countyC, r, s.at(14, 8, 0))
	s.trap("referral-up", r)
	city := s.atCity(h)
	stay := s.inpatient(st, city, s.at(14, 15, 0), "cardiology", "chd")
	stay.AdmitSource = "3"
	s.city.adt(st.cityLeave, "A08", s.at(14, 16, 0), city, stay)
}

func (s *story) cancelledVisit(st *stage) {
	p := s.atCounty(s.human("registration returned"))
	s.county.patient(st.countyA, p, s.at(3, 8, 0))
	v := s.visit(p, "AMB", "general", s.at(3, 8, 10))
	s.county.visit(st.countyA, v, s.at(3, 8, 10))
	v.Status = "cancelled"
	s.trap("visit-cancelled", s.county.visit(st.countyB, v, s.at(4, 9, 0)), v)
	in := s.visit(p, "IMP", "respiratory", s.at(5, 10, 0), "copd")
	in.AdmitSource = "2"
	s.county.visit(st.countyB, in, s.at(6, 8, 0))
	s.trap("admit-source-differs", in)
}
