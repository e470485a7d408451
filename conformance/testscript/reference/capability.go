package reference

import (
	"net/http"

	"github.com/yilian/yilian/conformance/fhir"
)

var interactions = []string{"read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"}

// capabilities is the server's CapabilityStatement.
func (s *Server) capabilities() *fhir.Node {
	fhirVersion := "4.0.1"
	if s.faults[CapabilitiesVersion] {
		fhirVersion = "3.0.1"
	}
	n := fhir.NewObject().SetString("resourceType", "CapabilityStatement").SetString("status", "active").
		SetString("date", "2024-01-01").SetString("kind", "instance")
	n.Set("software", fhir.NewObject().SetString("name", "reference server"))
	n.Set("implementation", fhir.NewObject().SetString("description", "what conformance scripts are tested with").SetString("url", s.base))
	n.SetString("fhirVersion", fhirVersion)
	n.Set("format", fhir.NewArray(fhir.NewString(typeJSON), fhir.NewString(typeXML)))
	n.Set("patchFormat", fhir.NewArray(fhir.NewString("application/json-patch+json"), fhir.NewString(typeJSON)))
	resources := fhir.NewArray()
	for _, kind := range s.defs.ResourceTypes() {
		if !s.defs.IsResource(kind) {
			continue
		}
		codes := fhir.NewArray()
		for _, c := range interactions {
			if c != "update" || !s.faults[CapabilitiesInteraction] {
				codes.Append(fhir.NewObject().SetString("code", c))
			}
		}
		r := fhir.NewObject().SetString("type", kind).Set("interaction", codes).SetString("versioning", "versioned-update").
			Set("readHistory", fhir.NewBool(true)).Set("updateCreate", fhir.NewBool(true)).
			Set("conditionalCreate", fhir.NewBool(true)).SetString("conditionalRead", "not-match").
			Set("conditionalUpdate", fhir.NewBool(true)).SetString("conditionalDelete", "single")
		params := fhir.NewArray()
		for _, p := range s.defs.SearchParameters(kind) {
			if supported(p) {
				params.Append(fhir.NewObject().SetString("name", p.Code).SetString("definition", p.URL).SetString("type", p.Type))
			}
		}
		if params.Len() > 0 {
			r.Set("searchParam", params)
		}
		r.Set("operation", fhir.NewArray(fhir.NewObject().SetString("name", "validate").
			SetString("definition", "http://hl7.org/fhir/OperationDefinition/Resource-validate")))
		resources.Append(r)
	}
	system := fhir.NewArray()
	for _, c := range []string{"transaction", "batch", "history-system"} {
		system.Append(fhir.NewObject().SetString("code", c))
	}
	n.Set("rest", fhir.NewArray(fhir.NewObject().SetString("mode", "server").Set("resource", resources).Set("interaction", system)))
	return n
}

var _ http.Handler = (*Server)(nil)
