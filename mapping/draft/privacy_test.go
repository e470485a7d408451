package draft_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/draft"
)

// personal gathers what the samples say of people: names, numbers of papers, phones, addresses.
func personal(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	add := func(v string) {
		if v = strings.TrimSpace(v); len(v) > 5 {
			out[v] = true
		}
	}
	for _, f := range samples(t, deliveries+"*-county-hospital-*/*.csv") {
		text, err := charset.Decode(f.Bytes, charset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(text.Text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range rows[0] {
			if slices.Contains([]string{"XM", "SFZH", "LXDH", "JTZZ", "LXRXM", "LXRDH", "YSXM", "SQYSXM", "KFYSXM", "ZZYSXM", "JYYS", "SHYS", "JKKH"}, h) {
				for _, row := range rows[1:] {
					add(row[i])
				}
			}
		}
	}
	for _, f := range samples(t, deliveries+"*-regional-lab-*/*.json") {
		var doc struct {
			Patient map[string]any
			Report  struct{ Tester, Auditor string }
		}
		if err := json.Unmarshal(f.Bytes, &doc); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"姓名", "idNo", "phone", "健康卡号"} {
			if v, ok := doc.Patient[name].(string); ok {
				add(v)
			}
		}
		add(doc.Report.Tester)
		add(doc.Report.Auditor)
	}
	for _, f := range samples(t, deliveries+"*-city-hospital-*/*.hl7") {
		for _, line := range bytes.FieldsFunc(charset.Encode(decoded(t, f), charset.UTF8), func(r rune) bool { return r == '\r' || r == '\n' }) {
			fields := strings.Split(string(line), "|")
			if fields[0] != "PID" || len(fields) < 14 {
				continue
			}
			for _, i := range []int{5, 11, 13} {
				for _, rep := range strings.Split(fields[i], "~") {
					first, _, _ := strings.Cut(rep, "^")
					if !strings.Contains(rep, "^P") { // Pinyin is told by the name beside it
						add(first)
					}
				}
			}
			for _, rep := range strings.Split(fields[3], "~") {
				if strings.HasSuffix(rep, "NI") {
					first, _, _ := strings.Cut(rep, "^")
					add(first)
				}
			}
		}
	}
	return out
}

func decoded(t *testing.T, f mapping.File) string {
	t.Helper()
	text, err := charset.Decode(f.Bytes, charset.Options{Setting: "GB18030"})
	if err != nil {
		return ""
	}
	return text.Text
}

func TestNothingOfAPersonStandsInADraft(t *testing.T) {
	values := personal(t)
	if len(values) < 200 {
		t.Fatalf("only %d values to look for", len(values))
	}
	d := from(t, samples(t, deliveries+"*-county-hospital-*/*.csv", deliveries+"*-regional-lab-*/*.json", deliveries+"*-city-hospital-*/*.hl7"), draft.Options{})
	for _, f := range d.Files {
		for v := range values {
			if strings.Contains(string(f.Bytes), v) {
				t.Errorf("%s holds a value of somebody, %d characters long", f.Name, len([]rune(v)))
			}
		}
	}
	for _, q := range d.Questions {
		for v := range values {
			if strings.Contains(q.Place+q.Seen+q.Ask, v) {
				t.Error("a question holds a value of somebody")
			}
		}
	}
}

// A planted value must be found by the test above: codes and names of items do stand in the draft.
func TestCodesStandInADraft(t *testing.T) {
	d := from(t, samples(t, deliveries+"01-county-hospital-nightly/*.csv"), draft.Options{})
	if !strings.Contains(file(t, d, "codes/lab-items.csv"), "葡萄糖") {
		t.Error("no name of an item")
	}
}
