package sqlite

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// What follows speaks to SQLite as it was translated to Go: addresses are numbers of
// memory that is not Go's, so nothing of Go's is ever handed over, and what SQLite
// lends is copied before it may be gone.

// sqliteError is what SQLite answers where it fails.
type sqliteError struct {
	code int32 // extended
	text string
}

func (e *sqliteError) Error() string { return e.text }

// kind is the primary code.
func (e *sqliteError) kind() int32 { return e.code & 0xff }

func newError(tls *libc.TLS, code int32, db uintptr) *sqliteError {
	text := libc.GoString(lib.Xsqlite3_errstr(tls, code))
	if db != 0 {
		if more := libc.GoString(lib.Xsqlite3_errmsg(tls, db)); more != text {
			text += ": " + more
		}
	}
	return &sqliteError{code, fmt.Sprintf("%s (%d)", text, code)}
}

// memory is a place of n bytes that SQLite lends or was given.
func memory(p uintptr, n int) []byte {
	if p == 0 || n <= 0 {
		return nil
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n)
}

// word reads an address, or another number of its size, from memory that is SQLite's.
func word(p uintptr) uintptr { return *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) }

func setWord(p, v uintptr) { *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) = v }

// buffer is memory that is not Go's, grown as needed.
type buffer struct {
	at   uintptr
	size int
}

// keptBuffer is how large a buffer may stay between uses.
const keptBuffer = 64 << 10

func (b *buffer) grow(tls *libc.TLS, n int) bool {
	if n <= b.size {
		return true
	}
	b.free(tls)
	n = max(n, 256)
	if b.at = lib.Xsqlite3_malloc64(tls, lib.Tsqlite3_uint64(n)); b.at == 0 {
		return false
	}
	b.size = n
	return true
}

func (b *buffer) free(tls *libc.TLS) {
	lib.Xsqlite3_free(tls, b.at)
	*b = buffer{}
}

// text lends fn a copy of a text with an end of zero, and its address.
func text(tls *libc.TLS, s string, fn func(at uintptr) int32) int32 {
	var b buffer
	if !b.grow(tls, len(s)+1) {
		return lib.SQLITE_NOMEM
	}
	defer b.free(tls)
	m := memory(b.at, len(s)+1)
	copy(m, s)
	m[len(s)] = 0
	return fn(b.at)
}

// bind gives a statement its arguments: nil, int64, int, bool, float64, string or
// []byte. They stand in the statement's own buffer until it is bound again.
func (s *stmt) bind(c *conn, args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("a statement takes %d arguments, not %d", s.params, len(args))
	}
	size := 1
	for _, a := range args {
		switch v := a.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		}
	}
	if !s.buf.grow(c.tls, size) {
		return newError(c.tls, lib.SQLITE_NOMEM, 0)
	}
	m, at := memory(s.buf.at, s.buf.size), 0
	for i, a := range args {
		n, rc := int32(i+1), int32(lib.SQLITE_MISUSE)
		switch v := a.(type) {
		case nil:
			rc = lib.Xsqlite3_bind_null(c.tls, s.handle, n)
		case int64:
			rc = lib.Xsqlite3_bind_int64(c.tls, s.handle, n, v)
		case int:
			rc = lib.Xsqlite3_bind_int64(c.tls, s.handle, n, int64(v))
		case bool:
			one := int64(0)
			if v {
				one = 1
			}
			rc = lib.Xsqlite3_bind_int64(c.tls, s.handle, n, one)
		case float64:
			rc = lib.Xsqlite3_bind_double(c.tls, s.handle, n, v)
		case string:
			rc = lib.Xsqlite3_bind_text(c.tls, s.handle, n, s.buf.at+uintptr(at), int32(copy(m[at:], v)), 0)
			at += len(v)
		case []byte:
			switch {
			case v == nil:
				rc = lib.Xsqlite3_bind_null(c.tls, s.handle, n)
			case len(v) == 0:
				rc = lib.Xsqlite3_bind_zeroblob(c.tls, s.handle, n, 0)
			default:
				rc = lib.Xsqlite3_bind_blob(c.tls, s.handle, n, s.buf.at+uintptr(at), int32(copy(m[at:], v)), 0)
			}
			at += len(v)
		}
		if rc != lib.SQLITE_OK {
			return newError(c.tls, rc, c.db)
		}
	}
	return nil
}

