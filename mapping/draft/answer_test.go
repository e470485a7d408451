package draft_test

import (
	"os"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

const oddDocument = `{"head": {"zz1": "P7"}, "yy": [{"zz1": "葡萄糖", "zz2": "5.1", "unit": "mmol/L", "refRange": "3.9-6.1"}, {"zz1": "钾", "zz2": "4.1", "unit": "mmol/L", "refRange": "3.5-5.3"}], "reportNo": "R1", "reportTime": "2025-01-01 10:00"}`

func TestAnswersAreHeld(t *testing.T) {
	tables := []mapping.File{
		tableOf("病人", 9, "甲=K%05d", "姓名=王强|李丽", "性别=男|女", "出生日期=1980-01-%02d", "乙=Q%05d"),
		tableOf("就诊", 9, "丙=V%05d", "丁=1|2|3", "就诊时间=2025-01-%02d 08:00", "甲=K%05d"),
	}
	for _, c := range []struct {
		name  string
		files []mapping.File
		is    []string
		table string
		want  map[string]string
	}{
		{"a column of a table", tables, []string{"病人.乙=pid"}, "病人", map[string]string{"乙": "pid", "甲": ""}},
		{"a column of all tables", tables, []string{"甲=pid"}, "就诊", map[string]string{"甲": "pid"}},
		{"against the heading", tables, []string{"就诊.就诊时间=visit.end"}, "就诊", map[string]string{"就诊时间": "visit.end"}},
		{"spaces and wide letters", tables, []string{" 病人.乙 = pid "}, "病人", map[string]string{"乙": "pid"}},
		{"the last of two", tables, []string{"丁=class", "就诊.丁=discharge"}, "就诊", map[string]string{"丁": "discharge"}},
		{"a path of a document", []mapping.File{{Name: "a.json", Bytes: []byte(oddDocument)}}, []string{"yy.zz1=item.name", "yy.zz2=result", "head.zz1=pid"}, "yy[]",
			map[string]string{"zz1": "item.name", "zz2": "result"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := from(t, c.files, draft.Options{Is: c.is})
			got := conceptsOf(d, c.table)
			for heading, want := range c.want {
				if got[heading] != want {
					t.Errorf("%s is taken for %q, want %q (%v)", heading, got[heading], want, got)
				}
			}
			load(t, d)
		})
	}
}

// What is to be left alone is read by no rule and asked about no more, whatever its heading.
func TestWhatIsLeftAloneIsNotAskedAbout(t *testing.T) {
	files := []mapping.File{tableOf("病人", 9, "患者ID=K%05d", "姓名=王强|李丽", "性别=男|女", "手机=127988045%02d", "乙=Q%05d")}
	before := from(t, files, draft.Options{})
	after := from(t, files, draft.Options{Is: []string{"手机=-", "病人.乙=-"}})
	for _, heading := range []string{"手机", "乙"} {
		if !strings.Contains(text(before), heading) {
			t.Errorf("%s is nowhere without an answer", heading)
		}
		if strings.Contains(text(after), heading) {
			t.Errorf("%s is still there", heading)
		}
	}
}

// What an answer says of a column does not lay open what stands in it: cases have invented names and numbers all the same.
func TestAnswersLayNothingOpen(t *testing.T) {
	files := []mapping.File{tableOf("病人", 6, "患者ID=K%05d", "姓名=欧阳强|李丽敏", "性别=男|女", "手机=127988045%02d", "住址=衡远市某某路%d0号", "备注=无")}
	for _, is := range [][]string{{"姓名=-", "手机=-", "住址=-"}, {"姓名=remark", "手机=occupation", "住址=past.history"}} {
		cases := file(t, from(t, files, draft.Options{Is: is}), "cases/patient.txtar")
		for _, value := range []string{"欧阳强", "李丽敏", "127988045", "某某路"} {
			if strings.Contains(cases, value) {
				t.Errorf("%v: the case still has what the samples have", is)
			}
		}
	}
}

// text is what a draft's maps and list say.
func text(d *draft.Draft) string {
	var b strings.Builder
	for _, f := range d.Files {
		if f.Name == "TODO.md" || strings.HasPrefix(f.Name, "maps/") {
			b.Write(f.Bytes)
		}
	}
	return b.String()
}

func TestATableIsWhatItIsSaidToBe(t *testing.T) {
	files := []mapping.File{tableOf("甲", 9, "乙=V%05d", "丙=K%05d", "丁=2025-01-%02d 08:00", "戊=门诊|急诊")}
	asked := from(t, files, draft.Options{})
	if got := asked.Tables[0].Kind; got != "" {
		t.Fatalf("taken for %s without an answer", got)
	}
	if !strings.Contains(text(asked), "`--is '甲=@KIND'`") {
		t.Errorf("the list does not say how to answer:\n%s", text(asked))
	}
	d := from(t, files, draft.Options{Is: []string{"甲=@visit", "乙=visit", "丙=pid", "丁=visit.start", "戊=class"}})
	if got := file(t, d, "maps/visit.yaml"); !strings.Contains(got, "type: Encounter") || d.Refused > 0 {
		t.Errorf("%d refused:\n%s", d.Refused, got)
	}
}

func TestAnswersThatMeanNothingAreRefused(t *testing.T) {
	files := []mapping.File{tableOf("病人", 9, "甲=K%05d", "姓名=王强|李丽", "性别=男|女", "乙=Q%05d")}
	for is, want := range map[string]string{
		"病人.甲=vist":      `answer "病人.甲=vist": no concept "vist"; the nearest: visit, `,
		"病人.甲=门诊号":       `no concept "门诊号"; the nearest: outno`,
		"病人.丙=pid":       "no such column or path; the nearest: 病人.乙, 病人.甲, ",
		"病人=@people":     "no kind @people; want one of @patient, @visit, ",
		"病员=@patient":    "no such table; the nearest: 病人",
		"病人.甲":           "want TABLE.COLUMN=CONCEPT",
		"=pid":           "want TABLE.COLUMN=CONCEPT",
		"甲=":             "want TABLE.COLUMN=CONCEPT",
		"甲=pid 病人.乙=pid": "病人.甲 is that already",
	} {
		list := []string{is}
		if a, b, ok := strings.Cut(is, " "); ok {
			list = []string{a, b}
		}
		if _, err := draft.From(files, draft.Options{Is: list}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", is, err, want)
		}
	}
}

// Each concept that an answer can name is explained in both languages, and none besides.
func TestConceptsAreExplained(t *testing.T) {
	lexicon, err := os.ReadFile("lexicon.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(lexicon)) {
		if name, rest, ok := strings.Cut(line, "|"); ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "@") && strings.Count(rest, "|") == 2 {
			known[strings.TrimSpace(name)] = true
		}
	}
	en, zh := draft.Concepts(draft.English), draft.Concepts(draft.Chinese)
	if len(en) != len(known) || len(zh) != len(known) {
		t.Errorf("%d and %d explained, %d known", len(en), len(zh), len(known))
	}
	for i := range en {
		if !known[en[i].Name] || en[i].Is == "" || zh[i].Is == "" || en[i].Is == zh[i].Is {
			t.Errorf("%v %v", en[i], zh[i])
		}
		delete(known, en[i].Name)
	}
	for name := range known {
		t.Errorf("%s is not explained", name)
	}
}
