package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/yilian/yilian/gateway/search"
)

// hasher makes the keys of index_key: the hash of a text, xor that of the number of what
// it stands under. Both are keyed with a secret of the store, so that nobody can choose values
// that meet; by chance two of a thousand million values of a parameter do with a
// probability of 6 %, and then a search by a bare word shows both. Other conditions
// compare the texts. The lowest bit of a key is not of the hash, see dated.
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

// self is what keys of references to a resource are made of. Its lowest bit says whether
// the id tells much.
func (h hasher) self(id string) int64 {
	if tells(id) {
		return h.text(id) | 1
	}
	return h.text(id) &^ 1
}

// gram is the short key of a character or pair of characters.
func (h hasher) gram(pid int32, gram string) int32 { return int32(h.of(pid, gram)) }

// leading are the grams of a text that lead to it: pairs of characters, and characters
// but those of ASCII, any of which is in most texts.
func leading(text string) []string {
	return slices.DeleteFunc(search.Grams(text), func(g string) bool { return len(g) == 1 })
}

// grams returns the hashes of the grams that lead to a text, or nil of one that has too many.
func (h hasher) grams(text string) []int32 {
	if len(text) > 4*maxGrams {
		return nil
	}
	list := leading(text)
	if len(list) > maxGrams {
		return nil
	}
	out := make([]int32, len(list))
	for i, g := range list {
		out[i] = int32(h.text(g))
	}
	return out
}
