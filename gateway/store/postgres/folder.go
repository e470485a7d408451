package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

var _ store.Folders = (*Store)(nil)

var errFolder = fault.New(fault.NotFound, "no such version of the institution's folder was pushed")

// folderLock serialises activations of all institutions: they are few, and numbered
// together.
const folderLock = 6870641029387642160

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
		digest, err := t.archive(ctx, content)
		if err != nil {
			return t.breaks(err)
		}
		var last int64
		if _, err := one(ctx, t, fragment{"SELECT coalesce(max(number), 0) FROM folder WHERE institution = ?", []any{institution}}, &last); err != nil {
			return err
		}
		now := s.opt.Now().UnixMicro()
		pushed.Number, pushed.Digest, pushed.Size, pushed.Pushed = last+1, hex.EncodeToString(digest), int64(len(content)), microTime(now)
		t.queue(`INSERT INTO folder (institution, number, version, digest, size, maps, pushed, author, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			institution, pushed.Number, []byte(f.Version), digest, pushed.Size, maps, now, []byte(f.By), []byte(f.Note))
		_, err = t.activate(ctx, institution, store.Activation{Number: pushed.Number, Since: pushed.Pushed, By: f.By, Why: f.Note})
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
			there, err := one(ctx, t, fragment{"SELECT 1 FROM folder WHERE institution = ? AND number = ?", []any{institution, a.Number}}, nil)
			if err != nil {
				return err
			}
			if !there {
				return errFolder
			}
		}
		active = a
		active.Since = microTime(s.opt.Now().UnixMicro())
		active, err = t.activate(ctx, institution, active)
		return err
	})
	if err != nil {
		return store.Activation{}, err
	}
	return active, nil
}

// effective returns the number of an institution's name, when the version that is in
// effect is the expected one. No other activation commits meanwhile.
func (t *tx) effective(ctx context.Context, name string, expected int64) (int32, error) {
	if err := t.ready(ctx); err != nil {
		return 0, err
	}
	background := context.WithoutCancel(ctx)
	if err := t.s.names.intern(background, []string{name}); err != nil {
		return 0, t.breaks(err)
	}
	institution, _, err := t.s.names.id(background, name)
	if err != nil {
		return 0, t.breaks(err)
	}
	var now int64
	t.queue("SELECT pg_advisory_xact_lock(?)", int64(folderLock))
	if _, err := one(ctx, t, fragment{"SELECT number FROM activation WHERE institution = ? ORDER BY change DESC LIMIT 1", []any{institution}}, &now); err != nil {
		return 0, err
	}
	if expected != store.AnyFolder && now != expected {
		return 0, fault.Newf(fault.Conflict, "version %d of the institution's folder is in effect, and not %d", now, expected)
	}
	return institution, nil
}

func (t *tx) activate(ctx context.Context, institution int32, a store.Activation) (store.Activation, error) {
	var last int64
	if _, err := one(ctx, t, fragment{sql: folderChangeSQL}, &last); err != nil {
		return a, err
	}
	a.Change = last + 1
	t.queue("INSERT INTO activation (change, institution, number, since, author, why) VALUES (?, ?, ?, ?, ?, ?)",
		a.Change, institution, a.Number, micros(a.Since), []byte(a.By), []byte(a.Why))
	return a, nil
}

const folderChangeSQL = "SELECT coalesce(max(change), 0) FROM activation"

// FolderChange returns the place of the last activation.
func (s *Store) FolderChange(ctx context.Context) (change int64, err error) {
	err = s.reading(ctx, func(v view) error {
		_, err := one(ctx, v.q, fragment{sql: folderChangeSQL}, &change)
		return err
	})
	return change, err
}

// Folder returns one version.
func (s *Store) Folder(ctx context.Context, institution string, number int64) (store.Folder, error) {
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
		list = nil
		id, known, err := s.names.id(ctx, institution)
		if err != nil || !known {
			return err
		}
		return v.q.query(ctx, ask(fragment{"SELECT number, version, digest, size, maps, pushed, author, note FROM folder WHERE institution = ? AND number " +
			numbers + " ORDER BY number DESC" + limited(rows(limit)), []any{id, number}}, func(rows pgx.Rows) error {
			f := store.Folder{Institution: institution}
			var version, digest, maps, by, note []byte
			var pushed int64
			if err := rows.Scan(&f.Number, &version, &digest, &f.Size, &maps, &pushed, &by, &note); err != nil {
				return err
			}
			f.Version, f.Digest, f.Pushed, f.By, f.Note = string(version), hex.EncodeToString(digest), microTime(pushed), string(by), string(note)
			list = append(list, f)
			return json.Unmarshal(maps, &list[len(list)-1].Maps)
		}))
	})
	return list, err
}

// Activations returns an institution's activations, newest first.
func (s *Store) Activations(ctx context.Context, institution string, before int64, limit int) (list []store.Activation, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	err = s.reading(ctx, func(v view) error {
		list = nil
		id, known, err := s.names.id(ctx, institution)
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
	var institutions []int32
	err = v.q.query(ctx, ask(fragment{"SELECT change, institution, number, since, author, why FROM activation " + where, args}, func(rows pgx.Rows) error {
		var a store.Activation
		var institution int32
		var since int64
		var by, why []byte
		err := rows.Scan(&a.Change, &institution, &a.Number, &since, &by, &why)
		a.Since, a.By, a.Why = microTime(since), string(by), string(why)
		institutions, list = append(institutions, institution), append(list, a)
		return err
	}))
	for i, id := range institutions {
		var failed error
		list[i].Institution, failed = v.s.names.text(ctx, id)
		err = errors.Join(err, failed)
	}
	return list, err
}
