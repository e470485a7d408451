package server

import (
	"context"
	"fmt"
	"time"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
)

// folderPoll is how often a process looks whether another one switched a folder;
// publishAfter, how long it leaves the publication to that one, which may have died.
const (
	folderPoll   = time.Second
	publishAfter = 5 * time.Second
)

// poke makes the process look now.
func (m *membership) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// follow switches to what other processes of the gateway put into effect, until ctx
// ends.
func (m *membership) follow(ctx context.Context) error {
	var due time.Time // when what was switched to last is published; zero: nothing is
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-time.After(folderPoll):
		}
		switched, err := m.catchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			m.log.WarnContext(ctx, "look for folders that were switched elsewhere", "error", err)
			continue
		case switched:
			due = time.Now().Add(publishAfter)
		}
		if due.IsZero() || time.Now().Before(due) {
			continue
		}
		if err := m.publish(ctx); err != nil && ctx.Err() == nil {
			m.log.WarnContext(ctx, "publish what another process switched to", "error", err)
			due = time.Now().Add(publishAfter)
			continue
		}
		due = time.Time{}
	}
}

// catchUp switches to what is in effect in the store, and reports whether that was
// something else.
func (m *membership) catchUp(ctx context.Context) (switched bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change, err := m.store.FolderChange(ctx)
	if err != nil || change == m.seen {
		return false, err
	}
	active, err := m.store.ActiveFolders(ctx)
	if err != nil {
		return false, fmt.Errorf("list the pushed folders: %w", err)
	}
	to := map[string]pushed{}
	for _, a := range active {
		if a.Number == m.pushed[a.Institution].number {
			continue
		}
		if a.Number == 0 {
			to[a.Institution] = pushed{}
			continue
		}
		if to[a.Institution], err = m.version(ctx, a.Institution, a.Number); err != nil {
			return false, err
		}
	}
	for id, version := range to {
		if delete(m.pushed, id); version.number > 0 {
			m.pushed[id] = version
		}
		attributes := []any{"institution", id, "number", version.number, "version", version.version}
		if version.number > 0 && version.Institution == nil {
			m.log.ErrorContext(ctx, "another process switched to a folder that does not load here, and its institution's records wait",
				append(attributes, "finding", version.findings[0].String())...)
			continue
		}
		m.log.InfoContext(ctx, "switched to a folder as another process did", attributes...)
	}
	if len(to) > 0 {
		m.change()
	}
	m.seen = change
	return len(to) > 0, nil
}

// current makes sure that what is decided is decided on what is in effect now.
func (m *membership) current(ctx context.Context) error {
	if _, err := m.catchUp(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the folders in effect cannot be read")
	}
	return nil
}

var _ console.Members = (*membership)(nil)
