package testscript

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The operators of assertions.
const (
	opEquals      = "equals"
	opNotEquals   = "notEquals"
	opIn          = "in"
	opNotIn       = "notIn"
	opGreaterThan = "greaterThan"
	opLessThan    = "lessThan"
	opEmpty       = "empty"
	opNotEmpty    = "notEmpty"
	opContains    = "contains"
	opNotContains = "notContains"
	opEval        = "eval"
)

var operators = []string{opEquals, opNotEquals, opIn, opNotIn, opGreaterThan, opLessThan, opEmpty, opNotEmpty, opContains,
	opNotContains, opEval}

// plainNumber is a number without an exponent, so that comparing costs no more than its text.
var plainNumber = regexp.MustCompile(`^[+-]?[0-9]{1,60}(\.[0-9]{1,60})?$`)

// compareNumbers orders two numbers exactly; ok is false if either is none.
func compareNumbers(a, b string) (order int, ok bool) {
	if !plainNumber.MatchString(a) || !plainNumber.MatchString(b) {
		return 0, false
	}
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	return x.Cmp(y), true
}

// compareTexts orders two values: as numbers or instants if both are, else as text.
func compareTexts(a, b string) int {
	if o, ok := compareNumbers(a, b); ok {
		return o
	}
	if x, err := time.Parse(time.RFC3339Nano, a); err == nil {
		if y, err := time.Parse(time.RFC3339Nano, b); err == nil {
			return x.Compare(y)
		}
	}
	return strings.Compare(a, b)
}

// holds compares one value with what is wanted. Lists are separated by commas.
func holds(operator, got, want string) bool {
	switch operator {
	case opEquals, "":
		return got == want
	case opNotEquals:
		return got != want
	case opIn:
		return slices.Contains(list(want), got)
	case opNotIn:
		return !slices.Contains(list(want), got)
	case opGreaterThan:
		return compareTexts(got, want) > 0
	case opLessThan:
		return compareTexts(got, want) < 0
	case opContains:
		return strings.Contains(got, want)
	case opNotContains:
		return !strings.Contains(got, want)
	case opEmpty:
		return got == ""
	case opNotEmpty:
		return got != ""
	}
	return false
}

// holdsAny compares values as XPath does: the positive operators hold if they do for any value, the negative ones if they
// do for all. The orders must hold for all of at least one.
func holdsAny(operator string, got []string, want string) bool {
	each := func(v string) bool { return holds(operator, v, want) }
	switch operator {
	case opEmpty:
		return !slices.ContainsFunc(got, func(v string) bool { return v != "" })
	case opNotEmpty:
		return slices.ContainsFunc(got, func(v string) bool { return v != "" })
	case opNotEquals, opNotIn, opNotContains:
		return !slices.ContainsFunc(got, func(v string) bool { return !each(v) })
	case opGreaterThan, opLessThan:
		return len(got) > 0 && !slices.ContainsFunc(got, func(v string) bool { return !each(v) })
	}
	return slices.ContainsFunc(got, each)
}

func list(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
