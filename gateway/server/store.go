package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/store/cached"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// openStore opens the store that the configuration names. Schema versions are those
// before, 0 for a store that was made, and now. Unless it is nil, fault is called at the
// named points of a commit.
func openStore(ctx context.Context, c *config.Config, log *slog.Logger, fault func(point string)) (s cached.Backing, before, now int64, err error) {
	at := func(point string) error {
		if fault != nil {
			fault(point)
		}
		return nil
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, 0, 0, fmt.Errorf("data folder: %w", err)
	}
	if c.StoreURL != "" {
		s, err := postgres.Open(ctx, c.StoreURL, postgres.Options{PageCount: c.Limits.Page, MaxOperands: c.Search.Operands, Log: log, Fault: at})
		if err != nil {
			return nil, 0, 0, fmt.Errorf("open the store: %w", err)
		}
		schema := s.Schema()
		return s, schema.Before, schema.Now, nil
	}
	embedded, err := sqlite.Open(ctx, c.Data, sqlite.Options{PageCount: c.Limits.Page, MaxOperands: c.Search.Operands, Fault: at})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("open the store: %w", err)
	}
	// A server that was killed left its address; somebody else may listen there by now.
	if err := os.Remove(filepath.Join(c.Data, addressFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, 0, errors.Join(fmt.Errorf("remove an old address: %w", err), embedded.Close())
	}
	schema := embedded.Schema()
	return embedded, schema.Before, schema.Now, nil
}

// Migrate brings the schema of a store up to date, and makes it where there is none; no
// server may hold an embedded one. It returns the versions before, 0 for none, and now.
func Migrate(ctx context.Context, c *config.Config) (before, now int64, err error) {
	s, before, now, err := openStore(ctx, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return 0, 0, err
	}
	return before, now, s.Close()
}
