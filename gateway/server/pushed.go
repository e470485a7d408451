package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
)

// pushed is a version of a folder that is in effect. Its Institution is nil when it
// does not load, and findings say why.
type pushed struct {
	member
	id       string
	number   int64
	digest   string
	version  string // when it was pushed
	findings []mapping.Finding
}

// show is how a version that does not load is shown.
func (p pushed) show() console.Member {
	return console.Member{
		ID: p.id, Version: p.version, From: console.FromStore, Number: p.number, Maps: []string{},
		Findings: console.FindingsOf(p.findings),
	}
}

// loadPushed loads the versions that are in effect.
func (m *membership) loadPushed(ctx context.Context) (map[string]pushed, error) {
	active, err := m.store.ActiveFolders(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the pushed folders: %w", err)
	}
	list := map[string]pushed{}
	for _, a := range active {
		if a.Number == 0 {
			continue
		}
		if list[a.Institution], err = m.version(ctx, a.Institution, a.Number); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// version loads one version that was pushed before.
func (m *membership) version(ctx context.Context, institution string, number int64) (pushed, error) {
	row, err := m.store.Folder(ctx, institution, number)
	if err != nil {
		return pushed{}, err
	}
	p := pushed{id: institution, number: row.Number, digest: row.Digest, version: row.Version}
	text, err := m.store.FolderContent(ctx, institution, number)
	if err != nil {
		return pushed{}, fmt.Errorf("read version %d of the folder of %s: %w", number, institution, err)
	}
	f, err := folder.Unpack(text, folder.Limits{Bytes: store.MaxFolder}) // a limit of today does not count for what was taken
	var inst *mapping.Institution
	if err == nil {
		inst, err = m.open(f, institution)
	}
	var wrong *mapping.Error
	if errors.As(err, &wrong) {
		p.findings = wrong.Findings
		return p, nil
	}
	if err != nil {
		return pushed{}, fmt.Errorf("load version %d of the folder of %s: %w", number, institution, err)
	}
	salt, err := saltOf(ctx, m.store, institution)
	if err != nil {
		return pushed{}, err
	}
	p.join(inst, salt)
	return p, nil
}

// open loads a folder as the institution's.
func (m *membership) open(f *folder.Folder, institution string) (*mapping.Institution, error) {
	inst, err := mapping.Load(f.FS(), m.options)
	if err == nil && inst.ID() != institution {
		return nil, &mapping.Error{Findings: []mapping.Finding{{
			File: institutionFile, Text: fmt.Sprintf("the id is %s; want %s, whose folder it is to be", inst.ID(), institution),
		}}}
	}
	return inst, err
}

// join makes a version what records are mapped with.
func (p *pushed) join(inst *mapping.Institution, salt []byte) {
	p.member = member{
		Member: ingest.Member{Institution: inst, Salt: salt, Folder: strconv.FormatInt(p.number, 10) + "/" + inst.Version()},
		from:   console.FromStore,
	}
}
