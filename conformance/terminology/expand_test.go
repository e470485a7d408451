package terminology_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// refused is the name of the refusal that an error is, "" for none.
func refused(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var r *terminology.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("no refusal: %v", err)
	}
	if r.Issue.Chinese == "" || r.Issue.Text == "" || r.Error() != r.Issue.Text {
		t.Errorf("%s is not said in both languages", r.Issue.ID)
	}
	return r.Issue.ID
}

// drawn writes an expansion on one line: codes, with what is below them in brackets, ! for inactive and * for abstract.
func drawn(list []terminology.Contained) string {
	var out []string
	for _, m := range list {
		s := m.Code
		if m.Abstract {
			s += "*"
		}
		if m.Inactive {
			s += "!"
		}
		if len(m.Contains) > 0 {
			s += "(" + drawn(m.Contains) + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestExpand(t *testing.T) {
	set := func(url, compose string) string {
		return `{"resourceType":"ValueSet","url":"` + url + `","status":"active","compose":` + compose + `}`
	}
	c := catalog(t, animals,
		set("urn:whole", `{"include":[{"system":"urn:animals"}]}`),
		set("urn:listed", `{"include":[{"system":"urn:animals","concept":[{"code":"cat","display":"Pussycat","designation":[{"language":"fr","value":"Chat"}]},{"code":"dodo"},{"code":"cat"}]}]}`),
		set("urn:active", `{"inactive":false,"include":[{"system":"urn:animals"}]}`),
		set("urn:twice", `{"include":[{"system":"urn:animals","concept":[{"code":"bat"}]},{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"flier"}]},{"valueSet":["urn:listed"]}]}`),
		set("urn:excluded", `{"include":[{"system":"urn:animals"}],"exclude":[{"valueSet":["urn:listed"]},{"system":"urn:animals","concept":[{"code":"animal"}]}]}`),
		set("urn:intersection", `{"include":[{"valueSet":["urn:whole","urn:twice","urn:listed"]}]}`),
		set("urn:other", `{"include":[{"system":"urn:elsewhere","concept":[{"code":"x","display":"Ex"}]},{"system":"urn:animals","concept":[{"code":"bat"}]}]}`),
		set("urn:unknown-system", `{"include":[{"system":"urn:elsewhere"}]}`),
		set("urn:unknown-import", `{"include":[{"valueSet":["urn:not-there"]}]}`),
		set("urn:unknown-exclude", `{"include":[{"system":"urn:animals"}],"exclude":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"fish"}]}]}`),
		set("urn:cycle-a", `{"include":[{"valueSet":["urn:cycle-b"]}]}`),
		set("urn:cycle-b", `{"include":[{"valueSet":["urn:cycle-a"]}]}`),
		set("urn:self", `{"include":[{"valueSet":["urn:self"]}]}`),
		set("urn:units", `{"include":[{"system":"http://unitsofmeasure.org"}]}`),
		set("urn:empty-include", `{"include":[{}]}`),
		set("urn:other-version", `{"include":[{"system":"urn:animals","version":"1"}]}`),
		`{"resourceType":"ValueSet","url":"urn:nothing"}`,
		`{"resourceType":"ValueSet","url":"urn:stored","compose":{"include":[{"system":"urn:elsewhere"}]},"expansion":{"contains":[{"system":"urn:elsewhere","code":"x","display":"Ex"}]}}`,
		`{"resourceType":"CodeSystem","url":"urn:some","content":"fragment","caseSensitive":true,"concept":[{"code":"a"}]}`,
		set("urn:fragment", `{"include":[{"system":"urn:some"}]}`),
	)
	type request = terminology.ExpandRequest
	flat := request{ExcludeNested: true}
	for _, row := range []struct {
		name, set string
		q         request
		want      string
		total     int
		refused   string
	}{
		{"nests by the first parent", "urn:whole", request{}, "animal*(mammal(cat bat) flier(dodo!))", 6, ""},
		{"lists flat when asked to", "urn:whole", flat, "animal* mammal cat bat flier dodo!", 6, ""},
		{"drops what is not active", "urn:whole", request{ActiveOnly: true, ExcludeNested: true}, "animal* mammal cat bat flier", 5, ""},
		{"drops what cannot be chosen", "urn:whole", request{ExcludeNotForUI: true, ExcludeNested: true}, "mammal cat bat flier dodo!", 5, ""},
		{"nests below what is there", "urn:whole", request{ExcludeNotForUI: true}, "mammal(cat bat) flier(dodo!)", 5, ""},
		{"drops inactive codes for the value set", "urn:active", flat, "animal* mammal cat bat flier", 5, ""},
		{"keeps the order of a list and drops repetitions", "urn:listed", request{}, "cat dodo!", 2, ""},
		{"lists a code of two includes once", "urn:twice", flat, "bat flier dodo! cat", 4, ""},
		{"takes excludes away", "urn:excluded", flat, "mammal bat flier", 3, ""},
		{"intersects value sets", "urn:intersection", flat, "cat dodo!", 2, ""},
		{"lists codes of systems that are not known", "urn:other", flat, "x bat", 2, ""},
		{"leaves a system out", "urn:other", request{ExcludeSystem: []string{"urn:elsewhere"}}, "bat", 1, ""},
		{"takes the expansion that came along", "urn:stored", request{}, "x", 1, ""},
		{"lists what is there of a fragment", "urn:fragment", request{}, "a", 1, ""},

		{"pages from the start", "urn:whole", request{Page: &terminology.Page{Count: 2}}, "animal* mammal", 6, ""},
		{"pages from the middle", "urn:whole", request{Page: &terminology.Page{Offset: 3, Count: 2}}, "bat flier", 6, ""},
		{"pages to the end", "urn:whole", request{Page: &terminology.Page{Offset: 5, Count: 9}}, "dodo!", 6, ""},
		{"pages behind the end", "urn:whole", request{Page: &terminology.Page{Offset: 9, Count: 9}}, "", 6, ""},
		{"counts only", "urn:whole", request{Page: &terminology.Page{}}, "", 6, ""},
		{"pages what was left", "urn:excluded", request{Page: &terminology.Page{Offset: 1, Count: 1}}, "bat", 3, ""},
		{"pages over includes", "urn:twice", request{Page: &terminology.Page{Offset: 2, Count: 2}}, "dodo! cat", 4, ""},
		{"refuses a page before the start", "urn:whole", request{Page: &terminology.Page{Offset: -1}}, "", 0, "parameter-invalid"},

		{"filters by display", "urn:whole", request{Filter: "MAMM"}, "mammal", 1, ""},
		{"filters by code", "urn:whole", request{Filter: "cat"}, "cat", 1, ""},
		{"filters without accents", "urn:whole", request{Filter: "dodo"}, "dodo!", 1, ""},
		{"filters with accents", "urn:whole", request{Filter: "dódó"}, "dodo!", 1, ""},
		{"filters without width", "urn:whole", request{Filter: "ＢＡＴ"}, "bat", 1, ""},
		{"filters by parts of Chinese names", "urn:whole", request{Filter: "哺乳"}, "mammal", 1, ""},
		{"wants every word", "urn:whole", request{Filter: "animal fly"}, "flier", 1, ""},
		{"filters to nothing", "urn:whole", request{Filter: "zebra"}, "", 0, ""},
		{"filters lists by the value set's name", "urn:listed", request{Filter: "pussy"}, "cat", 1, ""},
		{"filters lists by the value set's other names", "urn:listed", request{Filter: "chat"}, "cat", 1, ""},
		{"filters lists by the system's names", "urn:listed", request{Filter: "猫"}, "cat", 1, ""},
		{"filters what is excluded", "urn:excluded", request{Filter: "at"}, "bat", 1, ""},
		{"filters intersections", "urn:intersection", request{Filter: "dod"}, "dodo!", 1, ""},
		{"filters only by white space", "urn:listed", request{Filter: "  "}, "cat dodo!", 2, ""},
		{"refuses a long filter", "urn:whole", request{Filter: strings.Repeat("a", 300)}, "", 0, "parameter-invalid"},
		{"refuses a filter of many words", "urn:whole", request{Filter: strings.Repeat("a ", 20)}, "", 0, "parameter-invalid"},
		{"refuses what is no language", "urn:whole", request{DisplayLanguage: "no language!"}, "", 0, "parameter-invalid"},

		{"refuses many languages", "urn:whole", request{DisplayLanguage: strings.Repeat("en,", 17) + "zh"}, "", 0, "parameter-invalid"},
		{"takes a version that is there", "urn:whole", request{SystemVersion: []string{"urn:animals|2"}, ExcludeNested: true}, "animal* mammal cat bat flier dodo!", 6, ""},
		{"refuses a version that is not", "urn:whole", request{SystemVersion: []string{"urn:animals|1"}}, "", 0, "code-system-version-unknown"},
		{"forces a version", "urn:other-version", request{ForceSystemVersion: []string{"urn:animals|2"}, ExcludeNested: true}, "animal* mammal cat bat flier dodo!", 6, ""},
		{"checks a version", "urn:whole", request{CheckSystemVersion: []string{"urn:animals|3"}}, "", 0, "code-system-version-mismatch"},
		{"refuses a version of nothing", "urn:whole", request{CheckSystemVersion: []string{"urn:animals"}}, "", 0, "parameter-invalid"},

		{"refuses an unknown system", "urn:unknown-system", request{}, "", 0, "code-system-unknown"},
		{"refuses an unknown import", "urn:unknown-import", request{}, "", 0, "value-set-unknown"},
		{"refuses an exclude that cannot be told", "urn:unknown-exclude", request{}, "", 0, "filter-code-unknown"},
		{"refuses a cycle", "urn:cycle-a", request{}, "", 0, "value-set-cyclic"},
		{"refuses a set of itself", "urn:self", request{}, "", 0, "value-set-cyclic"},
		{"refuses a grammar", "urn:units", request{}, "", 0, "code-system-infinite"},
		{"refuses an include of nothing", "urn:empty-include", request{}, "", 0, "value-set-include-empty"},
		{"refuses a set of nothing", "urn:nothing", request{}, "", 0, "value-set-undefined"},
		{"refuses a set that is not there", "urn:not-there", request{}, "", 0, "value-set-unknown"},
		{"refuses another version of a set", "http://hl7.org/fhir/ValueSet/administrative-gender|9", request{}, "", 0, "value-set-unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := c.ValueSet(row.set)
			var x *terminology.Expansion
			if err == nil {
				x, err = c.Expand(t.Context(), s, row.q)
			}
			if got := refused(t, err); got != row.refused {
				t.Fatalf("refused with %q, want %q", got, row.refused)
			}
			if err != nil {
				return
			}
			if got := drawn(x.Contains); got != row.want {
				t.Errorf("codes %s, want %s", got, row.want)
			}
			if x.Total != row.total {
				t.Errorf("total %d, want %d", x.Total, row.total)
			}
		})
	}
}

func TestExpansionResource(t *testing.T) {
	o := terminology.Options{Now: func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }, Resources: []*fhir.Node{parse(t, animals), parse(t,
		`{"resourceType":"ValueSet","language":"en","url":"urn:pets","version":"7","name":"Pets","status":"draft","text":{"status":"empty"},"compose":{"include":[{"system":"urn:animals","concept":[{"code":"cat"},{"code":"animal"}]}]}}`)}}
	c := terminology.New(definitions.R4(), o)
	s, err := c.ValueSet("urn:pets|7")
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Expand(t.Context(), s, terminology.ExpandRequest{DisplayLanguage: "zh-CN,en;q=0.5", IncludeDesignations: true,
		Page: &terminology.Page{Count: 10}, SystemVersion: []string{"urn:animals|2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"resourceType":"ValueSet","language":"en","url":"urn:pets","version":"7","name":"Pets","status":"draft","expansion":{` +
		`"timestamp":"2026-03-01T08:00:00Z","total":2,"offset":0,"parameter":[{"name":"offset","valueInteger":0},{"name":"count","valueInteger":10},` +
		`{"name":"includeDesignations","valueBoolean":true},{"name":"displayLanguage","valueCode":"zh-CN,en"},` +
		`{"name":"system-version","valueUri":"urn:animals|2"},{"name":"version","valueUri":"urn:animals|2"}],` +
		`"contains":[{"system":"urn:animals","code":"cat","display":"猫","designation":[{"language":"en","value":"Cat"},{"language":"zh-CN","value":"猫"}]},` +
		`{"system":"urn:animals","abstract":true,"code":"animal","display":"Animal"}]}}`
	if diff := cmp.Diff(want, string(x.Resource(nil).AppendJSON(nil))); diff != "" {
		t.Error(diff)
	}
	x, err = c.Expand(t.Context(), s, terminology.ExpandRequest{IncludeDesignations: true, Designations: []string{"fr"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(x.Contains[0].Designations); n != 0 {
		t.Errorf("%d designations that nobody asked for", n)
	}
}

// cannot are the value sets of the specification that it leaves wanting.
var cannot = map[string]string{
	"example-filter": "filter-unsupported",          // the code system declares the filter, but no property to filter by
	"media-modality": "value-set-unknown",           // imports dicom-cid29, which is not published with it
	"use-context":    "value-set-unknown",           // imports usps-state, which is not published with it
	"task-code":      "code-system-version-unknown", // includes version 3.6.0 of a system that is published as 4.0.1
}

// Every value set of the specification expands, or there is a reason that is known.
func TestExpandR4(t *testing.T) {
	c := catalog(t)
	defs := definitions.R4()
	reasons, expanded, codes := map[string]int{}, 0, 0
	for _, url := range defs.URLs("ValueSet") {
		s, err := c.ValueSet(url)
		var x *terminology.Expansion
		if err == nil {
			x, err = c.Expand(t.Context(), s, terminology.ExpandRequest{})
		}
		if err != nil {
			reasons[refused(t, err)]++
			switch refused(t, err) {
			case "code-system-unknown", "code-system-not-present", "code-system-infinite":
			default:
				if cannot[strings.TrimPrefix(url, "http://hl7.org/fhir/ValueSet/")] != refused(t, err) {
					t.Errorf("%s: %v", url, err)
				}
			}
			continue
		}
		expanded++
		codes += x.Total
		// What an expansion lists are members, and what the definitions know is listed.
		all := terminologyCodes(x.Contains)
		for _, m := range all {
			if s.Has(m.System, m.Code) != member {
				t.Errorf("%s lists a code that is no member of it", url)
			}
		}
		if len(all) != x.Total {
			t.Errorf("%s has %d codes and says %d", url, len(all), x.Total)
		}
		if known := defs.ValueSet(url); known.Complete && len(known.Concepts()) != x.Total {
			t.Errorf("%s has %d codes, the definitions %d", url, x.Total, len(known.Concepts()))
		}
	}
	t.Logf("%d of %d value sets expand to %d codes; others: %v", expanded, len(defs.URLs("ValueSet")), codes, fmt.Sprint(reasons))
	if expanded < 1100 {
		t.Errorf("%d expand", expanded)
	}
}

func terminologyCodes(list []terminology.Contained) []terminology.Contained {
	var out []terminology.Contained
	for _, m := range list {
		out = append(append(out, m), terminologyCodes(m.Contains)...)
	}
	return out
}
