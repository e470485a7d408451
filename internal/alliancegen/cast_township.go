package alliancegen

import (
	"strconv"
	"strings"
)

// townshipStage are the deliveries of the township centre, and those of others that
// belong to its story.
type townshipStage struct {
	first, second, third *book // a week each; the third counts days from 1904
	lab                  *labDelivery
	night                *night
	register             *list
}

// castTownship are the people of the township centre: the showcase, some who are known
// elsewhere, and residents nobody else knows.
func (s *story) castTownship() {
	t := newTownship(s)
	s.town = t
	s.habits[Township] = townshipHabits(s.r)
	st := &townshipStage{
		first:  t.book("12-township-center-workbook", s.at(35, 0, 0)),
		lab:    s.lab.delivery("13-regional-lab-results"),
		night:  s.county.night("14-county-hospital-nightly"),
		second: t.book("16-township-center-workbook", s.at(42, 0, 0)),
		third:  t.book("17-township-center-workbook", s.at(49, 0, 0)),
	}
	st.second.suffix = strconv.Itoa(int(st.second.day.Month())) + "月"
	st.second.missing["居民档案"] = []string{"联系电话", "现住址"}
	st.third.date1904, st.third.inline = true, true
	st.register = &list{dir: "18-township-center-list", day: s.at(50, 0, 0)}
	t.lists = append(t.lists, st.register)
	s.townshipStaff()
	t.masters(st.first, s.at(28, 9, 0))

	s.townshipShowcase(st)
	s.townshipKnown(st)
	s.townshipCorrections(st)
	s.townshipReferral(st)
	s.townshipResident(st)
	s.townshipUnknown(st)
	s.twins(st)
	s.townshipRegister(st)

	s.trap("hidden-sheet", "deliveries/"+st.first.dir)
	s.trap("two-row-heading", "deliveries/"+st.first.dir)
	s.trap("sheet-name-suffix", "deliveries/"+st.second.dir)
	s.trap("column-order-differs", "deliveries/"+st.second.dir)
	s.trap("date-1904", "deliveries/"+st.third.dir)
}

// townshipShowcase is the first person at home: registered, seen after the referral
// down, blood glucose, prescription.
func (s *story) townshipShowcase(st *townshipStage) {
	t, h := s.town, s.known("showcase")
	p := s.atTownship(h)
	t.patient(st.first, p, s.at(30, 8, 20))
	v := s.townVisit(p, "门诊", "general", s.at(30, 8, 35), "t2dm", "hypertension")
	t.visit(st.first, v, p, s.at(30, 9, 0))
	rep := s.townReport(p, v, "glucose", s.at(30, 8, 45), s.at(30, 9, 30))
	s.add(rep, itemByKey("GLU"), h.sex, high)
	s.exactly(rep, 0, "7.20", "↑")
	s.trap("number-format-shows-digits", t.report(st.first, rep, p, s.at(30, 9, 31))[1])
	rows := s.townPrescribe(p, v, instant(s.at(30, 9, 40)), "metformin", "valsartan")
	for _, rx := range rows {
		rx.Status = "completed"
	}
	s.trap("merged-cells", t.prescriptions(st.first, rows, p, s.at(30, 10, 0))[1])
	s.trap("person-in-five-institutions", h.Person)
}

