package sqlite

import (
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// mapping is the database as the system has it in memory, once for all readers: a map
// that each connection makes for itself would count the same pages for each of them.
// It reaches beyond the end of the file, which grows into it; what SQLite asks for lies
// before the end, because pages that are not in the file yet are in the log.
type mapping struct {
	bytes []byte
	close func() error
}

// Behind the methods of a file stand where its mapping begins and how long it is.
const (
	methodsSize = unsafe.Sizeof(lib.Tsqlite3_io_methods{})
	wordSize    = unsafe.Sizeof(uintptr(0))
	fetchAt     = unsafe.Offsetof(lib.Tsqlite3_io_methods{}.FxFetch)
	unfetchAt   = unsafe.Offsetof(lib.Tsqlite3_io_methods{}.FxUnfetch)
)

// share has a connection take pages from a mapping, once it is told to map the
// database.
func (c *conn) share(m *mapping) int32 {
	rc := text(c.tls, "main", func(at uintptr) int32 {
		return lib.Xsqlite3_file_control(c.tls, c.db, at, lib.SQLITE_FCNTL_FILE_POINTER, c.out.at)
	})
	if rc != lib.SQLITE_OK {
		return rc
	}
	file := word(c.out.at)
	if !c.methods.grow(c.tls, int(methodsSize+2*wordSize)) {
		return lib.SQLITE_NOMEM
	}
	at := c.methods.at
	copy(memory(at, int(methodsSize)), memory(word(file), int(methodsSize)))
	setWord(at+fetchAt, pointer(fetch))
	setWord(at+unfetchAt, pointer(unfetch))
	setWord(at+methodsSize, uintptr(unsafe.Pointer(&m.bytes[0]))) // not Go's memory, so it stays where it is
	setWord(at+methodsSize+wordSize, uintptr(len(m.bytes)))
	setWord(file, at)
	return lib.SQLITE_OK
}

// fetch lends SQLite a part of the mapping; 0 where it has to read.
func fetch(_ *libc.TLS, file uintptr, offset int64, n int32, to uintptr) int32 {
	at := word(file) + methodsSize
	base, size := word(at), word(at+wordSize)
	if end := offset + int64(n); offset < 0 || n < 0 || end > int64(size) {
		base, offset = 0, 0
	}
	setWord(to, base+uintptr(offset))
	return lib.SQLITE_OK
}

func unfetch(*libc.TLS, uintptr, int64, uintptr) int32 { return lib.SQLITE_OK }
