package alliancegen

import (
	"strconv"
	"time"
)

func departmentByKey(key string) department {
	for _, d := range departments {
		if d.key == key {
			return d
		}
	}
	panic("alliancegen: no department " + key)
}

func panelByKey(key string) panel {
	for _, p := range panels {
		if p.key == key {
			return p
		}
	}
	panic("alliancegen: no panel " + key)
}

func itemByKey(key string) item {
	for _, i := range items {
		if i.key == key {
			return i
		}
	}
	panic("alliancegen: no item " + key)
}

func coded(code, text, system, standard string) Coded {
	if standard == "" {
		system = ""
	}
	return Coded{Code: code, Text: text, System: system, Standard: standard}
}

func departmentAt(institution, key string) Coded {
	d := departmentByKey(key)
	if institution == City {
		return coded(d.city, d.name, systemSubject, d.subject)
	}
	return coded(d.county, d.name, systemSubject, d.subject)
}

func diagnosisCoded(key string) Coded {
	for _, d := range diagnoses {
		if d.key == key {
			return coded(d.code, d.name, systemICD10, d.icd)
		}
	}
	panic("alliancegen: no diagnosis " + key)
}

func ranked(keys ...string) []Diagnosis {
	var out []Diagnosis
	for i, k := range keys {
		out = append(out, Diagnosis{diagnosisCoded(k), i + 1})
	}
	return out
}

func panelAt(institution string, p panel) Coded {
	local := map[string]string{City: p.city, County: p.county, Lab: p.lab, Township: townshipPanelCode(p.key)}[institution]
	if local == "" {
		panic("alliancegen: " + institution + " does not offer " + p.key)
	}
	return coded(local, p.name, systemLOINC, p.loinc)
}

func specimenAt(institution, key string) Coded {
	for _, sp := range specimens {
		if sp.key == key {
			local := map[string]string{City: sp.city, County: sp.county, Lab: sp.lab, Township: sp.name}[institution]
			return coded(local, sp.name, systemSpecimen, sp.v2)
		}
	}
	panic("alliancegen: no specimen " + key)
}

func (s *story) itemAt(institution string, it item) Coded {
	town := func() []string { return []string{it.townshipCode()} }
	codes := map[string]func() []string{City: it.cityCodes, County: it.countyCodes, Lab: it.labCodes, Township: town}[institution]()
	return coded(pick(s.r, codes), it.name, systemLOINC, it.loinc)
}

// visit begins a visit.
func (s *story) visit(p *Patient, class, dept string, start time.Time, diagnoses ...string) *Visit {
	v := &Visit{
		Institution: p.Institution, Patient: p.ID, Class: class, Status: "in-progress",
		Start: instant(start), Department: departmentAt(p.Institution, dept), Doctor: s.doctor(p.Institution),
		Diagnoses: ranked(diagnoses...),
	}
	day := start.Format("20060102")
	switch {
	case p.Institution == County:
		v.Number = s.number("jz", "JZ"+day+"%05d", 100)
		v.LocalClass = map[string]string{"AMB": "1", "EMER": "2", "IMP": "3"}[class]
	case class == "IMP":
		v.Number = s.number("zy", "ZY"+day+"%04d", 20)
		v.LocalClass = "I"
		v.Bed = strconv.Itoa(s.r.between(1, 48))
	default:
		v.Number = s.number("mz", "MZ"+day+"%04d", 100)
		v.LocalClass = map[string]string{"AMB": "O", "EMER": "E"}[class]
	}
	p.person.Visits = append(p.person.Visits, v)
	return v
}

// end closes a visit; a disposition is only known of inpatients.
func (v *Visit) end(at time.Time, disposition string) {
	t := instant(at)
	v.End, v.Disposition, v.Status = &t, disposition, "finished"
}

// order places an order for a panel at the patient's institution.
func (s *story) order(p *Patient, v *Visit, panelKey, performer string, at time.Time) *Order {
	pan := panelByKey(panelKey)
	o := &Order{
		Institution: p.Institution, Patient: p.ID, Item: panelAt(p.Institution, pan), Status: "active",
		Priority: "routine", Ordered: instant(at), Requester: s.doctor(p.Institution), Performer: performer, panel: pan,
	}
	if p.Institution == City {
		o.Number = s.number("cityorder", "S%08d", 25000000)
	} else {
		o.Number = s.number("countyorder", "SQ%08d", 9000000)
	}
	if v != nil {
		o.Visit, o.Requester = v.Number, v.Doctor
		if len(v.Diagnoses) > 0 {
			o.Reason = v.Diagnoses[0].Text
		}
	}
	p.person.Orders = append(p.person.Orders, o)
	return o
}