// townshipKnown are people whom hospitals know, with numbers written in other ways.
func (s *story) townshipKnown(st *townshipStage) {
	t, h := s.town, s.known("records in all three institutions")
	p := s.atTownship(h, sentAs(ResidentID, fullWidth))
	p.style.runs, p.style.wide = true, true
	s.trap("full-width-id", p)
	s.trap("formatted-runs", t.patient(st.first, p, s.at(31, 8, 0)))
	v := s.townVisit(p, "门诊", "general", s.at(31, 8, 5), "chd", "t2dm")
	s.trap("formula-with-saved-value", t.visit(st.first, v, p, s.at(31, 8, 40)))
	cbc := s.townReport(p, v, "cbc", s.at(31, 8, 20), s.at(31, 10, 0))
	s.fill(cbc, h.sex)
	wide := &cbc.Results[1]
	wide.Value.Sent = fullWidthDecimal(wide.Value.Number)
	s.trap("full-width-digits", t.report(st.first, cbc, p, s.at(31, 10, 1))[2])

	// The tracing is read at the county hospital: preliminary, then final.
	ecg := s.townReport(p, v, "ecg", s.at(31, 9, 5), s.at(31, 9, 5))
	ecg.Results = []Result{{Item: coded("心率", "心率", systemLOINC, "8867-4"), Occurrence: 1, Status: "final",
		Value: Value{Kind: Quantity, Number: "96", Unit: "次/分", UCUM: "/min", Sent: "96"}}}
	ecg.Findings = ecg.panel.findings[1] + "\n请上级医院诊断"
	ecg.Status, ecg.States, ecg.Issued, ecg.Author = "preliminary", []string{"preliminary"}, Time{}, Staff{}
	ecg.Results[0].Status = "preliminary"
	t.report(st.first, ecg, p, s.at(31, 9, 20))
	ecg.Status, ecg.States, ecg.Issued = "final", []string{"preliminary", "final"}, instant(s.at(31, 15, 40))
	ecg.Results[0].Status = "final"
	ecg.Author, ecg.Conclusion = Staff{Name: s.doctor(County).Name}, ecg.panel.conclude[1]
	s.trap("remote-diagnosis", t.report(st.second, ecg, p, s.at(31, 15, 41))[0], ecg)

	// Urine in a sheet with a column for each item.
	g := s.known("routine")
	q := s.atTownship(g, sentAs(ResidentID, strings.ToLower))
	t.patient(st.first, q, s.at(29, 8, 0))
	w := s.townVisit(q, "门诊", "tcm", s.at(29, 9, 15), "uti")
	rec := t.visit(st.first, w, q, s.at(29, 9, 50))
	s.trap("duplicate-row", t.again(st.third, rec))
	urine := s.townReport(q, w, "urine", s.at(29, 9, 30), s.at(29, 10, 20))
	s.fill(urine, g.sex)
	for i, x := range wideItems {
		res := &urine.Results[i]
		res.Item = coded(x.column, x.column, systemLOINC, itemByKey(x.item).loinc)
		res.Range, res.Flag, res.Interpret, res.Value.Unit, res.Value.UCUM = Range{}, "", "", x.unit, ""
		if x.unit != "" {
			res.Value.UCUM = itemByKey(x.item).unit
		}
	}
	s.trap("wide-report", t.report(st.first, urine, q, s.at(29, 10, 21))[0], urine)
	t.prescriptions(st.first, s.townPrescribe(q, w, date(s.at(29, 0, 0)), "cefuroxime"), q, s.at(29, 10, 30))
}

func fullWidthDecimal(s string) string { return strings.ReplaceAll(fullWidth(s), ".", "．") }

// townshipCorrections sends one report three times: final, with a result corrected, with
// another voided; and voids a whole report.
func (s *story) townshipCorrections(st *townshipStage) {
	t, h := s.town, s.known("corrected and voided reports everywhere")
	p := s.atTownship(h)
	t.patient(st.first, p, s.at(32, 8, 0))
	v := s.townVisit(p, "门诊", "general", s.at(32, 8, 30), "t2dm")
	t.visit(st.first, v, p, s.at(32, 9, 0))
	rep := s.townReport(p, v, "renal", s.at(32, 8, 50), s.at(32, 11, 0))
	s.fill(rep, h.sex)
	t.report(st.first, rep, p, s.at(32, 11, 1))
	fat := s.townReport(p, v, "lipids", s.at(32, 8, 50), s.at(32, 11, 5))
	fat.SpecimenNumber = rep.SpecimenNumber
	s.trap("two-reports-of-one-specimen", rep, fat)
	s.fill(fat, h.sex)
	t.report(st.first, fat, p, s.at(32, 11, 6))

	s.correct(rep, 1, "143.0", "↑")
	rep.Remark = "肌酐复检更正"
	s.trap("corrected-report", t.report(st.second, rep, p, s.at(36, 9, 0))[0], rep)
	rep.Results[2].Status = "entered-in-error"
	rep.States = append(rep.States, "corrected")
	rep.Remark = "尿酸结果作废"
	s.trap("voided-result", t.report(st.third, rep, p, s.at(43, 9, 0))[0], rep)
	fat.void()
	s.trap("voided-report", t.report(st.third, fat, p, s.at(43, 9, 10))[0], fat)
}

