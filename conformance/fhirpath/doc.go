// Package fhirpath compiles and evaluates FHIRPath over resource trees.
//
// It owns the grammar, the knowledge of how R4 names its elements (choice
// types, primitives with extensions, content references), the System types and
// every operator and function. It fetches nothing: what resolve, memberOf and
// conformsTo need is asked through interfaces of one method in Env. Values keep
// the tree node they came from, so that callers can point at it.
//
// An Expression is compiled once and may be evaluated by any number of
// goroutines. Evaluation is bounded by Limits: steps, values held and text
// made; nesting is bounded when parsing. A Plan evaluates many expressions over
// one resource and walks what their paths share once.
//
//	m := fhirpath.NewModel(definitions.R4())
//	x, err := m.Compile("name.where(use = 'official').given.first()", fhirpath.Options{Context: "Patient"})
//	values, err := x.Evaluate(nil, patient)
//
// Specifications: https://hl7.org/fhirpath/N1/ and
// https://hl7.org/fhir/R4/fhirpath.html
package fhirpath
