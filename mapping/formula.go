package mapping

import (
	"regexp"

	"github.com/yilian/yilian/mapping/record"
)

// formula is a text that a spreadsheet would run: a call of another program, or of a function, behind a sign that begins one.
// A sign before digits, words or a quoted text (="00123", as exports protect leading zeros) is none.
var formula = regexp.MustCompile(`^\s*(?:[=+\-@]\s*[A-Za-z]+\s*\||[=@]\s*[A-Za-z][A-Za-z.]*\()`)

// refuseFormula returns why a record must not be taken in: it carries a formula that would run on the desk of whoever opens
// an extract of what became of it. No hospital's system writes such a value.
func refuseFormula(rec *record.Record) *record.SyntaxError {
	n := formulaIn(rec.Root)
	if n == nil {
		return nil
	}
	o := n.Origin()
	return &record.SyntaxError{File: rec.File, Line: o.Line, Column: o.Column, Path: o.Path, Code: "formula", Reason: "a value is a formula that a spreadsheet would run"}
}

func formulaIn(n *record.Node) *record.Node {
	if n.Kind() == record.Leaf || n.Kind() == record.Group { // of an element of XML its own text
		if t := n.Text(); len(t) > 2 && (t[0] <= ' ' || t[0] == '=' || t[0] == '+' || t[0] == '-' || t[0] == '@') && formula.MatchString(t) {
			return n
		}
	}
	for _, k := range n.Kids() {
		if found := formulaIn(k); found != nil {
			return found
		}
	}
	return nil
}
