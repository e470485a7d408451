package draft

import "fmt"

// orderRule writes what was asked for.
func (e *emitter) orderRule(s *scope) {
	if s.kind != orders {
		return
	}
	number := s.own("order", "barcode")
	if number == nil {
		number = s.near("order")
	}
	item, name := s.own("item", "report.code", "drug"), s.own("item.name", "report.name", "drug.name")
	subject := e.subject(s)
	if number == nil || subject == "" {
		if subject == "" {
			e.nobody(s)
		} else {
			e.noKey(s)
		}
		return
	}
	key := e.keyOf(s, number)
	if !uniqueIn(number) && s.own("seq", "item") != nil {
		key = append(key, e.keyOf(s, s.own("seq", "item"))...)
	}
	r := e.rule(e.uniqueRule("order"), "ServiceRequest", s, key, "replace")
	r.line(2, "set:")
	r.set("identifier", e.identifier(s, number), e.doubtOf(number))
	r.status("status", orderStatusTable, "active")
	r.set("intent", "=order")
	if c := s.own("order.category", "section"); c != nil {
		r.setCode("category", c, nil, categoryTable)
	}
	if c := s.own("priority"); c != nil {
		r.set("priority", fmt.Sprintf("{from: %s, table: %s}", r.path(c), e.d.table(priorityTable, c, nil)), e.doubtOf(c))
	}
	r.setCode("code", item, name, orderItemTable)
	if c, n := s.own("specimen"), s.own("specimen.name"); c != nil || n != nil {
		r.setCode("orderDetail", c, n, specimenTable)
	}
	r.set("subject", subject)
	r.set("encounter", e.encounter(s), e.foreign(s, "visit"))
	r.value("authoredOn", "order.time", "created")
	r.set("requester", r.practitioner(e.first(s, "requester", "doctor"), e.first(s, "requester.name", "doctor.name"), "doctor"))
	if c := s.own("performer"); c != nil {
		r.set("performer", fmt.Sprintf("{set: {display: %s}}", r.path(c)), e.d.say(text{"a member of the alliance? then {ref: {institution: …}}", "是联盟成员吗?若是用{ref: {institution: …}}"}))
	}
	if c := s.own("reason", "dx.name"); c != nil {
		r.set("reasonCode", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	if c := s.own("remark"); c != nil {
		r.set("note", fmt.Sprintf("{from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
	}
	r.done()
}

// first returns the column of the first concept that the scope, or one around it, has values of.
func (e *emitter) first(s *scope, concepts ...string) *column {
	for _, name := range concepts {
		if c := s.near(name); c != nil && c.present > 0 {
			return c
		}
	}
	return nil
}

func (e *emitter) noKey(s *scope) {
	e.d.ask(e.d.title(s), e.d.say(text{"no number of its own", "没有自己的编号"}), text{"What identifies such a record? Nothing is made of it yet.", "这类记录以什么为主键?暂不生成资源。"})
}

// referralRule writes a referral: what is asked for, and where it stands.
func (e *emitter) referralRule(s *scope) {
	if s.kind != referrals {
		return
	}
	number, subject := s.own("referral"), e.subject(s)
	if number == nil || subject == "" {
		if subject == "" {
			e.nobody(s)
		} else {
			e.noKey(s)
		}
		return
	}
	diagnosis := ""
	if s.own("dx", "dx.name") != nil {
		diagnosis = e.condition(s, []*column{number}, "=referral", "")
	}
	key := append([]string{"=referral"}, e.keyOf(s, number)...)
	r := e.rule(e.uniqueRule("referral"), "ServiceRequest", s, key, "replace")
	r.line(2, "set:")
	r.set("identifier", e.identifier(s, number), e.doubtOf(number))
	r.status("status", orderStatusTable, "active")
	r.set("intent", "=order")
	if c := s.own("direction"); c != nil {
		r.setCode("category", c, nil, directionTable)
	}
	if c := s.own("priority"); c != nil {
		r.set("priority", fmt.Sprintf("{from: %s, table: %s}", r.path(c), e.d.table(priorityTable, c, nil)), e.doubtOf(c))
	}
	r.set("code", "{set: {text: =双向转诊}}")
	r.set("subject", subject)
	r.set("encounter", e.encounter(s), e.foreign(s, "visit"))
	r.value("authoredOn", "ref.time", "created")
	r.set("requester", r.practitioner(e.first(s, "ref.doctor", "doctor"), e.first(s, "ref.doctor.name", "doctor.name"), "doctor"))
	if c := s.own("dept.to"); c != nil {
		r.set("performerType", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	if c := s.own("org.to"); c != nil {
		members := e.d.table(memberTable, c, nil)
		r.set("performer", fmt.Sprintf("{ref: {institution: {from: %s, table: %s}}}", r.path(c), members), e.doubtOf(c))
	}
	if c := s.own("org.from"); c != nil {
		r.path(c)
		e.d.ask(e.d.place(c), e.d.shape(c), text{"Who refers: this institution itself, or a member? Then requester: {ref: {institution: …}}.", "转出机构是本院还是其他成员?若需要用requester: {ref: {institution: …}}。"})
	}
	reason, why := s.own("ref.reason"), s.own("ref.text")
	switch {
	case reason != nil && reason.present > 0:
		r.set("reasonCode", r.codeable(reason, why, reasonTable), e.doubtOf(reason))
	case why != nil:
		r.set("reasonCode", fmt.Sprintf("{set: {text: %s}}", r.path(why)))
	}
	if diagnosis != "" {
		r.set("reasonReference", "{ref: "+diagnosis+"}")
	}
	if c := s.own("summary", "remark"); c != nil {
		r.set("note", fmt.Sprintf("{from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
	}
	r.done()
}
