package draft

import "fmt"

// staffRule writes somebody of a list of those who work there.
func (e *emitter) staffRule(s *scope) {
	if s.kind != staffList {
		return
	}
	number, name := s.own("staff", "doctor"), s.own("name", "doctor.name")
	if number == nil {
		e.noKey(s)
		return
	}
	r := e.rule(e.uniqueRule("practitioner"), "Practitioner", s, e.keyOf(s, number), "update")
	r.line(2, "set:")
	r.set("identifier", fmt.Sprintf("{from: %s, as: identifier, system: staff}", r.path(number)))
	if name != nil {
		r.set("name", fmt.Sprintf("{from: %s, as: name}", r.path(name)), e.doubtOf(name))
	}
	if c := s.own("phone"); c != nil {
		r.set("telecom", fmt.Sprintf("{from: %s, as: phone}", r.path(c)), e.doubtOf(c))
	}
	if c := s.own("staff.title"); c != nil {
		r.set("qualification", fmt.Sprintf("{set: {code: {set: {text: %s}}}}", r.path(c)), e.doubtOf(c))
	}
	r.done()
}

// departmentRule writes a department of a list of them.
func (e *emitter) departmentRule(s *scope) {
	if s.kind != departments {
		return
	}
	number, name := s.own("dept"), s.own("dept.name")
	if number == nil || name == nil {
		e.noKey(s)
		return
	}
	r := e.rule(e.uniqueRule("department"), "Organization", s, e.keyOf(s, number), "update")
	r.line(2, "set:")
	r.set("identifier", fmt.Sprintf("{from: %s, as: identifier, system: department}", r.path(number)))
	r.set("type", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/organization-type", code: dept}]}}`)
	r.set("name", r.path(name), e.doubtOf(name))
	r.set("partOf", "{ref: institution}")
	r.done()
}
