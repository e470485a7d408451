package hl7v2

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Defaults of Limits.
const (
	DefaultMaxBytes       = 16 << 20
	DefaultMaxSegments    = 100_000
	DefaultMaxRepetitions = 5_000
	DefaultMaxNodes       = 1_000_000
)

// Limits bound what a message may hold. A zero field means its default.
type Limits struct {
	MaxBytes       int // of one message
	MaxSegments    int
	MaxRepetitions int // of one field
	MaxNodes       int // fields, repetitions, components and sub-components; each costs about 130 bytes
}

func (l Limits) orDefault() Limits {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&l.MaxBytes, DefaultMaxBytes)
	or(&l.MaxSegments, DefaultMaxSegments)
	or(&l.MaxRepetitions, DefaultMaxRepetitions)
	or(&l.MaxNodes, DefaultMaxNodes)
	return l
}

// Options say how to read a message.
type Options struct {
	Charset string // the institution's setting; MSH-18 goes before it
	File    string // name of the file the message came in, for places
	Line    int    // of the file on which the message begins, from 1; 0 as 1
	Limits  Limits
}

// Message ids of the warnings.
const (
	LineBreakInField = "line-break-in-field"
	EscapeUnknown    = "escape-unknown"
	EscapeCharset    = "escape-charset"
	StructureUnknown = "structure-unknown"
)

// maxIssues bounds the warnings about one message.
const maxIssues = 100

// Parse reads one message. frame may have the bytes of MLLP around it, a byte
// order mark before it and blank lines at both ends. The tree's root is the
// message, its children are segments and segment groups; fields are the
// positions of a segment, MSH-1 and MSH-2 included. A value of blanks is empty.
//
// Errors are *record.SyntaxError with the codes "too-large", "not-hl7",
// "truncated", "charset", "nul", "delimiters", "message-type", "version",
// "several-messages", "too-many-segments", "too-many-repetitions" and
// "too-many-values".
func Parse(frame []byte, o Options) (*record.Record, error) {
	rec, err := parse(frame, o)
	if err != nil {
		var at *record.SyntaxError
		if errors.As(err, &at) {
			at.File = o.File
			if at.Line > 0 && o.Line > 0 {
				at.Line += o.Line - 1
			}
		}
		return nil, err
	}
	return rec, nil
}

func parse(frame []byte, o Options) (*record.Record, error) {
	lim := o.Limits.orDefault()
	if len(frame) > lim.MaxBytes {
		return nil, &record.SyntaxError{Line: 1, Column: 1, Code: "too-large", Reason: fmt.Sprintf("the message has %d bytes, more than %d", len(frame), lim.MaxBytes)}
	}
	body, lines, err := unwrap(frame)
	if err != nil {
		return nil, err
	}
	decoded, err := decode(body, o.Charset)
	if err != nil {
		var at *record.SyntaxError
		if errors.As(err, &at) && at.Line > 0 {
			at.Line += lines
		}
		return nil, err
	}
	p := parser{lim: lim, charset: decoded.Charset, line: lines, first: max(o.Line, 1) - 1, issues: decoded.Issues}
	rec, err := p.message(decoded.Text, o.File)
	if err != nil {
		return nil, err
	}
	rec.Raw = body
	return rec, nil
}

// unwrap takes off what stands around a message: MLLP's bytes, blank lines, the
// end-of-file mark of old systems. lines counts the line ends before it. One line
// end stays behind the last segment: it tells a whole segment from a cut one.
func unwrap(frame []byte) (body []byte, lines int, err error) {
	start := 0
	block := false
	for ; start < len(frame); start++ {
		c := frame[start]
		if c == '\n' || c == '\r' && !(start+1 < len(frame) && frame[start+1] == '\n') {
			lines++
		}
		if c == 0x0B {
			block = true
		} else if c != '\r' && c != '\n' && c != ' ' && c != '\t' {
			break
		}
	}
	body = frame[start:]
	if len(body) > 2 && (body[0] == 0xFF || body[0] == 0xFE || body[1] == 0) {
		return body, lines, nil // UTF-16: its line ends are not single bytes
	}
	if block {
		end := bytes.LastIndexByte(body, 0x1C)
		if end < 0 {
			return nil, 0, &record.SyntaxError{Line: 1 + lines, Column: 1, Offset: int64(len(frame)), Code: "truncated", Reason: "the block begun with 0x0B does not end with 0x1C"}
		}
		body = body[:end]
	}
	whole := bytes.TrimRight(body, "\r\n\x1a\x1c")
	if len(whole) == 0 {
		return nil, 0, &record.SyntaxError{Line: 1, Column: 1, Code: "not-hl7", Reason: "there is no message, expected MSH"}
	}
	if rest := body[len(whole):]; len(rest) > 0 && (rest[0] == '\r' || rest[0] == '\n') {
		return body[:len(whole)+1], lines, nil
	}
	return whole, lines, nil
}

