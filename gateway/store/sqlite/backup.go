package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/backup"
)

// Backup writes what is committed in the store of a data folder when it begins. A
// process may hold the folder and go on writing. Beside the backup it needs room for a
// copy of the store on the way. Faults: fault.NotFound when the folder holds no store.
func Backup(ctx context.Context, dir string, w *backup.Writer, m backup.Manifest) (_ backup.Manifest, err error) {
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); err != nil {
		return m, fault.Wrap(fault.NotFound, err, "the data folder holds no store")
	}
	way, err := os.MkdirTemp(w.Dir(), ".yilian-backup-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(way)) }()
	whole := filepath.Join(way, databaseFile)
	if err := copyDatabase(ctx, path, whole); err != nil {
		return m, fmt.Errorf("copy the store: %w", err)
	}
	m.Store = backup.Sqlite
	if m.Schema, err = schemaOf(ctx, whole); err != nil {
		return m, err
	}
	if err := w.Manifest(m); err != nil {
		return m, err
	}
	return m, w.Section(databaseFile, func(out io.Writer) error {
		f, err := os.Open(whole)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(out, interruptible{ctx, f})
		return err
	})
}

// interruptible reads until ctx ends.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// otherPragmas are the settings of a connection beside those of the process that holds
// the folder.
var otherPragmas = []pragma{{"busy_timeout", "30000", ""}, {"trusted_schema", "off", ""}}

// copyDatabase copies what one reading transaction sees.
func copyDatabase(ctx context.Context, from, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // an empty file is filled, and stays its owner's
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return err
	}
	c, err := connect(from, otherPragmas, nil)
	if err != nil {
		return err
	}
	err = c.query(ctx, "VACUUM INTO ?", []any{to}, nil)
	return errors.Join(err, c.close())
}

func schemaOf(ctx context.Context, path string) (version int64, err error) {
	c, err := connect(path, otherPragmas, nil)
	if err != nil {
		return 0, err
	}
	version, err = c.integer("SELECT max(version_id) FROM goose_db_version WHERE is_applied")
	return version, errors.Join(err, c.close())
}

// restoring is what a store is called until it is whole.
const restoring = "restoring.db"

// Restore makes the store in a data folder from a backup of this kind. It is there
// whole or not at all. Faults: fault.Conflict when the folder holds a store already,
// fault.Busy when another process holds the folder, fault.Invalid for a backup that
// this program cannot read.
func Restore(ctx context.Context, dir string, r *backup.Reader) (err error) {
	lock, err := holdFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	there, err := filepath.Glob(filepath.Join(dir, databaseFile) + "*")
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fault.New(fault.Conflict, "the data folder holds a store already; restore into an empty one")
	}
	known, err := knownSchema()
	if err != nil {
		return err
	}
	if has := r.Manifest().Schema; has > known {
		return fault.Newf(fault.Invalid, "the backup has schema %d, this program knows %d; a newer one wrote it", has, known)
	}
	path := filepath.Join(dir, restoring)
	defer func() {
		for _, name := range []string{path, path + "-journal"} {
			if e := os.Remove(name); e != nil && !errors.Is(e, os.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	if err := unpack(ctx, r, path); err != nil {
		return err
	}
	if err := renew(ctx, path); err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(dir, databaseFile)); err != nil {
		return err
	}
	return syncFolder(dir)
}

func unpack(ctx context.Context, r *backup.Reader, path string) error {
	name, content, err := r.Next()
	if err != nil {
		return err
	}
	if name != databaseFile {
		return fault.New(fault.Invalid, "the backup does not hold what one of this kind holds")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, interruptible{ctx, content})
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// renew checks a database and makes it another store than the one that was backed up.
func renew(ctx context.Context, path string) (err error) {
	c, err := connect(path, append([]pragma{{"journal_mode", "delete", ""}, {"synchronous", "full", ""}}, otherPragmas...), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	result, err := c.pragma("quick_check(1)")
	if err != nil || result != "ok" {
		return errors.Join(fault.New(fault.Invalid, "the database in the backup is damaged"), err)
	}
	_, err = c.exec("DELETE FROM secret WHERE name = ?", store.SecretLineage)
	return err
}

// knownSchema is the newest schema that this program knows.
func knownSchema() (version int64, err error) {
	files, err := migrations.ReadDir("migrations")
	for _, f := range files {
		var n int64
		if _, err := fmt.Sscanf(f.Name(), "%d_", &n); err != nil {
			return 0, err
		}
		version = max(version, n)
	}
	return version, err
}
