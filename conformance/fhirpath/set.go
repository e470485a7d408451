package fhirpath

import (
	"hash/maphash"

	"github.com/yilian/yilian/conformance/fhir"
)

// fewValues is how many values are told apart by comparing each with each; a set
// costs more.
const fewValues = 16

// set holds values that are all different. Those that can be equal share a bucket,
// so that most are compared with few.
type set struct {
	machine *machine
	values  []Value
	buckets map[uint64][]int
}

// costOfKeeping is what a value costs that a set keeps, in steps.
const costOfKeeping = 10

var seed = maphash.MakeSeed()

// add adds a value and reports whether it was not there.
func (s *set) add(v *Value) bool {
	h := s.machine.hash(v)
	if h == quantityHash {
		// A quantity can equal a number.
		if s.machine.contains(s.values, v) {
			return false
		}
	} else if s.among(s.buckets[h], v) || s.among(s.buckets[quantityHash], v) {
		return false
	}
	if s.buckets == nil {
		s.buckets = map[uint64][]int{}
	}
	s.machine.charge(costOfKeeping)
	s.buckets[h] = append(s.buckets[h], len(s.values))
	s.values = append(s.values, *v)
	return true
}

func (s *set) among(bucket []int, v *Value) bool {
	if !s.machine.charge(len(bucket)) {
		return true // what is over the limit must not grow
	}
	for _, i := range bucket {
		if s.machine.equal(&s.values[i], v) == yes {
			return true
		}
	}
	return false
}

// Hashes of values that are not equal by one form of theirs.
const (
	otherHash = iota
	quantityHash
	temporalHash
)

// hash is equal for values that are equal, but for numbers and quantities.
func (m *machine) hash(v *Value) uint64 {
	s, ok := v.system()
	if !ok {
		if v.class == nil || v.class.system != Element || v.node.Kind() != fhir.Object {
			return otherHash
		}
		return m.hashNode(v.node)
	}
	switch {
	case s.kind == String:
		return maphash.String(seed, s.text)
	case s.kind == Integer && s.num > -1<<53 && s.num < 1<<53:
		return maphash.Comparable(seed, float64(s.num))
	case s.kind == Integer || s.kind == Decimal:
		d, _ := s.decimal()
		f, err := d.Float64()
		if err != nil {
			return quantityHash
		}
		return maphash.Comparable(seed, f+0) // one zero
	case s.kind == Quantity:
		return quantityHash
	case s.isTemporal():
		return temporalHash
	}
	return otherHash
}

// hashNode does not depend on the order of properties.
func (m *machine) hashNode(n *fhir.Node) uint64 {
	if !m.charge(1) {
		return 0
	}
	h := uint64(n.Kind()) + maphash.String(seed, n.Text())
	for i, k := range n.All() {
		own := m.hashNode(k)
		if n.Kind() == fhir.Array {
			own *= 2*uint64(i) + 3
		} else {
			own *= maphash.String(seed, k.Name()) | 1
		}
		h += own
	}
	return h
}
