package mapping_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yilian/yilian/mapping"
)

// readmeBlocks are the YAML blocks of README.md from a heading on.
func readmeBlocks(t testing.TB, heading string) []string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n"+heading)
	if !ok {
		t.Fatalf("README.md has no heading %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "```yaml\n")
		if !ok {
			return out
		}
		block, rest, _ := strings.Cut(rest, "```")
		out = append(out, block)
		text = rest
	}
}

// tables are the code tables that the worked maps use.
var tables = map[string]string{
	"lab-item":           "code,display,target,target_display,system\n1001,葡萄糖,14749-6,Glucose [Moles/volume] in Serum or Plasma,http://loinc.org\n",
	"report-status":      "#! system: http://hl7.org/fhir/diagnostic-report-status\ncode,display,target\n1,已审核,final\n2,修改,corrected\n3,作废,entered-in-error\n",
	"observation-status": "#! system: http://hl7.org/fhir/observation-status\ncode,display,target\n1,已审核,final\nfinal,,final\n2,修改,corrected\n3,作废,entered-in-error\n",
	"report-type":        "code,display,target,target_display,system\nSH,生化,24323-8,Comprehensive metabolic 2000 panel,http://loinc.org\n",
	"department":         "#! system: http://example.org/service\ncode,display,target\n01,内科,internal\n",
}

func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range tables {
		fsys["codes/"+name+".csv"] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range files {
		if text == "" {
			delete(fsys, name)
			continue
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestWorkedMapsOfTheGrammarPageLoad(t *testing.T) {
	blocks := readmeBlocks(t, "## 9.")
	if len(blocks) != 3 {
		t.Fatalf("%d worked maps, want 3", len(blocks))
	}
	fsys := folder(map[string]string{
		"institution.yaml": readmeBlocks(t, "## 1.")[0],
		"maps/adt.yaml":    blocks[0], "maps/lis-report.yaml": blocks[1], "maps/report.yaml": blocks[2],
	})
	inst, err := mapping.Load(fsys, mapping.Options{Base: fstest.MapFS{"adt.yaml": &fstest.MapFile{Data: []byte(baseADT)}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(inst.Maps()); got != 4 {
		t.Errorf("%d maps, want the three and the built-in one", got)
	}
	for _, w := range inst.Warnings() {
		t.Error(w)
	}
}

const baseADT = `
format: 1
map: adt
reads: {format: hl7v2, messages: ["ADT^*"]}
lane: [PID-3, MRG-1]
version: {time: [EVN-2, MSH-7]}
shapes:
  cx:
    type: Identifier
    set:
      value: .1
      system: {from: .4, as: authority}
resources:
  patient:
    type: Patient
    key: [PID-3.1]
    write: update
    set:
      identifier: {each: PID-3, shape: cx}
      gender: {from: PID-8, table: v2-0001}
  encounter:
    type: Encounter
    key: [PV1-19.1]
    write: update
    set:
      status: =in-progress
      class: {value: {system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: IMP}}
      subject: {ref: patient}
`
