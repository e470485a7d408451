package markup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Document is one document of a file.
type Document struct {
	Bytes        []byte // belongs to the caller; nil when it is over the limit
	Start, End   int64  // byte range in the file
	Line, Column int    // where it begins, from 1; the column counts bytes
	Charset      string // what the file is, for Options
}

// SplitJSON yields the documents of a file one by one: the items of an array, or
// what stands one behind the other, with line ends between or not. It holds no
// more in memory than the largest document.
//
// What is wrong with one document is left for ParseJSON, except for its size
// ("too-large") and an end before its own ("truncated"); what belongs to no
// document is "json". These *record.SyntaxError come with the place and, where
// they are not too many, the bytes, and the next document follows: an object that
// begins where none can is taken for the next. Any other error is that of r and
// ends the sequence.
func SplitJSON(r io.Reader, o Options) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		s := splitter{r: bufio.NewReaderSize(r, splitBuffer), o: o, max: o.Limits.orDefault().MaxBytes, yield: yield, line: 1}
		if err := s.run(); err != nil && !errors.Is(err, errStopped) {
			yield(Document{}, err)
		}
	}
}

const splitBuffer = 64 << 10

var errStopped = errors.New("stopped")

type splitter struct {
	r     *bufio.Reader
	o     Options
	max   int
	yield func(Document, error) bool

	charset   string
	offset    int64
	line      int
	lineStart int64

	doc      Document
	open     bool // a document is open
	long     bool // it is over the limit
	depth    int  // of brackets in it
	str      bool // inside a string
	escaped  bool // behind a backslash
	prior    byte // its last byte that is no blank
	array    bool // between the brackets of an array of documents
	reported bool // what belongs to no document has been reported
}

func (s *splitter) run() error {
	head, err := s.r.Peek(splitBuffer)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return err
	}
	if i := bytes.LastIndexAny(head, "\r\n\",:}"); err == nil && i > 0 {
		head = head[:i+1] // end between characters, as far as can be told
	}
	d, err := charset.Decide(head, charset.Options{Setting: s.o.Charset})
	if err != nil {
		return err
	}
	s.charset = d.Charset
	if s.charset == charset.UTF16LE || s.charset == charset.UTF16BE {
		return &record.SyntaxError{File: s.o.File, Line: 1, Column: 1, Code: "charset", Reason: "a UTF-16 file; save it as UTF-8"}
	}
	if _, err := s.r.Discard(d.Mark); err != nil {
		return err
	}
	s.offset, s.lineStart = int64(d.Mark), int64(d.Mark)
	var char [4]byte
	for {
		n, err := s.read(&char)
		if errors.Is(err, io.EOF) {
			return s.end()
		}
		if err != nil {
			return err
		}
		if err := s.take(char[:n]); err != nil {
			return err
		}
		s.offset += int64(n)
		if char[0] == '\n' {
			s.line, s.lineStart = s.line+1, s.offset
		}
	}
}

// read reads one character, as far as it matters: trail bytes of GBK include
// brackets and the backslash.
func (s *splitter) read(to *[4]byte) (int, error) {
	c, err := s.r.ReadByte()
	if err != nil {
		return 0, err
	}
	to[0] = c
	if c < 0x81 || s.charset != charset.GB18030 {
		return 1, nil
	}
	more, err := s.r.Peek(3)
	if err != nil && err != io.EOF {
		return 0, err
	}
	size := 1
	if len(more) > 0 && more[0] >= 0x40 && more[0] != 0x7F {
		size = 2
	} else if len(more) == 3 && more[0] >= 0x30 && more[0] <= 0x39 && more[1] >= 0x81 {
		size = 4
	}
	copy(to[1:size], more)
	_, err = s.r.Discard(size - 1)
	return size, err
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// take handles one character.
func (s *splitter) take(char []byte) error {
	c := char[0]
	if !s.open {
		switch {
		case blank(c) || c == 0x1E || c == 0x1A: // RFC 7464 puts a 1E before each document
			return nil
		case s.array && c == ',':
			return nil
		case s.array && c == ']':
			s.array, s.reported = false, false
			return nil
		case !s.array && c == '[':
			s.array, s.reported = true, false
			return nil
		case c == ']' || c == '}' || c == ',' || c == ':':
			if s.reported {
				return nil
			}
			s.reported = true
			return s.fail(Document{Start: s.offset, End: s.offset + 1, Line: s.line, Column: int(s.offset-s.lineStart) + 1, Bytes: bytes.Clone(char)}, "json", "a character that belongs to no document")
		}
		s.begin()
	}
	switch {
	case s.str:
		s.add(char)
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.str = false
			if s.depth == 0 {
				return s.close(s.offset + 1)
			}
		case c == '\n': // no string goes over a line end: it is left open
			s.str = false
			if !s.array {
				return s.close(s.offset + 1)
			}
		}
		if !blank(c) {
			s.prior = c
		}
		return nil
	case c == '{' && s.depth > 0 && s.prior != '[' && s.prior != ',' && s.prior != ':', c == '{' && s.depth == 0 && s.prior != 0:
		// An object cannot begin here: what is open has lost its end.
		if err := s.close(s.offset); err != nil {
			return err
		}
		s.begin()
	case s.depth == 0 && s.prior != 0 && (blank(c) || s.array && (c == ',' || c == ']')): // the end of a number or word
		if err := s.close(s.offset); err != nil {
			return err
		}
		return s.take(char)
	}
	s.add(char)
	switch c {
	case '"':
		s.str = true
	case '{', '[':
		s.depth++
	case '}', ']':
		if s.depth--; s.depth <= 0 {
			return s.close(s.offset + 1)
		}
	}
	if !blank(c) {
		s.prior = c
	}
	return nil
}

func (s *splitter) begin() {
	s.open, s.long, s.depth, s.str, s.escaped, s.prior, s.reported = true, false, 0, false, false, 0, false
	s.doc = Document{Start: s.offset, Line: s.line, Column: int(s.offset-s.lineStart) + 1, Charset: s.charset}
}

func (s *splitter) add(char []byte) {
	if s.long {
		return
	}
	if len(s.doc.Bytes)+len(char) > s.max {
		s.long, s.doc.Bytes = true, nil
		return
	}
	s.doc.Bytes = append(s.doc.Bytes, char...)
}

// close yields the open document.
func (s *splitter) close(end int64) error {
	s.open = false
	s.doc.End = end
	d := s.doc
	s.doc = Document{}
	if s.long {
		return s.fail(d, "too-large", "the document is larger than its limit")
	}
	if !s.yield(d, nil) {
		return errStopped
	}
	return nil
}

func (s *splitter) end() error {
	if s.open && s.depth == 0 && !s.str {
		if err := s.close(s.offset); err != nil {
			return err
		}
	}
	if s.open {
		s.open = false
		s.doc.End = s.offset
		if s.long {
			return s.fail(s.doc, "too-large", "the document is larger than its limit")
		}
		if err := s.fail(s.doc, "truncated", "the document does not end"); err != nil {
			return err
		}
		return nil
	}
	if s.array {
		return s.fail(Document{Start: s.offset, End: s.offset, Line: s.line, Column: int(s.offset-s.lineStart) + 1}, "truncated", "the array of documents does not end")
	}
	return nil
}

func (s *splitter) fail(d Document, code, reason string) error {
	if !s.yield(d, &record.SyntaxError{File: s.o.File, Line: d.Line, Column: d.Column, Offset: d.Start, Code: code, Reason: reason}) {
		return errStopped
	}
	return nil
}
