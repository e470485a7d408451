package terminology

import (
	"context"
	"iter"
)

// CodeSystem is what a code system must answer. A Catalog calls it, from many goroutines at once; what is returned is
// the caller's to read and the code system's to keep. An error means that the answer could not be had (a store is out
// of reach), or is a *Refusal where the question cannot be answered; that a code does not exist is no error.
type CodeSystem interface {
	// Describe tells what the code system is. It must be quick and always the same.
	Describe() *Description
	// Lookup finds a code. Where codes are not case sensitive, Concept.Code is the code as the system writes it.
	Lookup(ctx context.Context, code string) (Concept, bool, error)
	// Details are all that is known of a code.
	Details(ctx context.Context, code string) (Details, bool, error)
	// Subsumes reports whether code is ancestor or lies below it. Both must exist.
	Subsumes(ctx context.Context, ancestor, code string) (bool, error)
	// Select finds the concepts that fulfil a query.
	Select(ctx context.Context, q Query) (Selection, error)
}

// Selection is concepts of one code system in its order. It is immutable.
type Selection interface {
	// Count is how many there are, Infinite if they cannot be listed.
	Count() int
	// Has reports whether a code is among them.
	Has(ctx context.Context, code string) (bool, error)
	// From yields them beginning with the one at a position, counted from 0.
	From(ctx context.Context, position int) iter.Seq2[Concept, error]
}

// Infinite is the count of codes that a grammar makes.
const Infinite = -1

// Content is how much of a code system is known, as http://hl7.org/fhir/codesystem-content-mode.
type Content string

// The contents.
const (
	Complete   Content = "complete"
	Fragment   Content = "fragment"
	Example    Content = "example"
	NotPresent Content = "not-present"
	supplement Content = "supplement"
)

// Description is what a code system says of itself.
type Description struct {
	URL      string
	Version  string
	Name     string
	Title    string
	Language string // of displays, "" if nobody says
	ValueSet string // canonical URL of the value set of all its codes, "" if none is named
	Content  Content
	Status   string // of the resource, as http://hl7.org/fhir/publication-status; "" if nobody says
	// CaseSensitive tells whether codes that differ only in case differ.
	CaseSensitive bool
	// Hierarchy tells whether concepts have parents.
	Hierarchy bool
	// Count is how many concepts are held, Infinite for a grammar.
	Count      int
	Properties []PropertyDefinition
}

// PropertyDefinition is a property that concepts of a code system may have.
type PropertyDefinition struct {
	Code, URI, Type, Description string
}

// Concept is one code of a code system.
type Concept struct {
	Code    string
	Display string
	// Parent is the code of the first parent, "" at the top.
	Parent string
	// Abstract codes group others and are not meant to be chosen.
	Abstract bool
	// Inactive codes are deprecated or retired.
	Inactive bool
}

// Details are what a code system knows of a concept beyond the Concept itself.
type Details struct {
	Concept
	Definition   string
	Designations []Designation
	Properties   []Property
	Parents      []string
	Children     []string
}

// Designation is another name of a concept.
type Designation struct {
	Language string
	Use      Coding
	Value    string
}

// Property is a value that a concept has. Type is that of the value[x] in FHIR: code, string, Coding, integer, boolean,
// dateTime or decimal; Coding holds the value if that is the type, and Value otherwise, as JSON writes it.
type Property struct {
	Code   string
	Type   string
	Value  string
	Coding Coding
}

// text is the value as filters write it.
func (p Property) text() string {
	if p.Type == "Coding" {
		return p.Coding.Code
	}
	return p.Value
}

// Coding is a code with its system. It never has white space around it.
type Coding struct {
	System, Version, Code, Display string
}

// Query says which concepts are wanted: those that every filter holds for, and that have every word of Text in their
// code, display or a designation. An empty Query is all concepts.
type Query struct {
	Filters []Filter
	Text    string
}

// Filter is one condition, as ValueSet.compose.include.filter.
type Filter struct {
	Property string
	Op       Op
	Value    string
}

// Op is a code of http://hl7.org/fhir/filter-operator.
type Op string

// The operators.
const (
	OpEqual        Op = "="
	OpIsA          Op = "is-a"
	OpDescendentOf Op = "descendent-of"
	OpIsNotA       Op = "is-not-a"
	OpRegex        Op = "regex"
	OpIn           Op = "in"
	OpNotIn        Op = "not-in"
	OpGeneralizes  Op = "generalizes"
	OpExists       Op = "exists"
)
