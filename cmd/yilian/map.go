package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

type mapCommand struct {
	Run  mapRunCommand  `cmd:"" help:"Map records and print the FHIR they become; nothing is stored."`
	Lint mapLintCommand `cmd:"" help:"Check an institution's folder: institution.yaml, maps, code tables."`
	Test mapTestCommand `cmd:"" help:"Run the cases of an institution's folder."`
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
