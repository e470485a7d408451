package hl7v2_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

func TestEscapes(t *testing.T) {
	for _, tt := range []struct {
		name, in, want, charset, issue string
	}{
		{"delimiters", `a\F\b\S\c\T\d\R\e\E\f`, `a|b^c&d~e\f`, "", ""},
		{"power in a unit", `10\S\9/L`, "10^9/L", "", ""},
		{"line break", `溶血\.br\请结合临床`, "溶血\n请结合临床", "", ""},
		{"lines", `a\.sp2\b\.sp\c`, "a\n\nb\nc", "", ""},
		{"blanks", `a\.sk3\b`, "a   b", "", ""},
		{"indents do not join words", `a\.in+4\b\.ti-2\c`, "a b c", "", ""},
		{"centre", `title\.ce\text`, "title\ntext", "", ""},
		{"fill mode", `\.fi\a\.nf\b`, "ab", "", ""},
		{"highlighting goes", `a\H\b\N\c`, "abc", "", ""},
		{"truncation", `a\P\b`, "a#b", "", ""},
		{"hexadecimal ASCII", `a\X0D\\X0A\b`, "a\r\nb", "", ""},
		{"hexadecimal GBK", `\XD1AACDAC\`, "血同", "GB18030", ""},
		{"hexadecimal GBK without declaration", `\XD1AAB3A3B9E6\`, "血常规", "", ""},
		{"hexadecimal UTF-8", `\XE8A180\`, "血", "UNICODE UTF-8", ""},
		{"a character over two sequences", `\XD1\\XAA\`, "血", "GB18030", ""},
		{"lower case hexadecimal", `\x41\`, "A", "", ""},
		{"odd hexadecimal", `\X4\`, `\X4\`, "", hl7v2.EscapeUnknown},
		{"hexadecimal that is no text", `a\XFF\b`, `a\XFF\b`, "UTF-8", hl7v2.EscapeCharset},
		{"hexadecimal NUL", `a\X00\b`, `a\X00\b`, "", hl7v2.EscapeCharset},
		{"own sequence", `a\Zab\b`, `a\Zab\b`, "", ""},
		{"unknown sequence", `a\Q\b`, `a\Q\b`, "", hl7v2.EscapeUnknown},
		{"a path of Windows", `\\10.0.0.1\pdf\a.pdf`, `\\10.0.0.1\pdf\a.pdf`, "", hl7v2.EscapeUnknown},
		{"unknown before known", `\x\S\`, `\x^`, "", hl7v2.EscapeUnknown},
		{"one backslash", `a\b`, `a\b`, "", hl7v2.EscapeUnknown},
		{"unescaped after splitting", `a\S\b`, "a^b", "", ""},
		{"an enormous indent is bounded", `a\.sk999999999\b`, "a" + strings.Repeat(" ", 100) + "b", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := parse(t, "MSH|^~\\&|A|B|C|D|2024||ADT^A08|1|P|2.4||||||"+tt.charset+"\rPID|1||x^"+tt.in+"\r")
			n := at(rec, "PID", 3, 1, 2)
			if n.Text() != tt.want || n.State() != record.Present {
				t.Errorf("got %q, want %q", n.Text(), tt.want)
			}
			issue := ""
			if len(rec.Issues) > 0 {
				issue = rec.Issues[0].ID
				if rec.Issues[0].Origin != "PID[1]-3.2" || rec.Issues[0].Line != 2 {
					t.Errorf("the issue is at %q, line %d", rec.Issues[0].Origin, rec.Issues[0].Line)
				}
			}
			if issue != tt.issue {
				t.Errorf("issues %v, want %q", rec.Issues, tt.issue)
			}
		})
	}
}

func TestHighlightingAloneIsEmpty(t *testing.T) {
	if n := at(parse(t, head+"PID|1||\\H\\ \\N\\\r"), "PID", 3); n.State() != record.Empty {
		t.Errorf("state %d, text %q", n.State(), n.Text())
	}
}

func TestWarningsAreBounded(t *testing.T) {
	rec := parse(t, head+strings.Repeat("NTE|1||\\Q\\\r", 1000))
	if n := len(rec.Issues); n == 0 || n > 100 {
		t.Errorf("%d issues", n)
	}
}

var exotic = hl7v2.Delimiters{Field: '$', Component: '*', Repetition: '%', Escape: '!', Subcomponent: '@', Truncation: '#'}

// What is escaped is read as it was, in any delimiters and encoding, next to
// characters whose second byte is a delimiter.
func TestEscapedTextIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom([]rune("|^~\\&#$*%!@\"\n\r\t .XFSTREHNPZbrsp0123456789玘珅喆𠮷王↑℃")),
			rapid.Rune(),
		)).Draw(t, "text")
		text = strings.Map(func(r rune) rune {
			if r == 0 || r >= 0xE000 && r <= 0xF8FF || r == utf8.RuneError || r == 0xFEFF {
				return -1
			}
			return r
		}, text)
		d := hl7v2.Standard
		if rapid.Bool().Draw(t, "exotic") {
			d = exotic
		}
		f, c := string(d.Field), string(d.Component)
		set := rapid.SampledFrom([]string{"UNICODE UTF-8", "GB 18030-2000"}).Draw(t, "charset")
		message := "MSH" + f + d.MSH2() + f + "医院" + strings.Repeat(f, 5) + f + "ADT" + c + "A08" + f + "1" + f + "P" + f + "2.4" + strings.Repeat(f, 6) + set + "\r" +
			"PID" + f + "玘" + f + "珅" + c + "x" + hl7v2.Escape(text, d) + "y" + c + "玘" + f + "end\r"
		in := []byte(message)
		if set != "UNICODE UTF-8" {
			in = gbBytes(message)
		}
		rec, err := hl7v2.Parse(in, hl7v2.Options{})
		if err != nil {
			t.Fatalf("%v: %q", err, message)
		}
		if got := at(rec, "PID", 2, 1, 2).Text(); got != "x"+text+"y" {
			t.Fatalf("got %q, want %q (%s)", got, text, rec.Charset)
		}
		if got := at(rec, "PID", 3).Text(); got != "end" {
			t.Fatalf("PID-3 is %q", got)
		}
		if len(rec.Issues) > 0 {
			t.Fatalf("issues: %v", rec.Issues)
		}
	})
}

// A message written from values reads back as those values, at their positions.
func TestSplittingIsTheInverseOfWriting(t *testing.T) {
	value := rapid.StringOf(rapid.SampledFrom([]rune("ab1|^~\\&玘珅王\n"))).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfN(rapid.SliceOfN(rapid.SliceOfN(rapid.SliceOfN(value, 1, 3), 1, 3), 1, 3), 1, 5).Draw(t, "fields")
		var b strings.Builder
		b.WriteString("MSH|^~\\&|A|B|C|D|2024||ADT^A08|1|P|2.4||||||GB18030\rPID")
		for _, field := range fields {
			b.WriteByte('|')
			for i, repetition := range field {
				b.WriteString(strings.Repeat("~", min(i, 1)))
				for j, component := range repetition {
					b.WriteString(strings.Repeat("^", min(j, 1)))
					for k, sub := range component {
						b.WriteString(strings.Repeat("&", min(k, 1)) + hl7v2.Escape(sub, hl7v2.Standard))
					}
				}
			}
		}
		rec, err := hl7v2.Parse(gbBytes(b.String()+"\r"), hl7v2.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for f, field := range fields {
			for r, repetition := range field {
				for c, component := range repetition {
					for s, want := range component {
						if got := at(rec, "PID", f+1, r+1, c+1, s+1).Text(); got != want {
							t.Fatalf("PID-%d[%d].%d.%d is %q, want %q in %q", f+1, r+1, c+1, s+1, got, want, b.String())
						}
					}
				}
			}
		}
	})
}
