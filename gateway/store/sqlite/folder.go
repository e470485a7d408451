package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
)

const (
	databaseFile = "yilian.db"
	lockName     = "lock"
)

// holdFolder makes the data folder and takes it for this process. The lock file
// names the holder, for people; the lock itself is the system's.
func holdFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data folder cannot be made")
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data folder cannot be locked")
	}
	held, err := lockFile(f)
	if err == nil && !held {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt(fmt.Appendf(nil, "process %d\n", os.Getpid()), 0)
		}
		if err == nil {
			err = syncFolder(filepath.Dir(filepath.Clean(dir)))
		}
		if err == nil {
			return f, nil
		}
	}
	holder := make([]byte, 64)
	n, _ := f.ReadAt(holder, 0)
	_ = f.Close()
	if held {
		by := strings.TrimSpace(string(holder[:n]))
		if by == "" {
			by = "another process"
		}
		return nil, fault.Newf(fault.Busy, "the data folder is held by %s", by).WithCode("lock-error")
	}
	return nil, fault.Wrap(fault.Unavailable, err, "the data folder cannot be locked")
}

// syncFolder makes new names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
