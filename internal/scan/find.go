package scan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// holds tells whether a condition holds for a resource.
type holds func(*Resource) bool

// Find returns what a search of a type must find: all that every condition of the query holds for. What only shapes
// the answer – _sort, _count, _total, _elements, _include, _revinclude – is left out.
func (w *World) Find(typ, query string) ([]*Resource, error) {
	all, err := w.conditions(typ, query)
	if err != nil {
		return nil, err
	}
	var out []*Resource
	for _, r := range w.byType[typ] {
		if !slices.ContainsFunc(all, func(h holds) bool { return !h(r) }) {
			out = append(out, r)
		}
	}
	return out, nil
}

var shapes = []string{"_sort", "_count", "_total", "_elements", "_summary", "_include", "_revinclude"}

func (w *World) conditions(typ, query string) ([]holds, error) {
	var all []holds
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		bare, _, _ := strings.Cut(name, ":")
		if name == "" || slices.Contains(shapes, bare) {
			continue
		}
		h, err := w.condition(typ, name, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pair, err)
		}
		all = append(all, h)
	}
	return all, nil
}

func (w *World) condition(typ, name, value string) (holds, error) {
	if rest, ok := strings.CutPrefix(name, "_has:"); ok {
		return w.has(rest, value)
	}
	if head, rest, ok := strings.Cut(name, "."); ok {
		return w.chain(typ, head, rest, value)
	}
	code, modifier, _ := strings.Cut(name, ":")
	p, err := parameter(typ, code)
	if err != nil {
		return nil, err
	}
	if modifier == "missing" {
		return func(r *Resource) bool { return p.present(r) == (value == "false") }, nil
	}
	var any []holds
	for _, one := range split(value, ',') {
		h, err := w.alternative(p, modifier, one)
		if err != nil {
			return nil, err
		}
		any = append(any, h)
	}
	return func(r *Resource) bool {
		found := slices.ContainsFunc(any, func(h holds) bool { return h(r) })
		return found != (modifier == "not")
	}, nil
}

// present reports whether a parameter is not missing. A reference into the resource itself is no value, and an element
// is none of a composite that has not all of its components; whether somebody died is always told.
func (p *Parameter) present(r *Resource) bool {
	return p.Kind == "deceased" || slices.ContainsFunc(p.Values(r), func(v any) bool {
		switch p.Kind {
		case "reference":
			return text(v, "identifier", "value") != "" || text(v, "reference") != "" && !strings.HasPrefix(text(v, "reference"), "#")
		case "composite":
			return !slices.ContainsFunc(p.Parts, func(part [2]string) bool { return len(anyOf(v, part[1])) == 0 })
		}
		return true
	})
}

// alternative is the condition of one of the values between commas.
func (w *World) alternative(p *Parameter, modifier, value string) (holds, error) {
	switch p.Kind {
	case "composite":
		return w.composite(p, value)
	case "deceased": // Patient.deceased.exists() and Patient.deceased != false
		return func(r *Resource) bool {
			dead := slices.ContainsFunc(p.Values(r), func(v any) bool { return text(v) != "false" })
			return value == fmt.Sprint(dead)
		}, nil
	}
	fits, err := w.test(p.Kind, p.System, modifier, value)
	if err != nil {
		return nil, err
	}
	return func(r *Resource) bool { return slices.ContainsFunc(p.Values(r), fits) }, nil
}

// test tells of one element whether it has the value that is asked for.
func (w *World) test(kind, system, modifier, value string) (func(any) bool, error) {
	switch kind {
	case "token":
		return tokenTest(system, modifier, value)
	case "string":
		return stringTest(modifier, unescape(value))
	case "date":
		return w.dateTest(value)
	case "quantity":
		return quantityTest(value)
	case "number":
		return numberTest(value)
	case "reference":
		return w.referenceTest(modifier, value)
	case "uri":
		return uriTest(modifier, unescape(value))
	case "canonical":
		return canonicalTest(unescape(value)), nil
	case "near":
		return nearTest(value)
	}
	return nil, fmt.Errorf("no test of a %s", kind)
}

// composite asks for an element that has all of the values.
func (w *World) composite(p *Parameter, value string) (holds, error) {
	values := split(value, '$')
	if len(values) != len(p.Parts) {
		return nil, fmt.Errorf("%d values of a composite of %d", len(values), len(p.Parts))
	}
	var tests []func(any) bool
	for i, part := range p.Parts {
		fits, err := w.test(part[0], "", "", values[i])
		if err != nil {
			return nil, err
		}
		tests = append(tests, func(element any) bool { return slices.ContainsFunc(anyOf(element, part[1]), fits) })
	}
	return func(r *Resource) bool {
		return slices.ContainsFunc(p.Values(r), func(element any) bool {
			return !slices.ContainsFunc(tests, func(fits func(any) bool) bool { return !fits(element) })
		})
	}, nil
}

// anyOf returns the values at several paths, with commas between.
func anyOf(v any, paths string) (out []any) {
	for path := range strings.SplitSeq(paths, ",") {
		out = append(out, at(v, path)...)
	}
	return out
}

// split cuts text at a separator that no backslash stands before; the backslashes stay.
func split(text string, separator byte) []string {
	var out []string
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case separator:
			out, from = append(out, text[from:i]), i+1
		}
	}
	return append(out, text[from:])
}

var escapes = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`)

func unescape(text string) string { return escapes.Replace(text) }

// Escape writes a text so that it is one value.
func Escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(text)
}
