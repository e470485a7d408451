package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/source/upload"
)

type inboxReplayCommand struct {
	gatewayFlags
	Institution string   `help:"All quarantined records of this institution." placeholder:"ID"`
	IDs         []string `arg:"" optional:"" name:"id" help:"Ids of records."`
}

func (inboxReplayCommand) Help() string {
	return `Puts quarantined records back into line, behind what came since, waits for them and prints what became of each, as "yilian
ingest" does. A running server maps them with the folders that it has loaded: see "yilian institution push" and "yilian institution
reload". What is older than what is stored changes nothing (superseded).

Exit code 1 when a record was quarantined again.

With --json one object a line for each record, as "yilian inbox list" has it.`
}

func (c inboxReplayCommand) Run(ctx context.Context, out *output) error {
	if (len(c.IDs) > 0) == (c.Institution != "") {
		return usageError{errors.New("want either ids of records or --institution")}
	}
	settings, err := c.load("")
	if err != nil {
		return err
	}
	if err := dataFolder(settings); err != nil {
		return err
	}
	gateway, err := c.connect(ctx, out, settings)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	ids, err := c.replay(ctx, gateway, out)
	if err != nil {
		return err
	}
	var became tallyOfRecords
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, id := range ids {
		err := gateway.ended(ctx, id, func(r console.Record) error {
			became.add(r.State)
			if out.json {
				return out.print(r)
			}
			printRecord(table, upload.Record{ID: r.ID, State: r.State, Type: r.Type, File: r.File, Issues: r.Issues})
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !out.json {
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out.err, became)
	}
	return became.result()
}

// replay puts the records back into line and returns their ids.
func (c inboxReplayCommand) replay(ctx context.Context, gateway *client, out *output) (ids []string, err error) {
	if err := c.member(ctx, gateway); err != nil {
		return nil, err
	}
	asked := []console.ReplayRequest{{Institution: c.Institution}}
	if len(c.IDs) > 0 {
		asked = nil
		for some := range slices.Chunk(c.IDs, console.PageLimit) {
			asked = append(asked, console.ReplayRequest{IDs: some})
		}
	}
	for len(asked) > 0 {
		var answer console.ReplayAnswer
		if _, err := gateway.post(ctx, "/console/inbox/replay", asked[0], &answer); err != nil {
			return nil, err
		}
		ids = append(ids, answer.IDs...)
		if asked[0].After = answer.Next; answer.Next == 0 {
			asked = asked[1:]
		}
	}
	for _, id := range c.IDs {
		if !slices.Contains(ids, id) {
			fmt.Fprintf(out.err, "%s: is not quarantined, and stays as it is\n", id)
		}
	}
	return ids, nil
}

// member fails when the gateway does not know an institution whose records are
// meant: it could only quarantine them again.
func (c inboxReplayCommand) member(ctx context.Context, gateway *client) error {
	institutions := map[string]bool{c.Institution: c.Institution != ""}
	for _, id := range c.IDs {
		var r console.Record
		if _, err := gateway.get(ctx, recordPath(id), nil, &r); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		institutions[r.Institution] = true
	}
	var members []console.Member
	if _, err := gateway.get(ctx, "/console/institutions", nil, &members); err != nil {
		return err
	}
	for _, m := range members {
		delete(institutions, m.ID)
	}
	for id, meant := range institutions {
		if meant {
			return fmt.Errorf("%s is not an institution that the gateway knows; where no server runs, --config or --demo says which it does", id)
		}
	}
	return nil
}
