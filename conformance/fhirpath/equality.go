package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/yilian/yilian/conformance/fhir"
)

// equalCollections answers "=": nothing on a side is not known, otherwise all
// items in order.
func equalCollections(a, b []Value) tri {
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	if len(a) != len(b) {
		return no
	}
	result := yes
	for i := range a {
		switch equal(&a[i], &b[i]) {
		case no:
			return no
		case unknown:
			result = unknown
		}
	}
	return result
}

// equal compares two items.
func equal(a, b *Value) tri {
	if x, ok := textKey(a); ok {
		if y, ok := textKey(b); ok {
			return triOf(x == y)
		}
	}
	x, okX := a.system()
	y, okY := b.system()
	if !okX || !okY {
		if a.kind == Element && b.kind == Element {
			return triOf(sameType(a, b) && fhir.Equal(a.node, b.node) && fhir.Equal(a.extra, b.extra))
		}
		return no
	}
	if qa, qb, ok := quantities(x, y); ok {
		return equalQuantities(qa, qb)
	}
	dx, numberX := x.decimal()
	dy, numberY := y.decimal()
	switch {
	case numberX && numberY:
		return triOf(dx.Cmp(dy) == 0)
	case x.isTemporal() && y.isTemporal():
		order, known := compareTemporal(x.temporal(), y.temporal())
		switch {
		case (x.kind == Time) != (y.kind == Time):
			return no
		case !known && order == 0:
			return unknown
		}
		return triOf(order == 0)
	case x.kind != y.kind:
		return no
	case x.kind == TypeInfo:
		return triOf(x.text == y.text && x.ref == y.ref)
	case x.kind == String:
		return triOf(x.text == y.text)
	}
	return triOf(x.num == y.num)
}

func sameType(a, b *Value) bool {
	return a.class == b.class || a.class.kind == classAny || b.class.kind == classAny || a.class.name == b.class.name
}

// equivalentCollections answers "~": the same items in any order.
func equivalentCollections(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
next:
	for i := range a {
		for j := range b {
			if !used[j] && equivalent(&a[i], &b[j]) {
				used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func equivalent(a, b *Value) bool {
	x, okX := a.system()
	y, okY := b.system()
	if !okX || !okY {
		return a.kind == Element && b.kind == Element && sameType(a, b) && equivalentNodes(a.node, b.node)
	}
	if qa, qb, ok := quantities(x, y); ok {
		return equivalentQuantities(qa, qb)
	}
	dx, numberX := x.decimal()
	dy, numberY := y.decimal()
	switch {
	case numberX && numberY:
		return equivalentDecimals(dx, dy)
	case x.isTemporal() && y.isTemporal():
		order, known := compareTemporal(x.temporal(), y.temporal())
		return known && order == 0
	case x.kind != y.kind:
		return false
	case x.kind == String:
		return normalText(x.text) == normalText(y.text)
	}
	return equal(&x, &y) == yes
}

// equivalentDecimals compares at the precision of the less precise.
func equivalentDecimals(a, b *apd.Decimal) bool {
	digits := min(scale(trim(new(apd.Decimal).Set(a))), scale(trim(new(apd.Decimal).Set(b))))
	x, okX := quantize(a, digits, roundHalfUp)
	y, okY := quantize(b, digits, roundHalfUp)
	return okX && okY && x.Cmp(y) == 0
}

// normalText is the form in which strings are equivalent: case and runs of
// white space do not matter.
func normalText(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// equivalentNodes compares complex values: property order, array order and case
// do not matter.
func equivalentNodes(a, b *fhir.Node) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case fhir.Object:
		for _, k := range a.All() {
			if !equivalentNodes(k, b.Get(k.Name())) {
				return false
			}
		}
		return true
	case fhir.Array:
		used := make([]bool, b.Len())
	next:
		for _, x := range a.All() {
			for j, y := range b.All() {
				if !used[j] && equivalentNodes(x, y) {
					used[j] = true
					continue next
				}
			}
			return false
		}
		return true
	case fhir.Number:
		x, okX := parseDecimal(a.Text())
		y, okY := parseDecimal(b.Text())
		return okX && okY && equivalentDecimals(x, y)
	}
	return normalText(a.Text()) == normalText(b.Text())
}

// distinct removes repetitions from the stack above mark.
func (m *machine) distinct(mark int) error {
	values := m.stack[mark:]
	if len(values) < 2 {
		return nil
	}
	n := 0
	var seen map[string]int
	if len(values) > 16 {
		seen = make(map[string]int, len(values))
	}
next:
	for i := range values {
		if seen != nil {
			if key, ok := textKey(&values[i]); ok {
				if _, again := seen[key]; again {
					continue
				}
				seen[key] = i
				values[n] = values[i]
				n++
				continue
			}
		}
		if err := m.spend(n); err != nil {
			return err
		}
		for j := range n {
			if equal(&values[j], &values[i]) == yes {
				continue next
			}
		}
		values[n] = values[i]
		n++
	}
	m.stack = m.stack[:mark+n]
	return nil
}

// textKey is the identity of a string among strings.
func textKey(v *Value) (string, bool) {
	switch {
	case v.kind == String:
		return v.text, true
	case v.kind == Element && v.class != nil && v.class.system == String && v.hasValue():
		return v.node.Text(), true
	}
	return "", false
}
