package alliancegen

import (
	"strconv"
	"time"
)

// Roots of the national identifiers, and national code systems, below oidRoot.
const (
	oidRoot = "2.16.156.10011."

	rootDocument     = oidRoot + "1.1"
	rootHealthRecord = oidRoot + "1.2"
	rootResident     = oidRoot + "1.3"
	rootSigner       = oidRoot + "1.4"
	rootOrganisation = oidRoot + "1.5"
	rootAuthor       = oidRoot + "1.7"
	rootVisit        = oidRoot + "1.11"
	rootBarcode      = oidRoot + "1.14"
	rootHealthCard   = oidRoot + "1.19"
	rootOrder        = oidRoot + "1.24"
	rootDepartment   = oidRoot + "1.26"
	rootExamination  = oidRoot + "1.32"
	rootLaboratory   = oidRoot + "1.33"

	systemElements = oidRoot + "2.2.1"
)

// cdaDocument is one document of WS/T 500 before it is written.
type cdaDocument struct {
	code, title string
	number, set string
	version     int
	replaces    *cdaDocument
	at          time.Time
	patient     *Patient
	visit       *Visit
	report      *Report
	author      Member
	signer      Member // who signs for it
	others      []signature
	sections    []cdaSection
	nobody      bool // the recordTarget carries no number and no name
}

type signature struct {
	role string
	who  Member
	at   time.Time
}

type cdaSection struct {
	code, display, title string
	text                 narrative
	entries              []*element
}

// whole reports whether the document states patient and visit, not only mentions them.
func (d *cdaDocument) whole() bool { return d.report == nil }

var cdaTemplates = map[string]string{"C0002": "2.16.156.10011.2.1.1.22", "C0006": "2.16.156.10011.2.1.1.26", "C0007": "2.16.156.10011.2.1.1.27", "C0038": "2.16.156.10011.2.1.1.58"}

// cdaTime writes a moment in one of the forms of the house.
func (c *community) cdaTime(t time.Time) string { return t.Format(c.times.next()) }

func (c *community) timeElement(name string, t time.Time) *element {
	return xe(name).has("value", c.cdaTime(t))
}

func cdaID(root, extension string) *element {
	return xe("id").has("root", root, "extension", extension)
}

func cdaCode(name, code, system, systemName, display string) *element {
	return xe(name).has("code", code, "codeSystem", system, "codeSystemName", systemName, "displayName", display)
}

// root writes a whole document.
func (c *community) root(d *cdaDocument) *element {
	e := xe("ClinicalDocument").has("xmlns", "urn:hl7-org:v3", "xmlns:mif", "urn:hl7-org:v3/mif", "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance",
		"xsi:schemaLocation", `urn:hl7-org:v3 ..\sdschemas\SDA.xsd`)
	e.add(
		xe("realmCode").has("code", "CN"),
		xe("typeId").has("root", "2.16.840.1.113883.1.3", "extension", "POCD_MT000040"),
		xe("templateId").has("root", cdaTemplates[d.code]),
		comment("文档流水号"),
		cdaID(rootDocument, d.number),
		cdaCode("code", d.code, oidRoot+"2.4", "卫生信息共享文档规范编码体系", d.title),
		xe("title", d.title),
		comment("文档机器生成时间"),
		c.timeElement("effectiveTime", d.at),
		cdaCode("confidentialityCode", "N", "2.16.840.1.113883.5.25", "Confidentiality", "正常访问保密级别"),
		xe("languageCode").has("code", "zh-CN"),
		xe("setId").has("extension", d.set),
		xe("versionNumber").has("value", strconv.Itoa(d.version)),
		c.recordTarget(d),
		c.authorOf(d),
		xe("custodian", xe("assignedCustodian", xe("representedCustodianOrganization",
			cdaID(rootOrganisation, communityOrganisation), xe("name", communityName)).has("classCode", "ORG", "determinerCode", "INSTANCE")).has("classCode", "ASSIGNED")).has("typeCode", "CST"),
		signed("legalAuthenticator", signature{signerRole(d), d.signer, d.signedAt()}, c),
	)
	for _, s := range d.others {
		e.add(signed("authenticator", s, c))
	}
	if d.whole() {
		e.add(contactOf(d.patient))
	} else {
		e.add(xe("participant", c.timeElement("time", d.report.Collected.t.Add(-20*time.Minute)),
			xe("associatedEntity", xe("scopingOrganization", xe("name", d.visit.Department.Text))).has("classCode", "ASSIGNED")).has("typeCode", "PRF"))
		if d.report.Order != nil {
			e.add(xe("inFulfillmentOf", xe("order", cdaID(rootOrder, d.report.Order.Number)).has("classCode", "ACT", "moodCode", "RQO")).has("typeCode", "FLFS"))
		}
	}
	if r := d.replaces; r != nil {
		e.add(xe("relatedDocument", xe("parentDocument", cdaID(rootDocument, r.number), xe("setId").has("extension", r.set),
			xe("versionNumber").has("value", strconv.Itoa(r.version)))).has("typeCode", "RPLC"))
	}
	e.add(c.encounter(d))
	body := xe("structuredBody")
	for _, s := range d.sections {
		code := xe("code").has("nullFlavor", "NI", "displayName", s.display)
		if s.code != "" {
			code = cdaCode("code", s.code, "2.16.840.1.113883.6.1", "LOINC", s.display)
		}
		section := xe("section", code, xe("title", s.title), s.text.text(c.forms.next()))
		for _, entry := range s.entries {
			section.add(xe("entry", entry))
		}
		body.add(comment(s.title+"章节"), xe("component", section))
	}
	return e.add(xe("component", body))
}

