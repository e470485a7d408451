package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

type mapTestCommand struct {
	Dir      string `arg:"" help:"Folder with institution.yaml, maps, codes and cases."`
	Update   bool   `help:"Write what comes out of failing cases into them, for you to read before you keep it."`
	Coverage bool   `help:"Tell which fields of all cases no rule read, and which mandatory elements no rule filled."`
}

func (mapTestCommand) Help() string {
	return `Runs cases/*.txtar: each holds the files of a delivery, and what they must become in want.json and want.issues. Prints a line
for each case, and below a failing one what differs. Exit code 1 when a case fails or cannot be read, or there is none.

With --json one object a line for each case: case; title; passed; updated; diff and issues, lists of lines. With --coverage a last
line as "yilian map run" has it.`
}

// tested is what "map test --json" prints of one case.
type tested struct {
	Case    string   `json:"case"`
	Title   string   `json:"title,omitempty"`
	Passed  bool     `json:"passed"`
	Updated bool     `json:"updated"`
	Diff    []string `json:"diff"`
	Issues  []string `json:"issues"`
}

func (c mapTestCommand) Run(ctx context.Context, out *output) error {
	inst, err := loadInstitution(c.Dir)
	if err != nil {
		return folderError(out, c.Dir, err)
	}
	cases, unread := maptest.Cases(os.DirFS(c.Dir))
	if unread == nil && len(cases) == 0 {
		return fmt.Errorf("no cases in %s; want *.txtar", filepath.Join(c.Dir, "cases"))
	}
	var coverage mapping.Coverage
	failed := 0
	for _, each := range cases {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rep := maptest.Run(inst, each)
		coverage.Merge(rep.Coverage)
		updated, err := c.update(each, rep)
		if err != nil {
			return err
		}
		if !rep.Passed() && !updated {
			failed++
		}
		if err := printCase(out, each, rep, updated); err != nil {
			return err
		}
	}
	if c.Coverage {
		if err := c.tellCoverage(out, &coverage); err != nil {
			return err
		}
	}
	if unread != nil {
		fmt.Fprintln(out.err, "yilian:", unread)
	}
	if !out.json {
		fmt.Fprintf(out.err, "%s, %d failed\n", count(len(cases), "case"), failed)
	}
	if failed > 0 || unread != nil {
		return errFindings
	}
	return nil
}

func (c mapTestCommand) tellCoverage(out *output, coverage *mapping.Coverage) error {
	if out.json {
		return out.print(coverageOf(coverage))
	}
	printCoverage(out.err, coverage)
	return nil
}

// update rewrites a failing case. One that nothing came out of at all could not run, and stays.
func (c mapTestCommand) update(each *maptest.Case, rep maptest.Report) (bool, error) {
	if !c.Update || rep.Passed() || len(rep.Got) == 0 && len(rep.Issues) == 0 {
		return false, nil
	}
	name := filepath.Join(c.Dir, "cases", filepath.Base(each.Name))
	return true, os.WriteFile(name, maptest.Update(each, rep), 0o644)
}

func printCase(out *output, each *maptest.Case, rep maptest.Report, updated bool) error {
	if out.json {
		return out.print(tested{Case: rep.Case, Title: each.Title, Passed: rep.Passed(), Updated: updated,
			Diff: orEmpty(rep.Diff), Issues: orEmpty(rep.Issues)})
	}
	if updated {
		_, err := fmt.Fprintln(out.out, "updated", rep.Case)
		return err
	}
	_, err := fmt.Fprintln(out.out, rep)
	return err
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
