package alliancetest

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
)

// Holdings are the current resources of an alliance, each with the institution it belongs to. They are filled first and
// asked then.
type Holdings struct {
	all         []held
	byReference map[string]*fhir.Node
	byType      map[string][]held
	byID        map[string][]*fhir.Node
	byVisit     map[*fhir.Node][]*fhir.Node // Observations

	// Bytes returns what an Attachment's url names, nil when that is nowhere. Where it is not set attachments carry data.
	Bytes func(url string) []byte
}

type held struct {
	institution string
	tree        *fhir.Node
}

// Add takes in a resource.
func (h *Holdings) Add(institution string, tree *fhir.Node) {
	h.all = append(h.all, held{institution, tree})
}

// index makes resources findable by reference, type and identifier.
func (h *Holdings) index() {
	h.byReference, h.byType, h.byID = map[string]*fhir.Node{}, map[string][]held{}, map[string][]*fhir.Node{}
	for _, s := range h.all {
		typ := s.tree.ResourceType()
		h.byReference[typ+"/"+s.tree.ID()] = s.tree
		h.byType[typ] = append(h.byType[typ], s)
		ids := s.tree.Get("identifier").Items()
		if typ == "Composition" || typ == "Bundle" || typ == "QuestionnaireResponse" { // one, not a list
			ids = []*fhir.Node{s.tree.Get("identifier")}
		}
		for _, id := range ids {
			k := strings.Join([]string{s.institution, typ, id.Get("system").Text(), id.Get("value").Text()}, "|")
			h.byID[k] = append(h.byID[k], s.tree)
		}
		if id := s.tree.Get("masterIdentifier"); id != nil {
			k := strings.Join([]string{s.institution, typ, id.Get("system").Text(), id.Get("value").Text()}, "|")
			h.byID[k] = append(h.byID[k], s.tree)
		}
	}
	h.byVisit = map[*fhir.Node][]*fhir.Node{}
	for _, s := range h.byType["Observation"] {
		if visit := h.Follow(s.tree.Get("encounter")); visit != nil {
			h.byVisit[visit] = append(h.byVisit[visit], s.tree)
		}
	}
}

// of returns the resources of a type.
func (h *Holdings) of(typ string) []held { return h.byType[typ] }

// Find returns the only resource of an institution with that identifier, nil when there is none or more than one.
func (h *Holdings) Find(institution, typ, system, value string) *fhir.Node {
	found := h.byID[strings.Join([]string{institution, typ, system, value}, "|")]
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// Follow returns what a reference points at: by its id, or by the identifier it says.
func (h *Holdings) Follow(ref *fhir.Node) *fhir.Node {
	if n := h.byReference[ref.Get("reference").Text()]; n != nil {
		return n
	}
	id := ref.Get("identifier")
	if id == nil {
		return nil
	}
	for _, inst := range Members {
		if n := h.Find(inst, ref.Get("type").Text(), id.Get("system").Text(), id.Get("value").Text()); n != nil {
			return n
		}
	}
	return nil
}

func local(institution, name string) string {
	return mapping.LocalSystem(mapping.DefaultAlliance, institution, name)
}
