package alliancegen

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// visit begins and, unless it lasts no time, ends an outpatient visit.
func (c *community) visit(p *Patient, department string, start time.Time, lasting time.Duration, dx ...string) (*Visit, Member) {
	doctor := c.by(department)
	v := &Visit{
		Institution: Community, Patient: p.ID, Number: c.s.number("sq-visit", "SQMZ"+start.Format("060102")+"%04d", 100), Class: "AMB", LocalClass: "1",
		Status: "in-progress", Start: instant(start), Department: c.departmentOf(department), Doctor: doctor.staff(), Diagnoses: ranked(dx...),
	}
	if lasting > 0 {
		v.end(start.Add(lasting), "")
	}
	p.person.Visits = append(p.person.Visits, v)
	return v, doctor
}

// measured takes the vital signs of a visit.
func (c *community) measured(v *Visit, keys ...string) {
	r := c.s.r
	for _, key := range keys {
		vs := communityVitalByKey(key)
		n := map[string]func() string{
			"temperature": func() string { return "36." + strconv.Itoa(r.between(1, 9)) },
			"pulse":       func() string { return strconv.Itoa(r.between(58, 96)) },
			"heart":       func() string { return strconv.Itoa(r.between(58, 96)) },
			"breathing":   func() string { return strconv.Itoa(r.between(14, 22)) },
			"systolic":    func() string { return strconv.Itoa(r.between(112, 168)) },
			"diastolic":   func() string { return strconv.Itoa(r.between(64, 98)) },
			"weight":      func() string { return strconv.Itoa(r.between(48, 88)) + ".5" },
			"height":      func() string { return strconv.Itoa(r.between(150, 184)) },
		}[key]()
		v.Vitals = append(v.Vitals, Result{
			Item: coded(vs.de, vs.name, systemLOINC, vs.loinc), Occurrence: 1, Status: "final",
			Value: Value{Kind: Quantity, Number: n, Unit: vs.unit, UCUM: vs.ucum, Sent: n},
		})
	}
}

func (c *community) allergy(p *Patient, key, reaction string) *Allergy {
	for _, a := range allergens {
		if a.key == key {
			al := &Allergy{Institution: Community, Patient: p.ID, Allergen: Coded{Code: communityAllergen(key), Text: a.name}, Category: a.category, Reaction: reaction}
			p.person.Allergies = append(p.person.Allergies, al)
			return al
		}
	}
	panic("alliancegen: no allergen " + key)
}

// paper begins a document.
func (c *community) paper(code, title string, at time.Time, p *Patient, v *Visit) *cdaDocument {
	return &cdaDocument{
		code: code, title: title, number: c.s.number("sq-document", "WD%09d", 41000000), set: c.s.number("sq-set", "WJ%08d", 6100000), version: 1,
		at: at, patient: p, visit: v,
	}
}

// outpatient is the record of a visit, written when the visit ends.
func (c *community) outpatient(p *Patient, v *Visit, doctor Member, n consultation) *cdaDocument {
	at := v.Start.t.Add(40 * time.Minute)
	if v.End != nil {
		at = v.End.t.Add(6 * time.Minute)
	}
	for _, res := range v.Vitals {
		n.vitals = append(n.vitals, vitalKey(res))
	}
	d := c.paper("C0002", "门(急)诊病历", at, p, v)
	d.author, d.signer = doctor, doctor
	d.sections = c.outpatientSections(v, n, v.Start.t.Add(5*time.Minute))
	return d
}

func vitalKey(res Result) string {
	for _, v := range communityVitals {
		if v.de == res.Item.Code {
			return v.key
		}
	}
	panic("alliancegen: no vital sign " + res.Item.Code)
}

// report begins a report on what was ordered in a visit.
func (c *community) report(p *Patient, v *Visit, panelKey string, ordered bool, collected, issued time.Time) *Report {
	pan := panelByKey(panelKey)
	i := slices.IndexFunc(communityPanels, func(x struct{ key, code, section string }) bool { return x.key == panelKey })
	rep := &Report{
		Institution: Community, Patient: p.ID, Visit: v.Number, Kind: "laboratory", Item: coded(communityPanels[i].code, pan.name, systemLOINC, pan.loinc),
		Section: communityPanels[i].section, Status: "final", States: []string{"final"}, Collected: instant(collected), Issued: instant(issued), panel: pan,
	}
	switch {
	case panelKey == "ecg":
		rep.Kind = "ecg"
	case pan.findings != nil:
		rep.Kind = "imaging"
	}
	if rep.Kind == "laboratory" {
		rep.Number = c.s.number("sq-lab", "JY%08d", 5200000)
		rep.SpecimenNumber = c.s.number("sq-barcode", "88%08d", 3300000)
		for _, sp := range specimens {
			if sp.key == pan.specimen {
				rep.Specimen = coded(communitySpecimens[sp.key], sp.name, systemSpecimen, sp.v2)
			}
		}
	} else {
		rep.Number = c.s.number("sq-exam", "JC%08d", 2600000)
		n := c.s.r.intn(len(pan.findings))
		rep.Findings, rep.Conclusion = pan.findings[n], pan.conclude[n]
	}
	if ordered {
		rep.Order = &Ref{Community, c.s.number("sq-order", "SQD%07d", 720000)}
	}
	p.person.Reports = append(p.person.Reports, rep)
	return rep
}

