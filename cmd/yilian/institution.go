package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/mapping"
)

type institutionCommand struct {
	List     institutionListCommand     `cmd:"" help:"List the institutions whose records are taken, and what became of those."`
	Reload   institutionReloadCommand   `cmd:"" help:"Read the institutions' folders again."`
	Push     institutionPushCommand     `cmd:"" help:"Keep a folder as an institution's next version, and map with it from now on."`
	Versions institutionVersionsCommand `cmd:"" help:"List the versions of an institution's folder that were pushed."`
	Rollback institutionRollbackCommand `cmd:"" help:"Switch back to a version that was pushed before."`
	Pull     institutionPullCommand     `cmd:"" help:"Write a version that was pushed into a folder."`
}

type institutionListCommand struct {
	gatewayFlags
}

func (institutionListCommand) Help() string {
	return `Prints each institution's id, version of its folder, where that comes from (folder on disk, demo, or store with the number of the
pushed version), number of maps, name, and its records by state; below one whose pushed folder does not load why. Its records wait
until another version is in effect.

With --json one object a line for each: id, name, version, from, number (of a pushed folder), maps (their names), records (state →
number), findings (why its folder does not load, as "yilian map lint" has them).`
}

func (c institutionListCommand) Run(ctx context.Context, out *output) error {
	gateway, err := c.open(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	return printMembers(ctx, gateway, out)
}

// open finds the gateway of a data folder that is there.
func (f gatewayFlags) open(ctx context.Context, out *output) (*client, error) {
	settings, err := f.load("")
	if err != nil {
		return nil, err
	}
	if err := dataFolder(settings); err != nil {
		return nil, err
	}
	return f.connect(ctx, out, settings)
}

func printMembers(ctx context.Context, gateway *client, out *output) error {
	var members []console.Member
	if _, err := gateway.get(ctx, "/console/institutions", nil, &members); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, m := range members {
		if out.json {
			if err := out.print(m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, m.Version, origin(m.From, m.Number), count(len(m.Maps), "map"), m.Name, tallyOfRecords(m.Records))
		if len(m.Findings) > 0 {
			if err := table.Flush(); err != nil { // what stands below is no part of the columns
				return err
			}
			for _, f := range m.Findings {
				fmt.Fprintf(out.out, "  %s\n", f)
			}
		}
	}
	return table.Flush()
}

type institutionReloadCommand struct {
	gatewayFlags
}

func (institutionReloadCommand) Help() string {
	return `Has the running server read the folders again and go on with what stands in them: all of them, or, when one does not load, none.
What is wrong is printed as "file:line:column: text", and nothing changes. Records that are being mapped end with the maps that they
began with; quarantined ones stay until "yilian inbox replay". Where no server runs the folders are checked, and what the alliance
publishes of the institutions is brought up to date. An institution whose folder was pushed stays with what was pushed.

Exit code 1 when a folder does not load.

With --json one object: loaded; findings, a list of lines.`
}

func (c institutionReloadCommand) Run(ctx context.Context, out *output) error {
	answer, err := c.reload(ctx, out)
	if err != nil {
		return err
	}
	if out.json {
		if err := out.print(answer); err != nil {
			return err
		}
	} else {
		for _, line := range answer.Findings {
			fmt.Fprintln(out.out, line)
		}
	}
	if !answer.Loaded {
		return errFindings
	}
	return nil
}

func (c institutionReloadCommand) reload(ctx context.Context, out *output) (answer console.ReloadAnswer, err error) {
	gateway, err := c.open(ctx, out)
	var wrong *mapping.Error
	if errors.As(err, &wrong) { // no server runs, and the folders do not load for this process either
		for _, f := range wrong.Findings {
			answer.Findings = append(answer.Findings, f.String())
		}
		return answer, nil
	}
	if err != nil {
		return answer, err
	}
	defer func() { _ = gateway.close() }()
	if _, err := gateway.post(ctx, "/console/institutions/reload", nil, &answer); err != nil {
		return answer, err
	}
	if answer.Loaded && !out.json {
		err = printMembers(ctx, gateway, out)
	}
	return answer, err
}
