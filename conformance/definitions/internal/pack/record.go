package pack

import (
	"encoding/binary"
	"errors"
)

// ErrCorrupt says that bytes are not a record or not the record expected.
var ErrCorrupt = errors.New("corrupt definitions record")

// Writer builds one record. The zero value is ready.
type Writer struct {
	table []string
	known map[string]uint64
	body  []byte
}

// Uint appends a non-negative integer.
func (w *Writer) Uint(n int) {
	if n < 0 {
		panic("pack: negative integer")
	}
	w.body = binary.AppendUvarint(w.body, uint64(n))
}

// Bool appends a truth value.
func (w *Writer) Bool(b bool) {
	if b {
		w.Uint(1)
	} else {
		w.Uint(0)
	}
}

// String appends a string.
func (w *Writer) String(s string) {
	n, ok := w.known[s]
	if !ok {
		if w.known == nil {
			w.known = map[string]uint64{}
		}
		n = uint64(len(w.table))
		w.known[s] = n
		w.table = append(w.table, s)
	}
	w.body = binary.AppendUvarint(w.body, n)
}

// Strings appends a list of strings.
func (w *Writer) Strings(list []string) {
	w.Uint(len(list))
	for _, s := range list {
		w.String(s)
	}
}

// Bytes is the finished record.
func (w *Writer) Bytes() []byte {
	out := binary.AppendUvarint(nil, uint64(len(w.table)))
	for _, s := range w.table {
		out = binary.AppendUvarint(out, uint64(len(s)))
	}
	for _, s := range w.table {
		out = append(out, s...)
	}
	return append(out, w.body...)
}

// Reader reads a record in the order it was written. The first error sticks:
// everything read after it is zero, Err tells.
type Reader struct {
	table []string
	body  string
	err   error
}

// NewReader opens a record. The strings it gives share data.
func NewReader(data string) *Reader {
	r := &Reader{body: data}
	n := r.Count()
	r.table = make([]string, n)
	lens := make([]int, n)
	for i := range lens {
		lens[i] = r.Uint()
	}
	for i, l := range lens {
		if l > len(r.body) {
			r.Fail()
			break
		}
		r.table[i], r.body = r.body[:l], r.body[l:]
	}
	return r
}

// Fail marks the record as corrupt: its reader found values that cannot be.
func (r *Reader) Fail() {
	r.err = ErrCorrupt
	r.body = ""
}

// Uint reads an integer.
func (r *Reader) Uint() int {
	var n uint64
	for i := 0; i < len(r.body) && i < binary.MaxVarintLen32; i++ {
		c := r.body[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.body = r.body[i+1:]
			return int(n)
		}
	}
	r.Fail()
	return 0
}

// Count reads the length of a list; each item takes at least one byte, so a
// length beyond what is left is corrupt.
func (r *Reader) Count() int {
	n := r.Uint()
	if n > len(r.body) {
		r.Fail()
		return 0
	}
	return n
}

// Bool reads a truth value.
func (r *Reader) Bool() bool { return r.Uint() != 0 }

// String reads a string.
func (r *Reader) String() string {
	n := r.Uint()
	if n >= len(r.table) {
		r.Fail()
		return ""
	}
	return r.table[n]
}

// Strings reads a list of strings; an empty list is nil.
func (r *Reader) Strings() []string {
	n := r.Count()
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = r.String()
	}
	return out
}

// Err is ErrCorrupt if something could not be read, or was left unread.
func (r *Reader) Err() error {
	if r.err == nil && r.body != "" {
		return ErrCorrupt
	}
	return r.err
}
