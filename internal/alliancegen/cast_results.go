package alliancegen

import (
	"strings"
	"time"
)

// castResults are people whose results are hard to read.
func (s *story) castResults(st *stage) {
	s.valuesAtCity(st)
	s.valuesAtCounty(st)
	s.valuesAtLab(st)
	s.correctedAndVoided(st)
	s.repeatedItems(st)
	s.microbiology(st)
	s.texts(st)
	s.declarations(st)
	s.repetitions(st)
}

// hard are outcomes by panel and item that a laboratory produces once in a while.
var hard = []struct {
	panel, item, trap string
	outcome           outcome
}{
	{"thyroid", "TSH", "below-detection", below},
	{"thyroid", "FT4", "value-see-report", seeReport},
	{"bnp", "NTproBNP", "above-range", above},
	{"electrolytes", "K", "value-haemolysed", haemolysed},
	{"hepatitis", "HBsAg", "ordinal-weak", weak},
	{"hepatitis", "HCVAb", "ordinal-and-number", mixed},
	{"hepatitis", "HBsAb", "above-range", above},
	{"autoimmune", "ANA", "titre", high},
	{"autoimmune", "RPR", "ordinal-negative", normal},
	{"urine", "UPRO", "ordinal-plus", strong},
	{"urine", "UGLU", "ordinal-positive", high},
	{"blood-group", "ABO", "coded-value", normal},
	{"crp", "CRP", "value-missing", missing},
}

// hardReports makes one report a panel, with the hard outcomes at their items.
func (s *story) hardReports(institution string, p *Patient, from time.Time, order func(panelKey string, at time.Time) *Order) []*Report {
	var out []*Report
	byPanel := map[string]*Report{}
	for _, x := range hard {
		if byPanel[x.panel] != nil {
			continue
		}
		at := from.Add(time.Duration(len(out)) * 7 * time.Minute)
		var o *Order
		if order != nil {
			o = order(x.panel, at)
		}
		rep := s.report(institution, p, panelByKey(x.panel), o, at.Add(30*time.Minute), at.Add(3*time.Hour))
		byPanel[x.panel] = rep
		out = append(out, rep)
		for _, key := range rep.panel.items {
			how := normal
			for _, y := range hard {
				if y.panel == x.panel && y.item == key {
					how = y.outcome
					s.trap(y.trap, rep)
				}
			}
			s.add(rep, itemByKey(key), p.Sex, how)
		}
	}
	// An item whose code stands in no table.
	rep := out[len(out)-1]
	unknown := s.add(rep, itemByKey("ALB"), p.Sex, high)
	unknown.Item = Coded{Code: map[string]string{City: "XK999", County: "099999", Lab: "RL9999"}[institution], Text: "白蛋白(干化学)"}
	unknown.Occurrence = 1
	s.trap("unmapped-code", rep)
	return out
}

func (s *story) valuesAtCity(st *stage) {
	h := s.human("results that are hard to read, city")
	p := s.atCity(h)
	v := s.inpatient(st, p, s.at(7, 9, 0), "nephrology", "t2dm-kidney")
	for _, rep := range s.hardReports(City, p, s.at(8, 6, 0), nil) {
		s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), p, v, s.r.intn(2) == 0, rep)
	}
}

func (s *story) valuesAtCounty(st *stage) {
	h := s.human("results that are hard to read, county")
	p := s.atCounty(h)
	v := s.countyClinic(st.countyA, p, 2, "general", "hepatitisB")
	ordered := func(panelKey string, at time.Time) *Order {
		o := s.order(p, v, panelKey, County, v.Start.t.Add(9*time.Minute))
		s.county.order(st.countyA, o, v, o.Ordered.t)
		return o
	}
	for _, rep := range s.hardReports(County, p, s.at(3, 7, 0), ordered) {
		s.county.report(st.countyB, rep, rep.Issued.t)
	}
	o := ordered("renal", s.at(3, 7, 0))
	rep := s.report(County, p, o.panel, o, s.at(3, 7, 30), s.at(3, 9, 30))
	s.fill(rep, h.sex)
	for i := range rep.Results {
		if it := itemByKey([]string{"UREA", "CREA", "UA"}[i]); it.highF != "" {
			lo, hi := it.limits(h.sex)
			rep.Results[i].Range = Range{Text: "男:" + it.low + "-" + it.high + "\n女:" + it.lowF + "-" + it.highF, Low: lo, High: hi, BySex: true}
		}
	}
	s.trap("range-by-sex", rep)
	s.county.report(st.countyB, rep, rep.Issued.t)
}

