package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
	"github.com/yilian/yilian/mapping/survey"
)

type mapCoverageCommand struct {
	Dir    string   `arg:"" help:"Folder of the institution." placeholder:"DIR"`
	Source string   `help:"Source of institution.yaml that the files come from; default: found by their content and names." placeholder:"NAME"`
	Top    int      `default:"20" help:"Lines of each list; 0 shows all."`
	Files  []string `arg:"" name:"file" help:"Records as the institution sends them. The files of a folder are one delivery, a file alone is another."`
}

func (mapCoverageCommand) Help() string {
	return `Maps many records, stores nothing, and sums up what to mend first: elements that a rule makes and never filled; codes that no table
translates, how often, and what they may mean; the rules at which findings gather; fields that no rule reads. It shows codes of the
records and the texts printed beside them.

Exit code 1 when a record cannot be read or is refused by its map.

With --json one object: records, rejected, unreadable, values, read; unused (maps without a record); never, unmapped, failing and
unread, each a list; dropped, kinds of things beyond what is counted one by one.`
}

func (c mapCoverageCommand) Run(ctx context.Context, out *output) error {
	inst, err := loadInstitution(c.Dir)
	if err != nil {
		return folderError(out, c.Dir, err)
	}
	if _, ok := inst.Source(c.Source); !ok && c.Source != "" {
		return unknownSource(inst, c.Source)
	}
	var total mapping.Coverage
	unreadable := map[string]int{}
	for d, err := range corpus(out, c.Files) {
		if err != nil {
			return err
		}
		if err := c.delivery(ctx, inst, d, &total, unreadable); err != nil {
			return err
		}
	}
	s := survey.Of(inst, &total, unreadable)
	if out.json {
		err = out.print(surveyOf(c.Dir, s))
	} else {
		err = c.tell(out, s)
	}
	if err == nil && s.Rejected+s.Unreadable > 0 {
		err = errFindings
	}
	return err
}

func (c mapCoverageCommand) delivery(ctx context.Context, inst *mapping.Institution, d delivery, total *mapping.Coverage, unreadable map[string]int) error {
	for cut, err := range inst.Open(c.Source, d.files, mapping.IntakeLimits{}).Records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if cut.Record == nil {
			unreadable[cut.Err.Code]++
			continue
		}
		got, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte(maptest.Salt), Received: maptest.Received, Coverage: true})
		if err != nil {
			return err
		}
		survey.Add(total, got)
	}
	return nil
}

func (c mapCoverageCommand) tell(out *output, s *survey.Survey) error {
	fmt.Fprintf(out.out, "%s, %d refused, %d unreadable; %d of %d values read\n", count(s.Records, "record"), s.Rejected, s.Unreadable, s.Read, s.Values)
	if len(s.Unused) > 0 {
		fmt.Fprintf(out.out, "maps without a record: %s\n", strings.Join(s.Unused, ", "))
	}
	c.list(out, "elements never filled", len(s.Never), func(w *tabwriter.Writer, i int) {
		e := s.Never[i]
		how := fmt.Sprintf("%d times tried", e.Tried)
		if e.Off > 0 {
			how += fmt.Sprintf(", %d times not meant", e.Off)
		}
		if e.Mandatory {
			how += ", mandatory"
		}
		fmt.Fprintf(w, "  %s:%d\t%s\t%s\t%s\n", inFolder(c.Dir, e.File), e.Line, e.Element, how, strings.Join(e.Fields, ", "))
	})
	c.list(out, "codes without a translation", len(s.Unmapped), func(w *tabwriter.Writer, i int) {
		u := s.Unmapped[i]
		fmt.Fprintf(w, "  %s\t%s %s\t%d\t%s\n", u.Table, u.Code, u.Text, u.Count, nearestOf(u.Candidates))
	})
	c.list(out, "findings", len(s.Failing), func(w *tabwriter.Writer, i int) {
		f := s.Failing[i]
		place := strings.TrimSpace(strings.Join([]string{f.Map, f.Rule, f.Element}, " "))
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%d\n", f.Severity, f.ID, place, f.Field, f.Count)
	})
	c.list(out, "fields that no rule reads", len(s.Unread), func(w *tabwriter.Writer, i int) {
		fmt.Fprintf(w, "  %s\t%d\n", s.Unread[i].Name, s.Unread[i].Count)
	})
	if s.Dropped > 0 {
		fmt.Fprintf(out.err, "%d more that were not told apart\n", s.Dropped)
	}
	return nil
}

