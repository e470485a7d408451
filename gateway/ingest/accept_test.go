package ingest_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
	"github.com/yilian/yilian/mapping/hl7v2"
)

// segments reads an acknowledgement: the fields of its segments by name.
func segments(t testing.TB, ack []byte) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for s := range strings.SplitSeq(strings.TrimRight(string(ack), "\r"), "\r") {
		fields := strings.Split(s, "|")
		out[fields[0]] = fields
	}
	if out["MSH"] == nil || len(out["MSA"]) < 2 {
		t.Fatalf("no acknowledgement: %q", ack)
	}
	out["MSA"] = append(out["MSA"], "") // the control id may be left out
	return out
}

func TestAMessageIsAnsweredWhenItsBytesAreKept(t *testing.T) {
	good := adt("A04", "C1", 1, "1001", "甲")
	g := newGateway(t, small())
	for _, tt := range []struct {
		name, text  string
		code        string
		errors, why string // code of table 0357, id of the issue
		control     string
	}{
		{"a message", good, "AA", "", "", "C1"},
		{"a message in a block", "\x0b" + good + "\x1c\r", "AA", "", "", "C1"},
		{"no type", strings.Replace(good, "ADT^A04", "", 1), "AR", "200", "record-message-type", "C1"},
		{"ends inside its header", good[:20], "AR", "200", "record-message-type", ""},
		{"ends before its block does", "\x0b" + good, "AR", "100", "record-truncated", "C1"},
		{"a version nobody agreed on", strings.Replace(good, "|2.4|", "|9.9|", 1), "AR", "203", "record-version", "C1"},
		{"NUL bytes", strings.Replace(good, "1001", "10\x0001", 1), "AR", "102", "record-nul", "C1"},
		{"ten thousand repetitions", strings.Replace(good, "1001^^^^MR", strings.Repeat("1~", 10_000), 1), "AR", "104", "record-too-many-repetitions", "C1"},
		{"not a message", "hello", "AR", "100", "record-not-hl7", ""},
		{"nothing but blanks", "\r\n\r\n", "AR", "100", "record-not-hl7", ""},
		{"bytes of no charset", strings.Replace(good, "甲", "\xff\xff\xfe", 1), "AR", "102", "record-charset", "C1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(g.every(t))
			d := from("east", file("m.hl7", tt.text))
			d.Source = "adt"
			a, err := g.Accept(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			ack := segments(t, a.Ack)
			if ack["MSA"][1] != tt.code || ack["MSA"][2] != tt.control {
				t.Errorf("answered %v, want %s for %q", ack["MSA"], tt.code, tt.control)
			}
			if (ack["ERR"] != nil) != (tt.code != "AA") {
				t.Errorf("ERR %v with %s", ack["ERR"], tt.code)
			}
			if ack["ERR"] != nil && !strings.Contains(strings.Join(ack["ERR"], "|"), tt.errors) {
				t.Errorf("ERR %v, want code %s", ack["ERR"], tt.errors)
			}
			list := g.every(t)[before:]
			if len(list) != 1 || list[0].ID != a.Receipt.ID || list[0].Answer != tt.code {
				t.Fatalf("%d records more in the inbox", len(list))
			}
			want := "received"
			if tt.why != "" {
				want = "quarantined:" + tt.why
			}
			if got := states(list); got != want {
				t.Errorf("the record is %s, want %s", got, want)
			}
			kept, err := g.store.Content(t.Context(), list[0].Digest, list[0].Offset, list[0].Length)
			if err != nil || string(kept) != tt.text {
				t.Errorf("%d of %d bytes are kept, %v", len(kept), len(tt.text), err)
			}
		})
	}
}

