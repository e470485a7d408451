package server

import (
	"context"
	"errors"
	"log/slog"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/store"
)

// UseConcepts opens the store that the configuration names, as Migrate does, lets work
// import code systems and look at them, and closes it.
func UseConcepts(ctx context.Context, c *config.Config, work func(ctx context.Context, s store.Concepts) error) error {
	s, _, _, err := openStore(ctx, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	return errors.Join(work(ctx, s), s.Close())
}
