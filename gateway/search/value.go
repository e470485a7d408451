package search

import "strconv"

// Kind is the kind of index value, which decides where a store keeps it and how
// it compares.
type Kind uint8

// The kinds.
const (
	KindToken Kind = iota + 1
	KindString
	KindDate
	KindReference
	KindNumber
	KindQuantity
	KindURI
	KindText      // _text, _content
	KindComposite // indexed by its components
	KindSpecial   // near, _filter, _list, _has: made of other kinds
)

// Values are the index values of one resource, by kind. Param is the code of the
// search parameter. A store keeps them as they are: everything that needs FHIR
// or Unicode knowledge (folding, precision, canonical units, aliases of
// identifier systems) has been done here, so that all stores agree.
//
// Group joins the values that one element gives the components of a composite
// parameter; their Param is Component(code, i). It is 0 for all other values.
type Values struct {
	Tokens     []Token
	Strings    []String
	Dates      []Date
	References []Reference
	Numbers    []Number
	Quantities []Quantity
	URIs       []URI
	Texts      []Text
}

// Component is the name of the i-th component of a composite parameter, counted
// from 0, as index values and operands have it.
func Component(code string, i int) string { return code + "$" + strconv.Itoa(i) }

// Token is a coded value or identifier. Text is the folded display or text for
// :text; Type ("system|code" of identifier.type) serves :of-type.
type Token struct {
	Param        string
	System, Code string
	Text         string
	Type         string
	Group        uint16
}

// String is text: Folded (case, accents and width removed) for matching from the
// start and anywhere, Exact as written.
type String struct {
	Param         string
	Folded, Exact string
	Group         uint16
}

// Date is the half-open interval [Low, High) that a value covers by its
// precision, in microseconds since 1970 UTC. An open end is MinTime or MaxTime.
type Date struct {
	Param     string
	Low, High int64
	Group     uint16
}

// MinTime and MaxTime stand for open ends.
const (
	MinTime = -1 << 62
	MaxTime = 1 << 62
)

// Reference points at a resource: a local one by Type and ID, any other by URL,
// one that is only named by its business identifier (System, Value).
type Reference struct {
	Param         string
	Type, ID      string
	URL           string
	System, Value string
	Group         uint16
}

// Number is the interval [Low, High] implied by the precision of a decimal.
type Number struct {
	Param     string
	Low, High float64
	Group     uint16
}

// Quantity is a number with a unit; canonical fields hold the UCUM base form
// where the unit is valid UCUM, "" elsewhere.
type Quantity struct {
	Param                       string
	Low, High                   float64
	System, Code, Unit          string
	CanonicalCode               string
	CanonicalLow, CanonicalHigh float64
	Group                       uint16
}

// URI is a uri, url or canonical as written; a canonical's version is in it.
type URI struct {
	Param string
	Value string
	Group uint16
}

// Text is what _text (the narrative) or _content (all text) finds a resource by:
// folded words, and of scripts without spaces every character and every two
// neighbours, each once, in the order they come in.
type Text struct {
	Param string
	Terms []string
}
