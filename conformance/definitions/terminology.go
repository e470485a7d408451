package definitions

import "slices"

// Concept is one code of a code system.
type Concept struct {
	System  string
	Code    string
	Display string
	// Abstract codes group others and are not meant to be chosen.
	Abstract bool
	// Inactive codes are deprecated or retired.
	Inactive bool
}

// CodeSystem is a code system enumerated by the specification: FHIR's own,
// the HL7 v2 tables (http://terminology.hl7.org/CodeSystem/v2-0001 …) and the
// v3 vocabulary.
type CodeSystem struct {
	URL           string
	Name          string
	Title         string
	Version       string
	CaseSensitive bool
	// Complete is false where the specification holds only some of the codes.
	Complete bool

	concepts []Concept
	parents  [][]int // indexes into concepts
	byCode   map[string]int
}

// Concepts are the codes in the order of the specification, parents first.
func (c *CodeSystem) Concepts() []Concept { return c.concepts }

// Lookup finds a code, exactly as written.
func (c *CodeSystem) Lookup(code string) (Concept, bool) {
	i, ok := c.byCode[code]
	if !ok {
		return Concept{}, false
	}
	return c.concepts[i], true
}

// Display is the text of a code, empty if the code is unknown.
func (c *CodeSystem) Display(code string) string {
	concept, _ := c.Lookup(code)
	return concept.Display
}

// Subsumes reports whether code is ancestor or lies below it.
func (c *CodeSystem) Subsumes(ancestor, code string) bool {
	a, ok := c.byCode[ancestor]
	b, found := c.byCode[code]
	return ok && found && c.below(b, a, 0)
}

// maxHierarchy bounds the walk upwards, should a hierarchy have a cycle.
const maxHierarchy = 64

func (c *CodeSystem) below(i, ancestor, depth int) bool {
	if i == ancestor {
		return true
	}
	if depth > maxHierarchy {
		return false
	}
	return slices.ContainsFunc(c.parents[i], func(p int) bool { return c.below(p, ancestor, depth+1) })
}

// Membership answers whether a code is in a value set.
type Membership uint8

// The answers. Unknown means that the value set takes codes of that system
// which the specification does not enumerate (SNOMED CT, LOINC, mime types …).
const (
	NotMember Membership = iota
	Member
	Unknown
)

// ValueSet is an expanded value set.
type ValueSet struct {
	URL     string
	Name    string
	Title   string
	Version string
	// Complete is true if Concepts are all there are. Otherwise Open are the
	// systems whose members could not all be enumerated; an empty string in
	// it stands for systems that are not known either.
	Complete bool
	Open     []string

	concepts []Concept
	bySystem map[string]map[string]int
	byCode   map[string]int
}

// Concepts are the codes the specification enumerates.
func (v *ValueSet) Concepts() []Concept { return v.concepts }

// Lookup finds a member by system and code.
func (v *ValueSet) Lookup(system, code string) (Concept, bool) {
	i, ok := v.bySystem[system][code]
	if !ok {
		return Concept{}, false
	}
	return v.concepts[i], true
}

// Has reports whether the code of that system is a member.
func (v *ValueSet) Has(system, code string) Membership {
	if _, ok := v.bySystem[system][code]; ok {
		return Member
	}
	if slices.Contains(v.Open, system) || slices.Contains(v.Open, "") {
		return Unknown
	}
	return NotMember
}

// HasCode reports whether a code without a system, as elements of type code
// have it, is a member.
func (v *ValueSet) HasCode(code string) Membership {
	if _, ok := v.byCode[code]; ok {
		return Member
	}
	if !v.Complete {
		return Unknown
	}
	return NotMember
}

// LookupCode finds a member by code alone; the first one if systems share it.
func (v *ValueSet) LookupCode(code string) (Concept, bool) {
	i, ok := v.byCode[code]
	if !ok {
		return Concept{}, false
	}
	return v.concepts[i], true
}
