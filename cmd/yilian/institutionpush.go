package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

type institutionPushCommand struct {
	gatewayFlags
	Dir         string `arg:"" help:"Folder with institution.yaml, maps, codes and cases."`
	Institution string `help:"Institution whose folder it is to be; default the id in institution.yaml." placeholder:"ID"`
	Note        string `help:"What is new in it, for those who read the list of versions." placeholder:"TEXT"`
	Untested    bool   `help:"Do not run its cases. The note says so."`
}

func (institutionPushCommand) Help() string {
	return `Has the running server, or the data folder that no server holds, load the folder as a start would, and run its cases. When all is
well it is kept as the institution's next version, and mapped with from then on: a record is mapped with the old maps or with the
new ones, never with both, and names the version in its Provenance. An institution that was none becomes one. Quarantined records
stay until "yilian inbox replay". A pushed version goes before a folder on disk, and stays in effect over restarts.

What is wrong or doubtful is printed as "file:line:column: text"; with an error nothing changes, exit code 1. Content equal to the
version in effect makes no new one. Files that do not belong into the folder are errors: want institution.yaml, maps/*.yaml,
codes/*.csv, cases/*.txtar and *.md. A link is followed to a file inside the folder only.

With --json one object: institution; number and version; pushed; unchanged (equal to the version in effect); cases (that passed);
findings, as "yilian map lint" has them.`
}

func (c institutionPushCommand) Run(ctx context.Context, out *output) error {
	settings, err := c.load("")
	if err != nil {
		return err
	}
	answer, archive, err := c.read(folder.Limits{Bytes: settings.Limits.Folder})
	if err != nil {
		return err
	}
	if archive != nil {
		gateway, err := c.connect(ctx, out, settings)
		if err != nil {
			return err
		}
		defer func() { _ = gateway.close() }()
		if answer, err = c.push(ctx, gateway, answer.Institution, archive); err != nil {
			return err
		}
	}
	return c.print(out, answer)
}

// read packs the folder, or tells why it is none: then there is no archive.
func (c institutionPushCommand) read(limits folder.Limits) (answer console.Pushed, archive []byte, err error) {
	answer = console.Pushed{Institution: c.Institution, Findings: []console.Finding{}}
	f, err := folder.Read(c.Dir, limits)
	if err == nil && answer.Institution == "" {
		var inst *mapping.Institution
		if inst, err = mapping.Load(f.FS(), mapping.Options{Base: base.FS, Lazy: true}); err == nil {
			answer.Institution = inst.ID()
		}
	}
	var wrong *mapping.Error
	switch {
	case errors.As(err, &wrong):
		answer.Findings = console.FindingsOf(wrong.Findings)
		return answer, nil, nil
	case err != nil:
		return answer, nil, err
	}
	return answer, f.Pack(), nil
}

func (c institutionPushCommand) push(ctx context.Context, gateway *client, institution string, archive []byte) (answer console.Pushed, err error) {
	query := url.Values{}
	if c.Note != "" {
		query.Set("note", c.Note)
	}
	if c.Untested {
		query.Set("untested", "1")
	}
	response, err := gateway.do(ctx, http.MethodPost, versionsPath(institution), query, "application/x-tar", bytes.NewReader(archive))
	if err != nil {
		return answer, err
	}
	return answer, decode(response, &answer)
}

// institutionPath is where the console has an institution.
func institutionPath(id string) string { return "/console/institutions/" + url.PathEscape(id) }

func versionsPath(id string) string { return institutionPath(id) + "/versions" }

func (c institutionPushCommand) print(out *output, answer console.Pushed) error {
	for i, f := range answer.Findings {
		answer.Findings[i].File = inFolder(c.Dir, f.File)
	}
	if out.json {
		if err := out.print(answer); err != nil {
			return err
		}
	} else {
		printFindings(out, answer.Findings)
	}
	switch {
	case !answer.Pushed && !answer.Unchanged:
		if !out.json {
			fmt.Fprintln(out.err, "nothing changed")
		}
		return errFindings
	case out.json:
	case answer.Unchanged:
		fmt.Fprintf(out.out, "%s  %d  %s  in effect already, with the same content\n", answer.Institution, answer.Number, answer.Version)
	case c.Untested || answer.Cases == 0:
		fmt.Fprintf(out.out, "%s  %d  %s  pushed, untested\n", answer.Institution, answer.Number, answer.Version)
	default:
		fmt.Fprintf(out.out, "%s  %d  %s  pushed, %s passed\n", answer.Institution, answer.Number, answer.Version, count(answer.Cases, "case"))
	}
	return nil
}

func printFindings(out *output, findings []console.Finding) {
	for _, f := range findings {
		fmt.Fprintln(out.out, f)
	}
}
