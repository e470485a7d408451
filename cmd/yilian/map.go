package main

import (
	"fmt"
	"os"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

type mapCommand struct {
	Lint mapLintCommand `cmd:"" help:"Check an institution's folder: institution.yaml, maps, code tables."`
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
