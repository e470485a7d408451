package alliancetest

import (
	"fmt"
	"slices"

	"github.com/yilian/yilian/internal/alliancegen"
)

// Alliance is whom persons are held for: they belong to no institution.
const Alliance = "alliance"

// CheckPersons looks for who is the same person: all Patients of a person of the ledger, and no others, hang on one person
// that carries their usable identifiers; strangers, and pairs that wait for a review, are apart.
func CheckPersons(h *Holdings, l *alliancegen.Ledger) Facts {
	h.index()
	c := &checker{w: h}
	person := map[string]string{} // reference of a Patient → id of its person
	patients := map[string][]string{}
	for _, s := range h.of("Patient") {
		if s.institution != Alliance {
			continue
		}
		for _, link := range s.tree.Get("link").Items() {
			ref := link.Path("other", "reference").Text()
			c.holds(person[ref] == "", "%s hangs on two persons", ref)
			person[ref] = s.tree.ID()
			patients[s.tree.ID()] = append(patients[s.tree.ID()], ref)
		}
	}
	of := func(r alliancegen.Ref) (patient, its string) {
		n := h.Find(r.Institution, "Patient", local(r.Institution, "patient"), r.Number)
		if n == nil {
			return "", ""
		}
		ref := "Patient/" + n.ID()
		return ref, person[ref]
	}
	taken := map[string]string{}
	for i := range l.Persons {
		p := &l.Persons[i]
		var want []string
		its := ""
		for _, q := range p.Patients {
			ref, found := of(alliancegen.Ref{Institution: q.Institution, Number: q.ID})
			want = append(want, ref)
			if its == "" {
				its = found
			}
			c.holds(found != "" && found == its, "%s: the Patient of %s hangs on another person, or none", p.Key, q.Institution)
		}
		got := slices.Clone(patients[its])
		slices.Sort(want)
		slices.Sort(got)
		c.holds(slices.Equal(want, got), "%s: %d Patients, want %d", p.Key, len(got), len(want))
		c.holds(taken[its] == "", "%s and %s are one person", taken[its], p.Key)
		taken[its] = p.Key
		if n := h.byReference["Patient/"+its]; c.holds(n != nil, "%s: no person", p.Key) {
			for _, q := range p.Patients {
				for _, id := range q.Identifiers {
					system := map[string]string{alliancegen.ResidentID: residentSystem, alliancegen.HealthCard: healthCardSystem}[id.Kind]
					if system != "" && id.Usable {
						c.holds(hasIdentifier(n, system, id.Value), "%s: the person has no %s of %s", p.Key, id.Kind, q.Institution)
					}
				}
			}
		}
	}
	for i, pair := range l.Strangers {
		_, a := of(pair.A)
		_, b := of(pair.B)
		c.holds(a != "" && b != "" && a != b, "strangers %d are joined (%s)", i+1, pair.Why)
	}
	for i, pair := range l.Reviews {
		_, a := of(pair.A)
		_, b := of(pair.B)
		c.holds(a != "" && b != "" && a != b, "pair %d is joined before anybody reviewed it (%s)", i+1, pair.Why)
	}
	c.equal(fmt.Sprint(len(patients)), fmt.Sprint(l.Totals["alliance"]["Person"]), "persons")
	return c.Facts
}
