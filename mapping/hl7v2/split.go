package hl7v2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// Frame is one message of a file.
type Frame struct {
	Bytes      []byte // belongs to the caller
	Start, End int64  // byte range in the file
	Line       int    // of the file on which it begins, from 1
}

// Split yields the messages of a file one by one: several in a row, in a batch
// (FHS, BHS, BTS, FTS) or in MLLP blocks. A file holds no more in memory than its
// largest message.
//
// What is wrong with one message or with what stands between them is yielded as
// a *record.SyntaxError, with the frame's bytes (those of a message over the limit
// stay in the file) and place, and the next message follows: "too-large", "not-hl7",
// "truncated" (a block without end, or a batch whose trailer counts other than it
// holds). Any other error is that of r and ends the sequence.
func Split(r io.Reader, o Options) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		s := splitter{r: r, o: o, lim: o.Limits.orDefault(), yield: yield}
		s.run()
	}
}

const splitBuffer = 64 << 10

type splitter struct {
	r     io.Reader
	o     Options
	lim   Limits
	yield func(Frame, error) bool

	chunk   []byte
	buf     []byte // read and not yet consumed
	offset  int64  // of buf[0] in the file
	line    int    // line ends before buf[0]
	eof     bool
	started bool

	frame     []byte // the open message
	start     int64
	startLine int
	open      bool // a message is open
	dropping  bool // the open message is over the limit: skip to the next
	stray     bool // bytes that belong to no message have been reported
	block     bool // inside an MLLP block
	batch     bool // after BHS and before BTS
	inBatch   int  // messages of the open batch
}

// run reads line by line: line ends and the bytes of MLLP are never part of a
// character in the encodings that messages come in.
func (s *splitter) run() {
	for {
		line, err := s.next()
		if err != nil && !errors.Is(err, io.EOF) {
			s.yield(Frame{}, err)
			return
		}
		if len(line) > 0 && !s.take(line) {
			return
		}
		if err != nil {
			break
		}
	}
	if s.open && !s.close(s.offset) {
		return
	}
	if s.batch {
		s.fail(Frame{Start: s.offset, End: s.offset, Line: s.line + 1}, "truncated", "the batch does not end with BTS")
	}
}

// next returns the bytes up to and with the next line end, or a part of them when
// the line is longer than the buffer.
func (s *splitter) next() ([]byte, error) {
	for {
		if i := bytes.IndexAny(s.buf, "\r\n\x1c"); i >= 0 {
			n := i + 1
			if s.buf[i] == '\r' && n == len(s.buf) && !s.eof {
				// CR LF may be cut by the buffer
			} else {
				if s.buf[i] == '\r' && n < len(s.buf) && s.buf[n] == '\n' {
					n++
				}
				return s.consume(n), nil
			}
		} else if len(s.buf) >= splitBuffer {
			return s.consume(len(s.buf)), nil
		}
		if s.eof {
			return s.consume(len(s.buf)), io.EOF
		}
		if s.chunk == nil {
			s.chunk = make([]byte, splitBuffer)
		}
		n, err := s.r.Read(s.chunk)
		s.buf = append(s.buf, s.chunk[:n]...)
		if errors.Is(err, io.EOF) {
			s.eof = true
		} else if err != nil {
			return nil, err
		}
		if !s.started && len(s.buf) >= 2 {
			s.started = true
			if s.buf[0] == 0xFF && s.buf[1] == 0xFE || s.buf[0] == 0xFE && s.buf[1] == 0xFF || s.buf[1] == 0 {
				return nil, &record.SyntaxError{File: s.o.File, Line: 1, Column: 1, Code: "charset", Reason: "a UTF-16 file; save it as UTF-8 or GB18030"}
			}
		}
	}
}

func (s *splitter) consume(n int) []byte {
	out := s.buf[:n:n]
	s.buf = s.buf[n:]
	s.offset += int64(n)
	if n > 0 && (out[n-1] == '\n' || out[n-1] == '\r') {
		s.line++
	}
	return out
}

