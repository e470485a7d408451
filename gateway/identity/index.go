package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/store"
)

// Index places Patients. It is safe for concurrent use.
type Index struct {
	Systems Systems
	Now     func() time.Time
	NewID   func() string
}

// New returns an index with the given systems, the system clock and random ids.
func New(s Systems) *Index {
	return &Index{Systems: s, Now: time.Now, NewID: randomID}
}

// randomID returns 130 bits as lower-case base32.
func randomID() string {
	return strings.ToLower(rand.Text())
}

// Patient is what identity compares of a version of one, read once for all that is asked
// about it.
type Patient struct {
	store.Features
	replacedBy []string // Patients that took its place, as its institution says
}

// Read reads a Patient of an institution.
func (x *Index) Read(patient *fhir.Node, institution string) *Patient {
	return &Patient{x.Systems.Extract(patient, institution), replacedBy(patient)}
}

// LockNames are what the transaction that writes the Patient locks, so that two
// that share an identifier are placed one after the other.
func (p *Patient) LockNames() []string {
	names := make([]string, 0, len(p.Strong))
	for _, id := range p.Strong {
		names = append(names, "identifier\x00"+id.System+"\x00"+id.Value)
	}
	return names
}

// Foresee adds to f what Place will ask for; stored says that the Patient is there
// already.
func (p *Patient) Foresee(f *store.Foresight, stored bool) {
	f.Strong = append(f.Strong, p.Strong...)
	f.Patients = append(f.Patients, p.replacedBy...)
	if stored {
		f.Patients = append(f.Patients, p.Patient)
	}
}

// Rules that make links.
const (
	RuleAlone      = "alone"        // nothing joined it: a person of its own
	RuleResidentID = "resident-id"  // shares a checked resident id
	RuleHealthCard = "health-card"  // shares a health card
	RuleLocal      = "local-number" // quotes the same number of the same member
	RuleReplaced   = "replaced-by"  // the institution itself joined two of its Patients
)

// Place gives a Patient its person within the transaction that writes it. It is
// to be called for every version of a Patient that is written.
func (x *Index) Place(ctx context.Context, tx store.IdentityTx, p *Patient) error {
	f := p.Features
	if err := tx.SetFeatures(ctx, f); err != nil {
		return fmt.Errorf("keep features: %w", err)
	}
	found, err := x.candidates(ctx, tx, f, p.replacedBy)
	if err != nil {
		return err
	}
	current, linked, err := tx.LinkOf(ctx, f.Patient)
	if err != nil {
		return fmt.Errorf("read link: %w", err)
	}
	if len(found) == 0 {
		return x.keepOrPart(ctx, tx, f, current, linked)
	}
	return x.join(ctx, tx, f, found, current, linked)
}

// candidate is a Patient that a rule wants to be the same person.
type candidate struct {
	store.Features
	rule string
	link store.Link
}

// candidates returns the linked Patients that are the same person as f, without
// those that something contradicts; for these a review is added.
func (x *Index) candidates(ctx context.Context, tx store.IdentityTx, f store.Features, survivors []string) ([]candidate, error) {
	known, err := tx.Features(ctx, f.Strong, survivors)
	if err != nil {
		return nil, fmt.Errorf("look for the same person: %w", err)
	}
	var found []candidate
	for _, k := range known {
		if k.Patient == f.Patient {
			continue
		}
		link, ok, err := tx.LinkOf(ctx, k.Patient)
		if err != nil {
			return nil, fmt.Errorf("read link: %w", err)
		}
		if !ok {
			continue
		}
		rule := x.rule(f, k, survivors)
		if rule == "" {
			continue
		}
		if why := x.contradiction(f, k); why != "" && rule != RuleReplaced {
			if err := x.review(ctx, tx, f, k, rule, why); err != nil {
				return nil, err
			}
			continue
		}
		found = append(found, candidate{Features: k, rule: rule, link: link})
	}
	return x.consistent(ctx, tx, f, found)
}

