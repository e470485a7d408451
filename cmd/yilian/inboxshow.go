package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/yilian/yilian/gateway/console"
)

type inboxShowCommand struct {
	configFlags
	ID      string `arg:"" help:"Id of the record."`
	Content bool   `help:"Print the bytes of the record as they came, and nothing else. They are a patient's data. A row of a workbook has no bytes of its own: then the workbook."`
}

func (inboxShowCommand) Help() string {
	return `Prints what is known of a record, and the findings about it; its bytes only with --content.

With --json one object as "yilian inbox list" has it.`
}

func (c inboxShowCommand) Run(ctx context.Context, out *output) error {
	if c.Content && out.json {
		return usageError{errors.New("--json and --content exclude each other")}
	}
	gateway, err := c.look(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	var r console.Record
	if _, err := gateway.get(ctx, recordPath(c.ID), nil, &r); err != nil {
		return err
	}
	if c.Content {
		if r.Place != "" {
			fmt.Fprintf(out.err, "the record is the row %s of this workbook\n", r.Place)
		}
		return c.content(ctx, gateway, out)
	}
	if out.json {
		return out.print(r)
	}
	return printShown(out, r)
}

func (c inboxShowCommand) content(ctx context.Context, gateway *client, out *output) error {
	response, err := gateway.do(ctx, http.MethodGet, recordPath(c.ID)+"/content", nil, "", nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return decode(response, nil)
	}
	defer response.Body.Close()
	_, err = io.Copy(out.out, response.Body)
	return err
}

func printShown(out *output, r console.Record) error {
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	line("id", r.ID)
	line("institution", r.Institution)
	line("source", r.Source)
	line("format", r.Format)
	line("type", r.Type)
	line("file", r.File)
	line("control", r.Control)
	line("delivery", r.Parent)
	line("row", r.Place)
	line("bytes", fmt.Sprintf("%d from %d of sha256 %s", r.Length, r.Offset, r.Digest))
	line("received", r.Received.Local().Format(time.RFC3339))
	line("state", string(r.State))
	if r.Finished != nil {
		line("finished", r.Finished.Local().Format(time.RFC3339))
	}
	line("answer", r.Answer)
	line("map", r.Map)
	if r.Attempts > 0 {
		line("attempts", fmt.Sprint(r.Attempts))
	}
	table.Flush()
	for _, i := range r.Issues {
		fmt.Fprintln(out.out, i)
	}
	return nil
}
