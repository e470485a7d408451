package search_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/internal/testenv"
)

var now = time.Date(2024, 6, 15, 4, 0, 0, 0, time.UTC)

var engine = sync.OnceValue(func() *search.Engine {
	return search.New(definitions.R4(), search.Options{
		Bases: []string{"https://yilian.dev/fhir"},
		Now:   func() time.Time { return now },
	})
})

func read(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// instant shows microseconds at +08:00, open ends as "…".
func instant(micros int64) string {
	if micros == search.MinTime || micros == search.MaxTime {
		return "…"
	}
	return time.UnixMicro(micros).In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05.999999")
}

func number(f float64) string {
	if math.IsInf(f, 0) {
		return "…"
	}
	return fmt.Sprintf("%.6g", f)
}

// lines shows the values by parameter, one short line for each.
func lines(v search.Values) map[string][]string {
	out := map[string][]string{}
	add := func(param, format string, args ...any) { out[param] = append(out[param], fmt.Sprintf(format, args...)) }
	for _, t := range v.Tokens {
		s := t.System + "|" + t.Code
		if t.Text != "" {
			s += " '" + t.Text + "'"
		}
		if t.Type != "" {
			s += " (" + t.Type + ")"
		}
		add(t.Param, "%s", s)
	}
	for _, s := range v.Strings {
		add(s.Param, "%s/%s", s.Folded, s.Exact)
	}
	for _, d := range v.Dates {
		add(d.Param, "%s..%s", instant(d.Low), instant(d.High))
	}
	for _, r := range v.References {
		switch {
		case r.ID != "":
			add(r.Param, "%s/%s", r.Type, r.ID)
		case r.URL != "":
			add(r.Param, "%s", r.URL)
		default:
			add(r.Param, "%s?%s|%s", r.Type, r.System, r.Value)
		}
	}
	for _, n := range v.Numbers {
		add(n.Param, "%s..%s", number(n.Low), number(n.High))
	}
	for _, q := range v.Quantities {
		s := fmt.Sprintf("%s..%s %s|%s|%s", number(q.Low), number(q.High), q.System, q.Code, q.Unit)
		if q.CanonicalCode != "" {
			s += fmt.Sprintf(" = %s..%s %s", number(q.CanonicalLow), number(q.CanonicalHigh), q.CanonicalCode)
		}
		add(q.Param, "%s", s)
	}
	for _, u := range v.URIs {
		add(u.Param, "%s", u.Value)
	}
	return out
}

const residentID = "urn:oid:2.16.156.10011.1.3"

// The wanted values follow https://hl7.org/fhir/R4/search.html and the
// definitions of the parameters. A parameter that is not listed has no value.
var valueTests = []struct {
	name, resource string
	want           map[string][]string
}{
	{"patient", `{"resourceType":"Patient","id":"p1",
		"meta":{"source":"https://yilian.dev/institution/a/record/1","profile":["http://example.org/p|1.0"],
			"tag":[{"system":"https://yilian.dev/fhir/institution","code":"a"}],"security":[{"code":"R"}]},
		"contained":[{"resourceType":"Organization","id":"c","name":"不找"}],
		"identifier":[
			{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NI"}],"text":"居民身份证"},
			 "system":"urn:oid:2.16.840.1.113883.2.23.1.19.1","value":"990101199001010018"},
			{"system":"https://yilian.dev/fhir/institution/a/patient","value":"P1"}],
		"active":true,
		"name":[{"family":"欧阳","given":["测试"]},{"text":"Ｒené  MÜLLER","family":"Müller","given":["René"],"prefix":["Dr."]}],
		"telecom":[{"system":"phone","value":"12000000001"},{"system":"email","value":"a@example.org"}],
		"gender":"male","birthDate":"1990-01","deceasedBoolean":false,
		"address":[{"use":"home","line":["一号路1号"],"city":"衡远市","postalCode":"999000","country":"CHN"}],
		"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"zh-CN","display":"Chinese"}],"text":"中文"}}],
		"generalPractitioner":[{"reference":"Practitioner/7"},{"reference":"#c"}],
		"managingOrganization":{"reference":"https://yilian.dev/fhir/Organization/a/_history/3"},
		"link":[{"other":{"reference":"https://other.example/fhir/Patient/9"},"type":"seealso"}]}`,
		map[string][]string{
			"_profile":             {"http://example.org/p|1.0", "http://example.org/p"},
			"_tag":                 {"https://yilian.dev/fhir/institution|a"},
			"_security":            {"|R"},
			"identifier":           {residentID + "|990101199001010018 '居民身份证' (http://terminology.hl7.org/CodeSystem/v2-0203|NI)", "https://yilian.dev/fhir/institution/a/patient|P1"},
			"active":               {"|true"},
			"name-pinyin":          {"ouyangceshi/ouyangceshi", "oycs/oycs", "mullerrene/mullerrene", "mr/mr"},
			"phonetic":             {"ouiancesi/ouiancesi", "cesi/cesi", "mulerene/mulerene", "muler/muler", "rene/rene"},
			"name":                 {"欧阳/欧阳", "测试/测试", "欧阳测试/欧阳测试", "rene muller/Ｒené  MÜLLER", "muller/Müller", "rene/René", "dr./Dr."},
			"family":               {"欧阳/欧阳", "muller/Müller"},
			"given":                {"测试/测试", "rene/René"},
			"telecom":              {"phone|12000000001", "email|a@example.org"},
			"phone":                {"phone|12000000001"},
			"email":                {"email|a@example.org"},
			"gender":               {"http://hl7.org/fhir/administrative-gender|male"},
			"birthdate":            {"1990-01-01T00:00:00..1990-02-01T00:00:00"},
			"deceased":             {"|false"},
			"address":              {"一号路1号/一号路1号", "衡远市/衡远市", "999000/999000", "chn/CHN"},
			"address-city":         {"衡远市/衡远市"},
			"address-postalcode":   {"999000/999000"},
			"address-country":      {"chn/CHN"},
			"address-use":          {"http://hl7.org/fhir/address-use|home"},
			"language":             {"urn:ietf:bcp:47|zh-CN 'chinese'", "| '中文'"},
			"general-practitioner": {"Practitioner/7"},
			"organization":         {"Organization/a"},
			"link":                 {"https://other.example/fhir/Patient/9"},
		}},
	{"a deceased patient", `{"resourceType":"Patient","deceasedDateTime":"2024-02-29T23:59+08:00"}`,
		map[string][]string{
			"deceased":   {"|true"},
			"death-date": {"2024-02-29T23:59:00..2024-03-01T00:00:00"},
		}},
	{"encounter", `{"resourceType":"Encounter","status":"in-progress",
		"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP","display":"住院"},
		"type":[{"text":"择期"}],
		"subject":{"reference":"Patient/p1"},
		"basedOn":[{"type":"ServiceRequest","identifier":{"system":"urn:o","value":"88"}}],
		"period":{"start":"2024-02-01T08:00:00+08:00"},
		"length":{"value":3,"unit":"天","system":"http://unitsofmeasure.org","code":"d"},
		"participant":[{"individual":{"reference":"Practitioner/7"}},{"individual":{"reference":"RelatedPerson/3"}}],
		"serviceProvider":{"reference":"Organization/a"},
		"location":[{"location":{"reference":"Location/5"},"period":{"start":"2024-02-01","end":"2024-02-02"}}],
		"hospitalization":{"specialArrangement":[{"coding":[{"code":"wheel"}]}]}}`,
		map[string][]string{
			"status":              {"http://hl7.org/fhir/encounter-status|in-progress"},
			"class":               {"http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP '住院'"},
			"type":                {"| '择期'"},
			"subject":             {"Patient/p1"},
			"patient":             {"Patient/p1"},
			"based-on":            {"ServiceRequest?urn:o|88"},
			"date":                {"2024-02-01T08:00:00..…"},
			"length":              {"2.5..3.5 http://unitsofmeasure.org|d|天 = 216000..302400 s"},
			"participant":         {"Practitioner/7", "RelatedPerson/3"},
			"practitioner":        {"Practitioner/7"},
			"service-provider":    {"Organization/a"},
			"location":            {"Location/5"},
			"location-period":     {"2024-02-01T00:00:00..2024-02-03T00:00:00"},
			"special-arrangement": {"|wheel"},
		}},
	{"service request", `{"resourceType":"ServiceRequest","status":"active","intent":"order","priority":"urgent",
		"identifier":[{"system":"urn:o","value":"88"}],"requisition":{"system":"urn:r","value":"1"},
		"code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}]},
		"category":[{"coding":[{"code":"lab"}]}],
		"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
		"occurrenceTiming":{"event":["2024-03-01","2024-01-01"],"repeat":{"boundsPeriod":{"end":"2024-06"}}},
		"authoredOn":"2024-01-02T03:04:05.678Z",
		"requester":{"reference":"PractitionerRole/2"},
		"instantiatesCanonical":["http://example.org/plan|2"],"instantiatesUri":["http://example.org/x"],
		"basedOn":[{"reference":"urn:uuid:0d7f2b62-7b4e-4d38-9f4e-000000000001"}]}`,
		map[string][]string{
			"status":                 {"http://hl7.org/fhir/request-status|active"},
			"intent":                 {"http://hl7.org/fhir/request-intent|order"},
			"priority":               {"http://hl7.org/fhir/request-priority|urgent"},
			"identifier":             {"urn:o|88"},
			"requisition":            {"urn:r|1"},
			"code":                   {"http://loinc.org|4548-4 'hba1c'"},
			"category":               {"|lab"},
			"subject":                {"Patient/p1"},
			"patient":                {"Patient/p1"},
			"encounter":              {"Encounter/e1"},
			"occurrence":             {"…..2024-07-01T00:00:00"},
			"authored":               {"2024-01-02T11:04:05.678..2024-01-02T11:04:05.679"},
			"requester":              {"PractitionerRole/2"},
			"instantiates-canonical": {"http://example.org/plan|2", "http://example.org/plan"},
			"instantiates-uri":       {"http://example.org/x"},
			"based-on":               {"urn:uuid:0d7f2b62-7b4e-4d38-9f4e-000000000001"},
		}},
	{"diagnostic report", `{"resourceType":"DiagnosticReport","status":"final",
		"identifier":[{"value":"R1"}],
		"basedOn":[{"reference":"ServiceRequest/s1"}],
		"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}],
		"code":{"text":"血常规"},"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
		"effectivePeriod":{"start":"2024-01-01","end":"2024-01-02T12:00:00Z"},"issued":"2024-01-03T00:00:00+08:00",
		"performer":[{"reference":"Organization/lab"}],"resultsInterpreter":[{"reference":"Practitioner/7"}],
		"specimen":[{"reference":"Specimen/1"}],"result":[{"reference":"Observation/1"},{"reference":"Observation/2"}],
		"media":[{"link":{"reference":"Media/4"}}],"conclusionCode":[{"coding":[{"code":"N"}]}]}`,
		map[string][]string{
			"status":              {"http://hl7.org/fhir/diagnostic-report-status|final"},
			"identifier":          {"|R1"},
			"based-on":            {"ServiceRequest/s1"},
			"category":            {"http://terminology.hl7.org/CodeSystem/v2-0074|LAB"},
			"code":                {"| '血常规'"},
			"subject":             {"Patient/p1"},
			"patient":             {"Patient/p1"},
			"encounter":           {"Encounter/e1"},
			"date":                {"2024-01-01T00:00:00..2024-01-02T20:00:01"},
			"issued":              {"2024-01-03T00:00:00..2024-01-03T00:00:01"},
			"performer":           {"Organization/lab"},
			"results-interpreter": {"Practitioner/7"},
			"specimen":            {"Specimen/1"},
			"result":              {"Observation/1", "Observation/2"},
			"media":               {"Media/4"},
			"conclusion":          {"|N"},
		}},
	{"observation", `{"resourceType":"Observation","status":"final",
		"code":{"coding":[{"system":"http://loinc.org","code":"2345-7"}],"text":"葡萄糖"},
		"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2024",
		"valueQuantity":{"value":5.40,"comparator":"<","unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},
		"component":[
			{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":120,"unit":"毫米汞柱"}},
			{"code":{"coding":[{"code":"t"}]},"valueCodeableConcept":{"coding":[{"code":"POS"}]}}]}`,
		map[string][]string{
			"status":                          {"http://hl7.org/fhir/observation-status|final"},
			"code":                            {"http://loinc.org|2345-7", "| '葡萄糖'"},
			"combo-code":                      {"http://loinc.org|2345-7", "| '葡萄糖'", "|sys", "|t"},
			"component-code":                  {"|sys", "|t"},
			"subject":                         {"Patient/p1"},
			"patient":                         {"Patient/p1"},
			"date":                            {"2024-01-01T00:00:00..2025-01-01T00:00:00"},
			"value-quantity":                  {"…..5.4 http://unitsofmeasure.org|mmol/L|mmol/L = …..3.25196e+24 m-3"},
			"combo-value-quantity":            {"…..5.4 http://unitsofmeasure.org|mmol/L|mmol/L = …..3.25196e+24 m-3", "119.5..120.5 ||毫米汞柱"},
			"component-value-quantity":        {"119.5..120.5 ||毫米汞柱"},
			"combo-value-concept":             {"|POS"},
			"component-code-value-concept$0":  {"|t"},
			"component-code-value-concept$1":  {"|POS"},
			"component-code-value-quantity$0": {"|sys"},
			"component-code-value-quantity$1": {"119.5..120.5 ||毫米汞柱"},
			"component-value-concept":         {"|POS"},
		}},
	{"observation with text", `{"resourceType":"Observation","valueString":"阴性(-)","effectiveInstant":"2024-01-01T00:00:00.5Z"}`,
		map[string][]string{
			"value-string": {"阴性(-)/阴性(-)"},
			"date":         {"2024-01-01T08:00:00.5..2024-01-01T08:00:00.6"},
		}},
	{"observation with a concept", `{"resourceType":"Observation","valueCodeableConcept":{"text":"弱阳性(±)"}}`,
		map[string][]string{
			"value-concept":       {"| '弱阳性(±)'"},
			"combo-value-concept": {"| '弱阳性(±)'"},
			"value-string":        {"弱阳性(±)/弱阳性(±)"},
		}},
	{"condition", `{"resourceType":"Condition",
		"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},
		"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"E11.9"}]},
		"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
		"onsetAge":{"value":52,"unit":"岁","system":"http://unitsofmeasure.org","code":"a"},
		"abatementDateTime":"2024-05-01","recordedDate":"2024-05-02T10:00:00+08:00",
		"asserter":{"reference":"Practitioner/7"}}`,
		map[string][]string{
			"clinical-status": {"http://terminology.hl7.org/CodeSystem/condition-clinical|active"},
			"code":            {"http://hl7.org/fhir/sid/icd-10|E11.9"},
			"subject":         {"Patient/p1"},
			"patient":         {"Patient/p1"},
			"encounter":       {"Encounter/e1"},
			"onset-age":       {"51.5..52.5 http://unitsofmeasure.org|a|岁 = 1.62522e+09..1.65677e+09 s"},
			"abatement-date":  {"2024-05-01T00:00:00..2024-05-02T00:00:00"},
			"recorded-date":   {"2024-05-02T10:00:00..2024-05-02T10:00:01"},
			"asserter":        {"Practitioner/7"},
		}},
	{"organization", `{"resourceType":"Organization","active":true,"name":"示范市人民医院","alias":["市医院"],
		"identifier":[{"system":"urn:oid:2.16.156.10011.1.5","value":"91350100M000100Y43"}],
		"type":[{"coding":[{"code":"A100","display":"综合医院"}]}],"partOf":{"reference":"Organization/alliance"},
		"address":[{"state":"示范省"}]}`,
		map[string][]string{
			"active":        {"|true"},
			"name":          {"示范市人民医院/示范市人民医院", "市医院/市医院"},
			"phonetic":      {"sifansirenminiuan/sifansirenminiuan"},
			"identifier":    {"urn:oid:2.16.156.10011.1.5|91350100M000100Y43"},
			"type":          {"|A100 '综合医院'"},
			"partof":        {"Organization/alliance"},
			"address":       {"示范省/示范省"},
			"address-state": {"示范省/示范省"},
		}},
	{"practitioner", `{"resourceType":"Practitioner","name":[{"text":"王 测试"}],"gender":"female",
		"identifier":[{"system":"urn:oid:2.16.156.10011.1.4","value":"D1"}]}`,
		map[string][]string{
			"name":        {"王 测试/王 测试"},
			"name-pinyin": {"wangceshi/wangceshi", "wcs/wcs"},
			"phonetic":    {"uancesi/uancesi", "cesi/cesi"},
			"gender":      {"http://hl7.org/fhir/administrative-gender|female"},
			"identifier":  {"urn:oid:2.16.156.10011.1.4|D1"},
		}},
	{"risk assessment with a number", `{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.10},{"probabilityRange":{"low":{"value":1},"high":{"value":2}}}]}`,
		map[string][]string{"probability": {"0.095..0.105", "0.5..2.5"}}},
	{"invoice with money", `{"resourceType":"Invoice","totalNet":{"value":12.5,"currency":"CNY"}}`,
		map[string][]string{"totalnet": {"12.45..12.55 urn:iso:std:iso:4217|CNY|CNY"}}},
	{"value set with a uri", `{"resourceType":"ValueSet","url":"http://example.org/vs","compose":{"include":[{"system":"http://loinc.org"}]}}`,
		map[string][]string{"url": {"http://example.org/vs"}, "reference": {"http://loinc.org"}}},
	{"patient with an extension", `{"resourceType":"Patient","extension":[
		{"url":"http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName","valueString":"Ö"}]}`,
		map[string][]string{"mothersMaidenName": {"o/Ö"}, "deceased": {"|false"}}},
	{"bundle that is a document", `{"resourceType":"Bundle","type":"document","entry":[
		{"resource":{"resourceType":"Composition","id":"c1"}},{"resource":{"resourceType":"Patient","id":"p1"}}]}`,
		map[string][]string{"type": {"http://hl7.org/fhir/bundle-type|document"}, "composition": {"Composition/c1"}}},
	{"device with an alias of a system in a coding", `{"resourceType":"Device","type":{"coding":[{"system":"urn:oid:2.16.840.1.113883.2.23.1.9.1","code":"x"}]}}`,
		map[string][]string{"type": {residentID + "|x"}}},
	{"malformed values are left out", `{"resourceType":"Patient","deceasedBoolean":true,"gender":null,"name":[{"family":7}],"identifier":[{}],"telecom":[null,{"use":"home"}],"generalPractitioner":["x"]}`,
		map[string][]string{"deceased": {"|true"}}},
}

func TestValues(t *testing.T) {
	for _, row := range valueTests {
		t.Run(row.name, func(t *testing.T) {
			values, issues := engine().Values(read(t, row.resource))
			if len(issues) > 0 {
				t.Errorf("issues: %v", issues)
			}
			if diff := cmp.Diff(row.want, lines(values)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValuesWarn(t *testing.T) {
	values, issues := engine().Values(read(t, "{\"resourceType\":\"Patient\",\n\"birthDate\":\"1990-13\"}"))
	if len(values.Dates) > 0 {
		t.Errorf("dates %v", values.Dates)
	}
	want := []fhir.Issue{{
		Severity: fhir.Warning, Code: fhir.TypeValue, ID: "search-value-unreadable", Expression: "Patient", Line: 2, Column: 13,
		Text: "search parameter birthdate cannot use a value that is not a date", Chinese: "检索参数 birthdate 不能使用该值，它不是日期",
	}}
	if diff := cmp.Diff(want, issues); diff != "" {
		t.Error(diff)
	}
}

func TestValuesLimits(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{Limits: search.Limits{IndexValues: 5, IndexText: 7}})
	values, issues := e.Values(read(t, `{"resourceType":"Organization","name":"示范医院","alias":["a","b","c","d","e"]}`))
	if len(values.Strings) > 5 || len(issues) != 2 || issues[0].ID != "search-values-many" {
		t.Errorf("%v %v", values.Strings, issues)
	}
	values, _ = e.Values(read(t, `{"resourceType":"Organization","name":"示范医院"}`))
	if want := []search.String{{Param: "name", Folded: "示范", Exact: "示范"}, {Param: "phonetic", Folded: "sifaniu", Exact: "sifaniu"}}; !cmp.Equal(want, values.Strings) {
		t.Errorf("%v", values.Strings)
	}
}

func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("reads every official example")
	}
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 700 {
		t.Fatal(len(files), err)
	}
	found := map[string]int{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		res := read(t, string(text))
		values, issues := engine().Values(res)
		for _, i := range issues {
			t.Errorf("%s: %s", filepath.Base(f), i)
		}
		got := lines(values)
		for param := range got {
			found[res.ResourceType()+"."+param]++
		}
		for _, p := range engine().Capability(res.ResourceType()).Parameters {
			if len(got[p.Name]) == 0 && hasPlainValue(res, p) {
				t.Errorf("%s: parameter %s has no value", filepath.Base(f), p.Name)
			}
		}
	}
	t.Logf("%d files, %d parameters found values", len(files), len(found))
	if len(found) < 1100 {
		t.Errorf("%d parameters found values, expected at least 1100", len(found))
	}
}

// hasPlainValue walks a resource without any knowledge of FHIRPath along those
// paths of a parameter's definition that are only names.
func hasPlainValue(res *fhir.Node, p search.Parameter) bool {
	if slices.Contains([]string{"_id", "_lastUpdated", "_source"}, p.Name) {
		return false
	}
	def := definitions.R4().SearchParameter(res.ResourceType(), p.Name)
	if def == nil || def.Type == "composite" || def.Type == "special" || def.Type == "string" && def.Expression == "" {
		return false // compositeTests and others
	}
	for path := range strings.SplitSeq(def.Expression, "|") {
		names := strings.Split(strings.TrimSpace(path), ".")
		if names[0] != res.ResourceType() && names[0] != "Resource" {
			continue
		}
		nodes := []*fhir.Node{res}
		for _, name := range names[1:] {
			var next []*fhir.Node
			for _, n := range nodes {
				next = append(next, n.Get(name).Items()...)
			}
			nodes = next
		}
		for _, n := range nodes {
			switch reference := n.Get("reference").Text(); {
			case def.Type == "reference" && strings.HasPrefix(n.Text(), "#"):
			case n.Kind() == fhir.Null, n.Len() == 0 && n.Kind() == fhir.Object:
			case def.Type == "reference" && n.Kind() == fhir.Object && (reference == "" || reference[0] == '#') && n.Get("identifier") == nil:
			case def.Type == "date" && n.Kind() == fhir.Object && n.Get("start") == nil && n.Get("end") == nil && n.Get("event") == nil && n.Path("repeat", "boundsPeriod") == nil:
			case def.Type == "token" && n.Get("value") == nil && n.Kind() == fhir.Object && n.Get("coding") == nil && n.Get("code") == nil && n.Get("text") == nil && n.Get("system") == nil:
			case def.Type == "quantity" && n.Get("value") == nil:
			default:
				return true
			}
		}
	}
	return false
}
