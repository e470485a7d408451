package codes_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/codes"
)

const sexCSV = `#! title: 性别
#! system: http://hl7.org/fhir/administrative-gender
#! unmapped: default unknown
# a comment
code,display,target,aliases,preferred,target_display
1,男,male,男性|M,,Male
2,女,female,女性|F,,Female
3,"变性, 男",male,,,
9,未说明,unknown,,yes,Unknown
0,未知,unknown,,,Unknown
`

const gender = "http://hl7.org/fhir/administrative-gender"

func parse(t *testing.T, name, csv string, o codes.TableOptions) *codes.Table {
	t.Helper()
	table, problems, err := codes.ParseTable(name, strings.NewReader(csv), o)
	if err != nil || len(problems) > 0 {
		t.Fatalf("ParseTable: %v, %v", problems, err)
	}
	return table
}

func TestTranslate(t *testing.T) {
	source := codes.LocalSystem("", "city", "sex")
	if source != "https://yilian.dev/fhir/institution/city/codes/sex" {
		t.Fatalf("LocalSystem = %q", source)
	}
	table := parse(t, "sex", sexCSV, codes.TableOptions{Source: source})
	male := codes.Coding{System: gender, Code: "male", Display: "Male"}
	for _, c := range []struct {
		name, in string
		want     codes.Translation
	}{
		{"exact", "1", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.Exact}},
		{"full width", "１", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.ByFold}},
		{"spaces", " 1\t", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.ByFold}},
		{"alias", "男性", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.ByAlias}},
		{"alias in small letters", "m", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.ByAlias}},
		{"display in place of the code", "男", codes.Translation{Source: codes.Coding{System: source, Code: "1", Display: "男"}, Target: male, Equivalence: "equivalent", Match: codes.ByAlias}},
		{"unknown code, default", "7", codes.Translation{Source: codes.Coding{System: source, Code: "7"},
			Target: codes.Coding{System: gender, Code: "unknown", Display: "Unknown"}, Equivalence: "inexact", Match: codes.ByDefault}},
		{"nothing", " ", codes.Translation{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.want.Source.IsZero() {
				c.want.Policy = codes.Default
			}
			got := table.Translate(c.in)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if got.Mapped() != (c.want.Target.Code != "") || got.Found() != (c.want.Match > codes.ByDefault) {
				t.Error("Mapped or Found contradicts the translation")
			}
		})
	}
	t.Run("policy of the caller", func(t *testing.T) {
		keep := table.WithUnmapped(codes.Keep, codes.Coding{})
		if got := keep.Translate("7"); got.Mapped() || got.Source.Code != "7" || got.Policy != codes.Keep {
			t.Errorf("keep: %+v", got)
		}
		if got := table.WithUnmapped(codes.Reject, male).Translate("7"); got.Mapped() || got.Policy != codes.Reject {
			t.Errorf("reject: %+v", got)
		}
		if got := table.Translate("7"); got.Policy != codes.Default {
			t.Error("the table itself changed")
		}
	})
}

