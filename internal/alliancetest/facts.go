package alliancetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/alliancegen"
)

// Facts are what was looked for, and what of it no resource states.
type Facts struct {
	Checked int
	Missing []string
}

// checker looks for the ledger's facts in what is held.
type checker struct {
	Facts
	w *Holdings
}

// Check looks for everything that the ledger says of people in the resources that are held.
func Check(h *Holdings, l *alliancegen.Ledger) Facts {
	h.index()
	c := &checker{w: h}
	for i := range l.Persons {
		p := &l.Persons[i]
		for _, x := range p.Patients {
			c.patient(x)
		}
		for _, x := range p.Visits {
			c.visit(x)
		}
		for _, x := range p.Orders {
			c.order(x)
		}
		for _, x := range p.Reports {
			c.report(x)
		}
		for _, x := range p.Prescriptions {
			c.prescription(x)
		}
		for _, x := range p.Referrals {
			c.referral(x)
		}
		for _, x := range p.Allergies {
			c.allergy(x)
		}
		for _, x := range p.Appointments {
			c.appointment(x)
		}
		for _, x := range p.Documents {
			c.document(x)
		}
	}
	for i := range l.Departments {
		c.department(&l.Departments[i])
	}
	for i := range l.Staff {
		c.member(&l.Staff[i])
	}
	return c.Facts
}

// CheckPatients looks for what is said of some patients alone.
func CheckPatients(h *Holdings, patients []*alliancegen.Patient) Facts {
	h.index()
	c := &checker{w: h}
	for _, p := range patients {
		c.patient(p)
	}
	return c.Facts
}

// holds records a fact that no resource states.
func (c *checker) holds(ok bool, format string, args ...any) bool {
	c.Checked++
	if !ok {
		c.Missing = append(c.Missing, fmt.Sprintf(format, args...))
	}
	return ok
}

func (c *checker) equal(got, want, format string, args ...any) {
	c.holds(got == want, format+": got %q, want %q", append(args, got, want)...)
}

// Systems of the national identifiers and of what extensions say.
const (
	residentSystem   = "urn:oid:2.16.156.10011.1.3"
	healthCardSystem = "urn:oid:2.16.156.10011.1.19"
	recordSystem     = "urn:oid:2.16.156.10011.1.2"
	passportSystem   = "http://hl7.org/fhir/sid/passport-CHN"
	definition       = "https://yilian.dev/fhir/StructureDefinition/"
	ordinalSystem    = "https://yilian.dev/fhir/CodeSystem/ordinal-result"
	sectionSystem    = "http://terminology.hl7.org/CodeSystem/v2-0074"
	interpretation   = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
)

