// Package suites holds the alliance's own TestScripts.
//
// It owns three suites, each a folder of TestScripts with their fixtures and with the CapabilityStatements that the scripts
// ask servers for:
//
//   - server: what the FHIR server of a member must do
//   - feed: what a member's resources must look like; it only reads, whatever the server holds
//   - exchange: an order that becomes a result, and referrals up and down
//
// Every script says in English and Chinese what it is about, brings along what it needs, and takes it away again. What
// servers may lack is asked of their CapabilityStatement, and a script about it is skipped where it is lacking. What is
// written in a run carries the value of the scripts' variable "run", so that runs do not find what others made.
//
// It runs nothing: package testscript does. The profiles that feed and exchange name are those of package ig, which has to
// be handed to the runner.
//
// Specification: https://hl7.org/fhir/R4/testscript.html
package suites
