package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/store"
)

type terminologyListCommand struct {
	configFlags
}

func (terminologyListCommand) Help() string {
	return `Lists the imported code systems by URL and version: URL, version, how many codes, when they were imported. No server may hold the data
folder.

With --json one object a line: system, version, codes, imported.`
}

type importedSystem struct {
	System   string    `json:"system"`
	Version  string    `json:"version,omitempty"`
	Codes    int64     `json:"codes"`
	Imported time.Time `json:"imported"`
}

func (c terminologyListCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	var list []store.CodeSystem
	err = server.UseConcepts(ctx, settings, func(ctx context.Context, s store.Concepts) error {
		list, err = s.CodeSystems(ctx)
		return err
	})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, one := range list {
		if !out.json {
			fmt.Fprintf(w, "%s\t%s\t%d codes\t%s\n", one.URL, one.Version, one.Concepts, one.Imported.Format(time.RFC3339))
			continue
		}
		if err := out.print(importedSystem{one.URL, one.Version, one.Concepts, one.Imported}); err != nil {
			return err
		}
	}
	return w.Flush()
}
