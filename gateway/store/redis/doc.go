// Package redis keeps in a Redis what several processes of a gateway may share without
// relying on it: values that may be forgotten, counters of what happened lately, and the
// bell that wakes those who wait elsewhere. It fulfils the interfaces of package cached,
// as package memory does for one process.
//
// Nothing is decided here. Every call is bounded by a short time, and when several in a
// row fail a breaker keeps further ones from waiting at all:
//
//	closed ──Failures in a row──▶ open ──Pause──▶ one call is let through
//	   ▲                           ▲                 │            │
//	   └────────── it worked ──────┼─────────────────┘            │
//	                               └───────── it failed ──────────┘
//
// While Redis is away values are not found, a process counts for itself, and who waits
// elsewhere finds out by looking. Keys come in from package cached, which makes them so
// that they tell nothing; they stand below a prefix that belongs to one store.
//
// Specification: https://redis.io/docs/latest/commands/.
package redis
