package markup

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// prologBytes bounds where the end of an XML declaration is looked for.
const prologBytes = 512

var (
	declarationForm = regexp.MustCompile(`^<\?xml(\s+version\s*=\s*("[^"<]*"|'[^'<]*'))(\s+encoding\s*=\s*("[^"<]*"|'[^'<]*'))?(\s+standalone\s*=\s*("yes"|'yes'|"no"|'no'))?\s*\?>`)
	looseEncoding   = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*("[^"<]*"|'[^'<]*')`)
)

// declaredEncoding is what the prolog says; none when it says nothing. In UTF-16 every other byte of it is zero.
func declaredEncoding(doc []byte) []string {
	var head strings.Builder
	for _, c := range doc[:min(len(doc), 2*prologBytes)] {
		if c != 0 && c < 0x80 {
			head.WriteByte(c)
		}
	}
	if m := looseEncoding.FindStringSubmatch(strings.TrimLeft(head.String(), " \t\r\n")); m != nil {
		return []string{strings.TrimSpace(m[1][1 : len(m[1])-1])}
	}
	return nil
}

// prolog steps over the XML declaration and what white space senders put before it. It returns where the document begins.
func (p *xmlReader) prolog() (int, error) {
	start := len(p.text) - len(strings.TrimLeft(p.text, "\uFEFF \t\r\n"))
	rest := p.text[start:]
	if !strings.HasPrefix(rest, "<?xml") || len(rest) > 5 && !strings.ContainsRune(" \t\r\n?", rune(rest[5])) {
		return start, nil // an instruction whose name only begins so, or none
	}
	m := declarationForm.FindStringSubmatch(rest[:min(len(rest), prologBytes)])
	if m == nil {
		return 0, p.fail(start, codeProlog, "an XML declaration that is not one")
	}
	if version := m[2][1 : len(m[2])-1]; version != "1.0" {
		return 0, p.fail(start, codeProlog, "XML of another version than 1.0")
	}
	return start + len(m[0]), nil
}

// cursor knows the line and column of a place in the text. Asking for places in their order takes one pass.
type cursor struct {
	text   string
	place  place
	offset int
	line   int // of offset, from 1
	column int // of offset, in characters, from 0
}

// at returns the line and column of an offset in the file.
func (c *cursor) at(offset int) (line, column int) {
	offset = min(offset, len(c.text))
	if offset < c.offset {
		c.offset, c.line, c.column = 0, 1, 0
	}
	between := c.text[c.offset:offset]
	if i := strings.LastIndexAny(between, "\r\n"); i >= 0 {
		c.line += strings.Count(between, "\n")
		for j := 0; ; j++ { // a CR that no LF follows ends a line too
			k := strings.IndexByte(between[j:], '\r')
			if k < 0 {
				break
			}
			if j += k; c.offset+j+1 >= len(c.text) || c.text[c.offset+j+1] != '\n' {
				c.line++
			}
		}
		c.column = 0
		between = between[i+1:]
	}
	c.column += utf8.RuneCountInString(between)
	c.offset = offset
	return c.place.shift(c.line, c.column+1)
}
