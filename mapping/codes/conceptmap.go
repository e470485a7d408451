package codes

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Identity names the resources that show a table.
type Identity struct {
	ID        string // logical id; empty leaves it out
	URL       string // canonical URL of the ConceptMap
	Publisher string
}

type conceptMap struct {
	ResourceType string  `json:"resourceType"`
	ID           string  `json:"id,omitempty"`
	URL          string  `json:"url,omitempty"`
	Version      string  `json:"version"`
	Name         string  `json:"name"`
	Title        string  `json:"title"`
	Status       string  `json:"status"`
	Publisher    string  `json:"publisher,omitempty"`
	Description  string  `json:"description,omitempty"`
	Group        []group `json:"group,omitempty"`
}

type group struct {
	Source   string    `json:"source,omitempty"`
	Target   string    `json:"target,omitempty"`
	Element  []element `json:"element"`
	Unmapped *unmapped `json:"unmapped,omitempty"`
}

type element struct {
	Code    string          `json:"code"`
	Display string          `json:"display,omitempty"`
	Target  []targetElement `json:"target"`
}

type targetElement struct {
	Code        string `json:"code,omitempty"`
	Display     string `json:"display,omitempty"`
	Equivalence string `json:"equivalence"`
	Comment     string `json:"comment,omitempty"`
}

type unmapped struct {
	Mode    string `json:"mode"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

// ConceptMap returns the table as a FHIR R4 ConceptMap in JSON. Codes without a target stand in the first group, with the
// equivalence unmatched; aliases appear in the CodeSystem only.
func (t *Table) ConceptMap(id Identity) ([]byte, error) {
	m := conceptMap{
		ResourceType: "ConceptMap", ID: id.ID, URL: id.URL, Version: t.version, Name: t.computerName(), Title: t.title,
		Status: "active", Publisher: id.Publisher, Description: t.description,
	}
	at := map[string]int{}
	add := func(system string) *group {
		i, ok := at[system]
		if !ok {
			i = len(m.Group)
			at[system] = i
			m.Group = append(m.Group, group{Source: t.source, Target: system, Unmapped: t.unmappedIn(system)})
		}
		return &m.Group[i]
	}
	for _, e := range t.entries {
		if e.Target.Code != "" {
			g := add(e.Target.System)
			g.Element = append(g.Element, element{e.Code, e.Display,
				[]targetElement{{e.Target.Code, e.Target.Display, e.Equivalence, e.Comment}}})
		}
	}
	for _, e := range t.entries {
		if e.Target.Code == "" {
			var g *group
			if len(m.Group) > 0 {
				g = &m.Group[0]
			} else {
				g = add("")
			}
			g.Element = append(g.Element, element{e.Code, e.Display, []targetElement{{Equivalence: "unmatched", Comment: e.Comment}}})
		}
	}
	return encode(m)
}

// unmappedIn states the policy in the one way FHIR has: the code as it is, or a fixed one. Reject is the absence of both.
func (t *Table) unmappedIn(system string) *unmapped {
	switch {
	case t.unmapped == Keep:
		return &unmapped{Mode: "provided"}
	case t.unmapped == Default && t.fallback.System == system:
		return &unmapped{Mode: "fixed", Code: t.fallback.Code, Display: t.fallback.Display}
	}
	return nil
}

type codeSystem struct {
	ResourceType  string     `json:"resourceType"`
	ID            string     `json:"id,omitempty"`
	URL           string     `json:"url,omitempty"`
	Version       string     `json:"version"`
	Name          string     `json:"name"`
	Title         string     `json:"title"`
	Status        string     `json:"status"`
	Publisher     string     `json:"publisher,omitempty"`
	Description   string     `json:"description,omitempty"`
	CaseSensitive bool       `json:"caseSensitive"`
	Content       string     `json:"content"`
	Count         int        `json:"count"`
	Property      []property `json:"property,omitempty"`
	Concept       []concept  `json:"concept,omitempty"`
}

type property struct {
	Code string `json:"code"`
	URI  string `json:"uri"`
	Type string `json:"type"`
}

type concept struct {
	Code        string         `json:"code"`
	Display     string         `json:"display,omitempty"`
	Designation []designation  `json:"designation,omitempty"`
	Property    []conceptValue `json:"property,omitempty"`
}

type designation struct {
	Value string `json:"value"`
}

type conceptValue struct {
	Code      string `json:"code"`
	ValueCode string `json:"valueCode"`
}

// CodeSystem returns the table's own codes as a FHIR R4 CodeSystem in JSON; its canonical URL is the table's source.
// Aliases are designations, deprecated codes carry the property status.
func (t *Table) CodeSystem(id Identity) ([]byte, error) {
	s := codeSystem{
		ResourceType: "CodeSystem", ID: id.ID, URL: t.source, Version: t.version, Name: t.computerName(), Title: t.title,
		Status: "active", Publisher: id.Publisher, Description: t.description, CaseSensitive: true, Content: "complete",
		Count: len(t.entries),
	}
	for _, e := range t.entries {
		c := concept{Code: e.Code, Display: e.Display}
		for _, a := range e.Aliases {
			c.Designation = append(c.Designation, designation{a})
		}
		if e.Deprecated {
			c.Property = []conceptValue{{"status", "deprecated"}}
			if s.Property == nil {
				s.Property = []property{{"status", "http://hl7.org/fhir/concept-properties#status", "code"}}
			}
		}
		s.Concept = append(s.Concept, c)
	}
	return encode(s)
}

// computerName returns the table's name in the form that FHIR wants for names: a capital first, letters, digits, underscores.
func (t *Table) computerName() string {
	var b strings.Builder
	upper := true
	for _, c := range []byte(t.name) {
		switch {
		case c == '-' || c == '.':
			upper = true
			continue
		case b.Len() == 0 && c >= '0' && c <= '9':
			b.WriteByte('T')
		case upper && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		upper = false
		b.WriteByte(c)
	}
	if b.Len() == 0 {
		return "Table"
	}
	return b.String()
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
