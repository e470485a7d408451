// Package validate judges resources against the definitions of FHIR R4, and
// against the profiles of packages.
//
// A Validator with zero Options judges shape: property names, JSON shape,
// cardinality, choices, the lexical form of primitives, required bindings,
// references, contained resources, extensions and the safety of narratives.
// That is what a server asks of every write. A thorough one judges all that the
// specification says: invariants, bindings of every strength, codes of systems
// that are known, units, profiles with their slices, references within Bundles,
// Bundles by their type, the place of extensions, questionnaires and answers to
// them, definitions. What Source and Resolver do not find is not judged, and
// said so; no terminology server is asked.
//
//	v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: packages})
//	issues := v.Resource(node)
//	issues = v.Conforms(node, "https://yilian.dev/fhir/StructureDefinition/patient")
//
// Each type is compiled once into a plan, an object of fields and checks, and
// walking a resource is following plans. Each profile is compiled once into
// shapes: what it says of an element beyond what the type says. A profile is
// judged after the walk over the resource that claims it. Whether something
// conforms is asked at most once in a run, so that profiles which name each
// other end, and chains of choices do not double.
//
// Findings carry a stable message id, a FHIRPath location and, for parsed
// resources, line and column. Their texts are in messages.txt in English and
// Chinese, and never quote values. Every limit is an option or a constant, and
// going over one is a finding.
//
// It does not fetch anything, evaluate CQL, or judge measures.
//
// https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/profiling.html,
// https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/datatypes.html
package validate
