package base_test

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping/record"
)

// chinese is the institution that sends the six Chinese messages. It takes the built-in maps as they are.
const chinese = `format: 1
id: demo
name: 示范医院
charset: GB18030
authorities: {示范医院: institution}
sources: {hl7: {format: hl7v2, base: true}}
`

const (
	residentSystem = "urn:oid:2.16.156.10011.1.3"
	localSystem    = "https://yilian.dev/fhir/institution/demo/"
	thePatient     = "王小明"
)

// TestScoreChinese asks for every fact of six messages as Chinese hospitals send them: GB18030 and GBK, with MSH-18, without
// one and with one that lies, a character of four bytes, arrows for flags, ordinal results, a comparator in a number.
func TestScoreChinese(t *testing.T) {
	dir := testenv.Corpus(t, "hl7v2", "chinese")
	inst := load(t, chinese)
	passed, total := 0, 0
	for _, m := range chineseMessages {
		rec := readMessage(t, filepath.Join(dir, m.file), inst.Charset())
		res := mapped(t, inst, rec)
		got := chineseFacts(trees(res), rec)
		for _, i := range res.Issues {
			got.add("issue", i.ID)
		}
		if res.Rejected() {
			t.Errorf("%s is rejected", m.file)
		}
		for _, f := range m.facts {
			path, value, _ := strings.Cut(f, " = ")
			total++
			if got[fact{path, strings.ReplaceAll(value, `\n`, "\n")}] {
				passed++
			} else {
				t.Errorf("%s: %s: want %q, got %q", m.file, path, value, got.under(path))
			}
		}
		for f := range got {
			if f.path == "issue" && !slices.Contains(m.facts, "issue = "+f.value) {
				t.Errorf("%s: unexpected issue %s", m.file, f.value)
			}
		}
	}
	score.Report(t, "hl7v2-chinese", passed, total)
}

// person are the facts of the PID that all six messages carry.
func person(name, family, given, pinyin string) []string {
	return []string{
		"Patient.identifier " + localSystem + "patient MR = P000123",
		"Patient.identifier " + residentSystem + " NI = 11010519491231002X",
		"Patient.identifiers = 2", // PID-19 repeats the resident number
		"Patient.name = " + name,
		"Patient.name.family = " + family,
		"Patient.name.given = " + given,
		"Patient.name pinyin = " + pinyin,
		"Patient.gender = male",
		"Patient.birthDate = 1949-12-31",
		"Patient.address.line = 示范路1号",
		"Patient.address.city = 北京市",
		"Patient.address.state = 北京",
		"Patient.address.postalCode = 100000",
		"Patient.address.country = CHN",
		"Patient.address.use = home",
		"Patient.telecom phone home = 010-00000000",
		"Patient.language = zh",
		"Patient.maritalStatus http://terminology.hl7.org/CodeSystem/v3-MaritalStatus = M",
		"Patient.maritalStatus urn:oid:2.16.156.10011.2.3.3.5 = 20",
		"Patient.ethnicity urn:oid:2.16.156.10011.2.3.3.3 01 = 汉族",
		"Patient.managingOrganization = 示范医院",
	}
}

