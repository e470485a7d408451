package ig

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// The code systems by which resources of one type are told apart.
const (
	observationCategory = "http://terminology.hl7.org/CodeSystem/observation-category"
	reportCategory      = "http://terminology.hl7.org/CodeSystem/v2-0074"
	referralDirection   = Base + "/CodeSystem/referral-direction"
	institutionLevel    = Base + "/CodeSystem/institution-level"
	documentType        = "urn:oid:2.16.156.10011.2.4"
	loinc               = "http://loinc.org"
)

// Findings of an examination, in words, are no measurement.
const findings = "59776-5"

// byType are the profiles of types that have only one.
var byType = map[string]string{
	"Patient":           "patient",
	"Encounter":         "encounter",
	"ImagingStudy":      "imaging-study",
	"MedicationRequest": "prescription",
	"Practitioner":      "practitioner",
	"PractitionerRole":  "practitioner-role",
}

// Profile is the canonical URL of the profile that the guide has for what a resource says it is, by type and category; ""
// if it has none. What a resource claims in meta.profile does not count. Consents and documents of referrals claim theirs:
// nothing else tells them from others.
func Profile(n *fhir.Node) string {
	if id := profileOf(n); id != "" {
		return Base + "/StructureDefinition/" + id
	}
	return ""
}

func profileOf(n *fhir.Node) string {
	switch typ := n.ResourceType(); typ {
	case "ServiceRequest":
		if coded(n.Get("category"), referralDirection, "") {
			return "referral"
		}
		return "order"
	case "Task":
		if focus := n.Get("focus"); focus.Get("type").Text() == "ServiceRequest" || strings.HasPrefix(focus.Get("reference").Text(), "ServiceRequest/") {
			return "referral-task"
		}
	case "DiagnosticReport":
		switch {
		case coded(n.Get("category"), reportCategory, "LAB"):
			return "laboratory-report"
		case coded(n.Get("category"), reportCategory, "RAD"):
			return "imaging-report"
		case coded(n.Get("category"), reportCategory, "EC"):
			return "ecg-report"
		}
	case "Observation":
		switch {
		case coded(n.Get("category"), observationCategory, "laboratory"):
			return "laboratory-result"
		case coded(n.Get("category"), observationCategory, "procedure") && coded(n.Get("code"), loinc, "") && !coded(n.Get("code"), loinc, findings):
			return "ecg-measurement"
		}
	case "DocumentReference": // not every document is one of WS/T 500
		if coded(n.Get("type"), documentType, "") {
			return "record-document"
		}
	case "Organization": // departments are others
		if coded(n.Get("type"), institutionLevel, "") {
			return "organization"
		}
	default:
		return byType[typ]
	}
	return ""
}

// coded reports whether one of some CodeableConcepts has a code of a system, "" for any.
func coded(concepts *fhir.Node, system, code string) bool {
	for _, c := range concepts.Items() {
		for _, coding := range c.Get("coding").Items() {
			if coding.Get("system").Text() == system && (code == "" || coding.Get("code").Text() == code) {
				return true
			}
		}
	}
	return false
}
