package reference

import (
	"net/url"
	"slices"
	"strings"
)

// included are the resources that _include and _revinclude add to a page, each once.
func (s *Server) included(query url.Values, kind string, page []string) ([]key, *answer) {
	var out []key
	add := func(k key) {
		v := s.current(k.kind, k.id)
		if v != nil && v.node != nil && !slices.Contains(out, k) && !(k.kind == kind && slices.Contains(page, k.id)) {
			out = append(out, k)
		}
	}
	for _, value := range query["_include"] {
		parts := strings.SplitN(value, ":", 3)
		if len(parts) < 2 || parts[0] != kind {
			return nil, invalid("_include needs the type and a parameter")
		}
		param := s.parameter(kind, parts[1])
		if param == nil || param.Type != "reference" {
			return nil, errUnknownParameter
		}
		for _, id := range page {
			for _, target := range s.targets(param, s.lastLiving(kind, id).node) {
				if (len(parts) == 2 || parts[2] == target.kind) && !s.faults[IncludeMissing] {
					add(target)
				}
			}
		}
	}
	for _, value := range query["_revinclude"] {
		parts := strings.SplitN(value, ":", 3)
		if len(parts) < 2 || !s.defs.IsResource(parts[0]) {
			return nil, invalid("_revinclude needs a type and a parameter")
		}
		param := s.parameter(parts[0], parts[1])
		if param == nil || param.Type != "reference" {
			return nil, errUnknownParameter
		}
		for _, id := range s.ids(parts[0]) {
			v := s.current(parts[0], id)
			if v.node == nil || s.faults[RevIncludeMissing] {
				continue
			}
			for _, target := range s.targets(param, v.node) {
				if target.kind == kind && slices.Contains(page, target.id) {
					add(key{parts[0], id})
				}
			}
		}
	}
	return out, nil
}

// ids are those of a type, in the order they were made.
func (s *Server) ids(kind string) []string {
	var out []string
	for id := range s.stored[kind] {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b string) int { return s.stored[kind][a][0].change - s.stored[kind][b][0].change })
	return out
}
