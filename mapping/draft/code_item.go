package draft

import (
	"strings"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/fold"
)

// named finds the target of an item by its printed name, or by an abbreviation in place of a code, in a built-in table of names. Where name and
// code say different things, neither counts; a code alone, beside a name that the table does not know, is doubtful.
func (r *codeRow) named(table, code, display string) (target, bool) {
	b, ok := codes.Builtin(table)
	if !ok {
		return target{}, false
	}
	known := func(s string) (codes.Entry, bool) {
		e, ok := b.Lookup(s)
		return e, ok && s != "" && e.Target.Code != "" && r.agrees(e.Target.Display)
	}
	name, hasName := known(display)
	short, hasShort := known(code)
	if isDecimal(code) {
		hasShort = false
	}
	switch {
	case hasName && hasShort && name.Target.Code != short.Target.Code:
		return target{}, false
	case hasName:
		return target{code: name.Target.Code, display: name.Target.Display, equivalence: name.Equivalence, why: table, named: true}, true
	case hasShort:
		return target{code: short.Target.Code, display: short.Target.Display, equivalence: short.Equivalence, why: table, named: true,
			doubt: display != "" && display != code}, true
	}
	return target{}, false
}

// Groups of specimens that a LOINC name can be of.
const (
	ofBlood = "Blood"
	ofUrine = "Urine"
	ofStool = "Stool"
	ofFluid = "fluid"
)

// groupOf is the group of a specimen as it is printed; "" when it is in none.
func groupOf(printed string) string {
	switch specimenTable.known[fold.Key(printed)] {
	case "BLD", "BLDV", "BLDA", "BLDC", "SER", "PLAS":
		return ofBlood
	case "UR", "URC":
		return ofUrine
	case "STL":
		return ofStool
	case "CSF", "AMN", "BIFL", "SAL", "SPT":
		return ofFluid
	}
	return ""
}

// agrees reports whether the specimens seen in the rows of an item are such as the display of its target names: glucose of urine is
// another item than glucose of serum, under the same name.
func (r *codeRow) agrees(display string) bool {
	_, of, ok := strings.Cut(display, "] in ")
	if !ok {
		return true
	}
	group := ""
	switch {
	case strings.HasPrefix(of, "Urine"):
		group = ofUrine
	case strings.HasPrefix(of, "Stool"):
		group = ofStool
	case strings.HasPrefix(of, "Serum"), strings.HasPrefix(of, "Blood"), strings.Contains(of, "blood"), strings.Contains(of, "lasma"):
		group = ofBlood
	default:
		return true
	}
	agree, differ := 0, 0
	for seen, times := range r.taken {
		switch seen {
		case "":
		case group:
			agree += times
		default:
			differ += times
		}
	}
	return differ <= agree
}

// specimenBeside is the column that says of what specimen the rows of a table of items are.
func specimenBeside(spec tableSpec, code *column) *column {
	if spec.names == "" {
		return nil
	}
	of := func(s *scope) *column { return s.own("specimen.name", "specimen") }
	if c := of(code.scope); c != nil {
		return c
	}
	if p := code.scope.parent; p != nil && p.heading != nil && p.name == code.scope.name { // the same rows
		return of(p)
	}
	return nil
}
