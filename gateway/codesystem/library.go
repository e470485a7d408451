package codesystem

import (
	"context"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/fault"
)

var errChanged = fault.New(fault.Conflict, "the table changed while it was imported")

// Library is all that is imported. It is safe for concurrent use.
type Library struct{ Store Store }

// Imports returns a text that changes when something is imported.
func (l Library) Imports(ctx context.Context) (string, error) {
	list, err := l.Store.CodeSystems(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, s := range list {
		b.WriteString(strconv.FormatInt(s.ID, 36))
		b.WriteByte(' ')
	}
	return b.String(), nil
}

// Systems returns the code systems.
func (l Library) Systems(ctx context.Context) ([]terminology.CodeSystem, error) {
	list, err := l.Store.CodeSystems(ctx)
	if err != nil {
		return nil, err
	}
	systems := make([]terminology.CodeSystem, 0, len(list))
	for _, s := range list {
		x, err := New(l.Store, s)
		if err != nil {
			return nil, err
		}
		systems = append(systems, x)
	}
	return systems, nil
}
