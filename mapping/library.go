package mapping

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/internal/syntax"
)

// layers is a map with all it extends and includes laid into one: the values keep the files and lines they came from.
type layers struct {
	reads, lane, version, row *syntax.Node
	title                     string
	let                       []syntax.Pair
	rules                     []syntax.Pair
	shapes                    []syntax.Pair
	hashes                    []string
}

// flatten lays s over what it extends and includes. It reports circles and unknown names.
func (l *loader) flatten(s *source, stack []string) *layers {
	out := &layers{}
	if len(stack) > l.lim.MaxDepth {
		l.errorf(s.root.Position, "extends and include nested deeper than %d", l.lim.MaxDepth)
		return out
	}
	stack = append(slices.Clone(stack), s.name)
	if e := s.root.Get("extends"); e != nil {
		if base := l.other(s, e, stack, "extends", false); base != nil {
			out = l.flatten(base, stack)
		}
	}
	for _, i := range s.root.Get("include").List() {
		if lib := l.other(s, i, stack, "include", true); lib != nil {
			under := l.flatten(lib, stack)
			out.let = l.overlay(out.let, under.let, "let")
			out.shapes = l.overlay(out.shapes, under.shapes, "shape")
			out.rules = l.overlay(out.rules, under.rules, "resource")
			out.hashes = append(out.hashes, under.hashes...)
		}
	}
	out.hashes = append(out.hashes, s.hash)
	for _, top := range []struct {
		key string
		to  **syntax.Node
	}{{"reads", &out.reads}, {"lane", &out.lane}, {"version", &out.version}, {"row", &out.row}} {
		if v := s.root.Get(top.key); v != nil {
			*top.to = v
			if v.Kind == syntax.Null {
				*top.to = nil
			}
		}
	}
	if t := s.root.Get("title"); t != nil {
		out.title = l.text(t, "a title")
	}
	out.let = l.overlay(out.let, l.section(s.root, "let"), "let")
	out.shapes = l.overlay(out.shapes, l.section(s.root, "shapes"), "shape")
	out.rules = l.overlay(out.rules, l.section(s.root, "resources"), "resource")
	return out
}

// section returns the pairs of a section of names.
func (l *loader) section(root *syntax.Node, key string) []syntax.Pair {
	n := root.Get(key)
	if n == nil || n.Kind == syntax.Null || !l.mapping(n) {
		return nil
	}
	var out []syntax.Pair
	for _, p := range n.Pairs {
		if l.name(p.Key) != "" {
			out = append(out, p)
		}
	}
	return out
}

// other returns the map or library that n names, nil after a finding.
func (l *loader) other(s *source, n *syntax.Node, stack []string, key string, library bool) *source {
	name := l.text(n, "the name of a map or library")
	if name == "" {
		return nil
	}
	found := l.files[name]
	if found == nil && s.builtin {
		found = l.files["base/"+name]
	}
	switch {
	case found == nil:
		var names []string
		for _, f := range l.files {
			if f.library == library && f != s {
				names = append(names, f.name)
			}
		}
		slices.Sort(names)
		l.errorf(n.Position, "%s: there is no %s %q; %s", key, map[bool]string{true: "library", false: "map"}[library], name, oneOf(name, names))
	case found.library != library && library:
		l.errorf(n.Position, "include: %q is a map; want a library, or extends: %s", name, name)
	case found.library != library:
		l.errorf(n.Position, "extends: %q is a library; want a map, or include: [%s]", name, name)
	case slices.Contains(stack, found.name):
		l.errorf(n.Position, "%s: a circle: %s", key, strings.Join(append(slices.Clone(stack[slices.Index(stack, found.name):]), found.name), " → "))
	case s.builtin && !found.builtin:
		l.errorf(n.Position, "%s: a built-in file cannot use %q of a folder", key, name)
	default:
		return found
	}
	return nil
}

// overlay lays named entries over others: resource rules and shapes by their keys, let values as wholes. A null removes an
// entry. The order is that of the first mention.
func (l *loader) overlay(under, over []syntax.Pair, kind string) []syntax.Pair {
	out := slices.Clone(under)
	for _, p := range over {
		at := slices.IndexFunc(out, func(o syntax.Pair) bool { return o.Key.Text == p.Key.Text })
		switch {
		case p.Value.Kind == syntax.Null && at < 0:
			l.errorf(p.Key.Position, "%q is null, but there is nothing of that name to remove", p.Key.Text)
		case p.Value.Kind == syntax.Null:
			out = slices.Delete(out, at, at+1)
		case at < 0:
			out = append(out, p)
		case kind == "let" || p.Value.Kind != syntax.Map || out[at].Value.Kind != syntax.Map:
			out[at] = p
		default:
			out[at].Value = l.merge(out[at].Value, p.Value)
		}
	}
	return out
}

// merge lays a rule over another: set and with by name, everything else as a whole; null removes.
func (l *loader) merge(under, over *syntax.Node) *syntax.Node {
	out := under
	for _, p := range over.Pairs {
		old, v := out.Get(p.Key.Text), p.Value
		switch {
		case (p.Key.Text == "set" || p.Key.Text == "with") && v.Kind == syntax.Map && old != nil && old.Kind == syntax.Map:
			v = l.mergeByName(old, v)
		case v.Kind == syntax.Null && old == nil:
			l.errorf(p.Key.Position, "%q is null, but there is nothing of that name to remove", p.Key.Text)
			v = nil
		case v.Kind == syntax.Null:
			v = nil
		}
		out = out.With(p.Key, v)
	}
	return out
}

func (l *loader) mergeByName(under, over *syntax.Node) *syntax.Node {
	out := under
	for _, e := range over.Pairs {
		v := e.Value
		if v.Kind == syntax.Null {
			if out.Get(e.Key.Text) == nil {
				l.errorf(e.Key.Position, "%q is null, but there is nothing of that name to remove", e.Key.Text)
			}
			v = nil
		}
		out = out.With(e.Key, v)
	}
	return out
}
