package alliancegen

import (
	"bytes"
	"maps"
	"strings"
	"time"
)

// Reasons why an XML document is quarantined.
const (
	Entities = "entities" // a DTD: external entities, or entities that grow without end
	Template = "template" // a type of document that nobody agreed on
)

// badDocuments are documents that must be refused, each alone in its file.
func (c *community) badDocuments() {
	n := 0
	bad := func(kind, reason string, bend func(d *cdaDocument, doc string) string) {
		n++
		d := c.aside(kind)
		c.mark = &Record{}
		d.nobody = reason == Identity
		path := "bad/13-community-center-platform/000" + string(rune('0'+n)) + ".xml"
		c.bad = append(c.bad, File{Path: path, Bytes: []byte(bend(d, c.root(d).document("UTF-8")))})
		c.ledger.Bad.Records = append(c.ledger.Bad.Records, Record{File: path, Position: 1, Institution: Community, Kind: kind, Key: d.number, Fate: Quarantined, Reason: reason})
	}
	afterProlog := func(doc, with string) string {
		prolog, rest, _ := strings.Cut(doc, "\n")
		return prolog + "\n" + with + "\n" + rest
	}
	bad("C0002", Entities, func(d *cdaDocument, doc string) string {
		doc = afterProlog(doc, `<!DOCTYPE ClinicalDocument [<!ENTITY note SYSTEM "file:///etc/hostname">]>`)
		return strings.Replace(doc, ">复诊</value>", ">&note;</value>", 1)
	})
	bad("C0002", Entities, func(d *cdaDocument, doc string) string {
		var dtd strings.Builder
		dtd.WriteString("<!DOCTYPE ClinicalDocument [\n  <!ENTITY e0 \"复诊\">\n")
		for i := '1'; i <= '9'; i++ {
			dtd.WriteString("  <!ENTITY e" + string(i) + " \"" + strings.Repeat("&e"+string(i-1)+";", 10) + "\">\n")
		}
		dtd.WriteString("]>")
		return strings.Replace(afterProlog(doc, dtd.String()), ">复诊</value>", ">&e9;</value>", 1)
	})
	bad("C0002", Truncated, func(d *cdaDocument, doc string) string { return doc[:strings.Index(doc, "</structuredBody>")] })
	bad("C0038", Template, func(d *cdaDocument, doc string) string { return doc })
	bad("C0002", Identity, func(d *cdaDocument, doc string) string { return doc })

	// A message of the clinic system whose kind nobody agreed on.
	d := c.aside("C0002")
	msg, rec := c.message("TJBG", d.at, d.patient)
	path := "bad/15-community-center-clinic/0001.xml"
	raw := gb18030(msg.add(xe("体检报告", xe("结论", "未见异常"))).document("GB2312"))
	c.bad = append(c.bad, File{Path: path, Bytes: bytes.Clone(raw)})
	c.ledger.Bad.Records = append(c.ledger.Bad.Records, Record{File: path, Position: 1, Institution: Community, Kind: "TJBG", Key: rec.Key, Fate: Quarantined, Reason: Template})
}

// aside makes a document about somebody who is no person of the ledger.
func (c *community) aside(code string) *cdaDocument {
	people, staff, departments := c.people, maps.Clone(c.usedStaff), maps.Clone(c.usedDepartments)
	newcomers := c.newcomers
	p := c.newcomer("bad", 1960, 1990, ResidentID)
	v, doctor := c.visit(p, "general", c.s.at(45, 9, 0), 20*time.Minute, "hypertension")
	c.measured(v, "pulse", "systolic", "diastolic")
	d := c.outpatient(p, v, doctor, consultation{complaint: "复诊", present: "复诊", past: "复诊", exam: "复诊"})
	if code != "C0002" {
		d.code, d.title = code, "日常病程记录"
	}
	c.people, c.usedStaff, c.usedDepartments, c.newcomers = people, staff, departments, newcomers
	return d
}
