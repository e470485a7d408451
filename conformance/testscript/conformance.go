package testscript

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Limits of what is said about resources that do not conform: how many, and how many findings of each.
const (
	MaxReasons         = 20
	maxReasonsOfOne    = 3
	maxReasonCharacter = 300
)

// reasons answers conformsTo by the runner's Validator, and keeps why resources do not conform, to be shown beside the
// assertion that asked.
type reasons struct {
	judge profiler
	lines []string
	more  int // resources that are not among the lines
}

// conformance is what answers conformsTo during an action; nil if nothing can.
func (x *execution) conformance() fhirpath.Conformance {
	switch {
	case x.runner.Conformance != nil:
		return x.runner.Conformance
	case x.reasons == nil:
		return nil
	}
	return x.reasons
}

// judged are the answers to conformsTo that a Validator gives; nil for the validator of base R4, which knows no profiles.
func judged(v Validator) *reasons {
	if p, ok := v.(profiler); ok && v != baseValidator() {
		return &reasons{judge: p}
	}
	return nil
}

func (r *reasons) ConformsTo(_ context.Context, v fhirpath.Value, profile string) (bool, error) {
	n := v.Node()
	if n == nil || n.ResourceType() == "" {
		return false, errors.New("only a resource can be asked for the profiles that it conforms to")
	}
	issues := r.judge.Conforms(n, profile)
	if unknownProfile(issues) {
		return false, fmt.Errorf("the profile %s is not known", profile)
	}
	wrong := errorsOf(issues)
	if len(wrong) == 0 {
		return true, nil
	}
	if len(r.lines) == MaxReasons {
		r.more++
		return false, nil
	}
	line := n.ResourceType() + "/" + n.ID() + ": " + strings.Join(wrong[:min(len(wrong), maxReasonsOfOne)], "; ")
	if runes := []rune(line); len(runes) > maxReasonCharacter {
		line = string(runes[:maxReasonCharacter]) + "…"
	}
	r.lines = append(r.lines, line)
	return false, nil
}

// String says what was kept, a line for each resource.
func (r *reasons) String() string {
	if r == nil || len(r.lines) == 0 {
		return ""
	}
	text := "\n" + strings.Join(r.lines, "\n")
	if r.more > 0 {
		text += fmt.Sprintf("\n… and %d more", r.more)
	}
	return text
}

func unknownProfile(issues []fhir.Issue) bool {
	for _, i := range issues {
		if strings.HasPrefix(i.ID, "profile-unknown") {
			return true
		}
	}
	return false
}

// errorsOf are the findings that make a resource invalid.
func errorsOf(issues []fhir.Issue) []string {
	var wrong []string
	for _, i := range issues {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			wrong = append(wrong, i.String())
		}
	}
	return wrong
}
