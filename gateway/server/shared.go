package server

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/store/cached"
	"github.com/yilian/yilian/gateway/store/memory"
	"github.com/yilian/yilian/gateway/store/redis"
)

// shared is what the processes of one store share for speed, or one has for itself.
type shared interface {
	cached.Cache
	cached.Counter
	cached.Bell
	Close() error
}

// node is the store of one process among those that use it.
type node struct {
	*cached.Store
	shared
	keys    *cached.Keys
	several bool // others may use the store too
}

// Close closes the store, then what was shared.
func (n *node) Close() error { return errors.Join(n.Store.Close(), n.shared.Close()) }

// share puts what processes share before a store.
func share(ctx context.Context, c *config.Config, log *slog.Logger, behind cached.Backing) (*node, error) {
	keys, err := cached.NewKeys(ctx, behind)
	if err != nil {
		return nil, err
	}
	n := &node{keys: keys, several: c.StoreURL != ""}
	if c.RedisURL == "" {
		n.shared = memory.New(memory.Options{Bytes: c.Limits.Cache})
	} else {
		n.shared, err = redis.Open(c.RedisURL, redis.Options{
			Prefix: keys.Prefix(), Timeout: c.Redis.Timeout, Expire: c.Redis.Expire, Log: log,
		})
		if err != nil {
			return nil, err
		}
	}
	looked := versionsLooked()
	found, missed := looked.WithLabelValues("found"), looked.WithLabelValues("missed")
	n.Store = cached.New(behind, keys, cached.Options{Cache: n.shared, Bell: n.shared, Alone: !n.several, Seen: func(yes bool) {
		if yes {
			found.Inc()
			return
		}
		missed.Inc()
	}})
	return n, nil
}

// versionsLooked counts versions that were looked for in the cache.
func versionsLooked() *prometheus.CounterVec {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "yilian_version_cache_total",
		Help: "Versions of resources that were looked for in the cache.",
	}, []string{"result"})
	var there prometheus.AlreadyRegisteredError
	if errors.As(prometheus.Register(counter), &there) {
		if known, ok := there.ExistingCollector.(*prometheus.CounterVec); ok {
			return known
		}
	}
	return counter
}

// hear passes on what other processes did. What it misses is found by looking.
func (p *process) hear(ctx context.Context) error {
	p.store.Listen(ctx, func(topic string) {
		switch topic {
		case cached.Records:
			p.ingest.Poke()
		case cached.Folders:
			p.members.poke()
		case cached.Parameters:
			p.engine.Poke()
		}
	})
	return nil
}
