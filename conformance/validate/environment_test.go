package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// rule is a profile of one invariant.
func rule(url, typ, expression string) string {
	return constraint(url, typ, fmt.Sprintf(`{"id":%q,"path":%q,"constraint":[{"key":"x-1","severity":"error","human":"x","expression":%q}]}`, typ, typ, expression))
}

// TestFunctionsOfInvariants gives invariants what they cannot know by themselves: members of value sets, whether
// something conforms to a profile, and what references lead to.
func TestFunctionsOfInvariants(t *testing.T) {
	const (
		root   = "https://a.example/root"
		broken = "error: invariant-failed at "
		system = `{"resourceType":"CodeSystem","url":"https://a.example/cs","status":"active","content":"complete","caseSensitive":true,"concept":[{"code":"a","concept":[{"code":"b"}]},{"code":"c"}]}`
		set    = `{"resourceType":"ValueSet","url":"https://a.example/vs","status":"active","compose":{"include":[{"system":"https://a.example/cs","filter":[{"property":"concept","op":"is-a","value":"a"}]}]}}`
		named  = `{"id":"Patient.name","path":"Patient.name","min":1}`
	)
	married := func(code string) string {
		return patient(`,"maritalStatus":{"coding":[{"system":"https://a.example/cs","code":"` + code + `"}]}`)
	}
	extensible := "warning: code-extensible at Patient.maritalStatus"
	linked := func(reference, contained string) string {
		return patient(`,"contained":[` + contained + `],"link":[{"type":"seealso","other":{"reference":"` + reference + `"}}]`)
	}
	// ring is a Bundle of Patients each of which links to the next, the last to the first.
	ring := func(n int, url string) string {
		var entries []string
		for i := range n {
			entries = append(entries, fmt.Sprintf(`{"fullUrl":"https://s.example/fhir/Patient/p%d","resource":{"resourceType":"Patient","id":"p%d","link":[{"type":"seealso","other":{"reference":"%s"}}]}}`,
				i, i, strings.ReplaceAll(url, "#", fmt.Sprint((i+1)%n))))
		}
		return `{"resourceType":"Bundle","type":"collection","entry":[` + strings.Join(entries, ",") + `]}`
	}
	for _, tt := range []struct {
		name   string
		source library
		text   string
		want   []string
	}{
		{"memberOf takes a code below another", shelve(t, rule(root, "Patient", "maritalStatus.memberOf('https://a.example/vs')"), system, set), married("b"), []string{extensible}},
		{"memberOf refuses a code outside", shelve(t, rule(root, "Patient", "maritalStatus.memberOf('https://a.example/vs')"), system, set), married("c"), []string{extensible, broken + "Patient"}},
		{"memberOf takes a code of the specification", shelve(t, rule(root, "Patient", "gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')")), patient(`,"gender":"male"`), nil},
		{"memberOf refuses a code of the specification", shelve(t, rule(root, "Patient", "gender.memberOf('http://hl7.org/fhir/ValueSet/name-use')")), patient(`,"gender":"male"`), []string{broken + "Patient"}},
		{"memberOf leaves open what is not known", shelve(t, rule(root, "Patient", "maritalStatus.memberOf('https://a.example/none')")), married("b"), []string{extensible}},

		{"conformsTo takes what conforms", shelve(t, rule(root, "Patient", "conformsTo('https://a.example/named')"), constraint("https://a.example/named", "Patient", named)), patient(`,"name":[{"text":"x"}]`), nil},
		{"conformsTo refuses what does not", shelve(t, rule(root, "Patient", "conformsTo('https://a.example/named')"), constraint("https://a.example/named", "Patient", named)), patient(""), []string{broken + "Patient"}},
		{"conformsTo refuses another type", shelve(t, rule(root, "Patient", "conformsTo('https://a.example/other').not()"), constraint("https://a.example/other", "Practitioner", `{"id":"Practitioner","path":"Practitioner"}`)), patient(""), nil},
		{"conformsTo itself is no question", shelve(t, rule(root, "Patient", "conformsTo('"+root+"')")), patient(""), nil},
		{"conformsTo each other ends", shelve(t, rule(root, "Patient", "conformsTo('https://a.example/b')"), rule("https://a.example/b", "Patient", "conformsTo('"+root+"') and name.exists()")), patient(""), []string{broken + "Patient"}},
		{"conformsTo an unknown profile is told", shelve(t, rule(root, "Patient", "conformsTo('https://a.example/none')")), patient(""), []string{"warning: invariant-unusable at Patient"}},
		{"conformsTo a type judges all of it", shelve(t, rule(root, "Bundle", "entry.resource.all(conformsTo('http://hl7.org/fhir/StructureDefinition/Patient'))")),
			`{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","gender":"x"}}]}`,
			[]string{"error: code-unknown at Bundle.entry[0].resource.gender", broken + "Bundle"}},

		{"resolve finds a contained resource", shelve(t, rule(root, "Patient", "link.other.resolve().active")), linked("#p", `{"resourceType":"Patient","id":"p","active":true}`), nil},
		{"resolve sees what is in it", shelve(t, rule(root, "Patient", "link.other.resolve().active")), linked("#p", `{"resourceType":"Patient","id":"p","active":false}`), []string{broken + "Patient"}},
		{"resolve finds nothing elsewhere", shelve(t, rule(root, "Patient", "link.other.resolve().empty()")), linked("Patient/p", `{"resourceType":"Patient","id":"p","link":[{"type":"seealso","other":{"reference":"#"}}]}`), nil},
		{"resolve finds an entry by its address", shelve(t, rule(root, "Bundle", "entry.resource.link.other.resolve().count() = 3")), ring(3, "https://s.example/fhir/Patient/p#"), nil},
		{"resolve finds an entry relative to another", shelve(t, rule(root, "Bundle", "entry.resource.link.other.resolve().count() = 3")), ring(3, "Patient/p#"), nil},
		{"resolve and conformsTo go once round a ring", shelve(t, rule(root, "Bundle", "entry.resource.all(conformsTo('https://a.example/p'))"), rule("https://a.example/p", "Patient", "link.other.resolve().all(conformsTo('https://a.example/p'))")), ring(30, "Patient/p#"), nil},
		{"resolve and conformsTo see the far side of a ring", shelve(t, rule(root, "Bundle", "entry.resource.first().conformsTo('https://a.example/p')"), rule("https://a.example/p", "Patient", "id != 'p2' and link.other.resolve().all(conformsTo('https://a.example/p'))")), ring(4, "Patient/p#"), []string{broken + "Bundle"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: tt.source})
			got := all(v.Conforms(parse(t, tt.text), root))
			if diff := cmp.Diff(append([]string{}, tt.want...), got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStandingResources hold for what does not name them.
func TestStandingResources(t *testing.T) {
	const guide = `{"resourceType":"ImplementationGuide","url":"https://a.example/ig","global":[{"type":"Patient","profile":"https://a.example/named"},{"type":"Organization","profile":"https://a.example/none"}]}`
	source := shelve(t, constraint("https://a.example/named", "Patient", `{"id":"Patient.name","path":"Patient.name","min":1}`))
	supplement := `{"resourceType":"CodeSystem","url":"https://a.example/s","status":"active","content":"supplement","supplements":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","concept":[{"code":"M","designation":[{"language":"zh-CN","value":"已婚"}]}]}`
	married := patient(`,"name":[{"text":"x"}],"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"已婚"}]}`)
	judged := "information: profile-global at Patient"
	for _, tt := range []struct {
		name     string
		standing []string
		text     string
		want     []string
	}{
		{"a global profile is kept to", []string{guide}, patient(`,"name":[{"text":"x"}]`), []string{judged}},
		{"a global profile is not kept to", []string{guide}, patient(""), []string{judged, "error: profile-missing at Patient"}},
		{"a global profile holds in a bundle", []string{guide}, `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","active":true}}]}`,
			[]string{"information: profile-global at Bundle.entry[0].resource", "error: profile-missing at Bundle.entry[0].resource"}},
		{"a global profile that is not known is told", []string{guide}, `{"resourceType":"Organization","name":"x"}`, []string{"warning: profile-global-unknown at Organization"}},
		{"a guide that was not given says nothing", nil, patient(""), nil},
		{"a supplement brings displays", []string{supplement}, married, nil},
		{"a display is wrong without its supplement", nil, married, []string{"error: display-wrong at Patient.maritalStatus.coding[0].display"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			options := validate.Options{Thorough: true, NoBestPractice: true, Source: source, Displays: fhir.Error}
			for _, s := range tt.standing {
				options.Standing = append(options.Standing, parse(t, s))
			}
			got := all(validate.New(definitions.R4(), options).Resource(parse(t, tt.text)))
			if diff := cmp.Diff(append([]string{}, tt.want...), got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuestionsAboutCodesAreBounded asks more than there is work for: what is left is not judged, and that is told.
func TestQuestionsAboutCodesAreBounded(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, MaxSteps: 2})
	got := all(v.Resource(parse(t, patient(`,"maritalStatus":{"coding":[{"system":"https://a.b","code":"x"},{"system":"https://a.b","code":"y"},{"system":"https://a.b","code":"z"}]}`))))
	if diff := cmp.Diff([]string{"warning: terms-too-costly at Patient"}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
