package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/yilian/yilian/gateway/server"
)

type backupCommand struct {
	configFlags
	Out string `help:"File to write; default yilian-TIME.backup. One that is there is never replaced." placeholder:"FILE"`
}

func (backupCommand) Help() string {
	return `Writes the whole store – the data folder's, or the PostgreSQL that YILIAN_STORE_URL or the configuration names – to one file, as it is
when it begins: resources with their history, the inbox, archived bytes, persons, pushed folders and secrets. Servers go on working
meanwhile. The file is compressed and has a checksum; "yilian restore" makes a store of it. For the data folder there must be room
for a copy beside the file on the way.

THE FILE HOLDS PATIENTS' DATA AND SECRETS, not encrypted; only its owner may read it. Keep it as you keep the store. Folders of
institutions and the configuration on disk are not in it.

With --json one object: file, bytes, store ("sqlite" or "postgres"), schema, made (when).`
}

type backedUp struct {
	File   string    `json:"file"`
	Bytes  int64     `json:"bytes,omitempty"`
	Store  string    `json:"store"`
	Schema int64     `json:"schema"`
	Made   time.Time `json:"made"`
}

func (c backupCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	file := cmp.Or(c.Out, "yilian-"+time.Now().UTC().Format("20060102T150405Z")+".backup")
	m, size, err := server.Backup(ctx, settings, file, built().Version)
	if err != nil {
		return err
	}
	if out.json {
		return out.print(backedUp{file, size, m.Store, m.Schema, m.Made})
	}
	_, err = fmt.Fprintf(out.out, "%s: %d bytes, %s, schema %d; it holds patients' data and secrets\n", file, size, m.Store, m.Schema)
	return err
}
