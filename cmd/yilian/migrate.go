package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/yilian/yilian/gateway/server"
)

type migrateCommand struct {
	configFlags
}

func (migrateCommand) Help() string {
	return `Makes the store where there is none, and brings the schema of one that an older yilian wrote up to date, as "yilian serve" does
when it starts. No server may hold the data folder; on PostgreSQL (YILIAN_STORE_URL, or store.url in the configuration) others may start
meanwhile. A store that a newer yilian wrote is refused.

With --json one object: data (the folder) or store (the URL, without its password); from and to, versions of the schema, from being 0 for a
new store.`
}

type migration struct {
	Data  string `json:"data,omitempty"`
	Store string `json:"store,omitempty"`
	From  int64  `json:"from"`
	To    int64  `json:"to"`
}

func (c migrateCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	m := migration{Data: settings.Data}
	for _, one := range settings.Settings() {
		if one.Key == "store.url" && one.Value != "" {
			m = migration{Store: one.Value}
		}
	}
	if m.From, m.To, err = server.Migrate(ctx, settings); err != nil {
		return err
	}
	if out.json {
		return out.print(m)
	}
	was := fmt.Sprintf("was %d", m.From)
	switch m.From {
	case 0:
		was = "made now"
	case m.To:
		was = "up to date"
	}
	_, err = fmt.Fprintf(out.out, "%s: schema %d, %s\n", cmp.Or(m.Store, m.Data), m.To, was)
	return err
}
