package typed

import (
	"encoding/json"
	"fmt"

	models "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/yilian/yilian/conformance/fhir"
)

// As reads a tree as a struct of fhir-models. The error says that the struct cannot hold it, never what it holds.
func As[T any](tree *fhir.Node) (T, error) {
	var out T
	if tree == nil {
		return out, fmt.Errorf("typed view: no resource")
	}
	if err := json.Unmarshal(tree.AppendJSON(nil), &out); err != nil {
		return out, fmt.Errorf("typed view: a %s does not fit %T", tree.ResourceType(), out)
	}
	return out, nil
}

// of reads a tree of one resource type.
func of[T any](tree *fhir.Node, typ string) (T, error) {
	if got := tree.ResourceType(); got != typ {
		var none T
		return none, fmt.Errorf("typed view: a %q is no %s", got, typ)
	}
	return As[T](tree)
}

// Patient reads a Patient.
func Patient(tree *fhir.Node) (models.Patient, error) { return of[models.Patient](tree, "Patient") }

// Encounter reads an Encounter.
func Encounter(tree *fhir.Node) (models.Encounter, error) {
	return of[models.Encounter](tree, "Encounter")
}

// ServiceRequest reads a ServiceRequest.
func ServiceRequest(tree *fhir.Node) (models.ServiceRequest, error) {
	return of[models.ServiceRequest](tree, "ServiceRequest")
}

// DiagnosticReport reads a DiagnosticReport.
func DiagnosticReport(tree *fhir.Node) (models.DiagnosticReport, error) {
	return of[models.DiagnosticReport](tree, "DiagnosticReport")
}

// Observation reads an Observation.
func Observation(tree *fhir.Node) (models.Observation, error) {
	return of[models.Observation](tree, "Observation")
}

// Condition reads a Condition.
func Condition(tree *fhir.Node) (models.Condition, error) {
	return of[models.Condition](tree, "Condition")
}

// Organization reads an Organization.
func Organization(tree *fhir.Node) (models.Organization, error) {
	return of[models.Organization](tree, "Organization")
}

// Practitioner reads a Practitioner.
func Practitioner(tree *fhir.Node) (models.Practitioner, error) {
	return of[models.Practitioner](tree, "Practitioner")
}
