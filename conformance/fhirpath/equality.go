package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/yilian/yilian/conformance/fhir"
)

// equalCollections answers "=": nothing on a side is not known, otherwise all
// items in order.
func (m *machine) equalCollections(a, b []Value) tri {
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	if len(a) != len(b) {
		return no
	}
	result := yes
	for i := range a {
		switch m.equal(&a[i], &b[i]) {
		case no:
			return no
		case unknown:
			result = unknown
		}
	}
	return result
}

// costOfConversion is what comparing values costs that have to be read first, in steps.
const costOfConversion = 8

// equal compares two items. Past the limit of steps everything is different, and
// the evaluation ends with the next that it spends.
func (m *machine) equal(a, b *Value) tri {
	if x, ok := textKey(a); ok {
		if y, ok := textKey(b); ok {
			return triOf(x == y)
		}
	}
	if !m.charge(costOfConversion) {
		return no
	}
	x, okX := a.system()
	y, okY := b.system()
	if !okX || !okY {
		if a.kind == Element && b.kind == Element {
			return triOf(sameType(a, b) && m.same(a.node, b.node) && m.same(a.extra, b.extra))
		}
		return no
	}
	if qa, qb, ok := quantities(x, y); ok {
		m.chargeUnits(qa, qb)
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

// same is fhir.Equal for an evaluation that pays for each node.
func (m *machine) same(a, b *fhir.Node) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind() != b.Kind() || a.Text() != b.Text() || a.Len() != b.Len() || !m.charge(1) {
		return false
	}
	for i, k := range a.All() {
		other := b.At(i)
		if other.Name() != k.Name() {
			m.charge(b.Len() / 8)
			if other = b.Get(k.Name()); other == nil {
				return false
			}
		}
		if !m.same(k, other) {
			return false
		}
	}
	return true
}

func sameType(a, b *Value) bool {
	return a.class == b.class || a.class.kind == classAny || b.class.kind == classAny || a.class.name == b.class.name
}

// equivalentCollections answers "~": the same items in any order.
func (m *machine) equivalentCollections(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
	first := 0 // all before it are used
next:
	for i := range a {
		for first < len(b) && used[first] {
			first++
		}
		for j := first; j < len(b); j++ {
			if !m.charge(1) {
				return false
			}
			if !used[j] && m.equivalent(&a[i], &b[j]) {
				used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func (m *machine) equivalent(a, b *Value) bool {
	if !m.charge(costOfConversion) {
		return false
	}
	x, okX := a.system()
	y, okY := b.system()
	if !okX || !okY {
		return a.kind == Element && b.kind == Element && sameType(a, b) && m.equivalentNodes(a.node, b.node)
	}
	if qa, qb, ok := quantities(x, y); ok {
		m.chargeUnits(qa, qb)
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
	return m.equal(&x, &y) == yes
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
func (m *machine) equivalentNodes(a, b *fhir.Node) bool {
	if a == b {
		return true
	}
	if !m.charge(costOfConversion + (len(a.Text())+len(b.Text()))/16) {
		return false
	}
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case fhir.Object:
		for _, k := range a.All() {
			if !m.equivalentNodes(k, b.Get(k.Name())) {
				return false
			}
		}
		return true
	case fhir.Array:
		used := make([]bool, b.Len())
		first := 0
	next:
		for _, x := range a.All() {
			for first < b.Len() && used[first] {
				first++
			}
			for j := first; j < b.Len(); j++ {
				if !m.charge(1) {
					return false
				}
				y := b.At(j)
				if !used[j] && m.equivalentNodes(x, y) {
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
	if len(values) <= fewValues {
		for i := range values {
			if !m.contains(values[:n], &values[i]) {
				values[n] = values[i]
				n++
			}
		}
	} else {
		kept := set{machine: m, values: values[:0]}
		for i := range values {
			v := values[i]
			if kept.add(&v) {
				n++
			}
		}
	}
	m.stack = m.stack[:mark+n]
	return m.spend(len(values))
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
