package identity

import (
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/personname"
	"github.com/yilian/yilian/mapping/residentid"
)

// Systems says what identifier systems mean for identity.
type Systems struct {
	ResidentID []string // checked by their digits; at most one per person
	HealthCard []string // believed as they are; at most one holder
	// Canonical returns the system that stands for a system's aliases; nil: there are
	// none.
	Canonical func(system string) string
	// Local is the prefix of the institutions' own systems. A member's number for
	// its patient identifies the patient for everybody who quotes it.
	Local string
}

// DefaultSystems are those of Chinese platforms and of alliances at base.
func DefaultSystems(base string) Systems {
	return Systems{
		ResidentID: []string{"urn:oid:2.16.156.10011.1.3"},
		HealthCard: []string{"urn:oid:2.16.156.10011.1.19"},
		Local:      base + "/fhir/institution/",
	}
}

// motherYears is the age from which on somebody else's number on a child's record
// can be that of its mother.
const motherYears = 12

// Extract reads from a Patient what identity compares. Identifiers that are
// wrong, temporary, old or not the patient's own are left out.
func (s Systems) Extract(patient *fhir.Node, institution string) store.Features {
	f := store.Features{
		Patient:     patient.ID(),
		Institution: institution,
		Name:        name(patient),
		Gender:      patient.Get("gender").Text(),
		Birth:       patient.Get("birthDate").Text(),
	}
	newborn := newborn(patient)
	for _, id := range patient.Get("identifier").Items() {
		system, value := s.canonical(id.Get("system").Text()), fold.Text(id.Get("value").Text())
		if use := id.Get("use").Text(); value == "" || use == "temp" || use == "old" {
			continue
		}
		switch {
		case contains(s.ResidentID, system):
			number := residentid.Parse(value)
			if number.Valid && !(newborn || mothers(number, f)) {
				f.Strong = append(f.Strong, store.Identifier{System: s.ResidentID[0], Value: number.Number})
			}
		case contains(s.HealthCard, system):
			if !newborn {
				f.Strong = append(f.Strong, store.Identifier{System: s.HealthCard[0], Value: strings.ToUpper(value)})
			}
		case strings.HasPrefix(system, s.Local) && strings.HasSuffix(system, "/patient"):
			f.Strong = append(f.Strong, store.Identifier{System: system, Value: value})
		}
	}
	return f
}

func (s Systems) canonical(system string) string {
	if s.Canonical == nil {
		return system
	}
	return s.Canonical(system)
}

// name returns the folded full name by which two records are compared.
func name(patient *fhir.Node) string {
	for _, n := range patient.Get("name").Items() {
		text := n.Get("text").Text()
		if text == "" {
			text = n.Get("family").Text()
			for _, g := range n.Get("given").Items() {
				text += g.Text()
			}
		}
		if text = strings.ReplaceAll(fold.Key(text), " ", ""); text != "" {
			return text
		}
	}
	return ""
}

// newborn reports whether the name says that this is somebody's child without a
// name of its own yet, as wards register newborns.
func newborn(patient *fhir.Node) bool {
	for _, n := range patient.Get("name").Items() {
		if personname.Parse(n.Get("text").Text()).Kind == personname.Newborn {
			return true
		}
	}
	return false
}

// mothers reports whether a resident id on the record of a child is likely the
// mother's: a woman's number, and the child was born when she was of age.
func mothers(id residentid.ID, f store.Features) bool {
	own, err := time.Parse(time.DateOnly, id.Birth)
	if err != nil || id.Sex != residentid.Female {
		return false
	}
	born, err := time.Parse(time.DateOnly, f.Birth)
	return err == nil && born.After(own.AddDate(motherYears, 0, 0))
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
