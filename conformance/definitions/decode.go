package definitions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

// The readers here and the writers in generate/record.go are two sides of one
// layout and change together, with pack.Magic.

// kindExtension marks the definition of an extension in the index.
const kindExtension Kind = 4

// open reads the index.
func open(data []byte) (*Definitions, error) {
	f, err := pack.Open(data)
	if err != nil {
		return nil, err
	}
	r := pack.NewReader(f.Index())
	version, n := r.String(), r.Count()
	large := n / 3 // about as many as there are of the most frequent kinds
	d := &Definitions{
		version:    version,
		file:       f,
		types:      make(map[string]*slot[Type], large/4),
		extensions: make(map[string]*slot[Extension], large/4),
		valueSets:  make(map[string]*slot[ValueSet], large),
		systems:    make(map[string]*slot[CodeSystem], large),
		params:     make(map[string]*slot[SearchParameter], large),
		comps:      map[string]*slot[Compartment]{},
		sources:    map[string]map[string]span{},
		search:     make(map[string]map[string]*slot[SearchParameter], large/4),
	}
	offset := 0
	next := func() span {
		s := span{offset, r.Uint()}
		offset += s.size
		return s
	}
	for range n {
		e := entry{kind: r.String(), name: r.String(), url: r.String(), compact: next()}
		if d.sources[e.kind] == nil {
			d.sources[e.kind] = make(map[string]span, large/2)
		}
		d.sources[e.kind][e.url] = next()
		switch e.kind {
		case "StructureDefinition":
			e.typeKind, e.typeAbstract, e.typeBase = Kind(r.Uint()), r.Bool(), r.String()
			switch e.typeKind {
			case 0: // a profile or logical model, there is only its JSON
			case kindExtension:
				d.extensions[e.url] = &slot[Extension]{entry: e}
			default:
				d.types[e.name] = &slot[Type]{entry: e}
				d.names = append(d.names, e.name)
			}
		case "ValueSet":
			d.valueSets[e.url] = &slot[ValueSet]{entry: e}
		case "CodeSystem":
			d.systems[e.url] = &slot[CodeSystem]{entry: e}
		case "CompartmentDefinition":
			d.comps[e.name] = &slot[Compartment]{entry: e}
		case "SearchParameter":
			s := &slot[SearchParameter]{entry: e}
			d.params[e.url] = s
			for range r.Count() {
				base := r.String()
				if d.search[base] == nil {
					d.search[base] = map[string]*slot[SearchParameter]{}
				}
				d.search[base][e.name] = s
			}
		}
	}
	slices.Sort(d.names)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	if offset != f.Size() {
		return nil, fmt.Errorf("read index: %w", pack.ErrCorrupt)
	}
	return d, nil
}

func decodeType(d *Definitions, s *slot[Type], r *pack.Reader) *Type {
	t := &Type{
		Name: s.name, URL: s.url, Kind: s.typeKind, Abstract: s.typeAbstract, Base: s.typeBase,
		Short: r.String(), Regex: r.String(),
	}
	constraints := make([]Constraint, r.Count())
	for i := range constraints {
		constraints[i] = Constraint{
			Key: r.String(), Severity: r.String(), Human: r.String(), Expression: r.String(), Source: r.String(),
		}
	}
	n := r.Count()
	elements := make([]Element, n)
	t.elements = make([]*Element, n)
	var above []*Element // the open path
	for i := range elements {
		e := &elements[i]
		t.elements[i] = e
		e.owner, e.defs = t, d
		depth := decodeElement(e, r, constraints)
		if depth > len(above) {
			r.Fail()
			return t
		}
		above = append(above[:depth], e)
		if depth > 0 {
			parent := above[depth-1]
			parent.children = append(parent.children, e)
		}
	}
	if n == 0 {
		r.Fail()
		return t
	}
	t.root = t.elements[0]
	byPath := make(map[string]*Element, n)
	for _, e := range t.elements {
		byPath[e.Path] = e
	}
	for _, e := range t.elements {
		if e.ContentReference == "" {
			continue
		}
		if e.target = byPath[e.ContentReference]; e.target == nil {
			r.Fail()
			return t
		}
	}
	for _, e := range t.elements {
		if len(e.children) > 0 || e == t.root {
			e.shape = newShape(e.children)
		}
	}
	return t
}

// decodeElement reads one element and returns its depth below the root.
func decodeElement(e *Element, r *pack.Reader, constraints []Constraint) int {
	depth := r.Uint()
	e.Path, e.Base = r.String(), r.String()
	e.Name = e.Path[strings.LastIndexByte(e.Path, '.')+1:]
	e.Short = r.String()
	e.Min, e.Max = r.Uint(), r.Uint()-1
	e.Types = decodeTypeRefs(r)
	e.ContentReference = r.String()
	e.Binding = decodeBinding(r)
	if n := r.Count(); n > 0 {
		e.Constraints = make([]*Constraint, n)
		for i := range e.Constraints {
			k := r.Uint()
			if k >= len(constraints) {
				r.Fail()
				return depth
			}
			e.Constraints[i] = &constraints[k]
		}
	}
	e.Conditions = r.Strings()
	flags := r.Uint()
	e.IsModifier = flags&1 != 0
	e.IsSummary = flags&2 != 0
	e.XMLAttr = flags&4 != 0
	e.XHTML = flags&8 != 0
	e.ModifierReason, e.Ordered, e.MeaningIfMissing = r.String(), r.String(), r.String()
	e.MaxLength = r.Uint()
	return depth
}

