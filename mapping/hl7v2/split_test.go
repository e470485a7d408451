package hl7v2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/record"
)

// frames splits in and writes each frame or error as one word.
func frames(r io.Reader, o hl7v2.Options) []string {
	var out []string
	for f, err := range hl7v2.Split(r, o) {
		var at *record.SyntaxError
		switch {
		case errors.As(err, &at):
			out = append(out, fmt.Sprintf("%s@%d", at.Code, at.Line))
		case err != nil:
			out = append(out, "error")
		default:
			rec, err := hl7v2.Parse(f.Bytes, hl7v2.Options{Line: f.Line})
			if err != nil {
				out = append(out, "unreadable")
				continue
			}
			out = append(out, fmt.Sprintf("%s@%d", rec.Control, f.Line))
		}
	}
	return out
}

func message(control string) string {
	return "MSH|^~\\&|HIS|玘珅|C|D|2024||ADT^A08|" + control + "|P|2.4||||||GB18030\rPID|1||x||玘^珅\rPV1|1\r"
}

func TestSplit(t *testing.T) {
	small := hl7v2.Options{Limits: hl7v2.Limits{MaxBytes: 300}}
	for _, tt := range []struct {
		name, in, want string
		o              hl7v2.Options
	}{
		{"one message", message("1"), "1@1", hl7v2.Options{}},
		{"several", message("1") + message("2") + message("3"), "1@1 2@4 3@7", hl7v2.Options{}},
		{"several with LF and blank lines", strings.ReplaceAll(message("1")+"\r\r"+message("2"), "\r", "\n"), "1@1 2@6", hl7v2.Options{}},
		{"several with CR LF", strings.ReplaceAll(message("1")+message("2"), "\r", "\r\n"), "1@1 2@4", hl7v2.Options{}},
		{"blocks", "\x0b" + message("1") + "\x1c\r\x0b" + message("2") + "\x1c\r", "1@1 2@5", hl7v2.Options{}},
		{"blocks with LF after", "\x0b" + message("1") + "\x1c\r\n\x0b" + message("2") + "\x1c\r\n", "1@1 2@5", hl7v2.Options{}},
		{"byte order mark", "\xEF\xBB\xBF" + message("1"), "1@1", hl7v2.Options{}},
		{"batch", "FHS|^~\\&\rBHS|^~\\&\r" + message("1") + message("2") + "BTS|2\rFTS|1\r", "1@3 2@6", hl7v2.Options{}},
		{"batch that lost a message", "BHS|^~\\&\r" + message("1") + "BTS|2\r", "1@2 truncated@5", hl7v2.Options{}},
		{"batch without end", "BHS|^~\\&\r" + message("1"), "1@2 truncated@5", hl7v2.Options{}},
		{"two batches", "BHS|^~\\&\r" + message("1") + "BTS|1\rBHS|^~\\&\r" + message("2") + "BTS|1\r", "1@2 2@7", hl7v2.Options{}},
		{"text between", "hello\r" + message("1") + "\x1ctrash\rmore\r" + message("2"), "not-hl7@1 1@2 not-hl7@5 2@7", hl7v2.Options{}},
		{"nothing", "", "", hl7v2.Options{}},
		{"no message", "PID|1\rPV1|1\r", "not-hl7@1", hl7v2.Options{}},
		{"too large, the rest goes on", message("1") + "MSH|^~\\&|" + strings.Repeat("x", 400) + "\rPID|1\r" + message("2"), "1@1 too-large@4 2@6", small},
		{"block without end", "\x0b" + message("1") + "\x0b" + message("2") + "\x1c\r", "truncated@1 2@4", hl7v2.Options{}},
		{"MSH inside a text", message("1") + "NTE|1||see MSH|^~\\&|\r" + message("2"), "1@1 2@5", hl7v2.Options{}},
		{"UTF-16", "\xff\xfeM\x00S\x00H\x00", "charset@1", hl7v2.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := gb(t, strings.TrimPrefix(tt.in, "\xEF\xBB\xBF"))
			if strings.HasPrefix(tt.in, "\xEF\xBB\xBF") {
				in = append([]byte("\xEF\xBB\xBF"), in...)
			}
			if strings.HasPrefix(tt.in, "\xff\xfe") {
				in = []byte(tt.in)
			}
			for name, r := range map[string]io.Reader{"whole": bytes.NewReader(in), "byte by byte": iotest.OneByteReader(bytes.NewReader(in)), "end with data": iotest.DataErrReader(bytes.NewReader(in))} {
				if got := strings.Join(frames(r, tt.o), " "); got != tt.want {
					t.Errorf("%s: got %q, want %q", name, got, tt.want)
				}
			}
		})
	}
}

func TestFrameRangesCoverTheMessages(t *testing.T) {
	in := gb(t, "BHS|^~\\&\r"+message("1")+"\r\n\x0b"+message("2")+"\x1c\r"+message("3"))
	n := 0
	for f, err := range hl7v2.Split(bytes.NewReader(in), hl7v2.Options{}) {
		if err != nil {
			continue
		}
		n++
		if !bytes.Equal(bytes.TrimRight(in[f.Start:f.End], "\r\n"), bytes.TrimRight(f.Bytes, "\r\n")) {
			t.Errorf("frame %d is not bytes %d to %d", n, f.Start, f.End)
		}
		if !bytes.HasPrefix(in[f.Start:], []byte("MSH")) {
			t.Errorf("frame %d does not begin with its message", n)
		}
	}
	if n != 3 {
		t.Errorf("%d frames, want 3", n)
	}
}

func TestSplitEndsWithTheReadersError(t *testing.T) {
	r := io.MultiReader(strings.NewReader(message("1")), iotest.ErrReader(errors.New("gone")))
	got := frames(r, hl7v2.Options{})
	if len(got) == 0 || got[len(got)-1] != "error" {
		t.Errorf("got %v, want the error last", got)
	}
}

func TestSplitStopsWhenAsked(t *testing.T) {
	for range hl7v2.Split(strings.NewReader(message("1")+message("2")), hl7v2.Options{}) {
		break
	}
}

// repeated is a file of n messages that is never in memory as a whole.
type repeated struct {
	message string
	n, at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.message[r.at:])
	if r.at += n; r.at == len(r.message) {
		r.n, r.at = r.n-1, 0
	}
	return n, nil
}

func TestALongFileIsNotHeldInMemory(t *testing.T) {
	const n = 300_000 // 25 MB
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got := 0
	for _, err := range hl7v2.Split(&repeated{message: message("1"), n: n}, hl7v2.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got++; got%100_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > before.HeapAlloc+2<<20 {
				t.Errorf("%d KB more are in use after %d messages", (now.HeapAlloc-before.HeapAlloc)>>10, got)
			}
		}
	}
	if got != n {
		t.Errorf("%d messages, want %d", got, n)
	}
}
