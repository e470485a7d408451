package interaction

import (
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
)

// Refused is the error for content that was found wanting: a fault and all that
// was found.
type Refused struct {
	Fault  *fault.Error
	Issues []fhir.Issue
}

// Error is the fault's text; findings are for the client.
func (r *Refused) Error() string { return r.Fault.Error() }

// Unwrap gives the fault, so that its kind is found.
func (r *Refused) Unwrap() error { return r.Fault }

// refuse makes a Refused for content that can be read but must not be stored: what
// is in the way stands before what else was found.
func refuse(message string, issues []fhir.Issue) error {
	issues = slices.Clone(issues)
	slices.SortStableFunc(issues, func(a, b fhir.Issue) int { return weight(a) - weight(b) })
	return &Refused{Fault: fault.New(fault.Invalid, message).WithCode("processing"), Issues: issues}
}

func weight(i fhir.Issue) int {
	return slices.Index([]fhir.Severity{fhir.Fatal, fhir.Error, fhir.Warning, fhir.Information}, i.Severity)
}

// invalid refuses a request for one thing wrong with it.
func invalid(id, expression, text string) error {
	return &Refused{Fault: fault.New(fault.Invalid, text), Issues: []fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeInvalid, ID: id, Expression: expression, Text: text,
	}}}
}