func TestLimitsOfADelivery(t *testing.T) {
	g := running(t, small())
	long := func(n int) string {
		m := adt("A04", "C9", 1, "1001", "甲") + "NTE|1||"
		return m + strings.Repeat("x", n-len(m))
	}
	t.Run("a message of a byte more than 16 MB is refused and kept", func(t *testing.T) {
		a, err := g.Accept(t.Context(), from("east", file("m.hl7", long(ingest.DefaultMaxRecord+1))))
		if err != nil {
			t.Fatal(err)
		}
		if ack := segments(t, a.Ack); ack["MSA"][1] != "AR" || !strings.Contains(string(a.Ack), "104") {
			t.Errorf("answered %q", a.Ack)
		}
		if got := states([]store.Record{a.Receipt.Record}); got != "quarantined:record-too-large" {
			t.Errorf("the record is %s", got)
		}
	})
	t.Run("an oversized message in a batch does not hold up the others", func(t *testing.T) {
		o := small()
		o.ingest.Limits.Record = 2000
		g := running(t, o)
		text := adt("A04", "1", 1, "1", "甲") + long(5000) + "\r" + adt("A04", "2", 1, "2", "乙")
		if got := states(g.take(t, from("east", file("m.hl7", text)))); got != "committed quarantined:record-too-large committed" {
			t.Errorf("got %s", got)
		}
	})
	for _, tt := range []struct {
		name string
		d    ingest.Delivery
		kind fault.Kind
	}{
		{"an institution that is no member", from("nobody", file("a.csv", "A\n1\n")), fault.NotFound},
		{"no bytes", from("east", file("a.csv", "")), fault.Invalid},
		{"no files", from("east"), fault.Invalid},
		{"files without names", from("east", file("", "A\n1\n"), file("", "B\n1\n")), fault.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := g.Accept(t.Context(), tt.d); !fault.Is(err, tt.kind) {
				t.Errorf("got %v, want %v", err, tt.kind)
			}
		})
	}
	t.Run("a delivery over its limit is not taken", func(t *testing.T) {
		o := small()
		o.ingest.Limits.Delivery = 100
		g := newGateway(t, o)
		if _, err := g.Accept(t.Context(), from("east", file("HZ.csv", strings.Repeat("x", 60)), file("BG.csv", strings.Repeat("x", 41)))); !fault.Is(err, fault.TooCostly) {
			t.Errorf("got %v", err)
		}
		if len(g.every(t)) != 0 {
			t.Error("it is kept all the same")
		}
	})
}

