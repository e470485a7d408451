package rest

import (
	"slices"
	"strings"
)

// What a client prefers to get back from a write.
const (
	returnMinimal        = "minimal"
	returnRepresentation = "representation"
	returnOutcome        = "OperationOutcome"
)

// What a client prefers to happen with parameters that are unknown.
const (
	handlingStrict  = "strict"
	handlingLenient = "lenient"
)

// prefer returns what the client wants back from a write, "" when it does not say,
// or says what is none of the three.
func (r *request) prefer() string {
	return r.preference("return", returnMinimal, returnRepresentation, returnOutcome)
}

// lenient tells whether parameters that are unknown are to be passed over.
func (r *request) lenient() bool {
	handling := r.preference("handling", handlingStrict, handlingLenient)
	r.applied("handling", handling)
	return handling == handlingLenient
}

// preference returns the first of values that the client states a preference for by
// name, "" for none. Case does not matter, and a value may be quoted.
//
// https://www.rfc-editor.org/rfc/rfc7240
func (r *request) preference(name string, values ...string) string {
	for _, line := range r.Request().Header["Prefer"] {
		for part := range strings.FieldsFuncSeq(joined.Replace(line), func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
			key, value, _ := strings.Cut(part, "=")
			if !strings.EqualFold(key, name) {
				continue
			}
			value = strings.Trim(value, `"`)
			if i := slices.IndexFunc(values, func(v string) bool { return strings.EqualFold(v, value) }); i >= 0 {
				return values[i]
			}
		}
	}
	return ""
}

// joined takes out the spaces around the sign between name and value.
var joined = strings.NewReplacer(" = ", "=", " =", "=", "= ", "=")

// applied tells the client that one of its preferences is honoured.
func (r *request) applied(name, value string) {
	if value != "" {
		r.Response().Header().Set("Preference-Applied", name+"="+value)
	}
}
