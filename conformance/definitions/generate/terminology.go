package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

type codeSystem struct {
	URL, Name, Title, Version, Content string
	CaseSensitive                      bool
	Concept                            []concept
	Property                           []struct{ Code, URI string }

	flat   []flatConcept
	byCode map[string]int
}

type concept struct {
	Code, Display string
	Concept       []concept
	Property      []property
}

type property struct {
	Code         string
	ValueCode    string
	ValueString  string
	ValueBoolean bool
}

// text is the property's value as a filter writes it.
func (p property) text() string {
	switch {
	case p.ValueCode != "":
		return p.ValueCode
	case p.ValueString != "":
		return p.ValueString
	default:
		return fmt.Sprint(p.ValueBoolean)
	}
}

type flatConcept struct {
	code, display      string
	abstract, inactive bool
	parents            []int
	property           []property
}

// flatten turns the nested concepts into a list, parents first, with the
// parents named by nesting and by child properties. A code listed twice keeps
// its first place.
func (c *codeSystem) flatten() {
	c.byCode = map[string]int{}
	var walk func(list []concept, parent int)
	walk = func(list []concept, parent int) {
		for _, k := range list {
			i, ok := c.byCode[k.Code]
			if !ok {
				i = len(c.flat)
				c.byCode[k.Code] = i
				f := flatConcept{code: k.Code, display: k.Display, property: k.Property}
				for _, p := range k.Property {
					switch p.Code {
					case "notSelectable", "abstract":
						f.abstract = f.abstract || p.ValueBoolean
					case "status":
						f.inactive = p.ValueCode == "retired" || p.ValueCode == "deprecated" || p.ValueCode == "inactive"
					}
				}
				c.flat = append(c.flat, f)
			}
			c.addParent(i, parent)
			walk(k.Concept, i)
		}
	}
	walk(c.Concept, -1)
	for parent, f := range c.flat {
		for _, p := range f.property {
			if p.Code != "child" {
				continue
			}
			if i, ok := c.byCode[p.ValueCode]; ok {
				c.addParent(i, parent)
			}
		}
	}
}

func (c *codeSystem) addParent(i, parent int) {
	if f := &c.flat[i]; parent >= 0 && parent != i && !slices.Contains(f.parents, parent) {
		f.parents = append(f.parents, parent)
	}
}

// whole reports whether all codes of the system are known.
func (c *codeSystem) whole() bool { return c != nil && c.Content == "complete" }

// below is the set of codes at or under a code.
func (c *codeSystem) below(code string) map[int]bool {
	top, ok := c.byCode[code]
	if !ok {
		return nil
	}
	found := map[int]bool{top: true}
	for grew := true; grew; {
		grew = false
		for i, f := range c.flat {
			if !found[i] && slices.ContainsFunc(f.parents, func(p int) bool { return found[p] }) {
				found[i], grew = true, true
			}
		}
	}
	return found
}

// record writes what definitions.decodeCodeSystem reads.
func (c *codeSystem) record() []byte {
	var w pack.Writer
	w.String(c.Name)
	w.String(c.Title)
	w.String(c.Version)
	w.Bool(c.CaseSensitive)
	w.Bool(c.whole())
	w.Uint(len(c.flat))
	for _, f := range c.flat {
		w.String(f.code)
		w.String(f.display)
		flags := 0
		if f.abstract {
			flags |= 1
		}
		if f.inactive {
			flags |= 2
		}
		w.Uint(flags)
		w.Uint(len(f.parents))
		for _, p := range f.parents {
			w.Uint(p)
		}
	}
	return w.Bytes()
}

type valueSet struct {
	URL, Name, Title, Version string
	Compose                   struct{ Include, Exclude []include }
}

type include struct {
	System   string
	Concept  []concept
	Filter   []struct{ Property, Op, Value string }
	ValueSet []string
}

// part is some codes of one system, in order; display is set where the value
// set says it differently.
type part struct {
	system string
	whole  bool // all codes of the system, and the list is empty
	codes  []string
	text   map[string]string
}

// expansion is what is known of a value set's content.
type expansion struct {
	parts []part
	open  []string // systems with members that are not known, "" for any
}

type terminology struct {
	systems   map[string]*codeSystem
	valueSets map[string]*valueSet
}

func (t *terminology) expand(url string, above []string) expansion {
	url, _, _ = strings.Cut(url, "|")
	v := t.valueSets[url]
	if v == nil || slices.Contains(above, url) {
		return expansion{open: []string{""}}
	}
	var out expansion
	for _, in := range v.Compose.Include {
		e := t.include(in, append(above, url))
		out.parts = append(out.parts, e.parts...)
		out.open = append(out.open, e.open...)
	}
	for _, ex := range v.Compose.Exclude {
		out.remove(t.include(ex, append(above, url)), t)
	}
	slices.Sort(out.open)
	out.open = slices.Compact(out.open)
	return out
}

