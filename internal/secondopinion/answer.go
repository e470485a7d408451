package secondopinion

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Question is an expression and the index of the resource it is asked of.
type Question struct {
	Expression string `json:"expression"`
	Resource   int    `json:"resource"`
}

// Answer is what an engine makes of a question: values, or why there are none.
type Answer struct {
	Failed string
	Values []string
}

// Equal reports whether two engines agree. Why they fail does not matter.
func (a Answer) Equal(b Answer) bool {
	return (a.Failed == "") == (b.Failed == "") && (a.Failed != "" || slices.Equal(a.Values, b.Values))
}

func (a Answer) String() string {
	if a.Failed != "" {
		return "error: " + a.Failed
	}
	return "[" + strings.Join(a.Values, "|") + "]"
}

// Own brings what our engine found to the common form.
func Own(values []fhirpath.Value, err error) Answer {
	if err != nil {
		return Answer{Failed: err.Error()}
	}
	var a Answer
	for _, v := range values {
		a.Values = append(a.Values, own(v))
	}
	return a
}

func own(v fhirpath.Value) string {
	switch v.Kind() {
	case fhirpath.Element:
		switch n := v.Node(); n.Kind() {
		case fhir.Object:
			return object(n.AppendJSON(nil))
		case fhir.Number:
			return number(n.Text())
		case fhir.Null:
			return "null"
		default:
			return n.Text()
		}
	case fhirpath.Integer, fhirpath.Decimal:
		return number(v.String())
	case fhirpath.Quantity:
		return quantity(v.String())
	}
	return v.String()
}

func number(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	if f == 0 {
		return "0"
	}
	return strconv.FormatFloat(f, 'g', 8, 64)
}

// quantity brings "7 days", "7 day" and "7.0 'mg'" to one form each.
func quantity(text string) string {
	value, unit, _ := strings.Cut(text, " ")
	if quoted := strings.Trim(unit, "'"); quoted != unit {
		unit = quoted
	} else if len(unit) > 2 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return number(value) + " " + unit
}

// object writes JSON with sorted names and numbers in the common form.
func object(text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(text)
	}
	out, err := json.Marshal(numbers(v))
	if err != nil {
		return string(text)
	}
	return string(out)
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}
