package postgres

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/klauspost/compress/s2"

	"github.com/yilian/yilian/gateway/fault"
)

// The first byte of a stored body says how it is kept.
const (
	bodyPlain  = 0 // as it is
	bodySmall  = 1 // S2
	bodyShared = 2 // S2 with the dictionary of the type
)

// bodies compresses versions. Bodies of one type share most of their text, so each
// type gets a dictionary when enough of it were written: pieces of JSON that stand in
// the bodies of several patients, so that nothing of any one patient is kept apart from
// the resources.
type bodies struct {
	s *Store

	mu      sync.RWMutex
	dicts   map[int32]*s2.Dict  // nil for a type that is known to have none yet
	samples map[int32]*sampling // until there is one
}

const (
	maxSamples = 24      // bodies that a dictionary is made of
	minShare   = 4       // of them must hold a piece
	sampleStep = 8       // every how many-th body is taken
	maxSample  = 8 << 10 // bytes of each
	maxDict    = 48 << 10
	minPiece   = 8
	// minBody is the length from which bodies are compressed.
	minBody = 200
)

type sampling struct {
	seen   int
	owners map[string]bool // patients and resources without one
	bodies [][]byte
	done   bool
}

func (b *bodies) start(s *Store) {
	b.s = s
	b.dicts, b.samples = map[int32]*s2.Dict{}, map[int32]*sampling{}
}

func (b *bodies) dict(typ int32) *s2.Dict {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.dicts[typ]
}

// pack compresses a body. whose tells patients apart.
func (b *bodies) pack(typ int32, whose string, body []byte) []byte {
	if body == nil {
		return nil
	}
	d := b.dict(typ)
	if d == nil {
		b.sample(typ, whose, body)
	}
	if len(body) >= minBody {
		out := make([]byte, 1+s2.MaxEncodedLen(len(body)))
		var packed []byte
		if d != nil {
			out[0] = bodyShared
			packed = d.Encode(out[1:], body)
		} else {
			out[0] = bodySmall
			packed = s2.Encode(out[1:], body)
		}
		if len(packed) < len(body) {
			return out[:1+len(packed)]
		}
	}
	return append([]byte{bodyPlain}, body...)
}

// unpack gives a stored body back.
func (b *bodies) unpack(ctx context.Context, typ int32, packed []byte) ([]byte, error) {
	if packed == nil {
		return nil, nil
	}
	if len(packed) == 0 || len(packed) == 1 && packed[0] != bodyPlain {
		return nil, errBody
	}
	switch packed[0] {
	case bodyPlain:
		return packed[1:], nil
	case bodySmall:
		return decoded(s2.Decode(nil, packed[1:]))
	case bodyShared:
		d := b.dict(typ)
		if d == nil {
			var err error
			if d, err = b.fetch(ctx, typ, nil); err != nil {
				return nil, err
			}
			if d == nil {
				return nil, errBody
			}
		}
		return decoded(d.Decode(nil, packed[1:]))
	}
	return nil, errBody
}

var errBody = fault.New(fault.Internal, "a stored body is damaged")

func decoded(body []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, errBody.Message)
	}
	return body, nil
}

// sample keeps some bodies of a type until there are enough for a dictionary.
func (b *bodies) sample(typ int32, whose string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.samples[typ]
	if k == nil {
		k = &sampling{owners: map[string]bool{}}
		b.samples[typ] = k
	}
	k.seen++
	if k.done || k.seen%sampleStep != 0 || k.owners[whose] || len(body) > maxSample {
		return
	}
	k.owners[whose] = true
	k.bodies = append(k.bodies, bytes.Clone(body))
	if len(k.bodies) < maxSamples {
		return
	}
	k.done = true
	pieces := shared(k.bodies)
	k.bodies, k.owners = nil, nil
	b.s.background(func(ctx context.Context) {
		if _, err := b.fetch(ctx, typ, pieces); err != nil {
			b.mu.Lock()
			delete(b.samples, typ) // another try with other bodies
			b.mu.Unlock()
		}
	})
}

// fetch reads the dictionary of a type, after making it of pieces where there is none.
func (b *bodies) fetch(ctx context.Context, typ int32, pieces []byte) (*s2.Dict, error) {
	var text []byte
	err := lend(ctx, b.s.upkeep, func(c *pgxpool.Conn) error {
		if len(pieces) >= s2.MinDictSize {
			if _, err := c.Exec(ctx, "INSERT INTO dictionary (type, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING", typ, pieces); err != nil {
				return err
			}
		}
		_, err := one(ctx, reader{c}, fragment{"SELECT bytes FROM dictionary WHERE type = ?", []any{typ}}, &text)
		return err
	})
	if err != nil || text == nil {
		return nil, err
	}
	d := s2.MakeDict(text, nil)
	if d == nil {
		return nil, fmt.Errorf("the dictionary of type %d is damaged", typ)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dicts[typ] = d
	delete(b.samples, typ)
	return d, nil
}

// shared returns the pieces that stand in several of the bodies, in the order in which
// one of them has them. A piece ends where JSON has a comma or a bracket.
func shared(samples [][]byte) []byte {
	split := func(body []byte) []string {
		var out []string
		from := 0
		for i, c := range body {
			if c == ',' || c == '{' || c == '[' || c == '}' {
				out = append(out, string(body[from:i+1]))
				from = i + 1
			}
		}
		return out
	}
	count := map[string]int{}
	for _, body := range samples {
		seen := map[string]bool{}
		for _, piece := range split(body) {
			if !seen[piece] {
				seen[piece] = true
				count[piece]++
			}
		}
	}
	var out strings.Builder
	done := map[string]bool{}
	for _, body := range samples {
		pieces := split(body)
		for i, piece := range pieces {
			// Short pieces only between others, where they make longer runs.
			if count[piece] < minShare || done[piece] && (len(piece) >= minPiece || i > 0 && done[pieces[i-1]]) || out.Len()+len(piece) > maxDict {
				continue
			}
			done[piece] = true
			out.WriteString(piece)
		}
	}
	return []byte(out.String())
}
