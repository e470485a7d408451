// Package clients drives other people's FHIR clients against a running gateway: fhir-kit-client and @medplum/core, which
// run in Node. It is for tests, and has nothing but tests.
//
// A script in Node (fhirkit.mjs, medplum.mjs) uses its client as an application would, step by step, and prints what it got
// as one line of JSON a step. testdata has the line that is wanted of each step, in their order. In both, addresses and ids
// that the server chose stand as {base}, {patient} and the like.
//
// What Node needs is installed by "make services" into node_modules, from package-lock.json. Without it a test is skipped
// with a line that begins "needs"; where CI=true it fails.
package clients
