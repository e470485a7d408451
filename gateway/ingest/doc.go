// Package ingest carries records from the inbox to FHIR: it cuts deliveries into
// records, runs the institution's maps, and hands the result to package
// interaction, which commits it together with the end of the work on the record.
//
//	Accept ─▶ received ─┬─▶ (delivery) split ─▶ records: received …
//	                    ├─▶ committed · unchanged · superseded
//	                    └─▶ quarantined ──replay──▶ received
//
// Nothing here is remembered between two records but caches: a process that dies
// leaves records in state received, whose claim runs out, and the next one takes
// them up. It does not know how records arrive (packages below source) nor how
// they are stored.
package ingest