func (c *checker) patient(q *alliancegen.Patient) {
	at := "patient " + q.Institution + "/" + q.ID
	n := c.w.Find(q.Institution, "Patient", local(q.Institution, "patient"), q.ID)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	for _, id := range q.Identifiers {
		switch {
		case id.Kind == alliancegen.SenderNumber:
			c.holds(hasIdentifier(n, local(id.Institution, "patient"), id.Value), "%s: no number of the sender", at)
		case id.Kind == alliancegen.Placeholder || id.Kind == alliancegen.ResidentID && !checked(id.Value):
			c.holds(!slices.ContainsFunc(n.Get("identifier").Items(), func(i *fhir.Node) bool {
				return i.Get("system").Text() == residentSystem
			}), "%s: a number that identifies nobody became a resident id", at)
		default:
			system := map[string]string{alliancegen.ResidentID: residentSystem, alliancegen.HealthCard: healthCardSystem,
				alliancegen.Passport: passportSystem, alliancegen.HealthRecord: recordSystem}[id.Kind]
			c.holds(hasIdentifier(n, system, id.Value), "%s: no %s", at, id.Kind)
		}
	}
	c.holds(hasText(n.Get("name"), q.Name), "%s: name", at)
	if q.Pinyin != "" {
		c.holds(slices.ContainsFunc(n.Get("name").Items(), func(name *fhir.Node) bool {
			return name.Get("text").Text() == q.Pinyin && name.Get("extension").At(0).Get("valueCode").Text() == "SYL"
		}), "%s: pinyin", at)
	}
	c.equal(n.Get("gender").Text(), q.Sex, "%s: sex", at)
	gb := map[string][]string{"male": {"1"}, "female": {"2"}, "unknown": {"0", "9"}}[q.Sex]
	c.holds(slices.Contains(gb, extension(n, definition+"sex").Path("valueCoding", "code").Text()), "%s: sex as recorded", at)
	birth := q.Birth.String()
	c.equal(n.Get("birthDate").Text(), birth[:min(len(birth), 10)], "%s: birth", at)
	if q.Birth.Precision() == alliancegen.Second {
		c.instant(extension(n.Get("_birthDate"), "http://hl7.org/fhir/StructureDefinition/patient-birthTime").Get("valueDateTime"), q.Birth, at+": hour of birth")
	}
	c.equal(n.Get("telecom").At(0).Get("value").Text(), q.Phone, "%s: phone", at)
	c.equal(squeeze(n.Get("address").At(0).Get("text").Text()), squeeze(q.Address), "%s: address", at)
	if q.Marital != "" {
		c.holds(hasCode(n.Get("maritalStatus"), "", q.Marital), "%s: marital status", at)
	}
	if q.Ethnicity != "" {
		c.equal(extension(n, definition+"ethnicity").Path("valueCoding", "code").Text(), q.Ethnicity, "%s: ethnicity", at)
	}
	if k := q.Contact; k != nil {
		contact := n.Get("contact").At(0)
		c.equal(contact.Path("name", "text").Text(), k.Name, "%s: contact", at)
		c.holds(hasCode(contact.Get("relationship").At(0), "", k.Relation), "%s: relation", at)
		c.equal(contact.Get("telecom").At(0).Get("value").Text(), k.Phone, "%s: contact's phone", at)
	}
	c.maybeInstant(n.Get("deceasedDateTime"), q.Deceased, at+": death")
	if q.MergedInto != "" {
		link := n.Get("link").At(0)
		c.equal(link.Get("type").Text(), "replaced-by", "%s: link", at)
		c.holds(hasIdentifier(c.w.Follow(link.Get("other")), local(q.Institution, "patient"), q.MergedInto), "%s: survivor", at)
		c.equal(n.Get("active").Text(), "false", "%s: retired", at)
	}
	if q.Mother != "" {
		mother := c.w.Find(q.Institution, "RelatedPerson", local(q.Institution, "patient"), q.Mother)
		c.holds(mother != nil && hasCode(mother.Get("relationship").At(0), "", "MTH") && c.about(q.Institution, mother.Get("patient"), q.ID), "%s: mother", at)
	}
}

func (c *checker) visit(v *alliancegen.Visit) {
	at := "visit " + v.Institution + "/" + v.Number
	n := c.w.Find(v.Institution, "Encounter", local(v.Institution, "visit"), v.Number)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(v.Institution, n.Get("subject"), v.Patient), "%s: patient", at)
	c.equal(n.Path("class", "code").Text(), v.Class, "%s: class", at)
	c.holds(hasCode(n.Get("type").At(0), "", v.LocalClass), "%s: local class", at)
	c.equal(n.Get("status").Text(), v.Status, "%s: status", at)
	c.instant(n.Path("period", "start"), v.Start, at+": start")
	c.maybeInstant(n.Path("period", "end"), v.End, at+": end")
	c.coded(n.Get("serviceType"), v.Department, at+": department")
	if v.DailyNumber != "" {
		c.holds(hasIdentifier(n, "", v.DailyNumber), "%s: daily number", at)
	}
	if v.Bed != "" {
		place := n.Get("location").At(0).Get("location")
		name := c.w.Follow(place).Get("name").Text() + " " + place.Get("display").Text()
		c.holds(slices.Contains(strings.Fields(name), v.Bed), "%s: bed", at)
	}
	c.staff(v.Institution, n.Get("participant").At(0).Get("individual"), v.Doctor, at+": doctor")
	c.local(n.Path("hospitalization", "admitSource"), v.AdmitSource, at+": admit source")
	c.local(n.Path("hospitalization", "dischargeDisposition"), v.Disposition, at+": disposition")
	c.vitals(n, v, at)
	c.equal(fmt.Sprint(n.Get("diagnosis").Len()), fmt.Sprint(len(v.Diagnoses)), "%s: diagnoses", at)
	for _, dx := range v.Diagnoses {
		found := false
		for _, d := range n.Get("diagnosis").Items() {
			if d.Get("rank").Text() != fmt.Sprint(dx.Rank) {
				continue
			}
			cond := c.w.Follow(d.Get("condition"))
			found = cond != nil && hasCoded(cond.Get("code"), dx.Coded) && c.about(v.Institution, cond.Get("subject"), v.Patient)
		}
		c.holds(found, "%s: diagnosis %d", at, dx.Rank)
	}
}

