package testscript

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// baseProfile is the canonical of a definition of base FHIR.
var baseProfile = regexp.MustCompile(`^http://hl7\.org/fhir/StructureDefinition/([A-Za-z]+)(\|.*)?$`)

func (x *execution) assertProfile(a *assertion, m *message) (verdict, error) {
	profile, ok := x.script.profiles[a.validateProfileID]
	if !ok || profile == "" {
		return verdict{}, fmt.Errorf("the script has no profile %s", a.validateProfileID)
	}
	n, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	var issues []fhir.Issue
	if base := baseProfile.FindStringSubmatch(profile); base != nil && isBase(base[1]) {
		if !definitionsOf().IsA(n.ResourceType(), base[1]) {
			return failed("the resource is a %s, the profile is for %s", shortened(n.ResourceType()), base[1]), nil
		}
		issues = x.runner.Validator.Resource(n)
	} else if p, ok := x.runner.Validator.(profiler); ok && x.runner.Validator != baseValidator() {
		issues = p.Conforms(n, profile)
		if unknownProfile(issues) {
			return verdict{}, fmt.Errorf("the profile %s is not known", profile)
		}
	} else {
		return verdict{}, fmt.Errorf("the profile %s is not known", profile)
	}
	if wrong := errorsOf(issues); len(wrong) > 0 {
		return failed("the resource has %d errors against %s; the first: %s", len(wrong), profile, shortened(wrong[0])).
			with(strings.Join(wrong, "\n")), nil
	}
	return verdict{holds: true, message: "conforms to " + profile}, nil
}

func isBase(name string) bool {
	return definitionsOf().IsResource(name) || name == "Resource" || name == "DomainResource"
}
