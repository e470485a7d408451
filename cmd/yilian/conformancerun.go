package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/validate"
)

type conformanceRunCommand struct {
	Server []string          `sep:"none" required:"" placeholder:"URL" help:"Base URL of the server, such as http://127.0.0.1:8080/fhir. Repeated for scripts with several destinations."`
	Suite  []string          `sep:"none" placeholder:"NAME|DIR" help:"server, feed or exchange, or a TestScript or a folder of them; may be repeated. All three if not given."`
	Token  []string          `sep:"none" env:"YILIAN_TOKEN" placeholder:"TOKEN" help:"Bearer token for the server; one for all, or one for each --server in their order."`
	Set    map[string]string `placeholder:"NAME=VALUE" help:"Value of a variable of the scripts, such as one that they ask a person for; may be repeated."`
	JUnit  string            `name:"junit" placeholder:"FILE" help:"Write the results as JUnit XML; - for standard output."`
	HTML   string            `name:"html" placeholder:"FILE" help:"Write the results as one HTML page, in English and Chinese, with requests and responses."`
	Report string            `placeholder:"FILE" help:"Write the results as a FHIR Bundle of TestReports."`
	Lang   string            `enum:"en,zh" default:"en" placeholder:"LANG" help:"Language of titles: en or zh."`
}

func (conformanceRunCommand) Help() string {
	return `Runs TestScripts against a FHIR server and tells how each ended. The suites that are built in:

server    what a member's FHIR server must do; writes resources of its own and deletes them again
feed      what a member's resources must look like; only reads
exchange  orders that become results, and referrals up and down; writes and deletes

A script ends as pass, warning (what should be but need not), skip (the server does not promise what the script is about), fail, or
error (it could not be run). Below one that did not pass stand the test, the assertion, and what was found. That may hold ids and
values of the server's resources, as does the HTML page; the JUnit file and the TestReports have messages only.

Exit code 1 when a script failed or erred, 2 when there is nothing to run or no server's URL.

With --json one object a line for each script as it ends: suite, file, id, title, result, message, milliseconds, tests, each with
name, result and findings: line (in the script), label, result, message, detail.`
}

// scriptResult is how a script ended, as "conformance run --json" prints it.
type scriptResult struct {
	Suite        string       `json:"suite"`
	File         string       `json:"file"`
	ID           string       `json:"id,omitempty"`
	Title        string       `json:"title,omitempty"`
	Result       string       `json:"result"`
	Message      string       `json:"message,omitempty"`
	Milliseconds int64        `json:"milliseconds"`
	Tests        []testResult `json:"tests"`
}

// testResult is how a test of a script ended; setup and teardown are tests here if they did not pass.
type testResult struct {
	Name     string         `json:"name"`
	Result   string         `json:"result"`
	Findings []failedAction `json:"findings,omitempty"`
}