func signerRole(d *cdaDocument) string {
	if d.whole() {
		return "医师"
	}
	return "审核医师"
}

// signedAt is when the document was signed: of a report, when it was issued.
func (d *cdaDocument) signedAt() time.Time {
	if d.whole() {
		return d.at.Add(-2 * time.Minute)
	}
	return d.report.Issued.t
}

// recordTarget writes the patient: wholly in an outpatient record, in a report what
// identifies somebody and no more.
func (c *community) recordTarget(d *cdaDocument) *element {
	p := d.patient
	role := xe("patientRole").has("classCode", "PAT")
	person := xe("patient").has("classCode", "PSN", "determinerCode", "INSTANCE")
	if d.nobody {
		role.add(cdaID(communityOID+".1", ""), xe("id").has("root", rootVisit, "nullFlavor", "NI"))
		person.add(xe("id").has("root", rootResident, "nullFlavor", "UNK"), xe("name").has("nullFlavor", "UNK"))
		return xe("recordTarget", role.add(person)).has("typeCode", "RCT", "contextControlCode", "OP")
	}
	role.add(cdaID(communityOID+".1", p.ID))
	given := map[string]string{}
	for _, id := range p.Identifiers {
		given[id.Kind] = id.Sent
	}
	if n := given[HealthRecord]; n != "" {
		role.add(comment("健康档案编号"), cdaID(rootHealthRecord, n))
	}
	switch {
	case given[HealthCard] != "":
		role.add(comment("健康卡号"), cdaID(rootHealthCard, given[HealthCard]))
	case c.empties.next():
		role.add(cdaID(rootHealthCard, ""))
		c.s.trapOnce("cda-empty-id", 3, c.mark)
	}
	role.add(comment("门(急)诊号"), cdaID(rootVisit, d.visit.Number))
	if r := d.report; r != nil {
		kind, root := "检验报告单号", rootLaboratory
		if d.code == "C0006" {
			kind, root = "检查报告单号", rootExamination
		}
		role.add(comment(kind), cdaID(root, r.Number))
		if r.Order != nil {
			role.add(cdaID(rootOrder, r.Order.Number))
		}
		if r.SpecimenNumber != "" {
			role.add(comment("标本编号"), cdaID(rootBarcode, r.SpecimenNumber))
		}
	}
	if d.whole() {
		role.add(c.addressOf(p))
	}
	telecom := xe("telecom").has("nullFlavor", "UNK")
	if p.Phone != "" {
		telecom = xe("telecom").has("value", c.phones.next()+p.Phone)
	}
	role.add(telecom)

	if n := given[ResidentID]; n != "" {
		person.add(comment("患者身份证号"), cdaID(rootResident, n))
	} else {
		person.add(xe("id").has("root", rootResident, "nullFlavor", "NI"))
	}
	sex := map[string][2]string{"male": {"1", "男性"}, "female": {"2", "女性"}}[p.Sex]
	person.add(xe("name", p.Name),
		cdaCode("administrativeGenderCode", sex[0], oidRoot+"2.3.3.4", "生理性别代码表(GB/T 2261.1)", sex[1]),
		xe("birthTime").has("value", p.Birth.t.Format("20060102")))
	if d.whole() {
		marital, ethnic := xe("maritalStatusCode").has("nullFlavor", "NI"), xe("ethnicGroupCode").has("nullFlavor", "NI")
		if p.Marital != "" {
			marital = cdaCode("maritalStatusCode", p.Marital, oidRoot+"2.3.3.5", "婚姻状况代码表(GB/T 2261.2)", nameOf(maritalRows(), p.Marital))
		}
		if p.Ethnicity != "" {
			ethnic = cdaCode("ethnicGroupCode", p.Ethnicity, oidRoot+"2.3.3.3", "民族类别代码表(GB 3304)", nameOf(ethnicRows(), p.Ethnicity))
		}
		person.add(marital, ethnic)
	}
	person.add(xe("age").has("value", strconv.Itoa(age(p.Birth.t, d.at)), "unit", "岁"))
	return xe("recordTarget", role.add(person)).has("typeCode", "RCT", "contextControlCode", "OP")
}

