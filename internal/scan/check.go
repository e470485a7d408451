package scan

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Page is one page of an answer: keys in the order they came. Total is -1 where none is told. Cut says that the server
// told of more to include than a page may hold.
type Page struct {
	Matches, Included []string
	Total             int
	Cut               bool
}

// Check returns what is wrong with the pages that a search of a type was answered with, or nil.
func (w *World) Check(typ, query string, pages []Page) error {
	want, err := w.Find(typ, query)
	if err != nil {
		return err
	}
	return w.check(want, typ, query, pages)
}

func (w *World) check(want []*Resource, typ, query string, pages []Page) error {
	shape, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	var got []string
	for _, p := range pages {
		got = append(got, p.Matches...)
	}
	if err := same("matches", got, want); err != nil {
		return err
	}
	count, counted := len(want), shape.Has("_count")
	if counted {
		if count, err = strconv.Atoi(shape.Get("_count")); err != nil {
			return err
		}
	}
	for i, p := range pages {
		switch {
		case len(p.Matches) > count:
			return fmt.Errorf("page %d has %d matches, wanted at most %d", i+1, len(p.Matches), count)
		case counted && i < len(pages)-1 && len(p.Matches) < count:
			return fmt.Errorf("page %d has %d matches and is not the last", i+1, len(p.Matches))
		case shape.Get("_total") == "accurate" && p.Total != len(want), p.Total >= 0 && p.Total != len(want):
			return fmt.Errorf("page %d: total %d, wanted %d", i+1, p.Total, len(want))
		}
		var matches []*Resource
		for _, key := range p.Matches {
			matches = append(matches, w.byKey[key])
		}
		include, iterate := named(shape, "_include")
		revinclude, again := named(shape, "_revinclude")
		with, err := w.Included(matches, include, revinclude, iterate || again)
		if err != nil {
			return err
		}
		if p.Cut && len(p.Included) < len(with) {
			with = slices.DeleteFunc(with, func(r *Resource) bool { return !slices.Contains(p.Included, r.Key()) })
		}
		if err := same("included", p.Included, with); err != nil {
			return fmt.Errorf("page %d: %w", i+1, err)
		}
	}
	return w.ordered(typ, shape.Get("_sort"), got)
}

// named returns what is to be included, and whether again for what was.
func named(shape url.Values, name string) (list []string, iterate bool) {
	return slices.Concat(shape[name], shape[name+":iterate"]), shape.Has(name + ":iterate")
}

// same compares keys with resources, in any order.
func same(what string, got []string, want []*Resource) error {
	left := map[string]bool{}
	for _, r := range want {
		left[r.Key()] = true
	}
	seen := map[string]bool{}
	for _, key := range got {
		switch {
		case seen[key]:
			return fmt.Errorf("%s: %s is there twice", what, key)
		case !left[key]:
			return fmt.Errorf("%s: %s is there and should not be; %d for %d", what, key, len(got), len(want))
		}
		seen[key] = true
		delete(left, key)
	}
	for key := range left {
		return fmt.Errorf("%s: %s is missing; %d for %d", what, key, len(got), len(want))
	}
	return nil
}

// ordered checks that keys are in the order of _sort: those that have no value come last.
func (w *World) ordered(typ, sort string, keys []string) error {
	if sort == "" {
		return nil
	}
	var codes []*Parameter
	for code := range strings.SplitSeq(sort, ",") {
		p, err := parameter(typ, strings.TrimPrefix(code, "-"))
		if err != nil {
			return err
		}
		codes = append(codes, p)
	}
	for i := range keys[:max(0, len(keys)-1)] {
		a, b := w.byKey[keys[i]], w.byKey[keys[i+1]]
		for j, code := range strings.Split(sort, ",") {
			c := w.compare(codes[j], a, b, strings.HasPrefix(code, "-"))
			if c > 0 {
				return fmt.Errorf("order: %s comes before %s by %s", a.Key(), b.Key(), code)
			}
			if c < 0 {
				break
			}
		}
	}
	return nil
}

func (w *World) compare(p *Parameter, a, b *Resource, down bool) int {
	x, y := w.rank(p, a, down), w.rank(p, b, down)
	switch {
	case x == nil || y == nil:
		return cmp.Compare(len(y), len(x)) // one of them has none
	case down:
		return cmp.Compare(y[0], x[0])
	}
	return cmp.Compare(x[0], y[0])
}

// rank is the least value of a resource, or the greatest, as text that sorts; none if there is no value.
func (w *World) rank(p *Parameter, r *Resource, down bool) []string {
	var all []string
	for _, v := range p.Values(r) {
		switch p.Kind {
		case "string":
			for _, s := range Strings(v) {
				all = append(all, fold(s))
			}
		case "date":
			if t, ok := w.of(v); ok {
				all = append(all, fmt.Sprintf("%020d", t.from.UnixMicro()-ever.UnixMicro()))
			}
		default:
			all = append(all, text(v))
		}
	}
	switch {
	case len(all) == 0:
		return nil
	case down:
		return []string{slices.Max(all)}
	}
	return []string{slices.Min(all)}
}

// CheckFound is Check of a search that must find want, of which query is read for the shape of the answer alone.
func (w *World) CheckFound(want []*Resource, typ, query string, pages []Page) error {
	return w.check(want, typ, query, pages)
}

// CheckAll returns what is wrong with pages that are to hold resources, each once, and nothing else.
func (w *World) CheckAll(want []*Resource, pages []Page) error { return w.check(want, "", "", pages) }

// CheckEverything returns what is wrong with the answer to $everything: its members are matches, each once, on whatever
// page, and what they refer to is there, a match or included. A server may count that to the members, too.
func (w *World) CheckEverything(members, supporting []*Resource, pages []Page) error {
	var matches []string
	there := map[string]bool{}
	for _, p := range pages {
		matches = append(matches, p.Matches...)
		for _, key := range p.Included {
			there[key] = true
		}
	}
	more := slices.Clone(members)
	for _, r := range supporting {
		if slices.Contains(matches, r.Key()) {
			more = append(more, r)
			there[r.Key()] = true
		}
	}
	if err := same("members", matches, more); err != nil {
		return err
	}
	return same("supporting", slices.Collect(maps.Keys(there)), supporting)
}
