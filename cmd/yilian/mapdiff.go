package main

import (
	"context"
	"fmt"
	"iter"
	"text/tabwriter"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/compare"
	"github.com/yilian/yilian/mapping/maptest"
)

type mapDiffCommand struct {
	Old      string   `arg:"" help:"Folder of the institution as it was." placeholder:"OLD"`
	New      string   `arg:"" help:"Folder of the institution as it shall be." placeholder:"NEW"`
	Source   string   `help:"Source of institution.yaml that the files come from; default: found by their content and names." placeholder:"NAME"`
	Examples int      `default:"3" help:"Places to show of each kind of difference; 0 shows none."`
	Files    []string `arg:"" name:"file" help:"Records as the institution sends them. The files of a folder are one delivery, a file alone is another."`
}

func (mapDiffCommand) Help() string {
	return `Runs both folders over the same records and sums up what becomes of them differently: records that one finds, takes or orders and
the other does not, resources, elements without their positions, findings. Below each kind stand some of its places with the values of
before and after, which are patient data.

Exit code 1 when anything differs.

With --json one object: records; changed; untold, differences beyond the kinds that are told apart; changes, each with kind, type, element,
issue (message id), count, and examples with file, line, place, resource, old and new.`
}

func (c mapDiffCommand) Run(ctx context.Context, out *output) error {
	old, err := loadInstitution(c.Old)
	if err != nil {
		return folderError(out, c.Old, err)
	}
	now, err := loadInstitution(c.New)
	if err != nil {
		return folderError(out, c.New, err)
	}
	rep, err := difference(ctx, old, now, fromSource(c.Source, corpus(out, c.Files)), max(c.Examples, 1))
	if err != nil {
		return err
	}
	if c.Examples <= 0 {
		for i := range rep.Changes {
			rep.Changes[i].Examples = nil
		}
	}
	if out.json {
		err = out.print(diffOf(rep))
	} else {
		err = printDifference(out, rep)
	}
	if err == nil && !rep.Same() {
		err = errFindings
	}
	return err
}

// difference compares two versions of a folder with the ids of cases.
func difference(ctx context.Context, old, now *mapping.Institution, records iter.Seq2[compare.Delivery, error], examples int) (*compare.Report, error) {
	return compare.Run(ctx, old, now, records, compare.Options{Salt: []byte(maptest.Salt), Received: maptest.Received, Examples: examples})
}

func fromSource(source string, records iter.Seq2[delivery, error]) iter.Seq2[compare.Delivery, error] {
	return func(yield func(compare.Delivery, error) bool) {
		for d, err := range records {
			if !yield(compare.Delivery{Source: source, Files: d.files}, err) {
				return
			}
		}
	}
}

func printDifference(out *output, rep *compare.Report) error {
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, c := range rep.Changes {
		what := c.Element
		if what == "" {
			what = c.Type
		}
		if c.Issue != "" {
			what = c.Issue + " " + what
		}
		fmt.Fprintf(table, "%s\t%s\t%d\n", c.Kind, what, c.Count)
		table.Flush()
		for _, e := range c.Examples {
			fmt.Fprintf(out.out, "  %s: %s%s\n", placeOf(e), e.Resource, turned(e))
		}
	}
	if rep.Untold > 0 {
		fmt.Fprintf(out.err, "%s of further kinds\n", count(rep.Untold, "difference"))
	}
	_, err := fmt.Fprintf(out.err, "%s, %d changed\n", count(rep.Records, "record"), rep.Changed)
	return err
}

func placeOf(e compare.Example) string {
	switch {
	case e.Place != "":
		return e.File + ":" + e.Place
	case e.Line > 0:
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return e.File
}

// turned tells a value before and after.
func turned(e compare.Example) string {
	switch {
	case e.Old == "" && e.New == "":
		return ""
	case e.Old == "":
		return " + " + e.New
	case e.New == "":
		return " - " + e.Old
	}
	return " " + e.Old + " → " + e.New
}

type diffReport struct {
	Records int          `json:"records"`
	Changed int          `json:"changed"`
	Untold  int          `json:"untold"`
	Changes []diffChange `json:"changes"`
}

type diffChange struct {
	Kind     compare.Kind  `json:"kind"`
	Type     string        `json:"type,omitempty"`
	Element  string        `json:"element,omitempty"`
	Issue    string        `json:"issue,omitempty"`
	Count    int           `json:"count"`
	Examples []diffExample `json:"examples"`
}

type diffExample struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Place    string `json:"place,omitempty"`
	Resource string `json:"resource,omitempty"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
}

func diffOf(rep *compare.Report) diffReport {
	r := diffReport{Records: rep.Records, Changed: rep.Changed, Untold: rep.Untold, Changes: []diffChange{}}
	for _, c := range rep.Changes {
		one := diffChange{Kind: c.Kind, Type: c.Type, Element: c.Element, Issue: c.Issue, Count: c.Count, Examples: []diffExample{}}
		for _, e := range c.Examples {
			one.Examples = append(one.Examples, diffExample(e))
		}
		r.Changes = append(r.Changes, one)
	}
	return r
}
