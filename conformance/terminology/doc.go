// Package terminology answers what codes mean: which exist, what they are
// called, which lie below others, which belong to a value set, and what they
// are in another system.
//
// It owns the interface that a code system must fulfil (CodeSystem), a code
// system in memory (Memory: read from a CodeSystem resource, or from a CSV
// table), systems whose codes follow a grammar (Grammar: UCUM, languages, MIME
// types), and the Catalog, which reads value sets and concept maps and answers
// FHIR's operations. It does not own units (package ucum), FHIR's definitions
// (package definitions), HTTP, or where resources are stored.
//
// For bindings and memberOf:
//
//	catalog := terminology.New(definitions.R4(), terminology.Options{Resources: more})
//	set, err := catalog.ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender")
//	set.Has("http://hl7.org/fhir/administrative-gender", "male") // definitions.Member
//	set.HasCode("male")                                         // of elements of type code
//	env := fhirpath.Env{Membership: catalog}                     // memberOf
//
// Three answers are possible: Member, NotMember, and Unknown where it depends
// on a code system that is not here, or only in parts. What cannot be answered
// at all is a *Refusal, whose Issue names the reason; every other error comes
// from a CodeSystem of the caller's.
//
// Everything is immutable after it is made and safe for concurrent use, but for
// a Builder. Limits bound what is read and what an answer costs.
//
// https://hl7.org/fhir/R4/terminology-service.html,
// https://hl7.org/fhir/R4/valueset.html, https://hl7.org/fhir/R4/codesystem.html,
// https://hl7.org/fhir/R4/conceptmap.html
package terminology
