package definitions

// SearchParameter is one search parameter.
type SearchParameter struct {
	URL         string
	ID          string
	Code        string // the name used in a query
	Type        string // number, date, string, token, reference, composite, quantity, uri, special
	Base        []string
	Expression  string // FHIRPath for all bases; empty for special ones such as _text
	Description string
	Targets     []string // resource types a reference may point to
	// Comparators and Modifiers are those the definition lists. R4 lists them
	// for few; where there are none, those of the type apply.
	Comparators []string
	Modifiers   []string
	Chains      []string
	MultipleOr  bool
	MultipleAnd bool
	Components  []Component
}

// Component is one part of a composite parameter.
type Component struct {
	Definition string // URL of the parameter whose type the part has
	Expression string // relative to the composite's expression
}

// Compartment is the set of resources that belong to one resource, such as a
// patient.
type Compartment struct {
	Code string // "Patient"
	URL  string

	params map[string][]string
	types  []string
}

// Parameters are the codes of the search parameters of a resource type whose
// value puts it into the compartment. "{def}" stands for the resource that
// the compartment is about. None means the type is never in it.
func (c *Compartment) Parameters(resource string) []string { return c.params[resource] }

// Types are the resource types that may be in the compartment, sorted.
func (c *Compartment) Types() []string { return c.types }
