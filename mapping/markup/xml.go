package markup

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// MaxTag bounds the bytes of one tag with its attributes.
const MaxTag = 1 << 20

// The codes of what is wrong with an XML document, beside "too-large", "truncated", "charset" and "nul".
const (
	codeXML       = "xml"                 // not well-formed
	codeDTD       = "dtd"                 // a document type declaration, whatever it says
	codeEntity    = "entity"              // a reference to an entity that XML does not define itself
	codeCharacter = "character"           // a character that XML does not have
	codeProlog    = "prolog"              // an XML declaration where none may stand, or of another version
	codeOutside   = "outside-root"        // text or a second element beside the root
	codeDuplicate = "duplicate-attribute" // of one element
	codeNamespace = "namespace"           // a prefix that nothing declares
	codeDeep      = "too-deep"
	codeMany      = "too-many-values"
	codeEnvelope  = "envelope"   // a SOAP envelope without a document, or too many in each other
	codeFault     = "soap-fault" // a SOAP envelope that carries a fault
)

// ParseXML reads one document, alone or in a SOAP envelope. The bytes are read as
// the prolog says, or the setting, or as what they are, with an issue where that
// is something else. Errors are *record.SyntaxError with the codes "xml",
// "truncated", "dtd", "entity", "character", "nul", "charset", "prolog",
// "outside-root", "duplicate-attribute", "namespace", "too-large", "too-deep",
// "too-many-values", "envelope" and "soap-fault".
func ParseXML(doc []byte, o Options) (*record.Record, error) {
	lim := o.Limits.orDefault()
	at := place{line: max(o.Line, 1), column: max(o.Column, 1)}
	if len(doc) > lim.MaxBytes {
		return nil, &record.SyntaxError{File: o.File, Line: at.line, Column: at.column, Code: "too-large", Reason: "the document is larger than its limit"}
	}
	text, err := charset.Decode(doc, charset.Options{Declared: declaredEncoding(doc), Setting: o.Charset})
	if err != nil {
		var e *record.SyntaxError
		if errors.As(err, &e) {
			e.File = o.File
			e.Line, e.Column = at.shift(max(e.Line, 1), max(e.Column, 1))
		}
		return nil, err
	}
	p := &xmlReader{o: o, lim: lim, cursor: cursor{text: text.Text, place: at, line: 1}}
	rec, err := p.document(doc, text.Charset)
	if err != nil {
		return nil, err
	}
	rec.Issues = append(text.Issues, rec.Issues...)
	return rec, nil
}

// xmlReader reads one document, which is decoded.
type xmlReader struct {
	cursor

	o       Options
	lim     Limits
	within  int // how many envelopes are around it
	b       record.Builder
	spaces  spaces
	open    []element
	root    *record.Node
	name    xml.Name // of the root
	soap    envelope
	tagEnd  int               // where the tag being read must have ended
	begin   int               // where the decoder's text begins
	shown   map[string]string // names of attributes, by local name
	few     []xml.Name        // lent to attributes
	decoder *xml.Decoder
}

// read is how far the decoder has read.
func (p *xmlReader) read() int { return p.begin + int(p.decoder.InputOffset()) }

// document reads the text; raw and encoding are what the record keeps as its bytes when there is no envelope around it.
func (p *xmlReader) document(raw []byte, encoding string) (*record.Record, error) {
	var err error
	if p.begin, err = p.prolog(); err != nil {
		return nil, err
	}
	p.decoder = xml.NewDecoder(&tagLimit{p: p, at: p.begin})
	p.spaces.init()
	for {
		at := p.read()
		p.tagEnd = len(p.text) + 1
		if strings.HasPrefix(p.text[at:], "<") {
			switch {
			case strings.HasPrefix(p.text[at:], "<!--"), strings.HasPrefix(p.text[at:], cdata), strings.HasPrefix(p.text[at:], "<?"):
			case strings.HasPrefix(p.text[at:], "<!"):
				return nil, p.fail(at, codeDTD, "a document type declaration; documents are read without one")
			default:
				p.tagEnd = at + MaxTag
			}
		}
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p.syntax(p.read(), err)
		}
		if err := p.take(token, at); err != nil {
			return nil, err
		}
	}
	switch {
	case len(p.open) > 0:
		return nil, p.fail(len(p.text), "truncated", "the document does not end")
	case p.root == nil:
		return nil, p.fail(len(p.text), "truncated", "there is no element")
	}
	if p.soap.space != "" {
		return p.unwrap()
	}
	return &record.Record{Format: record.XML, Type: p.name.Local, Version: p.name.Space, Charset: encoding,
		File: p.o.File, Root: p.root, Raw: raw}, nil
}

func (p *xmlReader) take(token xml.Token, at int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t, at)
	case xml.EndElement:
		return p.end(t, at)
	case xml.CharData:
		return p.characters(t, at)
	case xml.ProcInst:
		if strings.EqualFold(t.Target, "xml") {
			return p.fail(at, codeProlog, "an XML declaration that is not at the beginning")
		}
	}
	return nil // comments, and instructions to whoever shows the document
}

