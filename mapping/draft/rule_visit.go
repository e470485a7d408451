package draft

import (
	"fmt"
	"strings"
)

// encounterRule writes the visit that a scope tells about.
func (e *emitter) encounterRule(s *scope) {
	key := s.own("visit")
	if key == nil && e.d.visitBy != "" {
		key = s.own(e.d.visitBy)
	}
	if s.kind != visits && (key == nil || s.own("class") == nil || s.own("visit.start") == nil) {
		return
	}
	start := s.own("visit.start")
	keys := []*column{key}
	if key == nil {
		keys = []*column{s.own("inno", "outno"), start}
		if keys[0] == nil && start != nil {
			keys = []*column{s.own(patientKeys...), start}
			e.d.ask(e.d.title(s), e.d.say(text{"no visit number", "没有就诊号"}), text{"Visits are told apart by patient and time. Is there a number?", "就诊按患者和时间区分,是否另有就诊号?"})
		}
		if keys[0] == nil {
			e.d.ask(e.d.title(s), e.d.say(text{"no visit number", "没有就诊号"}), text{"What identifies a visit? No Encounter is made yet.", "就诊以什么为主键?暂不生成就诊。"})
			return
		}
	}
	rule := e.uniqueRule("encounter")
	write := "replace"
	if s.kind != visits {
		write = "merge"
	}
	conditions := e.visitDiagnoses(s, keys, rule)
	r := e.rule(rule, "Encounter", s, e.keyOf(s, keys...), write)
	r.line(2, "set:")
	e.visit[s] = rule
	e.visitNumbers(r, key, start)
	end := s.own("visit.end")
	if c := s.own("status"); c == nil && end != nil {
		r.line(3, "status:", e.d.say(text{"no column says it: an end means finished", "没有状态列:有结束时间即为已结束"}))
		r.line(4, fmt.Sprintf("- {when: {%s: present}, value: finished}", r.path(end)))
		r.line(4, "- =in-progress")
	} else if s.kind == visits {
		r.status("status", visitStatusTable, "unknown")
	} else {
		r.set("status", "=unknown", e.d.say(text{"no column says it", "没有说明状态的列"}))
	}
	e.class(r)
	if dept, name := s.own("dept"), s.own("dept.name"); dept != nil || name != nil {
		r.setCode("serviceType", dept, name, deptTable)
	}
	if subject := e.subject(s); subject != "" {
		r.set("subject", subject)
	}
	if who := r.practitioner(s.own("doctor"), s.own("doctor.name"), "doctor"); who != "" {
		r.line(3, "participant:")
		r.line(4, "set:")
		r.line(5, `type: {value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code: ATND}]}}`)
		r.line(5, "individual: "+who)
	}
	var period []string
	if start != nil {
		period = append(period, "start: "+r.path(start))
	}
	if end != nil {
		period = append(period, "end: "+r.path(end))
	}
	if period != nil {
		r.set("period", "{set: {"+strings.Join(period, ", ")+"}}", e.doubtOf(start, end))
	}
	if c := s.own("complaint"); c != nil {
		r.set("reasonCode", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	if len(conditions) > 0 {
		r.line(3, "diagnosis:")
		for _, c := range conditions {
			r.line(4, "- "+c)
		}
	}
	e.stay(r)
	r.set("serviceProvider", "{ref: institution}")
	r.done()
}

func (e *emitter) visitNumbers(r *ruleText, key, start *column) {
	var out []string
	if key != nil {
		out = append(out, e.identifier(r.s, key))
	}
	if c := r.s.own("inno"); c != nil && c != key {
		out = append(out, e.identifier(r.s, c))
	}
	if c := r.s.own("outno"); c != nil && c != key {
		period := ""
		if start != nil {
			period = fmt.Sprintf(", period: {set: {start: %s}}", r.path(start))
		}
		// Clinics count from 1 every day: such a number is no identity without the day.
		out = append(out, fmt.Sprintf("{when: {%s: present}, set: {use: =secondary, type: {set: {text: =门诊号}}, value: %s%s}}", r.path(c), r.path(c), period))
	}
	if len(out) == 0 {
		return
	}
	r.line(3, "identifier:")
	for i, o := range out {
		doubt := ""
		if i == 0 {
			doubt = r.e.doubtOf(key)
		}
		r.line(4, "- "+o, doubt)
	}
}

// class writes the mandatory kind of visit: from its column, else as the table's name and numbers suggest.
func (e *emitter) class(r *ruleText) {
	if c := r.s.own("class"); c != nil && c.present > 0 {
		rule := fmt.Sprintf("{from: %s, table: %s}", r.path(c), e.d.table(classTable, c, nil))
		r.set("class", rule, e.doubtOf(c))
		r.set("type", rule)
		return
	}
	code := "AMB"
	name := headingKey(r.s.name)
	if r.s.own("inno") != nil && r.s.own("outno") == nil || strings.Contains(name, "住院") || strings.Contains(name, "zy") || strings.Contains(name, "inpatient") {
		code = "IMP"
	}
	r.set("class", fmt.Sprintf(`{value: {system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: %s}}`, code),
		e.d.say(text{"no column says it", "没有说明就诊类型的列"}))
	e.d.ask(e.d.title(r.s), e.d.say(text{"no kind of visit", "没有就诊类型"}), text{"Every visit is taken as %s (AMB outpatient, IMP inpatient, EMER emergency).", "就诊全部当作%s(AMB门诊,IMP住院,EMER急诊),请确认。"}, code)
}

// stay writes what is about a stay: ward, bed, ways in and out.
func (e *emitter) stay(r *ruleText) {
	in, out := r.s.own("admit.source"), r.s.own("discharge")
	if in != nil || out != nil {
		r.line(3, "hospitalization:")
		r.line(4, "set:")
		if in != nil {
			r.line(5, "admitSource: "+r.codeable(in, nil, admitTable), e.doubtOf(in))
		}
		if out != nil {
			r.line(5, "dischargeDisposition: "+r.codeable(out, nil, dischargeTable), e.doubtOf(out))
		}
	}
	ward, bed := r.s.own("ward"), r.s.own("bed")
	if ward == nil && bed == nil {
		return
	}
	display := ""
	switch {
	case bed == nil:
		display = r.path(ward)
	case ward == nil:
		display = r.path(bed)
	default:
		display = fmt.Sprintf("{with: {ward: %s, bed: %s}, expr: \"trim(ward + ' ' + bed)\"}", r.path(ward), r.path(bed))
	}
	r.set("location", fmt.Sprintf("{set: {location: {set: {display: %s}}}}", display), e.doubtOf(ward, bed))
}

// visitDiagnoses writes the diagnoses of a visit: those in its own row, and those of the rows or items that belong to it.
func (e *emitter) visitDiagnoses(s *scope, visit []*column, encounter string) []string {
	var refs []string
	if s.own("dx", "dx.name") != nil && e.subject(s) != "" {
		rule := e.condition(s, append([]*column{}, visit...), "=main", encounter)
		refs = append(refs, fmt.Sprintf("{when: {%s: present}, set: {condition: {ref: %s}, rank: {value: 1}}}", e.path(s, s.own("dx", "dx.name")), rule))
	}
	for _, k := range s.kids {
		if k.kind != diagnoses || e.subject(s) == "" {
			continue
		}
		rule := e.condition(k, visit, "", encounter)
		rank := ""
		if c := k.own("dx.rank"); c != nil {
			rank = ", rank: " + scalar(pathOf(c.steps))
			c.used = true
		}
		refs = append(refs, fmt.Sprintf("{each: %s, set: {condition: {ref: %s}%s}}", scalar(k.each), rule, rank))
	}
	return refs
}

// condition writes one diagnosis. last is a literal that ends its key, for a diagnosis that stands once in a row.
func (e *emitter) condition(s *scope, visit []*column, last, encounterRule string) string {
	dx, name := s.own("dx"), s.own("dx.name")
	rule := e.uniqueRule("condition")
	key := e.keyOf(s, visit...)
	if last != "" {
		key = append(key, last)
	} else if rank := s.own("dx.rank"); rank != nil && rank.present > 0 {
		key = append(key, e.keyOf(s, rank)...)
	} else if dx != nil {
		key = append(key, e.keyOf(s, dx)...)
	} else {
		key = append(key, e.keyOf(s, name)...)
	}
	r := e.rule(rule, "Condition", s, key, "replace")
	if present := s.own("dx", "dx.name"); present != nil && last != "" {
		r.line(2, fmt.Sprintf("when: {%s: present}", r.path(present)))
	}
	r.line(2, "set:")
	r.set("clinicalStatus", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: active}]}}`)
	r.set("verificationStatus", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/condition-ver-status", code: confirmed}]}}`)
	r.set("category", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/condition-category", code: encounter-diagnosis}]}}`)
	r.setCode("code", dx, name, dxTable)
	r.set("subject", e.subject(s))
	if encounterRule != "" {
		r.set("encounter", "{ref: "+encounterRule+"}")
	} else {
		r.set("encounter", e.encounter(s), e.foreign(s, "visit"))
	}
	if c := s.near("dx.time", "visit.start"); c != nil {
		r.set("recordedDate", r.path(c), e.doubtOf(c))
	}
	if tcm, syndrome := s.own("tcm"), s.own("syndrome"); tcm != nil || syndrome != nil { // what traditional medicine says of it
		r.line(3, "note:")
		for _, c := range []*column{tcm, syndrome} {
			if c != nil {
				r.line(4, fmt.Sprintf("- {from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
			}
		}
	}
	r.done()
	return rule
}

// diagnosisRule writes the diagnoses of a table of their own.
func (e *emitter) diagnosisRule(s *scope) {
	if s.kind != diagnoses || s.own("dx", "dx.name") == nil || s.parent != nil && s.parent.kind == visits {
		return
	}
	if e.subject(s) == "" {
		e.nobody(s)
		return
	}
	key := []*column{s.near("visit")}
	if key[0] == nil {
		key = []*column{s.near(patientKeys...)}
	}
	e.condition(s, key, "", "")
}

// nobody asks whom a table is about.
func (e *emitter) nobody(s *scope) {
	e.d.ask(e.d.title(s), e.d.say(text{"no number of a patient", "没有患者编号"}), text{"Whom are these rows about? Nothing is made of them yet.", "这些记录属于谁?暂不生成资源。"})
}
