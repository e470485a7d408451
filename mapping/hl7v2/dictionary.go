package hl7v2

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

var (
	//go:embed segments.txt
	segmentsText string
	//go:embed types.txt
	typesText string
)

// Segment describes a segment of the standard.
type Segment struct {
	ID     string
	Name   string
	Fields []Field // Fields[i] is field i+1
}

// Field describes a field of a segment.
type Field struct {
	Number  int
	Type    string // data type, "varies" where another field says it
	Repeats bool
	Name    string
}

// Type describes a data type.
type Type struct {
	ID         string
	Name       string
	Components []Component // none for a primitive type
}

// Component describes a component of a data type.
type Component struct {
	Type string
	Name string
}

// Field returns the description of a field, ok false when the segment has none of
// that number.
func (s *Segment) Field(number int) (Field, bool) {
	if number < 1 || number > len(s.Fields) {
		return Field{}, false
	}
	return s.Fields[number-1], true
}

// SegmentOf returns the description of a segment. Segments of the sender's own
// (Z..) and those that no structure of ours uses have none.
func SegmentOf(id string) (*Segment, bool) {
	s, ok := dictionary().segments[id]
	return s, ok
}

// TypeOf returns the description of a data type.
func TypeOf(id string) (*Type, bool) {
	t, ok := dictionary().types[id]
	return t, ok
}

// Describe says what stands at a place of a segment: a field, a component and a
// sub-component, 0 for those not asked for. name is "Administrative Sex" or
// "Patient Identifier List / Assigning Authority". A primitive is its own first
// component. The error says what does not exist; segments that are not known
// have no error and no name.
func Describe(segment string, field, component, subcomponent int) (name string, err error) {
	s, ok := SegmentOf(segment)
	if !ok {
		return "", nil
	}
	f, ok := s.Field(field)
	if !ok {
		return "", fmt.Errorf("%s-%d does not exist, %s has %d fields", segment, field, segment, len(s.Fields))
	}
	name, kind := f.Name, f.Type
	path := fmt.Sprintf("%s-%d", segment, field)
	for _, n := range []int{component, subcomponent} {
		if n == 0 || kind == "varies" {
			break
		}
		path += "." + strconv.Itoa(n)
		t, ok := TypeOf(kind)
		if !ok {
			break
		}
		if len(t.Components) == 0 {
			if n == 1 {
				continue
			}
			if n > 1 && segment == "OBX" && field == 3 && component == 1 { // 71020&GDT, 88304&IMP
				return name + " / Suffix", nil
			}
			return "", fmt.Errorf("%s does not exist, %s has no components", path, t.ID)
		}
		if n < 0 || n > len(t.Components) {
			return "", fmt.Errorf("%s does not exist, %s has %d components", path, t.ID, len(t.Components))
		}
		name, kind = name+" / "+t.Components[n-1].Name, t.Components[n-1].Type
	}
	return name, nil
}

type descriptions struct {
	segments map[string]*Segment
	types    map[string]*Type
}

var dictionary = sync.OnceValue(func() *descriptions {
	d, err := parseDictionary(segmentsText, typesText)
	if err != nil {
		panic("hl7v2: " + err.Error()) // a fault of the build; a test reads the tables
	}
	return d
})

func parseDictionary(segments, types string) (*descriptions, error) {
	d := &descriptions{segments: map[string]*Segment{}, types: map[string]*Type{}}
	for i, line := range strings.Split(types, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		id, rest, _ := strings.Cut(line, " ")
		name, components, composite := strings.Cut(rest, ": ")
		t := &Type{ID: id, Name: name}
		if composite {
			for _, c := range strings.Split(components, "; ") {
				kind, name, ok := strings.Cut(c, " ")
				if !ok {
					return nil, fmt.Errorf("types.txt:%d: a component is a type and a name", i+1)
				}
				t.Components = append(t.Components, Component{Type: kind, Name: name})
			}
		}
		if d.types[id] != nil {
			return nil, fmt.Errorf("types.txt:%d: %s is there already", i+1, id)
		}
		d.types[id] = t
	}
	for _, t := range d.types {
		for _, c := range t.Components {
			if d.types[c.Type] == nil {
				return nil, fmt.Errorf("types.txt: %s uses %s, which is not there", t.ID, c.Type)
			}
		}
	}
	var open *Segment
	for i, line := range strings.Split(segments, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		first, rest, _ := strings.Cut(line, " ")
		if number, err := strconv.Atoi(first); err == nil {
			kind, name, ok := strings.Cut(rest, " ")
			f := Field{Number: number, Type: strings.TrimSuffix(kind, "+"), Repeats: strings.HasSuffix(kind, "+"), Name: name}
			if open == nil || !ok || number != len(open.Fields)+1 || d.types[f.Type] == nil {
				return nil, fmt.Errorf("segments.txt:%d: expected the next field's number, a data type and a name", i+1)
			}
			open.Fields = append(open.Fields, f)
			continue
		}
		if !isSegmentID(first) || d.segments[first] != nil {
			return nil, fmt.Errorf("segments.txt:%d: %s is no new segment", i+1, first)
		}
		open = &Segment{ID: first, Name: rest}
		d.segments[first] = open
	}
	return d, nil
}