// start opens an element.
func (p *xmlReader) start(t xml.StartElement, at int) error {
	switch {
	case p.root != nil:
		return p.fail(at, codeOutside, "a second element behind the root")
	case len(p.open) >= p.lim.MaxDepth:
		return p.fail(at, codeDeep, "elements nested deeper than the limit")
	case p.b.Count+len(p.open)+len(t.Attr) >= p.lim.MaxNodes:
		return p.fail(at, codeMany, "more values than the limit")
	}
	p.spaces.enter()
	for _, a := range t.Attr {
		if problem := p.spaces.declare(a, len(p.open)); problem != "" {
			return p.fail(at, codeNamespace, problem)
		}
	}
	e := element{start: at}
	var known bool
	if e.name, known = p.resolve(t.Name, true); !known {
		return p.fail(at, codeNamespace, "the prefix of an element is declared nowhere")
	}
	if strings.Contains(t.Name.Local, ":") || t.Name.Local == "" {
		return p.fail(at, codeXML, "a name with a colon at its beginning or end, or with two")
	}
	e.line, e.column = p.at(at)
	parent := ""
	if len(p.open) > 0 {
		parent = p.open[len(p.open)-1].name.Space
	}
	if e.name.Space != parent {
		e.attrs = append(e.attrs, p.b.Leaf("@xmlns", e.name.Space, stateOf(e.name.Space)))
	}
	if err := p.attributes(&e, t.Attr, at); err != nil {
		return err
	}
	p.soap.started(p, e)
	p.open = append(p.open, e)
	return nil
}

// end closes the open element.
func (p *xmlReader) end(t xml.EndElement, at int) error {
	if len(p.open) == 0 {
		return p.fail(at, codeXML, "an end tag without a start tag")
	}
	e := &p.open[len(p.open)-1]
	if name, known := p.resolve(t.Name, true); !known || name != e.name {
		return p.fail(at, codeXML, "an end tag that is not that of the open element")
	}
	p.spaces.leave()
	if p.b.Count >= p.lim.MaxNodes {
		return p.fail(at, codeMany, "more values than the limit")
	}
	depth := len(p.open)
	name := e.name.Local
	if depth == 1 {
		name = p.soap.rename(name)
	}
	n := p.finish(e, name, depth == 1 || depth == 2 && p.soap.body)
	closed := *e
	p.open = p.open[:depth-1]
	if depth == 1 {
		p.root, p.name = n, closed.name
		return nil
	}
	if p.soap.ended(p, closed, n) {
		return nil // the document in the envelope's body: it is not part of the envelope's tree
	}
	up := &p.open[depth-2]
	up.kids = append(up.kids, child{name: closed.name.Local, node: n})
	return nil
}

// characters adds text to the open element.
func (p *xmlReader) characters(t xml.CharData, at int) error {
	if len(p.open) == 0 {
		if len(bytes.TrimSpace(t)) > 0 {
			return p.fail(at, codeOutside, "text outside the root")
		}
		return nil
	}
	e := &p.open[len(p.open)-1]
	if n := len(e.runs); n == 0 || e.runs[n-1].kids != len(e.kids) {
		if p.b.Count+len(p.open)+n >= p.lim.MaxNodes {
			return p.fail(at, codeMany, "more values than the limit")
		}
		r := run{kids: len(e.kids)}
		r.line, r.column = p.at(at)
		e.runs = append(e.runs, r)
	}
	r := &e.runs[len(e.runs)-1]
	r.text = append(r.text, t...)
	if p.soap.body && strings.HasPrefix(p.text[at:], cdata) {
		r.sections++
		r.section = bytes.Clone(t)
		r.place.line, r.place.column = p.at(at + len(cdata))
	}
	return nil
}

// cdata begins a section of CDATA.
const cdata = "<![CDATA["

func (p *xmlReader) fail(at int, code, reason string) error {
	line, column := p.at(at)
	return &record.SyntaxError{File: p.o.File, Line: line, Column: column, Code: code, Reason: reason}
}

// syntax turns a mistake that the decoder found into one that quotes nothing.
func (p *xmlReader) syntax(at int, err error) error {
	var e *record.SyntaxError
	if errors.As(err, &e) {
		return err
	}
	var se *xml.SyntaxError
	if !errors.As(err, &se) {
		return p.fail(at, codeXML, "not well-formed")
	}
	for _, m := range mistakes {
		if strings.HasPrefix(se.Msg, m.prefix) {
			return p.fail(at, m.code, m.reason)
		}
	}
	return p.fail(at, codeXML, "not well-formed")
}

// mistakes are those that the decoder tells apart, by the beginning of its message.
var mistakes = []struct{ prefix, code, reason string }{
	{"unexpected EOF", "truncated", "the document does not end"},
	{"invalid character entity", codeEntity, "a reference to an entity that is not one of XML's five, or a number of no character"},
	{"illegal character code", codeCharacter, "a character that XML does not have"},
	{"expected element name after <", codeXML, "a < that begins no tag"},
	{"expected attribute name", codeXML, "a tag with something that is no attribute"},
	{"attribute name without =", codeXML, "an attribute without a value"},
	{"unquoted or missing attribute value", codeXML, "an attribute's value without quotes"},
	{"unescaped < inside quoted string", codeXML, "a < in an attribute's value"},
	{"unescaped ]]>", codeXML, "a ]]> outside CDATA"},
	{`invalid sequence "--"`, codeXML, "two hyphens in a comment"},
}

// tagLimit gives the decoder the text, and no more of one tag than MaxTag: its attributes are counted when it is read.
type tagLimit struct {
	p  *xmlReader
	at int
}

// ReadByte implements io.ByteReader, which keeps the decoder from buffering.
func (r *tagLimit) ReadByte() (byte, error) {
	if r.at >= len(r.p.text) {
		return 0, io.EOF
	}
	if r.at >= r.p.tagEnd {
		return 0, r.p.fail(r.p.tagEnd-MaxTag, "too-large", "a tag larger than the limit")
	}
	r.at++
	return r.p.text[r.at-1], nil
}

// Read implements io.Reader.
func (r *tagLimit) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}
