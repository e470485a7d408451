package xmltext

import "strings"

// The namespaces that are known without a declaration.
const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

func (s *Scanner) startTag() bool {
	begin := s.pos
	if len(s.open) == 0 && s.rooted {
		return s.fail(begin, "a second element behind the root")
	}
	if len(s.open) >= s.maxDepth {
		return s.failLimit(begin, "elements nested deeper than {1}", s.maxDepth)
	}
	name, end := s.qName(begin + 1)
	if end < 0 {
		return s.fail(begin, "a < that begins no tag")
	}
	outside := len(s.bindings)
	s.pos = end
	s.attrs = s.attrs[:0]
	for {
		at := s.pos
		s.space()
		if s.pos == len(s.src) {
			return s.fail(begin, "a tag without an end")
		}
		c := s.src[s.pos]
		if c == '>' || c == '/' {
			break
		}
		if s.pos == at {
			return s.fail(at, "a tag with something that is no attribute")
		}
		if !s.attribute(outside) {
			return false
		}
	}
	empty := s.src[s.pos] == '/'
	if empty {
		s.pos++
		if s.pos == len(s.src) || s.src[s.pos] != '>' {
			return s.fail(s.pos-1, "expected '/>'")
		}
	}
	s.pos++
	if !s.resolve(&name, begin) {
		return false
	}
	s.rooted = true
	s.open = append(s.open, element{name: name, bindings: outside})
	s.Kind, s.Name, s.Text, s.Begin, s.End = Start, name, "", begin, s.pos
	s.Attrs, s.Declares = s.attrs, s.bindings[outside:]
	s.closing = empty
	return true
}

// attribute reads one attribute; a declaration of a namespace goes to the bindings.
func (s *Scanner) attribute(outside int) bool {
	at := s.pos
	name, end := s.qName(at)
	if end < 0 {
		return s.fail(at, "a tag with something that is no attribute")
	}
	if len(s.attrs)+len(s.bindings)-outside >= MaxAttributes {
		return s.failLimit(at, "more than {1} attributes of one element", MaxAttributes)
	}
	s.pos = end
	s.space()
	if s.pos == len(s.src) || s.src[s.pos] != '=' {
		return s.fail(at, "an attribute without a value")
	}
	s.pos++
	s.space()
	value, ok := s.attributeValue()
	if !ok {
		return false
	}
	if name.Prefix == "xmlns" || name.Prefix == "" && name.Local == "xmlns" {
		return s.declare(name, value, at, outside)
	}
	s.attrs = append(s.attrs, Attr{Name: name, Value: value, Offset: at})
	return true
}

func (s *Scanner) declare(name Name, space string, at, outside int) bool {
	b := Binding{Space: space}
	if name.Prefix != "" {
		b.Prefix = name.Local
	}
	switch {
	case b.Prefix == "xmlns" || space == xmlnsSpace || (b.Prefix == "xml") != (space == xmlSpace):
		return s.fail(at, "a declaration of a namespace that is XML's own")
	case b.Prefix != "" && space == "":
		return s.fail(at, "a prefix declared for no namespace")
	case len(s.bindings) >= MaxNamespaces:
		return s.failLimit(at, "more than {1} namespaces declared", MaxNamespaces)
	}
	for _, other := range s.bindings[outside:] {
		if other.Prefix == b.Prefix {
			return s.fail(at, "a prefix declared twice by one element")
		}
	}
	s.bindings = append(s.bindings, b)
	return true
}

// resolve finds the namespaces of a tag's names.
func (s *Scanner) resolve(name *Name, at int) bool {
	var known bool
	if name.Space, known = s.Lookup(name.Prefix); !known {
		return s.fail(at, "the prefix of an element is declared nowhere")
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.Prefix != "" {
			if a.Space, known = s.Lookup(a.Prefix); !known {
				return s.fail(a.Offset, "the prefix of an attribute is declared nowhere")
			}
		}
		for _, other := range s.attrs[:i] {
			if other.Local == a.Local && other.Space == a.Space {
				return s.fail(a.Offset, "an attribute given twice")
			}
		}
	}
	return true
}

// Lookup returns the namespace a prefix stands for in the open element; the empty
// prefix is known even where it is not declared.
func (s *Scanner) Lookup(prefix string) (space string, known bool) {
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if s.bindings[i].Prefix == prefix {
			return s.bindings[i].Space, true
		}
	}
	if prefix == "xml" {
		return xmlSpace, true
	}
	return "", prefix == ""
}

func (s *Scanner) endTag() bool {
	begin := s.pos
	if len(s.open) == 0 {
		return s.fail(begin, "an end tag without a start tag")
	}
	name := &s.open[len(s.open)-1].name
	rest := s.src[begin+len("</"):]
	ok := true
	if name.Prefix != "" {
		if rest, ok = strings.CutPrefix(rest, name.Prefix); ok {
			rest, ok = strings.CutPrefix(rest, ":")
		}
	}
	if ok {
		rest, ok = strings.CutPrefix(rest, name.Local)
	}
	if !ok {
		return s.fail(begin, "an end tag that is not that of the open element")
	}
	s.pos = len(s.src) - len(rest)
	s.space()
	if s.pos == len(s.src) {
		return s.fail(begin, "a tag without an end")
	}
	if s.src[s.pos] != '>' {
		return s.fail(begin, "an end tag that is not that of the open element")
	}
	return s.close(begin, s.pos+1)
}

func (s *Scanner) close(begin, end int) bool {
	e := &s.open[len(s.open)-1]
	s.Kind, s.Name, s.Text, s.Begin, s.End = End, e.name, "", begin, end
	s.Attrs, s.Declares = nil, nil
	s.pos = end
	s.bindings = s.bindings[:e.bindings]
	s.open = s.open[:len(s.open)-1]
	return true
}