// decode decides by MSH-18, setting and bytes what the bytes are, and decodes them.
func decode(body []byte, setting string) (charset.Text, error) {
	head := body
	if i := bytes.IndexAny(body, "\r\n"); i >= 0 {
		head = body[:i]
	}
	o := charset.Options{Setting: setting}
	if bytes.HasPrefix(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), []byte("MSH")) {
		o.Declared = declared(headerFields(head, setting))
	}
	return charset.Decode(body, o)
}

// headerFields splits an MSH segment before the message's character set is known.
// It is decoded by itself, for delimiters are trail bytes of GBK.
func headerFields(head []byte, setting string) (fields []string, d Delimiters) {
	text := string(head)
	if t, err := charset.Decode(head, charset.Options{Setting: setting}); err == nil {
		text = t.Text
	}
	text = strings.TrimPrefix(text, "\uFEFF")
	d, _ = readDelimiters(text)
	if d.Field == 0 {
		return nil, d
	}
	return strings.Split(text, string(d.Field)), d
}

// declared returns the repetitions of MSH-18; fields[0] is "MSH", so that MSH-n
// is fields[n-1].
func declared(fields []string, d Delimiters) []string {
	if len(fields) < 18 || fields[17] == "" {
		return nil
	}
	if d.Repetition == 0 {
		return []string{fields[17]}
	}
	return strings.Split(fields[17], string(d.Repetition))
}

type parser struct {
	lim      Limits
	b        record.Builder
	d        Delimiters
	text     string
	line     int // line ends before what is being read
	first    int // lines of the file before the message
	charset  string
	issues   []fhir.Issue
	segments []*record.Node
	counts   map[string]int
	number   int // of the field being read
}

func (p *parser) message(text, file string) (*record.Record, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	p.text = text
	if !strings.HasPrefix(text, "MSH") {
		reason := "expected MSH"
		if len(text) >= 3 && (text[:3] == "FHS" || text[:3] == "BHS") {
			reason = "a batch, expected one message that begins with MSH"
		}
		return nil, p.fail(1, "not-hl7", "", reason)
	}
	if len(text) < 9 {
		return nil, p.fail(1, "truncated", "MSH", "the message ends in its first segment")
	}
	d, reason := readDelimiters(text)
	if reason != "" {
		return nil, p.fail(4, "delimiters", "MSH[1]-2", reason)
	}
	p.d = d
	p.counts = make(map[string]int, 16)
	p.b.Grow(min(len(text)/4+16, 4096))
	if err := p.readSegments(); err != nil {
		return nil, err
	}

	msh := p.segments[0]
	if len(msh.Kids()) < 9 {
		if len(p.segments) == 1 && !endsLine(text) {
			return nil, p.fail(1, "truncated", "MSH[1]", "the message ends in its first segment")
		}
		return nil, p.noType(msh)
	}
	kind := p.messageType(msh)
	if kind == "" {
		return nil, p.noType(msh)
	}
	version := strings.TrimSpace(msh.At(12).Text())
	if v := strings.TrimLeft(version, "vV"); v != "" && v[0] != '2' {
		return nil, &record.SyntaxError{Line: msh.Origin().Line - p.first, Column: 1, Code: "version", Path: "MSH[1]-12", Reason: "the message is of a version that is not HL7 v2"}
	}
	s, ok := StructureOf(kind+"^"+msh.At(9).At(3).Text(), "")
	if !ok {
		s = structures().unknown
		p.warn(fhir.Information, fhir.TypeNotSupported, StructureUnknown, msh.At(9), "no structure is known for this message type; its segments are grouped by orders and observations")
	}
	return &record.Record{
		Format:  record.HL7v2,
		Type:    kind,
		Version: version,
		Control: strings.TrimSpace(msh.At(10).Text()),
		Charset: p.charset,
		File:    file,
		Root:    group(&p.b, s, p.segments),
		Issues:  p.issues,
	}, nil
}

func (p *parser) noType(msh *record.Node) error {
	return &record.SyntaxError{Line: msh.Origin().Line - p.first, Column: 1, Code: "message-type", Path: "MSH[1]-9", Reason: "the message does not say its type"}
}

