package testscript

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func (x *execution) assertExpression(a *assertion, m *message) (verdict, error) {
	text := a.expression
	if text == "" { // the same is asked of both
		text = a.compareToSourceExpression
	}
	text, err := x.expand(text)
	if err != nil {
		return verdict{}, err
	}
	if _, err := m.resource(); err != nil {
		return failed("there is no resource: %v", err), nil
	}
	if a.compareToSourceID != "" {
		return x.compareExpressions(a, m, text)
	}
	want, given, err := x.wanted(a)
	if err != nil {
		return verdict{}, err
	}
	if !given && (a.operator == "" || a.operator == opEval || a.operator == opEquals) {
		values, err := x.expression(text, m)
		if err != nil {
			return verdict{}, err
		}
		if len(values) == 1 {
			if truth, ok := values[0].Bool(); ok && truth {
				return verdict{holds: true, message: "expression " + shortened(text)}, nil
			}
		}
		return failed("the expression %s is not true", cut(text, maxExpression)).with(shown(values) + x.reasons.String()), nil
	}
	values, err := x.expression(text, m)
	if err != nil {
		return verdict{}, err
	}
	ok, problem := false, ""
	switch {
	case a.operator == opEmpty:
		ok = len(values) == 0
	case a.operator == opNotEmpty:
		ok = len(values) > 0
	case !given:
		return verdict{}, errors.New("there is no value to compare the expression with")
	default:
		ok, problem = holdsFor(a.operator, values, want)
	}
	if !ok {
		return failed("the expression %s gives %d values%s, %s", cut(text, maxExpression), len(values), problem,
			wish(a.operator, want)).with(shown(values) + x.reasons.String()), nil
	}
	return verdict{holds: true, message: "expression " + shortened(text)}, nil
}

// holdsFor compares what an expression gives with a value. Orders and "equals" want exactly one; "contains" and "in" look
// at all.
func holdsFor(operator string, values []fhirpath.Value, want string) (bool, string) {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		if v.Kind() == fhirpath.Element && v.Node().Kind() == fhir.Object {
			return false, ", one of them with children"
		}
		texts = append(texts, v.String())
	}
	switch operator {
	case opEquals, "", opGreaterThan, opLessThan:
		if len(texts) != 1 {
			return false, ""
		}
		if operator == opEquals || operator == "" {
			if order, numbers := compareNumbers(texts[0], want); numbers {
				return order == 0, ""
			}
		}
	}
	return holdsAny(operator, texts, want), ""
}

// comparisons are the operators between two expressions, in FHIRPath.
var comparisons = map[string]string{
	"": "%left = %right", opEquals: "%left = %right", opNotEquals: "(%left = %right).not()",
	opGreaterThan: "%left > %right", opLessThan: "%left < %right",
	opIn: "%left.subsetOf(%right)", opNotIn: "%left.intersect(%right).empty()",
	opContains: "%right.subsetOf(%left)", opNotContains: "%right.intersect(%left).empty()",
}

func (x *execution) compareExpressions(a *assertion, m *message, text string) (verdict, error) {
	other := a.compareToSourceExpression
	if other == "" {
		return verdict{}, errors.New("compareToSourceExpression says nothing")
	}
	other, err := x.expand(other)
	if err != nil {
		return verdict{}, err
	}
	source, err := x.message(a.compareToSourceID)
	if err != nil {
		return verdict{}, err
	}
	left, err := x.expression(text, m)
	if err != nil {
		return verdict{}, err
	}
	right, err := x.expression(other, source)
	if err != nil {
		return verdict{}, fmt.Errorf("source %s: %w", a.compareToSourceID, err)
	}
	comparison, ok := comparisons[a.operator]
	if !ok {
		return verdict{}, errors.New("the operator does not compare two sources")
	}
	if len(right) == 0 { // else an expression that is misspelt would hold
		return verdict{}, fmt.Errorf("the expression finds nothing in source %s to compare with", a.compareToSourceID)
	}
	n, _ := m.resource()
	result, err := evaluateFHIRPath(comparison, n, &fhirpath.Env{Limits: expressionLimits,
		Variables: map[string][]fhirpath.Value{"left": left, "right": right}}, []string{"left", "right"})
	if err != nil {
		return verdict{}, err
	}
	holds := a.operator == opNotEquals // what FHIRPath says of a value and none
	if len(result) == 1 {
		holds, _ = result[0].Bool()
	}
	if !holds {
		return failed("the expression %s gives %d values, %s the %d of source %s", cut(text, maxExpression), len(left),
			wish(a.operator, ""), len(right), a.compareToSourceID).with(shown(left) + " | " + shown(right)), nil
	}
	return verdict{holds: true, message: "expression " + shortened(text)}, nil
}

