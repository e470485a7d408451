// Package search turns resources into index values and query strings into query
// trees. Both sides share its knowledge: folding of text, precision of dates and
// numbers, canonical units, aliases of identifier systems, so that a store only
// compares.
//
//	resource ── Engine.Values ──▶ Values ──▶ store
//	?name=… ─── Engine.Parse ───▶ Request ─▶ store
//
// Every search parameter is the FHIRPath expression of its definition, compiled
// once per resource type; no resource type has code of its own. What cannot be
// searched (composite and special parameters, modifiers that need terminology)
// is refused by name, never ignored.
//
// It owns no SQL, no HTTP and no authorisation: Query.Allowed is the caller's.
//
// Specification: https://hl7.org/fhir/R4/search.html
package search
