package testscript

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/validate"
)

// Server is a system under test. The first of Run is destination 1.
type Server struct {
	Base   string      // absolute URL, http or https
	Header http.Header // sent with every request, such as Authorization; never shown in results
	TLS    *tls.Config // nil for the system's
}

// Validator judges whether a resource is valid. One that also has Conforms is asked for profiles beyond base R4.
type Validator interface {
	Resource(n *fhir.Node) []fhir.Issue
}

// profiler judges a resource against one profile.
type profiler interface {
	Conforms(n *fhir.Node, profile string) []fhir.Issue
}

// Limits bound the run of one script. A zero field means its default.
type Limits struct {
	Script     time.Duration // setup and tests
	Teardown   time.Duration // teardown and autodelete, in addition
	Request    time.Duration // one request with its response
	BodyBytes  int64         // of one response
	KeptBytes  int64         // of all requests and responses kept by id
	Operations int           // requests of a script, its teardown included
	Actions    int           // operations and assertions of a script
}

// Defaults of Limits.
const (
	DefaultScriptTime   = 2 * time.Minute
	DefaultTeardownTime = 30 * time.Second
	DefaultRequestTime  = 30 * time.Second
	DefaultBodyBytes    = 8 << 20
	DefaultKeptBytes    = 64 << 20
	DefaultOperations   = 1000
	DefaultActions      = 10_000
)

func (l Limits) withDefaults() Limits {
	orDefault(&l.Script, DefaultScriptTime)
	orDefault(&l.Teardown, DefaultTeardownTime)
	orDefault(&l.Request, DefaultRequestTime)
	orDefault(&l.BodyBytes, DefaultBodyBytes)
	orDefault(&l.KeptBytes, DefaultKeptBytes)
	orDefault(&l.Operations, DefaultOperations)
	orDefault(&l.Actions, DefaultActions)
	return l
}

func orDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Runner runs suites. Its fields are not changed by a run; one Runner may run several suites at once.
type Runner struct {
	// Validator is asked by validateProfileId; nil means base R4.
	Validator Validator
	// Membership and Conformance answer memberOf() and conformsTo() in expressions. Without a Conformance the Validator is
	// asked, if it is one that was handed in and has Conforms.
	Membership  fhirpath.Membership
	Conformance fhirpath.Conformance
	// Variables are values for the scripts' variables, in place of what they say themselves.
	Variables map[string]string
	Limits    Limits
	// Progress is told of every action as it ends, and of every script. It is called by the goroutine of Run.
	Progress func(Event)
	// Now is the clock of the report; nil means the system's.
	Now func() time.Time
}

// Event is a step of a run.
type Event struct {
	Script   string // file
	Number   int    // of the script in the suite, from 1
	Scripts  int    // in the suite
	Phase    string // "setup", "test", "teardown"; "" when the script has ended
	Test     string // name of the test
	Action   string // label of the action
	Result   Result // of the action, or of the script
	Duration time.Duration
	Ended    *ScriptReport // when the script has ended
}

var (
	definitionsOf = sync.OnceValue(definitions.R4)
	model         = sync.OnceValue(func() *fhirpath.Model { return fhirpath.NewModel(definitionsOf()) })
	baseValidator = sync.OnceValue(func() Validator { return validate.New(definitionsOf(), validate.Options{}) })
)

// Run runs every script of the suite, one after the other. The error says that nothing could be run: no servers, or a base
// that is no URL. When the context ends, the report tells what had been run until then.
func (r *Runner) Run(ctx context.Context, suite *Suite, servers []Server) (Report, error) {
	if len(servers) == 0 {
		return Report{}, errors.New("run suite: no server")
	}
	run := Runner{Validator: r.Validator, Membership: r.Membership, Conformance: r.Conformance, Variables: r.Variables,
		Limits: r.Limits.withDefaults(), Progress: r.Progress, Now: r.Now}
	if run.Validator == nil {
		run.Validator = baseValidator()
	}
	if run.Now == nil {
		run.Now = time.Now
	}
	if run.Progress == nil {
		run.Progress = func(Event) {}
	}
	report := Report{Suite: suite.Name, Started: run.Now()}
	var clients []*client
	for i, s := range servers {
		c, err := newClient(s)
		if err != nil {
			return Report{}, fmt.Errorf("run suite: server %d: %w", i+1, err)
		}
		defer c.http.CloseIdleConnections()
		clients = append(clients, c)
		report.Servers = append(report.Servers, c.base.String())
	}
	for i, s := range suite.Scripts {
		x := &execution{runner: &run, script: s, clients: clients, number: i + 1, scripts: len(suite.Scripts)}
		result := x.run(ctx)
		report.Scripts = append(report.Scripts, result)
		run.Progress(Event{Script: s.File, Number: x.number, Scripts: x.scripts, Result: result.Result, Duration: result.Duration,
			Ended: &report.Scripts[i]})
	}
	report.Ended = run.Now()
	return report, nil
}
