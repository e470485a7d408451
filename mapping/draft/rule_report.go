package draft

import (
	"fmt"
	"slices"

	"github.com/yilian/yilian/mapping/codes"
)

// reportTimes are what tells when something was seen, the nearest to the patient first.
var reportTimes = []string{"collected", "exam.time", "test.time", "received", "issued"}

// reportRule writes a report of laboratory or imaging, with the specimen and the findings.
func (e *emitter) reportRule(s *scope) {
	if s.kind != labReports && s.kind != exams {
		return
	}
	number := e.first(s, "report")
	order := number == nil
	if order {
		number = e.first(s, "order", "barcode")
	}
	if number == nil {
		e.noKey(s)
		return
	}
	if order {
		e.d.ask(e.d.title(s), e.d.say(text{"no report number", "没有报告编号"}), text{"Reports are told apart by %s. Is that right?", "报告按%s区分,对吗?"}, number.heading())
	}
	rule := e.uniqueRule("report")
	e.report[s] = rule
	specimen := e.specimenRule(s, number)
	r := e.rule(rule, "DiagnosticReport", s, e.keyOf(s, number), "replace")
	r.line(2, "set:")
	e.reportNotes(r)
	r.set("identifier", e.identifier(s, number), e.doubtOf(number))
	r.set("basedOn", e.orderRef(s), e.foreign(s, "order"))
	r.status("status", reportStatusTable, "final")
	r.line(3, "category:")
	section := "LAB"
	if s.kind == exams {
		section = "RAD"
	}
	doubt := ""
	if s.kind == exams {
		doubt = e.d.say(text{"not for ECG and the like", "心电等不属于此类"})
	}
	r.line(4, fmt.Sprintf(`- {value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/v2-0074", code: %s}]}}`, section), doubt)
	if c := s.own("section"); c != nil {
		r.line(4, "- "+r.codeable(c, nil, sectionTable), e.doubtOf(c))
	}
	code, name := s.own("report.code", "item"), s.own("report.name", "item.name")
	if !r.setCode("code", code, name, orderItemTable) {
		what := "=检验报告"
		if s.kind == exams {
			what = "=检查报告"
		}
		r.set("code", "{set: {text: "+what+"}}", e.d.say(text{"no column names the report", "没有报告名称列"}))
		e.d.ask(e.d.title(s), e.d.say(text{"no name of the report", "没有报告名称"}), text{"What was asked for or examined? Every report is called the same.", "报告的项目名称在哪里?现全部同名。"})
	}
	r.set("subject", e.subject(s))
	r.set("encounter", e.encounter(s), e.foreign(s, "visit"), e.doubtOf(s.near("visit")))
	r.value("effectiveDateTime", reportTimes...)
	if c := e.first(s, "issued", "audit.time"); c != nil {
		r.set("issued", r.path(c), e.doubtOf(c))
	}
	r.line(3, "performer:")
	r.line(4, "- {ref: institution}")
	if who := r.practitioner(s.own("reporter"), s.own("reporter.name"), "reporter"); who != "" {
		r.line(4, "- "+who)
	}
	r.set("resultsInterpreter", r.practitioner(s.own("auditor"), s.own("auditor.name"), "auditor"))
	if specimen != "" {
		r.set("specimen", "{ref: "+specimen+"}")
	}
	e.results(r, s, number, specimen)
	if c := s.own("conclusion"); c != nil {
		r.set("conclusion", fmt.Sprintf("{from: %s, as: narrative}", r.path(c)), e.doubtOf(c))
	}
	if c := s.own("growth"); c != nil {
		r.set("conclusionCode", r.codeable(c, nil, growthTable), e.doubtOf(c))
	}
	if c := s.own("report.file"); c != nil {
		r.set("presentedForm", fmt.Sprintf("{from: %s, as: attachment, with: {encoding: =base64}}", r.path(c)), e.doubtOf(c))
	} else if c := s.own("image.url"); c != nil {
		r.set("presentedForm", fmt.Sprintf("{set: {url: %s}}", r.path(c)), e.d.say(text{"can others open it?", "其他机构能打开吗?"}))
	}
	r.done()
}