// reset lets go of what a statement reads.
func (s *stmt) reset(c *conn) {
	lib.Xsqlite3_reset(c.tls, s.handle) // what it answers was answered before
	if s.buf.size > keptBuffer {
		lib.Xsqlite3_clear_bindings(c.tls, s.handle)
		s.buf.free(c.tls)
	}
}

func (s *stmt) finalize(c *conn) {
	lib.Xsqlite3_finalize(c.tls, s.handle)
	s.buf.free(c.tls)
	s.handle = 0
}

// row is where a statement stands; its values are valid until it goes on.
type row struct {
	tls    *libc.TLS
	handle uintptr
	count  int
}

func (r row) int(i int) int64 { return lib.Xsqlite3_column_int64(r.tls, r.handle, int32(i)) }

func (r row) text(i int) string {
	p := lib.Xsqlite3_column_text(r.tls, r.handle, int32(i))
	return string(memory(p, int(lib.Xsqlite3_column_bytes(r.tls, r.handle, int32(i)))))
}

// lent returns bytes that are SQLite's; nil where there are none.
func (r row) lent(i int) []byte {
	p := lib.Xsqlite3_column_blob(r.tls, r.handle, int32(i))
	return memory(p, int(lib.Xsqlite3_column_bytes(r.tls, r.handle, int32(i))))
}

// bytes returns bytes that are the caller's; nil where there are none.
func (r row) bytes(i int) []byte {
	if b := r.lent(i); b != nil {
		return append([]byte(nil), b...)
	}
	return nil
}

// value returns an int64, a float64, a string, a []byte or nil.
func (r row) value(i int) any {
	switch lib.Xsqlite3_column_type(r.tls, r.handle, int32(i)) {
	case lib.SQLITE_INTEGER:
		return r.int(i)
	case lib.SQLITE_FLOAT:
		return lib.Xsqlite3_column_double(r.tls, r.handle, int32(i))
	case lib.SQLITE_TEXT:
		return r.text(i)
	case lib.SQLITE_BLOB:
		return r.bytes(i)
	}
	return nil
}

// pointer is a Go function as SQLite calls it. It must be declared, not a closure.
func pointer[F any](fn F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ fn F }{fn})) }

// call is one call of a function that SQLite was given.
type call struct {
	tls       *libc.TLS
	ctx, argv uintptr
}

func (f call) arg(i int) uintptr { return word(f.argv + uintptr(i)*unsafe.Sizeof(uintptr(0))) }

func (f call) int(i int) int64 { return lib.Xsqlite3_value_int64(f.tls, f.arg(i)) }

// bytes are valid during the call.
func (f call) bytes(i int) []byte {
	v := f.arg(i)
	p := lib.Xsqlite3_value_blob(f.tls, v)
	return memory(p, int(lib.Xsqlite3_value_bytes(f.tls, v)))
}

func (f call) answer(v any) {
	switch v := v.(type) {
	case nil:
		lib.Xsqlite3_result_null(f.tls, f.ctx)
	case bool:
		one := int64(0)
		if v {
			one = 1
		}
		lib.Xsqlite3_result_int64(f.tls, f.ctx, one)
	case int64:
		lib.Xsqlite3_result_int64(f.tls, f.ctx, v)
	case float64:
		lib.Xsqlite3_result_double(f.tls, f.ctx, v)
	case string:
		text(f.tls, v, func(at uintptr) int32 {
			lib.Xsqlite3_result_text(f.tls, f.ctx, at, int32(len(v)), ^uintptr(0)) // copies
			return 0
		})
	default:
		f.fail(fmt.Sprintf("a function answers with %T", v))
	}
}

func (f call) fail(why string) {
	text(f.tls, why, func(at uintptr) int32 {
		lib.Xsqlite3_result_error(f.tls, f.ctx, at, int32(len(why)))
		return 0
	})
}
