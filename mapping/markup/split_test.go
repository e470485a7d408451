package markup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/yilian/yilian/mapping/markup"
	"github.com/yilian/yilian/mapping/record"
)

// split writes each document, or the code and place of its error.
func split(t testing.TB, file string, r io.Reader, o markup.Options) string {
	t.Helper()
	var out []string
	for d, err := range markup.SplitJSON(r, o) {
		var at *record.SyntaxError
		switch {
		case errors.As(err, &at):
			out = append(out, fmt.Sprintf("%s@%d:%d", at.Code, at.Line, at.Column))
		case err != nil:
			out = append(out, "error")
		default:
			if got := file[d.Start:d.End]; strings.TrimRight(got, "\n") != strings.TrimRight(string(d.Bytes), "\n") {
				t.Errorf("%q is not the bytes %d to %d, %q", d.Bytes, d.Start, d.End, got)
			}
			rec, err := markup.ParseJSON(d.Bytes, markup.Options{Charset: d.Charset, Line: d.Line, Column: d.Column})
			if errors.As(err, &at) {
				out = append(out, fmt.Sprintf("(%s@%d:%d)", at.Code, at.Line, at.Column))
				continue
			}
			out = append(out, fmt.Sprintf("%s@%d:%d", rec.Root.Get("a").Text(), d.Line, d.Column))
		}
	}
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	small := markup.Options{Limits: markup.Limits{MaxBytes: 30}}
	for _, tt := range []struct {
		name, in, want string
		o              markup.Options
	}{
		{"one document", `{"a":1}`, "1@1:1", markup.Options{}},
		{"a document over lines", "{\n \"a\": {\"b\": [1, 2]}\n}\n", "@1:1", markup.Options{}},
		{"a line each", "{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}", "1@1:1 2@2:1 3@4:1", markup.Options{}},
		{"one behind the other", `{"a":1}{"a":2} {"a":3}`, "1@1:1 2@1:8 3@1:16", markup.Options{}},
		{"array", "[{\"a\":1},\n {\"a\":2}]", "1@1:2 2@2:2", markup.Options{}},
		{"several arrays", `[{"a":1}] [{"a":2},{"a":3}]`, "1@1:2 2@1:12 3@1:20", markup.Options{}},
		{"empty array", " [ ] ", "", markup.Options{}},
		{"nothing", "", "", markup.Options{}},
		{"mark", "\xEF\xBB\xBF{\"a\":1}", "1@1:1", markup.Options{}},
		{"record separators", "\x1E{\"a\":1}\n\x1E{\"a\":2}\n", "1@1:2 2@2:2", markup.Options{}},
		{"brackets and quotes in strings", `[{"a":"}]\"{["},{"a":"\\"}]`, `}]"{[@1:2 \@1:17`, markup.Options{}},
		{"GB18030 with brackets as second bytes", gb(`[{"a":"肻踇乗俓"},{"a":"王"}]`), "肻踇乗俓@1:2 王@1:19", markup.Options{}},
		{"items that are no objects", `[1, "x", {"a":1}, [2], null]`, "(json@1:2) (json@1:5) 1@1:10 (json@1:19) (json@1:24)", markup.Options{}},
		{"a broken item, the rest goes on", `[{"a":1},{"a":},{"a":3}]`, "1@1:2 (json@1:15) 3@1:17", markup.Options{}},
		{"a line without its end", "{\"a\":1\n{\"a\":2}\n{\"a\":3}", "(truncated@2:1) 2@2:1 3@3:1", markup.Options{}},
		{"a line with an open string", "{\"a\":\"1}\n{\"a\":2}\n", "(truncated@1:9) 2@2:1", markup.Options{}},
		{"an item without its end", "[{\"a\":1,\"b\":[2\n,{\"a\":2}]", "truncated@1:2", markup.Options{}},
		{"an item that lost its bracket", "[{\"a\":1\n{\"a\":2}]", "(truncated@2:1) 2@2:1", markup.Options{}},
		{"end of the file in a document", `{"a":1} {"a":`, "1@1:1 truncated@1:9", markup.Options{}},
		{"end of the file in an array", `[{"a":1},`, "1@1:2 truncated@1:10", markup.Options{}},
		{"brackets too many", `{"a":1}}}] {"a":2}`, "1@1:1 json@1:8 2@1:12", markup.Options{}},
		{"words", "hello {\"a\":1}", "(json@1:1) 1@1:7", markup.Options{}},
		{"too large, the rest goes on", `[{"a":"` + strings.Repeat("x", 100) + `"},{"a":2}]`, "too-large@1:2 2@1:111", small},
		{"UTF-16", "\xff\xfe{\x00}\x00", "charset@1:1", markup.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in))} {
				if got := split(t, tt.in, r, tt.o); got != tt.want {
					t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
				}
			}
		})
	}
}

