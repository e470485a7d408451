package fhirpath_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

var model = sync.OnceValue(func() *fhirpath.Model { return fhirpath.NewModel(definitions.R4()) })

const patientText = `{
  "resourceType": "Patient", "id": "p1",
  "contained": [{"resourceType": "Organization", "id": "o1", "name": "示范医院"}],
  "extension": [{"url": "https://yilian.dev/x", "valueString": "一"}],
  "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}],
  "active": true,
  "name": [
    {"use": "official", "family": "欧阳", "given": ["测", "试"]},
    {"use": "usual", "text": "小试", "given": [null, "X"], "_given": [{"extension": [{"url": "urn:e", "valueCode": "SYL"}]}, null]}
  ],
  "birthDate": "1990-01-01",
  "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1990-01-01T08:30:00+08:00"}]},
  "deceasedBoolean": false,
  "multipleBirthInteger": 2,
  "generalPractitioner": [{"reference": "Practitioner/7"}, {"reference": "#o1"}],
  "managingOrganization": {"reference": "https://example.org/fhir/Organization/9/_history/2"}
}`

const observationText = `{
  "resourceType": "Observation", "id": "o1", "status": "final",
  "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Body Weight"},
  "effectiveDateTime": "2024-02-29",
  "valueQuantity": {"value": 185.50, "unit": "lbs", "system": "http://unitsofmeasure.org", "code": "[lb_av]"},
  "component": [
    {"code": {"text": "a"}, "valueQuantity": {"value": 1, "unit": "g"}},
    {"code": {"text": "b"}, "valueString": "x"}
  ]
}`

