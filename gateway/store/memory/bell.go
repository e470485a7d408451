package memory

import (
	"context"
	"maps"
	"slices"
)

// ear is one who listens, and the topics rung since he was last told.
type ear struct {
	rung map[string]struct{}
	wake chan struct{}
}

// Ring tells all who listen that something of the topic happened. It does not wait for
// them: who is busy is told once, however often it rang meanwhile.
func (m *Memory) Ring(topic string) {
	m.ringing.Lock()
	defer m.ringing.Unlock()
	for e := range m.ears {
		e.rung[topic] = struct{}{}
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
}

// Listen calls heard for each topic that rings, one at a time, until ctx ends.
func (m *Memory) Listen(ctx context.Context, heard func(topic string)) {
	e := &ear{rung: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	m.ringing.Lock()
	m.ears[e] = struct{}{}
	m.ringing.Unlock()
	defer func() {
		m.ringing.Lock()
		defer m.ringing.Unlock()
		delete(m.ears, e)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		}
		m.ringing.Lock()
		topics := slices.Sorted(maps.Keys(e.rung))
		clear(e.rung)
		m.ringing.Unlock()
		for _, topic := range topics {
			heard(topic)
		}
	}
}
