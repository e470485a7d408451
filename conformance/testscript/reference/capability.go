package reference

import (
	"net/http"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
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
		params, includes := fhir.NewArray(), fhir.NewArray()
		for _, p := range s.defs.SearchParameters(kind) {
			if supported(p) {
				if p.Type == "reference" {
					includes.Append(fhir.NewString(kind + ":" + p.Code))
				}
				params.Append(fhir.NewObject().SetString("name", p.Code).SetString("definition", p.URL).SetString("type", p.Type))
			}
		}
		if includes.Len() > 0 {
			r.Set("searchInclude", includes)
		}
		if list := reverseIncludes()[kind]; len(list) > 0 {
			reverse := fhir.NewArray()
			for _, name := range list {
				reverse.Append(fhir.NewString(name))
			}
			r.Set("searchRevInclude", reverse)
		}
		if params.Len() > 0 {
			r.Set("searchParam", params)
		}
		operations := fhir.NewArray(fhir.NewObject().SetString("name", "validate").
			SetString("definition", "http://hl7.org/fhir/OperationDefinition/Resource-validate"))
		if kind == "Patient" {
			operations.Append(fhir.NewObject().SetString("name", "everything").
				SetString("definition", "http://hl7.org/fhir/OperationDefinition/Patient-everything"))
		}
		r.Set("operation", operations)
		resources.Append(r)
	}
	system := fhir.NewArray()
	for _, c := range []string{"transaction", "batch", "history-system"} {
		system.Append(fhir.NewObject().SetString("code", c))
	}
	n.Set("rest", fhir.NewArray(fhir.NewObject().SetString("mode", "server").Set("resource", resources).Set("interaction", system)))
	return n
}

// reverseIncludes are what _revinclude takes for each type.
var reverseIncludes = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	defs := definitions.R4()
	for _, kind := range defs.ResourceTypes() {
		for _, p := range defs.SearchParameters(kind) {
			for _, target := range p.Targets {
				if p.Type == "reference" && supported(p) {
					out[target] = append(out[target], kind+":"+p.Code)
				}
			}
		}
	}
	return out
})

var _ http.Handler = (*Server)(nil)
