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

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/testdata"
)

// source is where one institution's folder stands outside of the store: on disk or
// embedded.
type source struct {
	path string // for messages
	from string // console.FromFolder or console.FromDemo
	fsys fs.FS
}

// member is an institution of this process, and where its folder came from.
type member struct {
	ingest.Member
	from string
}

// institutionFile is what makes a folder an institution's.
const institutionFile = "institution.yaml"

// sourcesIn lists the institutions' folders below root, in order of their names.
func sourcesIn(root fs.FS, shown, from string) ([]source, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, fmt.Errorf("list institutions: %w", err)
	}
	var list []source
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
		list = append(list, source{path: filepath.Join(shown, e.Name()), from: from, fsys: sub})
	}
	return list, nil
}

// sources lists the institutions that a process serves: the demo's, and those
// below dir.
func sources(dir string, demo bool) ([]source, error) {
	var list []source
	if demo {
		root, err := fs.Sub(testdata.Alliance(), "institutions")
		if err != nil {
			return nil, err
		}
		if list, err = sourcesIn(root, "demo", console.FromDemo); err != nil {
			return nil, err
		}
	}
	if dir == "" {
		return list, nil
	}
	own, err := sourcesIn(os.DirFS(dir), dir, console.FromFolder)
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

// loadMembers reads the folders outside of the store. What keeps any of them from loading comes back as
// one mapping.Error that names files, lines and columns; nothing that runs is
// changed by it.
func loadMembers(ctx context.Context, secrets store.Secrets, o mapping.Options, sources []source) (map[string]member, error) {
	members := map[string]member{}
	wrong := &mapping.Error{}
	seen := map[string]string{}
	for _, f := range sources {
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
		salt, err := saltOf(ctx, secrets, inst.ID())
		if err != nil {
			return nil, err
		}
		members[inst.ID()] = member{ingest.Member{Institution: inst, Salt: salt}, f.from}
	}
	if len(wrong.Findings) > 0 {
		return nil, wrong
	}
	return members, nil
}

// saltOf is the secret from which the ids of an institution's resources are made.
func saltOf(ctx context.Context, secrets store.Secrets, institution string) ([]byte, error) {
	salt, err := secrets.Secret(ctx, "institution/"+institution)
	if err != nil {
		return nil, fmt.Errorf("salt of %s: %w", institution, err)
	}
	return salt, nil
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

// published is what the alliance knows of an institution: its Organization, and its
// code tables as ConceptMaps and CodeSystems.
func published(inst *mapping.Institution) ([]*fhir.Node, error) {
	var list []*fhir.Node
	if org := inst.Organization(); org != nil {
		list = append(list, org)
	}
	terminology, err := inst.Terminology()
	if err != nil {
		return nil, fmt.Errorf("code tables of %s: %w", inst.ID(), err)
	}
	return append(list, terminology...), nil
}

// publish writes what the alliance knows of a member.
func publish(ctx context.Context, e *interaction.Engine, m ingest.Member) error {
	list, err := published(m.Institution)
	if err != nil || len(list) == 0 {
		return err
	}
	writes := make([]interaction.Write, len(list))
	for i, r := range list {
		writes[i] = interaction.Write{Resource: r}
	}
	_, err = e.Apply(ctx, interaction.Batch{
		Institution: m.Institution.ID(), Map: "institution@" + m.Institution.Version(), Writes: writes,
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", m.Institution.ID(), err)
	}
	return nil
}