// failedAction is an action that did not pass.
type failedAction struct {
	Line    int    `json:"line,omitempty"`
	Label   string `json:"label,omitempty"`
	Result  string `json:"result"`
	Message string `json:"message,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

func (c conformanceRunCommand) Run(ctx context.Context, out *output) error {
	servers, err := c.servers()
	if err != nil {
		return err
	}
	list, err := loadSuites(c.Suite)
	if err != nil {
		return err
	}
	all := &testscript.Suite{}
	var names, suiteOf []string // suiteOf has the suite of each script
	for _, s := range list {
		names = append(names, s.Name)
		all.Scripts = append(all.Scripts, s.Scripts...)
		for range s.Scripts {
			suiteOf = append(suiteOf, s.Name)
		}
	}
	all.Name = strings.Join(names, ", ")
	var broken error // output that cannot be written
	runner := testscript.Runner{
		Validator: validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()}),
		Variables: c.variables(),
		Progress: func(e testscript.Event) {
			if e.Ended != nil && broken == nil {
				broken = c.tell(out, e, suiteOf[e.Number-1])
			}
		},
	}
	report, err := runner.Run(ctx, all, servers)
	if err != nil {
		return usageError{err}
	}
	if broken != nil {
		return broken
	}
	if err := c.write(out, &report); err != nil {
		return err
	}
	if !out.json {
		fmt.Fprintln(out.err, summary(&report))
	}
	if !report.OK() {
		return errFindings
	}
	return nil
}

// variables are those of --set, and what keeps this run apart from others.
func (c conformanceRunCommand) variables() map[string]string {
	values := map[string]string{"run": "y" + strings.ToLower(rand.Text()[:9])}
	for name, value := range c.Set {
		values[name] = value
	}
	return values
}

func (c conformanceRunCommand) servers() ([]testscript.Server, error) {
	if len(c.Token) > 1 && len(c.Token) != len(c.Server) {
		return nil, usageError{errors.New("--token must be given once, or as often as --server")}
	}
	var servers []testscript.Server
	for i, base := range c.Server {
		s := testscript.Server{Base: base}
		if len(c.Token) > 0 {
			s.Header = http.Header{"Authorization": {"Bearer " + c.Token[min(i, len(c.Token)-1)]}}
		}
		servers = append(servers, s)
	}
	return servers, nil
}

// tell prints how a script ended.
func (c conformanceRunCommand) tell(out *output, e testscript.Event, suite string) error {
	s := e.Ended
	r := scriptResult{Suite: suite, File: s.File, ID: s.ID, Title: scriptTitle(c.Lang, s), Result: string(s.Result), Message: s.Message,
		Milliseconds: s.Duration.Milliseconds(), Tests: []testResult{}}
	if setup := failedActions(s.Setup); setup != nil {
		r.Tests = append(r.Tests, testResult{"setup", string(worst(s.Setup)), setup})
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		r.Tests = append(r.Tests, testResult{inLanguage(c.Lang, t.Name, t.Chinese.Title), string(t.Result), failedActions(t.Actions)})
	}
	if teardown := failedActions(s.Teardown); teardown != nil {
		r.Tests = append(r.Tests, testResult{"teardown", string(worst(s.Teardown)), teardown})
	}
	if out.json {
		return out.print(r)
	}
	return r.print(out.out, e)
}

func (r *scriptResult) print(w io.Writer, e testscript.Event) error {
	var b strings.Builder
	width := len(fmt.Sprint(e.Scripts))
	fmt.Fprintf(&b, "%*d/%d  %-7s  %s  %s\n", width, e.Number, e.Scripts, r.Result, r.File, r.Title)
	if r.Message != "" {
		fmt.Fprintf(&b, "    %s\n", r.Message)
	}
	for _, t := range r.Tests {
		for _, f := range t.Findings {
			fmt.Fprintf(&b, "    %s: %s: %s\n", f.Result, t.Name, f.text())
			for line := range strings.Lines(f.Detail) {
				fmt.Fprintf(&b, "        %s\n", strings.TrimRight(line, "\n"))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f failedAction) text() string {
	text := f.Message
	if f.Label != "" {
		text = f.Label + ": " + text
	}
	if f.Line > 0 {
		text += fmt.Sprintf(" (line %d)", f.Line)
	}
	return text
}

// failedActions are the actions that did not pass, without those that were skipped because of them.
func failedActions(actions []testscript.ActionReport) []failedAction {
	var list []failedAction
	for _, a := range actions {
		if a.Result == testscript.Pass || a.Result == testscript.Skip {
			continue
		}
		label := a.Label
		if label == "" {
			label = a.Description
		}
		list = append(list, failedAction{a.Line, label, string(a.Result), a.Message, a.Detail})
	}
	return list
}

func worst(actions []testscript.ActionReport) testscript.Result {
	result := testscript.Pass
	for _, a := range actions {
		switch {
		case a.Result == testscript.Error, a.Result == testscript.Fail && result != testscript.Error:
			result = a.Result
		case a.Result == testscript.Warning && result.OK():
			result = a.Result
		}
	}
	return result
}

// summary counts how scripts ended: "59 scripts: 50 pass, 2 fail, 7 skip".
func summary(r *testscript.Report) string {
	number := map[testscript.Result]int{}
	for i := range r.Scripts {
		number[r.Scripts[i].Result]++
	}
	var parts []string
	for _, result := range []testscript.Result{testscript.Pass, testscript.Warning, testscript.Fail, testscript.Error, testscript.Skip} {
		if n := number[result]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	return count(len(r.Scripts), "script") + ": " + strings.Join(parts, ", ")
}

// write makes the files that were asked for.
func (c conformanceRunCommand) write(out *output, r *testscript.Report) error {
	for _, f := range []struct {
		name string
		to   func(io.Writer) error
	}{
		{c.JUnit, r.WriteJUnit},
		{c.HTML, func(w io.Writer) error { return r.WriteHTML(w, c.Lang) }},
		{c.Report, func(w io.Writer) error {
			_, err := w.Write(append(r.Bundle().AppendJSON(nil), '\n'))
			return err
		}},
	} {
		var err error
		switch f.name {
		case "":
		case "-":
			err = f.to(out.out)
		default:
			err = writeFile(f.name, f.to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
