package markup_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
)

func gb(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

const report = `{
  "reportNo": "R1", "price": 12.50, "urgent": true, "note": null, "blank": "  ",
  "patient": {"name": "王小明", "ids": ["a", "b"]},
  "results": [
    {"code": "WBC", "value": "<0.5", "flags": []},
    {"code": "HGB", "检验结果": 1e2, "deep": [[1], [2, 3]]}
  ]
}`

func TestDocument(t *testing.T) {
	rec, err := markup.ParseJSON([]byte(report), markup.Options{File: "r.json"})
	if err != nil {
		t.Fatal(err)
	}
	root := rec.Root
	results := root.Get("results")
	for _, tt := range []struct {
		name         string
		node         *record.Node
		kind         record.Kind
		text         string
		state        record.State
		path         string
		line, column int
	}{
		{"string", root.Get("reportNo"), record.Leaf, "R1", record.Present, "reportNo", 2, 15},
		{"number keeps its digits", root.Get("price"), record.Leaf, "12.50", record.Present, "price", 2, 30},
		{"boolean", root.Get("urgent"), record.Leaf, "true", record.Present, "urgent", 2, 47},
		{"null is empty", root.Get("note"), record.Leaf, "", record.Empty, "note", 2, 61},
		{"blanks are empty", root.Get("blank"), record.Leaf, "", record.Empty, "blank", 2, 76},
		{"not there is absent", root.Get("nothing"), record.Leaf, "", record.Absent, "", 0, 0},
		{"object", root.Get("patient"), record.Group, "", record.Present, "patient", 3, 14},
		{"property of an object", root.Get("patient").Get("name"), record.Leaf, "王小明", record.Present, "patient.name", 3, 23},
		{"columns count characters", root.Get("patient").Get("ids"), record.List, "a", record.Present, "patient.ids", 3, 37},
		{"item of an array", root.Get("patient").Get("ids").Repetition(2), record.Leaf, "b", record.Present, "patient.ids[2]", 3, 43},
		{"array of objects", results, record.List, "", record.Present, "results", 4, 14},
		{"property of an item", results.Repetition(2).Get("code"), record.Leaf, "HGB", record.Present, "results[2].code", 6, 14},
		{"Chinese property", results.Repetition(2).Get("检验结果"), record.Leaf, "1e2", record.Present, "results[2].检验结果", 6, 29},
		{"empty array", results.Repetition(1).Get("flags"), record.List, "", record.Empty, "results[1].flags", 5, 47},
		{"array in an array", results.Repetition(2).Get("deep").Repetition(2).Repetition(1), record.Leaf, "2", record.Present, "results[2].deep[2][1]", 6, 49},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.node.Kind() != tt.kind || tt.node.Text() != tt.text || tt.node.State() != tt.state {
				t.Errorf("got kind %d, %q, state %d", tt.node.Kind(), tt.node.Text(), tt.node.State())
			}
			if o := tt.node.Origin(); o.Path != tt.path || o.Line != tt.line || o.Column != tt.column {
				t.Errorf("origin %+v, want %s at %d:%d", o, tt.path, tt.line, tt.column)
			}
		})
	}
	n := 0
	for r := range root.Each("results") {
		if n++; r.Kind() != record.Group {
			t.Error("each item is a group")
		}
	}
	if n != 2 {
		t.Errorf("%d items", n)
	}
	if root.Declares("nothing") || !root.Declares("price") {
		t.Error("a document declares what it holds")
	}
	if rec.Format != record.JSON || rec.File != "r.json" || rec.Charset != "UTF-8" || rec.Type != "" {
		t.Errorf("got %+v", *rec)
	}
}

func TestCharsetOfADocument(t *testing.T) {
	text := `{"name": "王玘珅", "dept": "检验科\\n", "x": [1]}`
	var wide strings.Builder
	for _, r := range "\uFEFF" + text {
		wide.WriteString(string([]byte{byte(r), byte(r >> 8)}))
	}
	for name, in := range map[string]string{"UTF-8": text, "GB18030": gb(text), "UTF-16LE": wide.String()} {
		rec, err := markup.ParseJSON([]byte(in), markup.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rec.Charset != name || rec.Root.Get("name").Text() != "王玘珅" || rec.Root.Get("x").Repetition(1).Text() != "1" {
			t.Errorf("%s: got %s, %q", name, rec.Charset, rec.Root.Get("name").Text())
		}
	}
	rec, err := markup.ParseJSON([]byte(text), markup.Options{Charset: "GBK"})
	if err != nil || len(rec.Issues) != 1 || rec.Issues[0].ID != "charset-set-otherwise" {
		t.Errorf("a setting that is not so: %v, %v", rec, err)
	}
}

func TestNotADocument(t *testing.T) {
	limits := markup.Limits{MaxBytes: 1000, MaxDepth: 10, MaxNodes: 50}
	for _, tt := range []struct {
		name, in, code string
		line, column   int
	}{
		{"nothing", "", "truncated", 1, 1},
		{"an array", "[1]", "json", 1, 1},
		{"a string", `"x"`, "json", 1, 1},
		{"cut", `{"a": [1, `, "truncated", 1, 11},
		{"bytes behind", "{}\n{}", "json", 2, 1},
		{"a comma too many", "{\"王\": 1,\n\"b\": 2,}", "json", 2, 8},
		{"columns count characters", `{"王小明": 01}`, "json", 1, 9},
		{"a property twice", `{"a": 1, "a": 2}`, "json", 1, 10},
		{"not a number", `{"a": NaN}`, "json", 1, 7},
		{"NUL", "{\"a\": \"\x00\"}", "nul", 1, 8},
		{"invalid bytes", "{\"a\": \"\xff\"}", "charset", 1, 8},
		{"deep", strings.Repeat(`{"a":`, 11) + "1" + strings.Repeat("}", 11), "too-large", 1, 51},
		{"deep arrays", `{"a":` + strings.Repeat("[", 400) + strings.Repeat("]", 400) + "}", "too-large", 1, 15},
		{"many values", `{"a":[` + strings.Repeat("1,", 60) + "1]}", "too-large", 1, 0},
		{"large", `{"a":"` + strings.Repeat("x", 1000) + `"}`, "too-large", 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := markup.ParseJSON([]byte(tt.in), markup.Options{File: "f.json", Limits: limits})
			var at *record.SyntaxError
			if !errors.As(err, &at) {
				t.Fatalf("got %v, want a syntax error", err)
			}
			if at.Code != tt.code || at.Line != tt.line || at.Column != tt.column && tt.column > 0 || at.File != "f.json" {
				t.Errorf("got %v (%s), want %s at %d:%d", at, at.Code, tt.code, tt.line, tt.column)
			}
			_, err = markup.ParseJSON([]byte(tt.in), markup.Options{Line: 11, Column: 3, Limits: limits})
			line, column := at.Line, at.Column
			if errors.As(err, &at) && (at.Line != line+10 || line == 1 && at.Column != column+2) {
				t.Errorf("in a file: %d:%d", at.Line, at.Column)
			}
		})
	}
}

func TestDeepDocumentsAreRefusedByDefault(t *testing.T) {
	_, err := markup.ParseJSON([]byte(`{"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"), markup.Options{})
	var at *record.SyntaxError
	if !errors.As(err, &at) || at.Code != "too-large" {
		t.Errorf("got %v", err)
	}
}
