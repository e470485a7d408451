package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/yilian/yilian/gateway/console"
)

type institutionRollbackCommand struct {
	gatewayFlags
	ID  string `arg:"" help:"Id of the institution."`
	To  *int64 `help:"Number of the version; 0 is the folder outside of the store. Default: the one that was in effect before." placeholder:"N"`
	Why string `help:"Why, for those who read the history." placeholder:"TEXT"`
}

func (institutionRollbackCommand) Help() string {
	return `Switches back to a version of an institution's folder that was pushed before, at once, as a push switches to a new one. From the
first version that is the folder on disk or of the demo, where there is one and, without a server, --config or --demo names it. Doing it twice without --to ends where it began. What
was mapped stays as it is; records that shall be mapped again are for "yilian inbox replay" when they are quarantined.

A version that does not load any more is not switched to: what is wrong is printed, nothing changes, exit code 1.

With --json one object: institution; number; version; from (folder, demo or store); activated; unchanged (in effect already);
findings, as "yilian map lint" has them.`
}

func (c institutionRollbackCommand) Run(ctx context.Context, out *output) error {
	if c.To != nil && *c.To < 0 {
		return usageError{errors.New("--to is the number of a version, or 0")}
	}
	gateway, err := c.open(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	var answer console.Activated
	if _, err := gateway.post(ctx, institutionPath(c.ID)+"/activate", console.ActivateRequest{Number: c.To, Why: c.Why}, &answer); err != nil {
		return err
	}
	if out.json {
		if err := out.print(answer); err != nil {
			return err
		}
	} else {
		printFindings(out, answer.Findings)
	}
	switch {
	case !answer.Activated && !answer.Unchanged:
		if !out.json {
			fmt.Fprintln(out.err, "nothing changed")
		}
		return errFindings
	case out.json:
	case answer.Unchanged:
		fmt.Fprintf(out.out, "%s  %s  %s  in effect already\n", answer.Institution, origin(answer.From, answer.Number), answer.Version)
	default:
		fmt.Fprintf(out.out, "%s  %s  %s  in effect\n", answer.Institution, origin(answer.From, answer.Number), answer.Version)
	}
	return nil
}

// origin says where a folder comes from: "folder", "demo", "store 3".
func origin(from string, number int64) string {
	if from != console.FromStore {
		return from
	}
	return from + " " + strconv.FormatInt(number, 10)
}
