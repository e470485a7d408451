package fhir_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
)

func TestParseRefuses(t *testing.T) {
	wide := func(n int, last string) string {
		var b strings.Builder
		b.WriteByte('{')
		for i := range n {
			b.WriteString(`"k` + strconv.Itoa(i) + `":{"x":1},`)
		}
		return b.String() + `"` + last + `":1}`
	}
	for _, tt := range []struct {
		name, text   string
		lim          fhir.Limits
		line, column int
		reason       string
		limit        bool
	}{
		{name: "empty text", text: "", line: 1, column: 1, reason: "ends early"},
		{name: "malformed UTF-8", text: "{\n\"a\":\"\xff\"}", line: 2, column: 6, reason: "UTF-8"},
		{name: "UTF-8 encoded surrogate", text: "\"\xed\xa0\x80\"", line: 1, column: 2, reason: "UTF-8"},
		{name: "duplicate property", text: "{\"a\":1,\n \"a\":2}", line: 2, column: 2, reason: "duplicate"},
		{name: "duplicate spelled with an escape", text: `{"a":1,"\u0061":2}`, line: 1, column: 8, reason: "duplicate"},
		{name: "duplicate among many", text: wide(300, "k7"), line: 1, reason: "duplicate"},
		{name: "duplicate at the border", text: wide(64, "k63"), line: 1, reason: "duplicate"},
		{name: "leading zero", text: `{"a":01}`, line: 1, column: 6, reason: "leading zero"},
		{name: "negative leading zero", text: `-01`, line: 1, column: 1, reason: "leading zero"},
		{name: "plus sign", text: `+1`, line: 1, column: 1, reason: "unexpected"},
		{name: "bare point", text: `1.`, line: 1, column: 1, reason: "decimal point"},
		{name: "bare exponent", text: `1e+`, line: 1, column: 1, reason: "exponent"},
		{name: "lone minus", text: `-`, line: 1, column: 1, reason: "sign"},
		{name: "NaN", text: `NaN`, line: 1, column: 1, reason: "unexpected"},
		{name: "trailing bytes", text: "{} {}", line: 1, column: 4, reason: "after the end"},
		{name: "trailing comma", text: `{"a":1,}`, line: 1, column: 8, reason: "property name"},
		{name: "trailing comma in array", text: `[1,]`, line: 1, column: 4, reason: "value"},
		{name: "missing colon", text: `{"a" 1}`, line: 1, column: 6, reason: "':'"},
		{name: "unclosed object", text: `{"a":1`, line: 1, column: 7, reason: "'}'"},
		{name: "unclosed string", text: `{"a":"x`, line: 1, column: 6, reason: "without an end"},
		{name: "newline in string", text: "\"a\nb\"", line: 1, column: 3, reason: "control character"},
		{name: "NUL in string", text: "\"a\x00b\"", line: 1, column: 3, reason: "control character"},
		{name: "unknown escape", text: `"\q"`, line: 1, column: 2, reason: "escape"},
		{name: "short unicode escape", text: `"\u12"`, line: 1, column: 2, reason: `\u`},
		{name: "unpaired surrogate", text: `"\ud842x"`, line: 1, column: 2, reason: `\u`},
		{name: "reversed surrogates", text: `"\udfb7\ud842"`, line: 1, column: 2, reason: `\u`},
		{name: "comment", text: "// x\n{}", line: 1, column: 1, reason: "unexpected"},
		{name: "misspelled literal", text: `nul`, line: 1, column: 1, reason: "unexpected"},
		{name: "too deep", text: strings.Repeat("[", 10_000), lim: fhir.Limits{Depth: 50}, line: 1, column: 51, reason: "deeper than 50", limit: true},
		{name: "too many values", text: "[" + strings.Repeat("0,", 100) + "0]", lim: fhir.Limits{Nodes: 50}, line: 1, reason: "more than 50", limit: true},
		{name: "too large", text: `"` + strings.Repeat("x", 100) + `"`, lim: fhir.Limits{Bytes: 100}, line: 1, column: 1, reason: "at most 100", limit: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fhir.Parse([]byte(tt.text), tt.lim)
			var syntax *fhir.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %v, want a SyntaxError", err)
			}
			if !strings.Contains(syntax.Reason, tt.reason) || syntax.Line != tt.line || tt.column != 0 && syntax.Column != tt.column || syntax.Limit != tt.limit {
				t.Errorf("got %v (limit %v), want %d:%d: …%s…", syntax, syntax.Limit, tt.line, tt.column, tt.reason)
			}
		})
	}
}

