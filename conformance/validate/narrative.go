package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// What a narrative may consist of (txt-1): the basic formatting of HTML 4.0,
// nothing that runs, loads or submits.
var (
	narrativeElements = set(`a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd
		dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody
		td tfoot th thead tr tt ul var`)
	narrativeAttributes = set(`abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing
		cellvalign char charoff charset cite class colspan compact coords dir frame headers height href hreflang
		hspace id lang longdesc name nohref nowrap rel rev rowspan rules scope shape span src start style summary
		tabindex title type usemap valign value vspace width xml:lang xml:space xmlns`)
	narrativeLinks = set(`href src cite longdesc usemap`)
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

const (
	xhtmlNamespace = "http://www.w3.org/1999/xhtml"
	// maxNarrative is how many bytes of a narrative are read.
	maxNarrative = 8 << 20
	// maxNarrativeDepth bounds how deep a narrative's elements nest.
	maxNarrativeDepth = 128
)

// checkNarrative tests a narrative's XHTML.
func checkNarrative(r *run, n *fhir.Node) {
	if len(n.Text()) > maxNarrative {
		r.fail(n, msgTooLong, itoa(maxNarrative))
		return
	}
	noteLinks(r, n.Text())
	if m, ok := scanNarrative(n.Text()); !ok {
		severity := fhir.Error
		if m == msgNarrativeEmpty && (!r.thorough || strings.Contains(n.Text(), "<!--")) {
			severity = fhir.Warning // nothing to read harms nobody, and a comment may say why
		}
		r.report(n, severity, m, "")
	}
}

// noteLinks notes the contained resources that images and links of a narrative
// name.
func noteLinks(r *run, s string) {
	if len(r.scope.contained) == 0 {
		return
	}
	for {
		i := strings.Index(s, "=\"#")
		if i < 0 {
			return
		}
		s = s[i+len("=\"#"):]
		id, _, _ := strings.Cut(s, "\"")
		r.scope.use(id)
	}
}

// scanNarrative reads an XHTML fragment and reports the first thing wrong.
func scanNarrative(s string) (message, bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "<div") {
		return msgNarrativeRoot, false
	}
	var open [maxNarrativeDepth]string
	depth, content, started := 0, false, false
	for s != "" {
		if s[0] != '<' {
			text, rest := s, ""
			if i := strings.IndexByte(s, '<'); i >= 0 {
				text, rest = s[:i], s[i:]
			}
			if depth == 0 || !wellFormedText(text) {
				return msgNarrativeMalformed, false
			}
			content = content || strings.TrimSpace(text) != ""
			s = rest
			continue
		}
		if rest, ok := strings.CutPrefix(s, "<!--"); ok && depth > 0 {
			_, after, found := strings.Cut(rest, "-->")
			if !found {
				return msgNarrativeMalformed, false
			}
			s = after
			continue
		}
		if rest, ok := strings.CutPrefix(s, "</"); ok {
			name, after := scanName(rest)
			after = strings.TrimLeft(after, " \t\r\n")
			if depth == 0 || open[depth-1] != name || after == "" || after[0] != '>' {
				return msgNarrativeMalformed, false
			}
			depth--
			s = after[1:]
			continue
		}
		if started && depth == 0 {
			return msgNarrativeMalformed, false
		}
		tag, m, ok := scanTag(s[1:])
		if !ok {
			return m, false
		}
		if !started && (tag.name != "div" || tag.namespace != xhtmlNamespace) {
			return msgNarrativeRoot, false
		}
		started = true
		content = content || tag.name == "img" && tag.source
		if !tag.closed {
			if depth == len(open) {
				return msgNarrativeMalformed, false
			}
			open[depth] = tag.name
			depth++
		}
		s = tag.rest
	}
	switch {
	case depth > 0:
		return msgNarrativeMalformed, false
	case !content:
		return msgNarrativeEmpty, false
	}
	return message{}, true
}

