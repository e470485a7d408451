package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/source/upload"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

type ingestCommand struct {
	configFlags
	Institution string   `required:"" help:"Institution whose records they are." placeholder:"ID"`
	Files       []string `arg:"" name:"file" help:"Records as the institution sends them. Tables are one delivery, any other file is one of its own."`
}

func (ingestCommand) Help() string {
	return `Hands files in through the running server, or, when no server holds the data folder, works on the folder itself. Prints what
became of each record: its id, its state, its type and its file, and below a quarantined one why.

States: committed, unchanged, superseded (older than what is stored), quarantined; received, when the work goes on.
Exit code 1 when a record was quarantined or a file could not be handed in.

With --json one object a line for each delivery: id; duplicate; warning; records, each with id, state, type, file and issues, each
with severity, id, origin, element and text.`
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
	send := handIn{command: c, settings: settings, output: out, address: server.Address(settings.Data)}
	bar := newProgress(out, size)
	states, failed := map[string]int{}, 0
	for _, names := range deliveries {
		answer, err := send.delivery(ctx, names, bar)
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
			states[r.State]++
		}
		if err := printAnswer(out, answer); err != nil {
			return err
		}
	}
	if !out.json {
		fmt.Fprintln(out.err, summary(states))
	}
	if failed > 0 || states["quarantined"] > 0 {
		return errFindings
	}
	return nil
}

// handIn knows the way into the data folder.
type handIn struct {
	*output
	command  ingestCommand
	settings *config.Config
	address  string // of the server that holds the folder, "" for none
}

// delivery hands files in together, and returns what became of them.
func (h *handIn) delivery(ctx context.Context, names []string, bar progress) (upload.Answer, error) {
	if h.address != "" {
		answer, err := post(ctx, h.address, h.command.Institution, names, bar)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return answer, err
		}
		h.address = "" // a server that ended without tidying up; if it did not, the folder's lock says so
	}
	var files []ingest.File
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return upload.Answer{}, err
		}
		files = append(files, ingest.File{Name: filepath.Base(name), Bytes: text})
	}
	log := slog.New(slog.NewTextHandler(h.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	answer, err := server.Ingest(ctx, server.Options{Config: h.settings, Log: log, Version: built().Version}, h.command.Institution, files)
	for _, f := range files {
		bar.Add(len(f.Bytes))
	}
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
		if format == record.Table {
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
		if a.Records == nil {
			a.Records = []upload.Record{}
		}
		return out.print(a)
	}
	if a.Warning != "" {
		fmt.Fprintf(out.err, "%s: warning: %s\n", a.ID, a.Warning)
	}
	if a.Duplicate {
		fmt.Fprintf(out.err, "%s: taken in before, with the same bytes\n", a.ID)
	}
	if len(a.Records) == 0 {
		fmt.Fprintf(out.out, "%s  received\n", a.ID)
	}
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, r := range a.Records {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.ID, r.State, r.Type, r.File)
		if r.State != "quarantined" {
			continue
		}
		table.Flush()
		for _, i := range r.Issues {
			fmt.Fprintf(table, "  %s\n", fhir.Issue{Severity: fhir.Severity(i.Severity), ID: i.ID, Origin: i.Origin, Expression: i.Element, Text: i.Text})
		}
	}
	return table.Flush()
}

// summary counts records by state: "12 records: 11 committed, 1 quarantined".
func summary(states map[string]int) string {
	total := 0
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		total += states[state]
		parts = append(parts, fmt.Sprintf("%d %s", states[state], state))
	}
	if total == 0 {
		return "no records"
	}
	return count(total, "record") + ": " + strings.Join(parts, ", ")
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

// Add counts bytes that were handed in otherwise.
func (p progress) Add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// Clear makes room for a line of output.
func (p progress) Clear() {
	if p.bar != nil {
		_ = p.bar.Clear() // a terminal that is gone ends the command by itself
	}
}
