package terminology_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/terminology"
)

const diseases = "\ufeff编码,名称,英文,备注\n" +
	"J18,病原体未特指的肺炎,\"Pneumonia, organism unspecified\",\n" +
	"J18.9,未特指的肺炎,Pneumonia unspecified,a|b\n" +
	"J18.901,社区获得性肺炎,,\n" +
	"\n" +
	"J20,急性支气管炎,Acute bronchitis,\n"

func diseaseTable() terminology.Table {
	return terminology.Table{Description: terminology.Description{URL: "urn:icd", Version: "10", Language: "zh-CN", CaseSensitive: true}, Prefixes: true,
		Columns: terminology.Columns{Code: "编码", Display: "名称", Designations: map[string]string{"en": "英文"}, Properties: map[string]string{"note": "备注"}}}
}

func TestReadCSV(t *testing.T) {
	m, issues, err := terminology.ReadCSV(strings.NewReader(diseases), diseaseTable(), terminology.Limits{})
	if err != nil || len(issues) > 0 {
		t.Fatal(err, issues)
	}
	if about := m.Describe(); about.Count != 4 || !about.Hierarchy || about.Content != terminology.Complete {
		t.Errorf("%+v", about)
	}
	c := terminology.New(definitions.R4(), terminology.Options{Systems: []terminology.CodeSystem{m}})
	out, err := c.Lookup(t.Context(), terminology.LookupRequest{Coding: terminology.Coding{System: "urn:icd", Code: "J18.9"}, DisplayLanguage: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out.Parameters().AppendJSON(nil)); got != `{"resourceType":"Parameters","parameter":[{"name":"name","valueString":"urn:icd"},{"name":"version","valueString":"10"},`+
		`{"name":"display","valueString":"Pneumonia unspecified"},{"name":"designation","part":[{"name":"language","valueCode":"en"},{"name":"value","valueString":"Pneumonia unspecified"}]},`+
		`{"name":"property","part":[{"name":"code","valueCode":"parent"},{"name":"value","valueCode":"J18"}]},{"name":"property","part":[{"name":"code","valueCode":"child"},{"name":"value","valueCode":"J18.901"}]},`+
		`{"name":"property","part":[{"name":"code","valueCode":"inactive"},{"name":"value","valueBoolean":false}]},{"name":"property","part":[{"name":"code","valueCode":"note"},{"name":"value","valueString":"a|b"}]}]}` {
		t.Error(got)
	}
	s, err := c.ValueSet("urn:icd?fhir_vs=isa/J18")
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Expand(t.Context(), s, terminology.ExpandRequest{Filter: "肺炎 pneumonia"})
	if err != nil || drawn(x.Contains) != "J18 J18.9" {
		t.Errorf("%v %v", drawn(x.Contains), err)
	}
}

func TestReadLOINC(t *testing.T) {
	table := "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"TIME_ASPCT\",\"SYSTEM\",\"SCALE_TYP\",\"METHOD_TYP\",\"CLASS\",\"CLASSTYPE\",\"STATUS\",\"ORDER_OBS\",\"LONG_COMMON_NAME\"\n" +
		"\"1-8\",\"X\",\"MCnc\",\"Pt\",\"Bld\",\"Qn\",\"\",\"CHEM\",\"1\",\"ACTIVE\",\"Both\",\"X [Mass/volume] in Blood\"\n" +
		"\"2-6\",\"X\",\"MCnc\",\"Pt\",\"Urine\",\"Qn\",\"\",\"CHEM\",\"1\",\"DEPRECATED\",\"Both\",\"X [Mass/volume] in Urine\"\n"
	m, _, err := terminology.ReadCSV(strings.NewReader(table), terminology.LOINC("2.78"), terminology.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c := terminology.New(definitions.R4(), terminology.Options{Systems: []terminology.CodeSystem{m}})
	s, err := c.ReadValueSet(parse(t, `{"resourceType":"ValueSet","compose":{"include":[{"system":"http://loinc.org","filter":[{"property":"SYSTEM","op":"in","value":"Bld,Urine"},{"property":"COMPONENT","op":"=","value":"X"}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Expand(t.Context(), s, terminology.ExpandRequest{})
	if err != nil || drawn(x.Contains) != "1-8 2-6!" {
		t.Errorf("%v %v", drawn(x.Contains), err)
	}
	if s, err = c.ValueSet("http://loinc.org/vs"); err != nil || s.HasCode("1-8") != member || s.HasCode("3-4") != notMember {
		t.Error("the value set of all codes is not there", err)
	}
}

func TestReadCSVRefuses(t *testing.T) {
	plain := terminology.Table{Description: terminology.Description{URL: "urn:t"}, Columns: terminology.Columns{Code: "code", Display: "name", Parent: "up", Abstract: "group"}}
	const head = "code,name,up,group\n"
	for _, row := range []struct {
		name, text string
		table      terminology.Table
		limits     terminology.Limits
		line       int
		refused    string
		issues     string
	}{
		{name: "takes a table", text: head + "a,A,,Y\nb,B,a,\n", table: plain},
		{name: "tells of codes that are there twice", text: head + "a,A,,\na,B,,\n", table: plain, issues: "warning code-system-duplicate-code "},
		{name: "tells of parents that are not there", text: head + "a,A,z,\n", table: plain, issues: "warning code-system-parent-unknown "},
		{name: "cuts cycles", text: head + "a,A,b,\nb,B,c|a,\nc,C,a,\nd,D,d,\n", table: plain, issues: "warning code-system-hierarchy-cyclic "},
		{name: "wants a header", text: "", table: plain, line: 1},
		{name: "wants its columns", text: "code,title\n", table: plain, line: 1},
		{name: "wants a URL", text: "code\n", table: terminology.Table{Columns: terminology.Columns{Code: "code"}}, line: 1},
		{name: "wants a column of codes", text: "code\n", table: terminology.Table{Description: terminology.Description{URL: "urn:t"}}, line: 1},
		{name: "wants a code in each row", text: head + "a,A,,\n,B,,\n", table: plain, line: 3},
		{name: "wants UTF-8", text: head + "a,\xc4\xd0,,\n", table: plain, line: 2},
		{name: "wants quotes that end", text: head + "a,\"A,,\n", table: plain, line: 2},
		{name: "bounds concepts", text: head + "a,A,,\nb,B,,\n", table: plain, limits: terminology.Limits{Concepts: 1}, refused: "code-system-too-large"},
		{name: "bounds bytes", text: head + "a," + strings.Repeat("A", 200) + ",,\n", table: plain, limits: terminology.Limits{Text: 100}, refused: "code-system-too-large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, issues, err := terminology.ReadCSV(strings.NewReader(row.text), row.table, row.limits)
			var e *terminology.TableError
			switch {
			case row.line > 0:
				if !errors.As(err, &e) || e.Line != row.line || !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: ", row.line)) {
					t.Errorf("%v, want an error in line %d", err, row.line)
				}
			case refused(t, err) != row.refused:
				t.Errorf("refused with %v, want %q", err, row.refused)
			case found(issues) != row.issues:
				t.Errorf("issues %s, want %s", found(issues), row.issues)
			}
		})
	}
}

// A concept of a classification of diseases costs its text and a few numbers.
func TestMemorySize(t *testing.T) {
	m := classification(t, 40_000)
	perCode := float64(m.Size()) / float64(m.Describe().Count)
	t.Logf("%d codes, %.0f bytes per code", m.Describe().Count, perCode)
	if perCode > 128 {
		t.Errorf("%.0f bytes per code", perCode)
	}
}

// classification is a system of n codes in three levels with Chinese names, like ICD-10.
func classification(t testing.TB, n int) *terminology.Memory {
	t.Helper()
	b := terminology.NewBuilder(terminology.Description{URL: "urn:big", Version: "1", Language: "zh-CN", CaseSensitive: true}, terminology.Limits{})
	add := func(code, display, parent string) {
		if err := b.Add(terminology.Details{Concept: terminology.Concept{Code: code, Display: display, Parent: parent}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; n > 0; i++ {
		top := fmt.Sprintf("%c%02d", 'A'+i/100%26, i%100)
		if i >= 2600 {
			top += fmt.Sprintf("x%d", i/2600)
		}
		add(top, fmt.Sprintf("第%d类疾病", i), "")
		n--
		for j := 0; j < 10 && n > 0; j++ {
			middle := fmt.Sprintf("%s.%d", top, j)
			add(middle, fmt.Sprintf("第%d类疾病，部位%d", i, j), top)
			n--
			for k := 0; k < 3 && n > 0; k++ {
				add(fmt.Sprintf("%s0%d", middle, k), fmt.Sprintf("第%d类疾病，部位%d，未特指的%d型", i, j, k), middle)
				n--
			}
		}
	}
	m, issues := b.Done()
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	return m
}
