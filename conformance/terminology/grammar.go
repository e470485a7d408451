package terminology

import (
	"context"
	"iter"
	"mime"
	"net/url"
	"strings"

	"golang.org/x/text/language"

	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// Systems whose codes follow a grammar.
const (
	UCUM      = "http://unitsofmeasure.org"
	Languages = "urn:ietf:bcp:47"
	MIMETypes = "urn:ietf:bcp:13"
	URIs      = "urn:ietf:rfc:3986"
)

// Grammar is a code system whose codes are made by rules, so that they cannot be listed.
type Grammar struct {
	about      Description
	parse      func(code string) (Concept, bool)
	properties map[string]func(code string) string
}

// NewGrammar returns the code system of the codes that parse accepts, which are compared as they are written.
func NewGrammar(about Description, parse func(code string) (Concept, bool)) *Grammar {
	about.Content, about.CaseSensitive, about.Count = Complete, true, Infinite
	return &Grammar{about: about, parse: parse}
}

// Describe tells what the code system is.
func (g *Grammar) Describe() *Description { return &g.about }

// Lookup reports whether the grammar makes a code.
func (g *Grammar) Lookup(_ context.Context, code string) (Concept, bool, error) {
	c, ok := g.parse(code)
	return c, ok, nil
}

// Details are the properties that a code's text gives it.
func (g *Grammar) Details(_ context.Context, code string) (Details, bool, error) {
	c, ok := g.parse(code)
	if !ok {
		return Details{}, false, nil
	}
	d := Details{Concept: c}
	for _, p := range g.about.Properties {
		if value := g.properties[p.Code](code); value != "" {
			d.Properties = append(d.Properties, Property{Code: p.Code, Type: p.Type, Value: value})
		}
	}
	return d, true, nil
}

// Subsumes reports whether the codes are the same: there is no hierarchy.
func (g *Grammar) Subsumes(_ context.Context, ancestor, code string) (bool, error) {
	_, okA := g.parse(ancestor)
	_, okC := g.parse(code)
	if !okA || !okC {
		return false, refuse(msgCodeUnknown, g.about.URL)
	}
	return ancestor == code, nil
}

// Select returns the codes that all filters accept. They can be asked for, not listed.
func (g *Grammar) Select(_ context.Context, q Query) (Selection, error) {
	s := &grammarSelection{g: g}
	for _, f := range q.Filters {
		value, ok := g.properties[f.Property]
		switch {
		case ok:
		case f.Property == "code" || f.Property == "concept":
			value = func(code string) string { return code }
		default:
			return nil, refuse(msgFilterOp, string(f.Op), f.Property, g.about.URL)
		}
		if f.Op == OpIsA && (f.Property == "code" || f.Property == "concept") {
			f.Op = OpEqual // without a hierarchy
		}
		t, err := newTest(f)
		if err != nil {
			return nil, err
		}
		if t == nil {
			return nil, refuse(msgFilterOp, string(f.Op), f.Property, g.about.URL)
		}
		if f.Op == OpEqual && g.about.URL == UCUM && f.Property == "canonical" {
			t.equal = canonicalUnit(f.Value)
		}
		s.tests = append(s.tests, func(code string) bool {
			t := *t // of this goroutine
			v := value(code)
			if f.Op == OpExists {
				return (v != "") == (f.Value == "true")
			}
			return t.holds(v) != (f.Op == OpNotIn)
		})
	}
	return s, nil
}

type grammarSelection struct {
	g     *Grammar
	tests []func(code string) bool
}

func (s *grammarSelection) Count() int { return Infinite }

func (s *grammarSelection) Has(_ context.Context, code string) (bool, error) {
	if _, ok := s.g.parse(code); !ok {
		return false, nil
	}
	for _, t := range s.tests {
		if !t(code) {
			return false, nil
		}
	}
	return true, nil
}

func (s *grammarSelection) From(context.Context, int) iter.Seq2[Concept, error] {
	return func(yield func(Concept, error) bool) { yield(Concept{}, refuse(msgSystemInfinite, s.g.about.URL)) }
}

// maxGrammarCode bounds codes of grammars; longer ones are none.
const maxGrammarCode = 1024

// grammars are the systems that FHIR names and whose codes are rules.
func grammars() map[string]CodeSystem {
	plain := func(valid func(string) bool) func(string) (Concept, bool) {
		return func(code string) (Concept, bool) {
			return Concept{Code: code}, code != "" && len(code) <= maxGrammarCode && valid(code)
		}
	}
	units := NewGrammar(Description{URL: UCUM, Name: "UCUM", Title: "Unified Code for Units of Measure", ValueSet: UCUM + "/vs",
		Properties: []PropertyDefinition{{Code: "canonical", Type: "string", Description: "the product of base units that can be compared"}}}, plain(ucum.Valid))
	units.properties = map[string]func(string) string{"canonical": canonicalUnit}
	return map[string]CodeSystem{
		UCUM:      units,
		Languages: NewGrammar(Description{URL: Languages, Name: "BCP47", Title: "Tags for Identifying Languages"}, plain(validLanguage)),
		MIMETypes: NewGrammar(Description{URL: MIMETypes, Name: "BCP13", Title: "MIME types"}, plain(validMIMEType)),
		URIs:      NewGrammar(Description{URL: URIs, Name: "URI", Title: "Uniform Resource Identifier"}, plain(validURI)),
	}
}

// canonicalUnit is the canonical form of a unit, "" if it has none.
func canonicalUnit(code string) string {
	if u, ok := ucum.Parse(code); ok {
		return u.Canonical()
	}
	return ""
}

// validLanguage reports whether a tag is well-formed and made of registered parts.
func validLanguage(code string) bool {
	if strings.Contains(code, "_") {
		return false // taken by the library, but not a tag
	}
	_, err := language.Raw.Parse(code)
	return err == nil
}

// validMIMEType reports whether a code is a type and a subtype, with parameters or without.
func validMIMEType(code string) bool {
	if strings.TrimSpace(code) != code {
		return false
	}
	typ, _, err := mime.ParseMediaType(code)
	main, sub, ok := strings.Cut(typ, "/")
	return err == nil && ok && main != "" && sub != "" && !strings.Contains(sub, "/")
}

// validURI reports whether a code is an absolute URI.
func validURI(code string) bool {
	u, err := url.Parse(code)
	return err == nil && u.IsAbs() && !strings.ContainsAny(code, " \t\r\n<>\"")
}
