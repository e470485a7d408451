package hl7v2_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

func gb(t testing.TB, s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gbBytes(s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err)
	}
	return b
}

func parse(t testing.TB, message string) *record.Record {
	t.Helper()
	rec, err := hl7v2.Parse([]byte(message), hl7v2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

const head = "MSH|^~\\&|LIS|检验科|GW|平台|20240615103000||ORU^R01^ORU_R01|C1|P|2.5.1\r"

// at finds "PID-3[2].4.2" in the first segment of that name.
func at(rec *record.Record, segment string, path ...int) *record.Node {
	for _, s := range segmentsOf(rec.Root) {
		if s.Name() == segment {
			n := s.At(path[0])
			if len(path) > 1 && path[1] > 0 {
				n = n.Repetition(path[1])
			}
			for _, p := range path[min(2, len(path)):] {
				n = n.At(p)
			}
			return n
		}
	}
	return nil
}

func TestFieldsRepetitionsComponents(t *testing.T) {
	rec := parse(t, head+`PID|1||A1^^^HOSP&1.2.3&ISO^MR~B2^^^^NI||王^小明|""|  |^^^|~~|a&b|`+"\"\"^x|\r")
	for _, tt := range []struct {
		name  string
		path  []int
		text  string
		state record.State
		at    string
	}{
		{"field", []int{1}, "1", record.Present, "PID[1]-1"},
		{"empty field", []int{2}, "", record.Empty, "PID[1]-2"},
		{"first repetition's first component", []int{3}, "A1", record.Present, ""},
		{"sub-component", []int{3, 1, 4, 2}, "1.2.3", record.Present, "PID[1]-3[1].4.2"},
		{"empty component", []int{3, 1, 2}, "", record.Empty, "PID[1]-3[1].2"},
		{"second repetition", []int{3, 2, 5}, "NI", record.Present, "PID[1]-3[2].5"},
		{"component past the end", []int{3, 2, 6}, "", record.Absent, ""},
		{"component of a name", []int{5, 1, 2}, "小明", record.Present, "PID[1]-5.2"},
		{"delete", []int{6}, "", record.Delete, "PID[1]-6"},
		{"blanks are empty", []int{7}, "", record.Empty, "PID[1]-7"},
		{"only separators are empty", []int{8}, "", record.Empty, "PID[1]-8"},
		{"only repetition separators are empty", []int{9}, "", record.Empty, "PID[1]-9"},
		{"sub-components of a field without components", []int{10, 1, 1, 2}, "b", record.Present, "PID[1]-10.1.2"},
		{"deleted component", []int{11, 1, 1}, "", record.Delete, "PID[1]-11.1"},
		{"trailing separator", []int{12}, "", record.Empty, "PID[1]-12"},
		{"field past the end", []int{13}, "", record.Absent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := at(rec, "PID", tt.path...)
			if n.Text() != tt.text || n.State() != tt.state {
				t.Errorf("got %q, state %d; want %q, state %d", n.Text(), n.State(), tt.text, tt.state)
			}
			if tt.at != "" && n.Origin().Path != tt.at {
				t.Errorf("origin %q, want %q", n.Origin().Path, tt.at)
			}
		})
	}
}

func TestHeaderPositionsAndRecord(t *testing.T) {
	rec := parse(t, head+"PID|1\rOBR|1\rOBX|1|NM\r")
	for field, want := range map[int]string{1: "|", 2: `^~\&`, 3: "LIS", 4: "检验科", 10: "C1", 12: "2.5.1"} {
		if got := at(rec, "MSH", field).Text(); got != want {
			t.Errorf("MSH-%d is %q, want %q", field, got, want)
		}
	}
	if rec.Format != record.HL7v2 || rec.Type != "ORU^R01" || rec.Version != "2.5.1" || rec.Control != "C1" || rec.Charset != "UTF-8" {
		t.Errorf("got %+v", *rec)
	}
	if o := at(rec, "OBX", 2).Origin(); o.Line != 4 || o.Column != 7 || o.Path != "OBX[1]-2" {
		t.Errorf("OBX-2 is at %+v", o)
	}
	if o := at(rec, "MSH", 5).Origin(); o.Line != 1 || o.Column != 18 {
		t.Errorf("columns count characters: MSH-5 is at %+v", o)
	}
}

func TestMessageType(t *testing.T) {
	for _, tt := range []struct{ name, msh9, rest, want string }{
		{"code, event, structure", "ADT^A08^ADT_A01", "", "ADT^A08"},
		{"code and event", "ADT^A08", "", "ADT^A08"},
		{"only the structure", "ORU^^ORU_R01", "", "ORU^R01"},
		{"event in EVN", "ADT", "EVN|A04|20240101\r", "ADT^A04"},
		{"acknowledgement", "ACK", "MSA|AA|1\r", "ACK"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := parse(t, "MSH|^~\\&|A|B|C|D|20240101||"+tt.msh9+"|1|P|2.3.1\r"+tt.rest)
			if rec.Type != tt.want {
				t.Errorf("got %q, want %q", rec.Type, tt.want)
			}
		})
	}
}

