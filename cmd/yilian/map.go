package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

type mapCommand struct {
	Init     mapInitCommand     `cmd:"" help:"Draft the folder of an institution from sample records."`
	Run      mapRunCommand      `cmd:"" help:"Map records and print the FHIR they become; nothing is stored."`
	Lint     mapLintCommand     `cmd:"" help:"Check an institution's folder: institution.yaml, maps, code tables."`
	Test     mapTestCommand     `cmd:"" help:"Run the cases of an institution's folder."`
	Coverage mapCoverageCommand `cmd:"" help:"Sum up over many records what to mend: elements never filled, codes without a translation, findings."`
	Diff     mapDiffCommand     `cmd:"" help:"Tell what a change of maps changes over many records."`
	Watch    mapWatchCommand    `cmd:"" help:"Check and compare a folder again whenever a file of it is saved."`
	Docs     mapDocsCommand     `cmd:"" help:"Write the field table of an institution, for people, as Markdown and as a workbook."`
}

// loadInstitution reads the folder of an institution, with the built-in maps below it.
func loadInstitution(dir string) (*mapping.Institution, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file; want an institution's folder", dir)
	}
	return mapping.Load(os.DirFS(dir), mapping.Options{Base: base.FS})
}

// findingsOf are what is wrong or doubtful about a folder that was loaded with this result. The error is any other.
func findingsOf(inst *mapping.Institution, err error) ([]mapping.Finding, error) {
	var wrong *mapping.Error
	switch {
	case err == nil:
		return slices.Clone(inst.Warnings()), nil
	case errors.As(err, &wrong):
		return slices.Clone(wrong.Findings), nil
	}
	return nil, err
}

// folderError prints what keeps a folder from loading, and returns the error to end the command with.
func folderError(out *output, dir string, err error) error {
	var wrong *mapping.Error
	if !errors.As(err, &wrong) {
		return err
	}
	for _, f := range wrong.Findings {
		f.File = inFolder(dir, f.File)
		fmt.Fprintln(out.err, f)
	}
	return errFindings
}