func TestParseKeeps(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"property order", `{"b":1,"a":2}`, `{"b":1,"a":2}`},
		{"number literals", `[1.0,1.00,1E+2,-0,0.10,12345678901234567890.123456789]`, `[1.0,1.00,1E+2,-0,0.10,12345678901234567890.123456789]`},
		{"primitive extensions", `{"given":["a",null],"_given":[null,{"id":"x"}]}`, `{"given":["a",null],"_given":[null,{"id":"x"}]}`},
		{"escapes as characters", `"\u4e2d\ud842\udfb7\n\/"`, "\"中𠮷\\n/\""},
		{"control characters", `"\u0000\u001f"`, `"\u0000\u001f"`},
		{"byte order mark dropped", "\uFEFF{}", "{}"},
		{"white space dropped", " {\r\n\t\"a\" : [ ] } ", `{"a":[]}`},
		{"wide objects of equal names side by side", `[` + wideOf(70) + `,` + wideOf(70) + `]`, `[` + wideOf(70) + `,` + wideOf(70) + `]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := fhir.Parse([]byte(tt.text), fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(n.AppendJSON(nil))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Texts of every length around the eight bytes that are read at once, with every
// special byte at every place, are read as the standard library reads them.
func TestParseReadsTextsOfEveryLength(t *testing.T) {
	specials := []string{`"`, `\`, `\n`, `\u4e2d`, "\x01", "\x1f", "\x00", " ", "!", "#", "[", "]", "\x7f", "中"}
	for length := range 20 {
		for at := range length + 1 {
			for _, first := range specials {
				for _, second := range append(specials, "") {
					text := `"` + strings.Repeat("x", at) + first + second + strings.Repeat("y", length-at) + `"`
					var want string
					wrong := json.Unmarshal([]byte(text), &want)
					n, err := fhir.Parse([]byte(text), fhir.Limits{})
					if (err == nil) != (wrong == nil) || err == nil && n.Text() != want {
						t.Fatalf("%q: got %q, %v; want %q, %v", text, n.Text(), err, want, wrong)
					}
				}
			}
		}
	}
}

// Names that look alike in all but one byte are still told apart, and found again.
func TestParseTellsNamesApart(t *testing.T) {
	for length := 1; length < 40; length++ {
		for at := range length {
			name := []byte(strings.Repeat("a", length))
			name[at] = 'b'
			pair := func(second string) string { return `{"` + string(name) + `":1,"` + second + `":2}` }
			if _, err := fhir.Parse([]byte(pair(strings.Repeat("a", length))), fhir.Limits{}); err != nil {
				t.Errorf("different names of length %d: %v", length, err)
			}
			if _, err := fhir.Parse([]byte(pair(string(name))), fhir.Limits{}); err == nil {
				t.Errorf("equal names of length %d are taken", length)
			}
		}
	}
}

func wideOf(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = `"k` + strconv.Itoa(i) + `":1`
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestPositionsCountLinesAndBytes(t *testing.T) {
	n, err := fhir.Parse([]byte("{\n  \"a\": [\n    1, \"中\", 2]}"), fhir.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	line, column := n.Get("a").At(2).Position()
	if line != 3 || column != 15 {
		t.Errorf("got %d:%d, want 3:15", line, column)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"resourceType":"Patient","name":[{"family":"王"}]}`, `[1.0e-5,"\ud842\udfb7",null,true]`, wideOf(80), `{"a":01}`, "\"\xff\"", strings.Repeat("[", 200)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			var syntax *fhir.SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		out := n.AppendJSON(nil)
		again, err := fhir.Parse(out, fhir.Limits{Bytes: 1 << 30})
		if err != nil {
			t.Fatalf("does not read what it wrote: %v", err)
		}
		if !fhir.Equal(n, again) {
			t.Fatal("changed on the way out and in")
		}
		if _, err := fhir.Parse(n.AppendIndent(nil), fhir.Limits{Bytes: 1 << 30}); err != nil {
			t.Fatalf("does not read what it indented: %v", err)
		}
	})
}
