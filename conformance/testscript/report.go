package testscript

import (
	"net/http"
	"time"
)

// Result is how an action, a test or a script ended.
type Result string

// The results, from good to bad. They are the codes of http://hl7.org/fhir/report-action-result-codes.
const (
	Pass    Result = "pass"
	Skip    Result = "skip"
	Warning Result = "warning"
	Fail    Result = "fail"
	Error   Result = "error"
)

// OK reports whether nothing failed.
func (r Result) OK() bool { return r != Fail && r != Error }

func (r Result) weight() int {
	switch r {
	case Skip:
		return 1
	case Warning:
		return 2
	case Fail:
		return 3
	case Error:
		return 4
	}
	return 0
}

// worse returns the worse of two results.
func worse(a, b Result) Result {
	if b.weight() > a.weight() {
		return b
	}
	return a
}

// Report is what came of a suite.
type Report struct {
	Suite   string
	Servers []string // bases, in order of destination
	Started time.Time
	Ended   time.Time
	Scripts []ScriptReport
}

// OK reports whether no script failed.
func (r *Report) OK() bool {
	for i := range r.Scripts {
		if !r.Scripts[i].Result.OK() {
			return false
		}
	}
	return true
}

// ScriptReport is what came of one script.
type ScriptReport struct {
	File, ID, URL, Name, Title string
	Description                string
	Chinese                    Text // of title and description, where the script has them

	Result   Result
	Message  string // why it could not be run, or was skipped; "" otherwise
	Started  time.Time
	Duration time.Duration
	Notes    []string // what was not checked, and what autocreate and autodelete did
	Setup    []ActionReport
	Tests    []TestReport
	Teardown []ActionReport
}

// TestReport is what came of one test.
type TestReport struct {
	ID, Name, Description string
	Chinese               Text // of name and description, where the script has them

	Result   Result
	Duration time.Duration
	Actions  []ActionReport
}

// Text is what a script or test is called in another language; "" for what it does not say.
type Text struct{ Title, Description string }

// ActionReport is what came of one operation or assertion.
type ActionReport struct {
	Operation   bool // an operation, else an assertion
	Label       string
	Description string
	Result      Result
	// Message says what was done or found wrong. It holds nothing of what servers answered but status and header names;
	// Detail does.
	Message     string
	Detail      string
	WarningOnly bool
	Duration    time.Duration
	Line        int // of the action in the script
	Exchange    *Exchange
}

// Exchange is the request and response of an operation. Bodies are cut at MaxShownBody; headers that carry secrets say
// so instead.
type Exchange struct {
	Method         string
	URL            string
	RequestHeader  http.Header
	RequestBody    string
	Status         int // 0 if there was no response
	ResponseHeader http.Header
	ResponseBody   string
	Duration       time.Duration
}

// MaxShownBody is how many bytes of a body a report shows.
const MaxShownBody = 16 << 10

// counts is how many scripts ended how.
func (r *Report) counts() map[Result]int {
	out := map[Result]int{}
	for i := range r.Scripts {
		out[r.Scripts[i].Result]++
	}
	return out
}