var chineseMessages = []struct {
	file  string
	facts []string
}{
	{"01-ADT_A01-gb18030-msh18.hl7", append(person(thePatient, "王", "小明", "WANG XIAOMING"),
		"charset = GB18030",
		"Encounter.identifier "+localSystem+"visit VN = ZY2024061500001",
		"Encounter.status = in-progress",
		"Encounter.class = IMP",
		"Encounter.period.start = 2024-06-15T01:20:00Z",
		"Encounter.subject = "+thePatient,
		"Encounter.serviceType = CAR",
		"Encounter.admitSource = 1",
		"Encounter.location active = 心内科 1203 05",
		"Encounter.ward = 心内科",
		"Encounter.participant ATND D001 = 李医生",
		"Encounter.participant ADM D001 = 李医生",
		"Encounter.serviceProvider = 示范医院",
		"Encounter.diagnosis AD = 原发性高血压",
		"Practitioner "+localSystem+"staff D001 = 李医生",
		"Condition.code http://hl7.org/fhir/sid/icd-10 = I10.x00",
		"Condition.text = 原发性高血压",
		"Condition.onset = 2024-06-15",
		"Condition.subject = "+thePatient,
		"Condition.encounter = ZY2024061500001",
	)},
	{"02-ORU_R01-gbk-no-msh18.hl7", append(person(thePatient, "王", "小明", "WANG XIAOMING"),
		"charset = GB18030",
		"issue = code-unmapped", // OBR-24 is a department, not a section of table 0074
		"DiagnosticReport.identifier "+localSystem+"report FILL = LAB0001",
		"DiagnosticReport.basedOn "+localSystem+"order = ORD001",
		"DiagnosticReport.status = final",
		"DiagnosticReport.category = 检验科",
		"DiagnosticReport.code "+localSystem+"codes/lis CBC = 血常规",
		"DiagnosticReport.effective = 2024-06-15T02:15:00Z",
		"DiagnosticReport.issued = 2024-06-15T02:30:00Z",
		"DiagnosticReport.subject = "+thePatient,
		"DiagnosticReport.results = 4",
		"Specimen.type = 全血",
		"Specimen.receivedTime = 2024-06-15T02:20:00Z",
		"Specimen.collected = 2024-06-15T02:15:00Z",
		"DiagnosticReport.specimen = 全血",
		"WBC "+localSystem+"codes/lis = 白细胞计数", "WBC.status = final", "WBC.value = 12.6", "WBC.unit = 10^9/L", "WBC.ucum = 10*9/L",
		"WBC.range.low = 3.5", "WBC.range.high = 9.5", "WBC.range = 3.5-9.5", "WBC.flag = H", "WBC.flag.text = ↑",
		"WBC.effective = 2024-06-15T02:15:00Z",
		"HGB "+localSystem+"codes/lis = 血红蛋白", "HGB.status = final", "HGB.value = 148", "HGB.ucum = g/L",
		"HGB.range.low = 130", "HGB.range.high = 175",
		"HBsAg "+localSystem+"codes/lis = 乙肝表面抗原", "HBsAg.status = final", "HBsAg.coded = negative", "HBsAg.text = 阴性(-)",
		"HBsAg.range = 阴性",
		"CRP "+localSystem+"codes/lis = C反应蛋白", "CRP.status = final", "CRP.value = 0.5", "CRP.comparator = <", "CRP.ucum = mg/L",
		"CRP.range.low = 0", "CRP.range.high = 10", `CRP.note = 标本轻度溶血，结果仅供参考\n请结合临床`,
		"CRP.subject = "+thePatient,
	)},
	{"03-ORU_R01-utf8-lf.hl7", append(person(thePatient, "王", "小明", "WANG XIAOMING"),
		"charset = UTF-8",
		"DiagnosticReport.identifier "+localSystem+"report FILL = LAB0002",
		"DiagnosticReport.basedOn "+localSystem+"order = ORD002",
		"DiagnosticReport.status = final",
		"DiagnosticReport.category = CH",
		"DiagnosticReport.code "+localSystem+"codes/lis BIO = 生化全套",
		"DiagnosticReport.effective = 2024-06-15T02:15:00Z",
		"DiagnosticReport.issued = 2024-06-15T03:30:00Z",
		"DiagnosticReport.results = 2",
		"14749-6 http://loinc.org = 葡萄糖", "GLU "+localSystem+"codes/lis = 空腹血糖",
		"14749-6.status = final", "14749-6.value = 6.8", "14749-6.ucum = mmol/L", "14749-6.flag = H",
		"14749-6.range.low = 3.9", "14749-6.range.high = 6.1", "14749-6.effective = 2024-06-15T03:25:00Z", "14749-6.category = laboratory",
		"2951-2 http://loinc.org = 钠", "2951-2.status = preliminary", "2951-2.value = 160", "2951-2.comparator = >",
		"2951-2.ucum = mmol/L", "2951-2.flag = HH", "2951-2.range.low = 137", "2951-2.range.high = 147",
	)},
	{"04-ADT_A08-gb18030-crlf-rare-char.hl7", append(person("王𨐈喆", "王", "𨐈喆", "WANG"),
		"charset = GB18030",
		"Encounter.class = AMB",
		"Encounter.status = in-progress",
		"Encounter.location active = 门诊内科",
		"Encounter.period.start = 2024-06-16",
		"Encounter.subject = 王𨐈喆",
	)},
	{"05-ORM_O01-gb18030.hl7", append(person(thePatient, "王", "小明", "WANG XIAOMING"),
		"charset = GB18030",
		"ServiceRequest.identifier "+localSystem+"order PLAC = ORD003",
		"ServiceRequest.status = active",
		"ServiceRequest.intent = order",
		"ServiceRequest.priority = routine",
		"ServiceRequest.code "+localSystem+"codes/ris CT001 = 头颅CT平扫",
		"ServiceRequest.reason = 头痛3天",
		"ServiceRequest.authoredOn = 2024-06-15T01:00:00Z",
		"ServiceRequest.occurrence = 2024-06-15",
		"ServiceRequest.requester D001 = 李医生",
		"ServiceRequest.subject = "+thePatient,
		"Encounter.class = AMB",
		"Encounter.location = 示范医院 门诊内科",
	)},
	{"06-ADT_A01-lies-about-charset.hl7", append(person(thePatient, "王", "小明", "WANG XIAOMING"),
		"charset = GB18030",
		"issue = charset-declared-otherwise",
		"Encounter.class = IMP",
		"Encounter.status = in-progress",
		"Encounter.location active = 心内科",
		"Encounter.period.start = 2024-06-17T00:00:00Z",
	)},
}

