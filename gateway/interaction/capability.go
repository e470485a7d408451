package interaction

import (
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Capabilities returns the CapabilityStatement, computed once from what the
// engine and its search really do.
func (e *Engine) Capabilities() []byte { return e.capabilities() }

// lazyCapabilities computes the statement when it is first asked for.
func (e *Engine) lazyCapabilities() func() []byte {
	return sync.OnceValue(func() []byte {
		resources := fhir.NewArray()
		for _, typ := range e.Definitions.ResourceTypes() {
			resources.Append(e.resourceCapability(typ))
		}
		security := fhir.NewObject().SetString("description", "Access control: "+e.Security)
		rest := fhir.NewObject().SetString("mode", "server").Set("security", security).Set("resource", resources).
			Set("interaction", interactionList(systemInteractions))
		return fhir.NewObject().
			SetString("resourceType", "CapabilityStatement").
			SetString("url", e.Base+"/fhir/CapabilityStatement/gateway").
			SetString("name", "Yilian").
			SetString("title", "Yilian 医联").
			SetString("status", "active").
			SetString("date", e.now().UTC().Format(time.RFC3339)).
			SetString("kind", "instance").
			Set("software", fhir.NewObject().SetString("name", "Yilian").SetString("version", e.Version)).
			Set("implementation", fhir.NewObject().SetString("description", "FHIR gateway of a medical alliance").SetString("url", e.FHIRBase)).
			SetString("fhirVersion", e.Definitions.Version()).
			Set("format", fhir.NewArray(fhir.NewString("application/fhir+json"), fhir.NewString("json"))).
			Set("patchFormat", fhir.NewArray(fhir.NewString("application/fhir+json"), fhir.NewString(JSONPatch), fhir.NewString(XMLPatch))).
			Set("rest", fhir.NewArray(rest)).
			AppendJSON(nil)
	})
}

// interactions are what every resource type can do.
var interactions = []string{
	"read", "vread", "create", "update", "patch", "delete", "history-instance", "history-type", "search-type",
}

// systemInteractions are what the endpoint itself can do.
var systemInteractions = []string{"transaction", "batch", "history-system"}

func interactionList(codes []string) *fhir.Node {
	list := fhir.NewArray()
	for _, code := range codes {
		list.Append(fhir.NewObject().SetString("code", code))
	}
	return list
}

func (e *Engine) resourceCapability(typ string) *fhir.Node {
	deletes := "single"
	if e.DeletesMany {
		deletes = "multiple"
	}
	out := fhir.NewObject().
		SetString("type", typ).
		SetString("profile", "http://hl7.org/fhir/StructureDefinition/"+typ).
		Set("interaction", interactionList(interactions)).
		SetString("versioning", "versioned-update").
		Set("readHistory", fhir.NewBool(true)).
		Set("updateCreate", fhir.NewBool(e.UpdateCreates)).
		Set("conditionalCreate", fhir.NewBool(true)).
		SetString("conditionalRead", "full-support").
		Set("conditionalUpdate", fhir.NewBool(true)).
		SetString("conditionalDelete", deletes)
	supported := e.Index.Capability(typ)
	texts := func(name string, values []string) {
		if len(values) == 0 {
			return
		}
		array := fhir.NewArray()
		for _, v := range values {
			array.Append(fhir.NewString(v))
		}
		out.Set(name, array)
	}
	texts("searchInclude", supported.Include)
	texts("searchRevInclude", supported.RevInclude)
	params := fhir.NewArray()
	for _, p := range supported.Parameters {
		param := fhir.NewObject().SetString("name", p.Name)
		if p.Definition != "" {
			param.SetString("definition", p.Definition)
		}
		param.SetString("type", p.Type)
		params.Append(param)
	}
	if params.Len() > 0 {
		out.Set("searchParam", params)
	}
	if typ == binaryType {
		out.SetString("documentation", "Content is served and taken in its own type; as FHIR JSON it is read with Accept or _format naming "+
			"application/fhir+json, and written as a Binary. In Bundles contents come up to a size together; a Binary without its own is marked SUBSETTED.")
	}
	if typ == "Patient" {
		out.Set("operation", fhir.NewArray(fhir.NewObject().
			SetString("name", "everything").
			SetString("definition", "http://hl7.org/fhir/OperationDefinition/Patient-everything")))
	}
	return out
}
