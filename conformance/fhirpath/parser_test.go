package fhirpath_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func TestSyntaxErrors(t *testing.T) {
	for _, row := range []struct{ expression, want string }{
		{"", "1:1: unexpected the end, expected a term"},
		{"name.", "1:6: unexpected the end, expected a name"},
		{"name..given", "1:6: unexpected '.', expected a name"},
		{"name.given)", "1:11: unexpected ')', expected an operator or the end"},
		{"(name", "1:6: unexpected the end, expected ')'"},
		{"name[0", "1:7: unexpected the end, expected ']'"},
		{"1 +\n  * 2", "2:3: unexpected '*', expected a term"},
		{"'abc", "1:1: text is not closed, expected '"},
		{"'测试' = 'a\\q'", "1:10: unknown escape sequence"},
		{"'\\u12'", "1:2: expected four hexadecimal digits after \\u"},
		{"/* open", "1:1: comment is not closed"},
		{"name where", "1:6: unexpected 'where', expected an operator or the end"},
		{"a.b(1, )", "1:8: unexpected ')', expected a term"},
		{"a.b(1 2)", "1:7: unexpected '2', expected ',' or ')'"},
		{"@2012-02-30", "1:1: no such Date"},
		{"@12", "1:1: expected a year of four digits or T after @"},
		{"@T25:00", "1:1: no such Time"},
		{"99999999999", "1:1: number out of range"},
		{"$that", "1:1: unknown variable, expected $this, $index or $total"},
		{"#", "1:1: unexpected character '#'"},
		{"测试", "1:1: unexpected character '测'"},
		{"%", "1:2: unexpected the end, expected the name of a constant"},
		{"%foo", "1:1: unknown constant %foo"},
		{"name is", "1:8: unexpected the end, expected the name of a type"},
		{"name is Foo", "1:6: unknown type 'Foo'"},
		{"name.ofType(Foo)", "1:13: unknown type 'Foo'"},
		{"name.nothing()", "1:6: unknown function 'nothing'"},
		{"name.first(1)", "1:6: 'first' takes 0 arguments, got 1"},
		{"name.where()", "1:6: 'where' takes 1 arguments, got 0"},
		{"'a'.substring()", "1:5: 'substring' takes 1–2 arguments, got 0"},
		{"true.and", "1:6: unexpected 'and', expected a name"},
		{strings.Repeat("(", 300) + "1", "1:201: nested deeper than 200"},
		{strings.Repeat("-", 300) + "1", "1:200: nested deeper than 200"},
		{strings.Repeat("a.", 11_000) + "a", "1:10000: more than 10000 terms"},
		{strings.Repeat(" ", 70_000), "1:1: expression of 70000 bytes, expected at most 65536"},
	} {
		t.Run(fmt.Sprintf("%.40s", row.expression), func(t *testing.T) {
			_, err := model().Compile(row.expression, fhirpath.Options{})
			var syntax *fhirpath.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error %v", err)
			}
			if err.Error() != row.want {
				t.Errorf("got %s, want %s", err, row.want)
			}
		})
	}
}