func TestCodesThatDifferInFoldingOnly(t *testing.T) {
	table := parse(t, "x", "#! system: urn:oid:1.2\ncode,target\na,1\nA,2\nb,3\n", codes.TableOptions{})
	for in, want := range map[string]string{"a": "1", "A": "2", "ａ": "", "B": "3"} {
		if got := table.Translate(in).Target.Code; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestACodeBeatsADisplay(t *testing.T) {
	table := parse(t, "x", "#! system: urn:oid:1.2\ncode,display,target\nH,L,1\nL,H,2\nx,same,3\ny,same,4\n", codes.TableOptions{})
	for in, want := range map[string]string{"H": "1", "l": "2", "same": ""} {
		if got := table.Translate(in).Target.Code; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestReverse(t *testing.T) {
	table := parse(t, "sex", sexCSV, codes.TableOptions{Source: "urn:oid:1"})
	for _, c := range []struct{ name, system, code, want string }{
		{"only one", gender, "female", "2"},
		{"the preferred one", gender, "unknown", "9"},
		{"any system", "", "female", "2"},
		{"two without a preference", gender, "male", ""},
		{"another system", "urn:oid:9", "female", ""},
		{"no such code", gender, "other", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := table.Reverse(c.system, c.code)
			if got.Code != c.want || ok != (c.want != "") {
				t.Errorf("Reverse = %v, %v, want %q", got, ok, c.want)
			}
		})
	}
	t.Run("the equivalent one beats wider ones", func(t *testing.T) {
		table := parse(t, "x", "#! system: urn:oid:1.2\ncode,target,equivalence\na,1,wider\nb,1,\nc,1,wider\n", codes.TableOptions{})
		if got, _ := table.Reverse("", "1"); got.Code != "b" {
			t.Errorf("Reverse = %v", got)
		}
	})
}

func TestParseProblems(t *testing.T) {
	const head = "#! system: urn:oid:1.2\n"
	for _, c := range []struct{ name, csv, want string }{
		{"empty file", "", `x.csv:1:1: no header row: want columns code,display,aliases,target,system,target_display,equivalence,preferred,status,comment`},
		{"unknown column", head + "code,target,colour\n", `x.csv:2:13: unknown column "colour": want code, display, aliases, target, system, target_display, equivalence, preferred, status, comment`},
		{"column twice", head + "code,target,code\n", `x.csv:2:13: column "code" stands twice`},
		{"no target column", head + "code,display\n", `x.csv:2:1: no column "target"`},
		{"too few fields", head + "code,target\n1\n", `x.csv:3:1: 1 fields, but the header has 2 columns`},
		{"too many fields", head + "code,target\n1,2,3\n", `x.csv:3:1: 3 fields, but the header has 2 columns`},
		{"duplicate code", head + "code,target\n1,a\n2,b\n1,c\n", `x.csv:5:1: code "1" stands in line 3 already`},
		{"no code", head + "code,target\n,a\n", `x.csv:3:1: code: want 1 to 200 characters with single spaces inside`},
		{"two spaces in a code", head + "code,target\na  b,a\n", `x.csv:3:1: code: want 1 to 200 characters with single spaces inside`},
		{"code too long", head + "code,target\n" + strings.Repeat("码", 201) + ",a\n", `x.csv:3:1: code: want 1 to 200 characters with single spaces inside`},
		{"missing target, columns in characters", head + "display,code,target\n外周血,1,\n", `x.csv:3:7: no target: want a code, or the equivalence unmatched`},
		{"target of an unmatched code", head + "code,target,equivalence\n1,a,unmatched\n", `x.csv:3:3: target: want none with the equivalence unmatched`},
		{"unknown equivalence", head + "code,target,equivalence\n1,a,same\n", `x.csv:3:5: equivalence "same": want relatedto, equivalent, equal, wider, subsumes, narrower, specializes, inexact, unmatched, disjoint`},
		{"inexact without a comment", head + "code,target,equivalence\n1,a,inexact\n", `x.csv:3:5: equivalence inexact: want a comment that says how the two differ`},
		{"no system", "code,target\n1,a\n", `x.csv:2:3: target without a system: want the column or the directive "system"`},
		{"relative system", "code,target,system\n1,a,loinc\n", `x.csv:2:5: system: want an absolute URI`},
		{"relative system in a directive", "#! system: loinc\ncode,target\n", `x.csv:1:1: directive "system": want an absolute URI`},
		{"unknown directive", head + "#! sytem: urn:x\ncode,target\n", `x.csv:2:1: unknown directive "sytem": want title, description, version, source, system or unmapped`},
		{"directive twice", head + head + "code,target\n", `x.csv:2:1: directive "system" stands twice`},
		{"directive without a value", "#! system\ncode,target\n", `x.csv:1:1: directive: want #! key: value`},
		{"late directive", head + "code,target\n#! title: x\n", `x.csv:3:1: directive after the header row: move it to the top`},
		{"unknown policy", head + "#! unmapped: drop\ncode,target\n", `x.csv:2:1: directive "unmapped": want keep, reject, or default CODE`},
		{"default without a code", head + "#! unmapped: default\ncode,target\n", `x.csv:2:1: directive "unmapped": want keep, reject, or default CODE`},
		{"default without a system", "#! unmapped: default z\ncode,target,system\n1,a,urn:oid:1\n", `x.csv:1:1: default of the directive "unmapped" without a system: want the directive "system"`},
		{"alias twice", head + "code,target,aliases\n1,a,x\n2,b,X\n", `x.csv:4:1: alias "X" stands in line 3 already`},
		{"alias that is a code", head + "code,target,aliases\n1,a,2\n2,b,\n", `x.csv:3:1: alias "2" is the code of line 4`},
		{"empty alias", head + "code,target,aliases\n1,a,x||y\n", `x.csv:3:5: aliases: want codes separated by |`},
		{"preferred in other words", head + "code,target,preferred\n1,a,1\n", `x.csv:3:5: preferred: want yes or nothing`},
		{"unknown status", head + "code,target,status\n1,a,old\n", `x.csv:3:5: status: want active or deprecated`},
		{"stray quote", head + "code,target\n1,外周\"血\n", `x.csv:3:5: bare " in non-quoted-field`},
		{"GBK bytes", head + "code,display,target\n1,外\xcd\xe2,a\n", `x.csv:3:4: bytes that are not UTF-8: save the file as UTF-8`},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, problems, err := codes.ParseTable("x", strings.NewReader(c.csv), codes.TableOptions{})
			if err != nil || table != nil {
				t.Fatalf("table %v, error %v", table, err)
			}
			if len(problems) != 1 || problems[0].String() != c.want {
				t.Errorf("problems:\n%v\nwant\n%s", problems, c.want)
			}
		})
	}
	t.Run("name", func(t *testing.T) {
		_, problems, _ := codes.ParseTable("a/b", strings.NewReader(head+"code,target\n"), codes.TableOptions{File: "f.csv"})
		if len(problems) != 1 || problems[0].String() != "f.csv:1:1: table name: want 1 to 64 letters, digits, dots and hyphens" {
			t.Errorf("problems: %v", problems)
		}
	})
	t.Run("all problems at once, up to a limit", func(t *testing.T) {
		_, problems, _ := codes.ParseTable("x", strings.NewReader(head+"code,target\n"+strings.Repeat(",\n", 300)), codes.TableOptions{})
		if len(problems) != codes.MaxProblems {
			t.Errorf("%d problems", len(problems))
		}
	})
	t.Run("broken reader", func(t *testing.T) {
		broken := errors.New("broken")
		if _, _, err := codes.ParseTable("x", iotest.ErrReader(broken), codes.TableOptions{}); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	})
}

func TestTableLimits(t *testing.T) {
	rows := "#! system: urn:oid:1\ncode,target\n" + strings.Repeat("x,y\n", codes.MaxTableRows+1)
	_, problems, _ := codes.ParseTable("x", strings.NewReader(rows), codes.TableOptions{})
	if len(problems) == 0 {
		t.Error("too many rows were taken")
	}
	_, problems, _ = codes.ParseTable("x", strings.NewReader(strings.Repeat("#\n", codes.MaxTableBytes)), codes.TableOptions{})
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "larger than") {
		t.Errorf("too large a file: %v", problems)
	}
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	table := parse(t, "x", "\ufeff#! system: urn:oid:1\r\ncode,target\r\n1,a\r\n", codes.TableOptions{})
	if got := table.Translate("1").Target.Code; got != "a" {
		t.Errorf("target %q", got)
	}
}