// messageType returns "ORU^R01". Old senders put the trigger into EVN-1 only,
// some name only the structure.
func (p *parser) messageType(msh *record.Node) string {
	code, event := strings.TrimSpace(msh.At(9).At(1).Text()), strings.TrimSpace(msh.At(9).At(2).Text())
	if structure := strings.TrimSpace(msh.At(9).At(3).Text()); event == "" && code != "ACK" && strings.Contains(structure, "_") {
		code, event, _ = strings.Cut(structure, "_")
	}
	if event == "" && code != "" && code != "ACK" {
		for _, n := range p.segments {
			if n.Name() == "EVN" {
				event = strings.TrimSpace(n.At(1).Text())
				break
			}
		}
	}
	if event == "" || code == "" {
		return code
	}
	return code + "^" + event
}

func endsLine(text string) bool {
	return strings.HasSuffix(text, "\r") || strings.HasSuffix(text, "\n")
}

// readSegments splits the text at line ends. A line that does not begin as a
// segment is the rest of a field whose text was sent with its line breaks.
func (p *parser) readSegments() error {
	text := p.text
	var open string // the segment not yet built, and its line
	openLine := 0
	build := func() error {
		if open == "" {
			return nil
		}
		return p.segment(open, openLine)
	}
	for len(text) > 0 {
		end := strings.IndexAny(text, "\r\n")
		line, rest, last := text, "", end < 0
		if !last {
			line, rest = text[:end], text[end+1:]
			if text[end] == '\r' && rest != "" && rest[0] == '\n' {
				rest = rest[1:]
			}
		}
		p.line++
		switch {
		case strings.TrimLeft(line, " \t") == "" && open != "":
		case p.startsSegment(line):
			if err := build(); err != nil {
				return err
			}
			if open != "" && line[:3] == "MSH" {
				return p.fail(1, "several-messages", "MSH[2]", "a second message begins inside this one")
			}
			if last && len(line) == 3 {
				return p.fail(1, "truncated", line, "the message ends in the middle of a segment")
			}
			open, openLine = line, p.line
		case last && len(line) < 3 && isCutID(line):
			return p.fail(1, "truncated", "", "the message ends in the middle of a segment")
		case p.startsSegment(strings.TrimLeft(line, " \t")):
			text = strings.TrimLeft(text, " \t") // an indented segment
			p.line--
			continue
		default:
			if p.segments == nil && strings.HasPrefix(open, "MSH") {
				return p.fail(1, "segment", "", "a line that does not begin with a segment's name")
			}
			open += "\n" + line
			p.warnAt(open, openLine)
		}
		text = rest
	}
	return build()
}

// isCutID reports whether line may be the beginning of a segment's name.
func isCutID(line string) bool {
	for i := range len(line) {
		if c := line[i]; (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(line) > 0
}

func isSegmentID(s string) bool {
	return len(s) == 3 && isCutID(s)
}

// startsSegment reports whether the line is a segment: a name and the field
// separator, or the name of a segment we know alone.
func (p *parser) startsSegment(line string) bool {
	if len(line) < 3 || !isCutID(line[:3]) {
		return false
	}
	if len(line) == 3 {
		_, known := SegmentOf(line)
		return known || line[0] == 'Z'
	}
	return line[3] == p.d.Field
}

func (p *parser) warnAt(open string, line int) {
	if len(p.issues) > 0 {
		last := &p.issues[len(p.issues)-1]
		if last.ID == LineBreakInField && last.Line == line+p.first {
			return
		}
	}
	if len(p.issues) < maxIssues {
		p.issues = append(p.issues, fhir.Issue{
			Severity: fhir.Warning, Code: fhir.TypeStructure, ID: LineBreakInField,
			Origin: fmt.Sprintf("%s[%d]", open[:3], p.counts[open[:3]]+1), Line: line + p.first, Column: 1,
			Text: "a line break inside a field; it should be escaped",
		})
	}
}

func (p *parser) warn(severity fhir.Severity, code fhir.IssueType, id string, at *record.Node, text string) {
	if len(p.issues) >= maxIssues {
		return
	}
	o := at.Origin()
	p.issues = append(p.issues, fhir.Issue{
		Severity: severity, Code: code, ID: id, Origin: o.Path, Line: o.Line, Column: o.Column, Text: text,
	})
}

func (p *parser) fail(column int, code, path, reason string) error {
	return &record.SyntaxError{Line: max(p.line, 1), Column: column, Code: code, Path: path, Reason: reason}
}