func (e *emitter) reportNotes(r *ruleText) {
	var lines []string
	for _, c := range []*column{r.s.own("remark"), r.s.own("correct.reason")} {
		if c != nil {
			lines = append(lines, fmt.Sprintf(`- set: {url: "=http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note", valueAnnotation: {from: %s, as: annotation}}`, r.path(c)))
		}
	}
	if lines != nil {
		r.line(3, "extension:")
		for _, l := range lines {
			r.line(4, l)
		}
	}
}

// results writes what a report found, and refers to it.
func (e *emitter) results(r *ruleText, s *scope, number *column, specimen string) {
	var refs []string
	if c := s.own("findings"); c != nil {
		refs = append(refs, "{ref: "+e.findings(s, number, c)+"}")
	}
	if s.own("result") != nil && (s.own("item", "item.name") != nil || s.own("report.name") != nil) {
		refs = append(refs, "{ref: "+e.observation(s, number, specimen)+"}")
		if number.distinct < number.present {
			e.d.ask("maps/"+e.name+".yaml: result", e.d.say(text{"%d records of %d reports", "%d条记录,%d份报告"}, number.present, number.distinct),
				text{"Each record holds one result: the report names only the one that came last. Can the sender put a report's results together?", "每条记录只有一个结果,报告只引用最后一个。发送方能否把同一报告的结果放在一起?"})
		}
	}
	for _, k := range s.kids {
		switch k.kind {
		case labItems:
			if e.measured(k) {
				refs = append(refs, fmt.Sprintf("{ref: {rule: %s, all: true}}", e.observation(k, number, specimen)))
			}
		case cultures:
			organism, tests := e.culture(k, number, specimen)
			refs = append(refs, fmt.Sprintf("{ref: {rule: %s, all: true}}", organism))
			if tests != "" {
				refs = append(refs, fmt.Sprintf("{ref: {rule: %s, all: true}}", tests))
			}
		case susceptibility:
			if tests := e.susceptibility(k, number, specimen); tests != "" {
				refs = append(refs, fmt.Sprintf("{ref: {rule: %s, all: true}}", tests))
			}
		}
	}
	switch len(refs) {
	case 0:
	case 1:
		r.set("result", refs[0])
	default:
		r.line(3, "result:")
		for _, ref := range refs {
			r.line(4, "- "+ref)
		}
	}
}

