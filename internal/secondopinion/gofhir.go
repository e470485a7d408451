package secondopinion

import (
	"fmt"

	"github.com/gofhir/fhirpath"
	"github.com/gofhir/fhirpath/funcs"
	"github.com/gofhir/fhirpath/types"
)

// GoFHIR asks gofhir's engine, which knows no definitions.
func GoFHIR(resources [][]byte, questions []Question) []Answer {
	funcs.SetTraceLogger(funcs.NullTraceLogger{})
	compiled := map[string]*fhirpath.Expression{}
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		answers[i] = gofhir(compiled, q.Expression, resources[q.Resource])
	}
	return answers
}

func gofhir(compiled map[string]*fhirpath.Expression, text string, resource []byte) (a Answer) {
	defer func() {
		if r := recover(); r != nil {
			a = Answer{Failed: fmt.Sprint("panic: ", r)}
		}
	}()
	x, ok := compiled[text]
	if !ok {
		var err error
		if x, err = fhirpath.Compile(text); err != nil {
			return Answer{Failed: err.Error()}
		}
		compiled[text] = x
	}
	values, err := x.Evaluate(resource)
	if err != nil {
		return Answer{Failed: err.Error()}
	}
	for _, v := range values {
		a.Values = append(a.Values, ofGoFHIR(v))
	}
	return a
}

func ofGoFHIR(v types.Value) string {
	switch v := v.(type) {
	case types.Integer, types.Decimal:
		return number(v.String())
	case types.Quantity:
		return quantity(v.String())
	case *types.ObjectValue:
		return object(v.Data())
	}
	return v.String()
}
