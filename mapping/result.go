package mapping

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

// Write says what a resource made from a record does to the stored one.
type Write uint8

// The ways of writing, §4 of README.md.
const (
	Replace   Write = iota // the record is the whole truth about what its rules can make
	Update                 // what the record gives replaces, what it deletes or empties goes, the rest stays
	Merge                  // only gaps are filled
	Reference              // never written: others refer to it
)

func (w Write) String() string { return [...]string{"replace", "update", "merge", "reference"}[w] }

// Result is what a map made of one record.
type Result struct {
	Map       string     // name of the map
	Version   string     // hash of everything the map's meaning depends on, 16 hex digits
	Stamp     Stamp      // how new the record is
	Resources []Resource // in the order in which they are to be written
	Issues    []fhir.Issue
	Trace     []Step    // with RunOptions.Trace
	Coverage  *Coverage // with RunOptions.Coverage
}

// Rejected reports whether the record must not be written: an issue is an error.
func (r *Result) Rejected() bool { return fhir.HasErrors(r.Issues) }

// Resource is one resource that a rule made. Tree belongs to the caller.
type Resource struct {
	Rule  string
	Type  string
	ID    string // "" only for a Reference resource that has no key
	Write Write
	Tree  *fhir.Node // resourceType, id, then elements in FHIR's order
	// Cleared are the top-level elements that go when the resource is stored already: in Replace what the rule could
	// have made and did not, in Update what the record empties or deletes; and the other names of a choice element.
	Cleared []string
	// Identifier is, for a Reference resource, what a logical reference to it says: its first identifier; else nil.
	Identifier *fhir.Node
	Origin     record.Origin // the scope the rule was run for
	kind       *resourceKind
	kept       map[string][]string // in Update: of identifier and extension, the slots about which the record says nothing
	quiet      []string            // elements made whose value is stored only with another change
}

// Reference returns the relative reference "Type/id".
func (r *Resource) Reference() string { return r.Type + "/" + r.ID }

// Stamp is how new a record is: its event time, then a sequence within it.
type Stamp struct {
	Time     int64 // microseconds since 1970 UTC; 0 when the record has no time
	Sequence int64
}

// Step tells which rule made an element of what.
type Step struct {
	Resource string // "Observation/id"
	Rule     string
	Element  string // "Observation.valueQuantity"
	From     []record.Origin
	By       string // function, table or "literal"
}