// age counts birthdays.
func age(birth, at time.Time) int {
	years := at.Year() - birth.Year()
	if at.Format("0102") < birth.Format("0102") {
		years--
	}
	return years
}

func nameOf(rows []Code, code string) string {
	for _, r := range rows {
		if r.Code == code {
			return r.Name
		}
	}
	panic("alliancegen: no code " + code)
}

func (c *community) addressOf(p *Patient) *element {
	a := c.addresses[p]
	return xe("addr", xe("state", a.state), xe("city", a.city), xe("county", a.county), xe("township", a.township), xe("streetName", a.street),
		xe("houseNumber", a.house), xe("postalCode", a.post)).has("use", "H")
}

func (c *community) authorOf(d *cdaDocument) *element {
	m := d.author
	return xe("author", c.timeElement("time", d.signedAt()), xe("assignedAuthor", cdaID(rootAuthor, m.Number),
		cdaCode("code", m.Title.Code, oidRoot+"2.3.1.209", "专业技术职务类别代码表", m.Title.Text),
		xe("assignedPerson", xe("name", m.Name)),
		xe("representedOrganization", cdaID(rootDepartment, m.Department), xe("name", communityDepartmentName(m.Department)))).
		has("classCode", "ASSIGNED")).has("typeCode", "AUT", "contextControlCode", "OP")
}

func signed(name string, s signature, c *community) *element {
	return xe(name, c.timeElement("time", s.at), xe("signatureCode"), xe("assignedEntity", cdaID(rootSigner, s.who.Number),
		xe("code").has("displayName", s.role), xe("assignedPerson", xe("name", s.who.Name)).has("classCode", "PSN", "determinerCode", "INSTANCE")))
}

func contactOf(p *Patient) *element {
	if p.Contact == nil {
		return nil
	}
	return xe("participant", xe("associatedEntity",
		cdaCode("code", p.Contact.Relation, oidRoot+"2.3.3.8", "家庭关系代码表(GB/T 4761)", communityRelation(p.Contact.Relation)),
		xe("telecom").has("value", p.Contact.Phone), xe("associatedPerson", xe("name", p.Contact.Name))).has("classCode", "ECON")).has("typeCode", "NOT")
}

// encounter writes the visit; a report knows only when it began.
func (c *community) encounter(d *cdaDocument) *element {
	v := d.visit
	times := xe("effectiveTime", c.timeElement("low", v.Start.t))
	if d.whole() {
		if v.End != nil {
			times.add(c.timeElement("high", v.End.t))
		} else {
			times.add(xe("high").has("nullFlavor", "NI"))
		}
	}
	return xe("componentOf", xe("encompassingEncounter", cdaID(rootVisit, v.Number),
		cdaCode("code", v.LocalClass, oidRoot+"2.3.1.271", "患者类型代码表", map[string]string{"1": "门诊", "2": "急诊"}[v.LocalClass]), times,
		xe("location", xe("healthCareFacility", xe("serviceProviderOrganization", xe("asOrganizationPartOf", xe("wholeOrganization",
			comment("科室"), cdaID(rootDepartment, v.Department.Code), xe("name", v.Department.Text),
			xe("asOrganizationPartOf", xe("wholeOrganization", comment("医疗机构"), cdaID(rootOrganisation, communityOrganisation), xe("name", communityName))))))))))
}
