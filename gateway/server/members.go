package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/testdata"
)

// folder is one institution's folder, on disk or embedded.
type folder struct {
	path string // for messages
	fsys fs.FS
}

// institutionFile is what makes a folder an institution's.
const institutionFile = "institution.yaml"

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
		if _, err := fs.Stat(sub, institutionFile); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		list = append(list, folder{path: filepath.Join(shown, e.Name()), fsys: sub})
	}
	return list, nil
}

// folders lists the institutions that a process serves: the demo's, and those
// below dir.
func folders(dir string, demo bool) ([]folder, error) {
	var list []folder
	if demo {
		root, err := fs.Sub(testdata.Alliance(), "institutions")
		if err != nil {
			return nil, err
		}
		if list, err = foldersIn(root, "demo"); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return list, nil
	}
	own, err := foldersIn(os.DirFS(dir), dir)
	if err != nil {
		return nil, &mapping.Error{Findings: []mapping.Finding{{File: dir, Text: "cannot be listed: " + reason(err)}}}
	}
	return append(list, own...), nil
}

// reason is what the system says, without the path.
func reason(err error) string {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return err.Error()
}

// loadMembers reads the folders. What keeps any of them from loading comes back as
// one mapping.Error that names files, lines and columns; nothing that runs is
// changed by it.
func loadMembers(ctx context.Context, secrets store.Secrets, o mapping.Options, folders []folder) ([]ingest.Member, error) {
	var members []ingest.Member
	wrong := &mapping.Error{}
	seen := map[string]string{}
	for _, f := range folders {
		inst, err := mapping.Load(f.fsys, o)
		var found *mapping.Error
		if errors.As(err, &found) {
			wrong.Findings = append(wrong.Findings, placed(found.Findings, f.path)...)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("institution folder %s: %w", f.path, err)
		}
		if other, taken := seen[inst.ID()]; taken {
			wrong.Findings = append(wrong.Findings, mapping.Finding{
				File: filepath.Join(f.path, institutionFile), Text: fmt.Sprintf("%s has the id %s already", other, inst.ID()),
			})
			continue
		}
		seen[inst.ID()] = f.path
		salt, err := secrets.Secret(ctx, "institution/"+inst.ID())
		if err != nil {
			return nil, fmt.Errorf("salt of %s: %w", inst.ID(), err)
		}
		members = append(members, ingest.Member{Institution: inst, Salt: salt})
	}
	if len(wrong.Findings) > 0 {
		return nil, wrong
	}
	return members, nil
}

// placed puts a folder's path before the file names of findings; built-in files
// keep theirs.
func placed(findings []mapping.Finding, path string) []mapping.Finding {
	out := slices.Clone(findings)
	for i := range out {
		if !strings.HasPrefix(out[i].File, "base/") {
			out[i].File = filepath.Join(path, filepath.FromSlash(out[i].File))
		}
	}
	return out
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
