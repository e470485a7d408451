// Package cached puts what processes may share for speed before a store: versions, which
// never change, are answered from a cache; answers that took work are kept; what happens
// is counted; and processes wake each other instead of only looking now and then. The
// cache, the counter and the bell are those of one process (package memory) or of many
// (package redis).
//
// It decides nothing. Current versions, locks, leases and what is in effect are the
// store's, and each of its promises holds whatever the cache answers:
//
//   - A value is found only under the key that belongs to this store as it is now: keys
//     are made with a secret of the store and with its lineage, which restoring renews.
//     They tell nothing of what they stand for, and two stores that use one Redis never
//     meet.
//   - A value is sealed with a secret of the store, bound to its key. What somebody else
//     put there, or changed, is not found.
//   - What was expunged is not answered again once Update returned. Keys hold how often
//     something was expunged in the store (store.Erasures); a process takes a count for
//     true no longer than Trust after it asked, and one that expunges waits that long
//     before it says so.
//   - Wake-ups are hints. Who misses one finds out a little later, by looking.
package cached
