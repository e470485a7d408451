package hl7v2

import (
	"bytes"
	"strings"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Header is what a receiver must know of a message before it is read: enough to
// acknowledge it and to tell retransmissions.
type Header struct {
	Delimiters           Delimiters
	SendingApplication   string // MSH-3, as it stands with its components
	SendingFacility      string
	ReceivingApplication string
	ReceivingFacility    string
	Time                 string // MSH-7
	Code, Event          string // "ORU", "R01"
	Structure            string // MSH-9.3
	Control              string // MSH-10
	Processing           string // MSH-11.1: P, T, D
	Version              string // MSH-12.1
	Accept               string // MSH-15: AL, NE, ER, SU; a value here or in MSH-16 means enhanced mode
	Application          string // MSH-16
	Declared             []string
	Charset              string // what the header was decoded from; the answer is written in it
}

// Type returns "ORU^R01", or the message code alone.
func (h Header) Type() string {
	if h.Event == "" {
		return h.Code
	}
	return h.Code + "^" + h.Event
}

// Enhanced reports whether the sender asks for enhanced acknowledgement mode.
func (h Header) Enhanced() bool { return h.Accept != "" || h.Application != "" }

// Peek reads the header of a frame without reading the rest. The error is a
// *record.SyntaxError; the header is then filled as far as it could be read, so
// that even a refusal can be addressed.
func Peek(frame []byte, o Options) (Header, error) {
	h := Header{Delimiters: Standard, Charset: charset.ASCII}
	lim := o.Limits.orDefault()
	if len(frame) > lim.MaxBytes {
		frame = frame[:min(len(frame), 64<<10)]
	}
	body, lines, err := unwrap(frame)
	if err != nil && len(body) == 0 {
		body = bytes.TrimLeft(frame, "\x0b\r\n \t") // a cut block still says who sent it
	}
	broken := err
	head := body
	if d, derr := charset.Decide(head, charset.Options{}); derr == nil && (d.Charset == charset.UTF16LE || d.Charset == charset.UTF16BE) {
		text, err := d.Decode(head)
		if err != nil {
			return h, err
		}
		h.Charset, head = d.Charset, []byte(text)
	}
	if i := bytes.IndexAny(head, "\r\n"); i >= 0 {
		head = head[:i]
	}
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	if !bytes.HasPrefix(head, []byte("MSH")) {
		if broken != nil {
			return h, broken
		}
		return h, &record.SyntaxError{File: o.File, Line: 1 + lines, Column: 1, Code: "not-hl7", Reason: "expected MSH"}
	}
	fields, d := headerFields(head, o.Charset)
	if _, reason := readDelimiters(string(head)); reason != "" {
		return h, &record.SyntaxError{File: o.File, Line: 1 + lines, Column: 4, Path: "MSH[1]-2", Code: "delimiters", Reason: reason}
	}
	h.Delimiters = d
	h.Declared = declared(fields, d)
	if h.Charset == charset.ASCII {
		if t, err := charset.Decide(body, charset.Options{Declared: h.Declared, Setting: o.Charset}); err == nil {
			h.Charset = t.Charset
		}
		if t, err := charset.Decode(head, charset.Options{Declared: []string{h.Charset}}); err == nil {
			fields = strings.Split(t.Text, string(d.Field))
		}
	}
	field := func(n int) string { // MSH-n stands at n-1
		if n-1 < len(fields) {
			return fields[n-1]
		}
		return ""
	}
	component := func(n, c int) string {
		first := field(n)
		if d.Repetition != 0 {
			first, _, _ = strings.Cut(first, string(d.Repetition))
		}
		parts := strings.Split(first, string(d.Component))
		if c > len(parts) {
			return ""
		}
		text := parts[c-1]
		if d.Subcomponent != 0 {
			text, _, _ = strings.Cut(text, string(d.Subcomponent))
		}
		out, _, _ := Unescape(text, d, h.Charset)
		return strings.TrimSpace(out)
	}
	h.SendingApplication, h.SendingFacility = field(3), field(4)
	h.ReceivingApplication, h.ReceivingFacility = field(5), field(6)
	h.Time = component(7, 1)
	h.Code, h.Event, h.Structure = component(9, 1), component(9, 2), component(9, 3)
	if h.Event == "" && h.Code != "ACK" && strings.Contains(h.Structure, "_") {
		h.Code, h.Event, _ = strings.Cut(h.Structure, "_")
	}
	h.Control, h.Processing, h.Version = component(10, 1), component(11, 1), component(12, 1)
	h.Accept, h.Application = component(15, 1), component(16, 1)
	if broken == nil && h.Code == "" {
		broken = &record.SyntaxError{File: o.File, Line: 1 + lines, Column: 1, Path: "MSH[1]-9", Code: "message-type", Reason: "the message does not say its type"}
	}
	return h, broken
}
