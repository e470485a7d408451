package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What stands next in a part of a workbook.
const (
	startTag = iota + 1
	endTag
	charData
)

// maxNesting bounds elements inside each other; a workbook's stand at most some
// dozen deep.
const maxNesting = 100

// windowBytes of a part are looked at together.
const windowBytes = 64 << 10

// elements reads the XML of one part of a workbook piece by piece. Parts are UTF-8;
// there are no document types and no entities but the five of XML. Half the work of
// reading a workbook is here, which is why encoding/xml, five times slower, is not.
type elements struct {
	r      io.Reader
	max    int // bytes of one piece
	buf    []byte
	pos    int
	eof    bool
	begun  bool
	closed bool   // the tag just given closes itself
	name   []byte // local name of the tag, valid until the next piece
	attrs  []byte
	data   []byte // of charData, as it stands
	cdata  bool   // data is to be taken literally
	open   []byte // names of the open elements, one after the other
	starts []int
}

func newElements(r io.Reader, max int) *elements {
	return &elements{r: r, max: max}
}

var errPiece = errors.New("too large")

func badXML(what string) error { return fmt.Errorf("not well-formed: %s", what) }

// more reads on; false at the end.
func (x *elements) more() (bool, error) {
	if x.eof {
		return false, nil
	}
	if len(x.buf)-x.pos > x.max {
		return false, errPiece
	}
	if x.pos > 0 {
		x.buf = x.buf[:copy(x.buf, x.buf[x.pos:])]
		x.pos = 0
	}
	if len(x.buf) == cap(x.buf) {
		x.buf = append(make([]byte, 0, max(2*cap(x.buf), windowBytes)), x.buf...)
	}
	n, err := x.r.Read(x.buf[len(x.buf):cap(x.buf)])
	x.buf = x.buf[:len(x.buf)+n]
	if errors.Is(err, io.EOF) {
		x.eof = true
		return n > 0, nil
	}
	return true, err
}

// until returns how many bytes stand before sep, -1 when it does not come.
func (x *elements) until(sep string, from int) (int, error) {
	for {
		if x.pos+from < len(x.buf) {
			if n := bytes.Index(x.buf[x.pos+from:], []byte(sep)); n >= 0 {
				return from + n, nil
			}
		}
		from = max(from, len(x.buf)-x.pos-len(sep)+1)
		if ok, err := x.more(); !ok || err != nil {
			return -1, err
		}
	}
}

// tagEnd returns how many bytes stand before the > that ends a tag.
func (x *elements) tagEnd() (int, error) {
	var quote byte
	for i := 1; ; i++ {
		if x.pos+i >= len(x.buf) {
			if ok, err := x.more(); !ok || err != nil {
				return -1, err
			}
			i--
			continue
		}
		switch c := x.buf[x.pos+i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i, nil
		case c == '<':
			return -1, badXML("a tag in a tag")
		}
	}
}

// next returns what stands next, or io.EOF behind the root element.
func (x *elements) next() (int, error) {
	if x.closed {
		x.closed = false
		return endTag, x.pop(x.name)
	}
	for {
		if x.pos >= len(x.buf) {
			ok, err := x.more()
			if err != nil {
				return 0, err
			}
			if !ok && x.pos >= len(x.buf) {
				if len(x.starts) > 0 || !x.begun {
					return 0, io.ErrUnexpectedEOF
				}
				return 0, io.EOF
			}
			continue
		}
		if x.buf[x.pos] != '<' {
			n, err := x.until("<", 0)
			if err != nil {
				return 0, err
			}
			if n < 0 {
				n = len(x.buf) - x.pos
			}
			x.data, x.cdata = x.buf[x.pos:x.pos+n], false
			x.pos += n
			if len(x.starts) > 0 {
				return charData, nil
			}
			if text := bytes.TrimPrefix(x.data, []byte("\xEF\xBB\xBF")); len(bytes.TrimSpace(text)) > 0 {
				return 0, badXML("text outside of the root element")
			}
			continue
		}
		kind, err := x.tag()
		if kind != 0 || err != nil {
			return kind, err
		}
	}
}

