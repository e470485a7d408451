package bench_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// worker is one connection of a load with what it measured.
type worker struct {
	client
	rng    *rand.Rand
	index  int
	took   map[string][]time.Duration
	errors map[string]int
	first  string // the first error, for the report
}

// ask sends a request and counts it. It reports whether the status is among the wanted; whatever else comes is an error.
func (w *worker) ask(op, method, path, header string, body []byte, want ...int) (answer, bool) {
	began := time.Now()
	a, err := w.do(method, path, header, body)
	took := time.Since(began)
	if err != nil || !slices.Contains(want, a.status) {
		w.errors[op]++
		if w.first == "" {
			w.first = fmt.Sprintf("%s: %d %v %.600s", op, a.status, err, a.body)
		}
		return a, false
	}
	w.took[op] = append(w.took[op], took)
	return a, true
}

// measured is what one operation of a load came to.
type measured struct {
	op       string
	n        int
	errors   int
	rate     float64 // a second
	p50, p95 time.Duration
	p99      time.Duration
}

// result is what a load came to.
type result struct {
	all    measured
	ops    []measured
	wall   time.Duration
	server time.Duration // processor time of the server
	store  time.Duration // of the database, when that is another process
	client time.Duration
	first  string // the first error
}

// each is processor time a request, of server and database.
func (r *result) each() time.Duration {
	if r.all.n == 0 {
		return 0
	}
	return (r.server + r.store) / time.Duration(r.all.n)
}

// target is what is under load.
type target struct {
	address  string
	pid      int
	database int // process id of the database; 0: none
}

// run lets workers repeat step until the time is over or step says that there is no more.
func (g target) run(d time.Duration, workers int, seed uint64, step func(w *worker) (more bool)) *result {
	all := make([]*worker, workers)
	var wg sync.WaitGroup
	own, server, database := ownTime(), processorTime(g.pid), processorTime(g.database)
	began := time.Now()
	for i := range all {
		w := &worker{
			client: client{address: g.address}, index: i, rng: rand.New(rand.NewPCG(seed, uint64(i))),
			took: map[string][]time.Duration{}, errors: map[string]int{},
		}
		all[i] = w
		wg.Go(func() {
			defer w.close()
			for time.Since(began) < d && step(w) {
			}
		})
	}
	wg.Wait()
	r := &result{wall: time.Since(began)}
	r.client, r.server, r.store = ownTime()-own, processorTime(g.pid)-server, processorTime(g.database)-database
	took, failed := map[string][]time.Duration{}, map[string]int{}
	for _, w := range all {
		for op, d := range w.took {
			took[op] = append(took[op], d...)
		}
		for op, n := range w.errors {
			failed[op] += n
			took[op] = append(took[op], nil...)
		}
		if r.first == "" {
			r.first = w.first
		}
	}
	var every []time.Duration
	total := 0
	for op, d := range took {
		r.ops = append(r.ops, measure(op, d, failed[op], r.wall))
		every = append(every, d...)
		total += failed[op]
	}
	slices.SortFunc(r.ops, func(a, b measured) int { return strings.Compare(a.op, b.op) })
	r.all = measure("all", every, total, r.wall)
	return r
}

func measure(op string, d []time.Duration, failed int, wall time.Duration) measured {
	m := measured{op: op, n: len(d), errors: failed, rate: float64(len(d)) / wall.Seconds()}
	if len(d) == 0 {
		return m
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[min(len(d)-1, int(p*float64(len(d))))] }
	m.p50, m.p95, m.p99 = at(.50), at(.95), at(.99)
	return m
}
