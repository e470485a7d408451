package terminology

import "math/bits"

// bitset is a set of ordinals.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b bitset) and(o bitset) {
	for i := range b {
		b[i] &= o[i]
	}
}

// invert turns the set into all other ordinals below n.
func (b bitset) invert(n int) {
	for i := range b {
		b[i] = ^b[i]
	}
	if n&63 != 0 {
		b[len(b)-1] &= 1<<(n&63) - 1
	}
}

// from yields the ordinals beginning with the one at a position, counted from 0.
func (b bitset) from(position int, yield func(int) bool) {
	for i, w := range b {
		n := bits.OnesCount64(w)
		if position >= n {
			position -= n
			continue
		}
		for w != 0 {
			at := bits.TrailingZeros64(w)
			w &= w - 1
			if position > 0 {
				position--
				continue
			}
			if !yield(i<<6 | at) {
				return
			}
		}
	}
}
