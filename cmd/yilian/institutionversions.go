package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// body reads an answer that is not JSON, and closes it.
func body(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	text, err := readAnswer(response)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		_, why := refusal(response.Status, text)
		return nil, why
	}
	return text, nil
}