// chineseFacts are the facts of resources as chineseMessages names them.
func chineseFacts(resources []*fhir.Node, rec *record.Record) facts {
	fs := facts{}
	fs.add("charset", rec.Charset)
	at := map[string]*fhir.Node{}
	for _, r := range resources {
		at[r.ResourceType()+"/"+r.ID()] = r
	}
	target := func(n *fhir.Node) *fhir.Node { return at[n.Get("reference").Text()] }
	subject := func(typ string, n *fhir.Node) {
		fs.add(typ+".subject", target(n.Get("subject")).Get("name").At(0).Get("text").Text())
	}
	identifiers := func(typ string, r *fhir.Node) {
		for _, id := range r.Get("identifier").Items() {
			fs.add(typ+".identifier "+id.Get("system").Text()+" "+id.Path("type", "coding").At(0).Get("code").Text(), id.Get("value").Text())
		}
	}
	for _, r := range resources {
		typ := r.ResourceType()
		switch typ {
		case "Patient":
			identifiers(typ, r)
			fs.add("Patient.identifiers", strconv.Itoa(r.Get("identifier").Len()))
			patientFacts(fs, r)
		case "Encounter":
			identifiers(typ, r)
			subject(typ, r)
			fs.add("Encounter.status", r.Get("status").Text())
			fs.add("Encounter.class", r.Path("class", "code").Text())
			fs.add("Encounter.period.start", moment(r.Path("period", "start").Text()))
			fs.add("Encounter.serviceType", r.Path("serviceType", "text").Text())
			fs.add("Encounter.admitSource", r.Path("hospitalization", "admitSource", "text").Text())
			fs.add("Encounter.serviceProvider", r.Path("serviceProvider", "display").Text())
			for _, l := range r.Get("location").Items() {
				place := target(l.Get("location"))
				name := place.Get("name").Text() + l.Path("location", "display").Text()
				fs.add(strings.TrimSpace("Encounter.location "+l.Get("status").Text()), name)
				fs.add("Encounter.ward", target(place.Get("partOf")).Get("name").Text())
			}
			for _, p := range r.Get("participant").Items() {
				who := p.Get("individual")
				fs.add("Encounter.participant "+p.Get("type").At(0).Get("coding").At(0).Get("code").Text()+" "+who.Path("identifier", "value").Text(),
					who.Get("display").Text())
			}
			for _, d := range r.Get("diagnosis").Items() {
				fs.add("Encounter.diagnosis "+d.Path("use", "coding").At(0).Get("code").Text(), target(d.Get("condition")).Path("code", "text").Text())
			}
		case "Practitioner":
			id := r.Get("identifier").At(0)
			fs.add("Practitioner "+id.Get("system").Text()+" "+id.Get("value").Text(), r.Get("name").At(0).Get("text").Text())
		case "Condition":
			subject(typ, r)
			for _, c := range r.Path("code", "coding").Items() {
				fs.add("Condition.code "+c.Get("system").Text(), c.Get("code").Text())
			}
			fs.add("Condition.text", r.Path("code", "text").Text())
			fs.add("Condition.onset", r.Get("onsetDateTime").Text())
			fs.add("Condition.encounter", target(r.Get("encounter")).Get("identifier").At(0).Get("value").Text())
		case "ServiceRequest":
			identifiers(typ, r)
			subject(typ, r)
			codedFacts(fs, typ+".code", r)
			for _, name := range []string{"status", "intent", "priority"} {
				fs.add(typ+"."+name, r.Get(name).Text())
			}
			fs.add(typ+".reason", r.Get("reasonCode").At(0).Get("text").Text())
			fs.add(typ+".authoredOn", moment(r.Get("authoredOn").Text()))
			fs.add(typ+".occurrence", moment(r.Get("occurrenceDateTime").Text()))
			fs.add(typ+".requester "+r.Path("requester", "identifier", "value").Text(), r.Path("requester", "display").Text())
		case "DiagnosticReport":
			identifiers(typ, r)
			subject(typ, r)
			codedFacts(fs, typ+".code", r)
			based := r.Get("basedOn").At(0).Get("identifier")
			fs.add(typ+".basedOn "+based.Get("system").Text(), based.Get("value").Text())
			fs.add(typ+".status", r.Get("status").Text())
			for _, c := range codesOf(r.Get("category").At(0)) {
				fs.add(typ+".category", c)
			}
			fs.add(typ+".category", r.Get("category").At(0).Get("text").Text())
			fs.add(typ+".effective", moment(r.Get("effectiveDateTime").Text()))
			fs.add(typ+".issued", moment(r.Get("issued").Text()))
			fs.add(typ+".results", strconv.Itoa(r.Get("result").Len()))
			fs.add(typ+".specimen", target(r.Get("specimen").At(0)).Path("type", "text").Text())
		case "Specimen":
			fs.add("Specimen.type", r.Path("type", "text").Text())
			fs.add("Specimen.receivedTime", moment(r.Get("receivedTime").Text()))
			fs.add("Specimen.collected", moment(r.Path("collection", "collectedDateTime").Text()))
		case "Observation":
			resultFacts(fs, r)
			code := r.Path("code", "coding").At(0).Get("code").Text()
			fs.add(code+".subject", target(r.Get("subject")).Get("name").At(0).Get("text").Text())
		}
	}
	return fs
}

