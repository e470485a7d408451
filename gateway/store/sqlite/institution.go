package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

var _ store.Folders = (*Store)(nil)

var errFolder = fault.New(fault.NotFound, "no such version of the institution's folder was pushed")

// PushFolder keeps a version and puts it into effect, see store.Folders.
func (s *Store) PushFolder(ctx context.Context, f store.Folder, content []byte, expected int64) (store.Folder, error) {
	switch {
	case f.Institution == "":
		return store.Folder{}, fault.New(fault.Invalid, "a folder belongs to an institution")
	case len(content) > store.MaxFolder:
		return store.Folder{}, fault.Newf(fault.TooCostly, "the folder is over %d bytes", store.MaxFolder).WithCode("too-long")
	}
	maps, err := json.Marshal(f.Maps)
	if err != nil {
		return store.Folder{}, err
	}
	var pushed store.Folder
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		pushed = f
		institution, err := t.effective(ctx, f.Institution, expected)
		if err != nil {
			return err
		}
		digest, err := t.archive(content)
		if err != nil {
			return err
		}
		last, err := t.c.integer("SELECT number FROM folder WHERE institution = ? ORDER BY number DESC LIMIT 1", institution)
		if err != nil {
			return t.breaks(err)
		}
		now := micros(s.opt.Now())
		pushed.Number, pushed.Digest, pushed.Size, pushed.Pushed = last+1, hex.EncodeToString(digest), int64(len(content)), microTime(now)
		_, err = t.c.exec(`INSERT INTO folder (institution, number, version, digest, size, maps, pushed, author, note)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			institution, pushed.Number, f.Version, digest, pushed.Size, string(maps), now, f.By, f.Note)
		if err != nil {
			return t.breaks(err)
		}
		_, err = t.activate(institution, store.Activation{Number: pushed.Number, Since: pushed.Pushed, By: f.By, Why: f.Note})
		return err
	})
	if err != nil {
		return store.Folder{}, err
	}
	return pushed, nil
}

// ActivateFolder puts a version into effect, see store.Folders.
func (s *Store) ActivateFolder(ctx context.Context, a store.Activation, expected int64) (store.Activation, error) {
	var active store.Activation
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		institution, err := t.effective(ctx, a.Institution, expected)
		if err != nil {
			return err
		}
		if a.Number != 0 {
			there, err := t.c.integer("SELECT EXISTS (SELECT 1 FROM folder WHERE institution = ? AND number = ?)", institution, a.Number)
			if err != nil {
				return err
			}
			if there == 0 {
				return errFolder
			}
		}
		active = a
		active.Since = microTime(micros(s.opt.Now()))
		active, err = t.activate(institution, active)
		return err
	})
	if err != nil {
		return store.Activation{}, err
	}
	return active, nil
}

// effective returns the number of an institution's name, when the version that is in
// effect is the expected one.
func (t *tx) effective(ctx context.Context, name string, expected int64) (int64, error) {
	if err := t.ready(ctx); err != nil {
		return 0, err
	}
	institution, err := t.intern(name)
	if err != nil {
		return 0, t.breaks(err)
	}
	if expected == store.AnyFolder {
		return institution, nil
	}
	now, err := t.c.integer("SELECT number FROM activation WHERE institution = ? ORDER BY change DESC LIMIT 1", institution)
	if err != nil {
		return 0, err
	}
	if now != expected {
		return 0, fault.Newf(fault.Conflict, "version %d of the institution's folder is in effect, and not %d", now, expected)
	}
	return institution, nil
}

func (t *tx) activate(institution int64, a store.Activation) (store.Activation, error) {
	last, err := t.c.integer(folderChangeSQL)
	if err != nil {
		return a, err
	}
	a.Change = last + 1
	_, err = t.c.exec("INSERT INTO activation (change, institution, number, since, author, why) VALUES (?, ?, ?, ?, ?, ?)",
		a.Change, institution, a.Number, micros(a.Since), a.By, a.Why)
	return a, t.breaks(err)
}

const folderChangeSQL = "SELECT change FROM activation ORDER BY change DESC LIMIT 1"

// FolderChange returns the place of the last activation.
func (s *Store) FolderChange(ctx context.Context) (change int64, err error) {
	err = s.reading(ctx, func(v view) error {
		change, err = v.c.integer(folderChangeSQL)
		return err
	})
	return change, err
}

// Folder returns one version.
func (s *Store) Folder(ctx context.Context, institution string, number int64) (f store.Folder, err error) {
	list, err := s.folders(ctx, institution, "= ?", number, 1)
	switch {
	case err != nil:
		return store.Folder{}, err
	case len(list) == 0:
		return store.Folder{}, errFolder
	}
	return list[0], nil
}

// FolderContent returns the bytes of one version.
func (s *Store) FolderContent(ctx context.Context, institution string, number int64) ([]byte, error) {
	f, err := s.Folder(ctx, institution, number)
	if err != nil {
		return nil, err
	}
	return s.Content(ctx, f.Digest, 0, 0)
}

// ListFolders returns versions, newest first.
func (s *Store) ListFolders(ctx context.Context, institution string, before int64, limit int) ([]store.Folder, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return s.folders(ctx, institution, "< ?", before, limit)
}

func (s *Store) folders(ctx context.Context, institution, numbers string, number int64, limit int) (list []store.Folder, err error) {
	err = s.reading(ctx, func(v view) error {
		id, known, err := v.nameID(institution)
		if err != nil || !known {
			return err
		}
		return v.c.query(ctx, "SELECT number, version, digest, size, maps, pushed, author, note FROM folder WHERE institution = ? AND number "+
			numbers+" ORDER BY number DESC"+limited(rows(limit)), []any{id, number}, func(row row) error {
			f := store.Folder{
				Institution: institution, Number: row.int(0), Version: row.text(1), Digest: hex.EncodeToString(row.bytes(2)),
				Size: row.int(3), Pushed: row.time(5), By: row.text(6), Note: row.text(7),
			}
			list = append(list, f)
			return json.Unmarshal([]byte(row.text(4)), &list[len(list)-1].Maps)
		})
	})
	return list, err
}

const activationColumns = "SELECT change, institution, number, since, author, why FROM activation "

// Activations returns an institution's activations, newest first.
func (s *Store) Activations(ctx context.Context, institution string, before int64, limit int) (list []store.Activation, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	err = s.reading(ctx, func(v view) error {
		id, known, err := v.nameID(institution)
		if err != nil || !known {
			return err
		}
		list, err = v.activations(ctx, "WHERE institution = ? AND change < ? ORDER BY change DESC"+limited(rows(limit)), id, before)
		return err
	})
	return list, err
}

// ActiveFolders returns what is in effect, in the order of the institutions' ids.
func (s *Store) ActiveFolders(ctx context.Context) (list []store.Activation, err error) {
	err = s.reading(ctx, func(v view) error {
		list, err = v.activations(ctx, `WHERE change IN (SELECT max(change) FROM activation GROUP BY institution)
ORDER BY (SELECT text FROM name WHERE name.id = activation.institution)`)
		return err
	})
	return list, err
}

func (v view) activations(ctx context.Context, where string, args ...any) (list []store.Activation, err error) {
	var institutions []int64
	err = v.c.query(ctx, activationColumns+where, args, func(row row) error {
		institutions = append(institutions, row.int(1))
		list = append(list, store.Activation{
			Change: row.int(0), Number: row.int(2), Since: row.time(3), By: row.text(4), Why: row.text(5),
		})
		return nil
	})
	for i, id := range institutions {
		var failed error
		list[i].Institution, failed = v.nameText(id)
		err = errors.Join(err, failed)
	}
	return list, err
}
