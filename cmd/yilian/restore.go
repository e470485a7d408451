package main

import (
	"context"
	"fmt"

	"github.com/yilian/yilian/gateway/server"
)

type restoreCommand struct {
	configFlags
	File string `arg:"" help:"File that \"yilian backup\" wrote."`
}

func (restoreCommand) Help() string {
	return `Makes a store from a backup of the same kind: in a data folder that holds none, or in an empty PostgreSQL database (YILIAN_STORE_URL, or
store.url in the configuration). A store that is there already is never touched, and no server may run on what is being restored.
The whole file is read first: one that was cut or changed is refused. A backup of an older yilian is brought up to date, one of a
newer is refused. The store is there whole, or not at all.

With --json one object: file, store ("sqlite" or "postgres"), schema, made (when the backup began).`
}

func (c restoreCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	m, err := server.Restore(ctx, settings, c.File)
	if err != nil {
		return err
	}
	if out.json {
		return out.print(backedUp{c.File, 0, m.Store, m.Schema, m.Made})
	}
	_, err = fmt.Fprintf(out.out, "%s: restored as of %s, schema %d\n", c.File, m.Made.Format("2006-01-02 15:04:05Z07:00"), m.Schema)
	return err
}
