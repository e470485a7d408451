// Package secondopinion asks other people's FHIRPath engines what they make of
// an expression: fhirpath.js, which runs in Node, and gofhir. It is for tests
// and judges nothing; who is right is decided by the specification.
//
// What Node needs is installed by "make services" into node_modules, from
// package-lock.json. Without it a test is skipped with a line that begins
// "needs"; where CI=true it fails.
//
// Answers are brought to one form, so that engines that agree give equal
// answers:
//
//	number    eight significant digits, as engines divide to different precisions
//	quantity  the same and its unit without quotes, calendar durations in the singular
//	complex   JSON with sorted property names
//	primitive without a value  "null"
package secondopinion
