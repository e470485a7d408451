package alliancegen

import (
	"strconv"
	"strings"
	"time"
)

// message begins a message of the clinic system, with whom it is about.
func (c *community) message(kind string, at time.Time, p *Patient) (*element, *Record) {
	rec := &Record{Institution: Community, Kind: kind, Key: c.s.number("sq-message", "SQM%08d", 9100000), Patient: p.ID, Fate: Committed}
	head := xe("报文头", xe("orgCode", communityOrganisation), xe("orgName", communityName), xe("sysName", "云康诊所管理系统")).
		has("msgId", rec.Key, "bizType", kind, "sendTime", at.Format(time.DateTime))
	return xe("交换数据", head, c.clinicPatient(p)).has("版本", "1.2"), rec
}

func (c *community) clinicPatient(p *Patient) *element {
	given := map[string]string{}
	for _, id := range p.Identifiers {
		given[id.Kind] = id.Sent
	}
	e := xe("患者",
		xe("姓名", p.Name), xe("birthday", p.Birth.t.Format(time.DateOnly)), xe("证件", texts(given[ResidentID])...).has("类型", "01"),
		xe("健康卡号", texts(given[HealthCard])...), xe("档案号", texts(given[HealthRecord])...), xe("电话", texts(p.Phone)...), xe("住址", p.Address),
		xe("婚姻", texts(p.Marital)...), xe("民族", texts(p.Ethnicity)...),
	).has("patientNo", p.ID, "sex", map[string]string{"male": "1", "female": "2"}[p.Sex])
	if k := p.Contact; k != nil {
		e.add(xe("联系人", k.Name).has("关系", k.Relation, "电话", k.Phone))
	}
	return e
}

func (c *community) clinicTime(name string, t Time) *element {
	return xe(name, t.t.Format(c.clinicTimes.next()))
}

// prescription sends a form: all its lines as they now stand.
func (c *community) prescription(to *communityDelivery, at time.Time, p *Patient, v *Visit, rows ...*Rx) *Record {
	msg, rec := c.message("CF", at, p)
	first := rows[0]
	e := xe("处方", c.clinicTime("开方时间", first.Written), xe("科室", v.Department.Text).has("code", v.Department.Code), xe("医生", first.Requester.Name).has("gh", first.Requester.Number),
		xe("诊断", v.Diagnoses[0].Text).has("icd", v.Diagnoses[0].Code), drugList(rows)).
		has("处方号", first.Number, "就诊号", v.Number, "状态", map[string]string{"active": "1", "completed": "2", "cancelled": "9"}[first.Status])
	c.post(to, rec, msg.add(e))
	return rec
}

func drugList(rows []*Rx) *element {
	list := xe("药品列表")
	for _, x := range rows {
		list.add(xe("药品", xe("名称", x.Drug.Text), xe("规格", x.Strength), xe("用法", map[string]string{"1": "口服", "401": "皮下注射", "5": "吸入"}[x.Route]).has("code", x.Route),
			xe("频次", x.Frequency), xe("单次剂量", x.Dose).has("dw", x.DoseUnit), xe("天数", strconv.Itoa(x.Days)), xe("数量", x.Quantity).has("dw", x.Pack), xe("嘱托")).
			has("xh", strconv.Itoa(x.Row), "ypbm", x.Drug.Code))
	}
	return list
}

// course is what a discharge summary tells.
type course struct{ admission, treatment, discharge, orders string }

// summary sends the discharge summary of a stay with the drugs taken home.
func (c *community) summary(to *communityDelivery, at time.Time, p *Patient, v *Visit, doctor Member, t course, home ...*Rx) *Record {
	c.mention(false, doctor)
	msg, rec := c.message("CYXJ", at, p)
	msg.add(xe("住院", c.clinicTime("入院时间", v.Start), c.clinicTime("出院时间", *v.End), xe("科室", v.Department.Text).has("code", v.Department.Code), xe("床号", v.Bed),
		xe("主管医生", v.Doctor.Name).has("gh", v.Doctor.Number), xe("离院方式", v.Disposition)).has("住院号", v.Number, "类型", v.LocalClass))
	list := xe("诊断列表")
	for _, dx := range v.Diagnoses {
		list.add(xe("诊断", dx.Text).has("序号", strconv.Itoa(dx.Rank), "icd", dx.Code))
	}
	doc := &Document{
		Institution: Community, Number: c.s.number("sq-document", "WD%09d", 41000000), Patient: p.ID, Visit: v.Number, Kind: "discharge-summary",
		Code: communityDocumentCode("CYXJ"), Title: "出院小结", Date: instant(at.Add(-3 * time.Minute)), Author: doctor.staff(), ContentType: "text/xml",
	}
	orders := xe("出院医嘱")
	for line := range strings.SplitSeq(t.orders, "\n") {
		orders.add(xe("条", line))
	}
	msg.add(list, xe("文书", xe("作者", doctor.Name).has("gh", doctor.Number), xe("入院情况", t.admission), xe("诊疗经过", cdata(t.treatment)), xe("出院情况", t.discharge), orders).
		has("流水号", doc.Number, "标题", doc.Title, "时间", doc.Date.t.Format(time.DateTime)))
	if len(home) > 0 {
		msg.add(xe("出院带药", c.clinicTime("开方时间", home[0].Written), drugList(home)).has("处方号", home[0].Number))
	}
	for i, text := range []string{t.admission, t.treatment, t.discharge, t.orders} {
		row := communityDischargeSections[i]
		doc.Sections = append(doc.Sections, Section{Code: coded(row.Code, row.Name, row.System, row.Target), Title: row.Name, Text: text})
	}
	raw := c.post(to, rec, msg)
	doc.SHA256, doc.Size = digest(raw), len(raw)
	p.person.Documents = append(p.person.Documents, doc)
	return rec
}

// post writes a message in the clinic's encoding.
func (c *community) post(to *communityDelivery, rec *Record, msg *element) []byte {
	raw := gb18030(msg.document("GB2312"))
	c.s.records = append(c.s.records, rec)
	to.files = append(to.files, &communityFile{raw, rec})
	return raw
}
