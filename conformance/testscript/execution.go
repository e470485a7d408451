package testscript

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// execution is one run of one script.
type execution struct {
	runner  *Runner
	script  *Script
	clients []*client
	number  int
	scripts int

	messages     map[string]*message // fixtures, and what requestId and responseId keep
	assigned     map[string]assigned // where fixtures stand
	created      []assigned          // by autocreate, to be deleted
	lastRequest  *message
	lastResponse *message
	operations   int
	actions      int
	kept         int64
	report       ScriptReport
	phase        string
	test         string
	ctx          context.Context  // of the action that is running
	values       map[string]known // of variables, during it
	expanded     int              // bytes of texts with variables, during it
	reasons      *reasons         // of what conformsTo answered, during it; nil if it cannot be asked
	begun        bool             // the setup, so that there may be something to take away
}

func (x *execution) run(ctx context.Context) ScriptReport {
	s := x.script
	start := time.Now()
	x.report = ScriptReport{File: s.File, ID: s.ID, URL: s.URL, Name: s.Name, Title: s.Title,
		Description: s.Description, Chinese: s.Chinese, Result: Pass, Started: x.runner.Now()}
	if s.err != nil {
		x.report.Result, x.report.Message = Error, s.err.Error()
		return x.report
	}
	x.messages, x.assigned = map[string]*message{}, map[string]assigned{}
	for i := range s.fixtures {
		f := &s.fixtures[i]
		m := &message{header: http.Header{}, body: f.raw, node: f.node, read: f.node != nil || f.err != nil}
		if f.err != nil {
			m.err = fmt.Errorf("fixture %s is not there: %w", f.id, f.err)
		}
		x.messages[f.id] = m
	}
	limited, cancel := context.WithTimeout(ctx, x.runner.Limits.Script)
	x.beforeTeardown(limited)
	if limited.Err() != nil && ctx.Err() == nil {
		x.report.Message = fmt.Sprintf("the script took longer than %v", x.runner.Limits.Script)
		x.report.Result = Error
	}
	cancel()
	// What the script made is taken away even when the run has been ended.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), x.runner.Limits.Teardown)
	x.teardown(last)
	cancel()
	x.report.Duration = time.Since(start)
	return x.report
}

// beforeTeardown checks capabilities, creates fixtures, and runs setup and tests.
func (x *execution) beforeTeardown(ctx context.Context) {
	x.phase = "setup"
	if reason, result := x.capable(ctx); reason != "" {
		x.report.Message = reason
		x.report.Result = worse(x.report.Result, result)
		x.skipAll("skipped: " + reason)
		return
	}
	if err := x.autocreate(ctx); err != nil {
		x.report.Message = err.Error()
		x.report.Result = Error
		x.skipAll("skipped: a fixture could not be created")
		return
	}
	x.begun = true
	var result Result
	x.report.Setup, result = x.series(ctx, x.script.setup)
	x.report.Result = worse(x.report.Result, result)
	if !result.OK() {
		for _, t := range x.script.tests {
			x.report.Tests = append(x.report.Tests, x.skipped(t, "skipped: the setup did not pass"))
		}
		return
	}
	x.phase = "test"
	for _, t := range x.script.tests {
		x.test = t.title()
		start := time.Now()
		done, result := x.series(ctx, t.actions)
		if len(t.actions) == 0 {
			result = Error
			done = []ActionReport{{Result: Error, Message: "the test has no actions"}}
		}
		x.report.Tests = append(x.report.Tests, TestReport{ID: t.id, Name: t.title(), Description: t.description, Chinese: t.chinese,
			Result: result, Duration: time.Since(start), Actions: done})
		x.report.Result = worse(x.report.Result, result)
	}
	x.test = ""
}

func (x *execution) skipAll(why string) {
	x.report.Setup = skippedActions(x.script.setup, why)
	for _, t := range x.script.tests {
		x.report.Tests = append(x.report.Tests, x.skipped(t, why))
	}
}

func (x *execution) skipped(t test, why string) TestReport {
	return TestReport{ID: t.id, Name: t.title(), Description: t.description, Chinese: t.chinese, Result: Skip,
		Actions: skippedActions(t.actions, why)}
}

func skippedActions(actions []action, why string) []ActionReport {
	var out []ActionReport
	for _, a := range actions {
		r := a.report()
		r.Result, r.Message = Skip, why
		out = append(out, r)
	}
	return out
}

