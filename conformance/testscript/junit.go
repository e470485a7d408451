package testscript

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	Classname string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitProblem `xml:"failure"`
	Error     *junitProblem `xml:"error"`
	Skipped   *junitProblem `xml:"skipped"`
	Output    string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML: a testsuite for each script, a testcase for each test, and one for the
// setup, the teardown or the script as a whole where these have something to say. It holds nothing of what servers
// answered but status codes.
func (r *Report) WriteJUnit(w io.Writer) error {
	out := junitSuites{Name: printable(r.Suite), Time: seconds(r.Ended.Sub(r.Started))}
	for i := range r.Scripts {
		s := &r.Scripts[i]
		suite := junitSuite{Name: printable(firstOf(s.Name, s.Title, s.File)), Time: seconds(s.Duration),
			Timestamp: s.Started.UTC().Format("2006-01-02T15:04:05")}
		class := strings.TrimSuffix(strings.TrimSuffix(s.File, ".json"), ".xml")
		add := func(name string, result Result, took time.Duration, why string, actions []ActionReport) {
			c := junitCase{Name: printable(name), Classname: printable(class), Time: seconds(took)}
			problem := &junitProblem{Message: printable(why)}
			for j := range actions {
				a := &actions[j]
				if a.Result == Pass || a.Result == Skip {
					continue
				}
				line := fmt.Sprintf("%s:%d: %s: %s: %s", s.File, a.Line, a.Result, a.title(), a.Message)
				if a.Result == Warning {
					c.Output += printable(line) + "\n"
					continue
				}
				if problem.Message == "" {
					problem.Message = printable(a.title() + ": " + a.Message)
				}
				problem.Text += printable(line) + "\n"
			}
			suite.Tests++
			switch result {
			case Fail:
				suite.Failures++
				c.Failure = problem
			case Error:
				suite.Errors++
				c.Error = problem
			case Skip:
				suite.Skipped++
				if problem.Message == "" && len(actions) > 0 {
					problem.Message = printable(actions[0].Message)
				}
				c.Skipped = problem
			}
			suite.Cases = append(suite.Cases, c)
		}
		if s.Message != "" {
			add("script", s.Result, s.Duration, s.Message, nil)
		}
		if result := resultOf(s.Setup); result != Pass && result != Skip {
			add("setup", result, 0, "", s.Setup)
		}
		for j := range s.Tests {
			t := &s.Tests[j]
			add(t.Name, t.Result, t.Duration, "", t.Actions)
		}
		if result := resultOf(s.Teardown); result != Pass && result != Skip {
			add("teardown", result, 0, "", s.Teardown)
		}
		out.Tests += suite.Tests
		out.Failures += suite.Failures
		out.Errors += suite.Errors
		out.Skipped += suite.Skipped
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func resultOf(actions []ActionReport) Result {
	out := Pass
	for i := range actions {
		out = worse(out, actions[i].Result)
	}
	return out
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable drops what neither XML nor FHIR's strings can carry.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return r
		case unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF || r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}
