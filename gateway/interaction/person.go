package interaction

import (
	"context"
	"slices"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// A person is the Patient that joins the institutions' Patients. It is not
// stored: each viewer is shown a projection of the Patients that it may see.

// maxMerges bounds how far a merged person is followed.
const maxMerges = 32

// person projects a person for a viewer. A person none of whose Patients the
// viewer may see is not there.
func (e *Engine) person(ctx context.Context, v Viewer, id string) (store.Version, error) {
	p, err := e.Store.Person(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return store.Version{}, notFound()
	}
	if err != nil {
		return store.Version{}, err
	}
	if p.Into != "" {
		return e.mergedPerson(ctx, v, p)
	}
	patients, err := e.patients(ctx, v, id)
	if err != nil {
		return store.Version{}, err
	}
	if len(patients) == 0 {
		return store.Version{}, notFound()
	}
	return e.project(p, patients)
}

// mergedPerson shows that another person took this one's place.
func (e *Engine) mergedPerson(ctx context.Context, v Viewer, p store.Person) (store.Version, error) {
	into, err := e.survivor(ctx, p)
	if err != nil {
		return store.Version{}, err
	}
	patients, err := e.patients(ctx, v, into.ID)
	if err != nil {
		return store.Version{}, err
	}
	if len(patients) == 0 {
		return store.Version{}, notFound()
	}
	content := fhir.NewObject().SetString("resourceType", "Patient").
		Set("active", fhir.NewBool(false)).
		Set("link", fhir.NewArray(personLink(into.ID, "replaced-by")))
	return e.projection(p.ID, content, p.MergedAt), nil
}

func (e *Engine) survivor(ctx context.Context, p store.Person) (store.Person, error) {
	for range maxMerges {
		if p.Into == "" {
			return p, nil
		}
		var err error
		if p, err = e.Store.Person(ctx, p.Into); err != nil {
			return p, err
		}
	}
	return p, fault.New(fault.Internal, "persons are merged in a circle")
}

// patients reads the living Patients of a person that the viewer may see, the
// most recently written first.
func (e *Engine) patients(ctx context.Context, v Viewer, person string) ([]store.Version, error) {
	links, err := e.Store.LinksOf(ctx, person)
	if err != nil {
		return nil, err
	}
	var list []store.Version
	allowed := v.allowed()
	for _, l := range links {
		got, err := e.Store.Read(ctx, store.Key{Type: "Patient", ID: l.Patient})
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !got.Deleted && permits(allowed, got) {
			list = append(list, got)
		}
	}
	slices.SortStableFunc(list, func(a, b store.Version) int { return b.Updated.Compare(a.Updated) })
	return list, nil
}

// project makes the Patient that a viewer sees for a person: the strong
// identifiers of all its Patients, the demographics of the Patient written last,
// and a link to each.
func (e *Engine) project(p store.Person, patients []store.Version) (store.Version, error) {
	content := fhir.NewObject().SetString("resourceType", "Patient")
	identifiers, links := fhir.NewArray(), fhir.NewArray()
	updated := p.Since
	seen := map[store.Identifier]bool{}
	var demographics *fhir.Node
	for _, version := range patients {
		tree, err := parseStored(version.Body)
		if err != nil {
			return store.Version{}, err
		}
		if demographics == nil && !isReplaced(tree) && tree.Get("name") != nil {
			demographics = tree
		}
		f := e.Identity.Systems.Extract(tree, version.Owner)
		for _, id := range f.Strong {
			if !seen[id] {
				seen[id] = true
				identifiers.Append(fhir.NewObject().SetString("system", id.System).SetString("value", id.Value))
			}
		}
		links.Append(personLink(version.ID, "seealso"))
		if version.Updated.After(updated) {
			updated = version.Updated
		}
	}
	if identifiers.Len() > 0 {
		content.Set("identifier", identifiers)
	}
	content.Set("active", fhir.NewBool(true))
	for _, name := range []string{"name", "telecom", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime", "address", "maritalStatus"} {
		if value := demographics.Get(name); value != nil {
			content.Set(name, value.Clone())
		}
	}
	content.Set("link", links)
	return e.projection(p.ID, content, updated), nil
}

func personLink(patient, kind string) *fhir.Node {
	return fhir.NewObject().
		Set("other", fhir.NewObject().SetString("reference", "Patient/"+patient)).
		SetString("type", kind)
}

// projection renders a person as a version that has no number: it is made for
// this answer, and has no history of its own.
func (e *Engine) projection(id string, content *fhir.Node, updated time.Time) store.Version {
	stamped := e.stamp(content, id, Alliance, "")
	stamped.Get("meta").Prepend("lastUpdated", fhir.NewString(updated.UTC().Format(Instant)))
	return store.Version{
		Key: store.Key{Type: "Patient", ID: id}, Updated: updated, Owner: Alliance, Body: stamped.AppendJSON(nil),
	}
}

// linked returns the Patients that an id in a patient parameter stands for: those
// of the person with that id, or nil when it is no person's.
func (e *Engine) linked(ctx context.Context, id string) ([]string, error) {
	p, err := e.Store.Person(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p, err = e.survivor(ctx, p); err != nil {
		return nil, err
	}
	links, err := e.Store.LinksOf(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(links))
	for i, l := range links {
		ids[i] = l.Patient
	}
	return ids, nil
}
