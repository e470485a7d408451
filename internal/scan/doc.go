// Package scan answers FHIR searches by looking at every resource, as plainly as the
// specification puts it: JSON in maps, a table of which elements a parameter looks at,
// and a function a kind of parameter. It is a second opinion, so it shares no code with
// what it judges and imports nothing of ours; it knows the parameters and units that the
// published imports need, and refuses others.
//
// A World is what a client knows to be stored. Find says what a search of it must find,
// and Check what is wrong with an answer.
//
// Specification: https://hl7.org/fhir/R4/search.html
package scan
