package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/mapping"
)

type mapLintCommand struct {
	Dir string `arg:"" help:"Folder with institution.yaml, maps and codes."`
}

func (mapLintCommand) Help() string {
	return `Prints what is wrong or doubtful as "file:line:column: text". Exit code 1 when there is an error; warnings alone give 0.

With --json one object: ok; institution, version and maps, when it loads; findings, each with severity (error or warning), file,
line, column (in characters), text.`
}

type lintReport struct {
	OK          bool      `json:"ok"`
	Institution string    `json:"institution,omitempty"`
	Version     string    `json:"version,omitempty"`
	Maps        []string  `json:"maps,omitempty"`
	Findings    []finding `json:"findings"`

	total tally
}

// finding is a mapping.Finding as --json prints it.
type finding struct {
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Text     string `json:"text"`
}

func (c mapLintCommand) Run(out *output) error {
	inst, err := loadInstitution(c.Dir)
	report := lintReport{OK: err == nil, Findings: []finding{}}
	found, err := findingsOf(inst, err)
	if err != nil {
		return err
	}
	if inst != nil {
		report.Institution, report.Version = inst.ID(), inst.Version()
		for _, m := range inst.Maps() {
			report.Maps = append(report.Maps, m.Name())
		}
	}
	for _, f := range found {
		f.File = inFolder(c.Dir, f.File)
		report.add(f)
		if !out.json {
			fmt.Fprintln(out.out, f)
		}
	}
	if out.json {
		if err := out.print(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(out.err, report.total)
	}
	if !report.OK {
		return errFindings
	}
	return nil
}

func (r *lintReport) add(f mapping.Finding) {
	severity := "error"
	if f.Warning {
		severity = "warning"
		r.total.Warnings++
	} else {
		r.total.Errors++
	}
	r.Findings = append(r.Findings, finding{Severity: severity, File: f.File, Line: f.Line, Column: f.Column, Text: f.Text})
}

// inFolder names a file of the folder so that an editor opens it; built-in files keep their names.
func inFolder(dir, file string) string {
	if strings.HasPrefix(file, "base/") {
		return file
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}