// result measures one item.
func (c *community) result(rep *Report, p *Patient, key string, o outcome) *Result {
	it := itemByKey(key)
	res := c.habits.measure(c.s.r, it, p.Sex, o)
	res.Item, res.Occurrence, res.Value.Code = coded(communityItem(it), it.name, systemLOINC, it.loinc), 1, ""
	if res.Flag == "" && (res.Value.Kind == Quantity || res.Value.Kind == Ordinal) {
		res.Flag, res.Interpret = "2", "N"
	}
	switch {
	case res.Value.Comparator != "":
		c.s.trapOnce("cda-interval-value", 2, rep)
	case res.Value.Kind == Ratio:
		c.s.trapOnce("cda-titre", 2, rep)
	}
	rep.Results = append(rep.Results, res)
	return &rep.Results[len(rep.Results)-1]
}

// fill measures all items of the panel by chance.
func (c *community) fill(rep *Report, p *Patient) {
	for _, key := range rep.panel.items {
		o := pick(c.s.r, []outcome{normal, normal, normal, high, low})
		if itemByKey(key).kind != numeric {
			o = pick(c.s.r, []outcome{normal, normal, high, weak, strong})
		}
		c.result(rep, p, key, o)
	}
}

// reportPaper is the document of a report as it now stands: written two minutes
// after somebody approved it.
func (c *community) reportPaper(p *Patient, v *Visit, rep *Report) *cdaDocument {
	code, title, department := "C0007", "检验报告", "laboratory"
	if rep.Kind != "laboratory" {
		code, title = "C0006", "检查报告"
		department = map[string]string{"US": "ultrasound", "DR": "radiology", "ECG": "ecg-room"}[rep.Section]
	}
	d := c.paper(code, title, rep.Issued.t.Add(2*time.Minute), p, v)
	team := c.staff[department]
	d.signer, d.author = team[0], team[1]
	rep.Author = d.signer.staff()
	d.others = []signature{{map[string]string{"C0007": "检验技师", "C0006": "报告医师"}[code], d.author, rep.Issued.t.Add(-6 * time.Minute)}}
	d.report = rep
	d.sections = c.reportSections(d)
	return d
}

// correct replaces a number in a report that was sent, and approves it anew.
func (c *community) correct(rep *Report, i int, number, flag string, issued time.Time) {
	res := &rep.Results[i]
	res.Was, res.Status = res.Value.Sent, "corrected"
	res.Value.Kind, res.Value.Number, res.Value.Comparator, res.Value.Sent = Quantity, number, "", number
	res.Flag, res.Interpret = flag, c.habits.interpretation[flag]
	rep.Status, rep.Issued = "corrected", instant(issued)
	rep.States = append(rep.States, "corrected")
	rep.Remark = "复检后更正" + res.Item.Text
}

// prescribe writes one line of a prescription.
func (c *community) prescribe(p *Patient, v *Visit, number string, row int, drugKey string, written time.Time) *Rx {
	for _, d := range drugs {
		if d.key != drugKey {
			continue
		}
		rx := &Rx{
			Institution: Community, Number: number, Row: row, Patient: p.ID, Visit: v.Number, Drug: coded(communityDrug(d), d.name, systemATC, d.atc), Strength: d.spec,
			Dose: d.dose, DoseUnit: d.doseUnit, Route: d.route, Frequency: communityFrequency[d.frequency], Days: pick(c.s.r, []int{7, 14, 28, 30}),
			Quantity: strconv.Itoa(c.s.r.between(1, 4)), Pack: d.pack, Status: "active", Written: instant(written), Requester: v.Doctor,
		}
		if rx.Frequency == "" {
			panic("alliancegen: the centre does not give " + drugKey)
		}
		p.person.Prescriptions = append(p.person.Prescriptions, rx)
		return rx
	}
	panic("alliancegen: no drug " + drugKey)
}

var communityFrequency = map[string]string{"QD": "qd", "BID": "bid", "TID": "tid", "QN": "qn", "PRN": "prn"}

// stay is a stay in a day bed or in a bed at home.
func (c *community) stay(p *Patient, class, localClass string, from, to time.Time, dx ...string) (*Visit, Member) {
	doctor := c.by("homecare")
	v := &Visit{
		Institution: Community, Patient: p.ID, Number: c.s.number("sq-stay", "SQZY"+fmt.Sprint(from.Year())+"%04d", 300), Class: class, LocalClass: localClass,
		Start: instant(from), Department: c.departmentOf("homecare"), Doctor: doctor.staff(), Diagnoses: ranked(dx...), Bed: strconv.Itoa(c.s.r.between(1, 20)),
	}
	v.end(to, "1")
	p.person.Visits = append(p.person.Visits, v)
	return v, doctor
}
