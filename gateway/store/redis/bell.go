package redis

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	client "github.com/redis/go-redis/v9"
)

func newName() string { return rand.Text() }

// gather is how long topics are gathered before they are rung in one trip.
const gather = 2 * time.Millisecond

// maxTopic bounds what is heard: longer messages are nobody's of ours.
const maxTopic = 64

func (r *Redis) channel() string { return r.opt.Prefix + "bell" }

// Ring tells other processes that something of the topic happened. It does not wait,
// and what rings again before it was sent rings once.
func (r *Redis) Ring(topic string) {
	r.mu.Lock()
	r.rung[topic] = struct{}{}
	r.mu.Unlock()
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// ring sends what was rung until Close, and then what is left.
func (r *Redis) ring() {
	for {
		select {
		case <-r.ctx.Done():
			r.sendRung(context.WithoutCancel(r.ctx))
			return
		case <-r.bell:
		}
		select {
		case <-r.ctx.Done():
		case <-time.After(gather):
			r.sendRung(r.ctx)
		}
	}
}

func (r *Redis) sendRung(ctx context.Context) {
	r.mu.Lock()
	topics := slices.Sorted(maps.Keys(r.rung))
	clear(r.rung)
	r.mu.Unlock()
	for _, topic := range topics {
		r.call(ctx, func(ctx context.Context) error {
			return r.client.Publish(ctx, r.channel(), r.name+" "+topic).Err()
		})
	}
}

// alive is how often a silent connection is asked whether it still is one.
const alive = 3 * time.Second

// Listen calls heard for each topic that rings in another process, one at a time, until
// ctx or the Redis ends. What rings while the connection is lost is not heard.
func (r *Redis) Listen(ctx context.Context, heard func(topic string)) {
	s := r.client.Subscribe(ctx, r.channel()) // connects again by itself
	defer s.Close()
	messages := s.Channel(client.WithChannelHealthCheckInterval(alive))
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.ctx.Done():
			return
		case m, open := <-messages:
			if !open {
				return
			}
			from, topic, ok := strings.Cut(m.Payload, " ")
			if ok && from != r.name && len(topic) <= maxTopic {
				heard(topic)
			}
		}
	}
}