func (a action) report() ActionReport {
	if o := a.operation; o != nil {
		label := o.label
		if label == "" {
			label = o.kind
		}
		return ActionReport{Operation: true, Label: label, Description: o.description, Line: o.line}
	}
	s := a.assertion
	return ActionReport{Label: s.label, Description: s.description, WarningOnly: s.warningOnly, Line: s.line}
}

// series runs actions until one fails; what follows it is skipped.
func (x *execution) series(ctx context.Context, actions []action) ([]ActionReport, Result) {
	result := Pass
	var out []ActionReport
	for i, a := range actions {
		r := x.act(ctx, a)
		out = append(out, r)
		result = worse(result, r.Result)
		if !r.Result.OK() {
			return append(out, skippedActions(actions[i+1:], "skipped: an action before it did not pass")...), result
		}
	}
	return out, result
}

// act runs one action.
func (x *execution) act(ctx context.Context, a action) ActionReport {
	r := a.report()
	start := time.Now()
	x.actions++
	x.begin(ctx)
	switch {
	case x.actions > x.runner.Limits.Actions:
		r.Result, r.Message = Error, fmt.Sprintf("the script has more than %d actions", x.runner.Limits.Actions)
	case ctx.Err() != nil:
		r.Result, r.Message = Error, errNoTime.Error()
	case a.operation != nil:
		x.operate(ctx, a.operation, &r)
	default:
		x.judge(a.assertion, &r)
	}
	r.Duration = time.Since(start)
	x.runner.Progress(Event{Script: x.script.File, Number: x.number, Scripts: x.scripts, Phase: x.phase, Test: x.test,
		Action: r.title(), Result: r.Result, Duration: r.Duration})
	return r
}

// title is how an action is named in lists.
func (r *ActionReport) title() string {
	switch {
	case r.Label != "":
		return r.Label
	case r.Description != "":
		return r.Description
	case r.Operation:
		return "operation"
	}
	return "assertion"
}

// operate makes the request of an operation. Whatever the server answers, the operation has passed: judging is what
// assertions are for.
func (x *execution) operate(ctx context.Context, o *operation, r *ActionReport) {
	request, c, err := x.prepare(o)
	if err != nil {
		r.Result, r.Message = Error, err.Error()
		return
	}
	r.Message = request.method + " " + request.url
	response, err := x.exchange(ctx, c, request, r)
	if err != nil {
		r.Result, r.Message = Error, r.Message+": "+err.Error()
		return
	}
	r.Result = Pass
	r.Message += ": " + strconv.Itoa(response.status)
	if err := x.keep(o, request, response); err != nil {
		r.Result, r.Message = Error, err.Error()
		return
	}
	x.note(o, c, response)
}

// exchange sends a request within the limits of the script, and makes it the last one.
func (x *execution) exchange(ctx context.Context, c *client, request *message, r *ActionReport) (*message, error) {
	if x.operations++; x.operations > x.runner.Limits.Operations {
		return nil, fmt.Errorf("the script makes more than %d requests", x.runner.Limits.Operations)
	}
	start := time.Now()
	response, err := c.send(ctx, request, x.runner.Limits)
	if r != nil {
		r.Exchange = exchange(request, response, time.Since(start))
	}
	if err != nil {
		x.lastRequest, x.lastResponse = request, nil
		return nil, err
	}
	x.lastRequest, x.lastResponse = request, response
	return response, nil
}

// keep files request and response under the ids the operation gives them.
func (x *execution) keep(o *operation, request, response *message) error {
	for id, m := range map[string]*message{o.requestID: request, o.responseID: response} {
		if id == "" {
			continue
		}
		if old := x.messages[id]; old != nil && old.url != "" {
			x.kept -= int64(len(old.body))
		}
		if x.kept += int64(len(m.body)); x.kept > x.runner.Limits.KeptBytes {
			return fmt.Errorf("the script keeps more than %d bytes", x.runner.Limits.KeptBytes)
		}
		delete(x.assigned, id)
		x.messages[id] = m
	}
	return nil
}

// note remembers where the server put a fixture.
func (x *execution) note(o *operation, c *client, response *message) {
	if o.sourceID == "" || response.status != http.StatusCreated && response.status != http.StatusOK {
		return
	}
	if o.kind != "create" && o.kind != "update" && o.kind != "updateCreate" {
		return
	}
	at := placeOf(response)
	if at.id == "" && o.kind != "create" { // an answer without a body, to a URL that says it all
		at = locate(response.url)
	}
	if at.id != "" {
		at.client = c
		x.assigned[o.sourceID] = at
	}
}

