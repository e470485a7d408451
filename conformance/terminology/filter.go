package terminology

import (
	"context"
	"iter"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Select finds the concepts that fulfil a query.
func (m *Memory) Select(_ context.Context, q Query) (Selection, error) {
	var found bitset
	for _, f := range q.Filters {
		b, err := m.filter(f)
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = b
		} else {
			found.and(b)
		}
	}
	if q.Text != "" {
		list, err := words(q.Text)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			b := m.search().find(list)
			if found != nil {
				b.and(found)
			}
			found = b
		}
	}
	if found == nil {
		return &selection{m: m, count: m.len()}, nil
	}
	return &selection{m: m, some: found, count: found.count()}, nil
}

// selection is all concepts, or some.
type selection struct {
	m     *Memory
	some  bitset
	count int
}

func (s *selection) Count() int { return s.count }

func (s *selection) Has(_ context.Context, code string) (bool, error) {
	i := s.m.find(code)
	return i >= 0 && (s.some == nil || s.some.has(i)), nil
}

func (s *selection) From(_ context.Context, position int) iter.Seq2[Concept, error] {
	return func(yield func(Concept, error) bool) {
		position = max(position, 0)
		if s.some != nil {
			s.some.from(position, func(i int) bool { return yield(s.m.concept(i), nil) })
			return
		}
		for i := position; i < s.m.len(); i++ {
			if !yield(s.m.concept(i), nil) {
				return
			}
		}
	}
}

// filter returns the concepts that one filter selects.
func (m *Memory) filter(f Filter) (bitset, error) {
	switch f.Op {
	case OpIsA, OpDescendentOf, OpIsNotA, OpGeneralizes:
		return m.filterHierarchy(f)
	}
	values := m.values(f.Property)
	if values == nil {
		return nil, refuse(msgFilterOp, string(f.Op), f.Property, m.about.URL)
	}
	t, err := newTest(f)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuse(msgFilterOp, string(f.Op), f.Property, m.about.URL)
	}
	found := newBitset(m.len())
	holds := false
	one := func(v string) bool { // made once, not for every concept
		holds = t.holds(v)
		return !holds
	}
	for i := range m.len() {
		holds = false
		if values(i, one); holds != (f.Op == OpNotIn) {
			found.set(i)
		}
		if t.work > MaxPatternWork {
			return nil, refuse(msgPatternCostly, m.about.URL, MaxPatternWork)
		}
	}
	if f.Op == OpExists && f.Value == "false" {
		found.invert(m.len())
	}
	return found, nil
}

// filterHierarchy answers the operators that are about a concept and those above or below it.
func (m *Memory) filterHierarchy(f Filter) (bitset, error) {
	if f.Property != "concept" && f.Property != "code" {
		return nil, refuse(msgFilterOp, string(f.Op), f.Property, m.about.URL)
	}
	i := m.find(f.Value)
	if i < 0 {
		return nil, refuse(msgFilterCode, string(f.Op), m.about.URL)
	}
	if f.Op == OpGeneralizes {
		return m.reach(m.parents, i), nil
	}
	found := m.reach(m.children, i)
	switch f.Op {
	case OpDescendentOf:
		found[i>>6] &^= 1 << (i & 63)
	case OpIsNotA:
		found.invert(m.len())
	}
	return found, nil
}

// values returns what yields the values that a concept has of a property; nil if the code system has no such property.
func (m *Memory) values(property string) func(i int, yield func(string) bool) {
	truth := func(flag uint8) func(int, func(string) bool) {
		return func(i int, yield func(string) bool) {
			if m.flags[i]&flag != 0 {
				yield("true")
			} else {
				yield("false")
			}
		}
	}
	linked := func(l *links) func(int, func(string) bool) {
		return func(i int, yield func(string) bool) {
			for _, o := range l.of(i) {
				if !yield(m.code(int(o))) {
					return
				}
			}
		}
	}
	keys := newBitset(max(len(m.keys), 1))
	declared := slices.ContainsFunc(m.about.Properties, func(p PropertyDefinition) bool { return p.Code == property })
	for k, key := range m.keys {
		if key.kind == detailProperty && key.code == property || key.kind == detailDefinition && property == "definition" {
			keys.set(k)
			declared = true
		}
	}
	switch property {
	case "concept", "code":
		return func(i int, yield func(string) bool) { yield(m.code(i)) }
	case "display":
		return func(i int, yield func(string) bool) {
			if d := m.display(i); d != "" {
				yield(d)
			}
		}
	case "parent", "subsumedBy":
		return linked(&m.parents)
	case "child":
		return linked(&m.children)
	case "inactive":
		return truth(flagInactive)
	case "notSelectable", "abstract":
		return truth(flagAbstract)
	}
	if !declared {
		return nil
	}
	return func(i int, yield func(string) bool) {
		for _, d := range m.detailsOf(i) {
			if !keys.has(int(d.key)) {
				continue
			}
			if key := &m.keys[d.key]; !yield(key.property(m.notes[d.start:d.end]).text()) {
				return
			}
		}
	}
}

// test is a filter on one value.
type test struct {
	equal   string
	list    map[string]bool
	pattern *regexp.Regexp
	exists  bool
	size    int // instructions of the pattern
	work    int // done with it
}

// newTest compiles a filter; nil if the operator is not known.
func newTest(f Filter) (*test, error) {
	switch f.Op {
	case OpEqual:
		return &test{equal: f.Value}, nil
	case OpExists:
		if f.Value != "true" && f.Value != "false" {
			return nil, refuse(msgFilterValue, string(f.Op), "true or false is expected")
		}
		return &test{exists: true}, nil
	case OpIn, OpNotIn:
		t := &test{list: map[string]bool{}}
		for v := range strings.SplitSeq(f.Value, ",") {
			if len(t.list) >= MaxFilterList {
				return nil, refuse(msgFilterValue, string(f.Op), "it lists too many values")
			}
			t.list[strings.TrimSpace(v)] = true
		}
		return t, nil
	case OpRegex:
		if len(f.Value) > MaxPattern {
			return nil, refuse(msgFilterValue, string(f.Op), "the pattern is too long")
		}
		pattern := "^(?:" + f.Value + ")$"
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			return nil, refuse(msgFilterValue, string(f.Op), "the pattern is no regular expression that can be matched in linear time")
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil || len(program.Inst) > MaxPatternSize {
			return nil, refuse(msgFilterValue, string(f.Op), "the pattern is too large")
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, refuse(msgFilterValue, string(f.Op), "the pattern is no regular expression that can be matched in linear time")
		}
		return &test{pattern: re, size: len(program.Inst)}, nil
	}
	return nil, nil
}

func (t *test) holds(v string) bool {
	switch {
	case t.exists:
		return true
	case t.list != nil:
		return t.list[v]
	case t.pattern != nil:
		if t.work += t.size * (len(v) + 1); t.work > MaxPatternWork {
			return false
		}
		return t.pattern.MatchString(v)
	}
	return v == t.equal
}
