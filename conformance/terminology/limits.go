package terminology

import "math"

// Limits bound what is taken in and what an answer may cost. A zero field means its default.
type Limits struct {
	Concepts  int // in one code system; default DefaultMaxConcepts
	Text      int // bytes of all texts of one code system; default DefaultMaxText
	Parts     int // includes, excludes, codes, filters and imports of one value set; default DefaultMaxParts
	Imports   int // how deep value sets import others; default DefaultMaxImports
	Expansion int // codes in one expansion or page; default DefaultMaxExpansion
	Steps     int // concepts and rules looked at for one answer; default DefaultMaxSteps
	Targets   int // in one concept map; default DefaultMaxTargets
	Kept      int // bytes of what was read from resources and is kept; default DefaultKept
}

// Defaults of Limits.
const (
	DefaultMaxConcepts  = 1_000_000
	DefaultMaxText      = 256 << 20
	DefaultMaxParts     = 100_000
	DefaultMaxImports   = 32
	DefaultMaxExpansion = 10_000
	DefaultMaxSteps     = 1_000_000
	DefaultMaxTargets   = 200_000
	DefaultKept         = 64 << 20
)

// Bounds of what a question and a resource may hold.
const (
	MaxPattern     = 512        // bytes of a regular expression
	MaxPatternSize = 10_000     // instructions of the program that it is compiled to
	MaxPatternWork = 20_000_000 // instructions of the pattern times bytes it is matched against
	MaxWords       = 16         // of a text filter
	MaxWordBytes   = 256        // of a text filter, all words
	MaxKinds       = 10_000     // of properties, and of designations by language and use, in one code system
	MaxRepetitions = 1_000      // of one parameter of an operation, and codings of one concept
	MaxFilterList  = 10_000     // values of one filter "in"
)

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Concepts, DefaultMaxConcepts}, {&l.Text, DefaultMaxText}, {&l.Parts, DefaultMaxParts},
		{&l.Imports, DefaultMaxImports}, {&l.Expansion, DefaultMaxExpansion}, {&l.Steps, DefaultMaxSteps},
		{&l.Targets, DefaultMaxTargets}, {&l.Kept, DefaultKept},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	l.Concepts, l.Text = min(l.Concepts, maxOffset), min(l.Text, maxOffset)
	return l
}

// maxOffset is what the numbers in a Memory can count.
const maxOffset = math.MaxInt32 / 4
