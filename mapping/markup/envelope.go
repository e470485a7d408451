package markup

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Limits of envelopes.
const (
	maxEnvelopes = 2 // in each other
	maxWrapping  = 4 // elements in the body around a document that is text
)

// around is the name under which a record's root keeps the envelope.
const around = "@envelope"

// envelope is what is found out while a SOAP envelope is read.
type envelope struct {
	space   string // of SOAP; "" when the document is none
	body    bool   // the body is open
	fault   bool
	payload *record.Node // the first element in the body
	first   element      // the same
	end     int          // where it ends
	outside bool         // it uses a prefix that is declared around it
	holder  *record.Node // the element whose text is a document
	text    string       // that document
	place   place        // and where it begins
	size    int          // characters of text in the body
	wrapped *record.Node // the body
}

// started looks at an element before it is opened.
func (s *envelope) started(p *xmlReader, e element) {
	switch len(p.open) {
	case 0:
		if e.name.Local == "Envelope" && (e.name.Space == spaceSOAP11 || e.name.Space == spaceSOAP12) {
			s.space = e.name.Space
		}
	case 1:
		s.body = s.space != "" && e.name.Space == s.space && e.name.Local == "Body"
	case 2:
		if s.body && e.name.Space == s.space && e.name.Local == "Fault" {
			s.fault = true
		}
	}
}

// used notes that a declaration of that depth is in use.
func (s *envelope) used(depth int) {
	if s.body && s.payload == nil && depth >= 0 && depth < 2 {
		s.outside = true
	}
}

// rename gives the root its name in the record.
func (s *envelope) rename(name string) string {
	if s.space != "" {
		return around
	}
	return name
}

// ended looks at a closed element. It reports whether it is the document itself, which is kept apart.
func (s *envelope) ended(p *xmlReader, e element, n *record.Node) bool {
	if !s.body {
		return false
	}
	depth := len(p.open) // of the elements around it
	text := n.Text()
	s.size += len(text)
	if depth <= maxWrapping+1 && len(text) > len(s.text) && looksLikeDocument(text) {
		s.holder = n
		s.text, s.place = e.runs[0].document(text)
	}
	switch {
	case depth == 1:
		s.body, s.wrapped = false, n
	case depth == 2 && s.payload == nil:
		s.payload, s.first, s.end = n, e, p.read()
		return true
	}
	return false
}

// document is the text that a run is but for white space, and where it begins: the characters of a section of CDATA, all of
// them, or else what is left without the white space.
func (r run) document(text string) (string, place) {
	if r.sections == 1 && string(bytes.TrimSpace(r.section)) == text {
		return string(r.section), r.place
	}
	at := place{line: r.line, column: r.column}
	blank := string(r.text[:len(r.text)-len(bytes.TrimLeftFunc(r.text, unicode.IsSpace))])
	if i := strings.LastIndexByte(blank, '\n'); i >= 0 {
		at.line += strings.Count(blank, "\n")
		at.column = 1
		blank = blank[i+1:]
	}
	at.column += utf8.RuneCountInString(blank)
	return text, at
}

// looksLikeDocument reports whether text is an XML document, as far as its ends tell.
func looksLikeDocument(text string) bool {
	if strings.HasPrefix(text, "<?xml") {
		return true
	}
	return len(text) > 3 && text[0] == '<' && text[len(text)-1] == '>' && text[1] != '!' && text[1] != '/' &&
		(strings.Contains(text, "</") || strings.HasSuffix(text, "/>"))
}

// unwrap makes the record of what the envelope holds.
func (p *xmlReader) unwrap() (*record.Record, error) {
	s := &p.soap
	switch {
	case s.fault:
		return nil, p.fail(0, codeFault, "the envelope carries a fault instead of a document")
	case s.holder != nil && (strings.HasPrefix(strings.TrimSpace(s.text), "<?xml") || 2*len(s.text) > s.size):
		return p.inner()
	case s.payload == nil:
		return nil, p.fail(0, codeEnvelope, "the envelope's body holds no document")
	case bare(s.payload):
		return nil, p.fail(s.first.start, codeEnvelope, "the envelope's body holds a value instead of a document")
	}
	raw := p.text // with the declarations that the document needs
	if !s.outside {
		raw = p.text[s.first.start:s.end]
	}
	s.payload.Add(p.root)
	return &record.Record{Format: record.XML, Type: s.first.name.Local, Version: s.first.name.Space, Charset: charset.UTF8,
		File: p.o.File, Root: s.payload, Raw: []byte(raw)}, nil
}

// bare reports whether an element has neither attributes nor elements in it.
func bare(n *record.Node) bool {
	return !slices.ContainsFunc(n.Kids(), func(k *record.Node) bool { return k.Name() != "@xmlns" })
}

// inner reads the document that is a text in the envelope.
func (p *xmlReader) inner() (*record.Record, error) {
	s := &p.soap
	refuse := func(code, reason string) error {
		return &record.SyntaxError{File: p.o.File, Line: s.place.line, Column: s.place.column, Code: code, Reason: reason}
	}
	if p.within+1 > maxEnvelopes {
		return nil, refuse(codeEnvelope, "too many envelopes in each other")
	}
	if len(s.text) > p.lim.MaxBytes {
		return nil, refuse("too-large", "the document in the envelope is larger than its limit")
	}
	in := &xmlReader{o: p.o, lim: p.lim, within: p.within + 1, cursor: cursor{text: s.text, place: s.place, line: 1}}
	rec, err := in.document([]byte(s.text), charset.UTF8)
	if err != nil {
		return nil, err
	}
	state := record.Present
	if s.holder.Kind() == record.Leaf {
		state = record.Empty
	}
	s.holder.SetText("", state)
	if s.payload != nil {
		s.wrapped.Add(s.payload)
	}
	outermost(rec.Root).Add(p.root)
	return rec, nil
}

// outermost is the envelope that is already around a document, or the document.
func outermost(n *record.Node) *record.Node {
	for n.Get(around) != nil {
		n = n.Get(around)
	}
	return n
}
