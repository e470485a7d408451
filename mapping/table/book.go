package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

// Book is a workbook. Sheets are read when they are opened first, and kept.
// It must not be used by several goroutines at a time; the Files it gives may.
type Book struct {
	name   string
	data   []byte
	lim    Limits
	sheets []*Sheet
	cells  int
	parts  *parts // nil for a page of HTML

	text     charset.Decision // of a page of HTML
	from1904 bool
	strings  *texts
	formats  []*numberFormat // by style
}

// Sheet is a sheet of a workbook, or a table of a page.
type Sheet struct {
	Name   string
	Hidden bool
	book   *Book
	part   string
	grid   *grid
	err    error
}

// IsBook reports whether a file's first bytes are those of a workbook, of any age, or
// of a page of HTML, which programs save under the name of one.
func IsBook(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte(compound)) || isSheetXML(head) || isPage(head)
}

// compound is how files in Microsoft's compound format begin: workbooks until 2003,
// and newer ones under a password.
const compound = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

// headBytes of a file tell what it is.
const headBytes = 4096

// isSheetXML reports whether a file begins like a workbook in the XML of 2003.
func isSheetXML(head []byte) bool {
	head = head[:min(len(head), headBytes)]
	return bytes.Contains(head, []byte("urn:schemas-microsoft-com:office:spreadsheet")) && bytes.HasPrefix(begin(head), []byte("<?xml")) ||
		bytes.Contains(head, []byte(`<?mso-application progid="Excel.Sheet"?>`))
}

func begin(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
}

// OpenBook lists the sheets of a workbook: .xlsx and .xlsm, or the tables of a page of
// HTML, which are called Table1, Table2, …; a single one is called like the file. Errors are *record.SyntaxError, with the
// codes "old-workbook", "encrypted-workbook", "truncated", "workbook" (damaged, or
// none), "charset" and "too-large".
func OpenBook(name string, data []byte, o Options) (*Book, error) {
	b := &Book{name: name, data: data, lim: o.Limits.orDefault()}
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = b.openParts()
	case bytes.HasPrefix(data, []byte(compound)):
		err = &bookError{"old-workbook", "the file is a workbook in the form that was used until 2003; open it and save it as .xlsx"}
		if isEncrypted(data) {
			err = &bookError{"encrypted-workbook", "the workbook has a password; save it without one"}
		}
	case isSheetXML(data):
		err = &bookError{"old-workbook", "the file is a workbook in the XML that was used in 2003; open it and save it as .xlsx"}
	case isPage(data):
		err = b.openPage(o.Charset)
	default:
		err = &bookError{"workbook", "the file is no workbook; save it as .xlsx"}
	}
	if err != nil {
		return nil, b.fail(err)
	}
	return b, nil
}

// fail says why the workbook cannot be read.
func (b *Book) fail(err error) error {
	var known *bookError
	var syntax *record.SyntaxError
	switch {
	case errors.As(err, &known):
		return &record.SyntaxError{File: b.name, Code: known.code, Reason: known.reason}
	case errors.As(err, &syntax):
		syntax.File = b.name
	}
	return err
}

// isEncrypted reports whether a compound file says that it holds an encrypted one.
func isEncrypted(data []byte) bool {
	var name []byte
	for _, c := range utf16.Encode([]rune("EncryptedPackage")) {
		name = binary.LittleEndian.AppendUint16(name, c)
	}
	return bytes.Contains(data, name)
}

// Sheets returns the sheets in their order, hidden ones too.
func (b *Book) Sheets() []*Sheet { return b.sheets }

func (b *Book) openParts() error {
	p, err := openParts(b.data, b.lim)
	if err != nil {
		return err
	}
	b.parts = p
	root, err := p.relations("")
	if err != nil {
		return err
	}
	main := "xl/workbook.xml"
	for _, id := range slices.Sorted(maps.Keys(root)) {
		if r := root[id]; r.kind == "officeDocument" && p.has(r.target) {
			main = r.target
			break
		}
	}
	if !p.has(main) || !strings.HasSuffix(main, ".xml") {
		return &bookError{"workbook", "the file is no workbook that can be read; open it and save it as .xlsx"}
	}
	related, err := p.relations(main)
	if err != nil {
		return err
	}
	err = p.read(main, func(x *elements) error {
		for {
			kind, err := x.next()
			if err != nil {
				return err
			}
			if kind != startTag {
				continue
			}
			switch string(x.local()) {
			case "workbookPr":
				v, _ := x.attr("date1904")
				b.from1904 = string(v) == "1" || string(v) == "true"
			case "sheet":
				if err := b.addSheet(x, related); err != nil {
					return err
				}
			}
		}
	})
	if err != nil {
		return err
	}
	return b.readShared(related)
}

