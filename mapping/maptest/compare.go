package maptest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// maxDiff bounds the lines of one comparison.
const maxDiff = 50

// compare compares lists of resources: those of one type and id with each other, else in their order.
func compare(want, got []*fhir.Node) []string {
	d := &diff{}
	left := slices.Clone(got)
	for _, w := range want {
		name := w.ResourceType() + "/" + w.ID()
		at := slices.IndexFunc(left, func(g *fhir.Node) bool { return g.ResourceType()+"/"+g.ID() == name })
		if at < 0 {
			d.add("%s: missing", name)
			continue
		}
		d.node(name, w, left[at])
		left = slices.Delete(left, at, at+1)
	}
	for _, g := range left {
		d.add("%s/%s: not wanted", g.ResourceType(), g.ID())
	}
	return d.lines
}

type diff struct{ lines []string }

func (d *diff) add(format string, args ...any) {
	switch {
	case len(d.lines) < maxDiff:
		d.lines = append(d.lines, fmt.Sprintf(format, args...))
	case len(d.lines) == maxDiff:
		d.lines = append(d.lines, "…")
	}
}

func (d *diff) node(path string, want, got *fhir.Node) {
	if want.Kind() != got.Kind() {
		d.add("%s: want %s, got %s", path, short(want), short(got))
		return
	}
	switch want.Kind() {
	case fhir.Object:
		for _, w := range want.All() {
			g := got.Get(w.Name())
			if g == nil {
				d.add("%s.%s: want %s, got nothing", path, w.Name(), short(w))
				continue
			}
			d.node(path+"."+w.Name(), w, g)
		}
		for _, g := range got.All() {
			if want.Get(g.Name()) == nil {
				d.add("%s.%s: want nothing, got %s", path, g.Name(), short(g))
			}
		}
	case fhir.Array:
		for i := range max(want.Len(), got.Len()) {
			at := path + "[" + strconv.Itoa(i) + "]"
			switch {
			case i >= want.Len():
				d.add("%s: want nothing, got %s", at, short(got.At(i)))
			case i >= got.Len():
				d.add("%s: want %s, got nothing", at, short(want.At(i)))
			default:
				d.node(at, want.At(i), got.At(i))
			}
		}
	default:
		if want.Text() != got.Text() {
			d.add("%s: want %s, got %s", path, short(want), short(got))
		}
	}
}

// short is a value on one line, cut when it is long.
func short(n *fhir.Node) string {
	s := []rune(string(n.AppendJSON(nil)))
	if len(s) > 160 {
		s = append(s[:157], '.', '.', '.')
	}
	return string(s)
}
