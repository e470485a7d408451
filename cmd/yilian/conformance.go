package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/suites"
)

type conformanceCommand struct {
	Run  conformanceRunCommand  `cmd:"" help:"Run suites of TestScripts against a FHIR server."`
	List conformanceListCommand `cmd:"" help:"List the suites that are built in, and their scripts."`
}

// loadSuites reads suites by the names of built-in ones, or of files and folders; none means all that are built in.
func loadSuites(names []string) ([]*testscript.Suite, error) {
	if len(names) == 0 {
		for _, s := range suites.All() {
			names = append(names, s.Name)
		}
	}
	var list []*testscript.Suite
	for _, name := range names {
		suite, err := suites.Load(name)
		if errors.Is(err, fs.ErrNotExist) {
			suite, err = loadFolder(name)
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("--suite %s: %w", name, err)}
		}
		list = append(list, suite)
	}
	return list, nil
}

// loadFolder reads a suite from a file or folder.
func loadFolder(name string) (*testscript.Suite, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("is neither a suite (%s) nor a file or folder", strings.Join(suiteNames(), ", "))
	case err != nil:
		return nil, err
	}
	name, err = filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	folder, file := filepath.Split(name)
	if info.IsDir() {
		folder, file = name, "."
	}
	suite, err := testscript.Load(os.DirFS(folder), file)
	if err == nil && info.IsDir() {
		suite.Name = filepath.Base(name)
	}
	return suite, err
}

func suiteNames() []string {
	var names []string
	for _, s := range suites.All() {
		names = append(names, s.Name)
	}
	return names
}
