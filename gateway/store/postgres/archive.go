package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// partBytes is how the archive cuts long contents, so that a piece of one is read
// without the rest.
const partBytes = 256 << 10

var (
	errDigest  = fault.New(fault.Invalid, "a digest is 64 hexadecimal digits")
	errContent = fault.New(fault.NotFound, "no content has this digest")
)

func decodeDigest(digest string) ([]byte, error) {
	b, err := hex.DecodeString(digest)
	if err != nil || len(b) != sha256.Size {
		return nil, errDigest
	}
	return b, nil
}

// wholeSQL asks whether bytes are archived as they came.
const wholeSQL = `SELECT EXISTS (SELECT 1 FROM archive WHERE digest = ?) AND NOT EXISTS (SELECT 1 FROM archive_part WHERE digest = ? AND cut)`

// archive keeps bytes once and returns their digest.
func (t *tx) archive(ctx context.Context, content []byte) ([]byte, error) {
	sum := sha256.Sum256(content)
	digest := sum[:]
	if _, known := t.sizes[string(digest)]; known {
		return digest, nil
	}
	t.keeping()
	if len(content) > partBytes { // long enough to ask first
		whole := false
		if _, err := one(ctx, t, fragment{wholeSQL, []any{digest, digest}}, &whole); err != nil || whole {
			return digest, err
		}
	}
	t.queue("INSERT INTO archive (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING", digest, len(content))
	rest := content
	for part := 0; len(rest) > 0; part++ {
		cut := min(len(rest), partBytes)
		t.queue("INSERT INTO archive_part AS p (digest, part, bytes) VALUES (?, ?, ?) ON CONFLICT (digest, part) DO UPDATE SET bytes = excluded.bytes, cut = false WHERE p.cut",
			digest, part, rest[:cut])
		rest = rest[cut:]
	}
	t.sized(digest, int64(len(content)))
	if len(content) > partBytes {
		return digest, t.trip(ctx) // the caller's bytes are the caller's again
	}
	return digest, nil
}

func (t *tx) sized(digest []byte, size int64) {
	if t.sizes == nil {
		t.sizes = map[string]int64{}
	}
	t.sizes[string(digest)] = size
}

// size returns the length of archived bytes, -1 if there are none.
func (t *tx) size(ctx context.Context, digest []byte) (int64, error) {
	if size, ok := t.sizes[string(digest)]; ok {
		return size, nil
	}
	size := int64(-1)
	t.keeping()
	ok, err := one(ctx, t, fragment{"SELECT size FROM archive WHERE digest = ?", []any{digest}}, &size)
	if ok {
		t.sized(digest, size)
	}
	return size, err
}

// Archive keeps bytes, see store.Tx.
func (t *tx) Archive(ctx context.Context, content []byte) (string, error) {
	if err := t.ready(ctx); err != nil {
		return "", err
	}
	if len(content) <= partBytes { // leaves with a later trip
		content = append([]byte(nil), content...)
	}
	sum, err := t.archive(ctx, content)
	return hex.EncodeToString(sum), t.breaks(err)
}

// blob checks that the bytes that a version names are archived, and returns how
// they are noted in its row: nil for none.
func (t *tx) blob(ctx context.Context, b store.Blob) ([]byte, error) {
	if b == (store.Blob{}) {
		return nil, nil
	}
	sum, err := decodeDigest(b.Digest)
	if err != nil {
		return nil, err
	}
	if err := t.holds(ctx, sum, b.Offset, b.Length); err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint64(sum, uint64(b.Offset))
	return binary.BigEndian.AppendUint64(out, uint64(b.Length)), nil
}

// holds checks that archived bytes have a run of length from offset.
func (t *tx) holds(ctx context.Context, sum []byte, offset, length int64) error {
	size, err := t.size(ctx, sum)
	if err != nil {
		return err
	}
	return within(size, offset, length)
}

func within(size, offset, length int64) error {
	switch {
	case size < 0:
		return errContent
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
	size := int64(-1)
	if _, err := one(ctx, v.q, fragment{"SELECT size FROM archive WHERE digest = ?", []any{sum}}, &size); err != nil {
		return nil, err
	}
	if err := within(size, offset, length); err != nil {
		return nil, err
	}
	if length == 0 {
		length = size - offset
	}
	content := make([]byte, 0, length)
	if length == 0 {
		return content, nil
	}
	first, last := offset/partBytes, (offset+length-1)/partBytes
	err := v.q.query(ctx, ask(fragment{"SELECT bytes FROM archive_part WHERE digest = ? AND part BETWEEN ? AND ? ORDER BY part",
		[]any{sum, int32(first), int32(last)}}, func(rows pgx.Rows) error {
		var part []byte
		if err := rows.Scan((*pgtype.DriverBytes)(&part)); err != nil { // valid until the next row
			return err
		}
		if len(content) == 0 {
			part = part[min(int64(len(part)), offset-first*partBytes):]
		}
		content = append(content, part[:min(int64(len(part)), length-int64(len(content)))]...)
		return nil
	}))
	return content, err
}