func decodeTypeRefs(r *pack.Reader) []TypeRef {
	n := r.Count()
	if n == 0 {
		return nil
	}
	out := make([]TypeRef, n)
	for i := range out {
		out[i] = TypeRef{Code: r.String(), Profiles: r.Strings(), Targets: r.Strings()}
	}
	return out
}

func decodeBinding(r *pack.Reader) *Binding {
	if !r.Bool() {
		return nil
	}
	return &Binding{Strength: r.String(), ValueSet: r.String(), Max: r.String(), Name: r.String()}
}

func decodeExtension(_ *Definitions, s *slot[Extension], r *pack.Reader) *Extension {
	e := &Extension{Name: s.name, Modifier: r.Bool(), Contexts: r.Strings()}
	decodePart(e, r, 0)
	return e
}

// maxParts bounds how deep the parts of an extension nest.
const maxParts = 8

func decodePart(e *Extension, r *pack.Reader, depth int) {
	e.URL, e.Short = r.String(), r.String()
	e.Min, e.Max = r.Uint(), r.Uint()-1
	e.ValueRequired = r.Bool()
	e.Types = decodeTypeRefs(r)
	e.Binding = decodeBinding(r)
	n := r.Count()
	if n > 0 && depth == maxParts {
		r.Fail()
		return
	}
	for range n {
		p := &Extension{}
		decodePart(p, r, depth+1)
		e.Parts = append(e.Parts, p)
	}
}

func decodeCodeSystem(_ *Definitions, s *slot[CodeSystem], r *pack.Reader) *CodeSystem {
	c := &CodeSystem{
		URL: s.url, Name: r.String(), Title: r.String(), Version: r.String(),
		CaseSensitive: r.Bool(), Complete: r.Bool(),
	}
	n := r.Count()
	c.concepts = make([]Concept, n)
	c.parents = make([][]int, n)
	c.byCode = make(map[string]int, n)
	for i := range c.concepts {
		k := Concept{System: s.url, Code: r.String(), Display: r.String()}
		flags := r.Uint()
		k.Abstract, k.Inactive = flags&1 != 0, flags&2 != 0
		for range r.Count() {
			p := r.Uint()
			if p >= n {
				r.Fail()
				return c
			}
			c.parents[i] = append(c.parents[i], p)
		}
		c.concepts[i] = k
		c.byCode[k.Code] = i
	}
	return c
}

// decodeValueSet joins the parts of a value set: whole code systems, and lists
// of codes whose text, unless given, is that of their code system.
func decodeValueSet(d *Definitions, s *slot[ValueSet], r *pack.Reader) *ValueSet {
	v := &ValueSet{URL: s.url, Name: r.String(), Title: r.String(), Version: r.String(), Open: r.Strings()}
	v.Complete = len(v.Open) == 0
	for range r.Count() {
		system, whole := r.String(), r.Bool()
		cs := d.CodeSystem(system)
		if whole {
			if cs == nil {
				r.Fail()
				return v
			}
			v.concepts = append(v.concepts, cs.concepts...)
			continue
		}
		for range r.Count() {
			k := Concept{System: system, Code: r.String()}
			display := r.String()
			if cs != nil {
				if known, ok := cs.Lookup(k.Code); ok {
					k = known
				}
			}
			if display != "" {
				k.Display = display
			}
			v.concepts = append(v.concepts, k)
		}
	}
	v.bySystem = map[string]map[string]int{}
	v.byCode = make(map[string]int, len(v.concepts))
	for i, k := range v.concepts {
		if v.bySystem[k.System] == nil {
			v.bySystem[k.System] = map[string]int{}
		}
		if _, ok := v.bySystem[k.System][k.Code]; !ok {
			v.bySystem[k.System][k.Code] = i
		}
		if _, ok := v.byCode[k.Code]; !ok {
			v.byCode[k.Code] = i
		}
	}
	return v
}

func decodeSearchParameter(_ *Definitions, s *slot[SearchParameter], r *pack.Reader) *SearchParameter {
	p := &SearchParameter{
		URL: s.url, Code: s.name, ID: r.String(), Type: r.String(), Base: r.Strings(),
		Expression: r.String(), Description: r.String(), Targets: r.Strings(),
		Comparators: r.Strings(), Modifiers: r.Strings(), Chains: r.Strings(),
		MultipleOr: r.Bool(), MultipleAnd: r.Bool(),
	}
	for range r.Count() {
		p.Components = append(p.Components, Component{Definition: r.String(), Expression: r.String()})
	}
	return p
}

func decodeCompartment(_ *Definitions, s *slot[Compartment], r *pack.Reader) *Compartment {
	c := &Compartment{Code: s.name, URL: s.url, params: map[string][]string{}}
	for range r.Count() {
		name := r.String()
		if codes := r.Strings(); len(codes) > 0 {
			c.params[name] = codes
			c.types = append(c.types, name)
		}
	}
	slices.Sort(c.types)
	return c
}
