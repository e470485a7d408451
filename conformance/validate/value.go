package validate

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/yilian/yilian/conformance/fhir"
)

// fixed compares a value with a fixed one, and names the parts that differ.
func (r *run) fixed(p *profile, want, got, near *fhir.Node, below string) {
	if want.Kind() != fhir.Object || got.Kind() != fhir.Object {
		if !equalValue(want, got) {
			r.reportBelow(near, fhir.Error, msgProfileFixed, below, p.url)
		}
		return
	}
	for _, g := range got.All() {
		if want.Get(g.Name()) == nil {
			r.reportBelow(g, fhir.Error, msgProfileFixedExtra, dotted(below, identifier(g.Name())), p.url)
		}
	}
	for _, w := range want.All() {
		if !equalValue(w, got.Get(w.Name())) {
			r.reportBelow(near, fhir.Error, msgProfileFixed, dotted(below, w.Name()), p.url)
		}
	}
}

func dotted(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// equalValue compares a fixed value with one of an instance: all of it, the
// order of properties aside.
func equalValue(want, got *fhir.Node) bool {
	if want.Kind() != got.Kind() || want.Len() != got.Len() {
		return false
	}
	switch want.Kind() {
	case fhir.Object:
		for _, w := range want.All() {
			if !equalValue(w, got.Get(w.Name())) {
				return false
			}
		}
		return true
	case fhir.Array:
		for i, w := range want.All() {
			if !equalValue(w, got.At(i)) {
				return false
			}
		}
		return true
	case fhir.Number:
		return want.Text() == got.Text()
	}
	return want.Text() == got.Text()
}

// fits reports whether a value has all that a pattern has: each item of an
// array of the pattern must fit one of the value's.
func fits(pattern, got *fhir.Node) bool {
	if pattern.Kind() != got.Kind() {
		return false
	}
	switch pattern.Kind() {
	case fhir.Object:
		for _, w := range pattern.All() {
			if !fits(w, got.Get(w.Name())) {
				return false
			}
		}
		return true
	case fhir.Array:
		for _, w := range pattern.All() {
			found := false
			for _, g := range got.All() {
				if fits(w, g) {
					found = true
					break
				}
			}
			if !found {
				return false
			}
		}
		return true
	}
	return pattern.Text() == got.Text()
}

// between tests minValue and maxValue.
func (r *run) between(p *profile, s *shape, it *item) {
	for _, side := range []struct {
		limit *fhir.Node
		wrong int
		m     message
	}{{s.least, -1, msgProfileMinValue}, {s.most, 1, msgProfileMaxValue}} {
		if side.limit == nil || it.element.Value == nil {
			continue
		}
		order, known := compareValues(it.element.Value, fromNow(side.limit, it.element.Value))
		switch {
		case !known && side.limit.Kind() == fhir.Object:
			r.fail(it.node(), msgProfileValueUnit, showLimit(side.limit))
		case known && order == side.wrong:
			r.fail(it.node(), side.m, showLimit(side.limit), p.url)
		}
	}
}

// fromNow turns a duration that bounds a date into the date that far from now.
func fromNow(limit, value *fhir.Node) *fhir.Node {
	if limit.Kind() != fhir.Object || value.Kind() != fhir.String {
		return limit
	}
	n, err := strconv.ParseFloat(limit.Get("value").Text(), 64)
	if err != nil || math.Abs(n) > maxRelative {
		return limit
	}
	now, whole := time.Now().UTC(), int(n)
	switch unitOf(limit) {
	case "a":
		now = now.AddDate(whole, 0, 0)
	case "mo":
		now = now.AddDate(0, whole, 0)
	case "wk":
		now = now.AddDate(0, 0, 7*whole)
	case "d":
		now = now.AddDate(0, 0, whole)
	case "h":
		now = now.Add(time.Duration(n * float64(time.Hour)))
	case "min":
		now = now.Add(time.Duration(n * float64(time.Minute)))
	default:
		return limit
	}
	return fhir.NewString(now.Format("2006-01-02T15:04:05Z"))
}

// maxRelative bounds durations that dates are compared with.
const maxRelative = 1e6

// showLimit writes a limit of a definition.
func showLimit(n *fhir.Node) string {
	if n.Kind() != fhir.Object {
		return n.Text()
	}
	unit := n.Get("code").Text()
	if unit == "" {
		unit = n.Get("unit").Text()
	}
	return strings.TrimSpace(n.Get("value").Text() + " " + unit)
}

// compareValues orders two values of the same kind; known is false if that
// cannot be told.
func compareValues(a, b *fhir.Node) (order int, known bool) {
	if a.Kind() != b.Kind() {
		return 0, false
	}
	switch a.Kind() {
	case fhir.Number:
		return compareNumbers(a.Text(), b.Text())
	case fhir.String: // dates and times of the same precision
		x, y := a.Text(), b.Text()
		n := min(len(x), len(y))
		if n > len("2006-01-02T15:04") {
			n = len("2006-01-02T15:04:05")
			x, y = x[:min(n, len(x))], y[:min(n, len(y))]
			n = min(len(x), len(y))
		}
		return strings.Compare(x[:n], y[:n]), true
	case fhir.Object:
		return compareQuantities(a, b)
	}
	return 0, false
}

func compareNumbers(a, b string) (int, bool) {
	if len(a) > maxNumber || len(b) > maxNumber {
		return 0, false
	}
	var x, y apd.Decimal
	if _, _, err := x.SetString(a); err != nil {
		return 0, false
	}
	if _, _, err := y.SetString(b); err != nil {
		return 0, false
	}
	return x.Cmp(&y), true
}

// maxNumber is the greatest length of a number that is compared.
const maxNumber = 64