// townshipReferral is somebody whose orders the regional laboratory answers, who is
// referred up to the county and comes back.
func (s *story) townshipReferral(st *townshipStage) {
	t, h := s.town, s.human("township, laboratory and county; referred up and down", s.born(1948, 1970))
	p := s.atTownship(h)
	t.patient(st.first, p, s.at(29, 8, 30))
	v := s.townVisit(p, "门诊", "general", s.at(29, 8, 40), "gallstone", "hyperlipidaemia")
	t.visit(st.first, v, p, s.at(29, 9, 20))
	orders := s.townOrders(p, v, map[string]string{"liver": Lab, "abdomen-us": County}, s.at(29, 9, 0), "liver", "abdomen-us")
	orders[1].Priority = "urgent"
	s.trap("merged-cells", t.orders(st.first, orders, p, s.at(29, 9, 21))[1])
	s.trap("grouped-orders", orders[0])

	subject := s.atLab(h, p, ResidentID, SenderNumber)
	rep := s.report(Lab, subject, orders[0].panel, orders[0], s.at(29, 9, 30), s.at(30, 11, 0))
	s.fill(rep, h.sex)
	s.lab.send(st.lab, s.at(30, 11, 4), rep, subject, request{sender: Township, order: orders[0], visit: true, department: v.Department.Text})
	s.trap("order-before-result", rep)
	orders[0].Status = "completed"
	t.orders(st.second, orders, p, s.at(37, 8, 0))

	up := &Referral{
		Institution: Township, Number: s.number("bhzz", "ZBH%06d", 800), Patient: p.ID, Visit: v.Number, Direction: "up", From: Township, To: County,
		Department: "普通外科", Status: "active", LocalStatus: "待接收", Priority: "urgent", Reason: "反复右上腹痛,需手术评估",
		Diagnoses: []Coded{v.Diagnoses[0].Coded}, Date: date(s.at(30, 0, 0)), Requester: v.Doctor, Summary: "右上腹痛2周,加重3天\n肝功能已送区域检验中心",
	}
	h.Referrals = append(h.Referrals, up)
	s.trap("referral-up", t.referral(st.first, up, p, s.at(30, 14, 0)), up)

	county := s.atCounty(h)
	s.county.patient(st.night, county, s.at(31, 8, 30))
	stay := s.visit(county, "IMP", "surgery", s.at(31, 9, 0), "gallstone")
	stay.AdmitSource = "3"
	stay.end(s.at(38, 10, 0), "3")
	s.county.visit(st.night, stay, s.at(38, 10, 5))

	up.LocalStatus, up.Status = "已完成", "completed"
	t.referral(st.second, up, p, s.at(38, 11, 0))
	down := &Referral{
		Institution: Township, Number: s.number("bhzz", "ZBH%06d", 800), Patient: p.ID, Direction: "down", From: County, To: Township,
		Department: "全科门诊", Status: "active", LocalStatus: "已接收", Priority: "routine", Reason: "术后康复", Diagnoses: []Coded{v.Diagnoses[0].Coded},
		Date: date(s.at(38, 0, 0)), Requester: s.physician(), Summary: "胆囊切除术后7天,切口愈合好\n低脂饮食,1周后复查", Answers: &Ref{Township, up.Number},
	}
	h.Referrals = append(h.Referrals, down)
	s.trap("referral-down", t.referral(st.second, down, p, s.at(38, 15, 0)), down)
	again := s.townVisit(p, "门诊", "general", s.at(40, 9, 10), "hyperlipidaemia")
	t.visit(st.second, again, p, s.at(40, 9, 30))

	// An order that comes in the next workbook, after the laboratory has answered it.
	late := s.townOrders(p, v, map[string]string{"lipids": Lab}, s.at(29, 9, 5), "lipids")
	fat := s.report(Lab, subject, late[0].panel, late[0], s.at(29, 9, 30), s.at(30, 12, 0))
	s.fill(fat, h.sex)
	fat.OrderLate = true
	s.lab.send(st.lab, s.at(30, 12, 5), fat, subject, request{sender: Township, order: late[0]})
	late[0].Status = "completed"
	t.orders(st.second, late, p, s.at(37, 8, 10))
	s.trap("result-before-order", fat)
}

