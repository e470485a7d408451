package hl7v2

import (
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/mapping/charset"
)

// The acknowledgement codes of MSA-1: of the application in original mode and of
// a processed message, and of the commit to safe storage in enhanced mode.
const (
	Accepted     = "AA"
	Failed       = "AE" // send it again
	Refused      = "AR" // it will never be accepted
	CommitAccept = "CA"
	CommitError  = "CE"
	CommitReject = "CR"
)

// Reply is what an acknowledgement says.
type Reply struct {
	Code    string // Accepted, …
	Text    string // MSA-3; no patient data
	Errors  []ReplyError
	Time    time.Time // MSH-7
	Control string    // MSH-10 of the acknowledgement itself
}

// ReplyError is one ERR segment.
type ReplyError struct {
	Origin   string // place in the message as record.Origin.Path has it, "OBX[3]-5[1].2"
	Code     string // HL7 table 0357: "101" required field missing, "102" data type, "103" table value, "207" application error, …
	Severity string // "E", "W" or "I"
	Text     string // no patient data
}

// errorTexts are the texts of the codes of HL7 table 0357 that we use.
var errorTexts = map[string]string{
	"0":   "Message accepted",
	"100": "Segment sequence error",
	"101": "Required field missing",
	"102": "Data type error",
	"103": "Table value not found",
	"104": "Value too long",
	"200": "Unsupported message type",
	"201": "Unsupported event code",
	"202": "Unsupported processing id",
	"203": "Unsupported version id",
	"204": "Unknown key identifier",
	"205": "Duplicate key identifier",
	"206": "Application record locked",
	"207": "Application error",
}

// Ack writes the acknowledgement of the message with header h, in the delimiters,
// version and character set of the message. The same arguments give the same
// bytes. Its segments end with CR; the transport puts its block around it.
func Ack(h Header, r Reply) []byte {
	d := h.Delimiters
	if d.Field == 0 || d.Component == 0 {
		d = Standard
	}
	version := h.Version
	if version == "" {
		version = "2.5.1"
	}
	kind := []string{"ACK"}
	if h.Event != "" {
		kind = append(kind, h.Event)
		if atLeast(version, 4) {
			kind = append(kind, "ACK")
		}
	}
	processing := h.Processing
	if processing == "" {
		processing = "P"
	}
	w := replyWriter{d: d}
	msh := []string{
		"MSH" + string(d.Field) + d.MSH2(), h.ReceivingApplication, h.ReceivingFacility, h.SendingApplication, h.SendingFacility,
		r.Time.Format("20060102150405-0700"), "", strings.Join(kind, string(d.Component)), w.text(r.Control), w.text(processing), w.text(version),
	}
	if len(h.Declared) > 0 {
		msh = append(msh, "", "", "", "", "", strings.Join(h.Declared, string(d.Repetition)))
	}
	w.segment(msh...)
	msa := []string{"MSA", r.Code, w.text(h.Control)}
	if r.Text != "" {
		msa = append(msa, w.text(r.Text))
	}
	w.segment(msa...)
	for _, e := range r.Errors {
		w.error(e, version)
	}
	return charset.Encode(w.b.String(), h.Charset)
}

// atLeast reports whether version is 2.minor or later.
func atLeast(version string, minor int) bool {
	part := strings.Split(version, ".")
	if len(part) < 2 {
		return false
	}
	n, err := strconv.Atoi(part[1])
	return err == nil && (part[0] != "2" || n >= minor)
}

type replyWriter struct {
	d Delimiters
	b strings.Builder
}

func (w *replyWriter) text(s string) string { return Escape(s, w.d) }

func (w *replyWriter) segment(fields ...string) {
	w.b.WriteString(strings.TrimRight(strings.Join(fields, string(w.d.Field)), string(w.d.Field)))
	w.b.WriteByte('\r')
}

// error writes an ERR segment: ERR-1 alone up to version 2.4, ERR-2 to ERR-8 later.
func (w *replyWriter) error(e ReplyError, version string) {
	c := string(w.d.Component)
	place := location(e.Origin)
	code := e.Code
	if code == "" {
		code = "207"
	}
	text := errorTexts[code]
	if text == "" {
		text = errorTexts["207"]
	}
	if !atLeast(version, 5) {
		sub := string(w.d.Subcomponent)
		if w.d.Subcomponent == 0 {
			sub = " "
		}
		eld := append(place[:min(3, len(place))], "", "", "")[:3]
		w.segment("ERR", strings.Join(append(eld, code+sub+w.text(text)+sub+"HL70357"), c))
		return
	}
	severity := e.Severity
	if severity == "" {
		severity = "E"
	}
	w.segment("ERR", "", strings.Join(place, c), strings.Join([]string{code, w.text(text), "HL70357"}, c), severity, "", "", "", w.text(e.Text))
}

// location turns "OBX[3]-5[2].1.4" into the components of an ERL: segment,
// sequence, field, repetition, component, sub-component. "" has none.
func location(origin string) []string {
	if len(origin) < 3 || !isSegmentID(origin[:3]) {
		return nil
	}
	out := []string{origin[:3]}
	rest := origin[3:]
	number := func(open string, end string) (string, bool) {
		if !strings.HasPrefix(rest, open) {
			return "", false
		}
		digits := rest[len(open):]
		n := 0
		for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
			n++
		}
		if n == 0 || !strings.HasPrefix(digits[n:], end) {
			return "", false
		}
		rest = digits[n+len(end):]
		return digits[:n], true
	}
	sequence, ok := number("[", "]")
	if !ok {
		sequence = "1"
	}
	out = append(out, sequence)
	field, ok := number("-", "")
	if !ok {
		return out
	}
	out = append(out, field)
	repetition, repeated := number("[", "]")
	component, deep := number(".", "")
	if !repeated && !deep {
		return out
	}
	if !repeated {
		repetition = "1"
	}
	if out = append(out, repetition); !deep {
		return out
	}
	out = append(out, component)
	if sub, ok := number(".", ""); ok {
		out = append(out, sub)
	}
	return out
}
