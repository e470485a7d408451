//go:build unix

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// mapFile maps the beginning of a file. Until it is closed the file must not be opened
// and closed by anybody else in the process, and it is closed after all connections,
// because closing a file ends all locks that the process has on it.
func mapFile(path string, n int64) (*mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	bytes, err := syscall.Mmap(int(f.Fd()), 0, int(n), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &mapping{bytes, func() error { return errors.Join(syscall.Munmap(bytes), f.Close()) }}, nil
}
