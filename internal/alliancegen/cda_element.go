package alliancegen

import (
	"fmt"
	"slices"
	"strings"
)

// element is an XML element to be written. Attributes are names and values by turns;
// children are elements, texts, CDATA and comments in order.
type element struct {
	name       string
	attributes []string
	children   []any
}

type (
	comment string
	cdata   string
)

// xe makes an element with children; has gives it attributes.
func xe(name string, children ...any) *element { return &element{name: name, children: children} }

// has adds attributes.
func (e *element) has(pairs ...string) *element {
	e.attributes = append(e.attributes, pairs...)
	return e
}

// add appends children.
func (e *element) add(children ...any) *element {
	e.children = append(e.children, children...)
	return e
}

var (
	escapeText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	escapeAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;")
)

// write renders the element. An element with text stands on one line, so that no
// blank is added to what it says.
func (e *element) write(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s<%s", indent, e.name)
	for i := 0; i+1 < len(e.attributes); i += 2 {
		fmt.Fprintf(b, ` %s="%s"`, e.attributes[i], escapeAttribute.Replace(e.attributes[i+1]))
	}
	if len(e.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	inline := slices.ContainsFunc(e.children, func(c any) bool {
		switch c.(type) {
		case string, cdata:
			return true
		}
		return false
	})
	for _, c := range e.children {
		switch c := c.(type) {
		case *element:
			if c == nil {
				continue
			}
			if inline {
				c.write(b, "")
			} else {
				b.WriteByte('\n')
				c.write(b, indent+" ")
			}
		case comment:
			if !inline {
				b.WriteString("\n" + indent + " ")
			}
			fmt.Fprintf(b, "<!-- %s -->", string(c))
		case string:
			b.WriteString(escapeText.Replace(c))
		case cdata:
			fmt.Fprintf(b, "<![CDATA[%s]]>", string(c))
		default:
			panic(fmt.Sprintf("alliancegen: no XML for %T", c))
		}
	}
	if !inline {
		b.WriteString("\n" + indent)
	}
	fmt.Fprintf(b, "</%s>", e.name)
}

// document renders a whole document whose prolog names an encoding.
func (e *element) document(encoding string, comments ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"%s\"?>\n", encoding)
	for _, c := range comments {
		fmt.Fprintf(&b, "<!-- %s -->\n", c)
	}
	e.write(&b, "")
	b.WriteByte('\n')
	return b.String()
}

// narrative is the text of a section: lines, or a table with a heading.
type narrative struct {
	rows  [][]string
	table bool
}

func lines(text ...string) narrative {
	var n narrative
	for _, t := range text {
		for line := range strings.SplitSeq(t, "\n") {
			n.rows = append(n.rows, []string{line})
		}
	}
	return n
}

// plain is the text as a reader sees it.
func (n narrative) plain() string {
	var out []string
	for _, row := range n.rows {
		out = append(out, strings.TrimRight(strings.Join(row, " "), " "))
	}
	return strings.Join(out, "\n")
}

// Ways of writing lines down.
const (
	inParagraphs = iota
	withBreaks
	inList
	inContent
)

func (n narrative) text(form int) *element {
	text := xe("text")
	if n.table {
		row := func(cell string, cells []string) *element {
			tr := xe("tr")
			for _, c := range cells {
				tr.add(xe(cell).add(texts(c)...))
			}
			return tr
		}
		body := xe("tbody")
		for _, r := range n.rows[1:] {
			body.add(row("td", r))
		}
		return text.add(xe("table", xe("thead", row("th", n.rows[0])), body).has("border", "1"))
	}
	switch form {
	case withBreaks:
		p := xe("paragraph")
		for i, r := range n.rows {
			if i > 0 {
				p.add(xe("br"))
			}
			p.add(r[0])
		}
		return text.add(p)
	case inList:
		list := xe("list")
		for _, r := range n.rows {
			list.add(xe("item", r[0]))
		}
		return text.add(list)
	case inContent:
		for _, r := range n.rows {
			text.add(xe("paragraph", xe("content", r[0]).has("styleCode", "Bold"), ""))
		}
		return text
	}
	if len(n.rows) == 1 {
		return text.add(n.rows[0][0])
	}
	for _, r := range n.rows {
		text.add(xe("paragraph", r[0]))
	}
	return text
}

// texts is the children of an element that may be empty.
func texts(s string) []any {
	if s == "" {
		return nil
	}
	return []any{s}
}
