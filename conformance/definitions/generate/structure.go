package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

const canonical = "http://hl7.org/fhir/StructureDefinition/"

type structureDefinition struct {
	URL, Name, Kind, Type, BaseDefinition, Derivation string
	Abstract                                          bool
	Context                                           []struct{ Type, Expression string }
	Snapshot                                          struct{ Element []elementDefinition }
}

type elementDefinition struct {
	ID             string
	Path           string
	Short          string
	FixedURI       string
	Min            int
	Max            string
	Base           struct{ Path string }
	Representation []string
	Type           []struct {
		Code          string
		Profile       []string
		TargetProfile []string
		Extension     []extension
	}
	ContentReference string
	Binding          *struct {
		Strength  string
		ValueSet  string
		Extension []extension
	}
	Constraint []struct {
		Key, Severity, Human, Expression, Source string
	}
	Condition        []string
	IsModifier       bool
	IsModifierReason string
	IsSummary        bool
	OrderMeaning     string
	MaxLength        int
	MeaningIfMissing string `json:"meaningWhenMissing"`
}

type extension struct {
	URL            string
	ValueURL       string `json:"valueUrl"`
	ValueString    string
	ValueCanonical string
}

func find(list []extension, name string) extension {
	for _, e := range list {
		if e.URL == canonical+name {
			return e
		}
	}
	return extension{}
}

// The kinds of structure the lookup knows. Of others, profiles and logical
// models, only the JSON is kept.
const (
	kindNone      = 0
	kindResource  = 3 // definitions.Resource; the other kinds of types lie between
	kindExtension = 4
)

// kind is the definitions.Kind of a type.
func (s *structureDefinition) kind() int {
	switch {
	case s.Derivation == "constraint" && s.Type == "Extension":
		return kindExtension
	case s.Derivation == "constraint":
		return kindNone
	}
	return map[string]int{"primitive-type": 1, "complex-type": 2, "resource": kindResource}[s.Kind]
}

func (s *structureDefinition) base() string { return strings.TrimPrefix(s.BaseDefinition, canonical) }

// record writes what definitions.decodeType reads. resources tells which
// target profiles are FHIR's own types.
func (s *structureDefinition) record(resources map[string]bool) ([]byte, error) {
	var w pack.Writer
	elements := s.Snapshot.Element
	if len(elements) == 0 {
		return nil, fmt.Errorf("%s has no snapshot", s.URL)
	}
	w.String(elements[0].Short)
	w.String(s.regex())

	type constraint struct{ key, severity, human, expression, source string }
	var constraints []constraint
	number := map[constraint]int{}
	uses := make([][]int, len(elements))
	for i, e := range elements {
		for _, c := range e.Constraint {
			k := constraint{c.Key, c.Severity, c.Human, c.Expression, strings.TrimPrefix(c.Source, s.URL)}
			if _, ok := number[k]; !ok {
				number[k] = len(constraints)
				constraints = append(constraints, k)
			}
			uses[i] = append(uses[i], number[k])
		}
	}
	w.Uint(len(constraints))
	for _, c := range constraints {
		for _, v := range []string{c.key, c.severity, c.human, c.expression, c.source} {
			w.String(v)
		}
	}
	w.Uint(len(elements))
	for i, e := range elements {
		if err := e.record(&w, uses[i], resources); err != nil {
			return nil, err
		}
	}
	return w.Bytes(), nil
}

// regex is the lexical form of a primitive, given on the type of its value.
func (s *structureDefinition) regex() string {
	for _, e := range s.Snapshot.Element {
		if e.Path == s.Type+".value" && len(e.Type) == 1 {
			return find(e.Type[0].Extension, "regex").ValueString
		}
	}
	return ""
}

func (e *elementDefinition) record(w *pack.Writer, constraints []int, resources map[string]bool) error {
	w.Uint(strings.Count(e.Path, "."))
	w.String(e.Path)
	w.String(e.Base.Path)
	w.String(e.Short)
	w.Uint(e.Min)
	most, err := maximum(e.Max)
	if err != nil {
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	w.Uint(most + 1)
	e.types(w, resources)
	w.String(strings.TrimPrefix(e.ContentReference, "#"))
	e.binding(w)
	w.Uint(len(constraints))
	for _, c := range constraints {
		w.Uint(c)
	}
	w.Strings(e.Condition)
	flags := 0
	for i, set := range []bool{
		e.IsModifier, e.IsSummary, slices.Contains(e.Representation, "xmlAttr"), slices.Contains(e.Representation, "xhtml"),
	} {
		if set {
			flags |= 1 << i
		}
	}
	w.Uint(flags)
	w.String(e.IsModifierReason)
	w.String(e.OrderMeaning)
	w.String(e.MeaningIfMissing)
	w.Uint(e.MaxLength)
	return nil
}

func (e *elementDefinition) types(w *pack.Writer, resources map[string]bool) {
	w.Uint(len(e.Type))
	for _, t := range e.Type {
		w.String(e.typeCode(t.Code, t.Extension))
		w.Strings(t.Profile)
		targets := slices.Clone(t.TargetProfile)
		for i, p := range targets {
			if name := strings.TrimPrefix(p, canonical); resources[name] {
				targets[i] = name
			}
		}
		w.Strings(targets)
	}
}

func (e *elementDefinition) binding(w *pack.Writer) {
	b := e.Binding
	w.Bool(b != nil)
	if b == nil {
		return
	}
	w.String(b.Strength)
	url, _, _ := strings.Cut(b.ValueSet, "|")
	w.String(url)
	upper, _, _ := strings.Cut(find(b.Extension, "elementdefinition-maxValueSet").ValueCanonical, "|")
	w.String(upper)
	w.String(find(b.Extension, "elementdefinition-bindingName").ValueString)
}

// typeCode names the FHIR type of an element. Ids and the values of
// primitives have FHIRPath's system types, with the FHIR type beside them;
// for a resource's id that says string, where the specification's text, and
// its limit of 64 characters, mean id.
func (e *elementDefinition) typeCode(code string, ext []extension) string {
	if e.Base.Path == "Resource.id" {
		return "id"
	}
	if strings.HasPrefix(code, "http://hl7.org/fhirpath/") {
		if t := find(ext, "structuredefinition-fhir-type").ValueURL; t != "" {
			return t
		}
		return "string" // the id of an xhtml element
	}
	return code
}

// maximum is the number in max, -1 for *.
func maximum(s string) (int, error) {
	if s == "*" {
		return -1, nil
	}
	return strconv.Atoi(s)
}