func TestSegmentsEndWithAnyLineEnd(t *testing.T) {
	lines := []string{strings.TrimSuffix(head, "\r"), "PID|1||x", "OBR|1", "OBX|1|NM||", "NTE|1||y"}
	for name, end := range map[string]string{"CR": "\r", "LF": "\n", "CR LF": "\r\n", "blank lines between": "\r\r\n"} {
		for around, wrap := range map[string][2]string{
			"":                 {"", ""},
			"last end":         {"", end},
			"block":            {"\x0b", end + "\x1c\r"},
			"half a block":     {"", end + "\x1c\r"},
			"mark":             {"\xEF\xBB\xBF", end},
			"blank lines":      {"\r\n\n ", end + end + "\x1a"},
			"block with marks": {"\n\x0b", end + "\x1c\r\n"},
		} {
			t.Run(name+" "+around, func(t *testing.T) {
				rec := parse(t, wrap[0]+strings.Join(lines, end)+wrap[1])
				if got := len(segmentsOf(rec.Root)); got != len(lines) {
					t.Errorf("%d segments, want %d", got, len(lines))
				}
				if len(rec.Issues) > 0 {
					t.Errorf("issues: %v", rec.Issues)
				}
			})
		}
	}
}

func TestCustomDelimiters(t *testing.T) {
	rec := parse(t, "MSH$*%!@#$LIS$A$B$C$20240101$$ORU*R01$1$P$2.7\rPID$1$$A|B*C^D%E&F*G~H@I$x!F!y!S!z!R!!T!!E!!P!\r")
	for _, tt := range []struct {
		path []int
		want string
	}{
		{[]int{3, 1, 1}, "A|B"}, {[]int{3, 1, 2}, "C^D"}, {[]int{3, 2, 1}, "E&F"}, {[]int{3, 2, 2, 1}, "G~H"}, {[]int{3, 2, 2, 2}, "I"}, {[]int{4}, "x$y*z%@!#"},
	} {
		if got := at(rec, "PID", tt.path...).Text(); got != tt.want {
			t.Errorf("PID%v is %q, want %q", tt.path, got, tt.want)
		}
	}
	if rec.Type != "ORU^R01" {
		t.Errorf("type %q", rec.Type)
	}
}

func TestMessageWithFewerDelimiters(t *testing.T) {
	rec := parse(t, "MSH|^|LIS|A|B|C|20240101||ADT^A01|1|P|2.3.1\rPID|1||A~B\\T\\C&D\r")
	if got := at(rec, "PID", 3).Text(); got != "A~B\\T\\C&D" {
		t.Errorf("got %q", got)
	}
}

