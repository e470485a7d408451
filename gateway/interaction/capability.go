package interaction

import (
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// capabilities is the statement as long as the same parameters are in effect.
type capabilities struct {
	parameters *parameterSet
	body       []byte
}

// Capabilities returns the CapabilityStatement, computed from what the engine and its
// search really do, and kept until other search parameters are in effect.
func (e *Engine) Capabilities() []byte {
	set := e.parameters.Load()
	known := e.capabilities.Load()
	if known == nil || known.parameters != set {
		known = &capabilities{set, e.capabilityStatement()}
		e.capabilities.Store(known)
	}
	return known.body
}

func (e *Engine) capabilityStatement() []byte {
	resources := fhir.NewArray()
	for _, typ := range e.Definitions.ResourceTypes() {
		resources.Append(e.resourceCapability(typ))
	}
	security := fhir.NewObject().SetString("description", "Access control: "+e.Security)
	rest := fhir.NewObject().SetString("mode", "server").Set("security", security).Set("resource", resources).
		Set("interaction", codesOf(systemInteractions...)).
		Set("operation", e.operationsOf("")).
		Set("compartment", e.compartmentURLs())
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
		Set("format", texts("application/fhir+json", "json", "application/fhir+xml", "xml")).
		Set("patchFormat", texts(JSONPatch, XMLPatch, "application/fhir+json", "application/fhir+xml")).
		Set("rest", fhir.NewArray(rest)).
		AppendJSON(nil)
}

// systemInteractions are those of the whole system, interactions those of every
// resource type.
var (
	systemInteractions = []string{"transaction", "batch", "search-system", "history-system"}
	interactions       = []string{
		"read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type",
	}
)

// texts is an array of strings.
func texts(values ...string) *fhir.Node {
	array := fhir.NewArray()
	for _, v := range values {
		array.Append(fhir.NewString(v))
	}
	return array
}

// codesOf is an array of objects with a code.
func codesOf(codes ...string) *fhir.Node {
	array := fhir.NewArray()
	for _, code := range codes {
		array.Append(fhir.NewObject().SetString("code", code))
	}
	return array
}

// compartmentURLs are the definitions of the compartments that can be searched.
func (e *Engine) compartmentURLs() *fhir.Node {
	array := fhir.NewArray()
	for _, typ := range e.Index.Compartments() {
		array.Append(fhir.NewString("http://hl7.org/fhir/CompartmentDefinition/" + strings.ToLower(typ)))
	}
	return array
}

// operationsOf are the operations that a resource type has, those of the whole system
// for none.
func (e *Engine) operationsOf(typ string) *fhir.Node {
	array := fhir.NewArray()
	for _, o := range operations {
		there := o.OnSystem
		if typ != "" {
			there = (o.Type == "" || o.Type == typ) && (o.OnType || o.OnInstance)
		}
		if there && (o.off == nil || !o.off(e)) {
			definition := o.Definition
			if strings.HasPrefix(definition, "/") {
				definition = e.Base + definition
			}
			array.Append(fhir.NewObject().SetString("name", o.Name).SetString("definition", definition))
		}
	}
	return array
}

func (e *Engine) resourceCapability(typ string) *fhir.Node {
	conditionalDelete := "single"
	if e.DeletesMany {
		conditionalDelete = "multiple"
	}
	out := fhir.NewObject().
		SetString("type", typ).
		SetString("profile", "http://hl7.org/fhir/StructureDefinition/"+typ).
		Set("interaction", codesOf(interactions...)).
		SetString("versioning", "versioned-update").
		Set("readHistory", fhir.NewBool(true)).
		Set("updateCreate", fhir.NewBool(e.UpdateCreates)).
		Set("conditionalCreate", fhir.NewBool(true)).
		SetString("conditionalRead", "full-support").
		Set("conditionalUpdate", fhir.NewBool(true)).
		SetString("conditionalDelete", conditionalDelete)
	supported := e.Index.Capability(typ)
	if len(supported.Include) > 0 {
		out.Set("searchInclude", texts(append([]string{"*", typ + ":*"}, supported.Include...)...))
	}
	if len(supported.RevInclude) > 0 {
		out.Set("searchRevInclude", texts(append([]string{"*"}, supported.RevInclude...)...))
	}
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
		out.SetString("documentation", "Content is served and taken in its own type; as a resource it is read with Accept or _format naming "+
			"application/fhir+json or application/fhir+xml, and written as a Binary. In Bundles contents come up to a size together; a Binary without its own is marked SUBSETTED.")
	}
	return out.Set("operation", e.operationsOf(typ))
}
