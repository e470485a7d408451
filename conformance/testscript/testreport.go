package testscript

import (
	"strconv"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Engine is how reports name what ran the scripts.
const Engine = "Yilian"

// Resource returns the report of one script as a FHIR TestReport, for the servers it ran against.
func (s *ScriptReport) Resource(servers []string) *fhir.Node {
	n := object("resourceType", "TestReport")
	put(n, "name", firstOf(s.Name, s.Title, s.File))
	n.SetString("status", "completed")
	script := fhir.NewObject()
	switch {
	case s.URL != "" && s.ID == "":
		put(script, "reference", s.URL)
	case s.ID != "":
		put(script, "reference", "TestScript/"+s.ID)
	}
	put(script, "display", firstOf(s.Title, s.Name, s.File))
	n.Set("testScript", script)
	result := "pass"
	if !s.Result.OK() {
		result = "fail"
	}
	n.SetString("result", result)
	n.Set("score", fhir.NewNumber(s.score()))
	n.SetString("tester", Engine)
	n.SetString("issued", s.Started.Format(time.RFC3339))
	participants := fhir.NewArray()
	for _, base := range servers {
		participants.Append(participant("server", base))
	}
	participants.Append(participant("test-engine", "https://yilian.dev/fhir/testscript").SetString("display", Engine))
	n.Set("participant", participants)
	if list := actionNodes(s.Setup, false); list.Len() > 0 {
		n.Set("setup", fhir.NewObject().Set("action", list))
	} else if len(s.Tests) == 0 && s.Message != "" { // say why nothing was run
		only := []ActionReport{{Result: s.Result, Message: s.Message}}
		n.Set("setup", fhir.NewObject().Set("action", actionNodes(only, false)))
	}
	tests := fhir.NewArray()
	for i := range s.Tests {
		t := &s.Tests[i]
		list := actionNodes(t.Actions, false)
		if list.Len() == 0 {
			continue
		}
		node := fhir.NewObject()
		put(node, "name", t.Name)
		put(node, "description", t.Description)
		tests.Append(node.Set("action", list))
	}
	if tests.Len() > 0 {
		n.Set("test", tests)
	}
	if list := actionNodes(s.Teardown, true); list.Len() > 0 {
		n.Set("teardown", fhir.NewObject().Set("action", list))
	}
	return n
}

// Bundle returns the reports of all scripts as a collection.
func (r *Report) Bundle() *fhir.Node {
	n := object("resourceType", "Bundle").SetString("type", "collection")
	n.SetString("timestamp", r.Ended.Format(time.RFC3339))
	entries := fhir.NewArray()
	for i := range r.Scripts {
		number := strconv.Itoa(i + 1)
		resource := r.Scripts[i].Resource(r.Servers)
		resource.Remove("resourceType")
		resource.Prepend("id", fhir.NewString(number))
		resource.Prepend("resourceType", fhir.NewString("TestReport"))
		entries.Append(fhir.NewObject().SetString("fullUrl", entryURL+number).Set("resource", resource))
	}
	if entries.Len() > 0 {
		n.Set("entry", entries)
	}
	return n
}

// entryURL begins the names of entries, which have no address: the reports are numbered.
const entryURL = "https://yilian.dev/fhir/testscript/TestReport/"

// score is how much of the tests passed, in percent with one digit.
func (s *ScriptReport) score() string {
	if len(s.Tests) == 0 {
		if s.Result.OK() {
			return "100.0"
		}
		return "0.0"
	}
	return strconv.FormatFloat(100*float64(s.passed())/float64(len(s.Tests)), 'f', 1, 64)
}

// passed is how many tests passed, or only warn.
func (s *ScriptReport) passed() int {
	passed := 0
	for i := range s.Tests {
		if r := s.Tests[i].Result; r == Pass || r == Warning {
			passed++
		}
	}
	return passed
}

func actionNodes(actions []ActionReport, operationsOnly bool) *fhir.Node {
	list := fhir.NewArray()
	for i := range actions {
		a := &actions[i]
		part := fhir.NewObject().SetString("result", string(a.Result))
		message := firstOf(a.Label, a.Description)
		if a.Message != "" {
			if message != "" {
				message += ": "
			}
			message += a.Message
		}
		put(part, "message", message)
		kind := "assert"
		if a.Operation || operationsOnly {
			kind = "operation"
		}
		list.Append(fhir.NewObject().Set(kind, part))
	}
	return list
}

func participant(kind, uri string) *fhir.Node { return object("type", kind).SetString("uri", uri) }

func object(name, value string) *fhir.Node { return fhir.NewObject().SetString(name, value) }

// put sets a string unless it is blank: FHIR has no empty strings.
func put(n *fhir.Node, name, value string) {
	if clean := printable(value); clean != "" {
		n.SetString(name, clean)
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
