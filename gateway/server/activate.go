package server

import (
	"context"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Activate switches to a version that was pushed before, see console.Members.
func (m *membership) Activate(ctx context.Context, a console.Activate) (console.Activated, error) {
	answer := console.Activated{Institution: a.Institution, Findings: []console.Finding{}}
	if err := m.current(ctx); err != nil {
		return answer, err
	}
	history, err := m.store.Activations(ctx, a.Institution, 0, 2)
	if err != nil {
		return answer, err
	}
	if len(history) == 0 {
		return answer, fault.New(fault.NotFound, "no version of the institution's folder was ever pushed")
	}
	switch {
	case a.Number != nil:
		answer.Number = *a.Number
	case len(history) > 1:
		answer.Number = history[1].Number
	}
	to, err := m.target(ctx, a.Institution, answer.Number)
	if err != nil {
		return answer, err
	}
	answer.From = to.from
	if to.Institution == nil {
		answer.Findings, answer.Version = console.FindingsOf(to.findings), to.version
		return answer, nil
	}
	answer.Version = to.Institution.Version()
	if history[0].Number == answer.Number {
		answer.Unchanged = true
		return answer, nil
	}
	if a.Expected == store.AnyFolder {
		a.Expected = history[0].Number // what was looked at is what is left
	}
	ctx = context.WithoutCancel(ctx) // from here on it is done, also when the one who asked has left
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err = m.store.ActivateFolder(ctx, store.Activation{Institution: a.Institution, Number: answer.Number, By: a.By, Why: a.Why}, a.Expected)
	if err != nil {
		return answer, err
	}
	answer.Activated = true
	return answer, m.switchTo(ctx, to, a.By)
}

// target loads what is to be switched to.
func (m *membership) target(ctx context.Context, institution string, number int64) (pushed, error) {
	if number > 0 {
		return m.version(ctx, institution, number)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	outside, ok := m.outside[institution]
	if !ok {
		return pushed{}, fault.New(fault.Conflict, "there is nothing to go back to: neither an earlier version nor a folder outside of the store is known")
	}
	return pushed{member: outside}, nil
}