func (e *emitter) specimenRule(s *scope, number *column) string {
	code, name := s.own("specimen"), s.own("specimen.name")
	barcode := s.own("barcode")
	if code == nil && name == nil && barcode == nil {
		return ""
	}
	rule := e.uniqueRule("specimen")
	e.specimen[s] = rule
	key := number
	if barcode != nil && barcode.present == barcode.rows {
		key = barcode
	}
	r := e.rule(rule, "Specimen", s, e.keyOf(s, key), "replace")
	if key == number {
		for _, c := range []*column{code, name, barcode} {
			if c != nil {
				r.line(2, fmt.Sprintf("when: {%s: present}", r.path(c)))
				break
			}
		}
	}
	r.line(2, "set:")
	if barcode != nil {
		r.set("identifier", e.identifier(s, barcode))
	}
	r.setCode("type", code, name, specimenTable)
	r.set("subject", e.subject(s))
	r.value("receivedTime", "received")
	if c := s.own("collected"); c != nil {
		r.set("collection", fmt.Sprintf("{set: {collectedDateTime: %s}}", r.path(c)), e.doubtOf(c))
	}
	if c := s.own("sample.state"); c != nil {
		r.set("note", fmt.Sprintf("{from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
	}
	r.done()
	return rule
}

// head writes what all observations of a report have in common.
func (r *ruleText) head(category string) {
	states := reportStatusTable
	if c := r.s.near("status"); c != nil && slices.ContainsFunc(c.order, ofReportsAlone) {
		states = resultStatusTable
	}
	r.status("status", states, "final")
	r.set("category", fmt.Sprintf(`{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/observation-category", code: %s}]}}`, category))
}

// ofReportsAlone reports a state that a report can have and a result cannot.
func ofReportsAlone(word string) bool {
	b, ok := codes.Builtin("report-status-names")
	if !ok {
		return false
	}
	e, ok := b.Lookup(word)
	return ok && (e.Target.Code == "partial" || e.Target.Code == "appended")
}

func (r *ruleText) tail(specimen string) {
	e := r.e
	r.set("subject", e.subject(r.s))
	r.set("encounter", e.encounter(r.s), e.foreign(r.s, "visit"))
	r.value("effectiveDateTime", reportTimes...)
	if c := e.first(r.s, "issued", "audit.time"); c != nil {
		r.set("issued", r.path(c))
	}
	r.set("performer", "{ref: institution}")
	if specimen != "" {
		r.set("specimen", "{ref: "+specimen+"}")
	}
}

func (e *emitter) findings(s *scope, number, c *column) string {
	rule := e.uniqueRule("findings")
	r := e.rule(rule, "Observation", s, append(e.keyOf(s, number), "=findings"), "replace")
	r.line(2, fmt.Sprintf("when: {%s: present}", r.path(c)))
	r.line(2, "set:")
	r.head("imaging")
	r.set("code", `{value: {coding: [{system: "http://loinc.org", code: 59776-5, display: Procedure findings Narrative}], text: 检查所见}}`)
	r.tail("")
	r.set("valueString", fmt.Sprintf("{from: %s, as: narrative}", r.path(c)), e.doubtOf(c))
	if site := s.own("bodysite"); site != nil {
		r.set("bodySite", fmt.Sprintf("{set: {text: %s}}", r.path(site)), e.doubtOf(site))
	}
	r.done()
	return rule
}

// measured reports whether a scope tells a result and of what; a result of nothing is asked about.
func (e *emitter) measured(s *scope) bool {
	if s.own("result", "result.num") == nil {
		return false
	}
	if s.own("item", "item.en", "item.name", "report.code", "report.name") != nil {
		return true
	}
	e.d.ask(e.d.title(s), e.d.say(text{"results without item", "结果没有项目"}), text{"What was measured? Without a code no Observation is made.", "测的是什么?没有项目不能生成结果。"})
	return false
}

// observation writes one result.
func (e *emitter) observation(s *scope, number *column, specimen string) string {
	rule := e.uniqueRule("observation")
	item, name := s.own("item", "item.en"), s.own("item.name")
	if item == nil && name == nil {
		item, name = s.own("report.code"), s.own("report.name")
	}
	key := e.keyOf(s, number)
	switch {
	case item != nil && item.present > 0:
		key = append(key, e.keyOf(s, item)...)
	default:
		key = append(key, e.keyOf(s, name)...)
	}
	r := e.rule(rule, "Observation", s, key, "replace")
	r.line(2, "set:")
	r.head("laboratory")
	r.setCode("code", item, name, labItemTable)
	r.tail(specimen)
	result := s.own("result", "result.num")
	with := ""
	if unit := s.own("unit"); unit != nil {
		with = fmt.Sprintf(", with: {unit: %s}", r.path(unit))
	}
	r.set("value[x]", fmt.Sprintf("{from: %s, as: result%s}", r.path(result), with), e.doubtOf(result))
	e.flags(r)
	if c := s.own("method"); c != nil {
		r.set("method", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	low, high := s.own("range.low"), s.own("range.high")
	switch c := s.own("range"); {
	case c != nil:
		r.set("referenceRange", fmt.Sprintf("{from: %s, as: range%s}", r.path(c), with), e.doubtOf(c))
	case low != nil && high != nil:
		r.set("referenceRange", fmt.Sprintf(`{with: {low: %s, high: %s}, when: "low != '' && high != ''", expr: "low + '-' + high", as: range}`, r.path(low), r.path(high)),
			e.doubtOf(low, high))
	}
	r.done()
	return rule
}

// flags writes the marks beside results. A digit, and P, mean different things in different houses: they are asked about.
func (e *emitter) flags(r *ruleText) {
	c := r.s.own("flag")
	if c == nil {
		return
	}
	rule := "{from: " + r.path(c) + ", as: flag}"
	if !knownFlags(c) {
		rule = fmt.Sprintf("{from: %s, table: %s}", r.path(c), e.d.table(flagTable, c, nil))
	}
	r.set("interpretation", rule, e.doubtOf(c))
}

func (e *emitter) culture(s *scope, number *column, specimen string) (organism, tests string) {
	organism = e.uniqueRule("organism")
	code, name := s.own("organism"), s.own("organism.name")
	key := append(e.keyOf(s, number), "=culture")
	for _, c := range []*column{s.own("seq"), code, name} {
		if c != nil && c.present > 0 {
			key = append(key, e.keyOf(s, c)...)
			break
		}
	}
	var nested *scope
	for _, k := range s.kids {
		if k.kind == susceptibility {
			if tests = e.susceptibility(k, number, specimen); tests != "" {
				nested = k
			}
		}
	}
	r := e.rule(organism, "Observation", s, key, "replace")
	r.line(2, "set:")
	r.head("laboratory")
	if !r.setCode("code", s.near("report.code"), s.near("report.name"), orderItemTable) {
		r.set("code", "{set: {text: =细菌培养}}", e.d.say(text{"which culture?", "哪种培养?"}))
	}
	r.tail(specimen)
	r.setCode("valueCodeableConcept", code, name, organismTable)
	if c := s.own("amount"); c != nil {
		r.set("note", fmt.Sprintf("{from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
	}
	if nested != nil {
		r.set("hasMember", fmt.Sprintf("{ref: {rule: %s, all: true}}", tests))
	}
	r.done()
	return organism, tests
}

// susceptibility writes what was tested on a culture; "" when it is not said with what.
func (e *emitter) susceptibility(s *scope, number *column, specimen string) string {
	code, name := s.own("antibiotic"), s.own("antibiotic.name")
	if code == nil && name == nil {
		return ""
	}
	rule := e.uniqueRule("susceptibility")
	key := append(e.keyOf(s, number), "=susceptibility")
	if s.parent != nil && s.parent.kind == cultures {
		if c := s.parent.own("seq", "organism", "organism.name"); c != nil {
			key = append(key, e.keyOf(s, c)...)
		}
	}
	if code != nil {
		key = append(key, e.keyOf(s, code)...)
	} else {
		key = append(key, e.keyOf(s, name)...)
	}
	r := e.rule(rule, "Observation", s, key, "replace")
	r.line(2, "set:")
	r.head("laboratory")
	r.setCode("code", code, name, antibioticTable)
	r.tail(specimen)
	if c := s.own("result"); c != nil {
		with := ""
		if unit := s.own("unit"); unit != nil {
			with = fmt.Sprintf(", with: {unit: %s}", r.path(unit))
		}
		r.set("value[x]", fmt.Sprintf("{from: %s, as: result%s}", r.path(c), with), e.doubtOf(c))
	}
	e.flags(r)
	if c := s.own("method"); c != nil {
		r.set("method", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	r.done()
	return rule
}

// itemRule writes results whose report is in no table.
func (e *emitter) itemRule(s *scope) {
	if s.kind != labItems || !e.measured(s) {
		return
	}
	for at := s.parent; at != nil; at = at.parent {
		if e.report[at] != "" {
			return // written with its report
		}
	}
	number := e.first(s, "report", "order", "barcode", "visit")
	if number == nil {
		e.noKey(s)
		return
	}
	e.d.ask(e.d.title(s), e.d.say(text{"results without their report", "只有结果没有报告"}), text{"Give the reports, too: without them the results belong to nobody known.", "请同时提供报告主表,否则结果无法归属。"})
	e.observation(s, number, "")
}

// titleOf is the printed name of a map.
func titleOf(k kind) string {
	return map[kind]string{patients: "患者信息", visits: "就诊", diagnoses: "诊断", orders: "申请单", labReports: "检验报告", labItems: "检验结果", exams: "检查报告",
		prescriptions: "处方", referrals: "转诊单", allergies: "过敏史", cultures: "细菌培养", susceptibility: "药敏", staffList: "职工", departments: "科室"}[k]
}

// mapName is the name of a map, as far as no other has it.
func mapName(k kind) string {
	return map[kind]string{patients: "patient", visits: "visit", diagnoses: "diagnosis", orders: "order", labReports: "lab-report", labItems: "lab-result", exams: "exam-report",
		prescriptions: "prescription", referrals: "referral", allergies: "allergy", cultures: "culture", susceptibility: "susceptibility",
		staffList: "staff", departments: "department"}[k]
}
