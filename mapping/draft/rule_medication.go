package draft

import "fmt"

// prescriptionRule writes one drug that was prescribed.
func (e *emitter) prescriptionRule(s *scope) {
	if s.kind != prescriptions || s.own("drug", "drug.name") == nil {
		return
	}
	subject := e.subject(s)
	if subject == "" {
		e.nobody(s)
		return
	}
	number := e.first(s, "rx", "order", "visit")
	drug, name := s.own("drug"), s.own("drug.name")
	if number == nil {
		number = e.first(s, patientKeys...)
		e.d.ask(e.d.title(s), e.d.say(text{"no prescription number", "没有处方号"}), text{"Prescriptions are told apart by patient and drug only. Is there a number?", "处方只按患者和药品区分,是否另有处方号?"})
	}
	key := e.keyOf(s, number)
	line := s.own("seq")
	switch {
	case line != nil && line.present == line.rows:
		key = append(key, e.keyOf(s, line)...)
	case drug != nil:
		key = append(key, e.keyOf(s, drug)...)
	default:
		key = append(key, e.keyOf(s, name)...)
	}
	r := e.rule(e.uniqueRule("prescription"), "MedicationRequest", s, key, "replace")
	r.line(2, "set:")
	if number.is("rx") && line != nil {
		r.set("identifier", fmt.Sprintf(`{with: {number: %s, line: %s}, expr: "number + '-' + line", as: identifier, system: prescription}`, r.path(number), r.path(line)))
	}
	r.status("status", rxStatusTable, "active")
	r.set("intent", "=order")
	e.medication(r, drug, name)
	r.set("subject", subject)
	r.set("encounter", e.encounter(s), e.foreign(s, "visit"))
	r.value("authoredOn", "rx.time", "order.time", "created")
	r.set("requester", r.practitioner(e.first(s, "prescriber", "requester", "doctor"), e.first(s, "prescriber.name", "requester.name", "doctor.name"), "doctor"))
	if number.is("rx") {
		r.set("groupIdentifier", e.identifier(s, number), e.doubtOf(number))
	}
	if c := s.near("reason", "dx.name"); c != nil {
		r.set("reasonCode", fmt.Sprintf("{set: {text: %s}}", r.path(c)), e.doubtOf(c))
	}
	e.dosage(r)
	quantity, unit, days := s.own("quantity"), s.own("quantity.unit"), s.own("days")
	if quantity != nil || days != nil {
		r.line(3, "dispenseRequest:")
		r.line(4, "set:")
		if quantity != nil {
			with := ""
			if unit != nil {
				with = fmt.Sprintf(", with: {unit: %s}", r.path(unit))
			}
			r.line(5, fmt.Sprintf("quantity: {from: %s, as: quantity%s}", r.path(quantity), with), e.doubtOf(quantity, unit))
		}
		if days != nil {
			r.line(5, fmt.Sprintf("expectedSupplyDuration: {from: %s, as: quantity, with: {unit: =d}}", r.path(days)), e.doubtOf(days))
		}
	}
	if c := s.own("remark"); c != nil {
		r.set("note", fmt.Sprintf("{from: %s, as: annotation}", r.path(c)), e.doubtOf(c))
	}
	r.done()
}

func (e *emitter) medication(r *ruleText, drug, name *column) {
	spec := r.s.own("spec")
	printed := ""
	switch {
	case name != nil && spec != nil:
		printed = fmt.Sprintf(`{with: {drug: %s, strength: %s}, expr: "trim(drug + ' ' + strength)"}`, r.path(name), r.path(spec))
	case name != nil:
		printed = r.path(name)
	}
	r.line(3, "medicationCodeableConcept:", e.doubtOf(drug, name))
	r.line(4, "set:")
	if drug != nil {
		r.line(5, fmt.Sprintf("coding: {from: %s, table: %s}", r.path(drug), e.d.table(drugTable, drug, name)))
	}
	if printed != "" {
		r.line(5, "text: "+printed)
	}
}

func (e *emitter) dosage(r *ruleText) {
	dose, unit := r.s.own("dose"), r.s.own("dose.unit", "unit")
	freq, freqName := r.s.own("freq"), r.s.own("freq.name")
	route, routeName := r.s.own("route"), r.s.own("route.name")
	if dose == nil && freq == nil && freqName == nil && route == nil && routeName == nil {
		return
	}
	r.line(3, "dosageInstruction:")
	r.line(4, "set:")
	if timing := r.codeable(freq, freqName, freqTable); timing != "" {
		r.line(5, fmt.Sprintf("timing: {set: {code: %s}}", timing), e.doubtOf(freq, freqName))
	}
	if way := r.codeable(route, routeName, routeTable); way != "" {
		r.line(5, "route: "+way, e.doubtOf(route, routeName))
	}
	if dose != nil {
		with := ""
		if unit != nil {
			with = fmt.Sprintf(", with: {unit: %s}", r.path(unit))
		}
		r.line(5, fmt.Sprintf("doseAndRate: {set: {doseQuantity: {from: %s, as: quantity%s}}}", r.path(dose), with), e.doubtOf(dose, unit))
	}
}

// allergyRule writes one allergy.
func (e *emitter) allergyRule(s *scope) {
	if s.kind != allergies || s.own("allergen", "allergen.name") == nil {
		return
	}
	subject := e.subject(s)
	if subject == "" {
		e.nobody(s)
		return
	}
	code, name := s.own("allergen"), s.own("allergen.name")
	key := e.keyOf(s, s.near(append([]string{e.d.patientBy}, patientKeys...)...))
	if code != nil {
		key = append(key, e.keyOf(s, code)...)
	} else {
		key = append(key, e.keyOf(s, name)...)
	}
	r := e.rule(e.uniqueRule("allergy"), "AllergyIntolerance", s, key, "replace")
	r.line(2, "set:")
	r.set("clinicalStatus", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", code: active}]}}`)
	r.set("verificationStatus", `{value: {coding: [{system: "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", code: confirmed}]}}`)
	if c := s.own("allergen.type"); c != nil {
		r.set("category", fmt.Sprintf("{from: %s, table: %s}", r.path(c), e.d.table(allergenTypeTable, c, nil)), e.doubtOf(c))
	}
	r.setCode("code", code, name, allergenTable)
	r.set("patient", subject)
	r.value("recordedDate", "allergy.time", "created")
	reaction, severity := s.own("reaction"), s.own("severity")
	if reaction != nil {
		more := ""
		if severity != nil {
			more = fmt.Sprintf(", severity: {from: %s, table: %s}", r.path(severity), e.d.table(severityTable, severity, nil))
		}
		r.set("reaction", fmt.Sprintf("{set: {manifestation: {set: {text: %s}}%s}}", r.path(reaction), more), e.doubtOf(reaction, severity))
	}
	r.done()
}