// list prints one list, its first lines.
func (c mapCoverageCommand) list(out *output, title string, n int, line func(w *tabwriter.Writer, i int)) {
	if n == 0 {
		return
	}
	fmt.Fprintf(out.out, "%s: %d\n", title, n)
	shown := n
	if c.Top > 0 {
		shown = min(n, c.Top)
	}
	table := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for i := range shown {
		line(table, i)
	}
	table.Flush()
	if shown < n {
		fmt.Fprintf(out.out, "  … %d more\n", n-shown)
	}
}

func nearestOf(list []survey.Candidate) string {
	var out []string
	for _, c := range list {
		one := c.Code + " " + c.Display
		if c.Target.Code != "" {
			one += " → " + c.Target.Code
		}
		out = append(out, strings.TrimSpace(one))
	}
	if len(out) == 0 {
		return ""
	}
	return "near: " + strings.Join(out, "; ")
}

type surveyReport struct {
	Records    int            `json:"records"`
	Rejected   int            `json:"rejected"`
	Unreadable int            `json:"unreadable"`
	Values     int            `json:"values"`
	Read       int            `json:"read"`
	Unused     []string       `json:"unused"`
	Never      []neverFilled  `json:"never"`
	Unmapped   []unmappedCode `json:"unmapped"`
	Failing    []failingRule  `json:"failing"`
	Unread     []unreadField  `json:"unread"`
	Dropped    int            `json:"dropped"`
}

type neverFilled struct {
	Map       string   `json:"map"`
	Rule      string   `json:"rule"`
	Element   string   `json:"element"`
	Fields    []string `json:"fields"`
	Tried     int      `json:"tried"`
	Off       int      `json:"off"`
	Mandatory bool     `json:"mandatory"`
	File      string   `json:"file"`
	Line      int      `json:"line"`
}

type unmappedCode struct {
	Table      string          `json:"table"`
	Code       string          `json:"code"`
	Text       string          `json:"text,omitempty"`
	Count      int             `json:"count"`
	Candidates []nearCandidate `json:"candidates"`
}

type nearCandidate struct {
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
	System  string `json:"system,omitempty"`
	Target  string `json:"target,omitempty"`
	From    string `json:"from"`
}

type failingRule struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Map      string `json:"map,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Element  string `json:"element,omitempty"`
	Field    string `json:"field,omitempty"`
	Count    int    `json:"count"`
}

type unreadField struct {
	Field string `json:"field"`
	Count int    `json:"count"`
}

func surveyOf(dir string, s *survey.Survey) surveyReport {
	r := surveyReport{Records: s.Records, Rejected: s.Rejected, Unreadable: s.Unreadable, Values: s.Values, Read: s.Read, Dropped: s.Dropped,
		Unused: orEmpty(s.Unused), Never: []neverFilled{}, Unmapped: []unmappedCode{}, Failing: []failingRule{}, Unread: []unreadField{}}
	for _, e := range s.Never {
		r.Never = append(r.Never, neverFilled{Map: e.Map, Rule: e.Rule, Element: e.Element, Fields: orEmpty(e.Fields), Tried: e.Tried, Off: e.Off,
			Mandatory: e.Mandatory, File: inFolder(dir, e.File), Line: e.Line})
	}
	for _, u := range s.Unmapped {
		one := unmappedCode{Table: u.Table, Code: u.Code, Text: u.Text, Count: u.Count, Candidates: []nearCandidate{}}
		for _, c := range u.Candidates {
			one.Candidates = append(one.Candidates, nearCandidate{Code: c.Code, Display: c.Display, System: c.Target.System, Target: c.Target.Code, From: c.From})
		}
		r.Unmapped = append(r.Unmapped, one)
	}
	for _, f := range s.Failing {
		r.Failing = append(r.Failing, failingRule{ID: f.ID, Severity: string(f.Severity), Map: f.Map, Rule: f.Rule, Element: f.Element, Field: f.Field, Count: f.Count})
	}
	for _, f := range s.Unread {
		r.Unread = append(r.Unread, unreadField{Field: f.Name, Count: f.Count})
	}
	return r
}
