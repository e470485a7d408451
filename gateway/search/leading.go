package search

// leadingDates are the date parameters that clients sort the resources of a type by,
// where that is another one than "date".
var leadingDates = map[string]string{
	"ChargeItem":                 "occurrence",
	"Claim":                      "created",
	"ClaimResponse":              "created",
	"Communication":              "sent",
	"CommunicationRequest":       "authored",
	"Condition":                  "recorded-date",
	"CoverageEligibilityRequest": "created",
	"DeviceRequest":              "authored-on",
	"ExplanationOfBenefit":       "created",
	"ImagingStudy":               "started",
	"Media":                      "created",
	"MedicationAdministration":   "effective-time",
	"MedicationDispense":         "whenhandedover",
	"MedicationRequest":          "authoredon",
	"MedicationStatement":        "effective",
	"Provenance":                 "recorded",
	"QuestionnaireResponse":      "authored",
	"RequestGroup":               "authored",
	"ServiceRequest":             "authored",
	"Slot":                       "start",
	"Specimen":                   "collected",
	"Task":                       "authored-on",
}

// LeadingDate returns the date parameter that clients sort the resources of a type by,
// whether or not the type has it. Stores may keep what they list in its order.
func LeadingDate(resource string) string {
	if param, ok := leadingDates[resource]; ok {
		return param
	}
	return "date"
}
