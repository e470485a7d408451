// Package testdata carries the demo alliance, so that the program can show it and
// tests of several packages can read it. Only this file is Go.
package testdata

import (
	"embed"
	"io/fs"
)

//go:embed alliance
var files embed.FS

// Alliance is the demo alliance: institutions, deliveries, bad records, ledger.
func Alliance() fs.FS {
	sub, err := fs.Sub(files, "alliance")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
