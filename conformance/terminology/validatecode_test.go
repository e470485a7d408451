package terminology_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// found writes findings as severity, id and place.
func found(issues []fhir.Issue) string {
	var out []string
	for _, i := range issues {
		out = append(out, string(i.Severity)+" "+i.ID+" "+i.Expression)
	}
	return strings.Join(out, ", ")
}

func TestValidateCode(t *testing.T) {
	set := func(url, compose string) string {
		return `{"resourceType":"ValueSet","url":"` + url + `","status":"active","compose":` + compose + `}`
	}
	c := catalog(t, animals,
		`{"resourceType":"CodeSystem","url":"urn:loud","content":"complete","caseSensitive":false,"concept":[{"code":"Hello","display":"Greeting"}]}`,
		`{"resourceType":"CodeSystem","url":"urn:some","content":"fragment","caseSensitive":true,"concept":[{"code":"a","display":"A"}]}`,
		`{"resourceType":"CodeSystem","url":"urn:title-cn","content":"supplement","supplements":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"male","designation":[{"language":"zh","value":"男"}]}]}`,
		set("urn:whole", `{"include":[{"system":"urn:animals"},{"system":"urn:loud"},{"system":"urn:some"}]}`),
		set("urn:listed", `{"include":[{"system":"urn:animals","concept":[{"code":"cat","display":"Pussycat"},{"code":"dodo"}]},{"system":"urn:elsewhere","concept":[{"code":"x","display":"Ex"}]},{"system":"urn:loud","concept":[{"code":"hello"}]}]}`),
		set("urn:open", `{"include":[{"system":"urn:elsewhere"}]}`),
		set("urn:gender", `{"include":[{"system":"http://hl7.org/fhir/administrative-gender"}]}`),
	)
	type (
		request = terminology.ValidateRequest
		coding  = terminology.Coding
	)
	one := func(system, code, display string) request {
		return request{Coding: &coding{System: system, Code: code, Display: display}}
	}
	for _, row := range []struct {
		name, set string
		q         request
		valid     bool
		member    definitions.Membership
		display   string
		issues    string
	}{
		{"takes a code", "urn:whole", one("urn:animals", "cat", ""), true, member, "Cat", ""},
		{"takes the right display", "urn:whole", one("urn:animals", "cat", "CAT "), true, member, "Cat", ""},
		{"takes a designation as display", "urn:whole", one("urn:animals", "cat", "猫"), true, member, "Cat", ""},
		{"takes the value set's display", "urn:listed", one("urn:animals", "cat", "pussycat"), true, member, "Pussycat", ""},
		{"takes the system's display besides", "urn:listed", one("urn:animals", "cat", "Cat"), true, member, "Pussycat", ""},
		{"refuses another display", "urn:whole", one("urn:animals", "cat", "Dog"), false, member, "Cat", "error display-wrong Coding.display"},
		{"shows the display in a language", "urn:whole", request{Coding: &coding{System: "urn:animals", Code: "cat"}, DisplayLanguage: "zh"}, true, member, "猫", ""},
		{"knows names from supplements", "urn:gender", request{Coding: &coding{System: "http://hl7.org/fhir/administrative-gender", Code: "male", Display: "男"}, DisplayLanguage: "zh-CN"}, true, member, "男", ""},
		{"warns of an inactive code", "urn:whole", one("urn:animals", "dodo", ""), true, member, "Dodó", "warning code-inactive Coding.code"},
		{"refuses an abstract code", "urn:whole", one("urn:animals", "animal", ""), false, member, "Animal", "error code-abstract Coding.code"},
		{"takes an abstract code where it may be", "urn:whole", request{Coding: &coding{System: "urn:animals", Code: "animal"}, Abstract: true}, true, member, "Animal", ""},
		{"refuses a code outside", "urn:listed", one("urn:animals", "bat", ""), false, notMember, "Bat", "error code-not-in-value-set Coding.code"},
		{"refuses a code that does not exist", "urn:whole", one("urn:animals", "fish", ""), false, notMember, "", "error code-not-in-value-set Coding.code, error code-unknown Coding.code"},
		{"tells of another case", "urn:whole", one("urn:animals", "CAT", ""), false, notMember, "", "error code-not-in-value-set Coding.code, error code-case-different Coding.code"},
		{"takes any case where none counts", "urn:whole", one("urn:loud", "HELLO", ""), true, member, "Greeting", ""},
		{"takes any case of a listed code where none counts", "urn:whole", one("urn:loud", "hEllo", "greeting"), true, member, "Greeting", ""},
		{"takes any case of what is listed in yet another one", "urn:listed", one("urn:loud", "HELLO", ""), true, member, "Greeting", ""},
		{"takes a listed code of an unknown system", "urn:listed", one("urn:elsewhere", "x", "ex"), true, member, "Ex", "warning code-system-unknown Coding.system"},
		{"refuses a wrong display of a listed code", "urn:listed", one("urn:elsewhere", "x", "why"), false, member, "Ex", "warning code-system-unknown Coding.system, error display-wrong Coding.display"},
		{"cannot tell codes of an unknown system", "urn:open", one("urn:elsewhere", "x", ""), false, unknown, "", "error code-system-unknown Coding.system"},
		{"tells that an unknown system is outside", "urn:whole", one("urn:elsewhere", "x", ""), false, notMember, "", "error code-not-in-value-set Coding.code, error code-system-unknown Coding.system"},
		{"takes what is there of a part", "urn:whole", one("urn:some", "a", ""), true, member, "A", ""},
		{"cannot tell what is not there of a part", "urn:whole", one("urn:some", "b", ""), false, unknown, "", "error code-system-incomplete Coding.system"},
		{"wants a system", "urn:whole", one("", "cat", ""), false, notMember, "", "error coding-system-missing Coding.system"},
		{"wants an absolute system", "urn:whole", one("animals", "cat", ""), false, notMember, "", "error coding-system-relative Coding.system"},
		{"wants a code", "urn:whole", one("urn:animals", "", ""), false, notMember, "", "error code-missing Coding.code"},
		{"knows a value set that is taken for a system", "urn:whole", one("urn:whole", "cat", ""), false, notMember, "", "error code-not-in-value-set Coding.code, error coding-system-value-set Coding.system"},
		{"wants the version that a coding names", "urn:whole", request{Coding: &coding{System: "urn:animals", Version: "1", Code: "cat"}}, false, unknown, "", "error code-system-version-unknown Coding.system"},
		{"takes the version that a coding names", "urn:whole", request{Coding: &coding{System: "urn:animals", Version: "2", Code: "cat"}}, true, member, "Cat", ""},
		{"finds the system of a code", "urn:listed", request{Code: "cat"}, true, member, "Pussycat", ""},
		{"checks the display of a code", "urn:listed", request{Code: "cat", Display: "Dog"}, false, member, "Pussycat", "error display-wrong display"},
		{"refuses a code of no system", "urn:listed", request{Code: "bat"}, false, notMember, "", "error code-not-in-value-set code"},
		{"takes a concept with one right coding", "urn:listed", request{Concept: []coding{{System: "urn:animals", Code: "bat"}, {System: "urn:animals", Code: "cat"}}}, true, member, "Pussycat", "warning code-not-in-value-set CodeableConcept.coding[0].code"},
		{"refuses a concept without", "urn:listed", request{Concept: []coding{{System: "urn:animals", Code: "bat"}}}, false, notMember, "", "error concept-not-in-value-set CodeableConcept, error code-not-in-value-set CodeableConcept.coding[0].code"},
		{"cannot tell a concept that may be right", "urn:open", request{Concept: []coding{{System: "urn:animals", Code: "bat"}, {System: "urn:elsewhere", Code: "x"}}}, false, unknown, "", "error code-not-in-value-set CodeableConcept.coding[0].code, error code-system-unknown CodeableConcept.coding[1].system"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := c.ValueSet(row.set)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.ValidateCode(t.Context(), s, row.q)
			if err != nil {
				t.Fatal(err)
			}
			if v.Valid != row.valid || v.Member != row.member || v.Coding.Display != row.display || found(v.Issues) != row.issues {
				t.Errorf("valid %v, member %v, display %q, issues %s\nwant  %v, member %v, display %q, issues %s",
					v.Valid, v.Member, v.Coding.Display, found(v.Issues), row.valid, row.member, row.display, row.issues)
			}
			for _, i := range v.Issues {
				if i.Text == "" || i.Chinese == "" || strings.Contains(i.Text, "%!") || strings.Contains(i.Chinese, "%!") {
					t.Errorf("%s is not said in both languages: %s / %s", i.ID, i.Text, i.Chinese)
				}
			}
		})
	}
	for _, row := range []struct {
		name, system string
		q            request
		valid        bool
		issues       string
	}{
		{"takes a code of a system", "urn:animals", request{Code: "cat", Display: "cat"}, true, ""},
		{"takes an abstract code of a system", "urn:animals", request{Code: "animal", Abstract: true}, true, ""},
		{"takes a version of a system", "urn:animals|2", request{Code: "cat"}, true, ""},
		{"refuses another version of a system", "urn:animals|1", request{Code: "cat"}, false, "error code-system-version-unknown system"},
		{"refuses a code that a system does not have", "urn:animals", request{Code: "fish"}, false, "error code-unknown code"},
		{"refuses a wrong display in a system", "urn:animals", request{Code: "cat", Display: "Dog"}, false, "error display-wrong display"},
		{"refuses a coding of another system", "urn:animals", one("urn:loud", "Hello", ""), false, "error coding-system-other Coding.system"},
		{"refuses a code of an unknown system", "urn:elsewhere", request{Code: "x"}, false, "error code-system-unknown system"},
		{"takes a unit", terminology.UCUM, request{Code: "mg/dL"}, true, ""},
		{"refuses what is no unit", terminology.UCUM, request{Code: "mgs"}, false, "error code-unknown code"},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, err := c.ValidateCodeIn(t.Context(), row.system, row.q)
			if err != nil {
				t.Fatal(err)
			}
			if v.Valid != row.valid || found(v.Issues) != row.issues {
				t.Errorf("valid %v, issues %s, want %v, %s", v.Valid, found(v.Issues), row.valid, row.issues)
			}
		})
	}
}

// Texts of findings go to logs and other people: they never hold what was asked about.
func TestFindingsDisclose(t *testing.T) {
	c := catalog(t, animals)
	s, err := c.ValueSet("urn:animals:all")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "S3cr3t"
	v, err := c.ValidateCode(t.Context(), s, terminology.ValidateRequest{Concept: []terminology.Coding{
		{System: "urn:animals", Code: secret, Display: secret}, {System: "urn:animals", Code: "cat", Display: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Issues) < 2 {
		t.Errorf("%d findings", len(v.Issues))
	}
	if m := v.Message("en") + v.Message("zh-CN"); strings.Contains(m, secret) {
		t.Error("a finding tells the code or display it is about")
	}
}