func TestARetransmissionGetsTheFirstAnswerAndMakesNothingNew(t *testing.T) {
	for _, tt := range []struct{ name, text, code string }{
		{"accepted", adt("A04", "C1", 1, "1001", "甲"), hl7v2.Accepted},
		{"refused", strings.Replace(adt("A04", "C1", 1, "1001", "甲"), "|2.4|", "|9.9|", 1), hl7v2.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := running(t, small())
			g.take(t, from("east", file("", tt.text)))
			before := len(g.all(t, "Provenance"))
			again, err := g.Accept(t.Context(), from("east", file("", tt.text)))
			if err != nil {
				t.Fatal(err)
			}
			if !again.Receipt.Duplicate || segments(t, again.Ack)["MSA"][1] != tt.code {
				t.Errorf("duplicate %t, answered %q", again.Receipt.Duplicate, again.Ack)
			}
			if err := g.settle(); err != nil {
				t.Fatal(err)
			}
			if len(g.every(t)) != 1 || len(g.all(t, "Provenance")) != before {
				t.Errorf("%d records, %d of them applied", len(g.every(t)), len(g.all(t, "Provenance")))
			}
		})
	}
	t.Run("the same bytes from another institution are a record of its own", func(t *testing.T) {
		g := running(t, small())
		text := adt("A04", "C1", 1, "1001", "甲")
		g.take(t, from("east", file("", text)))
		g.take(t, from("west", file("", text)))
		if got := states(g.every(t)); got != "committed committed" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("other bytes under the same control id are a new record and a warning", func(t *testing.T) {
		g := running(t, small())
		g.take(t, from("east", file("", adt("A04", "C1", 1, "1001", "甲"))))
		a, err := g.Accept(t.Context(), from("east", file("", adt("A08", "C1", 2, "1001", "乙"))))
		if err != nil {
			t.Fatal(err)
		}
		if a.Receipt.Duplicate || !a.Receipt.ControlUsed {
			t.Errorf("duplicate %t, control used %t", a.Receipt.Duplicate, a.Receipt.ControlUsed)
		}
		if err := g.settle(); err != nil {
			t.Fatal(err)
		}
		if got := states(g.every(t)); got != "committed committed" {
			t.Errorf("got %s", got)
		}
	})
}

// hostile is what a sender might make of a record, on purpose or not.
var hostile = []string{
	adt("A04", "C1", 1, "1001", "甲"), adt("A40", "C1", 1, "1", "甲") + "MRG|2\r",
	"\x0b" + adt("A04", "C1", 1, "1001", "甲"), "FHS|^~\\&\rBHS|^~\\&\rBTS|3\r", "MSH|", "MSH|^~\\&|||||||ADT^A01|1|P|2.4\rPID|||~~~~~",
	"ID,XM\n1,甲\n", "ID,XM\n\"1", `{"no":"1","state":"1"}`, `[{"no":"1"},{"no":`, strings.Repeat("[", 5000), "\x00\x00", "\xff\xfeM\x00",
	"=cmd|'/C calc'!A0", "MSHMSHMSH", "MSH|||||", "\x0b\x1c\r\x0b\x1c\r", "{}", "null", "\xEF\xBB\xBF",
}

var hostileNames = []string{"", "HZ.csv", "a.json", "a.hl7", "../../a\x00"}

func TestHostileBytesAreKeptAndEndSomewhere(t *testing.T) {
	g := running(t, small())
	for _, text := range hostile {
		for _, name := range hostileNames {
			for _, r := range g.take(t, from("east", file(name, text))) {
				if r.State == store.Quarantined && (r.Reason == "" || strings.Contains(r.Reason, "record-failed")) {
					t.Errorf("%q as %q was put aside for %q", text, name, r.Reason)
				}
				if kept, err := g.store.Content(t.Context(), r.Digest, 0, 0); err != nil || string(kept) != text {
					t.Errorf("%q as %q is not kept: %v", text, name, err)
				}
			}
		}
	}
}

// taker is an inbox that only takes, so that a fuzzer sees nothing but Accept.
type taker struct {
	store.Inbox
	last store.Entry
}

func (x *taker) Accept(_ context.Context, list []store.Entry) ([]store.Receipt, error) {
	x.last = list[0]
	return []store.Receipt{{Record: list[0].Record}}, nil
}

func FuzzAccept(f *testing.F) {
	for _, text := range hostile {
		for _, name := range hostileNames {
			f.Add(name, []byte(text))
		}
	}
	inst, err := mapping.Load(member("east", nil), mapping.Options{Base: base.FS, Alliance: alliance, Lazy: true})
	if err != nil {
		f.Fatal(err)
	}
	inbox := &taker{}
	in := ingest.New(ingest.Config{Inbox: inbox})
	in.SetMembers([]ingest.Member{{Institution: inst, Salt: []byte("salt")}})
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		a, err := in.Accept(t.Context(), from("east", ingest.File{Name: name, Bytes: text}))
		if err != nil {
			if len(text) > 0 {
				t.Fatalf("not taken: %v", err)
			}
			return
		}
		e := inbox.last
		if !bytes.Equal(e.Bytes, text) {
			t.Fatalf("%d of %d bytes are kept", len(e.Bytes), len(text))
		}
		if (e.State == store.Quarantined) != (e.Reason != "") {
			t.Fatalf("%s for %q", e.State, e.Reason)
		}
		if e.Format == store.Delivery {
			return
		}
		// The answer is in the sender's delimiters and encoding.
		if ack := bytes.ReplaceAll(a.Ack, []byte{0}, nil); !bytes.HasPrefix(bytes.TrimLeft(ack, "\xff\xfe"), []byte("MSH")) || !bytes.Contains(ack, []byte("\rMSA")) {
			t.Fatalf("%s, answered %q", e.State, a.Ack)
		}
	})
}