func parse(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// show writes a result as the tests do: values by '|', elements by their type.
func show(values []fhirpath.Value) string {
	var out []string
	for _, v := range values {
		if s := v.String(); s != "" {
			out = append(out, s)
		} else {
			out = append(out, v.Type())
		}
	}
	return strings.Join(out, "|")
}

func TestEvaluate(t *testing.T) {
	for _, row := range []struct{ expression, want string }{
		// Paths
		{"Patient.name.given", "测|试|string|X"},
		{"name.given", "测|试|string|X"},
		{"Patient.name.where(use='official').given.first()", "测"},
		{"name[1].given[1]", "X"},
		{"name[7]", ""},
		{"Observation.status", ""},
		{"Resource.id", "p1"},
		{"DomainResource.id", "p1"},
		{"nothing", ""},
		{"contained.name", "示范医院"},
		{"`name`.`family`", "欧阳"},
		{"name.skip(1).text | name.family", "小试|欧阳"},
		// Primitives carry extensions
		{"birthDate", "1990-01-01"},
		{"birthDate.extension('urn:time').value", "1990-01-01T08:30:00+08:00"},
		{"name.given.extension.value", "SYL"},
		{"name.given.select(hasValue())", "true|true|false|true"},
		{"extension('https://yilian.dev/x').value.is(string)", "true"},
		// Choices
		{"deceased", "false"},
		{"deceased.is(boolean)", "true"},
		{"deceased is dateTime", "false"},
		{"multipleBirth.ofType(integer) + 1", "3"},
		{"multipleBirth as boolean", ""},
		// resolve
		{"generalPractitioner.resolve().name", "示范医院"},
		{"generalPractitioner.where(resolve() is Practitioner).reference", "Practitioner/7"},
		{"managingOrganization.where(resolve() is Organization).exists()", "true"},
		// Three-valued logic
		{"{} and false", "false"}, {"{} and true", ""}, {"{} or true", "true"}, {"{} or {}", ""},
		{"false implies {}", "true"}, {"true implies {}", ""}, {"{} implies true", "true"}, {"{} implies false", ""},
		{"true xor {}", ""}, {"{}.not()", ""}, {"true xor false", "true"},
		// Numbers
		{"1 + 2 * 3", "7"}, {"7 div 2", "3"}, {"7 mod 2", "1"}, {"-7 div 2", "-3"}, {"1 / 0", ""}, {"1 div 0", ""},
		{"1 / 4", "0.25"}, {"0.1 + 0.2 = 0.3", "true"}, {"1 = 1.0", "true"}, {"2147483647 + 1", ""},
		{"1.5.round()", "2"}, {"3.14159.round(3)", "3.142"}, {"(-1.5).ceiling()", "-1"}, {"81.sqrt()", "9"}, {"(-1).sqrt()", ""},
		{"(-0.001).floor()", "-1"}, {"0.001.ceiling()", "1"}, {"(-0.6).round()", "-1"}, {"(-0.5).truncate()", "0"}, {"0.04.round(1)", "0.0"},
		{"2.power(10)", "1024"}, {"16.log(2)", "4"}, {"(1|2|3).aggregate($this + $total, 0)", "6"},
		// Text counts characters
		{"'中文abc'.length()", "5"}, {"'中文abc'.substring(1, 2)", "文a"}, {"'中文'.indexOf('文')", "1"},
		{"'abc'.substring(5)", ""}, {"'a' & {} & 'b'", "ab"}, {"'a' + {}", ""}, {"'a,b'.split(',')", "a|b"},
		{"'abc'.matches('^a.c$')", "true"}, {"'ab'.replaceMatches('(a)(b)', '$2$1')", "ba"}, {"'𠮷'.toChars()", "𠮷"},
		{`'A'`, "A"}, {`'it\'s'`, "it's"}, {"'𠮷野'.upper()", "𠮷野"},
		// Dates know their precision
		{"@2012 = @2012-01", ""}, {"@2012-01 < @2012-02-01", "true"}, {"@2012-01-01T10:00:00Z = @2012-01-01T18:00:00+08:00", "true"},
		{"@2012-01-31 + 1 month", "2012-02-29"}, {"@2012-02-29 + 1 year", "2013-02-28"}, {"@2012-01-01T23:59:59 + 1 second", "2012-01-02T00:00:00"},
		{"@T23:00 + 2 hours", "01:00"}, {"birthDate < today()", "true"}, {"@2014 + 24 months", "2016"}, {"@2019-03-01 - 24 months", "2017-03-01"},
		{"@2012-13-01.exists()", "!1:1: no such Date"},
		// Quantities
		{"1 'g' = 1000 'mg'", "true"}, {"1 'kg' > 1 'g'", "true"}, {"1 'g' = 1 'm'", ""}, {"2 'cm' * 3 'cm' = 6 'cm2'", "true"},
		{"7 days = 1 week", "true"}, {"1 year = 1 'a'", ""}, {"1 year ~ 1 'a'", "true"}, {"37 'Cel' = 98.6 '[degF]'", "true"},
		{"'5.5 \\'mg\\''.toQuantity()", "5.5 'mg'"}, {"1 'kg'.toQuantity('g')", "1000 'g'"},
		// Collections
		{"(1 | 1 | 2).count()", "2"}, {"(1).combine(1).count()", "2"}, {"1 in (1 | 2)", "true"}, {"(1 | 2) contains 3", "false"},
		{"(1 | 2 | 3).tail()", "2|3"}, {"(1|2).intersect(2|3)", "2"}, {"(1|2|3).exclude(2)", "1|3"}, {"(1|2).subsetOf(1|2|3)", "true"},
		{"name.all(given.exists())", "true"}, {"name.select($index)", "0|1"}, {"iif(active, 'a', 'b')", "a"}, {"(3|1|2).sort()", "1|2|3"},
		{"(true | false).anyTrue()", "true"}, {"name.given.count() = name.select(given.count()).aggregate($this + iif($total.exists(), $total, 0))", "true"},
		{"'a'.select(defineVariable('v', 'b').select($this & %v))", "ab"},
		{"(1 | 2).single()", "!1:9: expected one value, got several"},
		// Conversions
		{"'1'.toInteger()", "1"}, {"'1.0'.toInteger()", ""}, {"'yes'.toBoolean()", "true"}, {"1.0.toString()", "1.0"}, {"'2014-02'.toDate()", "2014-02"},
		{"name.first().toString()", ""}, {"name.first().convertsToString()", "false"}, {"name.first().convertsToQuantity()", "false"},
		{"name.toString()", "!1:6: expected one value, got several"}, {"(3 days).toString()", "3 days"}, {"(1 day).toString()", "1 day"},
		{"'abc'.convertsToDecimal()", "false"}, {"true.toInteger()", "1"},
		// Types
		{"1.type().name", "Integer"}, {"name.first().type().name", "HumanName"}, {"active.type().namespace", "FHIR"},
		{"%resource.id", "p1"}, {"name.first().select(%context.id)", "p1"}, {"%sct", "http://snomed.info/sct"},
	} {
		t.Run(row.expression, func(t *testing.T) {
			x, err := model().Compile(row.expression, fhirpath.Options{Context: "Patient"})
			var got string
			if err == nil {
				var values []fhirpath.Value
				values, err = x.Evaluate(&fhirpath.Env{Resolver: fhirpath.TypesOnly}, parse(t, patientText))
				got = show(values)
			}
			if err != nil {
				got = "!" + err.Error()
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkGiven(b *testing.B) {
	x, err := model().Compile("Patient.name.where(use='official').given.first()", fhirpath.Options{Context: "Patient"})
	if err != nil {
		b.Fatal(err)
	}
	p := model().Resource(parse(b, patientText))
	b.ReportAllocs()
	var out []fhirpath.Value
	for b.Loop() {
		out, err = x.Append(out[:0], nil, p)
		if err != nil || len(out) != 1 {
			b.Fatal(out, err)
		}
	}
}
