package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/yilian/yilian/conformance/testscript"
)

type conformanceListCommand struct {
	Suite []string `sep:"none" placeholder:"NAME|DIR" help:"Only this suite; may be repeated."`
	Lang  string   `enum:"en,zh" default:"en" placeholder:"LANG" help:"Language of the titles: en or zh."`
}

func (conformanceListCommand) Help() string {
	return `Prints a line for each script: its file below the suite, and what it is about.

With --json one object a line for each script: suite, file, id, url, title, description, tests (names).`
}

// listedScript is a script as "conformance list --json" prints it.
type listedScript struct {
	Suite       string   `json:"suite"`
	File        string   `json:"file"`
	ID          string   `json:"id,omitempty"`
	URL         string   `json:"url,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Tests       []string `json:"tests"`
}

func (c conformanceListCommand) Run(out *output) error {
	list, err := loadSuites(c.Suite)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out.out, 0, 4, 2, ' ', 0)
	scripts, tests := 0, 0
	for _, suite := range list {
		for _, s := range suite.Scripts {
			if s.Err() != nil {
				return s.Err()
			}
			l := listedScript{Suite: suite.Name, File: s.File, ID: s.ID, URL: s.URL, Tests: s.Tests(),
				Title: inLanguage(c.Lang, s.Title, s.Chinese.Title), Description: inLanguage(c.Lang, s.Description, s.Chinese.Description)}
			scripts++
			tests += len(l.Tests)
			if out.json {
				err = out.print(l)
			} else {
				_, err = fmt.Fprintf(table, "%s\t%s\n", l.File, l.Title)
			}
			if err != nil {
				return err
			}
		}
	}
	if out.json {
		return nil
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out.err, "%s, %s, %s\n", count(len(list), "suite"), count(scripts, "script"), count(tests, "test"))
	return nil
}

// inLanguage chooses the Chinese where it is asked for and there.
func inLanguage(language, english, chinese string) string {
	if language == "zh" && chinese != "" {
		return chinese
	}
	return english
}

// scriptTitle is what a script is called in a list of results.
func scriptTitle(language string, s *testscript.ScriptReport) string {
	if title := inLanguage(language, s.Title, s.Chinese.Title); title != "" {
		return title
	}
	return s.Name
}
