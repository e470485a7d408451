package scan

import (
	"fmt"
	"slices"
	"strings"
)

// target returns the key of the stored resource that a Reference names, "" if it names none here.
func (w *World) target(v any) string {
	key := strings.TrimPrefix(text(v, "reference"), w.Base)
	key, _, _ = strings.Cut(key, "/_history/")
	if strings.HasPrefix(key, "#") || strings.Contains(key, ":") {
		return ""
	}
	return key
}

// referenceTest reads Type/id, an id alone, an address here, or with :identifier a token; a modifier may name the type.
func (w *World) referenceTest(modifier, value string) (func(any) bool, error) {
	if modifier == "identifier" {
		fits, err := tokenTest("", "", value)
		return func(v any) bool {
			m, _ := v.(map[string]any)
			return m["identifier"] != nil && fits(m["identifier"])
		}, err
	}
	key := strings.TrimPrefix(unescape(value), w.Base)
	if strings.Contains(key, "://") { // of another server
		return func(v any) bool { return text(v, "reference") == key }, nil
	}
	key, _, _ = strings.Cut(key, "/_history/")
	if modifier != "" && !strings.Contains(key, "/") {
		key = modifier + "/" + key
	}
	return func(v any) bool {
		is := w.target(v)
		_, id, _ := strings.Cut(is, "/")
		return is != "" && (is == key || id == key)
	}, nil
}

// chain asks for something of what a reference leads to: "subject:Patient" and "name".
func (w *World) chain(typ, head, rest, value string) (holds, error) {
	code, only, _ := strings.Cut(head, ":")
	p, err := parameter(typ, code)
	if err != nil {
		return nil, err
	}
	if p.Kind != "reference" {
		return nil, fmt.Errorf("%s is no reference", code)
	}
	inner, known := map[string]holds{}, false
	for _, to := range w.Types() { // those that have no such parameter cannot be meant
		if h, err := w.condition(to, rest, value); err == nil && (only == "" || only == to) {
			inner[to], known = h, true
		}
	}
	if !known {
		return nil, fmt.Errorf("nothing that %s may lead to has %s", head, rest)
	}
	return func(r *Resource) bool {
		return slices.ContainsFunc(p.Values(r), func(v any) bool {
			to := w.byKey[w.target(v)]
			return to != nil && inner[to.Type] != nil && inner[to.Type](to)
		})
	}, nil
}

// has asks for a resource that refers to this one: "Observation:patient:code".
func (w *World) has(rest, value string) (holds, error) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("_has:%s", rest)
	}
	p, err := parameter(parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	h, err := w.condition(parts[0], parts[2], value)
	if err != nil {
		return nil, err
	}
	meant := map[string]bool{}
	for _, from := range w.byType[parts[0]] {
		if h(from) {
			for _, v := range p.Values(from) {
				meant[w.target(v)] = true
			}
		}
	}
	return func(r *Resource) bool { return meant[r.Key()] }, nil
}

// Compartment returns the resources of a type that are in the compartment of a resource.
func (w *World) Compartment(of *Resource, typ string) (out []*Resource) {
	codes := compartment(of.Type, typ)
	for _, r := range w.byType[typ] {
		in := r == of
		for _, code := range codes {
			if p, err := parameter(typ, code); err == nil {
				in = in || slices.ContainsFunc(p.Values(r), func(v any) bool { return w.target(v) == of.Key() })
			}
		}
		if in {
			out = append(out, r)
		}
	}
	return out
}

// Everything returns what is in a resource's compartment, and what that refers to by any of its elements.
func (w *World) Everything(of *Resource) (members, supporting []*Resource) {
	seen := map[*Resource]bool{}
	for _, typ := range w.Types() {
		for _, r := range w.Compartment(of, typ) {
			members, seen[r] = append(members, r), true
		}
	}
	for _, r := range members {
		w.each(r.Body, func(to *Resource) {
			if !seen[to] {
				supporting, seen[to] = append(supporting, to), true
			}
		})
	}
	return members, supporting
}

// each calls fn for every stored resource that an element anywhere refers to.
func (w *World) each(v any, fn func(*Resource)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			w.each(item, fn)
		}
	case map[string]any:
		if to := w.byKey[w.target(v)]; to != nil {
			fn(to)
		}
		for _, item := range v {
			w.each(item, fn)
		}
	}
}

// Included returns what _include and _revinclude add to resources: "Encounter:subject", "Encounter:subject:Patient".
// With iterate it is done again with what was added.
func (w *World) Included(matches []*Resource, include, revinclude []string, iterate bool) ([]*Resource, error) {
	seen := map[*Resource]bool{}
	for _, r := range matches {
		seen[r] = true
	}
	var out []*Resource
	add := func(r *Resource) {
		if r != nil && !seen[r] {
			out, seen[r] = append(out, r), true
		}
	}
	for fresh := matches; len(fresh) > 0; {
		before := len(out)
		now := map[*Resource]bool{}
		for _, r := range fresh {
			now[r] = true
		}
		for i, text := range slices.Concat(include, revinclude) {
			parts := append(strings.Split(text, ":"), "")
			p, err := parameter(parts[0], parts[1])
			if err != nil {
				return nil, err
			}
			fits := func(to string) bool { return parts[2] == "" || strings.HasPrefix(to, parts[2]+"/") }
			if i < len(include) {
				for _, from := range fresh {
					for _, v := range p.Values(from) {
						if to := w.target(v); from.Type == p.Type && fits(to) {
							add(w.byKey[to])
						}
					}
				}
				continue
			}
			for _, from := range w.byType[p.Type] {
				for _, v := range p.Values(from) {
					if to := w.byKey[w.target(v)]; to != nil && now[to] && fits(to.Key()) {
						add(from)
					}
				}
			}
		}
		if fresh = out[before:]; !iterate {
			break
		}
	}
	return out, nil
}
