package fhirxml

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// declaration is what a narrative's first tag needs so that it stands for itself.
const declaration = ` xmlns="` + XHTML + `"`

// narrative reads the div that has just begun. Its text is the source's, byte by
// byte, if that means the same when it stands alone; otherwise the source's with
// the declaration that it inherits; otherwise, where it uses prefixes of elements
// around it, the same content written without them.
func (r *reader) narrative() (*fhir.Node, bool) {
	if !r.count() {
		return nil, false
	}
	line, column := r.s.Position(r.s.Begin)
	begin, depth := r.s.Begin, r.s.Depth()
	root := r.s.Name
	inherits := !slices.ContainsFunc(r.s.Declares, func(b xmltext.Binding) bool { return b.Prefix == "" })
	prefixed, foreign := false, false
	for r.s.Kind != xmltext.End || r.s.Depth() >= depth {
		if r.s.Kind == xmltext.Start {
			p, f := narrativeNames(&r.s.Token)
			prefixed = prefixed || p
			if f && !foreign {
				foreign = true
				if !r.issue(msgNarrativeForeign, "", "") {
					return nil, false
				}
			}
		}
		if !r.s.Next() {
			return nil, false
		}
	}
	text := r.s.Source()[begin:r.s.End]
	if inherits && root.Prefix == "" {
		text = "<div" + declaration + text[len("<div"):]
	}
	if prefixed && (root.Prefix != "" || !standsAlone(text)) {
		var ok bool
		if text, ok = withoutPrefixes(text, r.s.Bindings()); !ok {
			return nil, r.issue(msgNarrativeMalformed, "", "")
		}
	}
	return fhir.NewString(text).SetPosition(line, column), true
}

// narrativeNames reports whether a tag has a name with a prefix, but for XML's own,
// and one that is not XHTML's.
func narrativeNames(t *xmltext.Token) (prefixed, foreign bool) {
	prefixed, foreign = t.Name.Prefix != "", t.Name.Space != XHTML
	for _, a := range t.Attrs {
		if a.Prefix != "" && a.Prefix != "xml" {
			prefixed, foreign = true, true
		}
	}
	return prefixed, foreign
}

// maxNarrativeDepth bounds how deep the elements of a narrative nest.
const maxNarrativeDepth = fhir.DefaultMaxDepth

func standsAlone(text string) bool {
	s := xmltext.NewFragment(text, maxNarrativeDepth+1)
	for s.Next() {
		continue
	}
	return s.Err() == nil
}

// withoutPrefixes writes a narrative again so that no element has a prefix.
func withoutPrefixes(text string, around []xmltext.Binding) (string, bool) {
	s := xmltext.NewFragment(text, maxNarrativeDepth+1, around...)
	out := make([]byte, 0, len(text)+len(declaration))
	spaces := []string{""}
	for s.Next() {
		switch s.Kind {
		case xmltext.Start:
			out = append(append(out, '<'), s.Name.Local...)
			if s.Name.Space != spaces[len(spaces)-1] {
				out = appendAttribute(out, "xmlns", s.Name.Space)
			}
			spaces = append(spaces, s.Name.Space)
			out = appendAttributes(out, s.Attrs)
			if text[s.End-2] == '/' {
				out = append(out, "/>"...)
				spaces = spaces[:len(spaces)-1]
				s.Next() // its End
				continue
			}
			out = append(out, '>')
		case xmltext.End:
			spaces = spaces[:len(spaces)-1]
			out = append(append(append(out, "</"...), s.Name.Local...), '>')
		case xmltext.Text:
			out = xmltext.Escape(out, s.Text, false)
		default:
			out = append(out, text[s.Begin:s.End]...)
		}
	}
	return string(out), s.Err() == nil
}

func appendAttribute(out []byte, name, value string) []byte {
	out = append(append(append(out, ' '), name...), `="`...)
	return append(xmltext.Escape(out, value, true), '"')
}

// appendAttributes writes attributes, and for those of another namespace its
// declaration.
func appendAttributes(out []byte, attrs []xmltext.Attr) []byte {
	for i, a := range attrs {
		name := a.Local
		if a.Prefix != "" {
			name = a.Prefix + ":" + a.Local
		}
		if a.Prefix != "" && a.Prefix != "xml" &&
			!slices.ContainsFunc(attrs[:i], func(b xmltext.Attr) bool { return b.Prefix == a.Prefix }) {
			out = appendAttribute(out, "xmlns:"+a.Prefix, a.Space)
		}
		out = appendAttribute(out, name, a.Value)
	}
	return out
}

// writableNarrative returns a narrative's text as it can stand in a document, the
// message that says why it cannot otherwise.
func writableNarrative(text string) (string, fhir.Message, bool) {
	text = strings.Trim(text, " \t\r\n")
	s := xmltext.NewFragment(text, maxNarrativeDepth)
	if !s.Next() {
		return "", msgNarrativeMalformed, false
	}
	if s.Kind != xmltext.Start || s.Name.Local != "div" || s.Name.Prefix != "" || s.Name.Space != XHTML && s.Name.Space != "" {
		return "", msgNarrativeRoot, false
	}
	bare := s.Name.Space == ""
	if bare && len(s.Declares) > 0 { // it says that it is in no namespace, or has prefixes of its own
		return "", msgNarrativeRoot, false
	}
	end := 0
	for s.Next() {
		if s.Depth() == 0 {
			end = s.End
		}
	}
	switch {
	case s.Err() != nil:
		return "", msgNarrativeMalformed, false
	case end != len(text) || s.Kind != xmltext.End:
		return "", msgNarrativeRoot, false // something behind it
	case bare:
		text = "<div" + declaration + text[len("<div"):]
	}
	return text, fhir.Message{}, true
}