// tag is an opening or empty tag.
type tag struct {
	name, namespace string
	source          bool // has src
	closed          bool // <br/>
	rest            string
}

// scanTag reads a tag after its <.
func scanTag(s string) (tag, message, bool) {
	var t tag
	t.name, s = scanName(s)
	if t.name == "" {
		return t, msgNarrativeMalformed, false
	}
	if !narrativeElements[t.name] {
		return t, msgNarrativeElement, false
	}
	for {
		trimmed := strings.TrimLeft(s, " \t\r\n")
		if rest, ok := strings.CutPrefix(trimmed, "/>"); ok {
			t.closed, t.rest = true, rest
			return t, message{}, true
		}
		if rest, ok := strings.CutPrefix(trimmed, ">"); ok {
			t.rest = rest
			return t, message{}, true
		}
		if len(trimmed) == len(s) {
			return t, msgNarrativeMalformed, false // an attribute needs a space before it
		}
		name, rest := scanName(trimmed)
		rest = strings.TrimLeft(rest, " \t\r\n")
		if name == "" || rest == "" || rest[0] != '=' {
			return t, msgNarrativeMalformed, false
		}
		rest = strings.TrimLeft(rest[1:], " \t\r\n")
		if rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return t, msgNarrativeMalformed, false
		}
		value, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok || strings.IndexByte(value, '<') >= 0 || !wellFormedText(value) {
			return t, msgNarrativeMalformed, false
		}
		switch {
		case !narrativeAttributes[name]:
			return t, msgNarrativeAttribute, false
		case narrativeLinks[name] && runsScript(value):
			return t, msgNarrativeScript, false
		case name == "xmlns":
			t.namespace = value
		case name == "src":
			t.source = true
		}
		s = after
	}
}

// scanName reads the name of an element or attribute.
func scanName(s string) (name, rest string) {
	i := 0
	for i < len(s) && (letter(s[i]) || i > 0 && (digit(s[i]) || s[i] == ':' || s[i] == '-' || s[i] == '_' || s[i] == '.')) {
		i++
	}
	return s[:i], s[i:]
}

// wellFormedText reports whether every & begins an entity or character
// reference.
func wellFormedText(s string) bool {
	for {
		_, after, ok := strings.Cut(s, "&")
		if !ok {
			return true
		}
		name, rest, ok := strings.Cut(after, ";")
		if !ok || !reference(name) {
			return false
		}
		s = rest
	}
}

// maxEntity is longer than the name of any entity.
const maxEntity = 16

// reference reports whether name, written between & and ;, is a character
// reference or an entity of XML. Those of HTML need a DTD, which a narrative
// cannot have.
func reference(name string) bool {
	if name == "" || len(name) > maxEntity {
		return false
	}
	if hex, ok := strings.CutPrefix(name, "#x"); ok {
		for i := range len(hex) {
			if !hexDigit(hex[i]) {
				return false
			}
		}
		return hex != ""
	}
	if number, ok := strings.CutPrefix(name, "#"); ok {
		return digits(number)
	}
	return name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos"
}

// maxScheme is enough of a link to tell what it is.
const maxScheme = 32

// runsScript reports whether a link leads to a script. Browsers ignore white
// space and control characters in the scheme, and resolve references in it, so
// a reference there is not trusted.
func runsScript(link string) bool {
	var start []byte
	for i := 0; i < len(link) && len(start) < maxScheme; i++ {
		if c := link[i]; c > ' ' {
			start = append(start, c)
		}
	}
	head := strings.ToLower(string(start))
	i := strings.IndexAny(head, ":&/?#")
	if i < 0 {
		return false
	}
	switch head[i] {
	case '&':
		return true
	case ':':
		scheme, rest := head[:i], head[i+1:]
		return scheme == "javascript" || scheme == "vbscript" ||
			scheme == "data" && (!strings.HasPrefix(rest, "image/") || strings.HasPrefix(rest, "image/svg"))
	}
	return false
}