// tag reads what begins with <; 0 for what says nothing.
func (x *elements) tag() (int, error) {
	for len(x.buf)-x.pos < len("<![CDATA[") {
		if ok, err := x.more(); err != nil {
			return 0, err
		} else if !ok {
			break
		}
	}
	rest := x.buf[x.pos:]
	if len(rest) < 2 || rest[1] != '!' && rest[1] != '?' {
		return x.element()
	}
	for _, skip := range [...]struct{ begin, end string }{{"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}} {
		if !bytes.HasPrefix(rest, []byte(skip.begin)) {
			continue
		}
		n, err := x.until(skip.end, len(skip.begin))
		if err != nil {
			return 0, err
		}
		if n < 0 {
			return 0, io.ErrUnexpectedEOF
		}
		body := x.buf[x.pos+len(skip.begin) : x.pos+n]
		x.pos += n + len(skip.end)
		switch skip.begin {
		case "<?":
			return 0, prolog(body)
		case "<![CDATA[":
			if len(x.starts) == 0 {
				return 0, badXML("text outside of the root element")
			}
			x.data, x.cdata = body, true
			return charData, nil
		}
		return 0, nil
	}
	return 0, badXML("a document type or something else that no workbook has")
}

// element reads the tag in which an element begins or ends.
func (x *elements) element() (int, error) {
	n, err := x.tagEnd()
	if err != nil {
		return 0, err
	}
	if n < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	body := x.buf[x.pos+1 : x.pos+n]
	x.pos += n + 1
	if len(body) > 0 && body[0] == '/' {
		x.name = trimBlanks(body[1:])
		return endTag, x.pop(x.name)
	}
	if k := len(body); k > 0 && body[k-1] == '/' {
		x.closed, body = true, body[:k-1]
	}
	i := 0
	for i < len(body) && !isBlank(body[i]) {
		i++
	}
	x.name, x.attrs = body[:i], body[i:]
	if len(x.name) == 0 || len(x.starts) == 0 && x.begun {
		return 0, badXML("a tag without a name, or a second root element")
	}
	if len(x.starts) >= maxNesting {
		return 0, fmt.Errorf("elements stand more than %d deep in each other", maxNesting)
	}
	x.begun = true
	x.starts = append(x.starts, len(x.open))
	x.open = append(x.open, x.name...)
	return startTag, nil
}

func prolog(body []byte) error {
	if !bytes.HasPrefix(body, []byte("xml ")) {
		return nil
	}
	_, after, ok := bytes.Cut(body, []byte("encoding="))
	if !ok || len(after) < 2 {
		return nil
	}
	name, _, _ := bytes.Cut(after[1:], after[:1])
	if s := strings.ToLower(string(name)); s != "utf-8" && s != "us-ascii" {
		return errors.New("a part is not UTF-8")
	}
	return nil
}

func (x *elements) pop(name []byte) error {
	n := len(x.starts) - 1
	if n < 0 || !bytes.Equal(x.open[x.starts[n]:], name) {
		return badXML("an element ends that did not begin")
	}
	x.open, x.starts = x.open[:x.starts[n]], x.starts[:n]
	return nil
}

// depth is how many elements are open.
func (x *elements) depth() int { return len(x.starts) }

// local returns the tag's name without its prefix.
func (x *elements) local() []byte {
	if i := bytes.IndexByte(x.name, ':'); i >= 0 {
		return x.name[i+1:]
	}
	return x.name
}

// skip passes over what is left of the element that just began.
func (x *elements) skip() error {
	for depth := x.depth(); x.depth() >= depth; {
		if _, err := x.next(); err != nil {
			return err
		}
	}
	return nil
}

// attr returns an attribute of the tag by its local name, as it stands; valid until
// the next piece.
func (x *elements) attr(local string) ([]byte, bool) {
	rest := x.attrs
	for {
		i := bytes.IndexByte(rest, '=')
		if i < 0 {
			return nil, false
		}
		name := trimBlanks(rest[:i])
		if rest = trimBlanks(rest[i+1:]); len(rest) < 2 || rest[0] != '"' && rest[0] != '\'' {
			return nil, false
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil, false
		}
		if len(name) > len(local) && name[len(name)-len(local)-1] == ':' {
			name = name[len(name)-len(local):]
		}
		if string(name) == local {
			return rest[1 : 1+end], true
		}
		rest = rest[end+2:]
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// attrText returns an attribute with its references replaced.
func (x *elements) attrText(local string) (string, error) {
	s, _ := x.attr(local)
	b, err := appendText(nil, s, false)
	return string(b), err
}

// number returns an attribute that is a whole number, or def.
func (x *elements) number(local string, def int) (int, error) {
	s, ok := x.attr(local)
	if !ok {
		return def, nil
	}
	n, ok := wholeNumber(s)
	if !ok {
		return 0, fmt.Errorf("%s is not a whole number", local)
	}
	return n, nil
}

// wholeNumber reads a number of at most nine digits.
func wholeNumber(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// appendText appends character data, with references replaced and line ends as one
// line feed.
func appendText(b, data []byte, literal bool) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("a text is not UTF-8")
	}
	for len(data) > 0 {
		i := 0
		for i < len(data) && data[i] != '&' && data[i] != '\r' {
			i++
		}
		if i == len(data) {
			return append(b, data...), nil
		}
		b = append(b, data[:i]...)
		if data[i] == '\r' {
			if b = append(b, '\n'); i+1 < len(data) && data[i+1] == '\n' {
				i++
			}
			data = data[i+1:]
			continue
		}
		if literal {
			b, data = append(b, '&'), data[i+1:]
			continue
		}
		end := bytes.IndexByte(data[i:min(len(data), i+12)], ';')
		if end < 0 {
			return nil, badXML("an & that begins no reference")
		}
		r, ok := reference(string(data[i+1 : i+end]))
		if !ok {
			return nil, badXML("a reference to something unknown")
		}
		b = utf8.AppendRune(b, r)
		data = data[i+end+1:]
	}
	return b, nil
}

func reference(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !ok || err != nil || n > utf8.MaxRune || n >= 0xD800 && n < 0xE000 || n < ' ' && n != '\t' && n != '\n' && n != '\r' {
		return 0, false
	}
	return rune(n), true
}