func TestCharsetsAreDecodedBeforeSplitting(t *testing.T) {
	// Each of these characters has a delimiter as its second byte in GBK.
	trails := "玘珅䥺" // 5E, 7C and another
	message := func(msh18 string) string {
		return "MSH|^~\\&|HIS|玘珅医院|GW|平台|20240615||ADT^A08|7|P|2.4||||||" + msh18 + "\rPID|1||1||" + trails + "^珅\r"
	}
	for _, tt := range []struct{ name, msh18, setting, issue string }{
		{"declared", "GB 18030-2000", "", ""},
		{"declared GBK", "GBK", "", ""},
		{"not declared", "", "", ""},
		{"institution's setting", "", "GB18030", ""},
		{"declared otherwise", "UNICODE UTF-8", "", "charset-declared-otherwise"},
		{"declared twice", "ASCII~GB18030", "", ""},
		{"declared unknown", "X-UNKNOWN", "", "charset-unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := hl7v2.Parse(gb(t, message(tt.msh18)), hl7v2.Options{Charset: tt.setting})
			if err != nil {
				t.Fatal(err)
			}
			if got := at(rec, "MSH", 4).Text(); got != "玘珅医院" {
				t.Errorf("MSH-4 is %q", got)
			}
			if got := at(rec, "PID", 5, 1, 1).Text(); got != trails {
				t.Errorf("PID-5.1 is %q", got)
			}
			if got := at(rec, "PID", 5, 1, 2).Text(); got != "珅" {
				t.Errorf("PID-5.2 is %q", got)
			}
			if rec.Charset != "GB18030" {
				t.Errorf("charset %s", rec.Charset)
			}
			issue := ""
			if len(rec.Issues) > 0 {
				issue = rec.Issues[0].ID
			}
			if issue != tt.issue {
				t.Errorf("issues %v, want %q", rec.Issues, tt.issue)
			}
		})
	}
}

func TestUTF16(t *testing.T) {
	var wide []byte
	for _, r := range "\uFEFF" + head + "PID|1||1||王\r" {
		wide = append(wide, byte(r), byte(r>>8))
	}
	rec, err := hl7v2.Parse(wide, hl7v2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(rec, "PID", 5).Text(); got != "王" || rec.Charset != "UTF-16LE" {
		t.Errorf("got %q as %s", got, rec.Charset)
	}
}

func TestRawLineBreaksInsideAFieldAreKept(t *testing.T) {
	rec := parse(t, head+"PID|1\rOBR|1\rOBX|1|TX|R||第一行\n第二行\nCT: 三\r\n|||F\rOBX|2|NM\r")
	if got := at(rec, "OBX", 5).Text(); got != "第一行\n第二行\nCT: 三\n" {
		t.Errorf("OBX-5 is %q", got)
	}
	if len(rec.Issues) != 1 || rec.Issues[0].ID != hl7v2.LineBreakInField || rec.Issues[0].Origin != "OBX[1]" || rec.Issues[0].Line != 4 {
		t.Errorf("issues %v", rec.Issues)
	}
}

func TestNotAMessage(t *testing.T) {
	big := head + strings.Repeat("NTE|1||x\r", 300)
	limits := hl7v2.Limits{MaxBytes: 4000, MaxSegments: 200, MaxRepetitions: 100, MaxNodes: 1200}
	for _, tt := range []struct {
		name, in, code, path string
		line                 int
	}{
		{"nothing", "", "not-hl7", "", 1},
		{"blanks", " \r\n \x1c", "not-hl7", "", 1},
		{"text", "hello", "not-hl7", "", 1},
		{"batch", "FHS|^~\\&\rMSH|", "not-hl7", "", 1},
		{"no header", "PID|1\rPV1|1\r", "not-hl7", "", 1},
		{"only MSH", "MSH", "truncated", "MSH", 1},
		{"cut in the header", "MSH|^~\\&|HIS|A", "truncated", "MSH[1]", 1},
		{"cut segment name", head + "PID|1\rOB", "truncated", "", 3},
		{"cut after segment name", head + "PID|1\rOBX", "truncated", "OBX", 3},
		{"block without end", "\x0b" + head + "PID|1\r", "truncated", "", 1},
		{"not version 2", "MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|9.9\rPID|1\r", "version", "MSH[1]-12", 1},
		{"no type", "MSH|^~\\&|A|B|C|D|2024|||1|P|2.5\rPID|1\r", "message-type", "MSH[1]-9", 1},
		{"letters as delimiters", "MSHA^~\\&A", "delimiters", "MSH[1]-2", 1},
		{"equal delimiters", "MSH|^^\\&|A|B", "delimiters", "MSH[1]-2", 1},
		{"too many delimiters", "MSH|^~\\&#!|A|B", "delimiters", "MSH[1]-2", 1},
		{"garbage after the header", head + "garbage\r", "segment", "", 2},
		{"second message", head + "PID|1\r" + head, "several-messages", "MSH[2]", 3},
		{"NUL", head + "PID|1||a\x00b\r", "nul", "", 2},
		{"invalid bytes", head + "PID|1||a\xffb\r", "charset", "", 2},
		{"over the size", head + strings.Repeat("x", 5000), "too-large", "", 1},
		{"over the segments", big, "too-many-segments", "NTE", 201},
		{"over the repetitions", head + "PID|1||" + strings.Repeat("a~", 101) + "\r", "too-many-repetitions", "PID[1]-3", 2},
		{"over the fields", head + "PID" + strings.Repeat("|", 1300) + "\r", "too-many-values", "PID", 2},
		{"over the components", head + "PID|1||" + strings.Repeat("a^", 1300) + "\r", "too-many-values", "PID[1]-3", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := hl7v2.Parse([]byte(tt.in), hl7v2.Options{File: "f.hl7", Limits: limits})
			var at *record.SyntaxError
			if !errors.As(err, &at) {
				t.Fatalf("got %v, want a syntax error", err)
			}
			if at.Code != tt.code || at.Path != tt.path || at.Line != tt.line || at.File != "f.hl7" {
				t.Errorf("got %s (%s), want code %s, path %q, line %d", at, at.Code, tt.code, tt.path, tt.line)
			}
		})
	}
}

