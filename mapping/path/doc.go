// Package path says where a value stands in a record: PID-3[2].4.2, patient.XM, /MSH-7, //OBX, id[@root='1.2'].@extension,
// .1, $visit.
//
// It owns the syntax of paths and how one is followed from a scope. It does not own scopes (the mapping engine steps
// through records), what may stand where in an HL7 v2 message, nor what becomes of a value.
//
// # Where a name is looked for
//
// In the scope itself, if it is the segment of that name or its structure holds one; then in the group around it, and so
// on outward. When no structure holds the name directly, below the scope and then below the groups around it, but only
// through groups that do not repeat there: what belongs to one repetition is never taken for what belongs to another.
// From the record itself, as the last resort, the first of the name at any depth. JSON and XML have no declared
// structure; there a name is looked for in the scope alone, and / leads to the rest.
//
// # Which repetition
//
// The first, unless a number or a selector says another: PID-3[2], PID-3[.5='MR'], id[@root='1.2.3']. A selector leaves
// the repetitions in which its path leads to that text, whichever of several values there has it; it looks into the
// repetition alone, never around it. Several selectors narrow one another, a number behind them counts what is left.
package path
