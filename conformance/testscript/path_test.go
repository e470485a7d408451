package testscript

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
)

const pathSample = `{"resourceType":"Bundle","id":"b1","type":"searchset","total":2,"entry":[
 {"fullUrl":"urn:1","resource":{"resourceType":"Patient","id":"p1","active":true,
  "name":[{"use":"official","family":"Suo","given":["Ma","Li"]},{"use":"nickname","given":["Xiao"]}],
  "_birthDate":{"id":"why","extension":[{"url":"http://x/absent","valueCode":"unknown"}]}}},
 {"fullUrl":"urn:2","resource":{"resourceType":"Observation","id":"o1","valueQuantity":{"value":6.30,"unit":"mmol/L"},
  "component":[{"valueInteger":3},{"valueInteger":12}]}}]}`

func sample(t testing.TB, text string) *fhir.Node {
	t.Helper()
	n, err := fhir.Parse([]byte(text), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		want       []string
	}{
		{"a resource's id is an element", "Bundle/id", []string{"b1"}},
		{"an attribute with prefixes", "fhir:Bundle/fhir:type/@value", []string{"searchset"}},
		{"from the root", "/f:Bundle/f:total/@value", []string{"2"}},
		{"a resource inside has an element of its name", "Bundle/entry/resource/Patient/active/@value", []string{"true"}},
		{"repetitions", "//Patient/name/given/@value", []string{"Ma", "Li", "Xiao"}},
		{"a position counts per parent", "//Patient/name/given[1]/@value", []string{"Ma", "Xiao"}},
		{"brackets make a position count over all", "(//Patient/name/given)[1]/@value", []string{"Ma"}},
		{"last", "//Patient/name[1]/given[last()]/@value", []string{"Li"}},
		{"a predicate on a sibling", "//name[use/@value='official']/family/@value", []string{"Suo"}},
		{"and, or, not", "//name[use/@value='official' and not(period) or use/@value='x']/family/@value", []string{"Suo"}},
		{"count", "count(//entry)", []string{"2"}},
		{"a comparison", "count(//entry) > 1", []string{"true"}},
		{"numbers compare as numbers", "//component[valueInteger/@value > 9]/valueInteger/@value", []string{"12"}},
		{"an extension's url is an attribute", "//birthDate/extension[@url='http://x/absent']/valueCode/@value", []string{"unknown"}},
		{"an element's id is an attribute", "//birthDate/@id", []string{"why"}},
		{"a union of functions", "concat(substring-before('a-b','-'), substring-after('a-b','-'))", []string{"ab"}},
		{"contains and starts-with", "//entry[starts-with(fullUrl/@value,'urn') and contains(fullUrl/@value,':2')]/fullUrl/@value", []string{"urn:2"}},
		{"the parent", "//family/../use/@value", []string{"official"}},
		{"a wildcard", "Bundle/*/resource/*/id/@value", []string{"p1", "o1"}},
		{"the name of a node", "name(//resource/*)", []string{"Patient"}},
		{"text", "//unit/text()", []string{"mmol/L"}},
		{"digits are kept", "//valueQuantity/value/@value", []string{"6.30"}},
		{"nothing", "Bundle/nothing/@value", []string{}},

		{"JSON: a member", "$.type", []string{"searchset"}},
		{"JSON: a position", "$.entry[1].resource.id", []string{"o1"}},
		{"JSON: from the end", "$.entry[-1].resource.id", []string{"o1"}},
		{"JSON: all", "$.entry[*].resource['id']", []string{"p1", "o1"}},
		{"JSON: descendants", "$..given[0]", []string{"Ma", "Xiao"}},
		{"JSON: a slice", "$.entry[0:1].fullUrl", []string{"urn:1"}},
		{"JSON: a union", "$.entry[0,1].fullUrl", []string{"urn:1", "urn:2"}},
		{"JSON: a filter", "$.entry[?(@.resource.resourceType=='Patient')].fullUrl", []string{"urn:1"}},
		{"JSON: a filter by number", "$..component[?(@.valueInteger>9)].valueInteger", []string{"12"}},
		{"JSON: a filter by presence", "$..name[?(@.family)].use", []string{"official"}},
		{"JSON: a filter by absence", "$..name[?(!@.family)].use", []string{"nickname"}},
		{"JSON: both", "$..name[?(@.use=='official' && @.family=='Suo')].given[1]", []string{"Li"}},
		{"JSON: either", "$..name[?(@.use=='x' || @.family=='Suo')].given[1]", []string{"Li"}},
		{"JSON: what is no primitive", "$.entry[1].resource.component[0]", []string{`{"valueInteger":3}`}},
		{"JSON: beyond the end", "$.entry[7]", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := evaluatePath(tt.path, sample(t, pathSample))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestPathRefuses(t *testing.T) {
	for _, tt := range []struct{ name, path, want string }{
		{"nothing", "", "ends too early"},
		{"an open predicate", "a[1", "ends too early"},
		{"an open text", "a['x", "without end at character 3"},
		{"a function that is not supported", "document('x')", "document()"},
		{"too few arguments", "contains('a')", "1 arguments"},
		{"an axis", "a/following-sibling::b", "axis"},
		{"something behind the end", "a b", "character 3"},
		{"a strange character", "a#b", "character 2"},
		{"nesting", strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100), "nests deeper than 32"},
		{"nesting of predicates", strings.Repeat("a[", 100) + "a" + strings.Repeat("]", 100), "nests deeper than 32"},
		{"length", strings.Repeat("a/", 3000) + "a", "over 4096 bytes"},
		{"cost", "//*[//*[//*[//*[//*[//*=//*]]]]]", "looks at more than"},
		{"JSON: an open bracket", "$.a[", "character"},
		{"JSON: no name", "$.", "character"},
		{"JSON: an open filter", "$.entry[?(@.a==", "character"},
		{"JSON: rest", "$.a b", "character"},
		{"JSON: nesting", "$" + strings.Repeat("[?(@", 100), "nests deeper"},
		{"JSON: cost", "$" + strings.Repeat("[*"+strings.Repeat(",*", 60)+"]", 5), "looks at more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := evaluatePath(tt.path, sample(t, pathSample))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"fhir:Bundle/fhir:type/@value", "//a[b/@c='d' and position()<2]/..", "$..a[?(@.b!='c')][0:2,'x']", "count(//*)", "(a)[1]//b"} {
		f.Add(s)
	}
	n := sample(f, pathSample)
	f.Fuzz(func(_ *testing.T, path string) {
		_, _ = evaluatePath(path, n)
	})
}

func TestContainsAll(t *testing.T) {
	for _, tt := range []struct{ name, got, want, missing string }{
		{"itself", `{"resourceType":"Patient","name":[{"given":["a","b"]}]}`, `{"resourceType":"Patient","name":[{"given":["a","b"]}]}`, ""},
		{"more is fine", `{"resourceType":"Patient","active":true,"name":[{"family":"x"},{"given":["b","a"]}]}`, `{"resourceType":"Patient","name":[{"given":["a"]}]}`, ""},
		{"the server's own things are not compared", `{"resourceType":"Patient","id":"1","meta":{"versionId":"1"}}`, `{"resourceType":"Patient","id":"2","meta":{"versionId":"7"}}`, ""},
		{"other parts of meta are", `{"resourceType":"Patient","id":"1","meta":{"versionId":"1"}}`, `{"resourceType":"Patient","meta":{"tag":[{"code":"x"}]}}`, "Patient.meta.tag"},
		{"another type", `{"resourceType":"Group"}`, `{"resourceType":"Patient"}`, "resourceType"},
		{"a missing element", `{"resourceType":"Patient"}`, `{"resourceType":"Patient","active":true}`, "Patient.active"},
		{"another value", `{"resourceType":"Patient","gender":"male"}`, `{"resourceType":"Patient","gender":"female"}`, "Patient.gender"},
		{"the same item does not count twice", `{"resourceType":"Patient","name":[{"given":["a"]}]}`, `{"resourceType":"Patient","name":[{"given":["a"]},{"given":["a"]}]}`, "Patient.name[1]"},
		{"items give way to others", `{"resourceType":"Patient","name":[{"family":"x","given":["a"]},{"family":"x"}]}`, `{"resourceType":"Patient","name":[{"family":"x"},{"given":["a"]}]}`, ""},
		{"digits count", `{"resourceType":"Observation","valueQuantity":{"value":1.5}}`, `{"resourceType":"Observation","valueQuantity":{"value":1.50}}`, "Observation.valueQuantity.value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			missing, err := containsAll(sample(t, tt.got), sample(t, tt.want))
			if err != nil || missing != tt.missing {
				t.Errorf("got %q, %v, want %q", missing, err, tt.missing)
			}
		})
	}
	t.Run("work is bounded", func(t *testing.T) {
		many := `{"resourceType":"Patient","name":[` + strings.TrimSuffix(strings.Repeat(`{"family":"x"},`, 3000), ",") + `]}`
		if _, err := containsAll(sample(t, many), sample(t, many)); err == nil || !strings.Contains(err.Error(), "steps") {
			t.Errorf("got %v", err)
		}
	})
}

func TestHolds(t *testing.T) {
	for _, tt := range []struct {
		operator, got, want string
		holds               bool
	}{
		{"", "a", "a", true}, {opEquals, "a", "b", false}, {opNotEquals, "a", "b", true}, {opNotEquals, "a", "a", false},
		{opIn, "200", "200, 204", true}, {opIn, "20", "200,204", false}, {opNotIn, "201", "200,204", true}, {opNotIn, "200", "200", false},
		{opGreaterThan, "10", "9", true}, {opGreaterThan, "9", "10", false}, {opGreaterThan, "9", "9", false},
		{opLessThan, "9.50", "9.6", true}, {opLessThan, "9.6", "9.50", false},
		{opGreaterThan, "2024-01-01T00:00:00+08:00", "2023-12-31T15:59:59Z", true},
		{opLessThan, "2023-01-02", "2023-01-10", true},
		{opGreaterThan, "1e999999999", "2", false},
		{opEmpty, "", "", true}, {opEmpty, "x", "", false}, {opNotEmpty, "x", "", true}, {opNotEmpty, "", "", false},
		{opContains, "abc", "b", true}, {opContains, "abc", "d", false}, {opNotContains, "abc", "d", true}, {opNotContains, "abc", "b", false},
	} {
		if got := holds(tt.operator, tt.got, tt.want); got != tt.holds {
			t.Errorf("%s %s %s: %t", tt.got, tt.operator, tt.want, got)
		}
	}
}
