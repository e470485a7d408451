package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

func files(named map[string]string, order ...string) []mapping.File {
	var out []mapping.File
	for _, name := range order {
		out = append(out, mapping.File{Name: name, Bytes: []byte(named[name])})
	}
	return out
}

// county has the worked maps of the grammar page that read tables and JSON.
func county(t testing.TB) *mapping.Institution {
	t.Helper()
	fsys := folder(map[string]string{
		"institution.yaml":     readmeBlocks(t, "## 1.")[0],
		"maps/lis-report.yaml": readmeBlocks(t, "## 9.")[1], "maps/report.yaml": readmeBlocks(t, "## 9.")[2],
	})
	inst, err := mapping.Load(fsys, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

var delivery = map[string]string{
	"LIS_BG_20240501.csv": "BGDH,SQDH,HZID,BGLB,BGMC,CJSJ,WCSJ,BGZT\nR1,S1,H1,SH,生化,2024-05-01 08:00,20240501093000,1\nR2,,H2,SH,生化,2024-05-01 08:10,20240501094000,已审核\n",
	"LIS_BGXM.csv":        "BGDH,XMDM,XMMC,XMJG,XMDW,JGCKZ,GDBZ\nR1,1001,葡萄糖,5.6,mmol/L,3.9-6.1,\nR1,9999,乙肝表面抗原,阴性(-),,阴性,\nR9,1001,x,1,,,\n",
	"notes.csv":           "A\n1\n",
}

func TestDeliveryOfTablesIsReadAsJoinedRows(t *testing.T) {
	inst := county(t)
	type item struct {
		File       int
		Err        string
		Start, End int64
		Line       int
		Key, Lanes string
		Resources  int
	}
	var got []item
	hashes := map[string]bool{}
	for c, err := range inst.Open("his", files(delivery, "LIS_BG_20240501.csv", "LIS_BGXM.csv", "notes.csv"), mapping.IntakeLimits{}).Records() {
		if err != nil {
			t.Fatal(err)
		}
		one := item{File: c.File, Start: c.Start, End: c.End, Line: c.Line, Key: c.Key, Lanes: strings.Join(c.Lanes, " ")}
		if c.Err != nil {
			one.Err = c.Err.Code
		} else {
			one.Resources = len(run(t, inst, c.Record).Resources)
			hashes[c.Hash] = true
		}
		got = append(got, one)
	}
	want := []item{
		{File: 2, Err: "table", End: 4, Line: 1},
		{File: 0, Start: 40, End: 93, Line: 2, Key: "\x06LIS_BG\x02R1", Lanes: "H1", Resources: 4},
		{File: 0, Start: 93, End: 152, Line: 3, Key: "\x06LIS_BG\x02R2", Lanes: "H2", Resources: 2},
		{File: 1, Err: "orphan", Start: 120, End: 135, Line: 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(hashes) != 2 || hashes[""] {
		t.Errorf("rows have hashes of their own: %v", hashes)
	}
}

func TestDeliveryOfMessages(t *testing.T) {
	inst := county(t)
	text := "MSH|^~\\&|A|B|||20240501||ADT^A01|1|P|2.4\rPID|1\r" + "MSH|^~\\&|A|B|||20240501||ADT^A01|2|P|2.4\rPID|1\r"
	n := 0
	for c, err := range inst.Open("", files(map[string]string{"a.hl7": text}, "a.hl7"), mapping.IntakeLimits{}).Records() {
		if err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		n++
		if text[c.Start:c.Start+3] != "MSH" || c.Record.Control != string(rune('0'+n)) {
			t.Errorf("message %d at %d", n, c.Start)
		}
	}
	if n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestFilesAreToldApart(t *testing.T) {
	for _, tt := range []struct{ name, head, want string }{
		{"x", "MSH|^~\\&|", record.HL7v2},
		{"x", "\x0bMSH|", record.HL7v2},
		{"x.csv", "MSH|", record.HL7v2},
		{"MSH.csv", "MSH_A,B\n", record.Table},
		{"x", "FHS|", record.HL7v2},
		{"x", " {\"a\":1}", record.JSON},
		{"x", "\uFEFF[", record.JSON},
		{"x.csv", "{a},b\n", record.Table},
		{"x", "\uFEFF\n<?xml", record.XML},
		{"x", "\xFF\xFE<\x00a\x00", record.XML},
		{"x", "\xFE\xFF\x00<\x00a", record.XML},
		{"x.xml", "", record.XML},
		{"x", "A,B\n", record.Table},
		{"x", "", record.Table},
	} {
		if got := mapping.FormatOf(mapping.File{Name: tt.name, Bytes: []byte(tt.head)}); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.name, tt.head, got, tt.want)
		}
	}
}

func TestReportOfTwoTables(t *testing.T) {
	inst := county(t)
	for c, err := range inst.Open("his", files(delivery, "LIS_BG_20240501.csv", "LIS_BGXM.csv"), mapping.IntakeLimits{}).Records() {
		if err != nil {
			t.Fatal(err)
		}
		resources, issues := show(run(t, inst, c.Record))
		patient := `{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://yilian.dev/fhir/institution/county-hospital/patient","value":"H1"}`
		lab := `"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}]`
		local := "https://yilian.dev/fhir/institution/county-hospital/codes/"
		if diff := cmp.Diff([]string{
			`{"resourceType":"Patient","id":"#1","identifier":[` + patient + `]}`,
			`{"resourceType":"DiagnosticReport","id":"#2","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"FILL"}]},` +
				`"system":"https://yilian.dev/fhir/institution/county-hospital/report","value":"R1"}],` +
				`"basedOn":[{"type":"ServiceRequest","identifier":{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"PLAC"}]},` +
				`"system":"https://yilian.dev/fhir/institution/county-hospital/order","value":"S1"}}],"status":"final",` +
				`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}],` +
				`"code":{"coding":[{"system":"http://loinc.org","code":"24323-8","display":"Comprehensive metabolic 2000 panel"},{"system":"` + local + `report-type","code":"SH","display":"生化"}],"text":"生化"},` +
				`"subject":{"reference":"Patient/#1","identifier":` + patient + `},"effectiveDateTime":"2024-05-01T08:00:00+08:00","issued":"2024-05-01T09:30:00+08:00",` +
				`"result":[{"reference":"Observation/#3"},{"reference":"Observation/#4"}]}`,
			`{"resourceType":"Observation","id":"#3","status":"final",` + lab + `,` +
				`"code":{"coding":[{"system":"http://loinc.org","code":"14749-6","display":"Glucose [Moles/volume] in Serum or Plasma"},{"system":"` + local + `lab-item","code":"1001","display":"葡萄糖"}],"text":"葡萄糖"},` +
				`"subject":{"reference":"Patient/#1","identifier":` + patient + `},"effectiveDateTime":"2024-05-01T08:00:00+08:00",` +
				`"valueQuantity":{"value":5.6,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},` +
				`"referenceRange":[{"low":{"value":3.9,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"high":{"value":6.1,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"text":"3.9-6.1"}]}`,
			`{"resourceType":"Observation","id":"#4","status":"final",` + lab + `,` +
				`"code":{"coding":[{"system":"` + local + `lab-item","code":"9999","display":"乙肝表面抗原"}],"text":"乙肝表面抗原"},` +
				`"subject":{"reference":"Patient/#1","identifier":` + patient + `},"effectiveDateTime":"2024-05-01T08:00:00+08:00",` +
				`"valueCodeableConcept":{"coding":[{"system":"https://yilian.dev/fhir/CodeSystem/ordinal-result","code":"negative","display":"阴性"}],"text":"阴性(-)"},` +
				`"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"NEG","display":"Negative"}]}],` +
				`"referenceRange":[{"text":"阴性"}]}`,
		}, resources); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"information: the institution is set to GB18030, but these bytes are UTF-8 [charset-set-otherwise]",
			"3:4: warning: the code is not in table lab-item at Observation.code from item[2].XMDM [code-unmapped]"}, issues); diff != "" {
			t.Error(diff)
		}
		break
	}
}

func TestResultInJSONForAnOrderPlacedElsewhere(t *testing.T) {
	inst := county(t)
	text := `{"reportNo":"L1","state":"final","reportTime":"2024-05-01T10:00:00+08:00","revision":2,
"patient":{"idCard":"990101199003077217","localId":null,"name":"张三","sex":"男","birth":"1990-03-07"},
"order":{"institution":"city-hospital","number":"S1"},
"results":[{"code":"1001","name":"葡萄糖","value":"<0.01","unit":"mmol/L"},{"code":"1001","name":"葡萄糖","value":null}]}`
	n := 0
	for c, err := range inst.Open("", files(map[string]string{"a.json": text}, "a.json"), mapping.IntakeLimits{}).Records() {
		if err != nil || c.Err != nil {
			t.Fatal(err, c.Err)
		}
		n++
		if diff := cmp.Diff([]string{"990101199003077217"}, c.Lanes); diff != "" {
			t.Error(diff)
		}
		res := run(t, inst, c.Record)
		if res.Stamp != (mapping.Stamp{Time: 1714528800000000, Sequence: 2}) {
			t.Errorf("stamp %+v", res.Stamp)
		}
		resources, _ := show(res)
		order := `"basedOn":[{"type":"ServiceRequest","identifier":{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"PLAC"}]},` +
			`"system":"https://yilian.dev/fhir/institution/city-hospital/order","value":"S1"}}]`
		code := `"code":{"coding":[{"system":"http://loinc.org","code":"14749-6","display":"Glucose [Moles/volume] in Serum or Plasma"},` +
			`{"system":"https://yilian.dev/fhir/institution/county-hospital/codes/lab-item","code":"1001","display":"葡萄糖"}],"text":"葡萄糖"}`
		if diff := cmp.Diff([]string{
			`{"resourceType":"Patient","id":"#1","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"NI"}]},` +
				`"system":"urn:oid:2.16.156.10011.1.3","value":"990101199003077217"}],"name":[{"text":"张三","family":"张","given":["三"]}],"gender":"male","birthDate":"1990-03-07"}`,
			`{"resourceType":"Observation","id":"#2",` + order + `,"status":"final",` + code + `,"subject":{"reference":"Patient/#1"},` +
				`"valueQuantity":{"value":0.01,"comparator":"<","unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}`,
			`{"resourceType":"Observation","id":"#3",` + order + `,"status":"final",` + code + `,"subject":{"reference":"Patient/#1"},` +
				`"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"unknown"}]}}`,
		}, resources); diff != "" {
			t.Error(diff)
		}
	}
	if n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}