// include is the content of one include or exclude.
func (t *terminology) include(in include, above []string) expansion {
	if in.System == "" {
		// Several value sets in one include mean their intersection.
		var out expansion
		for i, url := range in.ValueSet {
			e := t.expand(url, above)
			if i == 0 {
				out = e
			} else {
				out.intersect(e, t)
			}
		}
		return out
	}
	cs := t.systems[in.System]
	switch {
	case len(in.Concept) > 0:
		p := part{system: in.System, text: map[string]string{}}
		for _, k := range in.Concept {
			p.codes = append(p.codes, k.Code)
			if k.Display != "" && !(cs != nil && cs.display(k.Code) == k.Display) {
				p.text[k.Code] = k.Display
			}
		}
		return expansion{parts: []part{p}}
	case cs == nil || cs.Content == "not-present":
		return expansion{open: []string{in.System}}
	case len(in.Filter) == 0:
		e := expansion{parts: []part{{system: in.System, whole: true}}}
		if !cs.whole() {
			e.open = []string{in.System}
		}
		return e
	}
	p := part{system: in.System}
	sets := make([]map[int]bool, len(in.Filter))
	for i, f := range in.Filter {
		sets[i] = cs.filter(f.Property, f.Op, f.Value)
	}
	for i, f := range cs.flat {
		if !slices.ContainsFunc(sets, func(s map[int]bool) bool { return !s[i] }) {
			p.codes = append(p.codes, f.code)
		}
	}
	e := expansion{parts: []part{p}}
	if !cs.whole() {
		e.open = []string{in.System}
	}
	return e
}

func (c *codeSystem) display(code string) string {
	if i, ok := c.byCode[code]; ok {
		return c.flat[i].display
	}
	return ""
}

// filter is the set of concepts that one filter of a value set selects.
func (c *codeSystem) filter(name, op, value string) map[int]bool {
	out := map[int]bool{}
	test := func(ok func(f flatConcept) bool) map[int]bool {
		for i, f := range c.flat {
			if ok(f) {
				out[i] = true
			}
		}
		return out
	}
	switch op {
	case "is-a":
		return c.below(value)
	case "descendent-of":
		out = maps.Clone(c.below(value))
		delete(out, c.byCode[value])
		return out
	case "is-not-a":
		in := c.below(value)
		for i := range c.flat {
			if !in[i] {
				out[i] = true
			}
		}
		return out
	case "regex":
		re := regexp.MustCompile("^(?:" + value + ")$")
		return test(func(f flatConcept) bool { return re.MatchString(f.code) })
	case "=":
		return test(func(f flatConcept) bool {
			return slices.ContainsFunc(f.property, func(p property) bool { return p.Code == name && p.text() == value })
		})
	}
	panic("filter " + op + " is not known to the generator")
}

// list is the part with its codes named one by one.
func (p part) list(t *terminology) part {
	if !p.whole {
		return p
	}
	out := part{system: p.system}
	for _, f := range t.systems[p.system].flat {
		out.codes = append(out.codes, f.code)
	}
	return out
}

func (e *expansion) has(t *terminology) map[[2]string]bool {
	out := map[[2]string]bool{}
	for _, p := range e.parts {
		for _, c := range p.list(t).codes {
			out[[2]string{p.system, c}] = true
		}
	}
	return out
}

func (e *expansion) remove(ex expansion, t *terminology) { e.keep(ex.has(t), false, t) }

func (e *expansion) intersect(o expansion, t *terminology) {
	e.keep(o.has(t), true, t)
	e.open = append(e.open, o.open...)
}

// keep leaves the codes whose presence in set is as wanted.
func (e *expansion) keep(set map[[2]string]bool, wanted bool, t *terminology) {
	for i, p := range e.parts {
		l := p.list(t)
		codes := slices.DeleteFunc(slices.Clone(l.codes), func(c string) bool { return set[[2]string{p.system, c}] != wanted })
		if len(codes) < len(l.codes) {
			e.parts[i] = part{system: p.system, codes: codes, text: p.text}
		}
	}
}

// record writes what definitions.decodeValueSet reads. A code named twice is
// written once.
func (t *terminology) record(v *valueSet) []byte {
	e := t.expand(v.URL, nil)
	var w pack.Writer
	w.String(v.Name)
	w.String(v.Title)
	w.String(v.Version)
	w.Strings(e.open)
	parts := t.unique(e.parts)
	w.Uint(len(parts))
	for _, p := range parts {
		w.String(p.system)
		w.Bool(p.whole)
		if p.whole {
			continue
		}
		w.Uint(len(p.codes))
		for _, c := range p.codes {
			w.String(c)
			w.String(p.text[c])
		}
	}
	return w.Bytes()
}

// unique leaves each code in the first part that has it.
func (t *terminology) unique(list []part) []part {
	seen := map[[2]string]bool{}
	var parts []part
	for _, p := range list {
		l := p.list(t)
		fresh := slices.DeleteFunc(slices.Clone(l.codes), func(c string) bool {
			k := [2]string{p.system, c}
			was := seen[k]
			seen[k] = true
			return was
		})
		switch {
		case len(fresh) == 0:
		case len(fresh) == len(l.codes):
			parts = append(parts, p)
		default:
			parts = append(parts, part{system: p.system, codes: fresh, text: p.text})
		}
	}
	return parts
}