// placeOf reads where a server put something: Location, or the resource it returned.
func placeOf(response *message) assigned {
	at := locate(response.header.Get("Location"))
	if at.id == "" {
		at = locate(response.header.Get("Content-Location"))
	}
	n, err := response.resource()
	if err == nil && n.ResourceType() != "OperationOutcome" && at.id == "" {
		at = assigned{kind: n.ResourceType(), id: n.ID(), version: n.Path("meta", "versionId").Text()}
	}
	return at
}

// message returns a fixture, request or response by its id.
func (x *execution) message(id string) (*message, error) {
	m, ok := x.messages[id]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no fixture, request or response %s", id)
	case m.err != nil && m.url == "" && m.body == nil:
		return nil, m.err
	}
	return m, nil
}

// tested are the servers the script has destinations for; the first, if it names none.
func (x *execution) tested() []*client {
	var out []*client
	for _, d := range x.script.destinations {
		if c, err := x.destination(d); err == nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return x.clients[:1]
	}
	return out
}

// autocreate creates fixtures on every server under test.
func (x *execution) autocreate(ctx context.Context) error {
	for i := range x.script.fixtures {
		f := &x.script.fixtures[i]
		if !f.autocreate {
			continue
		}
		if f.err != nil {
			return fmt.Errorf("fixture %s is not there: %w", f.id, f.err)
		}
		if f.node == nil {
			return fmt.Errorf("fixture %s is no resource, so it cannot be created", f.id)
		}
		for j, c := range x.tested() {
			if err := x.createFixture(ctx, c, f, j == 0); err != nil {
				return fmt.Errorf("fixture %s could not be created: %w", f.id, err)
			}
		}
	}
	return nil
}

func (x *execution) createFixture(ctx context.Context, c *client, f *fixture, first bool) error {
	x.begin(ctx)
	n := f.node.Clone()
	if err := x.expandNode(n); err != nil {
		return err
	}
	body, err := encode(n, typeJSON)
	if err != nil {
		return err
	}
	request := &message{method: http.MethodPost, url: c.base.String() + "/" + n.ResourceType(), body: body,
		header: http.Header{"Content-Type": {typeJSON}, "Accept": {typeJSON}}}
	response, err := x.exchange(ctx, c, request, nil)
	x.lastRequest, x.lastResponse = nil, nil // the script has not asked for it
	if err != nil {
		return err
	}
	at := placeOf(response)
	if response.status != http.StatusCreated || at.id == "" {
		return fmt.Errorf("the server answered %d", response.status)
	}
	at.client = c
	if first {
		x.assigned[f.id] = at
	}
	if f.autodelete {
		x.created = append(x.created, at)
	}
	x.report.Notes = append(x.report.Notes, "created "+at.kind+"/"+at.id+" from fixture "+f.id)
	return nil
}

// teardown runs every action, whatever came of the setup and the tests, and takes away what autocreate made. Where the
// setup has not even begun, what the script would delete is not its own.
func (x *execution) teardown(ctx context.Context) {
	x.phase, x.test = "teardown", ""
	if !x.begun {
		x.report.Teardown = skippedActions(x.script.teardown, "skipped: the setup has not begun")
	}
	for _, a := range x.script.teardown {
		if !x.begun {
			break
		}
		r := x.act(ctx, a)
		x.report.Teardown = append(x.report.Teardown, r)
		x.report.Result = worse(x.report.Result, r.Result)
	}
	for i := range x.script.fixtures {
		f := &x.script.fixtures[i]
		if at, ok := x.assigned[f.id]; ok && f.autodelete && !f.autocreate {
			x.created = append(x.created, at)
		}
	}
	for _, at := range slices.Backward(x.created) {
		if err := x.remove(ctx, at); err != nil {
			x.report.Notes = append(x.report.Notes, at.kind+"/"+at.id+" could not be deleted: "+err.Error())
			x.report.Result = worse(x.report.Result, Warning)
		} else {
			x.report.Notes = append(x.report.Notes, "deleted "+at.kind+"/"+at.id)
		}
	}
}

func (x *execution) remove(ctx context.Context, at assigned) error {
	if at.client == nil {
		return errors.New("its server is not known")
	}
	request := &message{method: http.MethodDelete, header: http.Header{"Accept": {typeJSON}}}
	c, target, err := x.placed(encodeURL(at.client.base.String()+"/"+at.kind+"/"+at.id), at.client)
	if err != nil {
		return err
	}
	request.url = target
	response, err := x.exchange(ctx, c, request, nil)
	if err != nil {
		return err
	}
	switch response.status {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent, http.StatusNotFound, http.StatusGone:
		return nil
	}
	return fmt.Errorf("the server answered %d", response.status)
}
