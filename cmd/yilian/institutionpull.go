package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/store"
)

type institutionPullCommand struct {
	configFlags
	ID     string `arg:"" help:"Id of the institution."`
	Dir    string `arg:"" help:"Folder to write; empty, or not there yet."`
	Number int64  `help:"Number of the version; default the one in effect." placeholder:"N"`
}

func (institutionPullCommand) Help() string {
	return `Writes a version of an institution's folder, as it was pushed, into an empty folder.

With --json one object: institution; number; dir; files, a list of names.`
}

// pulled is what "institution pull --json" prints.
type pulled struct {
	Institution string   `json:"institution"`
	Number      int64    `json:"number"`
	Dir         string   `json:"dir"`
	Files       []string `json:"files"`
}

func (c institutionPullCommand) Run(ctx context.Context, out *output) error {
	if c.Number < 0 {
		return usageError{errors.New("--number is the number of a version")}
	}
	gateway, err := c.look(ctx, out)
	if err != nil {
		return err
	}
	defer func() { _ = gateway.close() }()
	number := c.Number
	if number == 0 {
		var list console.Versions
		if _, err := gateway.get(ctx, versionsPath(c.ID), url.Values{"limit": {"1"}}, &list); err != nil {
			return err
		}
		if number = list.Active; number == 0 {
			return fmt.Errorf("no pushed version of %s is in effect; --number names one", c.ID)
		}
	}
	response, err := gateway.do(ctx, http.MethodGet, fmt.Sprintf("%s/%d", versionsPath(c.ID), number), nil, "application/json", nil)
	if err != nil {
		return err
	}
	archive, err := body(response)
	if err != nil {
		return err
	}
	f, err := folder.Unpack(archive, folder.Limits{Bytes: store.MaxFolder})
	if err != nil {
		return err
	}
	if err := f.Write(c.Dir); err != nil {
		return err
	}
	done := pulled{Institution: c.ID, Number: number, Dir: c.Dir, Files: []string{}}
	for _, file := range f.Files() {
		done.Files = append(done.Files, file.Name)
	}
	if out.json {
		return out.print(done)
	}
	fmt.Fprintf(out.out, "%s  %d  %s in %s\n", c.ID, number, count(len(done.Files), "file"), strings.TrimSuffix(filepath.ToSlash(c.Dir), "/"))
	return nil
}