func (c *checker) order(o *alliancegen.Order) {
	at := "order " + o.Institution + "/" + o.Number
	n := c.w.Find(o.Institution, "ServiceRequest", local(o.Institution, "order"), o.Number)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(o.Institution, n.Get("subject"), o.Patient), "%s: patient", at)
	c.equal(n.Get("status").Text(), o.Status, "%s: status", at)
	c.equal(n.Get("intent").Text(), "order", "%s: intent", at)
	c.equal(n.Get("priority").Text(), o.Priority, "%s: priority", at)
	c.coded(n.Get("code"), o.Item, at+": item")
	c.instant(n.Get("authoredOn"), o.Ordered, at+": time")
	c.staff(o.Institution, n.Get("requester"), o.Requester, at+": requester")
	c.encounter(o.Institution, n.Get("encounter"), o.Visit, at)
	if o.Group != "" {
		c.equal(n.Path("requisition", "value").Text(), o.Group, "%s: form", at)
	}
	if o.Institution != alliancegen.City { // no field of its orders says who performs them
		c.equal(n.Get("performer").At(0).Get("reference").Text(), "Organization/"+o.Performer, "%s: performer", at)
	}
	c.equal(n.Get("reasonCode").At(0).Get("text").Text(), o.Reason, "%s: reason", at)
}

func (c *checker) prescription(x *alliancegen.Rx) {
	at := fmt.Sprintf("prescription %s/%s-%d", x.Institution, x.Number, x.Row)
	n := c.w.Find(x.Institution, "MedicationRequest", local(x.Institution, "prescription"), fmt.Sprintf("%s-%d", x.Number, x.Row))
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(x.Institution, n.Get("subject"), x.Patient), "%s: patient", at)
	c.encounter(x.Institution, n.Get("encounter"), x.Visit, at)
	c.equal(n.Get("status").Text(), x.Status, "%s: status", at)
	c.equal(n.Path("groupIdentifier", "value").Text(), x.Number, "%s: number", at)
	drug := n.Get("medicationCodeableConcept")
	c.holds(hasCode(drug, "", x.Drug.Code) && hasCode(drug, x.Drug.System, x.Drug.Standard), "%s: drug", at)
	c.equal(drug.Get("text").Text(), x.Drug.Text+" "+x.Strength, "%s: drug as printed", at)
	dosage := n.Get("dosageInstruction").At(0)
	c.amount(dosage.Get("doseAndRate").At(0).Get("doseQuantity"), x.Dose, x.DoseUnit, at+": dose")
	c.local(dosage.Get("route"), x.Route, at+": route")
	c.local(dosage.Path("timing", "code"), x.Frequency, at+": frequency")
	c.amount(dosage.Path("timing", "repeat", "boundsDuration"), fmt.Sprint(x.Days), "d", at+": days")
	c.amount(n.Path("dispenseRequest", "quantity"), x.Quantity, x.Pack, at+": quantity")
	c.instant(n.Get("authoredOn"), x.Written, at+": time")
	c.staff(x.Institution, n.Get("requester"), x.Requester, at+": requester")
}

