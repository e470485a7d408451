// Package definitions is what FHIR R4 (4.0.1) says about itself: types and
// their elements, value sets and code systems, search parameters and
// compartments, as compact embedded data with a lookup.
//
// It owns the embedded file r4.bin, its generator (generate) and the reading
// of it. It does not judge resources (package validate), evaluate expressions
// (package fhirpath) or know terminology beyond what the specification itself
// enumerates (package terminology).
//
// Start with R4:
//
//	defs := definitions.R4()
//	p, err := defs.Resolve("Patient.contact.name.given")
//	// p.Type == "string", p.Element.Max == definitions.Unbounded
//
// Two words matter. An Element is what the specification defines, such as
// Observation.value[x] with its eleven types. A Property is an element as an
// instance names it, such as valueQuantity, and so has one type.
//
// Every definition is decompressed and decoded when it is first asked for,
// once, and is immutable from then on. Everything here is safe for concurrent
// use; nothing returned may be modified.
//
// https://hl7.org/fhir/R4/structuredefinition.html,
// https://hl7.org/fhir/R4/elementdefinition.html,
// https://hl7.org/fhir/R4/searchparameter.html. The definitions are published
// by HL7 under CC0 in the npm package hl7.fhir.r4.examples.
package definitions

//go:generate go run ./generate
