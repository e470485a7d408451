// Package fault owns the kinds of failure that the gateway tells its clients apart, and the one table that turns a kind
// into an HTTP status and a FHIR issue code.
//
// A fault is breakage or refusal. Findings about data are not faults but values of type fhir.Issue, and the answer that
// carries them is written in gateway/rest; no HTTP and no FHIR resource is made here.
//
// An error has two readers. The client reads Message and nothing else, so Message never holds patient data, a path, an
// address or a driver's words. The operator reads Error, which goes on with the wrapped cause.
//
// Specification: https://hl7.org/fhir/R4/http.html#Status-Codes and https://hl7.org/fhir/R4/valueset-issue-type.html.
package fault