func TestVersionFollowsContent(t *testing.T) {
	a := parse(t, "x", "#! system: urn:oid:1\ncode,target\n1,a\n", codes.TableOptions{})
	b := parse(t, "x", "#! system: urn:oid:1\ncode,target\n1,b\n", codes.TableOptions{})
	if a.Version() == b.Version() || len(a.Hash()) != 64 || !strings.HasPrefix(a.Hash(), a.Version()) {
		t.Errorf("versions %q and %q", a.Version(), b.Version())
	}
	c := parse(t, "x", "#! system: urn:oid:1\n#! version: 2024\ncode,target\n1,b\n", codes.TableOptions{})
	if c.Version() != "2024" {
		t.Errorf("declared version %q", c.Version())
	}
}

func TestConceptMap(t *testing.T) {
	table := parse(t, "lab-sex", sexCSV+"5,不适用,male,,,\n", codes.TableOptions{Source: "https://yilian.dev/fhir/institution/lab/codes/lab-sex"})
	got, err := table.ConceptMap(codes.Identity{ID: "lab-sex", URL: "https://yilian.dev/fhir/ConceptMap/lab-sex"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"resourceType":"ConceptMap","id":"lab-sex","url":"https://yilian.dev/fhir/ConceptMap/lab-sex","version":"` + table.Version() + `",` +
		`"name":"LabSex","title":"性别","status":"active","group":[{"source":"https://yilian.dev/fhir/institution/lab/codes/lab-sex",` +
		`"target":"http://hl7.org/fhir/administrative-gender","element":[` +
		`{"code":"1","display":"男","target":[{"code":"male","display":"Male","equivalence":"equivalent"}]},` +
		`{"code":"2","display":"女","target":[{"code":"female","display":"Female","equivalence":"equivalent"}]},` +
		`{"code":"3","display":"变性, 男","target":[{"code":"male","equivalence":"equivalent"}]},` +
		`{"code":"9","display":"未说明","target":[{"code":"unknown","display":"Unknown","equivalence":"equivalent"}]},` +
		`{"code":"0","display":"未知","target":[{"code":"unknown","display":"Unknown","equivalence":"equivalent"}]},` +
		`{"code":"5","display":"不适用","target":[{"code":"male","equivalence":"equivalent"}]}],` +
		`"unmapped":{"mode":"fixed","code":"unknown","display":"Unknown"}}]}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestConceptMapOfUnmatchedAndSeveralSystems(t *testing.T) {
	table := parse(t, "x", "#! system: urn:oid:1\n#! unmapped: reject\ncode,target,system,equivalence\n1,,,unmatched\n2,b,urn:oid:2,\n3,c,,wider\n", codes.TableOptions{})
	data, err := table.ConceptMap(codes.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Group []struct {
			Target   string
			Element  []struct{ Code string }
			Unmapped *struct{}
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Group) != 2 || m.Group[0].Target != "urn:oid:2" || len(m.Group[0].Element) != 2 || m.Group[0].Unmapped != nil ||
		m.Group[1].Target != "urn:oid:1" {
		t.Errorf("groups: %s", data)
	}
}

func TestCodeSystem(t *testing.T) {
	csv := "#! system: urn:oid:1\ncode,display,target,aliases,status\n1,男,a,M,\n2,女,b,,deprecated\n"
	table := parse(t, "sex.2", csv, codes.TableOptions{Source: "urn:oid:5"})
	got, err := table.CodeSystem(codes.Identity{ID: "s", Publisher: "县医院"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"resourceType":"CodeSystem","id":"s","url":"urn:oid:5","version":"` + table.Version() + `","name":"Sex2","title":"sex.2",` +
		`"status":"active","publisher":"县医院","caseSensitive":true,"content":"complete","count":2,` +
		`"property":[{"code":"status","uri":"http://hl7.org/fhir/concept-properties#status","type":"code"}],"concept":[` +
		`{"code":"1","display":"男","designation":[{"value":"M"}]},` +
		`{"code":"2","display":"女","property":[{"code":"status","valueCode":"deprecated"}]}]}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestBuiltinResourcesHaveLegalNames(t *testing.T) {
	legal := regexp.MustCompile(`"name":"[A-Z]([A-Za-z0-9_]){0,254}"`)
	for _, name := range codes.BuiltinNames() {
		table, _ := codes.Builtin(name)
		for _, show := range []func(codes.Identity) ([]byte, error){table.ConceptMap, table.CodeSystem} {
			if data, err := show(codes.Identity{ID: name}); err != nil || !legal.Match(data) || !json.Valid(data) {
				t.Errorf("%s: %.200s, %v", name, data, err)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	table := parse(t, "lab", "#! system: urn:oid:1\ncode,display,target\nHBA1C,糖化血红蛋白,1\nHB,血红蛋白,2\nALT,丙氨酸氨基转移酶,3\nK,钾,4\n", codes.TableOptions{})
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"a letter too few", "hba1", []string{"HBA1C", "HB"}},
		{"one character of the name wrong", "糖化血色蛋白", []string{"HBA1C", "HB"}},
		{"width does not count", "ＡＬＴ１", []string{"ALT"}},
		{"nothing alike", "XYZW", nil},
		{"empty", "", nil},
		{"too long", strings.Repeat("a", 65), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, n := range table.Nearest(c.in, 3) {
				got = append(got, n.Entry.Code)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if got := table.Nearest("hb1", 1); len(got) != 1 || got[0].Distance != 1 {
		t.Errorf("the nearest one: %v", got)
	}
}

func TestTranslateDoesNotAllocate(t *testing.T) {
	table, _ := codes.Builtin("gb-sex")
	if n := testing.AllocsPerRun(100, func() { table.Translate("1"); table.Translate("男"); table.Translate("zz") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(sexCSV)
	f.Add("#! system: urn:oid:1\ncode,target,equivalence\n1,,unmatched\n")
	f.Add("code,target\n\"1\n2\",3\n")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, s string) {
		table, problems, err := codes.ParseTable("x", strings.NewReader(s), codes.TableOptions{})
		if err != nil || (table == nil) != (len(problems) > 0) {
			t.Fatalf("table %v, problems %v, error %v", table != nil, problems, err)
		}
		if table == nil {
			return
		}
		for _, e := range table.Entries() {
			if got := table.Translate(e.Code); got.Source.Code != e.Code {
				t.Errorf("%q is translated as %q", e.Code, got.Source.Code)
			}
			table.Nearest(e.Code+"x", 3)
		}
		if data, err := table.ConceptMap(codes.Identity{}); err != nil || !json.Valid(data) {
			t.Errorf("ConceptMap: %v", err)
		}
	})
}

func BenchmarkTranslate(b *testing.B) {
	table, _ := codes.Builtin("gb-ethnicity")
	b.ReportAllocs()
	for b.Loop() {
		table.Translate("01")
		table.Translate("汉族")
	}
}