func (s *story) valuesAtLab(st *stage) {
	h := s.human("results that are hard to read, laboratory")
	p := s.atCity(h)
	v := s.cityClinic(st, p, 4, "gastro", "hepatitisB")
	subject := s.atLab(h, p, ResidentID, HealthCard, SenderNumber)
	var last *Order
	ordered := func(panelKey string, at time.Time) *Order {
		last = s.order(p, v, panelKey, Lab, v.Start.t.Add(11*time.Minute))
		s.city.order(st.cityOrders, "OML^O21", "NW", last.Ordered.t, p, v, last)
		return last
	}
	for _, rep := range s.hardReports(Lab, subject, s.at(5, 7, 0), ordered) {
		s.lab.send(st.labResults, rep.Issued.t.Add(2*time.Minute), rep, subject, request{sender: City, department: v.Department.Text})
	}

	// A child whose age the sender gave instead of a birth date.
	child := s.human("age instead of birth date at the laboratory", func(x *human) { x.birth = s.at(-102, 0, 0); x.marital = "10" })
	c := s.atCounty(child)
	cv := s.countyClinic(st.countyA, c, 2, "paediatrics", "anaemia")
	o := s.order(c, cv, "cbc", Lab, cv.Start.t.Add(10*time.Minute))
	s.county.order(st.countyA, o, cv, o.Ordered.t)
	cs := s.atLab(child, c, ResidentID)
	cs.Birth = Time{}
	cs.style.age = "3月12天"
	rep := s.report(Lab, cs, o.panel, o, o.Ordered.t.Add(20*time.Minute), o.Ordered.t.Add(6*time.Hour))
	s.fill(rep, child.sex)
	s.lab.send(st.labResults, rep.Issued.t.Add(3*time.Minute), rep, cs, request{sender: County, order: o})
	s.trap("age-text", cs)
}

// correctedAndVoided sends a correction and a cancellation at every institution.
func (s *story) correctedAndVoided(st *stage) {
	h := s.human("corrected and voided reports everywhere")
	city, county := s.atCity(h), s.atCounty(h)
	v := s.inpatient(st, city, s.at(9, 10, 0), "endocrine", "t2dm")
	cv := s.countyClinic(st.countyA, county, 1, "endocrine", "t2dm")

	o := s.order(city, v, "electrolytes", City, s.at(9, 10, 30))
	s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, city, v, o)
	rep := s.report(City, city, o.panel, o, s.at(9, 11, 0), s.at(9, 12, 30))
	s.fill(rep, h.sex)
	s.exactly(rep, 0, "6.90", "HH")
	rep.Results[0].Interpret = "HH"
	s.city.result(st.cityResults, s.at(9, 12, 31), city, v, true, rep)
	s.correct(rep, 0, "4.90", "N")
	rep.Remark = "标本轻度溶血,K复检后更正"
	rep.Issued = instant(s.at(9, 15, 0))
	s.trap("corrected-report", s.city.result(st.cityLate, s.at(9, 15, 1), city, v, true, rep).record, rep)

	x := s.report(City, city, panelByKey("cbc"), nil, s.at(10, 7, 0), s.at(10, 9, 0))
	s.fill(x, h.sex)
	s.city.result(st.cityResults, s.at(10, 9, 1), city, v, true, x)
	x.void()
	s.trap("voided-report", s.city.result(st.cityLate, s.at(10, 13, 0), city, v, true, x).record, x)

	// Imaging: preliminary, then final with other words.
	img := s.order(city, v, "chest-ct", City, s.at(9, 10, 40))
	s.city.order(st.cityOrders, "ORM^O01", "NW", img.Ordered.t, city, v, img)
	ct := s.report(City, city, img.panel, img, s.at(9, 16, 0), s.at(9, 16, 40))
	ct.Status, ct.States = "preliminary", []string{"preliminary"}
	ct.Conclusion = "右肺下叶渗出,待审核"
	s.city.result(st.cityResults, s.at(9, 16, 41), city, v, true, ct)
	ct.Status, ct.States = "final", []string{"preliminary", "final"}
	ct.Conclusion = ct.panel.conclude[0]
	ct.Issued = instant(s.at(9, 18, 0))
	s.trap("preliminary-then-final", s.city.result(st.cityResults, s.at(9, 18, 1), city, v, true, ct).record, ct)

	co := s.order(county, cv, "liver", County, cv.Start.t.Add(6*time.Minute))
	s.county.order(st.countyA, co, cv, co.Ordered.t)
	cr := s.report(County, county, co.panel, co, s.at(2, 8, 0), s.at(2, 10, 0))
	s.fill(cr, h.sex)
	s.county.report(st.countyA, cr, s.at(2, 10, 0))
	s.correct(cr, 1, "212", "↑")
	cr.Remark = "AST复检更正"
	s.trap("corrected-report", s.county.report(st.countyC, cr, s.at(4, 10, 0))[0], cr)
	cx := s.report(County, county, panelByKey("glucose"), nil, s.at(2, 8, 0), s.at(2, 9, 0))
	s.fill(cx, h.sex)
	cx.Visit = ""
	s.county.report(st.countyA, cx, s.at(2, 9, 0))
	cx.void()
	s.trap("voided-report", s.county.report(st.countyC, cx, s.at(4, 11, 0))[0], cx)
	us := s.report(County, county, panelByKey("abdomen-us"), nil, s.at(2, 14, 0), s.at(2, 15, 0))
	us.Findings += "\n胆总管不扩张,\"墙-弧-影\"征(-)"
	s.county.report(st.countyA, us, s.at(2, 15, 0))
	us.Conclusion = "脂肪肝(中度)"
	us.Status, us.States = "corrected", append(us.States, "corrected")
	s.trap("corrected-report", s.county.report(st.countyC, us, s.at(5, 9, 0))[0], us)
	s.trap("imaging-report", us)

	lo, lr, subject := s.labPanel(st.countyA, st.labEarly, county, cv, h, "renal", 4, ResidentID, SenderNumber)
	req := request{sender: County, order: lo, visit: true}
	s.correct(lr, 1, "163.0", "↑")
	s.trap("corrected-report", s.lab.send(st.labLate, s.at(8, 9, 0), lr, subject, req).record, lr)
	_, lx, subject2 := s.labPanel(st.countyA, st.labEarly, county, cv, h, "markers", 4, ResidentID)
	lx.void()
	s.trap("voided-report", s.lab.send(st.labLate, s.at(8, 10, 0), lx, subject2, request{sender: County}).record, lx)
}