func TestStrict(t *testing.T) {
	for _, row := range []struct{ context, expression, want string }{
		{"Patient", "name.givn", "1:6: HumanName has no element 'givn'"},
		{"Patient", "contact.foo", "1:9: Patient.contact has no element 'foo'"},
		{"Patient", "Observation.code", "1:1: the focus is a Patient, never a Observation"},
		{"Observation", "valueQuantity", "1:1: Observation has no element 'valueQuantity'"},
		{"Observation", "(value as Period).unit", "1:19: Period has no element 'unit'"},
		{"Observation", "status.ofType(Period)", "1:8: code is never a Period"},
		{"Patient", "birthDate < 1", "1:11: date cannot be compared with Integer"},
		{"Patient", "name + 1", "1:6: '+' is not defined for HumanName and Integer"},
		{"Patient.contact", "name.family", ""},
		{"Patient", "contained.name", ""},
		{"Bundle", "entry.resource.name.given", ""},
		{"Extension", "value.coding.code", ""},
		{"Questionnaire", "item.item.item.linkId", ""},
		{"Nothing", "name", `1:1: context: unknown type "Nothing"`},
	} {
		_, err := model().Compile(row.expression, fhirpath.Options{Context: row.context, Strict: true})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: %s: got %q, want %q", row.context, row.expression, got, row.want)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, row := range []struct {
		context, expression string
		want                []string
	}{
		{"Patient", "birthDate", []string{"date"}},
		{"Patient", "deceased", []string{"boolean", "dateTime"}},
		{"Patient", "name.given.first()", []string{"string"}},
		{"Patient", "name.exists()", []string{"Boolean"}},
		{"Observation", "value as Quantity", []string{"Quantity"}},
		{"Patient", "birthDate | name.family", []string{"date", "string"}},
		{"Patient", "Observation.code", []string{}},
		{"Patient", "contained", nil},
		{"", "name", nil},
	} {
		x, err := model().Compile(row.expression, fhirpath.Options{Context: row.context})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, x.Types()); diff != "" {
			t.Errorf("%s: %s", row.expression, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, row := range []struct {
		expression string
		limits     fhirpath.Limits
		want       string
	}{
		{"descendants().descendants().count()", fhirpath.Limits{Steps: 50}, "more than the allowed number of steps"},
		{"('a' | 'b').repeat($this & 'x')", fhirpath.Limits{Steps: 10_000}, "more than the allowed number of steps"},
		{"('a').repeatAll($this | 'b')", fhirpath.Limits{Values: 1000}, "more than the allowed number of values"},
		{"name.given.combine(name.given).combine(name.given)", fhirpath.Limits{Values: 5}, "more than the allowed number of values"},
		{"(1|2|3|4|5|6|7|8|9|10|11|12).aggregate($total & $total, 'xxxxxxxxxxxxxxxx')", fhirpath.Limits{Text: 1000}, "more than the allowed amount of text"},
		{"'xxxxxxxxxxxxxxxxxxxx'.replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')", fhirpath.Limits{Text: 100}, "more than the allowed amount of text"},
	} {
		x, err := model().Compile(row.expression, fhirpath.Options{Context: "Patient"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Evaluate(&fhirpath.Env{Limits: row.limits}, parse(t, patientText))
		var failed *fhirpath.EvaluationError
		if !errors.As(err, &failed) || !failed.Limit || failed.Reason != row.want {
			t.Errorf("%s: %v", row.expression, err)
		}
	}
	// Numbers that would take long are refused quickly.
	for _, e := range []string{"2.power(999999)", "1000000.exp()", "1.5.power(100000)", "10.power(300).power(300)"} {
		x, err := model().Compile(e, fhirpath.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := x.Evaluate(nil, parse(t, patientText)); err != nil || len(v) > 0 {
			t.Errorf("%s: %v %v", e, v, err)
		}
	}
}

type asked struct{ questions []string }

func (a *asked) MemberOf(_ context.Context, v fhirpath.Value, set string) (member, known bool, err error) {
	a.questions = append(a.questions, v.Type()+" in "+set)
	return true, set != "urn:unknown", nil
}

func (a *asked) ConformsTo(_ context.Context, v fhirpath.Value, profile string) (bool, error) {
	a.questions = append(a.questions, v.Type()+" as "+profile)
	return false, nil
}

func (a *asked) Resolve(_ context.Context, reference string) *fhir.Node {
	a.questions = append(a.questions, reference)
	return fhir.NewObject().SetString("resourceType", "Practitioner").SetString("id", "7")
}

func TestEnvironment(t *testing.T) {
	var a asked
	var traced []string
	env := &fhirpath.Env{
		Membership: &a, Conformance: &a, Resolver: &a,
		Variables: map[string][]fhirpath.Value{"who": {fhirpath.StringValue("x")}},
		Trace:     func(name string, v []fhirpath.Value) { traced = append(traced, fmt.Sprint(name, " ", len(v))) },
	}
	p := parse(t, patientText)
	for expression, want := range map[string]string{
		"birthDate.memberOf('urn:set')":                        "true",
		"birthDate.memberOf('urn:unknown')":                    "",
		"conformsTo('http://example.org/p')":                   "false",
		"generalPractitioner[0].resolve().id":                  "7",
		"%who & 'y'":                                           "xy",
		"name.trace('names', given).count()":                   "2",
		"%rootResource.id":                                     "root",
		"now().is(DateTime) and today().is(Date) and %who='x'": "true",
	} {
		x, err := model().Compile(expression, fhirpath.Options{Context: "Patient", Variables: []string{"who"}})
		if err != nil {
			t.Fatal(err)
		}
		env.RootResource = fhir.NewObject().SetString("resourceType", "Patient").SetString("id", "root")
		values, err := x.Evaluate(env, p)
		if err != nil || show(values) != want {
			t.Errorf("%s: %s %v, want %s", expression, show(values), err, want)
		}
	}
	if diff := cmp.Diff([]string{"names 4"}, traced); diff != "" {
		t.Error(diff)
	}
	if len(a.questions) != 4 {
		t.Error(a.questions)
	}
	x, err := model().Compile("birthDate.memberOf('urn:set')", fhirpath.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Evaluate(nil, p); err == nil || err.Error() != "1:11: memberOf needs terminology, which is not there" {
		t.Error(err)
	}
}

func TestValuesKeepTheirNodes(t *testing.T) {
	p := parse(t, patientText)
	x, err := model().Compile("name.given", fhirpath.Options{Context: "Patient"})
	if err != nil {
		t.Fatal(err)
	}
	values, err := x.Evaluate(nil, p)
	if err != nil || len(values) != 4 {
		t.Fatal(values, err)
	}
	if values[0].Node() != p.Path("name", "given").At(0) {
		t.Error("a value is not the node of the tree")
	}
	if e := values[2].Element(); e.Value != nil || e.Extra == nil {
		t.Error("a primitive with only extensions lost them")
	}
}

func TestConcurrentEvaluation(t *testing.T) {
	x, err := model().Compile("descendants().where($this is Identifier).value.combine(name.given).count()", fhirpath.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, o := parse(t, patientText), parse(t, observationText)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if v, err := x.Evaluate(nil, p); err != nil || show(v) != "6" {
					t.Error(show(v), err)
					return
				}
				if v, err := x.Evaluate(nil, o); err != nil || show(v) != "0" {
					t.Error(show(v), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// planned are expressions of every shape that a plan tells apart.
var planned = []string{
	"Patient.name", "Patient.name | Person.name", "name.given", "Patient.name.given | Patient.name.family | Person.name.given",
	"Patient.name.where(use='official').given", "(Patient.deceased as boolean)", "Patient.deceased.exists() and Patient.deceased != false",
	"Patient.multipleBirth.ofType(integer) | Patient.multipleBirth.ofType(boolean)", "Patient.extension('https://yilian.dev/x').value",
	"(Patient.contained as Organization).name", "Patient.contained.name", "Patient", "Resource.id", "Person.name", "(Person.name as HumanName).text | Patient.birthDate",
	"Patient.generalPractitioner.where(resolve() is Practitioner)", "Patient.name.given.count()", "Patient.name.select($index)", "Patient.nothing.given.first()",
	"Patient.name.given[1]", "Patient.birthDate.extension.value", "Patient.name.single()", "%resource.name.family", "(Patient.name | Patient.name).given.first()",
	"Patient.identifier.system | Patient.identifier.value | Patient.identifier.system", "Patient.active | Patient.active", "Patient.name.given.extension('urn:e').value",
	"Patient.generalPractitioner.reference | Patient.managingOrganization.reference", "Patient.name.given.tail()", "Patient.link.other",
}

func TestPlansAnswerAsExpressionsDo(t *testing.T) {
	var exprs []*fhirpath.Expression
	for _, text := range planned {
		x, err := model().Compile(text, fhirpath.Options{Context: "Patient", Lenient: true})
		if err != nil {
			t.Fatal(text, err)
		}
		exprs = append(exprs, x)
	}
	plan := model().Plan("Patient", exprs)
	env := &fhirpath.Env{Resolver: fhirpath.TypesOnly}
	twice := strings.Replace(patientText, `"name": [`, `"name": [{"use": "official", "family": "欧阳", "given": ["测", "试"]},`, 1)
	for _, text := range []string{patientText, twice, `{"resourceType": "Patient"}`, observationText, `{"resourceType": "Patient", "name": "x", "contained": {}, "active": [null]}`} {
		focus := model().Resource(parse(t, text))
		run := plan.Run(env, focus)
		for round := range 2 {
			for i := range exprs {
				if round == 1 { // in another order, over what is known
					i = len(exprs) - 1 - i
				}
				got, err := run.Evaluate(i)
				want, wanted := exprs[i].Append(nil, env, focus)
				if diff := cmp.Diff(show(want), show(got)); diff != "" || (err == nil) != (wanted == nil) || err != nil && err.Error() != wanted.Error() {
					t.Errorf("%s: %v, want %v: %s", planned[i], err, wanted, diff)
				}
			}
		}
		run.Close()
	}
}

func TestPlansKeepLimits(t *testing.T) {
	x, err := model().Compile("Patient.name.given", fhirpath.Options{Context: "Patient"})
	if err != nil {
		t.Fatal(err)
	}
	plan := model().Plan("Patient", []*fhirpath.Expression{x})
	for limits, fails := range map[fhirpath.Limits]bool{{Steps: 3}: true, {Values: 2}: true, {}: false} {
		run := plan.Run(&fhirpath.Env{Limits: limits}, model().Resource(parse(t, patientText)))
		for range 2 {
			if _, err := run.Evaluate(0); (err != nil) != fails {
				t.Errorf("%+v: %v", limits, err)
			}
		}
		run.Close()
	}
}

func TestPlainPathsDoNotAllocate(t *testing.T) {
	p := model().Resource(parse(t, patientText))
	for _, expression := range []string{
		"Patient.name.where(use='official').given.first()", "birthDate", "identifier.value", "deceased.exists() and active",
	} {
		x, err := model().Compile(expression, fhirpath.Options{Context: "Patient"})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]fhirpath.Value, 0, 8)
		if n := testing.AllocsPerRun(200, func() { out, _ = x.Append(out[:0], nil, p) }); n >= 1 {
			t.Errorf("%s: %v allocations", expression, n)
		}
	}
}

// FuzzCompile holds that no text makes the parser or an evaluation panic, and
// that limits end every evaluation.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"Patient.name.where(use='official').given.first()", "iif(1 > 2, 'a', {})", "@2012-02-29T10:00:00.5+08:00 - 1 month", "1.5 'mg' * 2 | {}",
		"name.repeat($this.descendants()).aggregate($total + 1, 0)", "%`vs-x` & 'y'", "(1|2).sort(-$this) ~ (2|1)", "'\\u4e2d\\\\'.matches('^.{1,3}$')",
		"deceased as boolean implies true xor false", "5.power(-2).log(3).round(2).lowBoundary(4)", "children().extension('x').value is Quantity", "- - 1 div 0 mod 2",
		"name.defineVariable('a', given).select(%a)", "'1 \\'wk\\''.toQuantity() + 3 days", "generalPractitioner.resolve().type()",
	} {
		f.Add(s)
	}
	p, o := parse(f, patientText), parse(f, observationText)
	f.Fuzz(func(t *testing.T, text string) {
		for _, opts := range []fhirpath.Options{{}, {Context: "Patient", Strict: true, Ordered: true}, {Context: "Observation", Lenient: true}} {
			x, err := model().Compile(text, opts)
			if err != nil {
				var syntax *fhirpath.SyntaxError
				if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
					t.Fatalf("error %v", err)
				}
				continue
			}
			env := &fhirpath.Env{Resolver: fhirpath.TypesOnly, Limits: fhirpath.Limits{Steps: 20_000, Values: 10_000, Text: 100_000}}
			for _, n := range []*fhir.Node{p, o} {
				values, err := x.Evaluate(env, n)
				var failed *fhirpath.EvaluationError
				if err != nil && !errors.As(err, &failed) {
					t.Fatalf("error %v", err)
				}
				for _, v := range values {
					_ = v.String()
				}
			}
		}
	})
}

type failing struct{}

func (failing) MemberOf(context.Context, fhirpath.Value, string) (member, known bool, err error) {
	return false, false, errors.New("the terminology is out of reach")
}
