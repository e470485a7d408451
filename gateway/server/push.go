package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

// Push tries a folder and switches to it, see console.Members.
func (m *membership) Push(ctx context.Context, p console.Push) (console.Pushed, error) {
	answer := console.Pushed{Institution: p.Institution, Findings: []console.Finding{}}
	select {
	case m.trying <- struct{}{}:
		defer func() { <-m.trying }()
	case <-ctx.Done():
		return answer, ctx.Err()
	}
	if err := m.current(ctx); err != nil {
		return answer, err
	}
	f, err := folder.Unpack(p.Archive, m.limits)
	if err != nil {
		return answer, refuse(&answer.Findings, err)
	}
	if now, same := m.effective(p.Institution); same && now.digest == f.Digest() {
		answer.Number, answer.Version, answer.Unchanged = now.number, now.Institution.Version(), true
		return answer, nil
	}
	inst, findings, err := m.try(ctx, f, p, &answer.Cases)
	if err != nil {
		return answer, refuse(&answer.Findings, err)
	}
	answer.Findings = console.FindingsOf(findings)
	for _, each := range findings {
		if !each.Warning {
			return answer, nil
		}
	}
	// From here on it is done, also when the one who asked has left.
	row, err := m.keep(context.WithoutCancel(ctx), p, f, inst)
	if err != nil {
		return answer, err
	}
	answer.Number, answer.Version, answer.Pushed = row.Number, row.Version, true
	return answer, nil
}

// refuse makes what keeps a folder from loading the answer; it passes on any other
// error.
func refuse(findings *[]console.Finding, err error) error {
	var wrong *mapping.Error
	if !errors.As(err, &wrong) {
		return err
	}
	*findings = console.FindingsOf(wrong.Findings)
	return nil
}

// effective returns the version of an institution that records are mapped with.
func (m *membership) effective(institution string) (pushed, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pushed[institution]
	return p, ok && p.Institution != nil
}

// try loads a folder as a start would, looks at what it would publish, and runs its
// cases. Warnings are among the findings.
func (m *membership) try(ctx context.Context, f *folder.Folder, p console.Push, passed *int) (*mapping.Institution, []mapping.Finding, error) {
	inst, err := m.open(f, p.Institution)
	if err != nil {
		return nil, nil, err
	}
	findings := inst.Warnings()
	refused, err := m.refused(ctx, inst)
	if err != nil {
		return nil, nil, err
	}
	findings = append(findings, refused...)
	if p.Untested {
		return inst, findings, nil
	}
	failed, err := runCases(ctx, f.FS(), inst, passed)
	return inst, append(findings, failed...), err
}

// maxFailures bounds what is told of cases that fail.
const maxFailures = 200

// runCases runs the cases of a folder and tells what differs.
func runCases(ctx context.Context, fsys fs.FS, inst *mapping.Institution, passed *int) (findings []mapping.Finding, err error) {
	cases, unread := maptest.Cases(fsys)
	for _, err := range parts(unread) {
		name, text, _ := strings.Cut(err.Error(), ": ")
		findings = append(findings, mapping.Finding{File: "cases/" + name, Text: text})
	}
	if unread == nil && len(cases) == 0 {
		return []mapping.Finding{{File: "cases", Warning: true, Text: "there is no case; that the maps load says little about what comes out"}}, nil
	}
	for _, each := range cases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		report := maptest.Run(inst, each)
		if report.Passed() {
			*passed++
		}
		for _, line := range report.Diff {
			if len(findings) == maxFailures {
				return append(findings, mapping.Finding{File: "cases", Text: "there is more; it is not listed"}), nil
			}
			findings = append(findings, mapping.Finding{File: "cases/" + each.Name, Text: line})
		}
	}
	return findings, nil
}

// parts are the errors that were joined into one.
func parts(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}

// refused tells what of an institution's Organization and code tables could not be
// published: it is better known before the switch.
func (m *membership) refused(ctx context.Context, inst *mapping.Institution) (findings []mapping.Finding, err error) {
	list, err := published(inst)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		name := r.ResourceType() + "/" + r.ID()
		for _, issue := range m.engine.Validator.Resource(r) {
			if issue.Severity == fhir.Error || issue.Severity == fhir.Fatal {
				findings = append(findings, mapping.Finding{File: institutionFile, Text: fmt.Sprintf("what it publishes as %s is refused: %s: %s", name, issue.Expression, issue.Text)})
			}
		}
		stored, err := m.store.Read(ctx, store.Key{Type: r.ResourceType(), ID: r.ID()})
		switch {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return nil, err
		case stored.Owner != inst.ID():
			findings = append(findings, mapping.Finding{File: institutionFile, Text: fmt.Sprintf("what it publishes as %s belongs to another institution", name)})
		}
	}
	return findings, nil
}

// untested is what a note says of a version whose cases were not run.
const untested = "(untested)"

// keep makes a folder durable, switches to it and publishes what it says. A process
// that dies on the way publishes at its next start.
func (m *membership) keep(ctx context.Context, p console.Push, f *folder.Folder, inst *mapping.Institution) (store.Folder, error) {
	row := store.Folder{Institution: p.Institution, Version: inst.Version(), Maps: mapVersions(inst), By: p.By, Note: p.Note}
	if p.Untested {
		row.Note = strings.TrimSpace(row.Note + " " + untested)
	}
	salt, err := saltOf(ctx, m.store, p.Institution)
	if err != nil {
		return store.Folder{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, err = m.store.PushFolder(ctx, row, f.Pack(), p.Expected)
	if err != nil {
		return store.Folder{}, fmt.Errorf("keep a pushed folder: %w", err)
	}
	if m.fault != nil {
		m.fault(AfterPush)
	}
	version := pushed{id: p.Institution, number: row.Number, digest: row.Digest, version: row.Version}
	version.join(inst, salt)
	return row, m.switchTo(ctx, version, row.By)
}

// switchTo maps with a version from now on, and publishes what it says; the lock is
// held, so that of two switches the later one is published last. Number 0 is the
// folder outside of the store.
func (m *membership) switchTo(ctx context.Context, to pushed, by string) error {
	id := to.Institution.ID()
	if now, ok := m.outside[id]; ok && to.number == 0 {
		to.member = now // the folders may have been read again since
	}
	if delete(m.pushed, id); to.number > 0 {
		m.pushed[id] = to
	}
	m.change()
	m.log.InfoContext(ctx, "switched to a folder", "institution", id, "number", to.number, "version", to.Institution.Version(), "by", by)
	if err := publish(ctx, m.engine, to.Member); err != nil {
		return fmt.Errorf("the folder is in effect, and its publication is tried again at the next start: %w", err)
	}
	return nil
}
