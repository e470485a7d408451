package interaction

import (
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
)

// ProfilePolicy says what becomes of a resource that is valid by the base
// specification and not by a profile that it claims.
type ProfilePolicy string

// The policies.
const (
	RefuseProfiles ProfilePolicy = "refuse" // it is refused
	RecordProfiles ProfilePolicy = "record" // it is stored, and what was found is kept and counted; the default
	IgnoreProfiles ProfilePolicy = "ignore" // profiles are not looked at
)

// judge asks the validators about a draft. Errors by the base specification refuse
// it, errors by profiles as the owner's policy says; what remains is noted.
func (e *Engine) judge(d *draft) error {
	d.issues = tolerated(e.Validator.Resource(unclaimed(d.stamped)))
	if fhir.HasErrors(d.issues) {
		return refuse("the resource is not valid FHIR R4", d.issues)
	}
	policy := RecordProfiles
	if e.ProfilePolicy != nil {
		policy = e.ProfilePolicy(d.owner)
	}
	if e.Profiles == nil || policy == IgnoreProfiles || d.stamped.Path("meta", "profile") == nil {
		return nil
	}
	found := slices.DeleteFunc(e.Profiles.Resource(d.stamped), func(i fhir.Issue) bool { return slices.Contains(d.issues, i) })
	if policy == RefuseProfiles && fhir.HasErrors(found) {
		return refuse("the resource does not conform to a profile that it claims", found)
	}
	for i := range found {
		if found[i].Severity == fhir.Error || found[i].Severity == fhir.Fatal {
			d.profile = append(d.profile, found[i])
			found[i].Severity = fhir.Warning // it was stored
		}
	}
	d.issues = append(d.issues, found...)
	return nil
}

// tolerated makes warnings of errors that say no more than that a code is beyond
// the copy of its code system, or of a largest value set, that R4 was published
// with: where a binding is not required, senders use codes that came later.
// Required bindings have a finding of their own, which refuses.
func tolerated(issues []fhir.Issue) []fhir.Issue {
	for i := range issues {
		if issues[i].Severity == fhir.Error && (issues[i].ID == "code-not-in-system" || issues[i].ID == "code-maximum") {
			issues[i].Severity = fhir.Warning
		}
	}
	return issues
}

// unclaimed is a resource without the profiles that it claims: what is left for the
// base specification to judge. The resource is not changed.
func unclaimed(resource *fhir.Node) *fhir.Node {
	meta := resource.Get("meta")
	if meta.Get("profile") == nil {
		return resource
	}
	line, column := meta.Position()
	rest := fhir.NewObject().SetPosition(line, column)
	for _, k := range meta.All() {
		if k.Name() != "profile" && k.Name() != "_profile" {
			rest.Set(k.Name(), k)
		}
	}
	line, column = resource.Position()
	out := fhir.NewObject().SetPosition(line, column)
	for _, k := range resource.All() {
		if k == meta {
			out.Set("meta", rest)
		} else {
			out.Set(k.Name(), k)
		}
	}
	return out
}

// asWarnings are errors by profiles as they are kept with what was stored in spite of
// them.
func asWarnings(found []fhir.Issue) []fhir.Issue {
	out := slices.Clone(found)
	for i := range out {
		out[i].Severity = fhir.Warning
	}
	return out
}

// count tells how many errors by profiles were stored.
func (e *Engine) count(drafts []*draft) {
	if e.Stored == nil {
		return
	}
	for _, d := range drafts {
		if len(d.profile) > 0 {
			e.Stored(d.owner, len(d.profile))
		}
	}
}
