package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/source/upload"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

type ingestCommand struct {
	gatewayFlags
	Institution string   `required:"" help:"Institution whose records they are." placeholder:"ID"`
	Files       []string `arg:"" name:"file" help:"Records as the institution sends them. Tables are one delivery, any other file is one of its own."`
}

func (ingestCommand) Help() string {
	return `Hands files in through the running server, or, when no server holds the data folder, works on the folder itself. Waits for the
records and prints what became of each: its id, its state, its type, its file and how many warnings there are about it; below a
quarantined one why.

States: committed, unchanged, superseded (older than what is stored), quarantined.
Exit code 1 when a record was quarantined or a file could not be handed in.

With --json one object a line for each delivery: id; duplicate; warning; records, each with id, state, type, file, place (of a
workbook's row) and issues, each with severity, code, id, expression (the FHIR element), origin (the field), line, column, text.`
}

func (c ingestCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	deliveries, size, err := deliveriesOf(c.Files)
	if err != nil {
		return err
	}
	gateway, err := c.connect(ctx, out, settings)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }() // what was acknowledged is durable
	bar := newProgress(out, size)
	var became tallyOfRecords
	failed := 0
	for _, names := range deliveries {
		answer, err := c.deliver(ctx, gateway, names, bar)
		bar.Clear()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Fprintf(out.err, "yilian: %s: %v\n", strings.Join(names, ", "), err)
			failed++
			continue
		}
		for _, r := range answer.Records {
			became.add(r.State)
		}
		if err := printAnswer(out, answer); err != nil {
			return err
		}
	}
	if !out.json {
		fmt.Fprintln(out.err, became)
	}
	if failed > 0 {
		return errFindings
	}
	return became.result()
}

// deliver hands files in together and waits for what becomes of them.
func (c ingestCommand) deliver(ctx context.Context, gateway *client, names []string, bar progress) (upload.Answer, error) {
	answer, err := gateway.upload(ctx, c.Institution, names, bar)
	if err != nil {
		return upload.Answer{}, err
	}
	answer.Records = []upload.Record{} // never null
	err = gateway.ended(ctx, answer.ID, func(r console.Record) error {
		answer.Records = append(answer.Records, upload.Record{ID: r.ID, State: r.State, Type: r.Type, File: r.File, Place: r.Place, Issues: r.Issues})
		return nil
	})
	return answer, err
}

// deliveriesOf groups files into what is handed in together: tables of an extract
// refer to each other, anything else stands for itself.
func deliveriesOf(names []string) (deliveries [][]string, size int64, err error) {
	var tables []string
	for _, name := range names {
		format, bytes, err := look(name)
		if err != nil {
			return nil, 0, err
		}
		size += bytes
		if record.Tabular(format) {
			tables = append(tables, name)
			continue
		}
		deliveries = append(deliveries, []string{name})
	}
	if len(tables) > 0 {
		deliveries = append(deliveries, tables)
	}
	return deliveries, size, nil
}

// look tells a file's format by its beginning, and its size.
func look(name string) (format string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if info.IsDir() {
		return "", 0, fmt.Errorf("%s is a folder; want files", name)
	}
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	return mapping.FormatOf(mapping.File{Name: name, Bytes: head}), info.Size(), err
}

func printAnswer(out *output, a upload.Answer) error {
	if out.json {
		return out.print(a)
	}
	if a.Warning != "" {
		fmt.Fprintf(out.err, "%s: warning: %s\n", a.ID, a.Warning)
	}
	if a.Duplicate {
		fmt.Fprintf(out.err, "%s: taken in before, with the same bytes\n", a.ID)
	}
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, r := range a.Records {
		printRecord(table, r)
	}
	return table.Flush()
}

// progress shows how much was handed in, on a terminal only.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(out *output, size int64) progress {
	f, ok := out.err.(*os.File)
	if !ok || out.json {
		return progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return progress{}
	}
	return progress{progressbar.NewOptions64(size, progressbar.OptionSetWriter(out.err), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("handing in"), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))}
}

// Reader counts what is read of r.
func (p progress) Reader(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	return io.TeeReader(r, p.bar)
}

// Clear makes room for a line of output.
func (p progress) Clear() {
	if p.bar != nil {
		_ = p.bar.Clear() // a terminal that is gone ends the command by itself
	}
}
