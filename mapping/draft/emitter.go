package draft

import (
	"fmt"
	"strings"
)

// emitter writes one map.
type emitter struct {
	d        *drafter
	name     string
	root     *scope
	rules    []string
	patient  map[*scope]string // rule that makes the patient of a scope
	visit    map[*scope]string
	report   map[*scope]string
	specimen map[*scope]string
	named    map[string]bool
}

// ruleText is one rule being written.
type ruleText struct {
	e *emitter
	s *scope
	b strings.Builder
}

// uniqueRule returns a name for a rule that the map does not have yet.
func (e *emitter) uniqueRule(name string) string {
	out := name
	for n := 2; e.named[out]; n++ {
		out = fmt.Sprintf("%s%d", name, n)
	}
	e.named[out] = true
	return out
}

// rule begins a rule that stands in a scope.
func (e *emitter) rule(name, typ string, s *scope, key []string, write string) *ruleText {
	r := &ruleText{e: e, s: s}
	r.line(1, name+":")
	r.line(2, "type: "+typ)
	if s.each != "" {
		r.line(2, "each: "+scalar(s.each))
	}
	r.line(2, "key: ["+strings.Join(key, ", ")+"]")
	r.line(2, "write: "+write)
	return r
}

// line writes one line; a doubt is marked at its end.
func (r *ruleText) line(depth int, s string, doubt ...string) {
	r.b.WriteString(strings.Repeat("  ", depth))
	r.b.WriteString(s)
	for _, why := range doubt {
		if why != "" {
			r.b.WriteString(" # ? " + oneLine(why))
		}
	}
	r.b.WriteString("\n")
}

// set writes one element, when there is a rule for it.
func (r *ruleText) set(element, rule string, doubt ...string) {
	if rule != "" {
		r.line(3, element+": "+rule, doubt...)
	}
}

func (r *ruleText) done() { r.e.rules = append(r.e.rules, r.b.String()) }

// path names a column from the rule's scope, and notes that it is read.
func (r *ruleText) path(c *column) string { return r.e.path(r.s, c) }

func (e *emitter) path(s *scope, c *column) string {
	c.used = true
	return scalar(c.from(s))
}

// doubtOf is the comment beside a rule that rests on doubtful guesses.
func (e *emitter) doubtOf(columns ...*column) string {
	for _, c := range columns {
		if c != nil && c.doubt {
			what := e.d.say(text{"%s: is it %s?", "%s:是%s吗?"}, c.heading(), c.concept.name)
			if c.why != "" {
				return what + " " + c.why // asked with the others
			}
			e.d.askColumn(c, c.concept.name, text{"The heading fits %q, the values do not prove it. Look at it.", "列名像是%q,但值不足以证明,请核对。"}, c.concept.name)
			return what
		}
	}
	return ""
}

// value is a plain element read from the first of the concepts that the scope, or one around it, has.
func (r *ruleText) value(element string, concepts ...string) *column {
	c := r.s.near(concepts...)
	if c != nil {
		r.set(element, r.path(c), r.e.doubtOf(c))
	}
	return c
}

// codeable writes a code with its name. It returns "" when there is neither.
func (r *ruleText) codeable(code, name *column, t tableSpec) string {
	if code == nil && name == nil {
		return ""
	}
	if code == nil {
		if wordy(&name.profile) && t.words {
			return fmt.Sprintf("{from: %s, table: %s}", r.path(name), r.e.d.table(t, name, nil))
		}
		return fmt.Sprintf("{set: {text: %s}}", r.path(name))
	}
	table := r.e.d.table(t, code, name)
	if name == nil {
		return fmt.Sprintf("{from: %s, table: %s}", r.path(code), table)
	}
	return fmt.Sprintf("{from: %s, table: %s, text: %s}", r.path(code), table, r.path(name))
}

// setCode writes a single coded element: where the code is missing in some rows, the name alone.
func (r *ruleText) setCode(element string, code, name *column, t tableSpec, doubt ...string) bool {
	rule := r.codeable(code, name, t)
	if rule == "" {
		return false
	}
	if code != nil && name != nil && code.present < code.rows {
		r.line(3, element+":", doubt...)
		r.line(4, "- "+rule)
		r.line(4, fmt.Sprintf("- {set: {text: %s}}", r.path(name)))
		return true
	}
	r.set(element, rule, append(doubt, r.e.doubtOf(code, name))...)
	return true
}

// keyOf lists the columns that identify something; nil when there is none of them.
func (e *emitter) keyOf(s *scope, columns ...*column) []string {
	var out []string
	for _, c := range columns {
		if c != nil {
			c.key = true
			out = append(out, e.path(s, c))
		}
	}
	return out
}