func (c *checker) referral(r *alliancegen.Referral) {
	at := "referral " + r.Institution + "/" + r.Number
	n := c.w.Find(r.Institution, "ServiceRequest", local(r.Institution, "referral"), r.Number)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(r.Institution, n.Get("subject"), r.Patient), "%s: patient", at)
	c.encounter(r.Institution, n.Get("encounter"), r.Visit, at)
	c.holds(hasCode(n.Get("category").At(0), "https://yilian.dev/fhir/CodeSystem/referral-direction", r.Direction), "%s: direction", at)
	c.equal(n.Get("requester").Get("reference").Text(), "Organization/"+r.From, "%s: from", at)
	c.equal(n.Get("performer").At(0).Get("reference").Text(), "Organization/"+r.To, "%s: to", at)
	c.equal(n.Get("performerType").Get("text").Text(), r.Department, "%s: department", at)
	c.equal(n.Get("status").Text(), r.Status, "%s: status", at)
	c.equal(n.Get("priority").Text(), r.Priority, "%s: priority", at)
	c.equal(n.Get("reasonCode").At(0).Get("text").Text(), r.Reason, "%s: reason", at)
	c.local(n.Get("reasonCode").At(0), r.ReasonCode, at+": reason code")
	c.equal(n.Get("note").At(0).Get("text").Text(), r.Summary, "%s: summary", at)
	c.instant(n.Get("authoredOn"), r.Date, at+": date")
	c.equal(fmt.Sprint(n.Get("reasonReference").Len()), fmt.Sprint(len(r.Diagnoses)), "%s: diagnoses", at)
	for i, dx := range r.Diagnoses {
		c.coded(c.w.Follow(n.Get("reasonReference").At(i)).Get("code"), dx, at+": diagnosis")
	}
	root := alliancegen.Ref{Institution: r.Institution, Number: r.Number}
	if r.Answers != nil {
		root = *r.Answers
		first := c.w.Find(root.Institution, "ServiceRequest", local(root.Institution, "referral"), root.Number)
		c.holds(first != nil && c.w.Follow(n.Get("basedOn").At(0)) == first, "%s: the referral it answers", at)
	}
	c.equal(n.Path("requisition", "value").Text(), root.Number, "%s: number both share", at)
	c.equal(n.Path("requisition", "system").Text(), local(root.Institution, "referral"), "%s: system both share", at)

	task := c.task(r.Institution, n)
	if c.holds(task != nil, "%s: task", at) {
		c.local(task.Get("businessStatus"), r.LocalStatus, at+": local status")
		c.equal(task.Get("owner").Get("reference").Text(), "Organization/"+r.To, "%s: owner", at)
		c.staff(r.Institution, task.Get("requester"), r.Requester, at+": doctor")
		c.holds(c.about(r.Institution, task.Get("for"), r.Patient), "%s: for", at)
	}
}

// task returns the Task whose focus a request is.
func (c *checker) task(institution string, focus *fhir.Node) *fhir.Node {
	for _, s := range c.w.of("Task") {
		if c.w.Follow(s.tree.Get("focus")) == focus {
			return s.tree
		}
	}
	return nil
}

func (c *checker) allergy(a *alliancegen.Allergy) {
	at := "allergy " + a.Institution + "/" + a.Patient
	for _, s := range c.w.of("AllergyIntolerance") {
		if s.institution != a.Institution || !c.about(a.Institution, s.tree.Get("patient"), a.Patient) || !hasCode(s.tree.Get("code"), "", a.Allergen.Code) {
			continue
		}
		c.equal(s.tree.Path("code", "text").Text(), a.Allergen.Text, "%s: allergen", at)
		c.equal(s.tree.Get("category").At(0).Text(), a.Category, "%s: category", at)
		c.equal(s.tree.Get("reaction").At(0).Get("manifestation").At(0).Get("text").Text(), a.Reaction, "%s: reaction", at)
		c.maybeInstant(s.tree.Get("recordedDate"), a.Recorded, at+": recorded")
		return
	}
	c.holds(false, "%s is not there", at)
}

func (c *checker) appointment(a *alliancegen.Appointment) {
	at := "appointment " + a.Institution + "/" + a.Number
	n := c.w.Find(a.Institution, "Appointment", local(a.Institution, "appointment"), a.Number)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.equal(n.Get("status").Text(), a.Status, "%s: status", at)
	c.instant(n.Get("start"), a.Start, at+": start")
	c.instant(n.Get("end"), a.End, at+": end")
	c.equal(n.Get("reasonCode").At(0).Get("text").Text(), a.Reason, "%s: reason", at)
	var patient, doctor, department bool
	for _, p := range n.Get("participant").Items() {
		actor := p.Get("actor")
		patient = patient || c.about(a.Institution, actor, a.Patient)
		doctor = doctor || actor.Path("identifier", "value").Text() == a.Doctor.Number && actor.Get("display").Text() == a.Doctor.Name
		department = department || hasCoded(p.Get("type").At(0), a.Department)
	}
	c.holds(patient, "%s: patient", at)
	c.holds(doctor, "%s: doctor", at)
	c.holds(department, "%s: department", at)
}

