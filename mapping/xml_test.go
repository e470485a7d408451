package mapping_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
)

func xmlRecord(t testing.TB, text string) *record.Record {
	t.Helper()
	rec, err := markup.ParseXML([]byte(text), markup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

const noteMap = "format: 1\nmap: %m\nreads: {format: xml, %r}\nresources:\n  note:\n    type: Basic\n    key: [no]\n    write: replace\n    set: {code: {set: {text: =%m}}}\n"

// noteMaps are maps that say by the code of what they make which of them it was.
func noteMaps(reads map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, r := range reads {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(strings.NewReplacer("%m", name, "%r", r).Replace(noteMap))}
	}
	return files
}

func TestXMLIsRoutedByRootNamespaceAndCondition(t *testing.T) {
	base := noteMaps(map[string]string{
		"any":       "where: {no: present}",
		"doc":       "root: doc",
		"doc-v1":    "root: doc, namespace: urn:v1",
		"doc-typed": "root: doc, namespace: urn:v1, where: {\"type[@root='1.2'].@root\": present}",
	})
	files := folder(map[string]string{"institution.yaml": institution + "sources: {x: {format: xml, base: true}}\n"})
	for _, lazy := range []bool{false, true} {
		inst, err := mapping.Load(files, mapping.Options{Base: base, Lazy: lazy})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ name, in, want string }{
			{"root", "<doc><no>1</no></doc>", "base/doc"},
			{"root and namespace", "<doc xmlns='urn:v1'><no>1</no></doc>", "base/doc-v1"},
			{"condition", "<doc xmlns='urn:v1'><type root='9'/><type root='1.2'/><no>1</no></doc>", "base/doc-typed"},
			{"another root", "<other><no>1</no></other>", "base/any"},
			{"no map", "<other/>", ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				done := make(chan *mapping.Result)
				for range 4 {
					go func() {
						res, err := inst.Map(xmlRecord(t, tt.in), mapping.RunOptions{Salt: salt})
						if err != nil {
							t.Error(err)
						}
						done <- res
					}()
				}
				for range 4 {
					if res := <-done; res.Map != tt.want || (tt.want == "") != res.Rejected() {
						t.Errorf("map %q, want %q: %v", res.Map, tt.want, res.Issues)
					}
				}
			})
		}
	}
}

func TestBuiltInMapsAreThoseOfTheFormatsOfTheSources(t *testing.T) {
	base := noteMaps(map[string]string{"doc": "root: doc"})
	base["adt.yaml"] = &fstest.MapFile{Data: []byte("format: 1\nmap: adt\nreads: {format: hl7v2, messages: [ADT^A01]}" + rule("PID-3"))}
	for _, tt := range []struct{ name, sources, want string }{
		{"HL7 v2 alone", "a: {format: hl7v2, base: true}", "base/adt"},
		{"XML alone", "a: {format: xml, base: true}", "base/doc"},
		{"both", "a: {format: hl7v2, base: true}, b: {format: xml, base: true}", "base/adt base/doc"},
		{"one of two", "a: {format: hl7v2}, b: {format: xml, base: true}", "base/doc"},
		{"none", "a: {format: xml}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution + "sources: {" + tt.sources + "}\n"}), mapping.Options{Base: base})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range inst.Maps() {
				names = append(names, m.Name())
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMapOfAnXMLDocument(t *testing.T) {
	const m = `format: 1
map: m
reads: {format: xml, root: report, where: {no: present}}
let:
  number: "id[@root='1.2'].@extension"
resources:
  report:
    type: DiagnosticReport
    key: [no]
    write: replace
    set:
      identifier: {from: $number, as: identifier, system: report}
      status: =final
      code: {set: {text: title}}
      issued: "@time"
      conclusion: {from: "body.section[code.@code='text'].text", as: narrative}
      performer: {set: {type: =Organization, display: /@envelope.Header.sender}}
      result: {ref: {rule: item, all: true}}
  item:
    type: Observation
    each: body.section.item
    key: [/no, name]
    write: replace
    set:
      status: =final
      code: {set: {text: name}}
      value[x]: {from: value.@v, as: result, with: {unit: value.@unit}}
      note: {from: remark, as: annotation}
`
	inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution + "sources: {x: {format: xml}}\n", "maps/m.yaml": m}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res := run(t, inst, xmlRecord(t, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><sender>区域平台</sender></s:Header><s:Body><report time="20250820100000">
  <no>R1</no><title>检验报告</title><id root="9" extension="x"/><id root="1.2" extension="N1"/>
  <body>
    <section><code code="items"/><item><name>葡萄糖</name><value v="5.6" unit="mmol/L"/><remark>复查<br/>一致</remark></item><item><name>钾</name><value v="4.1" unit="mmol/L"/></item></section>
    <section><code code="text"/><text><title>结论</title>一切<b>正常</b>。<list><item>甲</item><item>乙</item></list></text></section>
    <section><item><name>钠</name><value v="140" unit="mmol/L"/></item></section>
  </body>
</report></s:Body></s:Envelope>`))
	if len(res.Issues) > 0 {
		t.Fatal(res.Issues)
	}
	report := res.Resources[0].Tree
	var names []string
	for i := range res.Resources[1:] {
		names = append(names, res.Resources[i+1].Tree.Path("code", "text").Text())
	}
	for _, tt := range []struct{ name, got, want string }{
		{"selector", report.Get("identifier").At(0).Get("value").Text(), "N1"},
		{"attribute of the root", report.Get("issued").Text(), "2025-08-20T10:00:00+08:00"},
		{"mixed text in its order", report.Get("conclusion").Text(), "结论\n一切正常。\n甲\n乙"},
		{"the envelope", report.Get("performer").At(0).Get("display").Text(), "区域平台"},
		{"elements of all sections", strings.Join(names, " "), "葡萄糖 钾 钠"},
		{"annotation of mixed text", res.Resources[1].Tree.Get("note").At(0).Get("text").Text(), "复查\n一致"},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	if n := report.Get("result").Len(); n != 3 {
		t.Errorf("%d results, want 3", n)
	}
	if o := res.Resources[3].Origin; o.Path != "body.section[3].item" || o.Line != 6 {
		t.Errorf("origin %+v", o)
	}
}

func TestAFormulaInTheTextOfAnElementIsRefused(t *testing.T) {
	inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution + "sources: {x: {format: xml}}\n"}), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"value":               "<a><b>=cmd|' /C calc'!A0</b></a>",
		"text and attributes": "<a><b c='1'>=cmd|' /C calc'!A0</b></a>",
		"attribute":           `<a><b c="=cmd|' /C calc'!A0"/></a>`,
	} {
		t.Run(name, func(t *testing.T) {
			for cut, err := range inst.Open("x", []mapping.File{{Name: "a.xml", Bytes: []byte(in)}}, mapping.IntakeLimits{}).Records() {
				if err != nil || cut.Err == nil || cut.Err.Code != "formula" {
					t.Errorf("got %v %v", cut.Err, err)
				}
			}
		})
	}
}
