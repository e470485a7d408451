package markup

import "encoding/xml"

// The namespaces that the reader knows.
const (
	spaceXML      = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS    = "http://www.w3.org/2000/xmlns/"
	spaceInstance = "http://www.w3.org/2001/XMLSchema-instance"
	spaceSOAP11   = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceSOAP12   = "http://www.w3.org/2003/05/soap-envelope"
)

// spaces are the namespaces in scope: for each prefix its declarations, the innermost last.
type spaces struct {
	bound map[string][]binding
	undo  []string // prefixes declared, in order
	marks []int    // how many of them when an element was opened
}

type binding struct {
	uri   string
	depth int // of the element that declares it, from 0
}

func (s *spaces) init() {
	s.bound = map[string][]binding{"xml": {{uri: spaceXML, depth: -1}}}
}

func (s *spaces) enter() { s.marks = append(s.marks, len(s.undo)) }

func (s *spaces) leave() {
	last := len(s.marks) - 1
	for _, prefix := range s.undo[s.marks[last]:] {
		s.bound[prefix] = s.bound[prefix][:len(s.bound[prefix])-1]
	}
	s.undo, s.marks = s.undo[:s.marks[last]], s.marks[:last]
}

// declaration reports whether an attribute declares a namespace.
func declaration(n xml.Name) bool { return n.Space == "xmlns" || n.Space == "" && n.Local == "xmlns" }

// declare takes an attribute that may be a declaration; it returns what is wrong with it.
func (s *spaces) declare(a xml.Attr, depth int) string {
	if !declaration(a.Name) {
		return ""
	}
	prefix := ""
	if a.Name.Space == "xmlns" {
		prefix = a.Name.Local
	}
	switch {
	case prefix == "xmlns" || a.Value == spaceXMLNS || (prefix == "xml") != (a.Value == spaceXML):
		return "a declaration of what XML keeps for itself"
	case prefix != "" && a.Value == "":
		return "a prefix declared as nothing"
	}
	s.bound[prefix] = append(s.bound[prefix], binding{uri: a.Value, depth: depth})
	s.undo = append(s.undo, prefix)
	return ""
}

// resolve puts the namespace in the place of a prefix; an attribute without one is in none.
func (p *xmlReader) resolve(n xml.Name, element bool) (xml.Name, bool) {
	if n.Space == "" && !element {
		return n, true
	}
	b := p.spaces.bound[n.Space]
	if len(b) == 0 {
		return n, n.Space == ""
	}
	p.soap.used(b[len(b)-1].depth)
	return xml.Name{Space: b[len(b)-1].uri, Local: n.Local}, true
}