func TestSplitEndsWithTheReadersErrorAndWhenAsked(t *testing.T) {
	r := io.MultiReader(strings.NewReader(`{"a":1}`), iotest.ErrReader(errors.New("gone")))
	if got := split(t, `{"a":1}`, r, markup.Options{}); !strings.HasSuffix(got, "error") {
		t.Errorf("got %q", got)
	}
	for range markup.SplitJSON(strings.NewReader(`{}{}`), markup.Options{}) {
		break
	}
}

// repeated is a file of n equal documents that is never in memory as a whole.
type repeated struct {
	document string
	n, at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.document[r.at:])
	if r.at += n; r.at == len(r.document) {
		r.n, r.at = r.n-1, 0
	}
	return n, nil
}

func TestALongFileIsNotHeldInMemory(t *testing.T) {
	const n = 100_000
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got := 0
	for _, err := range markup.SplitJSON(&repeated{document: `{"a": "` + strings.Repeat("x", 90) + `"}` + "\n", n: n}, markup.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > before.HeapAlloc+1<<20 {
				t.Errorf("%d KB more are in use", (now.HeapAlloc-before.HeapAlloc)>>10)
			}
		}
	}
	if got != n {
		t.Errorf("%d documents, want %d", got, n)
	}
}

// Documents put together in any of the forms come apart as they were.
func TestDocumentsComeApartAsTheyWere(t *testing.T) {
	text := rapid.StringOf(rapid.SampledFrom([]rune(`ab{}[],:"\ 肻踇王𠮷`)))
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(text, 1, 6).Draw(t, "values")
		var docs []string
		for _, v := range values {
			v = strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), `"`, `\"`)
			docs = append(docs, fmt.Sprintf(`{"k": [{"王肻": "%s"}, [], {}], "a": "%s."}`, v, v))
		}
		file := "[" + strings.Join(docs, ",\n") + "]"
		if rapid.Bool().Draw(t, "lines") {
			file = strings.Join(docs, "\n")
		}
		if rapid.Bool().Draw(t, "GB18030") {
			file = gb(file)
		}
		i := 0
		for d, err := range markup.SplitJSON(strings.NewReader(file), markup.Options{}) {
			if err != nil {
				t.Fatalf("%v in %q", err, file)
			}
			rec, err := markup.ParseJSON(d.Bytes, markup.Options{Charset: d.Charset})
			if err != nil {
				t.Fatalf("%v in %q", err, d.Bytes)
			}
			if got := rec.Root.Get("a").Text(); got != values[i]+"." {
				t.Fatalf("got %q, want %q", got, values[i]+".")
			}
			i++
		}
		if i != len(values) {
			t.Fatalf("%d documents, want %d", i, len(values))
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{report, "[" + report + "," + report + "]", gb(report), "{\"a\":1}\n{\"a\":\"\n{", "[[[]]", "\xff\xfe{\x00", `{"a":"\ud800"}`, "{}}]["} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		o := markup.Options{Limits: markup.Limits{MaxBytes: 2000, MaxDepth: 20, MaxNodes: 300}}
		if rec, err := markup.ParseJSON(file, o); err != nil {
			var at *record.SyntaxError
			if !errors.As(err, &at) || at.Code == "" || at.Line < 1 || at.Column < 1 {
				t.Fatalf("an error without a place: %#v", err)
			}
		} else {
			walk(t, rec.Root)
		}
		var last int64
		for d, err := range markup.SplitJSON(bytes.NewReader(file), o) {
			var at *record.SyntaxError
			if err != nil && (!errors.As(err, &at) || at.Line < 1) {
				t.Fatalf("an error without a place: %v", err)
			}
			if err == nil && (d.Start < last || d.End <= d.Start || d.End > int64(len(file)) || !bytes.Equal(d.Bytes, file[d.Start:d.End])) {
				t.Fatalf("document from %d to %d after %d", d.Start, d.End, last)
			}
			last = max(last, d.Start)
		}
	})
}

func walk(t *testing.T, n *record.Node) {
	if o := n.Origin(); o.Line < 1 || o.Column < 1 || !utf8.ValidString(n.Text()) {
		t.Fatalf("a value without a place: %+v", o)
	}
	for _, k := range n.Kids() {
		walk(t, k)
	}
}

func BenchmarkParseJSON(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`{"reportNo":"R1","patient":{"name":"王小明","idCard":"990101194912310023"},"results":[`)
	for i := range 20 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"code":"X%d","name":"白细胞计数","value":"12.6","unit":"10^9/L","range":"3.5-9.5","flag":"↑"}`, i)
	}
	doc.WriteString("]}")
	in := []byte(doc.String())
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := markup.ParseJSON(in, markup.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
