// Package validate judges resources against the definitions of FHIR.
//
// What it checks now is base R4: every resource type as published, without
// profiles. That is property names, JSON shape, cardinality, choices, the
// lexical form of primitives, required bindings, references, contained
// resources, extensions and the safety of narratives.
//
// It does not evaluate invariants (they are FHIRPath and need package
// fhirpath), does not ask terminology servers, and knows no profiles yet. All
// three fit the same shape: each type is compiled once into a plan, an object
// of fields and checks, and walking a resource is following plans; what is
// added later is more checks in a plan.
//
//	v := validate.New(definitions.R4(), validate.Options{})
//	issues := v.Resource(node)
//
// Findings carry a stable message id, a FHIRPath location and, for parsed
// resources, line and column. Their texts never quote values.
//
// https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/json.html,
// https://hl7.org/fhir/R4/datatypes.html
package validate
