package main

import (
	"encoding/json"
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
	Snapshot                                          struct{ Element []elementDefinition }
}

type elementDefinition struct {
	Path           string
	Short          string
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

// kind is definitions.Kind of a type the lookup knows; zero for profiles,
// extensions and logical models, of which only the JSON is kept.
func (s *structureDefinition) kind() int {
	if s.Derivation == "constraint" {
		return 0
	}
	return map[string]int{"primitive-type": 1, "complex-type": 2, "resource": 3}[s.Kind]
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
	w.String(strings.TrimPrefix(e.ContentReference, "#"))
	w.Bool(e.Binding != nil)
	if b := e.Binding; b != nil {
		w.String(b.Strength)
		url, _, _ := strings.Cut(b.ValueSet, "|")
		w.String(url)
		upper, _, _ := strings.Cut(find(b.Extension, "elementdefinition-maxValueSet").ValueCanonical, "|")
		w.String(upper)
		w.String(find(b.Extension, "elementdefinition-bindingName").ValueString)
	}
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

// unread are the parts of definitions nobody here reads: at the top, and in
// the concepts of code systems (translations of the HL7 v2 tables).
var (
	unread        = []string{"text", "differential", "contact"}
	unreadConcept = []string{"designation", "extension"}
)

// slim is the JSON of a definition without the unread parts.
func slim(data []byte, kind string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	for _, name := range unread {
		delete(fields, name)
	}
	if concepts := fields["concept"]; concepts != nil && kind == "CodeSystem" {
		var err error
		if fields["concept"], err = slimConcepts(concepts); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fields)
}

func slimConcepts(data []byte) ([]byte, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	for _, c := range list {
		for _, name := range unreadConcept {
			delete(c, name)
		}
		if below := c["concept"]; below != nil {
			var err error
			if c["concept"], err = slimConcepts(below); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(list)
}
