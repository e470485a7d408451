package alliancegen

import "time"

// showcase is the first person of the ledger: a diabetic found at the county
// hospital, her HbA1c done at the regional laboratory, referred up to the city,
// admitted there two weeks after that HbA1c, referred down again and seen at home.
func (s *story) showcase(st *stage) {
	h := s.human("showcase: county, laboratory and city; referred up and down again", s.woman, s.born(1956, 1968), s.named(caretSigns))
	s.trap("gbk-trail-caret", h.Person)
	county := s.atCounty(h, func(p *Patient) { p.Identifiers = []Identifier{resident(h.id), card(h.card)} })
	city := s.atCity(h, func(p *Patient) { p.Pinyin = h.name.pinyin })
	s.trap("person-in-three-institutions", h.Person)

	// County, day 0: outpatient visit, orders, prescription, allergy.
	v := s.visit(county, "AMB", "endocrine", s.at(0, 8, 40), "t2dm", "hypertension")
	v.AdmitSource = ""
	v.end(s.at(0, 10, 15), "")
	s.county.patient(st.countyA, county, s.at(0, 8, 30))
	s.county.visit(st.countyA, v, s.at(0, 10, 20))
	rec := instant(s.at(0, 8, 45))
	s.county.allergy(st.countyA, s.allergy(county, "penicillin", "皮疹", &rec))
	hba1c := s.order(county, v, "hba1c", Lab, s.at(0, 9, 0))
	s.county.order(st.countyA, hba1c, v, s.at(0, 9, 1))
	glucose := s.order(county, v, "glucose", County, s.at(0, 9, 0))
	ecg := s.order(county, v, "ecg", County, s.at(0, 9, 2))
	glucose.Status, ecg.Status = "completed", "completed"
	s.county.order(st.countyA, glucose, v, s.at(0, 11, 0))
	s.county.order(st.countyA, ecg, v, s.at(0, 11, 0))
	cf := s.number("cf", "CF%08d", 7000000)
	for i, d := range []string{"metformin", "amlodipine"} {
		s.county.prescription(st.countyA, s.prescribe(county, v, cf, i+1, d, instant(s.at(0, 10, 0))), s.at(0, 10, 1))
	}

	glu := s.report(County, county, panelByKey("glucose"), glucose, s.at(0, 9, 10), s.at(0, 11, 0))
	s.add(glu, itemByKey("GLU"), h.sex, high)
	s.exactly(glu, 0, "11.60", "↑")
	glu.Results[0].Marked = true
	s.trap("recognition-mark", glu)
	s.county.report(st.countyA, glu, s.at(0, 11, 0))
	trace := s.report(County, county, panelByKey("ecg"), ecg, s.at(0, 10, 5), s.at(0, 10, 30))
	s.county.report(st.countyA, trace, s.at(0, 10, 30))

	// Laboratory, day 1: the HbA1c; its order has arrived.
	subject := s.atLab(h, county, ResidentID, HealthCard, SenderNumber)
	a1c := s.report(Lab, subject, panelByKey("hba1c"), hba1c, s.at(0, 9, 10), s.at(1, 15, 20))
	s.add(a1c, itemByKey("HbA1c"), h.sex, high)
	s.exactly(a1c, 0, "9.8", "↑")
	a1c.Results[0].Marked = true
	s.lab.send(st.labEarly, s.at(1, 15, 25), a1c, subject, request{sender: County, order: hba1c, visit: true, department: v.Department.Text})
	s.trap("order-before-result", a1c)
	s.trap("recent-hba1c-elsewhere", a1c)

	// County, day 3: referral up.
	up := &Referral{
		Institution: County, Number: s.number("zz", "ZZ%08d", 2500000), Patient: county.ID, Visit: v.Number, Direction: "up", From: County, To: City,
		Department: "内分泌科", Status: "active", LocalStatus: "0", Priority: "routine", Reason: "血糖控制不佳,需进一步评估并发症", ReasonCode: "4",
		Diagnoses: []Coded{diagnosisCoded("t2dm")}, Date: date(s.at(3, 0, 0)), Requester: v.Doctor,
		Summary: "多饮、多尿3月,空腹血糖11.60mmol/L\n糖化血红蛋白9.8%\n既往\"高血压\"5年,青霉素过敏",
	}
	h.Referrals = append(h.Referrals, up)
	s.county.referral(st.countyA, up, s.at(3, 9, 0))
	s.trap("referral-up", up)

	// City, day 15 = 15 days after the HbA1c was collected: outpatient, then admitted.
	s.city.adt(st.cityAdmit, "A28", s.at(14, 16, 0), city, nil)
	clinic := s.visit(city, "AMB", "endocrine", s.at(15, 8, 30), "t2dm")
	s.city.adt(st.cityAdmit, "A04", s.at(15, 8, 30), city, clinic)
	s.allergy(city, "penicillin", "皮疹", nil)
	clinic.end(s.at(15, 10, 30), "")
	s.city.adt(st.cityAdmit, "A03", s.at(15, 10, 35), city, clinic)
	stay := s.visit(city, "IMP", "endocrine", s.at(15, 10, 40), "t2dm-kidney", "hypertension")
	stay.AdmitSource = "3"
	s.city.adt(st.cityAdmit, "A01", s.at(15, 10, 40), city, stay)

	// Orders: a form of two for the city's laboratory, one for the regional one, imaging and ECG.
	group := s.number("group", "G%07d", 500000)
	renal := s.order(city, stay, "renal", City, s.at(15, 11, 0))
	lipids := s.order(city, stay, "lipids", City, s.at(15, 11, 0))
	malb := s.order(city, stay, "microalbumin", Lab, s.at(15, 11, 5))
	renal.Group, lipids.Group = group, group
	s.trap("grouped-orders", s.city.order(st.cityOrders, "OML^O21", "NW", s.at(15, 11, 0), city, stay, renal, lipids).record)
	s.city.order(st.cityOrders, "OML^O21", "NW", s.at(15, 11, 5), city, stay, malb)
	us := s.order(city, stay, "abdomen-us", City, s.at(15, 11, 10))
	heart := s.order(city, stay, "ecg", City, s.at(15, 11, 12))
	heart.Priority = "stat"
	s.city.order(st.cityOrders, "ORM^O01", "NW", s.at(15, 11, 10), city, stay, us)
	s.city.order(st.cityOrders, "ORM^O01", "NW", s.at(15, 11, 12), city, stay, heart)

	// Results.
	cityLab := s.atLab(h, city, ResidentID, SenderNumber)
	urine := s.report(Lab, cityLab, panelByKey("microalbumin"), malb, s.at(16, 7, 0), s.at(16, 15, 0))
	s.fill(urine, h.sex)
	s.exactly(urine, 0, "86.4", "↑")
	s.lab.send(st.labResults, s.at(16, 15, 5), urine, cityLab, request{sender: City, order: malb, visit: true, department: stay.Department.Text})

	kidney := s.report(City, city, panelByKey("renal"), renal, s.at(16, 6, 30), s.at(16, 10, 0))
	s.fill(kidney, h.sex)
	fat := s.report(City, city, panelByKey("lipids"), lipids, s.at(16, 6, 30), s.at(16, 10, 5))
	s.fill(fat, h.sex)
	m := s.city.result(st.cityResults, s.at(16, 10, 6), city, stay, false, kidney, fat)
	s.trap("two-reports-in-one-message", m.record)
	belly := s.report(City, city, panelByKey("abdomen-us"), us, s.at(16, 9, 0), s.at(16, 11, 0))
	belly.Findings += "\n双肾大小正常,皮髓质分界清"
	s.city.result(st.cityResults, s.at(16, 11, 1), city, stay, false, belly)
	s.trap("imaging-report", belly)
	s.cityECG(st, city, stay, heart, s.at(15, 13, 0))
	for _, o := range []*Order{renal, lipids} {
		o.Status = "completed"
		s.city.order(st.cityResults, "ORM^O01", "SC", s.at(16, 10, 30), city, nil, o)
	}

	// Transfer to nephrology, discharge, referral down, appointment.
	stay.Department = departmentAt(City, "nephrology")
	s.city.adt(st.cityLeave, "A02", s.at(18, 9, 0), city, stay)
	stay.end(s.at(23, 10, 0), "3")
	s.city.adt(st.cityLeave, "A03", s.at(23, 10, 0), city, stay)
	down := &Referral{
		Institution: City, Number: s.number("zz-city", "XZ%08d", 1200000), Patient: city.ID, Visit: stay.Number, Direction: "down", From: City, To: County,
		Status: "active", LocalStatus: "A", Priority: "routine", Reason: "病情稳定,转回基层继续治疗", Diagnoses: []Coded{diagnosisCoded("t2dm-kidney"), diagnosisCoded("hypertension")},
		Summary: "继续二甲双胍、缬沙坦治疗\n每2周复查血糖,3月后复查糖化血红蛋白\n低盐糖尿病饮食", Date: date(s.at(23, 0, 0)), Requester: stay.Doctor,
		Answers: &Ref{County, up.Number},
	}
	h.Referrals = append(h.Referrals, down)
	s.city.refer(st.cityLeave, s.at(23, 10, 30), city, stay, down)
	s.trap("referral-down", down)
	app := &Appointment{
		Institution: City, Number: s.number("yy", "YY%07d", 300000), Patient: city.ID, Status: "booked", Start: instant(s.at(51, 9, 30)), End: instant(s.at(51, 9, 45)),
		Department: departmentAt(City, "nephrology"), Doctor: stay.Doctor, Reason: "糖尿病肾病复诊",
	}
	h.Appointments = append(h.Appointments, app)
	s.city.book(st.cityLeave, s.at(23, 10, 45), city, app)

	// County: the referral is confirmed, then completed; a follow-up visit.
	up.LocalStatus = "1"
	s.county.referral(st.countyB, up, s.at(4, 10, 0))
	up.LocalStatus, up.Status = "2", "completed"
	s.county.referral(st.countyC, up, s.at(24, 10, 0))
	hba1c.Status = "completed"
	s.county.order(st.countyB, hba1c, v, s.at(4, 8, 0))
	again := s.visit(county, "AMB", "endocrine", s.at(24, 9, 0), "t2dm-kidney", "hypertension")
	again.end(s.at(24, 9, 40), "")
	s.county.visit(st.countyC, again, s.at(24, 10, 0))
	cf = s.number("cf", "CF%08d", 7000000)
	for i, d := range []string{"metformin", "valsartan"} {
		s.county.prescription(st.countyC, s.prescribe(county, again, cf, i+1, d, instant(s.at(24, 9, 30))), s.at(24, 9, 31))
	}
}

// cityECG sends an ECG report with a measured heart rate.
func (s *story) cityECG(st *stage, p *Patient, v *Visit, o *Order, at time.Time) *Report {
	rep := s.report(City, p, panelByKey("ecg"), o, at, at.Add(20*time.Minute))
	n := "78"
	if rep.Findings != rep.panel.findings[0] {
		n = "96"
	}
	rep.Results = []Result{{
		Item: coded("ECG_HR", "心率", systemLOINC, "8867-4"), Occurrence: 1, Status: "final",
		Value: Value{Kind: Quantity, Number: n, Unit: "次/分", UCUM: "/min", Sent: n},
	}}
	s.city.result(st.cityResults, at.Add(21*time.Minute), p, v, false, rep)
	s.trapOnce("ecg-report", 2, rep)
	return rep
}
