package alliancegen

import (
	"strconv"
	"strings"
	"time"
)

func townshipHabits(r *rng) *habits {
	h := newHabits(r, County)
	h.flagHigh, h.flagLow, h.flagPlain = newWheel(r, "↑"), newWheel(r, "↓"), newWheel(r, "")
	return h
}

func (s *story) townshipStaff() {
	for i, x := range []struct{ unit, title string }{
		{"general", "副主任医师"}, {"general", "主治医师"}, {"general", "医师"}, {"tcm", "主治医师"}, {"women", "医师"},
		{"laboratory", "主管技师"}, {"ecg-room", "技师"}, {"inpatients", "主管护师"}, {"public", "护士"},
	} {
		who := Staff{"B0" + strconv.Itoa(i+1), s.name(pick(s.r, []string{"male", "female"}), surnames, nil).han}
		s.doctors[Township] = append(s.doctors[Township], who)
		dept := townshipUnitAt(x.unit)
		s.member(Member{Institution: Township, Number: who.Number, Name: who.Name, Department: dept.Code, Title: Coded{Code: x.title, Text: x.title}})
	}
}

func townshipUnitAt(key string) Coded {
	for _, u := range townshipUnits {
		if u.key == key {
			return coded(u.code, u.name, systemSubject, u.subject)
		}
	}
	panic("alliancegen: no unit " + key)
}

// physician is one of those who see patients.
func (s *story) physician() Staff { return pick(s.r, s.doctors[Township][:4]) }

// known finds somebody of the story again, by the note and as a hospital knows them.
func (s *story) known(note string) *human {
	for _, p := range s.persons {
		if !strings.HasPrefix(p.Note, note) || s.used["known "+p.Key] {
			continue
		}
		for _, q := range p.Patients {
			if q.Institution == Lab || q.Contact == nil || q.Birth.precision != Day {
				continue
			}
			for _, id := range q.Identifiers {
				if id.Kind != ResidentID || !id.Usable {
					continue
				}
				s.used["known "+p.Key] = true
				h := &human{Person: p, name: fullName{q.Name, ""}, sex: q.Sex, birth: q.Birth.t, id: id.Value, phone: q.Phone, address: q.Address, marital: q.Marital, ethnicity: q.Ethnicity, contact: *q.Contact}
				for _, other := range q.Identifiers {
					if other.Kind == HealthCard {
						h.card = other.Value
					}
				}
				return h
			}
		}
	}
	panic("alliancegen: nobody is " + note)
}

// atTownship registers a resident with resident number and, where known, health card.
func (s *story) atTownship(h *human, mods ...func(*Patient)) *Patient {
	ids := []Identifier{resident(h.id)}
	if h.card != "" {
		ids = append(ids, card(h.card))
	}
	p := s.patient(h, Township, s.number("bh", "BH%06d", 2000), ids)
	p.Marital = "未说明"
	for _, m := range townshipMarital {
		if h.marital != "" && m[0][0] == h.marital[0] {
			p.Marital = m[1]
		}
	}
	p.Contact.Relation = word(townshipRelation, h.contact.Relation)
	p.style = patientStyle{birth: s.town.births.next(), doctor: s.physician()}
	for _, m := range mods {
		m(p)
	}
	return p
}

// townVisit is an outpatient visit with vital signs.
func (s *story) townVisit(p *Patient, class, unit string, start time.Time, diagnoses ...string) *Visit {
	v := &Visit{
		Institution: Township, Number: s.number("bhmz", "MZ25%06d", 3000), Patient: p.ID, Class: map[string]string{"门诊": "AMB", "急诊": "EMER"}[class], LocalClass: class,
		Status: "finished", Start: instant(start), Department: townshipUnitAt(unit), Doctor: s.physician(),
	}
	for i, key := range diagnoses {
		dx := diagnosisCoded(key)
		v.Diagnoses = append(v.Diagnoses, Diagnosis{coded(dx.Standard, dx.Text, systemICD10, dx.Standard), i + 1})
	}
	for i, sign := range vitalSigns {
		n := strconv.Itoa([][2]int{{0, 0}, {62, 98}, {104, 158}, {62, 94}}[i][0] + s.r.intn(30))
		if i == 0 {
			n = "36." + strconv.Itoa(s.r.intn(10))
		}
		v.Vitals = append(v.Vitals, Result{Item: coded(sign.column, sign.text, systemLOINC, sign.loinc), Occurrence: 1, Status: "final",
			Value: Value{Kind: Quantity, Number: n, Unit: sign.unit, UCUM: sign.ucum, Sent: n}})
	}
	p.person.Visits = append(p.person.Visits, v)
	return v
}

// townOrders places the orders of one form.
func (s *story) townOrders(p *Patient, v *Visit, performers map[string]string, at time.Time, panelKeys ...string) []*Order {
	form := s.number("bhform", "BHD%06d", 4000)
	var out []*Order
	for _, key := range panelKeys {
		pan := panelByKey(key)
		o := &Order{
			Institution: Township, Number: s.number("bhorder", "BHS%07d", 50000), Group: form, Patient: p.ID, Visit: v.Number, Item: panelAt(Township, pan), Status: "active",
			Priority: "routine", Ordered: instant(at), Requester: v.Doctor, Performer: performers[key], Reason: v.Diagnoses[0].Text, panel: pan,
		}
		p.person.Orders = append(p.person.Orders, o)
		out = append(out, o)
	}
	return out
}

// townReport begins a report of the centre.
func (s *story) townReport(p *Patient, v *Visit, panelKey string, collected, issued time.Time) *Report {
	pan := panelByKey(panelKey)
	staff := s.doctors[Township]
	rep := &Report{
		Institution: Township, Patient: p.ID, Visit: v.Number, Kind: "laboratory", Item: panelAt(Township, pan), Status: "final", States: []string{"final"},
		Collected: instant(collected), Issued: instant(issued), Author: staff[5], panel: pan, recorder: staff[5],
	}
	switch panelKey {
	case "ecg":
		rep.Kind, rep.Number, rep.recorder = "ecg", s.number("bhecg", "XD25%05d", 300), staff[6]
	case "urine":
		rep.Number = s.number("bhurine", "NC25%05d", 400)
	default:
		rep.Number = s.number("bhreport", "JY25%05d", 600)
	}
	if pan.specimen != "" {
		rep.Specimen = specimenAt(Township, pan.specimen)
		rep.SpecimenNumber = s.number("bhcode", "97%08d", 1000000)
	}
	p.person.Reports = append(p.person.Reports, rep)
	return rep
}

func (s *story) townPrescribe(p *Patient, v *Visit, written Time, drugKeys ...string) []*Rx {
	number := s.number("bhrx", "CFB%06d", 7000)
	var out []*Rx
	for i, key := range drugKeys {
		rx := s.prescribe(p, v, number, i+1, key, written)
		for n, d := range drugs {
			if d.key == key {
				rx.Drug.Code = townshipDrugCode(n)
			}
		}
		rx.Route, rx.Frequency = word(townshipRoute, rx.Route), word(townshipFrequency, rx.Frequency)
		out = append(out, rx)
	}
	return out
}
