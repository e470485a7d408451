package codesystem

import "math/bits"

// bitset is a set of positions.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int64) {
	if i >= 0 && int(i>>6) < len(b) {
		b[i>>6] |= 1 << (i & 63)
	}
}

func (b bitset) clear(i int64)    { b[i>>6] &^= 1 << (i & 63) }
func (b bitset) has(i int64) bool { return int(i>>6) < len(b) && b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) count() (n int) {
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

// invert turns the set into all other positions below n.
func (b bitset) invert(n int) {
	for i := range b {
		b[i] = ^b[i]
	}
	if n&63 != 0 {
		b[len(b)-1] &= 1<<(n&63) - 1
	}
}

// after returns at most limit positions of the set from a position on, and where the next ones begin.
func (b bitset) after(from int64, limit int) (list []int64, next int64) {
	for next = from; int(next>>6) < len(b) && len(list) < limit; {
		w := b[next>>6] >> (next & 63)
		if w == 0 {
			next = (next>>6 + 1) << 6
			continue
		}
		next += int64(bits.TrailingZeros64(w))
		list = append(list, next)
		next++
	}
	return list, next
}

// skip returns the position that has n members of the set before it.
func (b bitset) skip(n int) int64 {
	for i, w := range b {
		here := bits.OnesCount64(w)
		if n >= here {
			n -= here
			continue
		}
		for ; n > 0; n-- {
			w &= w - 1
		}
		return int64(i<<6 | bits.TrailingZeros64(w))
	}
	return int64(len(b)) << 6
}
