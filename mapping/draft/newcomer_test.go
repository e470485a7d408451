package draft_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

const newcomer = "../../testdata/newcomer/"

// rowsOf reads a table of the newcomer without anything of the readers under test: GB18030, commas, the heading first.
func rowsOf(t testing.TB, name string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(newcomer + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, h := range all[0] {
			row[strings.TrimPrefix(h, "\ufeff")] = cells[i]
		}
		out = append(out, row)
	}
	return out
}

// disguise writes the newcomer's tables with other headings: a heading that says nothing leaves the values alone to speak.
func disguise(t testing.TB, headings map[string]string) []mapping.File {
	t.Helper()
	var files []mapping.File
	for _, f := range samples(t, newcomer+"*.csv") {
		text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(f.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		heading, rest, _ := strings.Cut(string(text), "\n")
		names := strings.Split(strings.TrimRight(heading, "\r"), ",")
		for i, n := range names {
			if to, ok := headings[n]; ok {
				names[i] = to
			}
		}
		files = append(files, mapping.File{Name: f.Name, Bytes: []byte(strings.Join(names, ",") + "\n" + rest)})
	}
	return files
}

// silent are headings of numbers, codes and words that no lexicon knows.
var silent = map[string]string{"病员号": "甲子", "流水号": "乙丑", "化验单号": "丙寅", "项目代号": "丁卯", "挂号类别": "戊辰", "接诊医师工号": "己巳", "西医诊断编码": "庚午", "标本": "辛未",
	"状态": "壬申", "民族": "癸酉"}

// store maps samples with a folder and keeps what they make, by type and id.
func store(t testing.TB, inst *mapping.Institution, files []mapping.File) map[string]map[string]any {
	t.Helper()
	trees := map[string]*fhir.Node{}
	for cut, err := range inst.Open("", files, mapping.IntakeLimits{}).Records() {
		if err != nil || cut.Err != nil {
			t.Fatal(err, cut.Err)
		}
		res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range res.Issues {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				t.Errorf("not taken in: %s", i)
			}
		}
		for i := range res.Resources {
			if r := &res.Resources[i]; r.Write != mapping.Reference {
				trees[r.Reference()] = r.Over(trees[r.Reference()])
			}
		}
	}
	stored := map[string]map[string]any{}
	for key, tree := range trees {
		var one map[string]any
		if err := json.Unmarshal(tree.AppendJSON(nil), &one); err != nil {
			t.Fatal(err)
		}
		stored[key] = one
	}
	return stored
}

// at is the text at a path such as "period.start"; of a list the first that has it.
func at(v any, path string) string {
	if list, ok := v.([]any); ok {
		for _, one := range list {
			if s := at(one, path); s != "" {
				return s
			}
		}
		return ""
	}
	if path == "" {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	name, rest, _ := strings.Cut(path, ".")
	return at(object[name], rest)
}

// codesOf are all codes of a concept.
func codesOf(v any) string {
	concept, _ := v.(map[string]any)
	list, _ := concept["coding"].([]any)
	var out []string
	for _, c := range list {
		out = append(out, at(c, "code"))
	}
	return strings.Join(out, " ")
}

// clock writes a time of the tables as FHIR does.
func clock(s string) string {
	for _, layout := range []string{"2006-01-02 15:04", "20060102150405"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.Format("2006-01-02T15:04:05") + "+08:00"
		}
	}
	return s
}

// facts count what the tables say and the resources have.
type facts struct{ checked, missing int }

func (f *facts) same(t *testing.T, what, got, want string) {
	t.Helper()
	if f.checked++; got != want {
		if f.missing++; f.missing <= 10 {
			t.Logf("%s: got %q, want %q", what, got, want)
		}
	}
}

// What the rows of the newcomer say is read here by a reader of the test's own, and looked for in what the drafted folder makes of them.
func TestTheNewcomersTablesAreDraftedWhole(t *testing.T) {
	asIs := samples(t, newcomer+"*.csv")
	hidden := disguise(t, silent)
	for _, c := range []struct {
		name    string
		files   []mapping.File
		answers bool
	}{
		{"as they come", asIs, false},
		{"with what is asked answered", asIs, true},
		{"with headings that say nothing", hidden, false},
		{"with headings that say nothing, answered", hidden, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := draft.Options{ID: "newcomer", Name: "新医院"}
			d := from(t, c.files, o)
			if c.answers {
				o.Is = confirmed(d)
				if d = from(t, c.files, o); d.Doubtful > 0 || d.Asked > 0 {
					t.Errorf("%d doubtful, %d asked after the answers %q", d.Doubtful, d.Asked, o.Is)
				}
			}
			if d.Refused > 0 {
				t.Errorf("%d findings would keep samples out: %v", d.Refused, d.Questions)
			}
			inst := load(t, d)
			if len(inst.Warnings()) > 0 {
				t.Errorf("warning: %s", inst.Warnings()[0])
			}
			runCases(t, inst, d, 3)
			stored := store(t, inst, c.files)
			f := &facts{}
			checkVisits(t, f, stored)
			checkItems(t, f, stored)
			t.Logf("%d of %d facts", f.checked-f.missing, f.checked)
			if f.checked < 1000 || f.missing*100 > 5*f.checked {
				t.Errorf("%d of %d facts are missing; want at most 5 in a hundred", f.missing, f.checked)
			}
			validateAll(t, stored)
			for key, r := range stored { // the check itself: a visit of somebody else is noticed
				if r["resourceType"] == "Encounter" {
					r["subject"] = map[string]any{"reference": "Patient/somebody"}
					planted := &facts{}
					if checkVisits(t, planted, stored); planted.missing <= f.missing {
						t.Errorf("%s belongs to somebody else, and nobody noticed", key)
					}
					break
				}
			}
		})
	}
}