func patientFacts(fs facts, r *fhir.Node) {
	for _, n := range r.Get("name").Items() {
		if n.Get("extension").At(0).Get("valueCode").Text() == "SYL" {
			fs.add("Patient.name pinyin", n.Get("text").Text())
			continue
		}
		fs.add("Patient.name", n.Get("text").Text())
		fs.add("Patient.name.family", n.Get("family").Text())
		fs.add("Patient.name.given", strings.Join(texts(n.Get("given")), " "))
	}
	fs.add("Patient.gender", r.Get("gender").Text())
	fs.add("Patient.birthDate", r.Get("birthDate").Text())
	a := r.Get("address").At(0)
	fs.add("Patient.address.line", strings.Join(texts(a.Get("line")), " "))
	for _, name := range []string{"city", "state", "postalCode", "country", "use"} {
		fs.add("Patient.address."+name, a.Get(name).Text())
	}
	for _, c := range r.Get("telecom").Items() {
		fs.add("Patient.telecom "+c.Get("system").Text()+" "+c.Get("use").Text(), c.Get("value").Text())
	}
	for _, c := range codesOf(r.Get("communication").At(0).Get("language")) {
		fs.add("Patient.language", c)
	}
	for _, c := range r.Path("maritalStatus", "coding").Items() {
		fs.add("Patient.maritalStatus "+c.Get("system").Text(), c.Get("code").Text())
	}
	for _, x := range r.Get("extension").Items() {
		if strings.HasSuffix(x.Get("url").Text(), "/ethnicity") {
			c := x.Get("valueCoding")
			fs.add("Patient.ethnicity "+c.Get("system").Text()+" "+c.Get("code").Text(), c.Get("display").Text())
		}
	}
	fs.add("Patient.managingOrganization", r.Path("managingOrganization", "display").Text())
}

// codedFacts are the codings of an element with their displays.
func codedFacts(fs facts, path string, r *fhir.Node) {
	for _, c := range r.Path("code", "coding").Items() {
		fs.add(path+" "+c.Get("system").Text()+" "+c.Get("code").Text(), c.Get("display").Text())
	}
}

// resultFacts are the facts of an Observation, under its first code.
func resultFacts(fs facts, r *fhir.Node) {
	for _, c := range r.Path("code", "coding").Items() {
		fs.add(c.Get("code").Text()+" "+c.Get("system").Text(), c.Get("display").Text())
	}
	item := r.Path("code", "coding").At(0).Get("code").Text()
	fs.add(item+".status", r.Get("status").Text())
	for _, c := range codesOf(r.Get("category").At(0)) {
		fs.add(item+".category", c)
	}
	fs.add(item+".effective", moment(r.Get("effectiveDateTime").Text()))
	q := r.Get("valueQuantity")
	fs.add(item+".value", q.Get("value").Text())
	fs.add(item+".comparator", q.Get("comparator").Text())
	fs.add(item+".unit", q.Get("unit").Text())
	if q.Get("system").Text() == "http://unitsofmeasure.org" {
		fs.add(item+".ucum", q.Get("code").Text())
	}
	for _, c := range codesOf(r.Get("valueCodeableConcept")) {
		fs.add(item+".coded", c)
	}
	fs.add(item+".text", r.Path("valueCodeableConcept", "text").Text())
	rr := r.Get("referenceRange").At(0)
	fs.add(item+".range", rr.Get("text").Text())
	fs.add(item+".range.low", rr.Path("low", "value").Text())
	fs.add(item+".range.high", rr.Path("high", "value").Text())
	flag := r.Get("interpretation").At(0)
	for _, c := range codesOf(flag) {
		fs.add(item+".flag", c)
	}
	fs.add(item+".flag.text", flag.Get("text").Text())
	fs.add(item+".note", r.Get("note").At(0).Get("text").Text())
}
