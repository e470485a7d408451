package cached

import (
	"context"
	"time"

	"github.com/yilian/yilian/gateway/store"
)

// Cache keeps values for a while. It may forget any of them at any time, and answers
// soon whatever happens to it. It is used by many goroutines.
type Cache interface {
	// Get returns a value that must not be changed.
	Get(ctx context.Context, key string) (value []byte, ok bool)
	// Set keeps a value, which the caller must not change any more. It does not wait.
	Set(key string, value []byte)
}

// Counter counts what happens, for bounds on how often. It may count too little for a
// while, never less than what this process saw.
type Counter interface {
	// Count adds n to what happened under the key in the present window, and returns
	// how much that is. Windows begin at multiples of their length since 1970.
	Count(ctx context.Context, key string, n int64, window time.Duration) int64
}

// Bell wakes those who wait. It may fail to.
type Bell interface {
	// Ring tells who listens that something of the topic happened. It does not wait.
	Ring(topic string)
	// Listen calls heard for each topic that rings, one at a time, until ctx ends.
	Listen(ctx context.Context, heard func(topic string))
}

// Topics of the bell.
const (
	Records    = "records"    // a record was accepted
	Folders    = "folders"    // another version of a folder is in effect
	Parameters = "parameters" // a SearchParameter was written or deleted
)

// Backing is the store behind.
type Backing interface {
	store.Reader
	store.Writer
	store.IdentityReader
	store.Inbox
	store.Secrets
	store.Folders
	store.Erasures
	store.Leftovers
	store.Labels
	store.States
	store.Concepts
	Close() error
}

// Trust is how long a process may take for true what it heard of erasures.
const Trust = time.Second

// Options say what a Store is made with.
type Options struct {
	Cache Cache
	Bell  Bell
	// Alone says that no other process uses the store, so that nobody else expunges.
	Alone bool
	// Seen, when set, is told whether a version was found in the cache.
	Seen func(found bool)
}

// Store is a store with a cache before its versions, and a bell that rings for what
// others wait for. It is safe for concurrent use.
type Store struct {
	Backing
	opt   Options
	keys  *Keys
	trust trust
}

// New puts a cache and a bell before a store. The keys are NewKeys of the same store.
func New(s Backing, keys *Keys, o Options) *Store {
	if o.Seen == nil {
		o.Seen = func(bool) {}
	}
	c := &Store{Backing: s, opt: o, keys: keys}
	c.trust.ask, c.trust.alone = s.Erasures, o.Alone
	return c
}

// Close waits for what runs and closes the store behind.
func (s *Store) Close() error {
	s.trust.close()
	return s.Backing.Close()
}

// Accept rings for the records.
func (s *Store) Accept(ctx context.Context, entries []store.Entry) ([]store.Receipt, error) {
	list, err := s.Backing.Accept(ctx, entries)
	if err == nil {
		s.opt.Bell.Ring(Records)
	}
	return list, err
}

// Replay rings for the records.
func (s *Store) Replay(ctx context.Context, ids []string) (int, error) {
	n, err := s.Backing.Replay(ctx, ids)
	if n > 0 {
		s.opt.Bell.Ring(Records)
	}
	return n, err
}

// PushFolder rings for the folder.
func (s *Store) PushFolder(ctx context.Context, f store.Folder, content []byte, expected int64) (store.Folder, error) {
	f, err := s.Backing.PushFolder(ctx, f, content, expected)
	if err == nil {
		s.opt.Bell.Ring(Folders)
	}
	return f, err
}

// ActivateFolder rings for the folder.
func (s *Store) ActivateFolder(ctx context.Context, a store.Activation, expected int64) (store.Activation, error) {
	a, err := s.Backing.ActivateFolder(ctx, a, expected)
	if err == nil {
		s.opt.Bell.Ring(Folders)
	}
	return a, err
}
