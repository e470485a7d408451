package secondopinion_test

import (
	"testing"

	"github.com/yilian/yilian/internal/secondopinion"
)

func TestEnginesGiveAnswersInOneForm(t *testing.T) {
	resources := [][]byte{[]byte(`{"resourceType":"Observation","id":"o","valueQuantity":{"unit":"g","value":1.50},"note":[{"text":"一"}],"status":"final","_issued":{"id":"x"}}`)}
	rows := []struct {
		expression string
		want       secondopinion.Answer
	}{
		{"status", secondopinion.Answer{Values: []string{"final"}}},
		{"1.50", secondopinion.Answer{Values: []string{"1.5"}}},
		{"1 / 3", secondopinion.Answer{Values: []string{"0.33333333"}}},
		{"7 'mg'", secondopinion.Answer{Values: []string{"7 mg"}}},
		{"3 days", secondopinion.Answer{Values: []string{"3 day"}}},
		{"note", secondopinion.Answer{Values: []string{`{"text":"一"}`}}},
		{"note.text | status", secondopinion.Answer{Values: []string{"一", "final"}}},
		{"{}", secondopinion.Answer{}},
		{"true and", secondopinion.Answer{Failed: "syntax"}},
	}
	questions := make([]secondopinion.Question, len(rows))
	for i := range rows {
		questions[i].Expression = rows[i].expression
	}
	engines := map[string][]secondopinion.Answer{
		"gofhir": secondopinion.GoFHIR(resources, questions), "fhirpath.js": secondopinion.JavaScript(t, resources, questions),
	}
	for name, answers := range engines {
		for i, row := range rows {
			if !answers[i].Equal(row.want) {
				t.Errorf("%s: %s gives %s, want %s", name, row.expression, answers[i], row.want)
			}
		}
	}
}

func TestAnswersThatDifferAreNotEqual(t *testing.T) {
	a := secondopinion.Answer{Values: []string{"1", "2"}}
	for _, b := range []secondopinion.Answer{
		{}, {Failed: "why"}, {Values: []string{"1"}}, {Values: []string{"2", "1"}}, {Values: []string{"1", "3"}},
	} {
		if a.Equal(b) || b.Equal(a) {
			t.Errorf("%s equals %s", a, b)
		}
	}
	if !a.Equal(a) || !(secondopinion.Answer{Failed: "x"}).Equal(secondopinion.Answer{Failed: "y"}) {
		t.Error("equal answers differ")
	}
}
