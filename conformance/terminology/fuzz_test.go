package terminology_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// small bounds what one input of a fuzzer may cost.
var small = terminology.Limits{Concepts: 2_000, Text: 1 << 20, Parts: 500, Expansion: 1_000, Steps: 20_000, Targets: 500}

// Whatever a value set says, reading and listing it ends, and what is listed is a member.
func FuzzValueSet(f *testing.F) {
	for _, seed := range []string{
		`{"compose":{"include":[{"system":"urn:animals"}]}}`,
		`{"compose":{"inactive":false,"include":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"flier"}]}],"exclude":[{"system":"urn:animals","concept":[{"code":"bat"}]}]}}`,
		`{"compose":{"include":[{"system":"urn:animals","filter":[{"property":"code","op":"regex","value":"(a|b)*at"}]},{"valueSet":["urn:fuzz","urn:animals:all"]}]}}`,
		`{"compose":{"include":[{"system":"urn:animals|2","filter":[{"property":"legs","op":"in","value":"2,4"},{"property":"legs","op":"exists","value":"true"}]}]}}`,
		`{"expansion":{"total":2,"contains":[{"abstract":true,"display":"x","contains":[{"system":"urn:x","code":"y"}]}]}}`,
		`{"compose":{"include":[{"system":"http://unitsofmeasure.org","filter":[{"property":"canonical","op":"=","value":"m"}]}]}}`,
		`{"compose":[{"include":{"concept":7}}],"expansion":[]}`,
	} {
		f.Add([]byte(seed))
	}
	system, err := fhir.Parse([]byte(animals), fhir.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil || n.Kind() != fhir.Object {
			return
		}
		n.SetString("resourceType", "ValueSet").SetString("url", "urn:fuzz")
		c := terminology.New(definitions.R4(), terminology.Options{Resources: []*fhir.Node{system, n}, Limits: small})
		s, err := c.ValueSet("urn:fuzz")
		var refusal *terminology.Refusal
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			return
		}
		s.Has("urn:animals", "bat")
		s.HasCode("bat")
		x, err := c.Expand(t.Context(), s, terminology.ExpandRequest{DisplayLanguage: "zh", IncludeDesignations: true})
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			return
		}
		all := terminologyCodes(x.Contains)
		if len(all) != x.Total {
			t.Errorf("%d codes of %d", len(all), x.Total)
		}
		for _, m := range all {
			if s.Has(m.System, m.Code) == notMember {
				t.Errorf("%q of %q is listed and no member", m.Code, m.System)
			}
		}
		if _, err := fhir.Parse(x.Resource(n).AppendJSON(nil), fhir.Limits{}); err != nil {
			t.Error(err)
		}
		// A page is a part of the whole.
		page, err := c.Expand(t.Context(), s, terminology.ExpandRequest{Page: &terminology.Page{Offset: 1, Count: 2}, ExcludeNested: true})
		flat, errFlat := c.Expand(t.Context(), s, terminology.ExpandRequest{ExcludeNested: true})
		if err != nil || errFlat != nil {
			return
		}
		if want := drawn(flat.Contains[min(1, len(flat.Contains)):min(3, len(flat.Contains))]); drawn(page.Contains) != want {
			t.Errorf("page %s, want %s", drawn(page.Contains), want)
		}
	})
}

// Whatever a code system says, reading it ends, its hierarchy has no cycles, and every code is found again.
func FuzzCodeSystem(f *testing.F) {
	f.Add([]byte(animals))
	f.Add([]byte(`{"concept":[{"code":"a","property":[{"code":"parent","valueCode":"b"},{"code":"child","valueCode":"b"}]},{"code":"b","concept":[{"code":"a"}]}]}`))
	f.Add([]byte(`{"caseSensitive":false,"concept":[{"code":"A"},{"code":"a","designation":[{"value":"ſ"}]},{"code":"Ａ","display":"ǅ\u0000"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			return
		}
		m, _, err := terminology.Read(n, small, n)
		if err != nil {
			return
		}
		all, err := m.Select(t.Context(), terminology.Query{})
		if err != nil || all.Count() != m.Describe().Count {
			t.Fatal(err)
		}
		for c, err := range all.From(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			d, ok, err := m.Details(t.Context(), c.Code)
			if err != nil || !ok || d.Concept != c {
				t.Fatalf("%q is not found", c.Code)
			}
			for _, p := range d.Parents {
				if below, err := m.Subsumes(t.Context(), p, c.Code); err != nil || !below {
					t.Errorf("%q is not below its parent", c.Code)
				}
				if above, err := m.Subsumes(t.Context(), c.Code, p); err != nil || above {
					t.Errorf("%q is above its parent", c.Code)
				}
			}
			if found, err := m.Select(t.Context(), terminology.Query{Text: c.Display}); err == nil && c.Display != "" {
				if has, _ := found.Has(t.Context(), c.Code); !has {
					t.Errorf("%q is not found by its display %q", c.Code, c.Display)
				}
			}
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add(diseases)
	f.Add("编码,名称,英文,备注\r\n\"a\n\",b\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, _, err := terminology.ReadCSV(strings.NewReader(text), diseaseTable(), small)
		if err != nil {
			var table *terminology.TableError
			var refusal *terminology.Refusal
			if !errors.As(err, &table) && !errors.As(err, &refusal) || errors.Is(err, io.EOF) {
				t.Errorf("%T", err)
			}
			return
		}
		if m.Describe().Count > small.Concepts {
			t.Error("too many concepts")
		}
	})
}

// Whatever a concept map says, translating with it ends.
func FuzzConceptMap(f *testing.F) {
	for _, m := range maps {
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil || n.Kind() != fhir.Object {
			return
		}
		n.SetString("resourceType", "ConceptMap").SetString("url", "urn:map:rest")
		c := terminology.New(definitions.R4(), terminology.Options{Resources: []*fhir.Node{n}, Limits: small})
		m, err := c.ConceptMap("urn:map:rest")
		if err != nil {
			return
		}
		for _, reverse := range []bool{false, true} {
			out, err := c.Translate(t.Context(), terminology.TranslateRequest{Map: m, Codings: []terminology.Coding{{System: "urn:local", Code: "1"}, {Code: "5"}}, Reverse: reverse})
			if err != nil {
				continue
			}
			if _, err := fhir.Parse(out.Parameters().AppendJSON(nil), fhir.Limits{}); err != nil {
				t.Error(err)
			}
		}
	})
}
