package search

// Query is a parsed and checked search on one resource type. A store answers it
// with one plan per page; nothing in it is text of a client that still needs
// parsing. Allowed is never left out: the zero Allowed lets nothing through.
type Query struct {
	Type    string
	Where   []Clause // all must hold
	Allowed Allowed
	Sort    []Sort // ties, and all rows without it, come in the store's own fixed order
	Count   int    // page size; 0 asks for no rows
	After   *Position
	AsOf    int64 // only versions committed up to this change; 0: all
	Total   Total // how the matches are counted
}

// Total says how the matches of a search are counted.
type Total uint8

// The ways to count.
const (
	TotalNone     Total = iota // not at all
	TotalEstimate              // as cheaply as the store can, it may be wrong
	TotalAccurate              // exactly, within the cost limit of a search
)

// Allowed is what a viewer may see. A resource passes when All is set, or its
// owner is one of Owners, or it is a resource without patient data (owner
// "alliance" terminology, organizations) and Shared is set. Further predicates
// (patient, sensitivity) narrow what passes so.
type Allowed struct {
	All      bool
	Owners   []string
	Shared   bool
	Patients []string // when not nil: only resources of these local Patients
}

// Clause is one condition: any of Any matches, or none of them if Not is set.
// Missing, when not nil, asks instead for absence (true) or presence (false) of
// a value. Chains and reverse chains are operands.
type Clause struct {
	Param   string
	Kind    Kind
	Not     bool
	Missing *bool
	Any     []Operand
}

// Operand is one alternative of a Clause, one of the Match types below.
type Operand interface{ operand() }

// TokenMatch matches codes and identifiers. A nil System matches any system, an
// empty one only values without a system. An empty Code with a System matches
// every code of it.
type TokenMatch struct {
	System *string
	Code   string
	Text   string // :text, folded: matches the start of the display or text
	Type   string // :of-type
	Other  bool   // matches every value that the rest does not match; there is no Text
}

// StringMode says how text matches.
type StringMode uint8

// The string modes.
const (
	Prefix StringMode = iota
	Exact
	Contains
	Equal  // the whole folded text
	Suffix // the end of the folded text
	Other  // any text but the whole folded one
)

// StringMatch matches text; Text is folded unless Mode is Exact. A store that
// looks for Contains may do so by the Grams of the text, and must then compare.
type StringMatch struct {
	Mode StringMode
	Text string
}

// Compare is the prefix of an ordered parameter.
type Compare uint8

// The prefixes of https://hl7.org/fhir/R4/search.html#prefix.
const (
	EQ Compare = iota
	NE
	GT
	LT
	GE
	LE
	SA
	EB
	AP
)

// DateMatch compares the interval of a value with [Low, High), in microseconds.
type DateMatch struct {
	Compare   Compare
	Low, High int64
}

// NumberMatch compares a number; Low and High are the interval that the digits
// written imply for EQ and NE, Value is the number itself for the others.
type NumberMatch struct {
	Compare          Compare
	Low, Value, High float64
}

// QuantityMatch compares a quantity. With Canonical set Code is the UCUM base
// unit and the numbers are converted; otherwise an empty Code matches any unit,
// a Code without System matches code or printed unit.
type QuantityMatch struct {
	NumberMatch
	System, Code string
	Canonical    bool
}

// ReferenceMatch matches references to a local resource (Type may be empty: any
// type), to a URL, or by business identifier.
//
// With Tree set it matches references to what lies below or above the resource in
// the hierarchy that reference parameter Via of its Type makes, itself among them.
// Stores do not walk hierarchies: Hierarchies puts plain matches in its place
// before a query is asked.
type ReferenceMatch struct {
	Type, ID   string
	URL        string
	Identifier *TokenMatch
	Tree       Tree
	Via        string
}

// Tree is a direction in a hierarchy of resources.
type Tree uint8

// The directions.
const (
	TreeNone Tree = iota
	TreeBelow
	TreeAbove
)

// URIMatch matches a uri exactly, below (Value is a path prefix) or above.
type URIMatch struct {
	Value        string
	Below, Above bool
}

// ChainMatch matches references to a resource of Type for which Where holds.
// The viewer's Allowed applies to that resource too.
type ChainMatch struct {
	Type  string
	Where []Clause
}

// HasMatch is a reverse chain: a resource of Type that the viewer may see, for
// which Where holds, refers to this one through Param. Clause.Param is unused.
type HasMatch struct {
	Type, Param string
	Where       []Clause
}

// AllMatch holds where all of Where holds for the same resource; so it does where
// Where is empty. With it, and
// with Clause.Not, a condition can be any combination of others: what _filter
// says, and compartments. Clause.Param is unused.
type AllMatch struct{ Where []Clause }

// CompositeMatch holds where one element fulfils all parts: its values share a
// Group. Part i is asked of Component(Clause.Param, i).
type CompositeMatch struct{ Parts []CompositePart }

// CompositePart is what is asked of one component.
type CompositePart struct {
	Kind  Kind
	Match Operand // one of the matches on values
}

// NearMatch holds for positions within a distance on the sphere. Component 0 of
// the parameter is the latitude, component 1 the longitude, both in degrees and
// numbers.
type NearMatch struct{ Latitude, Longitude, Meters float64 }

// TextMatch holds where all terms occur in the text of the parameter.
type TextMatch struct{ Terms []string }

func (TokenMatch) operand()     {}
func (AllMatch) operand()       {}
func (CompositeMatch) operand() {}
func (NearMatch) operand()      {}
func (TextMatch) operand()      {}
func (StringMatch) operand()    {}
func (DateMatch) operand()      {}
func (NumberMatch) operand()    {}
func (QuantityMatch) operand()  {}
func (ReferenceMatch) operand() {}
func (URIMatch) operand()       {}
func (ChainMatch) operand()     {}
func (HasMatch) operand()       {}

// Sort is one sort key. Rows without a value come last in both directions.
type Sort struct {
	Param string
	Kind  Kind
	Down  bool
}

// Position is where the last page ended: what places its last row, and its id.
// Keys are opaque to everybody but the store that made them.
type Position struct {
	Keys []string
	ID   string
}