// take handles one line, which may be the rest of a long one.
func (s *splitter) take(line []byte) bool {
	at := s.offset - int64(len(line))
	number := s.line + 1
	if c := line[len(line)-1]; c == '\n' || c == '\r' {
		number = s.line
	}
	text := line
	if !s.open || s.atLineStart() {
		lead := bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
		if i := bytes.LastIndexByte(lead, 0x0B); i >= 0 {
			if s.open && !s.close(at) {
				return false
			}
			s.block = true
			lead = lead[i+1:]
		}
		lead = bytes.TrimLeft(lead, " \t")
		begin := at + int64(len(text)-len(lead))
		switch id, sep := segmentID(lead); {
		case id == "MSH" && sep != 0:
			if s.open && !s.close(begin) {
				return false
			}
			s.open, s.start, s.startLine = true, begin, number
			s.frame, s.dropping, s.stray = nil, false, false
			text, at = lead, begin
		case id == "FHS" || id == "BHS" || id == "BTS" || id == "FTS":
			if s.open && !s.close(begin) {
				return false
			}
			return s.envelope(id, string(bytes.TrimRight(lead, "\r\n")), sep, begin, number)
		}
	}
	if !s.open {
		if s.stray || len(bytes.TrimSpace(bytes.Trim(text, "\x1c\x1a\x0b\x00"))) == 0 {
			return true
		}
		s.stray = true
		return s.fail(Frame{Bytes: bytes.Clone(text), Start: at, End: at + int64(len(text)), Line: number}, "not-hl7", "bytes that belong to no message, expected MSH")
	}
	if !s.dropping {
		if len(s.frame)+len(text) > s.lim.MaxBytes {
			s.dropping, s.frame = true, nil
		} else {
			s.frame = append(s.frame, text...)
		}
	}
	if text[len(text)-1] == 0x1C {
		s.block = false
		return s.close(at + int64(len(text)))
	}
	return true
}

func (s *splitter) atLineStart() bool {
	if s.dropping {
		return true
	}
	n := len(s.frame)
	return n == 0 || s.frame[n-1] == '\r' || s.frame[n-1] == '\n'
}

func segmentID(line []byte) (id string, sep byte) {
	if len(line) < 3 || !isCutID(string(line[:3])) {
		return "", 0
	}
	if len(line) > 3 && plain(line[3]) {
		sep = line[3]
	}
	return string(line[:3]), sep
}

// envelope handles the headers and trailers of files and batches.
func (s *splitter) envelope(id, text string, sep byte, at int64, line int) bool {
	switch id {
	case "BHS":
		s.batch, s.inBatch = true, 0
	case "BTS":
		held := s.inBatch
		known := s.batch
		s.batch, s.inBatch = false, 0
		if sep == 0 {
			return true
		}
		fields := strings.Split(text, string(sep))
		if len(fields) > 1 && known {
			if n, err := strconv.Atoi(strings.TrimSpace(fields[1])); err == nil && n != held {
				return s.fail(Frame{Start: at, End: at + int64(len(text)), Line: line}, "truncated", fmt.Sprintf("the batch trailer counts %d messages, the batch has %d", n, held))
			}
		}
	}
	return true
}

// close yields the open message.
func (s *splitter) close(end int64) bool {
	s.open = false
	s.inBatch++
	f := Frame{Bytes: s.frame, Start: s.start, End: end, Line: s.startLine}
	s.frame = nil
	if s.dropping {
		s.dropping = false
		return s.fail(f, "too-large", fmt.Sprintf("the message has more than %d bytes", s.lim.MaxBytes))
	}
	if s.block {
		s.block = false
		return s.fail(f, "truncated", "the block begun with 0x0B does not end with 0x1C")
	}
	return s.yield(f, nil)
}

func (s *splitter) fail(f Frame, code, reason string) bool {
	return s.yield(f, &record.SyntaxError{
		File: s.o.File, Line: f.Line, Column: 1, Offset: f.Start, Code: code, Reason: reason,
	})
}