// consistent drops candidates whose person holds somebody that contradicts f, so
// that a chain of links never joins what a direct link would not.
func (x *Index) consistent(ctx context.Context, tx store.IdentityTx, f store.Features, found []candidate) ([]candidate, error) {
	verdicts := map[string]string{}
	kept := found[:0]
	for _, c := range found {
		why, seen := verdicts[c.link.Person]
		if !seen {
			members, err := x.members(ctx, tx, c.link.Person)
			if err != nil {
				return nil, err
			}
			for _, m := range members {
				if m.Patient != f.Patient && why == "" {
					why = x.contradiction(f, m)
				}
			}
			verdicts[c.link.Person] = why
		}
		if why != "" && c.rule != RuleReplaced {
			if err := x.review(ctx, tx, f, c.Features, c.rule, why); err != nil {
				return nil, err
			}
			continue
		}
		kept = append(kept, c)
	}
	return kept, nil
}

func (x *Index) members(ctx context.Context, tx store.IdentityTx, person string) ([]store.Features, error) {
	links, err := tx.LinksOf(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	ids := make([]string, len(links))
	for i, l := range links {
		ids[i] = l.Patient
	}
	return tx.Features(ctx, nil, ids)
}

// rule names the strongest reason to join f and k, "" for none.
func (x *Index) rule(f, k store.Features, survivors []string) string {
	if slices.Contains(survivors, k.Patient) {
		return RuleReplaced
	}
	best := ""
	for _, id := range f.Strong {
		if !slices.Contains(k.Strong, id) {
			continue
		}
		switch {
		case slices.Contains(x.Systems.ResidentID, id.System):
			return RuleResidentID
		case slices.Contains(x.Systems.HealthCard, id.System):
			best = RuleHealthCard
		case best == "":
			best = RuleLocal
		}
	}
	return best
}

// contradiction says why two Patients are not the same person whatever they
// share, "" if nothing speaks against it. The reason never holds values.
func (x *Index) contradiction(a, b store.Features) string {
	idA, idB := x.resident(a), x.resident(b)
	if idA != "" && idB != "" && idA != idB {
		return "resident ids differ"
	}
	if a.Name == "" || b.Name == "" || a.Name == b.Name {
		return ""
	}
	switch {
	case differ(a.Gender, b.Gender) && known(a.Gender) && known(b.Gender):
		return "name and sex differ"
	case differ(a.Birth, b.Birth):
		return "name and birth date differ"
	}
	return ""
}

func (x *Index) resident(f store.Features) string {
	for _, id := range f.Strong {
		if slices.Contains(x.Systems.ResidentID, id.System) {
			return id.Value
		}
	}
	return ""
}

// differ compares what both say; dates by the precision they share.
func differ(a, b string) bool {
	n := min(len(a), len(b))
	return n > 0 && a[:n] != b[:n]
}

func known(gender string) bool { return gender == "male" || gender == "female" }

func (x *Index) review(ctx context.Context, tx store.IdentityTx, f, k store.Features, rule, why string) error {
	a, b := f.Patient, k.Patient
	if b < a {
		a, b = b, a
	}
	err := tx.AddReview(ctx, store.Review{PatientA: a, PatientB: b, Rule: rule, Reason: why, Since: x.Now()})
	if err != nil {
		return fmt.Errorf("ask for a review: %w", err)
	}
	return nil
}

// keepOrPart handles a Patient that nothing joins (any more). It keeps its person
// when it has it to itself or when the institution said so; a link whose reason
// is gone ends, and the Patient becomes a person of its own.
func (x *Index) keepOrPart(ctx context.Context, tx store.IdentityTx, f store.Features, current store.Link, linked bool) error {
	if linked {
		others, err := tx.LinksOf(ctx, current.Person)
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		if len(others) < 2 || current.Rule == RuleReplaced {
			return nil
		}
		if current.Rule == RuleAlone {
			// The others joined this one; they are placed again when they are written.
			apart := true
			members, err := x.members(ctx, tx, current.Person)
			if err != nil {
				return err
			}
			for _, m := range members {
				if m.Patient != f.Patient && (x.rule(f, m, nil) != "" || linkRule(others, m.Patient) == RuleReplaced) {
					apart = false
				}
			}
			if !apart {
				return nil
			}
		}
	}
	person := store.Person{ID: x.NewID(), Since: x.Now()}
	if err := tx.NewPerson(ctx, person); err != nil {
		return fmt.Errorf("make a person: %w", err)
	}
	return x.link(ctx, tx, f, person.ID, RuleAlone, "no identifier in common with anybody")
}

func linkRule(links []store.Link, patient string) string {
	for _, l := range links {
		if l.Patient == patient {
			return l.Rule
		}
	}
	return ""
}

// join makes f and all candidates one person: the one that exists longest.
func (x *Index) join(ctx context.Context, tx store.IdentityTx, f store.Features, found []candidate, current store.Link, linked bool) error {
	slices.SortStableFunc(found, func(a, b candidate) int { return a.link.Since.Compare(b.link.Since) })
	into := found[0]
	person := into.link.Person
	if linked && slices.ContainsFunc(found, func(c candidate) bool { return c.link.Person == current.Person }) {
		person = current.Person
	}
	for _, c := range found {
		if c.link.Person == person {
			continue
		}
		clash, err := x.clash(ctx, tx, person, c.link.Person)
		if err != nil {
			return err
		}
		if clash != "" && c.rule != RuleReplaced {
			if err := x.review(ctx, tx, f, c.Features, c.rule, clash); err != nil {
				return err
			}
			continue
		}
		if err := tx.MergePerson(ctx, c.link.Person, person, c.rule, "joined through a Patient that shares with both", x.Now()); err != nil {
			return fmt.Errorf("merge persons: %w", err)
		}
	}
	if linked && current.Person == person {
		return nil
	}
	if linked {
		return x.move(ctx, tx, f, current, person, into.rule)
	}
	return x.link(ctx, tx, f, person, into.rule, "shares it with "+into.Institution)
}

// move brings a linked Patient to another person, and with it the whole of its
// present one where nothing speaks against that.
func (x *Index) move(ctx context.Context, tx store.IdentityTx, f store.Features, current store.Link, person, rule string) error {
	clash, err := x.clash(ctx, tx, current.Person, person)
	if err != nil {
		return err
	}
	others, err := tx.LinksOf(ctx, current.Person)
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	if clash == "" || len(others) == 1 || rule == RuleReplaced {
		if err := tx.MergePerson(ctx, current.Person, person, rule, "shares it since a later record", x.Now()); err != nil {
			return fmt.Errorf("merge persons: %w", err)
		}
		return nil
	}
	return x.link(ctx, tx, f, person, rule, "shares it since a later record")
}

// clash says why two persons are not one, "" if nothing speaks against it.
func (x *Index) clash(ctx context.Context, tx store.IdentityTx, a, b string) (string, error) {
	as, err := x.members(ctx, tx, a)
	if err != nil {
		return "", err
	}
	bs, err := x.members(ctx, tx, b)
	if err != nil {
		return "", err
	}
	for _, m := range as {
		for _, o := range bs {
			if why := x.contradiction(m, o); why != "" {
				return why, nil
			}
		}
	}
	return "", nil
}

func (x *Index) link(ctx context.Context, tx store.IdentityTx, f store.Features, person, rule, reason string) error {
	err := tx.SetLink(ctx, store.Link{
		Person: person, Patient: f.Patient, Institution: f.Institution, Rule: rule, Reason: reason, Since: x.Now(),
	})
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// replacedBy returns the ids of the Patients that the institution itself says
// took this one's place.
func replacedBy(patient *fhir.Node) []string {
	var ids []string
	for _, l := range patient.Get("link").Items() {
		if l.Get("type").Text() != "replaced-by" {
			continue
		}
		if id, ok := strings.CutPrefix(l.Path("other", "reference").Text(), "Patient/"); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