// repeatedItems is an oral glucose tolerance test: one item three times in a report.
func (s *story) repeatedItems(st *stage) {
	h := s.human("one item three times in a report")
	city, county := s.atCity(h), s.atCounty(h)
	v := s.cityClinic(st, city, 9, "endocrine", "t2dm")
	cv := s.countyClinic(st.countyA, county, 3, "endocrine", "t2dm")
	for _, x := range []struct {
		inst  string
		p     *Patient
		v     *Visit
		flags []string
	}{{City, city, v, []string{"H", "H", "N"}}, {County, county, cv, []string{"H", "↑", "P"}}} {
		o := s.order(x.p, x.v, "glucose", x.inst, x.v.Start.t.Add(5*time.Minute))
		rep := s.report(x.inst, x.p, o.panel, o, o.Ordered.t.Add(5*time.Minute), o.Ordered.t.Add(4*time.Hour))
		for i, n := range []string{"7.25", "13.80", "5.95"} {
			s.add(rep, itemByKey("GLU"), h.sex, high)
			s.exactly(rep, i, n, x.flags[i])
			if x.inst == City {
				rep.Results[i].SubID = []string{"1", "2", "3"}[i]
			}
		}
		if x.inst == City {
			s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, x.p, x.v, o)
			s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), x.p, x.v, false, rep)
		} else {
			s.county.order(st.countyA, o, x.v, o.Ordered.t)
			s.county.report(st.countyB, rep, rep.Issued.t)
		}
		s.trap("repeated-item", rep)
	}
}

func (s *story) microbiology(st *stage) {
	h := s.human("cultures")
	p := s.atCity(h)
	v := s.inpatient(st, p, s.at(4, 9, 0), "respiratory", "sepsis")
	for i, key := range []string{"blood-culture", "urine-culture"} {
		o := s.order(p, v, key, Lab, s.at(4, 10, i))
		s.city.order(st.cityOrders, "OML^O21", "NW", o.Ordered.t, p, v, o)
		subject := s.atLab(h, p, ResidentID, HealthCard)
		rep := s.report(Lab, subject, o.panel, o, s.at(4, 11, 0), s.at(8, 10, 0))
		s.lab.culture(rep, 2-2*i)
		s.lab.send(st.labResults, s.at(8, 10, 5), rep, subject, request{sender: City, order: o})
		s.trap([]string{"microbiology", "culture-negative"}[i], rep)
	}
}

