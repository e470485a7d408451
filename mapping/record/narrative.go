package record

import (
	"cmp"
	"slices"
	"strings"
)

// blocks are elements of CDA's narrative and of HTML that stand on lines of their own; cells stand beside each other.
var (
	blocks = wordSet("paragraph list item table thead tbody tfoot tr caption title br p div ul ol li h1 h2 h3 h4 h5 h6 section text")
	cells  = wordSet("td th")
)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// Narrative returns the whole text of an XML element in the order of the document: paragraphs, items and rows on lines of
// their own, cells of a row with tabs between them. White space between words counts as one blank, except that a
// value keeps its lines. Attributes are no text. Of any other node it is Text.
func (n *Node) Narrative() string {
	if n.Kind() != Group {
		return tidy(n.Text())
	}
	var w narrator
	w.element(n)
	return strings.TrimRight(w.b.String(), " \t\n")
}

// narrator writes text with no more line ends than needed.
type narrator struct {
	b     strings.Builder
	blank bool // white space is due
	line  bool // a line end is due
	cells int  // in this row so far
}

func (w *narrator) element(n *Node) {
	kids := narrated(n)
	if len(kids) == 0 {
		w.write(tidy(n.Text()))
		return
	}
	mixed := slices.ContainsFunc(kids, func(k narratedKid) bool { return k.name == "#text" })
	for _, k := range kids {
		switch {
		case k.name == "#text":
			w.run(k.node.Text())
		case blocks[k.name]:
			w.line = true
			if k.name == "tr" {
				w.cells = 0
			}
			w.element(k.node)
			w.line = true
		case cells[k.name]:
			if w.cells++; w.cells > 1 {
				w.flush()
				w.b.WriteByte('\t')
			}
			w.blank = false
			w.element(k.node)
		default:
			w.blank = w.blank || !mixed // words of two elements are not one word
			w.element(k.node)
		}
	}
}

// run writes text between elements.
func (w *narrator) run(text string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		w.blank = w.blank || text != ""
		return
	}
	if strings.TrimLeft(text, " \t\r\n") != text {
		w.blank = true
	}
	w.write(strings.Join(words, " "))
	w.blank = strings.TrimRight(text, " \t\r\n") != text
}

func (w *narrator) write(text string) {
	if text == "" {
		return
	}
	w.flush()
	w.b.WriteString(text)
}

// flush writes what is due before a text.
func (w *narrator) flush() {
	switch {
	case w.b.Len() == 0, strings.HasSuffix(w.b.String(), "\t"):
	case w.line:
		w.b.WriteByte('\n')
	case w.blank:
		w.b.WriteByte(' ')
	}
	w.line, w.blank = false, false
}

type narratedKid struct {
	name string
	node *Node
}

// narrated are the elements and runs of text in n, in the order of the document, which lists of equal names hide.
func narrated(n *Node) []narratedKid {
	var out []narratedKid
	listed := false
	for _, k := range n.kids {
		if strings.HasPrefix(k.name, "@") {
			continue
		}
		listed = listed || k.kind == List
		for _, r := range k.Repetitions() {
			out = append(out, narratedKid{name: k.name, node: r})
		}
	}
	if listed {
		slices.SortStableFunc(out, func(a, b narratedKid) int {
			return cmp.Or(cmp.Compare(a.node.line, b.node.line), cmp.Compare(a.node.column, b.node.column))
		})
	}
	return out
}

// tidy trims a value and its lines; empty lines go.
func tidy(text string) string {
	if !strings.ContainsAny(text, "\r\n") {
		return strings.TrimSpace(text)
	}
	var out []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
