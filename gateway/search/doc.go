// Package search turns resources into index values and query strings into query
// trees. Both sides share its knowledge: folding of text, precision of dates and
// numbers, canonical units, aliases of identifier systems, so that a store only
// compares.
//
//	resource ── Engine.Values ──▶ Values ──▶ store
//	?name=… ─── Engine.Parse ───▶ Request ─▶ store
//
// Every search parameter is the FHIRPath expression of its definition, compiled
// once per resource type; no resource type has code of its own. Definitions may be
// given at run time (SetParameters); until all resources are indexed by one, it is
// refused, as everything is that cannot be searched: by name, never ignored.
//
// A composite parameter has index values of its own only where it looks at elements
// inside of a resource; of the whole resource it is a conjunction. _filter, and
// compartments, are combinations of conditions (AllMatch), _list is a reverse chain.
// References above and below one in a hierarchy are the caller's to walk, see
// Hierarchies. Conditional interactions lock what Criterion and IdentifierLocks name.
//
// It owns no SQL, no HTTP and no authorisation: Query.Allowed is the caller's; what
// codes mean it asks a Terminology. Package oracle answers queries by looking at
// every value, and is what tests compare with. What findings say, in English and
// Chinese, is in messages.txt.
//
// Specification: https://hl7.org/fhir/R4/search.html
package search
