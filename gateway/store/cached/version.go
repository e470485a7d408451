package cached

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/yilian/yilian/gateway/store"
)

// ReadVersion returns one version of a resource. A version never changes, so one that
// was read before may come from the cache, unless something was expunged since.
func (s *Store) ReadVersion(ctx context.Context, k store.Key, number int64) (store.Version, error) {
	erasures, known := s.trust.erasures()
	if !known {
		return s.Backing.ReadVersion(ctx, k, number)
	}
	name := s.keys.Name("version", k.Type, k.ID, strconv.FormatInt(number, 10), strconv.FormatInt(erasures, 10))
	if sealed, ok := s.opt.Cache.Get(ctx, name); ok {
		if text, err := s.keys.Unseal(name, sealed); err == nil {
			if v, ok := decodeVersion(text); ok && v.Key == k && v.Number == number && s.still(erasures) {
				s.opt.Seen(true)
				return v, nil
			}
		}
	}
	s.opt.Seen(false)
	v, err := s.Backing.ReadVersion(ctx, k, number)
	if err == nil {
		s.opt.Cache.Set(name, s.keys.Seal(name, encodeVersion(v)))
	}
	return v, err
}

// still reports whether nothing is known to have been expunged since, after the time
// that the cache took.
func (s *Store) still(erasures int64) bool {
	now, known := s.trust.erasures()
	return known && now == erasures
}

// encodeVersion writes all fields of a version: numbers, then texts with their lengths.
func encodeVersion(v store.Version) []byte {
	b := make([]byte, 0, 160+len(v.Body))
	for _, n := range []int64{v.Number, v.Change, v.Updated.UnixMicro(), v.Stamp.Time, v.Stamp.Sequence, v.Blob.Offset, v.Blob.Length} {
		b = binary.AppendVarint(b, n)
	}
	flags := byte(0)
	if v.Deleted {
		flags |= 1
	}
	if v.Body != nil {
		flags |= 2
	}
	b = append(b, flags)
	for _, text := range []string{v.Type, v.ID, v.Owner, v.Patient, v.Source, v.Blob.Digest} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return append(b, v.Body...)
}

func decodeVersion(b []byte) (v store.Version, ok bool) {
	var updated int64
	for _, to := range []*int64{&v.Number, &v.Change, &updated, &v.Stamp.Time, &v.Stamp.Sequence, &v.Blob.Offset, &v.Blob.Length} {
		n, size := binary.Varint(b)
		if size <= 0 {
			return store.Version{}, false
		}
		*to, b = n, b[size:]
	}
	v.Updated = time.UnixMicro(updated).UTC()
	if len(b) == 0 {
		return store.Version{}, false
	}
	flags := b[0]
	v.Deleted, b = flags&1 != 0, b[1:]
	for _, to := range []*string{&v.Type, &v.ID, &v.Owner, &v.Patient, &v.Source, &v.Blob.Digest} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return store.Version{}, false
		}
		*to, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	if flags&2 != 0 {
		v.Body = b
	}
	return v, true
}
