package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/mapping"
)

// membership knows the institutions of one process: those whose folders stand
// outside of the store, and those that were pushed into it. A pushed one goes before
// one outside.
type membership struct {
	store   *node
	index   *search.Engine
	engine  *interaction.Engine
	ingest  *ingest.Ingest
	log     *slog.Logger
	fault   func(point string)
	options mapping.Options
	limits  folder.Limits            // of what is pushed
	sources func() ([]source, error) // of folders outside of the store

	trying chan struct{} // holds a value while a push is tried: one at a time

	mu      sync.Mutex // held while switching
	outside map[string]member
	pushed  map[string]pushed // in effect, by institution
	seen    int64             // the store's FolderChange that pushed is at least as new as

	wake chan struct{} // see poke

	shown atomic.Pointer[[]console.Member]
}

// load reads all folders. It is called before the process works.
func (m *membership) load(ctx context.Context) (err error) {
	if m.outside, err = m.loadOutside(ctx); err != nil {
		return err
	}
	if m.seen, err = m.store.FolderChange(ctx); err != nil {
		return err
	}
	m.pushed, err = m.loadPushed(ctx)
	return err
}

func (m *membership) loadOutside(ctx context.Context) (map[string]member, error) {
	sources, err := m.sources()
	if err != nil {
		return nil, err
	}
	return loadMembers(ctx, m.store, m.options, sources)
}

// members are what records are mapped with, in the order of their ids.
func (m *membership) members() (list []member) {
	for id, each := range m.outside {
		if _, ok := m.pushed[id]; !ok {
			list = append(list, each)
		}
	}
	for _, p := range m.pushed {
		if p.Institution != nil {
			list = append(list, p.member)
		}
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.Institution.ID(), b.Institution.ID()) })
	return list
}

// change makes what is loaded what records are mapped with, at once.
func (m *membership) change() {
	aliases := search.DefaultAliases()
	var members []ingest.Member
	shown := []console.Member{}
	for _, each := range m.members() {
		members = append(members, each.Member)
		maps.Copy(aliases, each.Institution.Aliases())
		shown = append(shown, m.show(each))
	}
	var waiting []string
	for id, p := range m.pushed {
		if p.Institution == nil {
			waiting = append(waiting, id)
			shown = append(shown, p.show())
		}
	}
	slices.SortFunc(shown, func(a, b console.Member) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(waiting)
	m.index.SetAliases(aliases)
	m.ingest.SetMembers(members, waiting...)
	m.shown.Store(&shown)
}

func (m *membership) show(each member) console.Member {
	shown := console.Member{
		ID: each.Institution.ID(), Name: each.Institution.Name(), Version: each.Institution.Version(), From: each.from,
		Maps: []string{}, Running: mapVersions(each.Institution),
	}
	if each.from == console.FromStore {
		shown.Number = m.pushed[shown.ID].number
	}
	for _, one := range each.Institution.Maps() {
		shown.Maps = append(shown.Maps, one.Name())
	}
	return shown
}

// List returns the institutions as the console shows them.
func (m *membership) List() []console.Member { return slices.Clone(*m.shown.Load()) }

// waiting are the institutions whose records wait for a folder that loads.
func (m *membership) waiting() (ids []string) {
	for _, each := range m.List() {
		if len(each.Findings) > 0 {
			ids = append(ids, each.ID)
		}
	}
	return ids
}

// waitingLines tells who waits, for people.
func (m *membership) waitingLines() string {
	var b strings.Builder
	for _, each := range m.List() {
		if len(each.Findings) > 0 {
			fmt.Fprintf(&b, "%s waits: version %d of its folder does not load\n", each.ID, each.Number)
		}
	}
	return b.String()
}

// tell logs which folders were pushed, and what they stand before.
func (m *membership) tell(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, each := range m.List() {
		if each.From != console.FromStore {
			continue
		}
		attributes := []any{"institution", each.ID, "number", each.Number, "version", each.Version}
		if outside, ok := m.outside[each.ID]; ok {
			attributes = append(attributes, "instead", outside.from)
		}
		if len(each.Findings) > 0 {
			m.log.ErrorContext(ctx, "a pushed folder does not load, and its institution's records wait",
				append(attributes, "finding", each.Findings[0].String())...)
			continue
		}
		m.log.InfoContext(ctx, "pushed folder", attributes...)
	}
}

// publish brings what the alliance publishes of all institutions up to date. What
// somebody pushed must not keep the others from it.
func (m *membership) publish(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, each := range m.members() {
		err := publish(ctx, m.engine, each.Member)
		if kind := fault.KindOf(err); err != nil && each.from == console.FromStore && (kind == fault.Invalid || kind == fault.Conflict) {
			m.log.ErrorContext(ctx, "what a pushed folder publishes is refused", "institution", each.Institution.ID(), "folder", each.Folder, "error", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("publish an institution: %w", err)
		}
	}
	return nil
}

// Reload reads the folders outside of the store again and switches to them at once,
// or not at all.
func (m *membership) Reload(ctx context.Context) (findings []string, err error) {
	m.mu.Lock()
	outside, err := m.loadOutside(ctx)
	if err == nil {
		m.outside = outside
		m.change()
	}
	m.mu.Unlock()
	var wrong *mapping.Error
	if errors.As(err, &wrong) {
		for _, f := range wrong.Findings {
			findings = append(findings, f.String())
		}
		return findings, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, m.publish(ctx)
}

// mapVersions are an institution's maps as a Provenance names them.
func mapVersions(inst *mapping.Institution) []string {
	list := []string{}
	for _, one := range inst.Maps() {
		list = append(list, one.Name()+"@"+one.Version())
	}
	return list
}
