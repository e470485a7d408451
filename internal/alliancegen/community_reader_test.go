package alliancegen_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/internal/alliancegen"
)

// xmlNode is an element as this test reads it; content holds texts and elements in order.
type xmlNode struct {
	name, space string
	attributes  map[string]string
	content     []any
}

// xmlText decodes a file as its interface document says: what is no UTF-8 is GB18030,
// and so is what says GB2312 or GBK.
func xmlText(raw []byte) (string, error) {
	prolog, _, _ := bytes.Cut(raw, []byte("?>"))
	if utf8.Valid(raw) && !bytes.Contains(prolog, []byte("GB")) {
		return strings.TrimPrefix(string(raw), "\uFEFF"), nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	return string(out), err
}

func parseXML(text string) (*xmlNode, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded already
	top := &xmlNode{}
	stack := []*xmlNode{top}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return top, nil
		}
		if err != nil {
			return nil, err
		}
		last := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &xmlNode{name: t.Name.Local, space: t.Name.Space, attributes: map[string]string{}}
			for _, a := range t.Attr {
				n.attributes[a.Name.Local] = a.Value
			}
			last.content = append(last.content, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.content = append(last.content, string(t))
		}
	}
}

// all returns the children of a name.
func (n *xmlNode) all(name string) (out []*xmlNode) {
	if n == nil {
		return nil
	}
	for _, c := range n.content {
		if k, ok := c.(*xmlNode); ok && k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// at follows the first child of each name; nil if there is none.
func (n *xmlNode) at(path ...string) *xmlNode {
	for _, name := range path {
		all := n.all(name)
		if len(all) == 0 {
			return nil
		}
		n = all[0]
	}
	return n
}

func (n *xmlNode) attr(name string) string {
	if n == nil {
		return ""
	}
	return n.attributes[name]
}

// text is what stands in the element itself.
func (n *xmlNode) text() string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range n.content {
		switch c := c.(type) {
		case string:
			b.WriteString(c)
		case *xmlNode:
			if c.name == "br" {
				b.WriteByte('\n')
			}
			b.WriteString(c.text())
		}
	}
	return b.String()
}

// narrated is the text of a section as a reader sees it.
func narrated(n *xmlNode) string {
	var out []string
	blocks := false
	for _, c := range n.content {
		k, ok := c.(*xmlNode)
		if !ok {
			continue
		}
		switch k.name {
		case "paragraph":
			blocks = true
			out = append(out, k.text())
		case "list":
			blocks = true
			for _, item := range k.all("item") {
				out = append(out, item.text())
			}
		case "table":
			blocks = true
			for _, row := range append(k.at("thead").all("tr"), k.at("tbody").all("tr")...) {
				var cells []string
				for _, cell := range append(row.all("th"), row.all("td")...) {
					cells = append(cells, cell.text())
				}
				out = append(out, strings.Join(cells, " "))
			}
		}
	}
	if !blocks {
		return n.text()
	}
	return strings.Join(out, "\n")
}

// communityEnd is what the records of the community centre end with, as claims "what of
// whom" with their values, read with nothing but the interface document.
type communityEnd struct {
	said  map[string]string
	stamp map[string]string // of who stated a thing wholly
}

func readCommunity(t *testing.T, a *alliancegen.Alliance) map[string]string {
	t.Helper()
	e := &communityEnd{said: map[string]string{}, stamp: map[string]string{}}
	seen := map[[32]byte]bool{}
	for _, f := range a.Deliveries() {
		if !strings.Contains(f.Path, "-community-center-") || seen[sha256.Sum256(f.Bytes)] {
			continue
		}
		seen[sha256.Sum256(f.Bytes)] = true
		text, err := xmlText(f.Bytes)
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		top, err := parseXML(text)
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		paper := f.Bytes
		if payload := top.at("Envelope", "Body", "submitDocument", "payload"); payload != nil {
			paper = []byte(payload.text())
			if top, err = parseXML(payload.text()); err != nil {
				t.Fatalf("%s: %v", f.Path, err)
			}
		}
		switch {
		case top.at("ClinicalDocument") != nil:
			e.document(top.at("ClinicalDocument"), paper)
		case top.at("交换数据") != nil:
			e.message(top.at("交换数据"), paper)
		default:
			t.Errorf("%s is of no kind", f.Path)
		}
	}
	return e.said
}

// whole forgets what was said of a thing, unless it was said later.
func (e *communityEnd) whole(thing, stamp string) bool {
	if stamp < e.stamp[thing] {
		return false
	}
	maps.DeleteFunc(e.said, func(k, _ string) bool { return strings.HasPrefix(k, thing+" ") })
	e.stamp[thing] = stamp
	return true
}

// say adds a claim; an empty value is none.
func (e *communityEnd) say(thing, what, value string) {
	if value != "" {
		e.said[thing+" "+what] = value
	}
}

// gap says what nobody has said yet.
func (e *communityEnd) gap(thing, what, value string) {
	if e.said[thing+" "+what] == "" {
		e.say(thing, what, value)
	}
}

func rooted(ids []*xmlNode, root string) string {
	for _, id := range ids {
		if strings.HasSuffix(id.attr("root"), root) {
			return id.attr("extension")
		}
	}
	return ""
}

// when reads the times of both streams as the ledger writes them.
func when(s string) string {
	s = strings.TrimSuffix(s, "+0800")
	for _, form := range []string{"20060102150405", "200601021504", time.DateTime, "2006/1/2 15:04"} {
		if at, err := time.ParseInLocation(form, s, time.FixedZone("CST", 8*60*60)); err == nil {
			return at.Format(time.RFC3339)
		}
	}
	return s
}

var sexes = map[string]string{"1": "male", "2": "female"}

func entries(section *xmlNode) (out []*xmlNode) {
	for _, entry := range section.all("entry") {
		out = append(out, append(entry.all("observation"), entry.all("organizer")...)...)
	}
	return out
}

func elementCode(o *xmlNode) string { return o.at("code").attr("code") }

func (e *communityEnd) document(d *xmlNode, paper []byte) {
	kind := d.at("code").attr("code")
	role := d.at("recordTarget", "patientRole")
	ids := role.all("id")
	patient, visit := rooted(ids, "2.999.990102304.1"), rooted([]*xmlNode{d.at("componentOf", "encompassingEncounter", "id")}, "1.11")
	stamp := when(d.at("effectiveTime").attr("value"))
	person, tell := "patient "+patient, e.gap
	if kind == "C0002" && e.whole(person, stamp) {
		tell = e.say
	}
	p := role.at("patient")
	tell(person, "resident-id", rooted(p.all("id"), "1.3"))
	tell(person, "health-card", rooted(ids, "1.19"))
	tell(person, "health-record", rooted(ids, "10011.1.2"))
	tell(person, "name", p.at("name").text())
	tell(person, "sex", sexes[p.at("administrativeGenderCode").attr("code")])
	tell(person, "birth", dashed(p.at("birthTime").attr("value")))
	tell(person, "phone", strings.TrimPrefix(role.at("telecom").attr("value"), "tel:"))
	tell(person, "marital", p.at("maritalStatusCode").attr("code"))
	tell(person, "ethnicity", p.at("ethnicGroupCode").attr("code"))
	if a := role.at("addr"); a != nil {
		tell(person, "address", a.at("city").text()+a.at("county").text()+a.at("township").text()+a.at("streetName").text()+a.at("houseNumber").text())
	}
	for _, part := range d.all("participant") {
		if who := part.at("associatedEntity"); part.attr("typeCode") == "NOT" {
			tell(person, "contact", who.at("associatedPerson", "name").text()+" "+who.at("code").attr("code")+" "+who.at("telecom").attr("value"))
		}
	}

	sections := map[string]*xmlNode{}
	var told []string
	for _, c := range d.at("component", "structuredBody").all("component") {
		s := c.at("section")
		code := s.at("code").attr("code")
		sections[code+s.at("title").text()] = s
		told = append(told, code+" "+s.at("title").text()+": "+narrated(s.at("text")))
	}
	e.encounter(d, "visit "+visit, kind, patient, stamp, sections)

	number := rooted([]*xmlNode{d.at("id")}, "1.1")
	paperIs := "document " + number
	author := d.at("author", "assignedAuthor")
	by := author.at("id").attr("extension")
	report := rooted(ids, "1.33") + rooted(ids, "1.32")
	e.paper(paperIs, map[string]string{
		"patient": patient, "visit": visit, "code": kind, "title": d.at("title").text(), "date": stamp, "author": by + " " + author.at("assignedPerson", "name").text(),
		"report": report, "replaces": d.at("relatedDocument", "parentDocument", "id").attr("extension"), "sections": strings.Join(told, "\n"),
	}, paper)
	e.say("staff "+by, "name", author.at("assignedPerson", "name").text())
	e.say("staff "+by, "title", author.at("code").attr("code"))
	e.say("staff "+by, "department", rooted(author.at("representedOrganization").all("id"), "1.26"))
	e.say("department "+rooted(author.at("representedOrganization").all("id"), "1.26"), "name", author.at("representedOrganization", "name").text())
	for _, s := range append(d.all("legalAuthenticator"), d.all("authenticator")...) {
		e.say("staff "+s.at("assignedEntity", "id").attr("extension"), "name", s.at("assignedEntity", "assignedPerson", "name").text())
	}
	if kind == "C0002" {
		e.allergies(patient, sections["48765-2过敏史"])
		return
	}
	if thing := "report " + report; e.whole(thing, stamp) {
		e.report(d, thing, ids, sections)
		e.say(thing, "patient", patient)
		e.say(thing, "visit", visit)
	}
}

func dashed(day string) string {
	if len(day) != 8 {
		return day
	}
	return day[:4] + "-" + day[4:6] + "-" + day[6:]
}

func (e *communityEnd) paper(thing string, claims map[string]string, paper []byte) {
	sum := sha256.Sum256(paper)
	claims["sha256"], claims["size"] = hex.EncodeToString(sum[:]), fmt.Sprint(len(paper))
	for what, value := range claims {
		e.say(thing, what, value)
	}
}

func (e *communityEnd) encounter(d *xmlNode, thing, kind, patient, stamp string, sections map[string]*xmlNode) {
	enc := d.at("componentOf", "encompassingEncounter")
	tell := e.gap
	if kind == "C0002" && e.whole(thing, stamp) {
		tell = e.say
	}
	tell(thing, "patient", patient)
	tell(thing, "class", map[string]string{"1": "AMB"}[enc.at("code").attr("code")])
	tell(thing, "start", when(enc.at("effectiveTime", "low").attr("value")))
	place := enc.at("location", "healthCareFacility", "serviceProviderOrganization", "asOrganizationPartOf", "wholeOrganization")
	tell(thing, "department", rooted(place.all("id"), "1.26")+" "+place.at("name").text())
	e.say("department "+rooted(place.all("id"), "1.26"), "name", place.at("name").text())
	if kind != "C0002" {
		return
	}
	e.say(thing, "status", "in-progress")
	if end := enc.at("effectiveTime", "high").attr("value"); end != "" {
		e.say(thing, "end", when(end))
		e.say(thing, "status", "finished")
	}
	doctor := d.at("legalAuthenticator", "assignedEntity")
	e.say(thing, "doctor", doctor.at("id").attr("extension")+" "+doctor.at("assignedPerson", "name").text())
	rank := 0
	for _, o := range entries(sections["29548-5诊断"]) {
		if elementCode(o) == "DE05.01.024.00" {
			rank++
			e.say(thing, fmt.Sprint("diagnosis ", rank), o.at("value").attr("code")+" "+o.at("entryRelationship", "observation", "value").text())
		}
	}
	for _, o := range entries(sections["8716-3生命体征"]) {
		measured := []*xmlNode{o}
		if o.name == "organizer" {
			measured = nil
			for _, c := range o.all("component") {
				measured = append(measured, c.at("observation"))
			}
		}
		for _, m := range measured {
			if v := m.at("value"); v.attr("nullFlavor") == "" {
				e.say(thing, "vital "+elementCode(m), v.attr("value")+" "+v.attr("unit"))
			}
		}
	}
}

func (e *communityEnd) allergies(patient string, section *xmlNode) {
	for _, flag := range entries(section) {
		for _, r := range flag.all("entryRelationship") {
			o := r.at("observation")
			e.say("allergy "+patient, o.at("value").attr("code"), o.at("value").attr("displayName")+" "+o.at("entryRelationship", "observation", "value").text())
		}
	}
}

func (e *communityEnd) report(d *xmlNode, thing string, ids []*xmlNode, sections map[string]*xmlNode) {
	e.say(thing, "status", map[string]string{"1": "final", "2": "corrected"}[d.at("versionNumber").attr("value")])
	e.say(thing, "order", d.at("inFulfillmentOf", "order", "id").attr("extension"))
	e.say(thing, "barcode", rooted(ids, "1.14"))
	e.say(thing, "issued", when(d.at("legalAuthenticator", "time").attr("value")))
	who := d.at("legalAuthenticator", "assignedEntity")
	e.say(thing, "author", who.at("id").attr("extension")+" "+who.at("assignedPerson", "name").text())
	n := 0
	for title, s := range sections {
		if !strings.HasPrefix(title, "30954-2") && !strings.HasSuffix(title, "报告") {
			continue
		}
		for _, o := range entries(s) {
			v := o.at("value")
			switch elementCode(o) {
			case "DE04.30.018.00":
				e.say(thing, "section", v.attr("code"))
			case "DE04.30.020.00":
				e.say(thing, "item", v.attr("code")+" "+v.attr("displayName"))
				e.gap(thing, "collected", when(o.at("effectiveTime").attr("value")))
			case "DE04.50.131.00":
				e.say(thing, "findings", v.text())
			case "DE04.50.132.00":
				e.say(thing, "conclusion", v.text())
			case "DE06.00.179.00":
				e.say(thing, "remark", v.text())
			}
			if o.name == "organizer" {
				n++
				e.say(thing, fmt.Sprint("result ", n), e.cluster(thing, o))
			}
		}
	}
}

// cluster reads one item: code, name, value, unit, range, flag.
func (e *communityEnd) cluster(thing string, o *xmlNode) string {
	var code, value, unit, limits, flag string
	for _, c := range o.all("component") {
		o := c.at("observation")
		v := o.at("value")
		switch elementCode(o) {
		case "DE04.30.019.00":
			code = v.attr("code") + " " + v.attr("displayName")
			for _, r := range o.all("entryRelationship") {
				if s := r.at("observation"); elementCode(s) == "DE04.50.134.00" {
					e.say(thing, "specimen", s.at("value").attr("code")+" "+s.at("value").attr("displayName"))
					e.say(thing, "collected", when(s.at("effectiveTime", "low").attr("value")))
				}
			}
		case "DE04.30.015.00":
			switch v.attr("type") {
			case "PQ":
				value, unit = "number "+v.attr("value"), v.attr("unit")
				if v.attr("nullFlavor") != "" {
					value = "none"
				}
			case "IVL_PQ":
				if high := v.at("high"); high != nil {
					value, unit = "number <"+high.attr("value"), high.attr("unit")
				} else {
					value, unit = "number >"+v.at("low").attr("value"), v.at("low").attr("unit")
				}
			case "CD":
				value = "text " + v.attr("displayName")
			default:
				value = "text " + v.text()
			}
			flag = o.at("interpretationCode").attr("code")
			r := o.at("referenceRange", "observationRange")
			limits = r.at("text").text() + " " + r.at("value", "low").attr("value") + "…" + r.at("value", "high").attr("value")
		case "DE04.30.016.00":
			if unit != "" && unit != v.text() {
				return "two units"
			}
			unit = v.text()
		case "DE04.30.017.00":
			if flag == "" {
				flag = v.attr("code")
			}
		}
	}
	return strings.Join([]string{code, value, unit, limits, flag}, "|")
}

func (e *communityEnd) message(m *xmlNode, paper []byte) {
	stamp := when(m.at("报文头").attr("sendTime"))
	p := m.at("患者")
	patient := p.attr("patientNo")
	if thing := "patient " + patient; e.whole(thing, stamp) {
		e.say(thing, "resident-id", p.at("证件").text())
		e.say(thing, "health-card", p.at("健康卡号").text())
		e.say(thing, "health-record", p.at("档案号").text())
		e.say(thing, "name", p.at("姓名").text())
		e.say(thing, "sex", sexes[p.attr("sex")])
		e.say(thing, "birth", p.at("birthday").text())
		e.say(thing, "phone", p.at("电话").text())
		e.say(thing, "marital", p.at("婚姻").text())
		e.say(thing, "ethnicity", p.at("民族").text())
		e.say(thing, "address", p.at("住址").text())
		if k := p.at("联系人"); k != nil {
			e.say(thing, "contact", k.text()+" "+k.attr("关系")+" "+k.attr("电话"))
		}
	}
	if rx := m.at("处方"); rx != nil {
		doctor := rx.at("医生").attr("gh") + " " + rx.at("医生").text()
		e.drugs(rx, stamp, patient, rx.attr("就诊号"), doctor, map[string]string{"1": "active", "2": "completed", "9": "cancelled"}[rx.attr("状态")])
		e.say("department "+rx.at("科室").attr("code"), "name", rx.at("科室").text())
		e.say("staff "+rx.at("医生").attr("gh"), "name", rx.at("医生").text())
	}
	stay := m.at("住院")
	if stay == nil {
		return
	}
	visit := "visit " + stay.attr("住院号")
	doctor := stay.at("主管医生").attr("gh") + " " + stay.at("主管医生").text()
	for what, value := range map[string]string{
		"patient": patient, "class": map[string]string{"4": "SS", "5": "HH"}[stay.attr("类型")], "status": "finished", "start": when(stay.at("入院时间").text()),
		"end": when(stay.at("出院时间").text()), "department": stay.at("科室").attr("code") + " " + stay.at("科室").text(), "bed": stay.at("床号").text(), "doctor": doctor,
		"disposition": stay.at("离院方式").text(),
	} {
		e.say(visit, what, value)
	}
	e.say("department "+stay.at("科室").attr("code"), "name", stay.at("科室").text())
	e.say("staff "+stay.at("主管医生").attr("gh"), "name", stay.at("主管医生").text())
	for _, dx := range m.at("诊断列表").all("诊断") {
		e.say(visit, "diagnosis "+dx.attr("序号"), dx.attr("icd")+" "+dx.text())
	}
	if home := m.at("出院带药"); home != nil {
		e.drugs(home, stamp, patient, stay.attr("住院号"), doctor, "active")
	}
	doc := m.at("文书")
	var told []string
	for _, name := range []string{"入院情况", "诊疗经过", "出院情况"} {
		told = append(told, name+" "+name+": "+doc.at(name).text())
	}
	var orders []string
	for _, line := range doc.at("出院医嘱").all("条") {
		orders = append(orders, line.text())
	}
	told = append(told, "出院医嘱 出院医嘱: "+strings.Join(orders, "\n"))
	e.paper("document "+doc.attr("流水号"), map[string]string{
		"patient": patient, "visit": stay.attr("住院号"), "code": "CYXJ", "title": doc.attr("标题"), "date": when(doc.attr("时间")), "author": doc.at("作者").attr("gh") + " " + doc.at("作者").text(),
		"sections": strings.Join(told, "\n"),
	}, paper)
}

func (e *communityEnd) drugs(rx *xmlNode, stamp, patient, visit, doctor, status string) {
	for _, x := range rx.at("药品列表").all("药品") {
		thing := "prescription " + rx.attr("处方号") + "-" + x.attr("xh")
		if !e.whole(thing, stamp) {
			continue
		}
		for what, value := range map[string]string{
			"patient": patient, "visit": visit, "doctor": doctor, "status": status, "written": when(rx.at("开方时间").text()), "drug": x.attr("ypbm") + " " + x.at("名称").text() + " " + x.at("规格").text(),
			"dose": x.at("单次剂量").text() + " " + x.at("单次剂量").attr("dw"), "route": x.at("用法").attr("code"), "frequency": x.at("频次").text(), "days": x.at("天数").text(),
			"quantity": x.at("数量").text() + " " + x.at("数量").attr("dw"),
		} {
			e.say(thing, what, value)
		}
	}
}

// claimed says the ledger's facts about the centre in the words of communityEnd.
func claimed(l *alliancegen.Ledger) map[string]string {
	e := &communityEnd{said: map[string]string{}, stamp: map[string]string{}}
	name := func(s alliancegen.Staff) string { return s.Number + " " + s.Name }
	both := func(c alliancegen.Coded) string { return strings.TrimSpace(c.Code + " " + c.Text) }
	ours := func(institution string) bool { return institution == alliancegen.Community }
	for _, p := range l.Persons {
		for _, q := range p.Patients {
			if !ours(q.Institution) {
				continue
			}
			t := "patient " + q.ID
			for _, id := range q.Identifiers {
				e.say(t, id.Kind, id.Sent)
			}
			for what, v := range map[string]string{"name": q.Name, "sex": q.Sex, "birth": q.Birth.String(), "phone": q.Phone, "marital": q.Marital, "ethnicity": q.Ethnicity, "address": q.Address} {
				e.say(t, what, v)
			}
			if k := q.Contact; k != nil {
				e.say(t, "contact", k.Name+" "+k.Relation+" "+k.Phone)
			}
		}
		for _, v := range p.Visits {
			if !ours(v.Institution) {
				continue
			}
			t := "visit " + v.Number
			for what, x := range map[string]string{"patient": v.Patient, "class": v.Class, "status": v.Status, "start": v.Start.String(), "department": both(v.Department), "doctor": name(v.Doctor), "bed": v.Bed, "disposition": v.Disposition} {
				e.say(t, what, x)
			}
			if v.End != nil {
				e.say(t, "end", v.End.String())
			}
			for _, dx := range v.Diagnoses {
				e.say(t, fmt.Sprint("diagnosis ", dx.Rank), both(dx.Coded))
			}
			for _, m := range v.Vitals {
				e.say(t, "vital "+m.Item.Code, m.Value.Number+" "+m.Value.Unit)
			}
		}
		for _, a := range p.Allergies {
			if ours(a.Institution) {
				e.say("allergy "+a.Patient, a.Allergen.Code, a.Allergen.Text+" "+a.Reaction)
			}
		}
		for _, r := range p.Reports {
			if ours(r.Institution) {
				e.claimReport(r, name, both)
			}
		}
		for _, x := range p.Prescriptions {
			if !ours(x.Institution) {
				continue
			}
			t := fmt.Sprintf("prescription %s-%d", x.Number, x.Row)
			for what, v := range map[string]string{"patient": x.Patient, "visit": x.Visit, "doctor": name(x.Requester), "status": x.Status, "written": x.Written.String(), "drug": both(x.Drug) + " " + x.Strength,
				"dose": x.Dose + " " + x.DoseUnit, "route": x.Route, "frequency": x.Frequency, "days": fmt.Sprint(x.Days), "quantity": x.Quantity + " " + x.Pack} {
				e.say(t, what, v)
			}
		}
		for _, d := range p.Documents {
			if !ours(d.Institution) {
				continue
			}
			var told []string
			for _, s := range d.Sections {
				told = append(told, s.Code.Code+" "+s.Title+": "+s.Text)
			}
			t := "document " + d.Number
			for what, v := range map[string]string{"patient": d.Patient, "visit": d.Visit, "code": d.Code.Code, "title": d.Title, "date": d.Date.String(), "author": name(d.Author), "report": d.Report,
				"replaces": d.Replaces, "sections": strings.Join(told, "\n"), "sha256": d.SHA256, "size": fmt.Sprint(d.Size)} {
				e.say(t, what, v)
			}
		}
	}
	for _, d := range l.Departments {
		if ours(d.Institution) {
			e.say("department "+d.Code, "name", d.Name)
		}
	}
	for _, m := range l.Staff {
		if ours(m.Institution) {
			e.say("staff "+m.Number, "name", m.Name)
			e.say("staff "+m.Number, "title", m.Title.Code)
			e.say("staff "+m.Number, "department", m.Department)
		}
	}
	return e.said
}

func (e *communityEnd) claimReport(r *alliancegen.Report, name func(alliancegen.Staff) string, both func(alliancegen.Coded) string) {
	t := "report " + r.Number
	for what, v := range map[string]string{"patient": r.Patient, "visit": r.Visit, "status": r.Status, "section": r.Section, "item": both(r.Item), "specimen": both(r.Specimen), "barcode": r.SpecimenNumber,
		"collected": r.Collected.String(), "issued": r.Issued.String(), "author": name(r.Author), "findings": r.Findings, "conclusion": r.Conclusion, "remark": r.Remark} {
		e.say(t, what, v)
	}
	if r.Order != nil {
		e.say(t, "order", r.Order.Number)
	}
	for i, res := range r.Results {
		v := "text " + res.Value.Sent
		switch {
		case res.Value.Kind == alliancegen.Quantity:
			v = "number " + res.Value.Comparator + res.Value.Number
		case res.Value.Sent == "":
			v = "none"
		}
		e.say(t, fmt.Sprint("result ", i+1), strings.Join([]string{both(res.Item), v, res.Value.Unit, res.Range.Text + " " + res.Range.Low + "…" + res.Range.High, res.Flag}, "|"))
	}
}

// communityDifferences compares what the ledger says with what the records say.
func communityDifferences(t *testing.T, a *alliancegen.Alliance) (out []string) {
	t.Helper()
	got, want := readCommunity(t, a), claimed(a.Ledger)
	for k, v := range want {
		if got[k] != v {
			out = append(out, fmt.Sprintf("%s: the records end with %q, the ledger says %q", k, got[k], v))
		}
	}
	for k, v := range got {
		if want[k] == "" {
			out = append(out, fmt.Sprintf("%s: the records end with %q, of which the ledger knows nothing", k, v))
		}
	}
	slices.Sort(out)
	return out
}