// about reports whether a reference points at the patient with that local number.
func (c *checker) about(institution string, ref *fhir.Node, number string) bool {
	return hasIdentifier(c.w.Follow(ref), local(institution, "patient"), number)
}

func (c *checker) encounter(institution string, ref *fhir.Node, number, at string) {
	if number == "" {
		return
	}
	c.holds(hasIdentifier(c.w.Follow(ref), local(institution, "visit"), number), "%s: visit", at)
}

// staff reports whether a reference names somebody: by number, in itself or in the Practitioner, and by name.
func (c *checker) staff(institution string, ref *fhir.Node, want alliancegen.Staff, at string) {
	c.equal(ref.Get("display").Text(), want.Name, "%s by name", at)
	if want.Number == "" {
		return
	}
	c.holds(ref.Path("identifier", "value").Text() == want.Number || hasIdentifier(c.w.Follow(ref), local(institution, "staff"), want.Number), "%s by number", at)
}

func (c *checker) instant(got *fhir.Node, want alliancegen.Time, what string) {
	c.holds(sameTime(got.Text(), want), "%s: got %q, want %q", what, got.Text(), want)
}

func (c *checker) maybeInstant(got *fhir.Node, want *alliancegen.Time, what string) {
	if want == nil {
		c.holds(got == nil, "%s: got %q, want none", what, got.Text())
		return
	}
	c.instant(got, *want, what)
}

func (c *checker) coded(concept *fhir.Node, want alliancegen.Coded, what string) {
	c.holds(hasCoded(concept, want), "%s: want %s %q and %s|%s", what, want.Code, want.Text, want.System, want.Standard)
}

// local looks for a local code; an empty one must not be there.
func (c *checker) local(concept *fhir.Node, code, what string) {
	if code == "" {
		c.holds(concept.Get("coding") == nil, "%s: a code where there is none", what)
		return
	}
	c.holds(hasCode(concept, "", code), "%s: no code %s", what, code)
}

func (c *checker) amount(q *fhir.Node, value, unit, what string) {
	c.equal(q.Get("value").Text(), value, "%s", what)
	c.equal(q.Get("unit").Text(), unit, "%s: unit", what)
}

// sameTime compares instants as instants and dates as dates.
func sameTime(got string, want alliancegen.Time) bool {
	if want.Precision() != alliancegen.Second {
		return got == want.String()
	}
	t, err := time.Parse(time.RFC3339, got)
	return err == nil && t.Equal(want.Instant())
}

func hasIdentifier(n *fhir.Node, system, value string) bool {
	return slices.ContainsFunc(n.Get("identifier").Items(), func(id *fhir.Node) bool {
		return id.Get("system").Text() == system && id.Get("value").Text() == value
	})
}

// hasCode reports whether a concept has the code, in a system or, when that is empty, in any.
func hasCode(concept *fhir.Node, system, code string) bool {
	return slices.ContainsFunc(concept.Get("coding").Items(), func(k *fhir.Node) bool {
		return k.Get("code").Text() == code && (system == "" || k.Get("system").Text() == system)
	})
}

// hasCoded reports whether a concept states local code, text and, where there is one, standard code.
func hasCoded(concept *fhir.Node, want alliancegen.Coded) bool {
	return hasCode(concept, "", want.Code) && concept.Get("text").Text() == want.Text &&
		(want.Standard == "" || hasCode(concept, want.System, want.Standard))
}

func hasText(list *fhir.Node, text string) bool {
	return slices.ContainsFunc(list.Items(), func(n *fhir.Node) bool { return n.Get("text").Text() == text })
}

func extension(n *fhir.Node, url string) *fhir.Node {
	for _, e := range n.Get("extension").Items() {
		if e.Get("url").Text() == url {
			return e
		}
	}
	return nil
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// checked reports whether the last character of a resident number is the right one; a number of another length has none.
func checked(s string) bool {
	if len(s) != 18 {
		return false
	}
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * int(s[i]-'0')
	}
	return s[17] == "10X98765432"[sum%11]
}
