// Package snapshot makes the snapshot of a StructureDefinition: all elements that hold for what it describes, from the
// few that its differential names and from what it derives from.
//
// It owns the walk along base definitions, the unfolding of types, profiles and content references below an element,
// slices (of lists, of choices by type, of extensions by URL, of slices), and the merging of one element's properties
// into another's. It does not look definitions up itself (Source does), does not judge resources (package validate),
// and takes a definition that has a snapshot at its word.
//
// Trees of elements are immutable and shared: unfolding a type costs a pointer, and elements are copied once, when the
// snapshot is written down. That bounds the work by the differential and the size of the result, which is counted
// before anything is written.
//
// What a slice that the base does not have starts from is the base's element, not what the same differential says of
// the whole list: a resource must satisfy both, and so does not need it twice.
//
//	differential ── change tree ──┐
//	                              ├─ merge ── element tree ── snapshot
//	base ── its snapshot ─────────┘
//
// Contradictions – a path that does not exist, a max above the base's, a slice of what is not sliced, a profile made
// from itself – are issues; the element concerned stays as its base has it.
//
// Specification: https://hl7.org/fhir/R4/profiling.html#snapshot, https://hl7.org/fhir/R4/elementdefinition.html
package snapshot
