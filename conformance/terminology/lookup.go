package terminology

import (
	"context"
	"slices"
	"strings"
)

// LookupRequest is what $lookup may be asked for, https://hl7.org/fhir/R4/codesystem-operation-lookup.html.
type LookupRequest struct {
	Coding          Coding
	Properties      []string // those that are wanted; none for all
	DisplayLanguage string
}

// LookupResult is what is known of a code. Properties has the standard ones too: definition, parent, child, inactive
// and notSelectable.
type LookupResult struct {
	System       *Description
	Code         string
	Display      string
	Designations []Designation
	Properties   []Property
}

// Lookup tells what is known of a code. That it does not exist is a *Refusal.
func (c *Catalog) Lookup(ctx context.Context, q LookupRequest) (*LookupResult, error) {
	wanted, err := readLanguages(q.DisplayLanguage)
	if err != nil {
		return nil, err
	}
	if q.Coding.Code == "" {
		return nil, refuse(msgCodeMissing)
	}
	system, d, err := c.details(ctx, q.Coding)
	if err != nil {
		return nil, err
	}
	about := system.Describe()
	out := &LookupResult{System: about, Code: d.Code, Display: d.Display}
	if better := wanted.display(d.Display, about.Language, d.Designations); better != "" {
		out.Display = better
	}
	for _, x := range d.Designations {
		if asked(q.Properties, "designation") || slices.Contains(q.Properties, "lang."+x.Language) {
			out.Designations = append(out.Designations, x)
		}
	}
	add := func(p Property) {
		if asked(q.Properties, p.Code) {
			out.Properties = append(out.Properties, p)
		}
	}
	if d.Definition != "" {
		add(Property{Code: "definition", Type: "string", Value: d.Definition})
	}
	for _, p := range d.Parents {
		add(Property{Code: "parent", Type: "code", Value: p})
	}
	for _, p := range d.Children {
		add(Property{Code: "child", Type: "code", Value: p})
	}
	has := func(code string) bool {
		return slices.ContainsFunc(d.Properties, func(p Property) bool { return p.Code == code })
	}
	if !has("inactive") {
		add(Property{Code: "inactive", Type: "boolean", Value: truth(d.Inactive)})
	}
	if d.Abstract && !has("notSelectable") {
		add(Property{Code: "notSelectable", Type: "boolean", Value: "true"})
	}
	for _, p := range d.Properties {
		add(p)
	}
	return out, nil
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// asked reports whether a property is wanted.
func asked(wishes []string, name string) bool {
	return len(wishes) == 0 || slices.ContainsFunc(wishes, func(w string) bool { return strings.EqualFold(w, name) })
}

// details finds a code in its system.
func (c *Catalog) details(ctx context.Context, coding Coding) (CodeSystem, Details, error) {
	url, version := coding.System, coding.Version
	if version == "" {
		url, version = c.cutSystem(url)
	}
	system, err := c.codeSystem(url, version)
	if err != nil {
		return nil, Details{}, err
	}
	if system.Describe().Content == NotPresent {
		return nil, Details{}, refuse(msgSystemAbsent, url)
	}
	d, ok, err := system.Details(ctx, coding.Code)
	if err != nil {
		return nil, Details{}, err
	}
	if !ok {
		r := refuse(msgCodeUnknown, url)
		r.Issue.Code = "not-found"
		return nil, Details{}, r
	}
	return system, d, nil
}

// Subsumption is a code of http://hl7.org/fhir/concept-subsumption-outcome.
type Subsumption string

// The outcomes of Subsumes.
const (
	Equivalent  Subsumption = "equivalent"
	Subsumes    Subsumption = "subsumes"
	SubsumedBy  Subsumption = "subsumed-by"
	NotSubsumed Subsumption = "not-subsumed"
)

// Subsumes tells how two codes of one system lie to each other,
// https://hl7.org/fhir/R4/codesystem-operation-subsumes.html. That one does not exist is a *Refusal.
func (c *Catalog) Subsumes(ctx context.Context, a, b Coding) (Subsumption, error) {
	if a.Code == "" || b.Code == "" {
		return "", refuse(msgCodeMissing)
	}
	if a.System != b.System {
		return "", refuse(msgParameter, "codingB", "it is of another code system than codingA")
	}
	if b.Version == "" {
		b.Version = a.Version
	}
	system, x, err := c.details(ctx, a)
	if err != nil {
		return "", err
	}
	_, y, err := c.details(ctx, b)
	if err != nil {
		return "", err
	}
	if x.Code == y.Code {
		return Equivalent, nil
	}
	for _, q := range []struct {
		above, below string
		outcome      Subsumption
	}{{x.Code, y.Code, Subsumes}, {y.Code, x.Code, SubsumedBy}} {
		holds, err := system.Subsumes(ctx, q.above, q.below)
		if err != nil {
			return "", err
		}
		if holds {
			return q.outcome, nil
		}
	}
	return NotSubsumed, nil
}
