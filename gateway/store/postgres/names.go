package postgres

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yilian/yilian/gateway/fault"
)

// names gives texts that repeat small numbers. They are made on a connection of their
// own and committed at once, before any row holds them, so what the cache says is true
// for every transaction of every process.
type names struct {
	pool *pgxpool.Pool
	hash *hasher // set before the first name is known

	mu    sync.RWMutex
	ids   map[string]named
	texts map[int32]string
}

// named is the number of a text, and what the keys of a parameter of that name differ
// from those of others by.
type named struct {
	id   int32
	hash int64
}

// maxNames bounds the cache. Code systems and units come from clients.
const maxNames = 1 << 16

func digestOf(parts ...string) []byte {
	h := sha256.New()
	for i, p := range parts {
		if i > 0 {
			h.Write([]byte{0xff}) // is in no text that is UTF-8
		}
		h.Write([]byte(p))
	}
	return h.Sum(nil)[:16]
}

func (n *names) cached(text string) (int32, bool) {
	if text == "" {
		return 0, true
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	known, ok := n.ids[text]
	return known.id, ok
}

func (n *names) remember(id int32, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil || len(n.ids) >= maxNames {
		n.ids, n.texts = map[string]named{}, map[int32]string{}
	}
	n.ids[text], n.texts[id] = named{id, n.hash.param(id)}, text
}

// id returns the number of a text, or false when it has none and so no row can hold it.
func (n *names) id(ctx context.Context, text string) (int32, bool, error) {
	if id, ok := n.cached(text); ok {
		return id, true, nil
	}
	var id int32
	ok, err := n.ask(ctx, fragment{"SELECT id FROM name WHERE digest = ?", []any{digestOf(text)}}, &id)
	if ok {
		n.remember(id, text)
	}
	return id, ok, err
}

// text returns the text of a number that a row holds.
func (n *names) text(ctx context.Context, id int32) (string, error) {
	if id == 0 {
		return "", nil
	}
	n.mu.RLock()
	text, ok := n.texts[id]
	n.mu.RUnlock()
	if ok {
		return text, nil
	}
	var bytes []byte
	ok, err := n.ask(ctx, fragment{"SELECT text FROM name WHERE id = ?", []any{id}}, &bytes)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.Newf(fault.Internal, "the name %d is missing", id)
	}
	n.remember(id, string(bytes))
	return string(bytes), nil
}

// intern gives all of the texts numbers that have none yet.
func (n *names) intern(ctx context.Context, texts []string) error {
	var digests, bytes [][]byte
	for _, text := range texts {
		if _, ok := n.cached(text); !ok {
			digests, bytes = append(digests, digestOf(text)), append(bytes, []byte(text))
		}
	}
	if len(digests) == 0 {
		return nil
	}
	return n.with(ctx, func(c *pgxpool.Conn) error {
		// In the order of digests, so that two that bring the same texts do not wait for each other in a circle.
		_, err := c.Exec(ctx, `INSERT INTO name (digest, text) SELECT d, t FROM unnest($1::bytea[], $2::bytea[]) x(d, t)
WHERE NOT EXISTS (SELECT 1 FROM name n WHERE n.digest = d) ORDER BY d ON CONFLICT DO NOTHING`, digests, bytes)
		if err != nil {
			return err
		}
		rows, err := c.Query(ctx, "SELECT id, text FROM name WHERE digest = ANY($1)", digests)
		if err != nil {
			return err
		}
		var id int32
		var text []byte
		_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
			n.remember(id, string(text))
			return nil
		})
		return err
	})
}

func (n *names) ask(ctx context.Context, f fragment, to ...any) (ok bool, err error) {
	err = n.with(ctx, func(c *pgxpool.Conn) error {
		ok, err = one(ctx, reader{c}, f, to...)
		return err
	})
	return ok, err
}

// with lends the connection of names. Whoever holds it waits for nobody but the
// database, so that transactions which wait for it always go on.
func (n *names) with(ctx context.Context, fn func(c *pgxpool.Conn) error) error {
	return lend(ctx, n.pool, fn)
}
