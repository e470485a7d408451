// Package ig is the alliance's implementation guide: what a member's FHIR must look like so that every other member can
// read it, as a FHIR package that any validator can use.
//
// It owns the sources of the guide (source: profiles, extensions, code systems, value sets, concept maps, search
// parameters, operations, examples), the lookup of them by canonical URL, and the making of the package. It does not judge
// resources (package validate), make snapshots (package snapshot) or know how records become resources: mapping and the
// gateway are read by nothing here, and tests above both hold that they agree.
//
//	v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: ig.Guide()})
//	issues := v.Conforms(patient, ig.Base+"/StructureDefinition/patient")
//
// Sources are plain FHIR resources, profiles with a differential only. What all of them have in common – version, date,
// publisher, jurisdiction – stands once, in source/ig.json, and is put into each that does not say otherwise.
//
// https://hl7.org/fhir/R4/implementationguide.html, https://hl7.org/fhir/R4/profiling.html,
// https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
package ig
