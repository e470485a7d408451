package postgres

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/yilian/yilian/gateway/search"
)

// hasher makes the keys of index_key: the hash of a text, xor that of the number of its
// parameter. Both are keyed with a secret of the store, so that nobody can choose values
// that meet; by chance two of a thousand million values of a parameter do with a
// probability of 3 %, and then a search by the bare value shows both. Conditions that
// name system, type or more compare the texts.
type hasher struct{ key []byte }

func newHasher(secret []byte) hasher { return hasher{secret[:32:32]} }

func (h hasher) text(text string) int64 {
	var buf [160]byte
	b := append(append(buf[:0], h.key...), text...)
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// param is what the keys of a parameter differ from those of others by.
func (h hasher) param(pid int32) int64 {
	var b [6]byte
	b[0] = 0xff // begins no text that is UTF-8
	binary.BigEndian.PutUint32(b[1:], uint32(pid))
	return h.text(string(b[:]))
}

func (h hasher) of(pid int32, text string) int64 { return h.text(text) ^ h.param(pid) }

// gram is the short key of a character or pair of characters.
func (h hasher) gram(pid int32, gram string) int32 { return int32(h.of(pid, gram)) }

// grams returns the hashes of all grams of a text, or nil of one that has too many.
func (h hasher) grams(text string) []int32 {
	if len(text) > 4*maxGrams {
		return nil
	}
	list := search.Grams(text)
	if len(list) > maxGrams {
		return nil
	}
	out := make([]int32, len(list))
	for i, g := range list {
		out[i] = int32(h.text(g))
	}
	return out
}
