package syntax_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/internal/syntax"
)

var lim = syntax.Limits{Bytes: 1 << 16, Depth: 20, Values: 1000}

func TestScalarsKeepTheTextTheyWereWrittenWith(t *testing.T) {
	n, err := syntax.Parse("f.yaml", []byte(`
a: .1
b: 007
c: 1.50
d: =LAB
e: "quoted # text"
f: {x: .4, y: [/BGDH, 值, 'PID-3[2].4']}
g: null
h:
i: true
j: "=http://x#y"
k: 2024-01-02
l: |
  two
  lines
m: //OBX
n: .
o: .4.2
p: 0x1F
`), lim)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": ".1", "b": "007", "c": "1.50", "d": "=LAB", "e": "quoted # text", "i": "true",
		"j": "=http://x#y", "k": "2024-01-02", "l": "two\nlines\n", "m": "//OBX", "n": ".", "o": ".4.2", "p": "0x1F"} {
		if got := n.Get(key).Text; got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"g", "h"} {
		if v := n.Get(key); v == nil || v.Kind != syntax.Null {
			t.Errorf("%s: want an explicit null, got %+v", key, v)
		}
	}
	f := n.Get("f")
	if f.Get("x").Text != ".4" || len(f.Get("y").Items) != 3 || f.Get("y").Items[2].Text != "PID-3[2].4" {
		t.Errorf("flow values: %+v", f)
	}
	if p := f.Get("y").Items[1].Position; p.Line != 7 || p.Column != 23 {
		t.Errorf("position %d:%d, want 7:23", p.Line, p.Column)
	}
}

func TestMistakesNameTheirPlace(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a duplicate key", "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: "},
		{"an anchor", "a: &x 1\nb: *x\n", "f.yaml:1:4: anchors and aliases are not part of the grammar: use shapes, include or extends"},
		{"a tag", "a: !!str 1\n", "f.yaml:1:4: tags are not part of the grammar"},
		{"two documents", "a: 1\n---\nb: 2\n", "f.yaml:3:1: a second document: want one per file"},
		{"an open bracket", "a: [1, 2\n", "f.yaml:1:"},
		{"bytes that are not UTF-8", "a: 1\nb: \xff\n", "f.yaml:2:4: not UTF-8: save the file as UTF-8"},
		{"deep brackets", "a: " + strings.Repeat("[", 30), "f.yaml:1:24: nested deeper than 20"},
		{"deep dashes", strings.Repeat("- ", 300), "nested deeper"},
		{"deep blocks", deepBlock(30), "nested deeper than 20"},
		{"a list as a key", "? [a]\n: 1\n", "f.yaml:"},
		{"too many values", "a: [" + strings.Repeat("1,", 1100) + "]", "more than 1000 values"},
		{"a large file", strings.Repeat("#", 1<<16+1), "f.yaml:1:1: the file has more than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := syntax.Parse("f.yaml", []byte(tt.in), lim)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestAnEmptyFileIsNothing(t *testing.T) {
	for _, in := range []string{"", "\n\n", "# only a comment\n", "\uFEFF"} {
		n, err := syntax.Parse("f.yaml", []byte(in), lim)
		if err != nil || n.Kind != syntax.Null {
			t.Errorf("%q: %v %v", in, n, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: {b: [c, .1]}\n", "- a\n- b: 1\n  c: |\n    x\n", "a: &b 1\n", "? a\n: b\n", "a: 'x\n", "\t", "%YAML 1.2\n---\na: 1\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := syntax.Parse("f", in, syntax.Limits{Bytes: 1 << 12, Depth: 20, Values: 500})
		if (n == nil) == (err == nil) {
			t.Fatal("want either a tree or an error")
		}
	})
}
