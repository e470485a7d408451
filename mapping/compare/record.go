package compare

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// unreadable is the result of bytes that are no record.
func unreadable(err *record.SyntaxError) *mapping.Result {
	return &mapping.Result{Issues: []fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeStructure, ID: "record-" + err.Code, Text: err.Reason}}}
}

// add compares what the two versions make of one record.
func (s *summary) add(at Example, old, now outcome) {
	s.records++
	differs := false
	note := func(k changeKey, e Example) {
		differs = true
		e.File, e.Line, e.Place = at.File, at.Line, at.Place
		s.note(k, e)
	}
	switch {
	case !old.found:
		note(changeKey{kind: RecordAdded}, Example{New: now.result.Map})
	case !now.found:
		note(changeKey{kind: RecordRemoved}, Example{Old: old.result.Map})
	default:
		s.turns(old, now, note)
	}
	if old.found && now.found {
		issues(old.result.Issues, now.result.Issues, note)
		if !old.result.Rejected() && !now.result.Rejected() { // else that says it all
			resources(old.result.Resources, now.result.Resources, note)
		}
	}
	if differs {
		s.changed++
	}
}

// noter takes in one difference.
type noter func(changeKey, Example)

// turns are the differences about the record as a whole.
func (s *summary) turns(old, now outcome, note noter) {
	switch was, is := old.result.Rejected(), now.result.Rejected(); {
	case !was && is:
		note(changeKey{kind: Refused}, Example{New: firstError(now.result.Issues)})
	case was && !is:
		note(changeKey{kind: Accepted}, Example{Old: firstError(old.result.Issues)})
	}
	if old.result.Map == "" || now.result.Map == "" { // no map, or no record: said above
		return
	}
	if old.result.Map != now.result.Map {
		note(changeKey{kind: Routed}, Example{Old: old.result.Map, New: now.result.Map})
	}
	before, after := place(old), place(now)
	if before != after {
		note(changeKey{kind: Ordered}, Example{Old: before, New: after})
	}
}

// place is what decides about the order of a record among others.
func place(o outcome) string {
	stamp := strconv.FormatInt(o.result.Stamp.Time, 10) + "." + strconv.FormatInt(o.result.Stamp.Sequence, 10)
	return "version " + stamp + ", lanes " + strings.Join(o.cut.Lanes, " ") + ", row " + o.cut.Key
}

func firstError(list []fhir.Issue) string {
	for _, i := range list {
		if fhir.HasErrors([]fhir.Issue{i}) {
			return i.ID + ": " + i.Text
		}
	}
	return ""
}

// issues tells of findings, by message id and element, that only one side has, as often as it has them more.
func issues(old, now []fhir.Issue, note noter) {
	type key struct{ id, path string }
	count := map[key]int{}
	text := map[key]string{}
	var order []key
	tally := func(list []fhir.Issue, by int) {
		for _, i := range list {
			k := key{i.ID, bare(i.Expression)}
			if _, known := text[k]; !known {
				order = append(order, k)
			}
			text[k] = i.Text
			count[k] += by
		}
	}
	tally(old, -1)
	tally(now, +1)
	for _, k := range order {
		for n := count[k]; n > 0; n-- {
			note(changeKey{kind: IssueAdded, issue: k.id, element: k.path}, Example{New: text[k]})
		}
		for n := count[k]; n < 0; n++ {
			note(changeKey{kind: IssueRemoved, issue: k.id, element: k.path}, Example{Old: text[k]})
		}
	}
}

// bare takes the positions out of a path: Observation.component[2].code is Observation.component.code.
func bare(path string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(path, "[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if _, path, ok = strings.Cut(rest, "]"); !ok {
			return b.String()
		}
	}
}

// resources compares what is written, resource by resource of the same type and id.
func resources(old, now []mapping.Resource, note noter) {
	type key struct {
		ref string
		nth int
	}
	index := func(list []mapping.Resource) (map[key]*mapping.Resource, []key) {
		byKey, order, seen := map[key]*mapping.Resource{}, []key{}, map[string]int{}
		for i := range list {
			res := &list[i]
			if res.Write == mapping.Reference {
				continue
			}
			ref := res.Reference()
			seen[ref]++
			k := key{ref, seen[ref]}
			byKey[k] = res
			order = append(order, k)
		}
		return byKey, order
	}
	before, was := index(old)
	after, is := index(now)
	for _, k := range was {
		if after[k] == nil {
			note(changeKey{kind: ResourceRemoved, typ: before[k].Type}, Example{Resource: k.ref})
		}
	}
	for _, k := range is {
		res := after[k]
		twin := before[k]
		if twin == nil {
			note(changeKey{kind: ResourceAdded, typ: res.Type}, Example{Resource: k.ref})
			continue
		}
		if twin.Write != res.Write {
			note(changeKey{kind: WriteChanged, typ: res.Type}, Example{Resource: k.ref, Old: twin.Write.String(), New: res.Write.String()})
		}
		elements(res.Type, k.ref, twin.Tree, res.Tree, note)
	}
}

// elements compares two trees by the values at each path, positions left out.
func elements(typ, ref string, old, now *fhir.Node, note noter) {
	if bytes.Equal(old.AppendJSON(nil), now.AppendJSON(nil)) {
		return
	}
	before, after := leaves{}, leaves{}
	before.collect(typ, old)
	after.collect(typ, now)
	paths := slices.Concat(before.order, after.order)
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		was, is := before.values[path], after.values[path]
		if slices.Equal(was, is) {
			continue
		}
		gone, come := less(was, is), less(is, was)
		k := changeKey{typ: typ, element: path, kind: ElementChanged}
		switch {
		case len(gone) == 0 && len(come) == 0:
			k.kind, gone, come = ElementReordered, was, is
		case len(was) == 0 || len(gone) == 0:
			k.kind = ElementAdded
		case len(is) == 0 || len(come) == 0:
			k.kind = ElementRemoved
		}
		note(k, Example{Resource: ref, Old: shorten(gone), New: shorten(come)})
	}
}

// leaves are the values of a tree by path.
type leaves struct {
	values map[string][]string
	order  []string
}

func (l *leaves) collect(path string, n *fhir.Node) {
	switch n.Kind() {
	case fhir.Object:
		for _, child := range n.All() {
			l.collect(path+"."+child.Name(), child)
		}
	case fhir.Array:
		for _, item := range n.Items() {
			l.collect(path, item)
		}
	default:
		if l.values == nil {
			l.values = map[string][]string{}
		}
		if l.values[path] == nil {
			l.order = append(l.order, path)
		}
		l.values[path] = append(l.values[path], n.Text())
	}
}

// less returns the values of a that b has not, as often as it has fewer of them.
func less(a, b []string) []string {
	have := map[string]int{}
	for _, v := range b {
		have[v]++
	}
	var out []string
	for _, v := range a {
		if have[v] > 0 {
			have[v]--
			continue
		}
		out = append(out, v)
	}
	return out
}

// maxShown bounds the characters of a value in an example.
const maxShown = 120

func shorten(values []string) string {
	text := []rune(strings.Join(values, ", "))
	if len(text) > maxShown {
		return string(text[:maxShown-1]) + "…"
	}
	return string(text)
}
