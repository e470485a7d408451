package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// partBytes is how the archive cuts long contents, so that a piece of one is read
// without the rest; partBits bounds a content at 256 GiB.
const (
	partBytes = 256 << 10
	partBits  = 20
)

var errDigest = fault.New(fault.Invalid, "a digest is 64 hexadecimal digits")

func decodeDigest(digest string) ([]byte, error) {
	b, err := hex.DecodeString(digest)
	if err != nil || len(b) != sha256.Size {
		return nil, errDigest
	}
	return b, nil
}

// archive keeps bytes once and returns their digest.
func (t *tx) archive(content []byte) ([]byte, error) {
	sum := sha256.Sum256(content)
	n, err := t.c.exec("INSERT OR IGNORE INTO archive (digest, size, cut) VALUES (?, ?, 0)", sum[:], len(content))
	if err != nil {
		return sum[:], t.breaks(err)
	}
	var id int64
	if n == 0 {
		if id, err = t.c.integer("SELECT id FROM archive WHERE digest = ? AND cut = 1", sum[:]); id == 0 || err != nil {
			return sum[:], t.breaks(err)
		}
		if err := t.remove(id); err != nil { // it came again as it was, and is whole from now on
			return sum[:], err
		}
		_, err = t.c.exec("INSERT INTO archive (id, digest, size, cut) VALUES (?, ?, ?, 0)", id, sum[:], len(content))
	} else {
		id, err = t.c.integer("SELECT last_insert_rowid()")
	}
	for part := 0; err == nil && len(content) > 0; part++ {
		cut := min(len(content), partBytes)
		_, err = t.c.exec("INSERT INTO archive_part (id, bytes) VALUES (?, ?)", id<<partBits+int64(part), content[:cut])
		content = content[cut:]
	}
	return sum[:], t.breaks(err)
}

// Archive keeps bytes, see store.Tx.
func (t *tx) Archive(ctx context.Context, content []byte) (string, error) {
	if err := t.ready(ctx); err != nil {
		return "", err
	}
	sum, err := t.archive(content)
	return hex.EncodeToString(sum), err
}

// blob checks that the bytes that a version names are archived, and returns how
// they are noted in its row: nil for none.
func (t *tx) blob(b store.Blob) ([]byte, error) {
	if b == (store.Blob{}) {
		return nil, nil
	}
	sum, err := decodeDigest(b.Digest)
	if err != nil {
		return nil, err
	}
	if err := t.holds(sum, b.Offset, b.Length); err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint64(sum, uint64(b.Offset))
	return binary.BigEndian.AppendUint64(out, uint64(b.Length)), nil
}

// holds checks that archived bytes have a run of length from offset.
func (t *tx) holds(sum []byte, offset, length int64) error {
	size := int64(-1)
	_, err := t.c.one("SELECT size FROM archive WHERE digest = ?", []any{sum}, func(row row) { size = row.int(0) })
	switch {
	case err != nil:
		return err
	case size < 0:
		return fault.New(fault.NotFound, "no content has this digest")
	case offset < 0 || length < 0 || offset > size || length > size-offset:
		return fault.Newf(fault.Invalid, "the content has %d bytes", size)
	}
	return nil
}

func decodeBlob(b []byte) store.Blob {
	if len(b) != sha256.Size+16 {
		return store.Blob{}
	}
	return store.Blob{
		Digest: hex.EncodeToString(b[:sha256.Size]),
		Offset: int64(binary.BigEndian.Uint64(b[sha256.Size:])),
		Length: int64(binary.BigEndian.Uint64(b[sha256.Size+8:])),
	}
}

// Content returns archived bytes.
func (s *Store) Content(ctx context.Context, digest string, offset, length int64) (content []byte, err error) {
	sum, err := decodeDigest(digest)
	if err != nil {
		return nil, err
	}
	err = s.reading(ctx, func(v view) error {
		content, err = v.content(ctx, sum, offset, length)
		return err
	})
	return content, err
}

// content reads length bytes from offset, the rest if length is 0.
func (v view) content(ctx context.Context, sum []byte, offset, length int64) ([]byte, error) {
	var id, size int64
	ok, err := v.c.one("SELECT id, size FROM archive WHERE digest = ?", []any{sum}, func(row row) { id, size = row.int(0), row.int(1) })
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "no content has this digest")
	}
	if offset < 0 || length < 0 || offset > size || length > size-offset {
		return nil, fault.Newf(fault.Invalid, "the content has %d bytes", size)
	}
	if length == 0 {
		length = size - offset
	}
	content := make([]byte, 0, length)
	if length == 0 {
		return content, nil
	}
	first, last := offset/partBytes, (offset+length-1)/partBytes
	err = v.c.query(ctx, "SELECT bytes FROM archive_part WHERE id BETWEEN ? AND ? ORDER BY id",
		[]any{id<<partBits + first, id<<partBits + last}, func(row row) error {
			part := row.bytes(0)
			if len(content) == 0 {
				part = part[offset-first*partBytes:]
			}
			content = append(content, part[:min(int64(len(part)), length-int64(len(content)))]...)
			return ctx.Err()
		})
	return content, err
}
