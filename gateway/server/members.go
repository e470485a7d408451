package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

// folder is one institution's folder, on disk or embedded.
type folder struct {
	path string // for messages
	fsys fs.FS
}

// foldersIn lists the institutions' folders below root, in order of their names.
func foldersIn(root fs.FS, shown string) ([]folder, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, fmt.Errorf("list institutions: %w", err)
	}
	var list []folder
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		sub, err := fs.Sub(root, e.Name())
		if err != nil {
			return nil, err
		}
		if _, err := fs.Stat(sub, "institution.yaml"); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		list = append(list, folder{path: filepath.Join(shown, e.Name()), fsys: sub})
	}
	return list, nil
}

// foldersOf lists what the configuration names.
func foldersOf(dir string) ([]folder, error) {
	if dir == "" {
		return nil, nil
	}
	return foldersIn(os.DirFS(dir), dir)
}

// loadMembers reads the folders. One that does not load is an error that names
// file, line and column; nothing that runs is changed by it.
func loadMembers(ctx context.Context, secrets store.Secrets, alliance string, folders []folder) ([]ingest.Member, error) {
	var members []ingest.Member
	for _, f := range folders {
		inst, err := mapping.Load(f.fsys, mapping.Options{Base: base.FS, Alliance: alliance})
		if err != nil {
			return nil, fmt.Errorf("institution folder %s: %w", f.path, err)
		}
		salt, err := secrets.Secret(ctx, "institution/"+inst.ID())
		if err != nil {
			return nil, fmt.Errorf("salt of %s: %w", inst.ID(), err)
		}
		members = append(members, ingest.Member{Institution: inst, Salt: salt})
	}
	return members, nil
}

// publish writes what the alliance knows of a member: its Organization, and its
// code tables as ConceptMaps and CodeSystems.
func publish(ctx context.Context, e *interaction.Engine, m ingest.Member) error {
	var writes []interaction.Write
	if org := m.Institution.Organization(); org != nil {
		writes = append(writes, interaction.Write{Resource: org})
	}
	terminology, err := m.Institution.Terminology()
	if err != nil {
		return fmt.Errorf("code tables of %s: %w", m.Institution.ID(), err)
	}
	for _, r := range terminology {
		writes = append(writes, interaction.Write{Resource: r})
	}
	if len(writes) == 0 {
		return nil
	}
	_, err = e.Apply(ctx, interaction.Batch{
		Institution: m.Institution.ID(), Map: "institution@" + m.Institution.Version(), Writes: writes,
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", m.Institution.ID(), err)
	}
	return nil
}
