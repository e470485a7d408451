package hl7v2_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		head + "PID|1||A^^^B&C~D||王^小明|\"\"\rPV1|1\rORC|RE\rOBR|1\rOBX|1|NM|x||10\\S\\9/L\rNTE|1||a\\.br\\b\\X0D\\\\Zx\\\r",
		"\x0b" + head + "PID|1\r\x1c\r", message("1") + message("2"), "FHS|^~\\&\rBHS|^~\\&\r" + message("1") + "BTS|1\rFTS|1\r",
		"MSH$*%!@#$A$B$C$D$1$$ORU*R01$1$P$2.7\rPID$1$$a*b%c@d!F!\r", build("ZZZ^Z01", "PID ORC OBR OBX ZPI"), build("OML^O21", "PID ORC OBR SPM PID ORC"),
		"MSH|^~\\&", "MSH", "\xff\xfeM\x00S\x00H\x00|\x00", "MSH|^~\\&|a\nb|||\rOBX|1|TX|||a\nb\r",
	} {
		f.Add([]byte(s))
	}
	f.Add(gb(f, head+"PID|1||1||玘珅𠮷^x\r"))
}

func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, herr := hl7v2.Peek(frame, hl7v2.Options{})
		rec, err := hl7v2.Parse(frame, hl7v2.Options{Limits: hl7v2.Limits{MaxNodes: 20_000}})
		if err != nil {
			var at *record.SyntaxError
			if !errors.As(err, &at) || at.Code == "" || at.Reason == "" || at.Line < 1 && at.Offset == 0 && at.Code != "nul" && at.Code != "charset" && at.Code != "truncated" {
				t.Fatalf("an error without a place: %#v", err)
			}
		} else {
			if herr == nil && h.Event != "" && h.Type() != rec.Type && !bytes.ContainsFunc(frame, func(r rune) bool { return r >= 0x80 }) {
				t.Fatalf("Peek says %q, Parse %q", h.Type(), rec.Type)
			}
			walk(t, rec.Root, 0)
			for _, issue := range rec.Issues {
				if issue.Text == "" || issue.ID == "" {
					t.Fatalf("an issue without a text: %v", issue)
				}
			}
		}
		ack := hl7v2.Ack(h, hl7v2.Reply{Code: hl7v2.Refused, Text: "x|y", Control: "1", Errors: []hl7v2.ReplyError{{Origin: "OBX[1]-5.1"}}})
		if !bytes.Contains(ack, []byte("MSA")) && !bytes.Contains(ack, []byte("M\x00S\x00A")) && !bytes.Contains(ack, []byte("\x00M\x00S\x00A")) {
			t.Fatalf("no acknowledgement: %q", ack)
		}
	})
}

// walk reads every node as the mapping engine does.
func walk(t *testing.T, n *record.Node, depth int) {
	if depth > 20 {
		t.Fatal("the tree is deeper than a message can be")
	}
	if !utf8.ValidString(n.Text()) {
		t.Fatalf("not text: %q", n.Text())
	}
	if n.Kind() == record.Leaf {
		if n.State() == record.Present && strings.TrimSpace(n.Text()) == "" && !strings.ContainsAny(n.Text(), "\n\r") && n.Origin().Path != "MSH[1]-2" {
			t.Fatalf("a blank value is present: %q at %s", n.Text(), n.Origin().Path)
		}
		if o := n.Origin(); o.Line < 1 || o.Column < 1 || o.Path == "" {
			t.Fatalf("a value without a place: %+v", o)
		}
	}
	for _, k := range n.Kids() {
		if k.Parent() != n {
			t.Fatal("a child with another parent")
		}
		walk(t, k, depth+1)
	}
}

func FuzzSplit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		var last int64
		for frame, err := range hl7v2.Split(bytes.NewReader(file), hl7v2.Options{Limits: hl7v2.Limits{MaxBytes: 1000}}) {
			var at *record.SyntaxError
			if err != nil && (!errors.As(err, &at) || at.Line < 1) {
				t.Fatalf("an error without a place: %v", err)
			}
			if err != nil {
				continue
			}
			if frame.Start < last || frame.End < frame.Start || frame.End > int64(len(file)) {
				t.Fatalf("frame from %d to %d after %d in %d bytes", frame.Start, frame.End, last, len(file))
			}
			last = frame.End
			if !bytes.HasPrefix(frame.Bytes, []byte("MSH")) || len(frame.Bytes) > 1000 {
				t.Fatalf("%q is no frame", frame.Bytes)
			}
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a|b^c", "10^9/L", "\\X41\\", "line\nline\r\n", "玘珅", "\\", "\\\\a\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return
		}
		got, unknown, undecoded := hl7v2.Unescape(hl7v2.Escape(text, hl7v2.Standard), hl7v2.Standard, "UTF-8")
		if got != text || unknown || undecoded {
			t.Fatalf("%q became %q", text, got)
		}
		hl7v2.Unescape(text, hl7v2.Standard, "GB18030")
	})
}
