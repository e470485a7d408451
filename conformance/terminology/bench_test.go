package terminology_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

var big = sync.OnceValue(func() *terminology.Memory { return classification(&testing.B{}, 40_000) })

func bigCatalog(b *testing.B, compose string) (*terminology.Catalog, *terminology.Set) {
	b.Helper()
	c := terminology.New(definitions.R4(), terminology.Options{Systems: []terminology.CodeSystem{big()},
		Resources: []*fhir.Node{parse(b, `{"resourceType":"ValueSet","url":"urn:set","compose":`+compose+`}`)}})
	s, err := c.ValueSet("urn:set")
	if err != nil {
		b.Fatal(err)
	}
	return c, s
}

func BenchmarkExpandSmall(b *testing.B) {
	c := terminology.New(definitions.R4(), terminology.Options{})
	s, err := c.ValueSet("http://hl7.org/fhir/ValueSet/observation-status")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if x, err := c.Expand(b.Context(), s, terminology.ExpandRequest{}); err != nil || x.Total != 8 {
			b.Fatal(x.Total, err)
		}
	}
}

func BenchmarkHas40000(b *testing.B) {
	_, s := bigCatalog(b, `{"include":[{"system":"urn:big","filter":[{"property":"concept","op":"is-a","value":"B05"}]}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if s.Has("urn:big", "B05.301") != definitions.Member {
			b.Fatal("no member")
		}
	}
}

func BenchmarkValidateCode40000(b *testing.B) {
	c, s := bigCatalog(b, `{"include":[{"system":"urn:big"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		v, err := c.ValidateCode(b.Context(), s, terminology.ValidateRequest{Coding: &terminology.Coding{System: "urn:big", Code: "B05.301"}})
		if err != nil || !v.Valid {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpandFilter40000(b *testing.B) {
	c, s := bigCatalog(b, `{"include":[{"system":"urn:big"}]}`)
	q := terminology.ExpandRequest{Filter: "部位3 未特指", Page: &terminology.Page{Count: 20}}
	if _, err := c.Expand(b.Context(), s, q); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if x, err := c.Expand(b.Context(), s, q); err != nil || len(x.Contains) != 20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpandPage40000(b *testing.B) {
	c, s := bigCatalog(b, `{"include":[{"system":"urn:big"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if x, err := c.Expand(b.Context(), s, terminology.ExpandRequest{Page: &terminology.Page{Offset: 39_000, Count: 20}}); err != nil || x.Total != 40_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpandExclude40000(b *testing.B) {
	c, s := bigCatalog(b, `{"include":[{"system":"urn:big"}],"exclude":[{"system":"urn:big","filter":[{"property":"concept","op":"is-a","value":"B05"}]}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if x, err := c.Expand(b.Context(), s, terminology.ExpandRequest{Page: &terminology.Page{Offset: 39_000, Count: 20}}); err != nil || x.Total != 39_959 {
			b.Fatal(x.Total, err)
		}
	}
}

func BenchmarkReadCSV40000(b *testing.B) {
	var t bytes.Buffer
	t.WriteString("编码,名称,英文,备注\n")
	for i := range 40_000 {
		fmt.Fprintf(&t, "%c%02d.%d%02d,第%d类疾病，部位%d,,\n", 'A'+i/1000%26, i/10%100, i%10, i/26000, i/40, i%40)
	}
	text := t.String()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := terminology.ReadCSV(strings.NewReader(text), diseaseTable(), terminology.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHasGender(b *testing.B) {
	c := terminology.New(definitions.R4(), terminology.Options{})
	s, err := c.ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.HasCode("male") != definitions.Member {
			b.Fatal("no member")
		}
	}
}
