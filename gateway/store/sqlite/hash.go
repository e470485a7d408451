package sqlite

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash/fnv"
)

// hasher makes the keys of index_key, of a parameter's number and a text. They are
// keyed with a secret of the store, so that nobody can choose values that meet;
// where two meet by chance, the held values tell them apart.
type hasher struct{ secret [32]byte }

func (h *hasher) of(pid int64, text []byte) int64 {
	var buf [168]byte
	b := append(buf[:0], h.secret[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(pid))
	sum := sha256.Sum256(append(b, text...))
	return int64(binary.LittleEndian.Uint64(sum[:]))
}

// hashSecret names the secret in table secret.
const hashSecret = "index"

// load reads the secret, making it in a new store.
func (h *hasher) load(c *conn) error {
	ok, err := c.one(secretSQL, []any{hashSecret}, func(row row) { copy(h.secret[:], row.bytes(0)) })
	if ok || err != nil {
		return err
	}
	if _, err := rand.Read(h.secret[:]); err != nil {
		return err
	}
	_, err = c.exec(newSecretSQL, hashSecret, h.secret[:])
	return err
}

// Terms of index_gram are made of short hashes, because candidates are all that they
// lead to: parameter and first character, then the second, so that the start of a
// term finds the single character.
const gramHead, gramTail = 6, 3

const gramDigits = "0123456789abcdefghijklmnopqrstuv"

func appendDigits(b []byte, n uint64, digits int) []byte {
	for range digits {
		b = append(b, gramDigits[n&31])
		n >>= 5
	}
	return b
}

func gramHash(pid int64, char string) uint64 {
	h := fnv.New64a()
	var b [16]byte
	_, _ = h.Write(append(binary.LittleEndian.AppendUint64(b[:0], uint64(pid)), char...))
	n := h.Sum64()
	return n ^ n>>29
}
