package memory

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Options are the limits of a Memory. Zero fields take the defaults.
type Options struct {
	// Bytes bounds keys and values together; default DefaultBytes.
	Bytes int64
	// Counters bounds how many keys are counted apart; default DefaultCounters.
	Counters int
}

// Defaults.
const (
	DefaultBytes    = 32 << 20
	DefaultCounters = 1 << 16
)

// Memory keeps values, the least lately used of which it forgets first. It is safe for
// concurrent use.
type Memory struct {
	opt Options

	mu     sync.Mutex
	size   int64
	values map[string]*list.Element
	used   *list.List // of *entry, lately used ones first

	counting sync.Mutex
	counters map[string]counter

	ringing sync.Mutex
	ears    map[*ear]struct{}
}

type entry struct {
	key   string
	value []byte
}

// overhead is what an entry takes beside its key and value, about.
const overhead = 160

func (e *entry) size() int64 { return int64(len(e.key)+len(e.value)) + overhead }

// New returns an empty Memory.
func New(o Options) *Memory {
	if o.Bytes <= 0 {
		o.Bytes = DefaultBytes
	}
	if o.Counters <= 0 {
		o.Counters = DefaultCounters
	}
	return &Memory{opt: o, values: map[string]*list.Element{}, used: list.New(), counters: map[string]counter{}, ears: map[*ear]struct{}{}}
}

// Get returns a value, which the caller must not change.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.values[key]
	if !ok {
		return nil, false
	}
	m.used.MoveToFront(at)
	return at.Value.(*entry).value, true
}

// Set keeps a value, which is the Memory's from now on.
func (m *Memory) Set(key string, value []byte) {
	e := &entry{key: key, value: value}
	if e.size() > m.opt.Bytes {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.values[key]; ok {
		m.forget(at)
	}
	m.values[key] = m.used.PushFront(e)
	for m.size += e.size(); m.size > m.opt.Bytes; {
		m.forget(m.used.Back())
	}
}

func (m *Memory) forget(at *list.Element) {
	e := m.used.Remove(at).(*entry)
	delete(m.values, e.key)
	m.size -= e.size()
}

// counter is how often something happened in a window of time.
type counter struct {
	total int64
	until time.Time
}

// overflow is counted where there are too many keys to count them apart. Who ends up
// there is taken for more than he did, never for less.
const overflow = ""

// Count adds n to what happened under the key in the present window, and returns how
// much that is. Windows of a length begin at its multiples since 1970, in all processes.
func (m *Memory) Count(_ context.Context, key string, n int64, window time.Duration) int64 {
	now := time.Now()
	m.counting.Lock()
	defer m.counting.Unlock()
	if c, ok := m.counters[key]; !ok || !now.Before(c.until) {
		if !ok && len(m.counters) >= m.opt.Counters {
			for k, c := range m.counters {
				if !now.Before(c.until) {
					delete(m.counters, k)
				}
			}
			if len(m.counters) >= m.opt.Counters {
				key = overflow
			}
		}
		if c, ok := m.counters[key]; !ok || !now.Before(c.until) {
			m.counters[key] = counter{until: now.Truncate(window).Add(window)}
		}
	}
	c := m.counters[key]
	c.total += n
	m.counters[key] = c
	return c.total
}

// Close does nothing: nothing outlives the process.
func (m *Memory) Close() error { return nil }
