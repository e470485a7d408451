package alliancegen

// rng is splitmix64: small, the same on every platform and Go release.
type rng struct{ state uint64 }

// newRNG mixes the seed first: states of neighbouring seeds would lie one step apart.
func newRNG(seed uint64) *rng { return &rng{state: mix(seed*0xd1342543de82ef95 + 0x243f6a8885a308d3)} }

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix(r.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn returns a number in [0, n).
func (r *rng) intn(n int) int { return int(r.next() % uint64(n)) }

// between returns a number in [lo, hi].
func (r *rng) between(lo, hi int) int { return lo + r.intn(hi-lo+1) }

func pick[T any](r *rng, of []T) T { return of[r.intn(len(of))] }

// shuffled returns a copy in another order.
func shuffled[T any](r *rng, of []T) []T {
	out := append([]T(nil), of...)
	for i := len(out) - 1; i > 0; i-- {
		j := r.intn(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// wheel hands out its values in turn, so that each occurs for every seed.
type wheel[T any] struct {
	values []T
	at     int
}

func newWheel[T any](r *rng, values ...T) *wheel[T] {
	return &wheel[T]{values: values, at: r.intn(len(values))}
}

func (w *wheel[T]) next() T {
	w.at++
	return w.values[w.at%len(w.values)]
}