// confirmed are the answers that the list of questions proposes.
func confirmed(d *draft.Draft) []string {
	var out []string
	for _, q := range d.Questions {
		answer := strings.Trim(strings.TrimPrefix(q.Answer, "--is "), "'")
		if answer != "" && !strings.HasSuffix(answer, "=CONCEPT") {
			out = append(out, answer)
		}
	}
	return out
}

func byIdentifier(stored map[string]map[string]any, typ, value string) (string, map[string]any) {
	for key, r := range stored {
		if r["resourceType"] != typ {
			continue
		}
		list, _ := r["identifier"].([]any)
		for _, id := range list {
			if at(id, "value") == value {
				return key, r
			}
		}
	}
	return "", nil
}

func checkVisits(t *testing.T, f *facts, stored map[string]map[string]any) {
	patients, visits := rowsOf(t, "病人信息"), rowsOf(t, "就诊登记")
	for _, row := range patients {
		key, p := byIdentifier(stored, "Patient", row["病员号"])
		f.same(t, "patient", fmt.Sprint(key != ""), "true")
		f.same(t, "name", at(p["name"], "text"), row["姓名"])
		f.same(t, "birth date", at(p, "birthDate"), strings.ReplaceAll(row["出生年月日"], "/", "-"))
		f.same(t, "sex", at(p, "gender"), map[string]string{"男": "male", "女": "female"}[row["性别"]])
	}
	for _, row := range visits {
		patient, _ := byIdentifier(stored, "Patient", row["病员号"])
		visit, e := byIdentifier(stored, "Encounter", row["流水号"])
		f.same(t, "visit", fmt.Sprint(visit != ""), "true")
		f.same(t, "patient of a visit", at(e, "subject.reference"), patient)
		f.same(t, "class", at(e, "class.code"), map[string]string{"门诊": "AMB", "急诊": "EMER", "住院": "IMP"}[row["挂号类别"]])
		f.same(t, "start", at(e, "period.start"), clock(row["接诊时间"]))
		f.same(t, "end", at(e, "period.end"), clock(row["离院时间"]))
		f.same(t, "status", at(e, "status"), map[bool]string{true: "finished", false: "in-progress"}[row["离院时间"] != ""])
		f.same(t, "doctor", at(stored[at(e, "participant.individual.reference")], "identifier.value"), row["接诊医师工号"])
		condition := stored[at(e, "diagnosis.condition.reference")]
		f.same(t, "diagnosis", codesOf(condition["code"]), row["西医诊断编码"][:5]+" "+row["西医诊断编码"])
		f.same(t, "visit of a diagnosis", at(condition, "encounter.reference"), visit)
		f.same(t, "patient of a diagnosis", at(condition, "subject.reference"), patient)
	}
}

func checkItems(t *testing.T, f *facts, stored map[string]map[string]any) {
	units := map[string]string{"10^9/L": "10*9/L"}
	for _, row := range rowsOf(t, "化验结果") {
		_, report := byIdentifier(stored, "DiagnosticReport", row["化验单号"])
		patient, _ := byIdentifier(stored, "Patient", row["病员号"])
		status := map[string]string{"已审核": "final", "已作废": "entered-in-error"}[row["状态"]]
		var o map[string]any
		results, _ := report["result"].([]any)
		for _, ref := range results {
			if one := stored[at(ref, "reference")]; slices.Contains(strings.Fields(codesOf(one["code"])), row["项目代号"]) {
				o = one
			}
		}
		f.same(t, "item", at(o["code"], "text"), row["项目"])
		f.same(t, "patient of a report", at(report, "subject.reference"), patient)
		f.same(t, "patient of a result", at(o, "subject.reference"), patient)
		f.same(t, "visit of a report", at(report, "encounter.identifier.value"), row["流水号"])
		f.same(t, "status of a report", at(report, "status"), status)
		f.same(t, "status of a result", at(o, "status"), status)
		f.same(t, "collected", at(o, "effectiveDateTime"), clock(row["采样时间"]))
		f.same(t, "issued", at(report, "issued"), clock(row["审核时间"]))
		specimen := stored[at(report, "specimen.reference")]
		f.same(t, "specimen", strings.Fields(codesOf(specimen["type"]) + " -")[0], map[string]string{"全血": "BLD", "血清": "SER", "尿液": "UR"}[row["标本"]])
		if row["单位"] != "" {
			number, _ := strings.CutPrefix(row["结果"], "<")
			want, _ := strconv.ParseFloat(number, 64)
			got, _ := strconv.ParseFloat(at(o, "valueQuantity.value"), 64)
			unit := row["单位"]
			if u := units[unit]; u != "" {
				unit = u
			}
			f.same(t, "value", fmt.Sprint(got), fmt.Sprint(want))
			f.same(t, "unit", at(o, "valueQuantity.code"), unit)
		} else {
			f.same(t, "value", fmt.Sprint(o["valueQuantity"] != nil || o["valueCodeableConcept"] != nil || o["valueString"] != nil || o["valueInteger"] != nil), "true")
		}
		if row["提示"] != "" {
			f.same(t, "flag", codesOf(first(o["interpretation"])), map[string]string{"↑": "H", "↓": "L", "异常": "A"}[row["提示"]])
		}
	}
}

func first(v any) any {
	if list, _ := v.([]any); len(list) > 0 {
		return list[0]
	}
	return nil
}

func validateAll(t *testing.T, stored map[string]map[string]any) {
	t.Helper()
	v := validate.New(definitions.R4(), validate.Options{})
	for _, r := range stored {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := fhir.Parse(data, fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range v.Resource(tree) {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				t.Errorf("%s: %s", r["resourceType"], i)
			}
		}
	}
}
