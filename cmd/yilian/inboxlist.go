package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/yilian/yilian/gateway/console"
)

type inboxListCommand struct {
	configFlags
	Institution string `help:"Records of this institution only." placeholder:"ID"`
	State       string `help:"Records in this state only: received, committed, unchanged, superseded, quarantined, split." placeholder:"STATE"`
	Delivery    string `help:"Records that were cut from this delivery only." placeholder:"ID"`
	After       int64  `help:"Go on behind the record with this number." placeholder:"N"`
	Limit       int    `help:"List so many records at most; 0 is all of them." default:"100"`
}

func (inboxListCommand) Help() string {
	return `Prints each record's number, id, time of arrival, institution, state, type, file, and how many errors and warnings there are
about it. What is in state split is a delivery whose records stand on their own, and counts as none.

With --json one object a line for each record: id, sequence (its number), institution, source, format, type, file, control (the
sender's own id), delivery (that it was cut from), offset, length and sha256 (of its bytes), received, state, answer (the
acknowledgement), map, attempts, finished, issues, each as "yilian ingest" has them.`
}

func (c inboxListCommand) Run(ctx context.Context, out *output) error {
	if c.Limit < 0 || c.After < 0 {
		return usageError{errors.New("--limit and --after are not negative")}
	}
	gateway, err := c.look(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	query := url.Values{}
	for name, value := range map[string]string{"institution": c.Institution, "state": c.State, "delivery": c.Delivery} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var became tallyOfRecords
	last := int64(0)
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	total := 0
	err = gateway.records(ctx, query, c.After, c.Limit, func(r console.Record) error {
		became.add(r.State)
		total, last = total+1, r.Sequence
		if out.json {
			return out.print(r)
		}
		printListed(table, r)
		if total%console.PageLimit == 0 {
			return table.Flush() // the rest gets columns of its own
		}
		return nil
	})
	if err != nil || out.json {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out.err, became)
	if total == c.Limit && total > 0 {
		fmt.Fprintf(out.err, "there may be more: --after %d\n", last)
	}
	return nil
}

func printListed(table *tabwriter.Writer, r console.Record) {
	fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s", r.Sequence, r.ID, r.Received.Local().Format(time.DateTime),
		r.Institution, r.State, r.Type, r.File)
	if text := found(r); text != "" {
		fmt.Fprintf(table, "\t%s", text)
	}
	fmt.Fprintln(table)
}

// found counts what was found about a record, "" for nothing.
func found(r console.Record) string {
	var t tally
	t.add(r.Issues)
	switch {
	case t.Errors > 0 && t.Warnings > 0:
		return t.String()
	case t.Errors > 0:
		return count(t.Errors, "error")
	case t.Warnings > 0:
		return count(t.Warnings, "warning")
	}
	return ""
}