func (b *Book) addSheet(x *elements, related map[string]relation) error {
	if len(b.sheets) >= b.lim.MaxSheets {
		return tooLarge("the workbook has more than %d sheets", b.lim.MaxSheets)
	}
	name, err := x.attrText("name")
	if err != nil {
		return err
	}
	id, err := x.attrText("id")
	if err != nil {
		return err
	}
	r, ok := related[id]
	if ok && r.kind != "worksheet" {
		return nil // a chart, a dialog, macros of long ago
	}
	if !ok {
		return broken("a sheet is missing")
	}
	for _, s := range b.sheets {
		if s.part == r.target {
			return broken("two sheets are the same part")
		}
	}
	state, _ := x.attr("state")
	b.sheets = append(b.sheets, &Sheet{Name: name, Hidden: len(state) > 0 && string(state) != "visible", book: b, part: r.target})
	return nil
}

// readShared reads what all sheets use: their strings and number formats.
func (b *Book) readShared(related map[string]relation) error {
	b.strings = &texts{}
	readers := map[string]func(*elements) error{"sharedStrings": b.readStrings, "styles": b.readFormats}
	for _, id := range slices.Sorted(maps.Keys(related)) {
		r := related[id]
		if read := readers[r.kind]; read != nil {
			delete(readers, r.kind) // there is one of each
			if err := b.parts.read(r.target, read); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Book) readStrings(x *elements) error {
	var all []byte
	var ends []uint32
	defer func() { b.strings = &texts{all: string(all), ends: ends} }()
	for {
		kind, err := x.next()
		if err != nil {
			return err
		}
		if kind != startTag || string(x.local()) != "si" {
			continue
		}
		if all, err = appendRuns(all, x); err != nil {
			return err
		}
		ends = append(ends, uint32(len(all)))
	}
}

// appendRuns appends the text of a string item, which may stand in several runs. How
// its characters are read aloud is no part of it.
func appendRuns(b []byte, x *elements) ([]byte, error) {
	depth, from := x.depth(), len(b)
	inText := false
	for {
		kind, err := x.next()
		if err != nil {
			return b, err
		}
		switch {
		case kind == charData && inText:
			if b, err = appendText(b, x.data, x.cdata); err != nil {
				return b, err
			}
		case kind == startTag && string(x.local()) == "rPh":
			if err := x.skip(); err != nil {
				return b, err
			}
		case kind == startTag:
			inText = string(x.local()) == "t"
		case kind == endTag:
			inText = false
			if x.depth() < depth {
				return unescape(b, from), nil
			}
		}
	}
}

// unescape replaces _x000D_ and the like, by which workbooks write what XML cannot.
func unescape(b []byte, from int) []byte {
	if !bytes.Contains(b[from:], []byte("_x")) {
		return b
	}
	out := b[:from]
	for rest := b[from:]; len(rest) > 0; {
		if len(rest) >= 7 && rest[0] == '_' && rest[1] == 'x' && rest[6] == '_' {
			if n, err := strconv.ParseUint(string(rest[2:6]), 16, 16); err == nil && (n < 0xD800 || n >= 0xE000) {
				rest = rest[7:]
				if n == '\r' { // with or without a line feed behind it
					n = '\n'
					rest = bytes.TrimPrefix(rest, []byte("\n"))
				}
				out = append(out, string(rune(n))...) // never longer than what it stands for
				continue
			}
		}
		out, rest = append(out, rest[0]), rest[1:]
	}
	return out
}

// builtins is where the numbers of a workbook's own formats begin.
const builtins = 164

func (b *Book) readFormats(x *elements) error {
	own := map[int]*numberFormat{}
	for {
		kind, err := x.next()
		if err != nil {
			return err
		}
		if kind != startTag {
			continue
		}
		switch string(x.local()) {
		case "numFmt":
			id, err := x.number("numFmtId", 0)
			if err != nil {
				return err
			}
			code, err := x.attrText("formatCode")
			if err != nil {
				return err
			}
			own[id] = parseFormat(code)
		case "cellXfs":
			if err := b.readStyles(x, own); err != nil {
				return err
			}
		case "dxfs": // formats of conditions have numbers of their own
			if err := x.skip(); err != nil {
				return err
			}
		}
	}
}

func (b *Book) readStyles(x *elements, own map[int]*numberFormat) error {
	for depth := x.depth(); x.depth() >= depth; {
		kind, err := x.next()
		if err != nil {
			return err
		}
		if kind != startTag || string(x.local()) != "xf" {
			continue
		}
		id, err := x.number("numFmtId", 0)
		if err != nil {
			return err
		}
		f := own[id]
		if f == nil && id < builtins {
			if code := builtinFormat(id); code != "" {
				f = parseFormat(code)
				own[id] = f
			}
		}
		if f == nil {
			f = &numberFormat{}
			own[id] = f
		}
		b.formats = append(b.formats, f)
	}
	return nil
}
