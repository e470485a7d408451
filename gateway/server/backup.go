package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/backup"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// Backup writes the store that the configuration names to a new file, as it is when it
// begins. Servers may go on working with it. It returns what the file is of, and its
// length.
func Backup(ctx context.Context, c *config.Config, path, version string) (m backup.Manifest, size int64, err error) {
	w, err := backup.Create(path)
	if err != nil {
		return m, 0, fmt.Errorf("make the backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	m = backup.Manifest{Made: time.Now().UTC().Truncate(time.Second), Program: version}
	if c.StoreURL != "" {
		m, err = postgres.Backup(ctx, c.StoreURL, w, m)
	} else {
		m, err = sqlite.Backup(ctx, c.Data, w, m)
	}
	if err != nil {
		return m, 0, fmt.Errorf("back up the store: %w", err)
	}
	size, err = w.Finish()
	return m, size, err
}

// Restore makes the store that the configuration names from a backup. Where one is
// already, nothing happens but a fault.
func Restore(ctx context.Context, c *config.Config, path string) (m backup.Manifest, err error) {
	r, err := backup.Open(path)
	if err != nil {
		return m, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	m = r.Manifest()
	want := backup.Sqlite
	if c.StoreURL != "" {
		want = backup.Postgres
	}
	if m.Store != want {
		return m, fault.Newf(fault.Invalid, "the backup is of a store of the kind %s, and is to be restored into one of the kind %s", m.Store, want)
	}
	if want == backup.Postgres {
		err = postgres.Restore(ctx, c.StoreURL, r)
	} else if err = os.MkdirAll(c.Data, 0o700); err == nil {
		err = sqlite.Restore(ctx, c.Data, r)
	}
	if err != nil {
		return m, fmt.Errorf("restore the store: %w", err)
	}
	return m, nil
}