// townshipResident is known nowhere else; phone and address survive a week without
// these columns, an older row comes late, and a prescription is voided.
func (s *story) townshipResident(st *townshipStage) {
	t, h := s.town, s.human("resident known at the township alone", s.born(1944, 1966))
	p := s.atTownship(h)
	p.style.trailing = "  "
	t.patient(st.first, p, s.at(33, 8, 0))
	s.trap("trailing-spaces", p)
	v := s.townVisit(p, "门诊", "general", s.at(33, 8, 25), "hypertension")
	v.Vitals = v.Vitals[1:]
	t.visit(st.first, v, p, s.at(33, 8, 50))
	rows := s.townPrescribe(p, v, instant(s.at(33, 8, 45)), "amlodipine", "aspirin", "atorvastatin")
	t.prescriptions(st.first, rows, p, s.at(33, 8, 46))
	for _, rx := range rows {
		rx.Status = "cancelled"
	}
	s.trap("prescription-cancelled", t.prescriptions(st.second, rows, p, s.at(36, 8, 0))[0])
	old := *p
	p.Marital = "丧偶"
	s.trap("absent-column", t.patient(st.second, p, s.at(38, 8, 0)), p)
	old.Address = "衡远市青崖县白河镇旧址1号"
	rec := t.patient(st.third, &old, s.at(20, 8, 0))
	rec.Fate, rec.Reason = Superseded, "older than the row that was applied"
	s.trap("older-row", rec, p)

	gone := s.townVisit(p, "急诊", "general", s.at(36, 20, 10), "chestpain")
	gone.Vitals = nil
	gone.Status = "in-progress"
	t.visit(st.second, gone, p, s.at(36, 20, 11))
	gone.Status = "cancelled"
	s.trap("visit-cancelled", t.visit(st.third, gone, p, s.at(44, 8, 0)), gone)

	// A doctor gets another title.
	for i := range s.staff {
		if m := &s.staff[i]; m.Institution == Township && m.Number == "B03" {
			m.Title = Coded{Code: "主治医师", Text: "主治医师"}
			s.trap("title-changes", t.put(st.third, "职工", "", "", map[string]xcell{
				"工号": text(m.Number), "姓名": text(m.Name), "科室代码": code(m.Department), "职称": text(m.Title.Code), "修改时间": stamped(s.at(45, 9, 0)),
			}))
		}
	}
}

// townshipUnknown has name and phone of somebody else and no identifier: whether they
// are one human being no rule can know.
func (s *story) townshipUnknown(st *townshipStage) {
	t, other := s.town, s.known("one item three times in a report")
	h := s.human("name and phone alone, those of somebody known elsewhere", func(h *human) { h.sex, h.name = other.sex, other.name })
	h.phone = other.phone
	p := s.atTownship(h, noIDs, func(p *Patient) { p.Birth, p.Address, p.Contact, p.Marital, p.Ethnicity = Time{}, "", nil, "", "" })
	s.trap("name-and-phone-only", t.patient(st.first, p, s.at(34, 8, 0)), p)
	for _, q := range other.Patients {
		s.review(p, q, "same name, sex and phone, no identifier", false)
	}
	v := s.townVisit(p, "急诊", "general", s.at(34, 7, 50), "chestpain")
	t.visit(st.first, v, p, s.at(34, 8, 30))
}

// twins are registered without numbers of their own on one day.
func (s *story) twins(st *townshipStage) {
	t, mother := s.town, s.human("mother of twins", s.woman, s.born(1990, 1999))
	m := s.atTownship(mother)
	t.patient(st.first, m, s.at(34, 9, 0))
	v := s.townVisit(m, "门诊", "women", s.at(34, 9, 20), "delivery")
	t.visit(st.first, v, m, s.at(34, 9, 40))
	born := s.at(27, 0, 0)
	var first *Patient
	for _, name := range []string{"之长女", "之次女"} {
		h := s.human("one of twins without a number", func(h *human) {
			h.birth, h.sex, h.name, h.marital = born, "female", fullName{mother.name.han + name, ""}, "10"
		})
		h.phone, h.address, h.ethnicity = mother.phone, mother.address, mother.ethnicity
		h.contact = Contact{mother.name.han, "5", mother.phone}
		p := s.atTownship(h, with(placeholder("无")))
		rec := t.patient(st.first, p, s.at(34, 9, 50))
		s.never(m, p, "twins and their mother have one phone")
		if first != nil {
			s.never(first, p, "twins")
			s.trap("twins", rec, first, p)
		}
		first = p
		s.trap("placeholder-id", p)
	}
}

// townshipRegister is somebody whose changed row comes in the register that is HTML.
func (s *story) townshipRegister(st *townshipStage) {
	t, h := s.town, s.human("moved house, as a page of HTML tells", s.born(1950, 1975))
	p := s.atTownship(h)
	t.patient(st.second, p, s.at(39, 8, 0)) // without phone and address
	p.Phone, p.Address = phone(s.r), "衡远市青崖县白河镇"+pick(s.r, streets)+"6号\n后院"
	cells := t.resident(p, s.at(48, 8, 0))
	rec := &Record{Institution: Township, Kind: "居民档案", Key: rowKey(sheetByName("居民档案"), cells), Patient: p.ID, Fate: Committed}
	s.records = append(s.records, rec)
	st.register.rows = append(st.register.rows, &bookRow{cells: cells, record: rec})
	s.trap("html-named-xls", rec, p)
}
