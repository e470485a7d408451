package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/residentid"
)

// person writes the rule of the patient that a scope tells about, when it tells enough to know them.
func (e *emitter) person(s *scope) {
	if s.kind == staffList || s.kind == departments {
		return
	}
	var keys []*column
	if c := s.own(e.d.patientBy); c != nil && c.present > 0 {
		keys = append(keys, c)
	}
	for _, name := range patientKeys {
		if len(keys) > 0 && keys[0].present == keys[0].rows {
			break
		}
		if c := s.own(name); c != nil && c.present > 0 && !slices.Contains(keys, c) {
			keys = append(keys, c)
			if name == "pid" {
				break
			}
		}
	}
	name := s.own("name")
	if len(keys) == 0 {
		if name == nil || s.kind == labItems || s.kind == susceptibility {
			return
		}
		e.d.ask(e.d.title(s), e.d.shape(name), text{"Names without any number: whose rows are these? They make no patient yet.", "只有姓名而没有任何编号,无法确定是谁,暂不生成患者。"})
		return
	}
	rule := e.uniqueRule("patient")
	write := "reference"
	switch {
	case s.kind == patients && mainKind(s.root()) == patients:
		write = "update"
	case name != nil || s.own("sex", "birth") != nil:
		write = "merge"
	}
	key := e.keyOf(s, keys...)
	if len(key) > 1 { // the first that the record has
		key = []string{"[" + strings.Join(key, ", ") + "]"}
	}
	r := e.rule(rule, "Patient", s, key, write)
	e.patient[s] = rule
	if s.each == "" {
		r.line(2, "required: true")
	}
	idno, idtype := s.own("idno"), s.own("idtype")
	if idno != nil && idtype != nil && write != "reference" {
		r.line(2, fmt.Sprintf("with: {document: %s}", r.path(idtype)))
	}
	r.line(2, "set:")
	if write == "reference" {
		r.set("identifier", e.identifier(s, keys[0]), e.doubtOf(keys[0]))
		r.done()
		return
	}
	e.extensions(r)
	r.line(3, "identifier:")
	for _, name := range patientKeys {
		c := s.own(name)
		switch {
		case c == nil || name == "inno" && s.kind != patients && c != keys[0]: // a stay's number, not the patient's
		case c == idno && idtype != nil:
			e.papers(r, idno, idtype)
		default:
			r.line(4, "- "+e.identifier(s, c), e.doubtOf(c))
		}
	}
	if name != nil {
		r.set("name", fmt.Sprintf("{from: %s, as: name}", r.path(name)), e.doubtOf(name))
	}
	if c := s.own("phone"); c != nil {
		r.set("telecom", fmt.Sprintf("{from: %s, as: phone}", r.path(c)), e.doubtOf(c))
	}
	switch sex := s.own("sex", "sex.name"); {
	case sex != nil:
		r.set("gender", fmt.Sprintf("{from: %s, table: %s}", r.path(sex), e.d.table(sexTable, sex, nil)), e.doubtOf(sex))
	case idno != nil:
		r.set("gender", fmt.Sprintf("{from: %s, as: id-sex}", r.path(idno)))
	}
	switch birth := s.own("birth"); {
	case birth != nil:
		r.set("birthDate", r.path(birth), e.doubtOf(birth))
	case idno != nil:
		r.set("birthDate", fmt.Sprintf("{from: %s, as: age-birth}", r.path(idno)))
	}
	if c := s.own("death"); c != nil {
		r.set("deceasedDateTime", r.path(c), e.doubtOf(c))
	}
	if c := s.own("address"); c != nil {
		with := "use: =home"
		if post := s.own("postcode"); post != nil {
			with += ", postalCode: " + r.path(post)
		}
		r.set("address", fmt.Sprintf("{from: %s, as: address, with: {%s}}", r.path(c), with), e.doubtOf(c))
	}
	if c := s.own("marital"); c != nil {
		r.set("maritalStatus", r.codeable(c, nil, maritalTable), e.doubtOf(c))
	}
	e.contact(r)
	r.set("managingOrganization", "{ref: institution}")
	r.done()
}

// extensions write the recorded sex in the national codes, and the ethnicity.
func (e *emitter) extensions(r *ruleText) {
	sex, ethnicity := r.s.own("sex", "sex.name"), r.s.own("ethnicity")
	if sex == nil && ethnicity == nil {
		return
	}
	r.line(3, "extension:")
	for _, x := range []struct {
		name string
		c    *column
		spec tableSpec
	}{{"sex", sex, sexCodeTable}, {"ethnicity", ethnicity, ethnicityTable}} {
		if x.c != nil {
			r.line(4, fmt.Sprintf(`- set: {url: "=https://yilian.dev/fhir/StructureDefinition/%s", valueCoding: {from: %s, table: %s}}`, x.name, r.path(x.c),
				e.d.table(x.spec, x.c, nil)), e.doubtOf(x.c))
		}
	}
}

