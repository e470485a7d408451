package server

import (
	"context"
	"errors"
	"sync"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/mapping"
)

// membership loads and reloads the institutions of one process.
type membership struct {
	process *process
	load    func(ctx context.Context) ([]ingest.Member, error)

	mu sync.Mutex // one reload at a time
}

// List returns the members as the console shows them.
func (m *membership) List() []console.Member {
	list := []console.Member{}
	for _, member := range m.process.ingest.Members() {
		shown := console.Member{
			ID: member.Institution.ID(), Name: member.Institution.Name(), Version: member.Institution.Version(), Maps: []string{},
		}
		for _, one := range member.Institution.Maps() {
			shown.Maps = append(shown.Maps, one.Name())
		}
		list = append(list, shown)
	}
	return list
}

// Reload reads all folders again and switches to them at once, or not at all.
func (m *membership) Reload(ctx context.Context) (findings []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	members, err := m.load(ctx)
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
	m.process.ingest.SetMembers(members)
	for _, member := range members {
		if err := publish(ctx, m.process.engine, member); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