// texts carry delimiters, escapes and line breaks.
func (s *story) texts(st *stage) {
	h := s.human("texts with delimiters and line breaks")
	p := s.atCity(h)
	v := s.cityClinic(st, p, 11, "surgery", "gallstone")
	o := s.order(p, v, "chest-xr", City, v.Start.t.Add(7*time.Minute))
	o.Reason = "胸痛|气促^3天;B超&CT待排~复查\\随访"
	s.trap("escaped-delimiters", s.city.order(st.cityOrders, "ORM^O01", "NW", o.Ordered.t, p, v, o).record, o)
	rep := s.report(City, p, o.panel, o, o.Ordered.t.Add(20*time.Minute), o.Ordered.t.Add(time.Hour))
	rep.Findings = "胸廓對稱,氣管居中,較前片(東院)相仿\n雙肺紋理清晰|未見實變\n心影不大"
	rep.Remark = "标本&影像均已复核\n请结合临床"
	s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), p, v, false, rep)
	s.trap("line-breaks-in-text", rep)

	cbc := s.report(City, p, panelByKey("cbc"), nil, s.at(11, 7, 0), s.at(11, 8, 0))
	s.fill(cbc, h.sex)
	for i := range cbc.Results {
		if cbc.Results[i].Value.UCUM == "10*9/L" {
			cbc.Results[i].Value.Unit = "10^9/L"
			break
		}
	}
	cbc.Results[0].Note = "复查&镜检"
	s.city.result(st.cityResults, s.at(11, 8, 1), p, v, false, cbc)
	s.trap("escaped-unit", cbc)
}

// declarations are headers that lie, are missing, or tell the truth about UTF-8.
func (s *story) declarations(st *stage) {
	h := s.human("messages in UTF-8, lying and silent about charset", s.named(barSigns))
	p := s.atCity(h)
	at := s.at(12, 8, 30)
	truthful := s.city.adt(st.cityAdmit, "A28", at, p, nil)
	s.redeclare(truthful, "UNICODE UTF-8", true)
	v := s.visit(p, "AMB", "general", at.Add(10*time.Minute), "hypertension")
	lying := s.city.adt(st.cityAdmit, "A04", at.Add(10*time.Minute), p, v)
	s.redeclare(lying, "UNICODE UTF-8", false)
	v.end(at.Add(time.Hour), "")
	silent := s.city.adt(st.cityAdmit, "A03", at.Add(time.Hour), p, v)
	s.redeclare(silent, "", false)
}

// redeclare fixes the charset of a message instead of the turn it had.
func (s *story) redeclare(m *message, charset string, utf8 bool) {
	for _, t := range s.traps {
		if strings.HasSuffix(t.name, "-msh18") || t.name == "declared-gb18030" {
			for i, r := range t.records {
				if r == m.record {
					t.records = append(t.records[:i], t.records[i+1:]...)
					break
				}
			}
		}
	}
	m.redeclare(charset)
	m.utf8 = utf8
	switch {
	case utf8:
		s.trap("truthful-utf8", m.record)
	case charset == "":
		s.trap("missing-msh18", m.record)
	default:
		s.trap("lying-msh18", m.record)
	}
}

// repetitions are retransmitted messages and documents, and one control id used twice.
func (s *story) repetitions(st *stage) {
	h := s.human("messages and documents sent twice")
	p := s.atCity(h)
	v := s.cityClinic(st, p, 5, "cardiology", "hypertension")
	o := s.order(p, v, "renal", Lab, v.Start.t.Add(10*time.Minute))
	m := s.city.order(st.cityOrders, "OML^O21", "NW", o.Ordered.t, p, v, o)
	s.trap("retransmitted-message", s.city.again(st.cityLate, m))
	subject := s.atLab(h, p, ResidentID)
	rep := s.report(Lab, subject, o.panel, o, o.Ordered.t.Add(15*time.Minute), o.Ordered.t.Add(5*time.Hour))
	s.fill(rep, h.sex)
	doc := s.lab.send(st.labResults, rep.Issued.t.Add(3*time.Minute), rep, subject, request{sender: City, order: o})
	s.trap("retransmitted-document", s.lab.again(st.labLate, doc))

	// The control id of the order is used again for another message.
	p.Marital = "22"
	reuse := s.city.adt(st.cityLate, "A08", s.at(24, 11, 0), p, v)
	f := strings.Split(reuse.segs[0], "|")
	f[9] = m.record.Key
	reuse.segs[0] = strings.Join(f, "|")
	reuse.record.Key = m.record.Key
	s.trap("control-id-reused", reuse.record)
}