func (e *emitter) contact(r *ruleText) {
	name, relation, phone := r.s.own("contact"), r.s.own("contact.rel"), r.s.own("contact.phone")
	if name == nil && phone == nil {
		return
	}
	r.line(3, "contact:")
	r.line(4, "set:")
	if relation != nil {
		r.line(5, "relationship: "+r.codeable(relation, nil, relationTable), e.doubtOf(relation))
	}
	if name != nil {
		r.line(5, fmt.Sprintf("name: {from: %s, as: name}", r.path(name)), e.doubtOf(name))
	}
	if phone != nil {
		r.line(5, fmt.Sprintf("telecom: {from: %s, as: phone}", r.path(phone)), e.doubtOf(phone))
	}
}

// systemOf names the identifier system of a concept's numbers.
var systemOf = map[string]string{"pid": "patient", "idno": "resident-id", "healthcard": "health-card", "ehr": "health-record", "card": "visit-card",
	"insurance": "insurance", "inno": "inpatient-no", "outno": "outpatient-no", "visit": "visit", "order": "order", "report": "report",
	"barcode": "specimen", "rx": "prescription", "referral": "referral"}

func (e *emitter) identifier(s *scope, c *column) string {
	return fmt.Sprintf("{from: %s, as: identifier, system: %s}", e.path(s, c), e.d.systemFor(c))
}

// systemFor names the identifier system of a column. The number of a health record has 17 digits all over the country: another one, where
// a table has no number of the patient beside it, is the house's own. A number that tells visits apart is the visit's.
func (d *drafter) systemFor(c *column) string {
	switch {
	case c.is("ehr") && (c.minimum != 17 || c.maximum != 17) && c.scope.near("pid") == nil:
		return "patient"
	case d.visitBy != "" && c.is(d.visitBy):
		return "visit"
	}
	return systemOf[c.concept.name]
}

// papers writes the number of a document whose kind another column tells. Which codes mean the resident card the numbers themselves
// show; the others are those of the national table.
func (e *emitter) papers(r *ruleText, number, kind *column) {
	national, _ := codes.Builtin("cv-idtype")
	valid, other := map[string]int{}, map[string]int{}
	for _, row := range r.s.cells {
		if number.at >= len(row) || kind.at >= len(row) || row[number.at] == "" {
			continue
		}
		if residentid.Parse(row[number.at]).Valid {
			valid[row[kind.at]]++
		} else {
			other[row[kind.at]]++
		}
	}
	resident, passport := []string{}, []string{}
	for _, code := range sortedKeys(merged(valid, other)) {
		target := ""
		if e, ok := national.Lookup(code); ok {
			target = e.Target.Code
		}
		switch {
		case valid[code] > 0 && valid[code]*2 >= other[code] || code == "" || target == "NI":
			resident = append(resident, quoted(code))
		case target == "PPN":
			passport = append(passport, quoted(code))
		}
	}
	if kind.present < kind.rows && len(valid) == 0 {
		resident = append(resident, "''")
	}
	from := r.path(number)
	known := append(append([]string{}, resident...), passport...)
	if len(resident) > 0 {
		r.line(4, fmt.Sprintf("- {when: %s, from: %s, as: identifier, system: resident-id}", scalarExpr("document in ["+strings.Join(resident, ", ")+"]"), from))
	}
	if len(passport) > 0 {
		r.line(4, fmt.Sprintf("- {when: %s, from: %s, as: identifier, system: passport}", scalarExpr("document in ["+strings.Join(passport, ", ")+"]"), from))
	}
	r.line(4, fmt.Sprintf("- {when: %s, set: {value: %s}}", scalarExpr("not (document in ["+strings.Join(known, ", ")+"])"), from),
		e.d.say(text{"papers of other kinds", "其他证件"}))
	if len(known) == 0 {
		e.d.ask(e.d.place(kind), e.d.shape(kind), text{"Which of these codes means the resident card?", "哪个代码表示居民身份证?"})
	}
}

func merged(a, b map[string]int) map[string]int {
	out := map[string]int{}
	for _, m := range []map[string]int{a, b} {
		for k, v := range m {
			out[k] += v
		}
	}
	return out
}

// scalarExpr writes an expression as a YAML text.
func scalarExpr(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