// report begins a report of an institution. The order may be another's.
func (s *story) report(institution string, p *Patient, pan panel, o *Order, collected, issued time.Time) *Report {
	rep := &Report{
		Institution: institution, Patient: p.ID, Kind: "laboratory", Item: panelAt(institution, pan),
		Status: "final", States: []string{"final"}, Collected: instant(collected), Issued: instant(issued),
		Author: s.doctor(institution), panel: pan,
	}
	if institution != City {
		rep.Author.Number = ""
	}
	switch institution {
	case City:
		rep.Number, rep.Section = s.number("cityreport", "L%09d", 25000000), pan.section
	case County:
		rep.Number, rep.Section = s.number("countyreport", "BG%09d", 7000000), pan.countySection
	default:
		rep.Number, rep.Section = s.number("labreport", "QY%09d", 3000000), pan.labSection
	}
	if pan.specimen != "" {
		rep.Specimen = specimenAt(institution, pan.specimen)
	}
	switch {
	case pan.key == "ecg":
		rep.Kind = "ecg"
	case pan.section == "SP":
		rep.Kind = "pathology"
	case pan.findings != nil:
		rep.Kind = "imaging"
	case pan.labSection == "WSW":
		rep.Kind = "microbiology"
	}
	if pan.findings != nil {
		i := s.r.intn(len(pan.findings))
		rep.Findings, rep.Conclusion = pan.findings[i], pan.conclude[i]
	}
	if o != nil {
		rep.Order, rep.OrderKnown = &Ref{o.Institution, o.Number}, true
		if o.Institution == institution {
			rep.Visit = o.Visit
		}
	}
	p.person.Reports = append(p.person.Reports, rep)
	return rep
}

// fill measures every item of a laboratory report by chance.
func (s *story) fill(rep *Report, sex string) {
	for _, key := range rep.panel.items {
		it := itemByKey(key)
		o := pick(s.r, []outcome{normal, normal, normal, normal, high, low})
		if it.kind != numeric {
			o = pick(s.r, []outcome{normal, normal, normal, high, weak, strong})
		}
		s.add(rep, it, sex, o)
	}
}

// add measures one item and returns the result to be changed in place until the
// next is added.
func (s *story) add(rep *Report, it item, sex string, o outcome) *Result {
	res := s.habits[rep.Institution].measure(s.r, it, sex, o)
	res.Item = s.itemAt(rep.Institution, it)
	res.Occurrence = 1
	for i := range rep.Results {
		if rep.Results[i].Item.Standard == res.Item.Standard && rep.Results[i].Item.Text == res.Item.Text {
			res.Item = rep.Results[i].Item
			res.Occurrence++
		}
	}
	if rep.Institution != City {
		res.Value.Code = ""
	}
	rep.Results = append(rep.Results, res)
	return &rep.Results[len(rep.Results)-1]
}

// exactly sets a number chosen by the story, with the flag that fits.
func (s *story) exactly(rep *Report, i int, number, flag string) {
	res := &rep.Results[i]
	res.Value.Kind, res.Value.Number, res.Value.Comparator, res.Value.Sent = Quantity, number, "", number
	res.Flag = flag
	res.Interpret = s.habits[rep.Institution].interpretation[flag]
}

// correct replaces a value in a report that was already sent.
func (s *story) correct(rep *Report, i int, number, flag string) {
	was := rep.Results[i].Value.Sent
	s.exactly(rep, i, number, flag)
	rep.Results[i].Was, rep.Results[i].Status = was, "corrected"
	rep.Status = "corrected"
	rep.States = append(rep.States, "corrected")
}

// void declares a sent report entered in error, with all its results.
func (rep *Report) void() {
	rep.Status = "entered-in-error"
	rep.States = append(rep.States, "entered-in-error")
	for i := range rep.Results {
		rep.Results[i].Status = "entered-in-error"
	}
}

func (s *story) prescribe(p *Patient, v *Visit, number string, row int, drugKey string, written Time) *Rx {
	for _, d := range drugs {
		if d.key != drugKey {
			continue
		}
		rx := &Rx{
			Institution: p.Institution, Number: number, Row: row, Patient: p.ID, Visit: v.Number,
			Drug: coded(d.code, d.name, systemATC, d.atc), Strength: d.spec, Dose: d.dose, DoseUnit: d.doseUnit,
			Route: d.route, Frequency: d.frequency, Days: pick(s.r, []int{7, 14, 28, 30}),
			Quantity: strconv.Itoa(s.r.between(1, 4)), Pack: d.pack, Status: "active", Written: written, Requester: v.Doctor,
		}
		p.person.Prescriptions = append(p.person.Prescriptions, rx)
		return rx
	}
	panic("alliancegen: no drug " + drugKey)
}

func (s *story) allergy(p *Patient, key, reaction string, recorded *Time) *Allergy {
	for _, a := range allergens {
		if a.key != key {
			continue
		}
		local := a.county
		if p.Institution == City {
			local = a.city
		}
		al := &Allergy{Institution: p.Institution, Patient: p.ID, Allergen: Coded{Code: local, Text: a.name}, Category: a.category, Reaction: reaction, Recorded: recorded}
		p.person.Allergies = append(p.person.Allergies, al)
		return al
	}
	panic("alliancegen: no allergen " + key)
}