func (x *execution) assertPath(a *assertion, m *message) (verdict, error) {
	text := a.path
	if text == "" {
		text = a.compareToSourcePath
	}
	text, err := x.expand(text)
	if err != nil {
		return verdict{}, err
	}
	if _, err := m.resource(); err != nil {
		return failed("there is no resource: %v", err), nil
	}
	got, err := x.pathTexts(text, m)
	if err != nil {
		return verdict{}, err
	}
	op := a.operator
	if op == opEval {
		return verdict{}, errors.New("only an expression can be asserted with eval")
	}
	if a.compareToSourceID != "" {
		return x.comparePaths(a, got, text)
	}
	want, given, err := x.wanted(a)
	if err != nil {
		return verdict{}, err
	}
	if !given && op == "" {
		op = opNotEmpty
	}
	if !given && op != opEmpty && op != opNotEmpty {
		return verdict{}, errors.New("there is no value to compare the path with")
	}
	if !holdsAny(op, got, want) {
		return failed("the path %s gives %d values, %s", shortened(text), len(got), wish(op, want)).
			with(strings.Join(got, ", ")), nil
	}
	return verdict{holds: true, message: "path " + shortened(text)}, nil
}

func (x *execution) comparePaths(a *assertion, got []string, text string) (verdict, error) {
	if a.compareToSourcePath == "" {
		return verdict{}, errors.New("compareToSourcePath says nothing")
	}
	other, err := x.expand(a.compareToSourcePath)
	if err != nil {
		return verdict{}, err
	}
	source, err := x.message(a.compareToSourceID)
	if err != nil {
		return verdict{}, err
	}
	want, err := x.pathTexts(other, source)
	if err != nil {
		return verdict{}, fmt.Errorf("source %s: %w", a.compareToSourceID, err)
	}
	if len(want) == 0 {
		return verdict{}, fmt.Errorf("the path finds nothing in source %s to compare with", a.compareToSourceID)
	}
	ok := false
	switch a.operator {
	case "", opEquals:
		ok = slices.Equal(got, want)
	case opNotEquals:
		ok = !slices.Equal(got, want)
	case opIn, opContains:
		in, of := got, want
		if a.operator == opContains {
			in, of = want, got
		}
		ok = !slices.ContainsFunc(in, func(s string) bool { return !slices.Contains(of, s) })
	case opNotIn, opNotContains:
		ok = !slices.ContainsFunc(got, func(s string) bool { return slices.Contains(want, s) })
	case opGreaterThan, opLessThan:
		ok = len(got) == 1 && len(want) == 1 && holds(a.operator, got[0], want[0])
	default:
		return verdict{}, errors.New("the operator does not compare two sources")
	}
	if !ok {
		return failed("the path %s gives %d values, %s the %d of source %s", shortened(text), len(got), wish(a.operator, ""),
			len(want), a.compareToSourceID).with(strings.Join(got, ", ") + " | " + strings.Join(want, ", ")), nil
	}
	return verdict{holds: true, message: "path " + shortened(text)}, nil
}

func shown(values []fhirpath.Value) string {
	var parts []string
	for _, v := range values {
		if n := v.Node(); n.Kind() == fhir.Object {
			parts = append(parts, string(n.AppendJSON(nil)))
		} else {
			parts = append(parts, v.String())
		}
		if len(parts) == 20 {
			parts = append(parts, "…")
			break
		}
	}
	return strings.Join(parts, ", ")
}
