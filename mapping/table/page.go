package table

import (
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/yilian/yilian/mapping/charset"
)

// isPage reports whether a file begins like a page of HTML: by its first element, for
// documents of XML have tables inside too.
func isPage(head []byte) bool {
	head = head[:min(len(head), headBytes)]
	if bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF")) {
		head = bytes.ReplaceAll(head[2:], []byte{0}, nil)
	}
	for {
		head = begin(head)
		end := ""
		switch {
		case bytes.HasPrefix(head, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(head, []byte("<?")):
			end = "?>"
		default:
			return pageTag.Match(head)
		}
		i := bytes.Index(head, []byte(end))
		if i < 0 {
			return false
		}
		head = head[i+len(end):]
	}
}

// pageTag is how a page begins, behind comments and a prolog, or what programs write of one.
var pageTag = regexp.MustCompile(`(?i)^<(?:!doctype\s+html|(?:html|head|meta|title|link|style|body|center|div|table)[\s/>])`)

// metaCharset is what a page says about its characters.
var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_-]{2,40})`)

// maxTables bounds how deep tables may stand in each other.
const maxTables = 50

// pageTable is a table of a page while it is read.
type pageTable struct {
	sheet  *Sheet
	out    gridBuilder
	row    int
	column int
	below  []int // of each column, rows that a cell above still covers
	inRow  bool
	inCell bool
	text   []byte
	width  int
	height int
}

// openPage reads the tables of a page of HTML, each as a sheet. The text of a cell is
// what a reader sees of it, but what its style makes of it: no style keeps a program
// from cutting the digits of a number.
func (b *Book) openPage(setting string) error {
	if len(b.data) > b.lim.MaxUnzipped {
		return tooLarge("the page has more than %d bytes", b.lim.MaxUnzipped)
	}
	o := charset.Options{Setting: setting}
	if m := metaCharset.FindSubmatch(b.data[:min(len(b.data), headBytes)]); m != nil {
		o.Declared = []string{string(m[1])}
	}
	text, err := charset.Decode(b.data, o)
	if err != nil {
		return err
	}
	b.text = charset.Decision{Charset: text.Charset, Issues: text.Issues}
	z := html.NewTokenizer(strings.NewReader(text.Text))
	z.SetMaxBuf(b.lim.MaxRowBytes)
	var open []*pageTable
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if errors.Is(z.Err(), html.ErrBufferExceeded) {
				return tooLarge("a text or tag has more than %d bytes", b.lim.MaxRowBytes)
			}
			if !errors.Is(z.Err(), io.EOF) {
				return z.Err()
			}
			break
		}
		var t *pageTable
		if len(open) > 0 {
			t = open[len(open)-1]
		}
		switch kind {
		case html.TextToken:
			if t != nil && t.inCell {
				if t.text = append(t.text, z.Text()...); len(t.text) > b.lim.MaxRowBytes {
					return tooLarge("a cell has more than %d bytes", b.lim.MaxRowBytes)
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attrs := z.TagName()
			switch tag := atom.Lookup(name); tag {
			case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Xmp, atom.Noscript, atom.Iframe, atom.Noembed, atom.Noframes:
				if kind == html.StartTagToken && z.Next() == html.TextToken {
					continue // what stands in it is no text of the page
				}
			case atom.Table:
				if len(open) >= maxTables {
					return tooLarge("tables stand more than %d deep in each other", maxTables)
				}
				if t, err = b.addTable(); err != nil {
					return err
				}
				open = append(open, t)
			case atom.Tr, atom.Td, atom.Th, atom.Br, atom.P, atom.Div, atom.Li:
				if t != nil {
					err = t.start(tag, z, attrs)
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch tag := atom.Lookup(name); {
			case t == nil:
			case tag == atom.Table:
				err = t.finish()
				open = open[:len(open)-1]
			case tag == atom.Td, tag == atom.Th:
				err = t.endCell()
			case tag == atom.Tr:
				err = t.endRow()
			}
		}
		if err != nil {
			return err
		}
	}
	for _, t := range open {
		if err := t.finish(); err != nil {
			return err
		}
	}
	if len(b.sheets) == 1 { // as spreadsheets call it when they open such a page
		name := b.name[strings.LastIndexAny(b.name, `/\`)+1:]
		b.sheets[0].Name = strings.TrimSuffix(name, path.Ext(name))
	}
	return nil
}

func (b *Book) addTable() (*pageTable, error) {
	if len(b.sheets) >= b.lim.MaxSheets {
		return nil, tooLarge("the page has more than %d tables", b.lim.MaxSheets)
	}
	s := &Sheet{Name: "Table" + strconv.Itoa(len(b.sheets)+1), book: b}
	b.sheets = append(b.sheets, s)
	return &pageTable{sheet: s, out: gridBuilder{lim: b.lim, cells: &b.cells}}, nil
}

func (t *pageTable) start(tag atom.Atom, z *html.Tokenizer, attrs bool) error {
	switch tag {
	case atom.Tr:
		return t.beginRow()
	case atom.Td, atom.Th:
		if !t.inRow {
			if err := t.beginRow(); err != nil {
				return err
			}
		}
		if err := t.endCell(); err != nil {
			return err
		}
		t.inCell, t.text = true, t.text[:0]
		t.width, t.height = 1, 1
		for attrs {
			var name, value []byte
			name, value, attrs = z.TagAttr()
			if n, err := strconv.Atoi(strings.TrimSpace(string(value))); err == nil && n > 1 {
				switch string(name) {
				case "colspan":
					t.width = min(n, maxColumn)
				case "rowspan":
					t.height = min(n, maxRow)
				}
			}
		}
	default:
		if t.inCell {
			t.text = append(t.text, lineBreak)
		}
	}
	return nil
}

// lineBreak stands in a cell's text for what begins a new line; a line feed is a blank.
const lineBreak = '\v'

func (t *pageTable) beginRow() error {
	if err := t.endRow(); err != nil {
		return err
	}
	t.row++
	t.inRow, t.column = true, 0
	return t.out.beginRow(t.row)
}

func (t *pageTable) endRow() error {
	err := t.endCell()
	if t.inRow {
		for i := range t.below {
			t.below[i] = max(t.below[i]-1, 0)
		}
	}
	t.inRow = false
	return err
}

func (t *pageTable) endCell() error {
	if !t.inCell {
		return nil
	}
	t.inCell = false
	for t.column < len(t.below) && t.below[t.column] > 0 {
		t.column++
	}
	if t.column >= maxColumn {
		return tooLarge("a row has more than %d cells", maxColumn)
	}
	left, right := t.column, min(t.column+t.width, maxColumn)-1
	t.column = right + 1
	if t.height > 1 {
		for len(t.below) <= right {
			t.below = append(t.below, 0)
		}
		for i := left; i <= right; i++ {
			t.below[i] = t.height
		}
	}
	if err := t.out.addText(gridCell{column: uint16(left)}, seen(t.text)); err != nil {
		return err
	}
	return t.out.merge(merged{top: t.row, bottom: min(t.row+t.height-1, maxRow), left: left, right: right})
}

// seen is a text as a page shows it: blanks are one, those at the ends of lines none.
func seen(text []byte) []byte {
	var out []byte
	for _, r := range string(text) {
		n := len(out)
		switch {
		case r == lineBreak:
			if out = bytes.TrimRight(out, " "); len(out) > 0 {
				out = append(out, '\n')
			}
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00A0':
			if n > 0 && out[n-1] != ' ' && out[n-1] != '\n' {
				out = append(out, ' ')
			}
		default:
			out = append(out, string(r)...)
		}
	}
	return bytes.TrimRight(out, " \n")
}

func (t *pageTable) finish() error {
	if err := t.endRow(); err != nil {
		return err
	}
	g, err := t.out.finish()
	t.sheet.grid = g
	return err
}
