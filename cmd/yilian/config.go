package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/yilian/yilian/gateway/config"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Check the configuration, and print what is in effect and where it comes from."`
}

type configCheckCommand struct {
	Config string `help:"Configuration file." placeholder:"FILE"`
}

func (configCheckCommand) Help() string {
	return `Reads the file, the environment and the defaults as "yilian serve" does, and connects to nothing.
Passwords are not shown.

With --json one object: ok; settings, each with key, value and origin (place in the file, variable, or "default");
problems, each with origin, key and text.`
}

type configReport struct {
	OK       bool             `json:"ok"`
	Settings []config.Setting `json:"settings"`
	Problems []config.Problem `json:"problems"`
}

func (c configCheckCommand) Run(out *output) error {
	settings, err := config.Load(config.Sources{File: c.Config, Env: os.Getenv})
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	report := configReport{OK: err == nil, Settings: []config.Setting{}, Problems: []config.Problem{}}
	if err == nil {
		report.Settings = settings.Settings()
	} else {
		report.Problems = problems
	}
	if out.json {
		if err := out.print(report); err != nil {
			return err
		}
	} else {
		printConfig(out, report)
	}
	if !report.OK {
		return errFindings
	}
	return nil
}

func printConfig(out *output, report configReport) {
	for _, p := range report.Problems {
		fmt.Fprintln(out.out, p)
	}
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, s := range report.Settings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Key, s.Value, s.Origin)
	}
	table.Flush()
}