// status writes a mandatory status: through a table when a column says it, else as a literal that is to be looked at.
func (r *ruleText) status(element string, t tableSpec, otherwise string) {
	c := r.s.own("status")
	if c == nil && r.s.parent != nil {
		c = r.s.near("status")
	}
	if c != nil && c.present > 0 {
		t.fallback = otherwise
		table := r.e.d.table(t, c, nil)
		if c.present < c.rows {
			r.line(3, element+":", r.e.doubtOf(c))
			r.line(4, fmt.Sprintf("- {from: %s, table: %s}", r.path(c), table))
			r.line(4, "- "+literal(otherwise))
			return
		}
		r.set(element, fmt.Sprintf("{from: %s, table: %s}", r.path(c), table), r.e.doubtOf(c))
		return
	}
	r.set(element, literal(otherwise), r.e.d.say(text{"no column says it", "没有说明状态的列"}))
	r.e.d.ask("maps/"+r.e.name+".yaml: "+element, r.e.d.say(text{"no status column", "没有状态列"}),
		text{"FHIR wants a status: every row is taken as %q. Say where it stands, or that it is so.", "FHIR要求状态,现全部当作%q。请指明来源或确认。"}, otherwise)
}

// practitioner returns a reference to somebody known by staff number, name or both. With both a rule makes the resource.
func (r *ruleText) practitioner(code, name *column, rule string) string {
	switch {
	case code != nil && name != nil:
		who := r.e.staff(r.s, code, name, rule)
		return fmt.Sprintf("{ref: {rule: %s, display: %s}}", who, r.path(name))
	case code != nil:
		return fmt.Sprintf("{ref: {type: Practitioner, identifier: {system: staff, from: %s}}}", r.path(code))
	case name != nil:
		return fmt.Sprintf("{set: {type: =Practitioner, display: %s}}", r.path(name))
	}
	return ""
}

// staff writes the rule of somebody with a number and a name, in the scope that has both, and returns its name.
func (e *emitter) staff(s *scope, code, name *column, rule string) string {
	at := code.scope
	if name.scope != at {
		at = s
	}
	rule = e.uniqueRule(rule)
	r := e.rule(rule, "Practitioner", at, []string{e.path(at, code)}, "merge")
	lines := strings.SplitN(r.b.String(), "\n", 3)
	r.b.Reset()
	r.b.WriteString(lines[0] + "\n" + lines[1] + "\n")
	r.line(2, fmt.Sprintf("when: {%s: present}", e.path(at, code)))
	r.b.WriteString(lines[2])
	r.line(2, "set:")
	r.set("identifier", fmt.Sprintf("{from: %s, as: identifier, system: staff}", e.path(at, code)))
	r.set("name", fmt.Sprintf("{from: %s, as: name}", e.path(at, name)))
	r.done()
	return rule
}

// subject returns the reference to whom a rule of the scope is about, "" when nothing tells.
func (e *emitter) subject(s *scope) string {
	for at := s; at != nil; at = at.parent {
		if rule := e.patient[at]; rule != "" {
			return "{ref: " + rule + "}"
		}
	}
	return ""
}

// encounter returns the reference to the visit.
func (e *emitter) encounter(s *scope) string {
	for at := s; at != nil; at = at.parent {
		if rule := e.visit[at]; rule != "" {
			return "{ref: " + rule + "}"
		}
	}
	c := s.near("visit")
	if c == nil && e.d.visitBy != "" {
		c = s.near(e.d.visitBy)
	}
	if c == nil {
		return ""
	}
	return fmt.Sprintf("{ref: {type: Encounter, identifier: {system: %s, from: %s}}}", e.d.systemFor(c), e.path(s, c))
}

// foreign doubts a number that stands among what a sender says of itself: it may be one of the sender's own.
func (e *emitter) foreign(s *scope, concept string) string {
	c := s.near(concept)
	if c == nil || len(c.steps) < 2 {
		return ""
	}
	for _, o := range c.scope.columns {
		if len(o.steps) > 1 && o.steps[0] == c.steps[0] && (o.is("sender.pid") || o.is("org")) {
			e.d.ask(e.d.place(c), e.d.shape(c), text{"Is it a number of the sender's own? Then say whose: identifier: {system: %s, of: MEMBER, from: …}.", "这是送检方自己的编号吗?若是请写明归属:identifier: {system: %s, of: 成员, from: …}。"}, systemOf[concept])
			return e.d.say(text{"whose number?", "谁的编号?"})
		}
	}
	return ""
}

// orderRef returns the reference to the order that a report answers.
func (e *emitter) orderRef(s *scope) string {
	c := s.near("order")
	if c == nil {
		return ""
	}
	return fmt.Sprintf("{ref: {type: ServiceRequest, identifier: {system: order, from: %s}}}", e.path(s, c))
}
