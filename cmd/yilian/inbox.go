package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/console"
)

type inboxCommand struct {
	List   inboxListCommand   `cmd:"" help:"List records, in the order in which they came."`
	Show   inboxShowCommand   `cmd:"" help:"Show a record: where it came from, what became of it, and why."`
	Replay inboxReplayCommand `cmd:"" help:"Run quarantined records again, after their map was mended."`
}

// look opens the inbox to look into it. Institutions are not needed for that: the
// inbox can be read while the folder of one of them does not load.
func (f configFlags) look(ctx context.Context, out *output) (*client, error) {
	settings, err := f.load("")
	if err != nil {
		return nil, err
	}
	if err := dataFolder(settings); err != nil {
		return nil, err
	}
	settings.Institutions = ""
	return gatewayFlags{configFlags: f}.connect(ctx, out, settings)
}

// dataFolder fails when there is no data folder: who wants to see what is in it does
// not want a new one.
func dataFolder(c *config.Config) error {
	if _, err := os.Stat(c.Data); err != nil && c.StoreURL == "" {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// records calls each for the records that a query selects, behind a sequence number;
// limit 0 is all of them.
func (c *client) records(ctx context.Context, query url.Values, after int64, limit int, each func(console.Record) error) error {
	for left := limit; limit == 0 || left > 0; {
		size := console.PageLimit
		if limit > 0 {
			size = min(left, size)
		}
		query.Set("after", strconv.FormatInt(after, 10))
		query.Set("limit", strconv.Itoa(size))
		var page []console.Record
		if _, err := c.get(ctx, "/console/inbox", query, &page); err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
			after = r.Sequence
		}
		if len(page) < size {
			return nil
		}
		left -= size
	}
	return nil
}
