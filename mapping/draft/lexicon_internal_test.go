package draft

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/residentid"
)

// typical makes the n-th value of a class.
func typical(c class, n int) string {
	first := fmt.Sprintf("9901011980%02d11%02d1", 1+n%12, n%90)
	values := map[class]string{
		"id": fmt.Sprintf("N%07d", n), "person": []string{"王强", "李秀英", "赵丽", "周建国"}[n%4], "sex": fmt.Sprint(1 + n%2), "day": fmt.Sprintf("1980-01-%02d", 1+n%28),
		"time": fmt.Sprintf("2025-01-%02d 08:30:00", 1+n%28), "age": "45岁", "resident": first + string(residentid.CheckDigit(first)), "phone": fmt.Sprintf("12%09d", 34500+n),
		"code": fmt.Sprint(n % 4), "itemcode": fmt.Sprintf("X%02d", n%9), "itemname": []string{"葡萄糖", "钾离子", "尿素氮"}[n%3], "staffcode": fmt.Sprintf("G%03d", n%5),
		"deptcode": fmt.Sprintf("%04d", n%5), "deptname": "内分泌科", "orgcode": "990100001", "dxcode": "E11.900", "han": "阿莫西林胶囊", "text": "头晕、乏力三天,加重半天,伴恶心",
		"int": fmt.Sprint(1 + n%9), "number": fmt.Sprintf("%d.5", n%30), "result": fmt.Sprintf("%d.1", n%9), "range": "3.9-6.1", "unit": "mmol/L", "flag": "↑", "yes": fmt.Sprint(n % 2),
		"route": "口服", "freq": "BID", "address": "衡远市北亭区某路7号", "url": "https://example.org/a", "base64": strings.Repeat("QUJD", 80), "any": "某内容",
	}
	return values[c]
}

// Whatever columns a table or a document has, the draft of it loads: no map is left out.
func TestAnySetOfColumnsMakesAFolderThatLoads(t *testing.T) {
	l := theLexicon()
	names := sortedKeys(l.concepts)
	headings := map[string]string{} // of each concept the first in Chinese that means nothing else
	for _, key := range sortedKeys(l.headings) {
		if list := l.headings[key]; len(list) == 1 && headings[list[0].name] == "" && hasHan(key) {
			headings[list[0].name] = key
		}
	}
	if len(headings) < len(names)*9/10 {
		t.Errorf("only %d of %d concepts have a Chinese heading of their own", len(headings), len(names))
	}
	made := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		var chosen []*concept
		about := kinds[r.IntN(len(kinds))] // every other sample is of one kind
		room := 3 + r.IntN(22)
		for _, i := range r.Perm(len(names)) {
			c := l.concepts[names[i]]
			if headings[c.name] != "" && len(chosen) < room && (seed%4 < 2 || c.home(about) || c.home(patients) && r.IntN(4) == 0) {
				chosen = append(chosen, c)
			}
		}
		var files []mapping.File
		if seed%2 == 0 {
			var b strings.Builder
			row := func(cell func(c *concept) string) {
				for i, c := range chosen {
					if i > 0 {
						b.WriteByte('\t')
					}
					b.WriteString(cell(c))
				}
				b.WriteByte('\n')
			}
			row(func(c *concept) string { return headings[c.name] })
			for n := range 6 {
				row(func(c *concept) string { return typical(c.class, n) })
			}
			files = []mapping.File{{Name: "表.csv", Bytes: []byte(b.String())}}
		} else {
			for n := range 3 {
				doc, inner := map[string]any{}, []map[string]any{{}, {}}
				for i, c := range chosen {
					if i%2 == 0 {
						doc[headings[c.name]] = typical(c.class, n)
					} else {
						inner[0][headings[c.name]], inner[1][headings[c.name]] = typical(c.class, n), typical(c.class, n+3)
					}
				}
				doc["明细"] = inner
				data, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, mapping.File{Name: fmt.Sprintf("%d.json", n), Bytes: data})
			}
		}
		d, err := From(files, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range d.Questions {
			if strings.Contains(q.Ask, "left out") || strings.Contains(q.Ask, "does not load") || strings.Contains(q.Ask, "cannot be read together") {
				t.Errorf("seed %d: %s: %s", seed, q.Place, q.Ask)
			}
			if strings.Contains(q.Ask, "would be refused") {
				t.Logf("seed %d: %s: %s", seed, q.Place, q.Ask)
			}
		}
		for _, f := range d.Files {
			if strings.HasPrefix(f.Name, "maps/") {
				made++
			}
		}
	}
	t.Logf("%d maps", made)
	if made < 150 {
		t.Errorf("only %d maps came out of 400 samples", made)
	}
}

func TestLexiconIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"a | patient | id":                     "line 1: 3 parts, want 4",
		"a | patient | id | x\na | * | id | y": "line 2: concept a stands twice",
		"a | nobody | id | x":                  `unknown kind "nobody"`,
		"a | patient | colour | x":             `unknown kind of value "colour"`,
		"@nobody | 某":                          `unknown kind "nobody"`,
	} {
		if _, err := parseLexicon(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := parseLexicon(lexiconText); err != nil {
		t.Error(err)
	}
}

// Each mark of a kind is a concept: a word misspelt there would count for nothing.
func TestMarksAreConcepts(t *testing.T) {
	l := theLexicon()
	for k, concepts := range marks {
		for name := range concepts {
			if l.concepts[name] == nil {
				t.Errorf("%s: no concept %q", k, name)
			}
		}
	}
	for _, list := range []map[string]bool{itemConcepts, unread} {
		for name := range list {
			if l.concepts[name] == nil {
				t.Errorf("no concept %q", name)
			}
		}
	}
	for name := range masked {
		if l.concepts[name] == nil {
			t.Errorf("masked: no concept %q", name)
		}
	}
}