func TestLimitsHaveDefaults(t *testing.T) {
	_, err := hl7v2.Parse([]byte(head+"PID|1||"+strings.Repeat("a~", 10_000)+"\r"), hl7v2.Options{})
	var at *record.SyntaxError
	if !errors.As(err, &at) || at.Code != "too-many-repetitions" || at.Path != "PID[1]-3" {
		t.Errorf("10,000 repetitions: %v", err)
	}
	if _, err := hl7v2.Parse(make([]byte, hl7v2.DefaultMaxBytes+1), hl7v2.Options{}); !errors.As(err, &at) || at.Code != "too-large" {
		t.Errorf("16 MB: %v", err)
	}
	if _, err := hl7v2.Parse([]byte(head+"PID|"+strings.Repeat("|", hl7v2.DefaultMaxNodes)), hl7v2.Options{}); !errors.As(err, &at) || at.Code != "too-many-values" {
		t.Errorf("a million fields: %v", err)
	}
	if _, err := hl7v2.Parse([]byte(head+strings.Repeat("NTE|\r", hl7v2.DefaultMaxSegments)), hl7v2.Options{}); !errors.As(err, &at) || at.Code != "too-many-segments" {
		t.Errorf("segments: %v", err)
	}
}

func TestLinesCountFromWhereTheMessageBeginsInItsFile(t *testing.T) {
	rec, err := hl7v2.Parse([]byte(head+"PID|1||a\r"), hl7v2.Options{Line: 41})
	if err != nil {
		t.Fatal(err)
	}
	if o := at(rec, "PID", 3).Origin(); o.Line != 42 {
		t.Errorf("PID is on line %d, want 42", o.Line)
	}
	_, err = hl7v2.Parse([]byte(head+"PID|1||a\x00\r"), hl7v2.Options{Line: 41})
	var at *record.SyntaxError
	if !errors.As(err, &at) || at.Line != 42 {
		t.Errorf("got %v, want line 42", err)
	}
}
