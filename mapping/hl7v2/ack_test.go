package hl7v2_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/mapping/hl7v2"
)

var moment = time.Date(2024, 6, 15, 10, 30, 0, 0, time.FixedZone("", 8*3600))

func TestPeek(t *testing.T) {
	h, err := hl7v2.Peek([]byte("\x0bMSH|^~\\&|LIS^1.2^ISO|H1|GW|P|20240615103000+0800||ORU^R01^ORU_R01|C\\T\\1|P^T|2.5.1^CHN|||AL|NE|CHN|UTF-8~UNICODE\rPID|1\r\x1c\r"), hl7v2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"type": {h.Type(), "ORU^R01"}, "control": {h.Control, "C&1"}, "version": {h.Version, "2.5.1"}, "sender": {h.SendingApplication, "LIS^1.2^ISO"},
		"facility": {h.SendingFacility, "H1"}, "processing": {h.Processing, "P"}, "accept": {h.Accept, "AL"}, "application": {h.Application, "NE"},
		"declared": {strings.Join(h.Declared, ","), "UTF-8,UNICODE"}, "time": {h.Time, "20240615103000+0800"}, "structure": {h.Structure, "ORU_R01"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if !h.Enhanced() {
		t.Error("MSH-15 asks for enhanced mode")
	}
}

func TestPeekReadsChineseHeadersOfEitherCharset(t *testing.T) {
	text := "MSH|^~\\&|HIS|玘珅医院|GW|平台|20240615||ADT^A08|N7|P|2.4\rPID|1||1||王小明\r"
	for name, in := range map[string][]byte{"UTF-8": []byte(text), "GB18030": gb(t, text)} {
		h, err := hl7v2.Peek(in, hl7v2.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if h.SendingFacility != "玘珅医院" || h.Control != "N7" || h.Charset != name {
			t.Errorf("%s: got %q %q %q", name, h.SendingFacility, h.Control, h.Charset)
		}
	}
}

func TestPeekOfWhatIsNoMessage(t *testing.T) {
	for name, in := range map[string]string{"nothing": "", "text": "hello", "cut": "MSH", "no type": "MSH|^~\\&|A|B", "cut block": "\x0bMSH|^~\\&|A|B|C|D|1||ADT^A01|77|P|2.4\r"} {
		t.Run(name, func(t *testing.T) {
			h, err := hl7v2.Peek([]byte(in), hl7v2.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			if name == "cut block" && h.Control != "77" {
				t.Errorf("a cut message can still be answered: control id %q", h.Control)
			}
			ack := hl7v2.Ack(h, hl7v2.Reply{Code: hl7v2.Refused, Text: "not a message", Time: moment, Control: "G1"})
			if _, err := hl7v2.Parse(ack, hl7v2.Options{}); err != nil {
				t.Errorf("the refusal is no message: %v", err)
			}
		})
	}
}

func TestAck(t *testing.T) {
	message := "MSH|^~\\&|LIS|H1|GW|P|20240615||ORU^R01^ORU_R01|C1|P|VERSION||||||GB18030\r"
	errs := []hl7v2.ReplyError{
		{Origin: "OBX[3]-5[2].1", Code: "102", Text: "not a number"},
		{Origin: "PID[1]-3", Code: "101", Severity: "W"},
		{},
	}
	for _, tt := range []struct{ name, version, want string }{
		{"2.5.1", "2.5.1", "MSH|^~\\&|GW|P|LIS|H1|20240615103000+0800||ACK^R01^ACK|G9|P|2.5.1||||||GB18030\r" +
			"MSA|AE|C1|结果无法读取\r" +
			"ERR||OBX^3^5^2^1|102^Data type error^HL70357|E||||not a number\r" +
			"ERR||PID^1^3|101^Required field missing^HL70357|W\r" +
			"ERR|||207^Application error^HL70357|E\r"},
		{"2.3.1", "2.3.1", "MSH|^~\\&|GW|P|LIS|H1|20240615103000+0800||ACK^R01|G9|P|2.3.1||||||GB18030\r" +
			"MSA|AE|C1|结果无法读取\r" +
			"ERR|OBX^3^5^102&Data type error&HL70357\r" +
			"ERR|PID^1^3^101&Required field missing&HL70357\r" +
			"ERR|^^^207&Application error&HL70357\r"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := hl7v2.Peek([]byte(strings.Replace(message, "VERSION", tt.version, 1)), hl7v2.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r := hl7v2.Reply{Code: hl7v2.Failed, Text: "结果无法读取", Errors: errs, Time: moment, Control: "G9"}
			got := hl7v2.Ack(h, r)
			if want := string(gb(t, tt.want)); string(got) != want {
				t.Errorf("\n got %q\nwant %q", got, want)
			}
			rec, err := hl7v2.Parse(got, hl7v2.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if rec.Root.Name() != "ACK" || at(rec, "MSA", 3).Text() != "结果无法读取" {
				t.Errorf("read back as %s with %q", rec.Root.Name(), at(rec, "MSA", 3).Text())
			}
		})
	}
}

func TestAckKeepsDelimitersAndEscapesText(t *testing.T) {
	h, err := hl7v2.Peek([]byte("MSH$*%!@$A$B$C$D$1$$ADT*A01$C$P$2.4\r"), hl7v2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := string(hl7v2.Ack(h, hl7v2.Reply{Code: hl7v2.CommitAccept, Text: "a$b|c\nd", Time: moment, Control: "1"}))
	want := "MSH$*%!@$C$D$A$B$20240615103000+0800$$ACK*A01*ACK$1$P$2.4\rMSA$CA$C$a!F!b|c!.br!d\r"
	if got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
