package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/yilian/yilian/gateway/console"
)

type institutionVersionsCommand struct {
	configFlags
	ID      string `arg:"" help:"Id of the institution."`
	History bool   `help:"List which version was in effect since when instead, the last thousand times at most."`
}

func (institutionVersionsCommand) Help() string {
	return `Prints each version of an institution's folder that was pushed, the newest first: its number, its version, when and by whom it was
pushed, whether it is active, its note; and below it its maps with their versions, as a Provenance names them (map@version, and
number/version for the folder). With --history which version was in effect since when, who switched, and why; number 0 stands for
the folder outside of the store.

With --json one object a line: number, version, active, pushed, by, note, bytes, sha256 (of its archive), maps; with --history
number, since, by, why.`
}

func (c institutionVersionsCommand) Run(ctx context.Context, out *output) error {
	gateway, err := c.look(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	query := url.Values{"limit": {strconv.Itoa(console.PageLimit)}}
	for {
		var page console.Versions
		if _, err := gateway.get(ctx, versionsPath(c.ID), query, &page); err != nil {
			return err
		}
		if c.History {
			return printActivations(out, page.Activations)
		}
		for _, v := range page.Versions {
			if err := printVersion(out, v); err != nil {
				return err
			}
		}
		if len(page.Versions) < console.PageLimit {
			return nil
		}
		query.Set("before", strconv.FormatInt(page.Versions[len(page.Versions)-1].Number, 10))
	}
}

func printVersion(out *output, v console.Version) error {
	if out.json {
		return out.print(v)
	}
	line := fmt.Sprintf("%d  %s  %s  %s", v.Number, v.Version, v.Pushed.Local().Format(time.DateTime), v.By)
	if v.Active {
		line += "  active"
	}
	if v.Note != "" {
		line += "  " + v.Note
	}
	_, err := fmt.Fprintf(out.out, "%s\n  %s\n", line, strings.Join(v.Maps, "\n  "))
	return err
}

func printActivations(out *output, list []console.Activation) error {
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, a := range list {
		if out.json {
			if err := out.print(a); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%d\t%s\t%s", a.Number, a.Since.Local().Format(time.DateTime), a.By)
		if a.Why != "" {
			fmt.Fprintf(table, "\t%s", a.Why)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}
