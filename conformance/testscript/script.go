package testscript

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Script is one TestScript, read.
type Script struct {
	File  string // its path in the suite's file system
	ID    string
	URL   string
	Name  string
	Title string

	Description string
	Chinese     Text // of title and description, where the script has them

	origins      []int
	destinations []int
	capabilities []capability
	fixtures     []fixture
	profiles     map[string]string // id → canonical
	variables    []variable
	setup        []action
	tests        []test
	teardown     []action
	node         *fhir.Node

	err error // why it cannot be run, nil if it can
}

// Err says why the file is no script that can be run, nil if it is one.
func (s *Script) Err() error { return s.err }

// Tests returns the names of the script's tests.
func (s *Script) Tests() []string {
	names := make([]string, len(s.tests))
	for i, t := range s.tests {
		names[i] = t.title()
	}
	return names
}

// fixture is a resource the script brings along.
type fixture struct {
	id         string
	reference  string
	autocreate bool
	autodelete bool

	raw  []byte
	node *fhir.Node // nil if it is no resource, as a JSON Patch
	xml  bool
	err  error
}

type variable struct {
	name         string
	defaultValue string
	hasDefault   bool
	expression   string
	headerField  string
	path         string
	sourceID     string
}

type capability struct {
	required    bool
	validated   bool
	destination int
	canonical   string
	node        *fhir.Node // nil if it is not at hand
}

type test struct {
	id, name, description string
	chinese               Text
	actions               []action
}

func (t test) title() string {
	if t.name != "" {
		return t.name
	}
	return t.id
}

// action is an operation or an assertion.
type action struct {
	operation *operation
	assertion *assertion
}

type operation struct {
	kind         string // code of type
	resource     string
	label        string
	description  string
	accept       string
	contentType  string
	destination  int
	origin       int
	encodeURL    bool
	method       string
	params       string
	hasParams    bool
	headers      []header
	requestID    string
	responseID   string
	sourceID     string
	targetID     string
	url          string
	line, column int
}

type header struct{ field, value string }

type assertion struct {
	label                     string
	description               string
	direction                 string
	compareToSourceID         string
	compareToSourceExpression string
	compareToSourcePath       string
	contentType               string
	expression                string
	headerField               string
	minimumID                 string
	navigationLinks           string // "", "true" or "false"
	operator                  string
	path                      string
	requestMethod             string
	requestURL                string
	resource                  string
	response                  string
	responseCode              string
	sourceID                  string
	validateProfileID         string
	value                     string
	hasValue                  bool
	warningOnly               bool
	line, column              int
}

// readScript takes a script out of its resource. What makes no sense is kept as the script's error, so that it is
// reported and does not stop the suite.
func readScript(file string, n *fhir.Node) *Script {
	s := &Script{File: file, node: n, profiles: map[string]string{}}
	s.ID, s.URL, s.Name, s.Title = n.ID(), text(n, "url"), text(n, "name"), text(n, "title")
	s.Description = text(n, "description")
	s.Chinese = Text{translated(n, "title"), translated(n, "description")}
	s.origins = indexes(n.Get("origin"))
	s.destinations = indexes(n.Get("destination"))
	for _, c := range n.Path("metadata", "capability").Items() {
		s.capabilities = append(s.capabilities, capability{required: flag(c, "required"), validated: flag(c, "validated"),
			destination: number(c.Get("destination")), canonical: text(c, "capabilities")})
	}
	for _, f := range n.Get("fixture").Items() {
		s.fixtures = append(s.fixtures, fixture{id: text(f, "id"), reference: f.Path("resource", "reference").Text(),
			autocreate: flag(f, "autocreate"), autodelete: flag(f, "autodelete")})
	}
	for _, p := range n.Get("profile").Items() {
		s.profiles[text(p, "id")] = text(p, "reference")
	}
	for _, v := range n.Get("variable").Items() {
		s.variables = append(s.variables, variable{name: text(v, "name"), defaultValue: text(v, "defaultValue"),
			hasDefault: v.Get("defaultValue") != nil, expression: text(v, "expression"), headerField: text(v, "headerField"),
			path: text(v, "path"), sourceID: text(v, "sourceId")})
	}
	s.setup = s.actions("setup", n.Path("setup", "action"))
	for i, t := range n.Get("test").Items() {
		name := text(t, "name")
		if name == "" && text(t, "id") == "" {
			name = "test " + strconv.Itoa(i+1)
		}
		s.tests = append(s.tests, test{id: text(t, "id"), name: name, description: text(t, "description"),
			chinese: Text{translated(t, "name"), translated(t, "description")},
			actions: s.actions("test "+strconv.Itoa(i+1), t.Get("action"))})
	}
	s.teardown = s.actions("teardown", n.Path("teardown", "action"))
	if s.err == nil {
		s.err = s.check()
	}
	return s
}

// check looks for what would make a run meaningless.
func (s *Script) check() error {
	if s.node.ResourceType() != "TestScript" {
		return fmt.Errorf("the resource is a %q, not a TestScript", s.node.ResourceType())
	}
	if len(s.tests) == 0 && len(s.setup) == 0 {
		return fmt.Errorf("there is nothing to run: no setup and no tests")
	}
	known := map[string]bool{}
	for _, f := range s.fixtures {
		if f.id != "" && known[f.id] {
			return fmt.Errorf("fixture %q is there twice", f.id)
		}
		known[f.id] = true
	}
	known = map[string]bool{}
	for _, v := range s.variables {
		switch {
		case v.name == "":
			return fmt.Errorf("a variable has no name")
		case known[v.name]:
			return fmt.Errorf("variable %q is there twice", v.name)
		}
		known[v.name] = true
		kinds := 0
		for _, k := range []string{v.expression, v.headerField, v.path} {
			if k != "" {
				kinds++
			}
		}
		if kinds > 1 {
			return fmt.Errorf("variable %q has more than one of expression, headerField and path", v.name)
		}
	}
	for _, a := range s.teardown {
		if a.assertion != nil {
			return fmt.Errorf("teardown has an assertion; it may have operations only")
		}
	}
	return nil
}

func (s *Script) actions(where string, list *fhir.Node) []action {
	var out []action
	for i, n := range list.Items() {
		op, as := n.Get("operation"), n.Get("assert")
		switch {
		case op != nil && as == nil:
			out = append(out, action{operation: readOperation(op)})
		case as != nil && op == nil:
			out = append(out, action{assertion: readAssertion(as)})
		case s.err == nil:
			s.err = fmt.Errorf("%s: action %d must have either an operation or an assertion", where, i+1)
		}
	}
	return out
}

func readOperation(n *fhir.Node) *operation {
	o := &operation{
		kind: n.Path("type", "code").Text(), resource: text(n, "resource"), label: text(n, "label"),
		description: text(n, "description"), accept: text(n, "accept"), contentType: text(n, "contentType"),
		destination: number(n.Get("destination")), origin: number(n.Get("origin")),
		encodeURL: n.Get("encodeRequestUrl").Text() != "false", method: text(n, "method"), params: text(n, "params"),
		hasParams: n.Get("params") != nil, requestID: text(n, "requestId"), responseID: text(n, "responseId"),
		sourceID: text(n, "sourceId"), targetID: text(n, "targetId"), url: text(n, "url"),
	}
	for _, h := range n.Get("requestHeader").Items() {
		o.headers = append(o.headers, header{text(h, "field"), text(h, "value")})
	}
	o.line, o.column = n.Position()
	return o
}

func readAssertion(n *fhir.Node) *assertion {
	a := &assertion{
		label: text(n, "label"), description: text(n, "description"), direction: text(n, "direction"),
		compareToSourceID:         text(n, "compareToSourceId"),
		compareToSourceExpression: text(n, "compareToSourceExpression"),
		compareToSourcePath:       text(n, "compareToSourcePath"),
		contentType:               text(n, "contentType"), expression: text(n, "expression"), headerField: text(n, "headerField"),
		minimumID: text(n, "minimumId"), navigationLinks: text(n, "navigationLinks"), operator: text(n, "operator"),
		path: text(n, "path"), requestMethod: text(n, "requestMethod"), requestURL: text(n, "requestURL"),
		resource: text(n, "resource"), response: text(n, "response"), responseCode: text(n, "responseCode"),
		sourceID: text(n, "sourceId"), validateProfileID: text(n, "validateProfileId"), value: text(n, "value"),
		hasValue: n.Get("value") != nil, warningOnly: flag(n, "warningOnly"),
	}
	a.line, a.column = n.Position()
	return a
}

// text returns a primitive property, whatever its JSON type.
func text(n *fhir.Node, name string) string { return n.Get(name).Text() }

// translated returns the Chinese of a primitive property, "" if it has none.
func translated(n *fhir.Node, name string) string {
	for _, e := range n.Path("_"+name, "extension").Items() {
		if e.Get("url").Text() != "http://hl7.org/fhir/StructureDefinition/translation" {
			continue
		}
		language, content := "", ""
		for _, part := range e.Get("extension").Items() {
			switch part.Get("url").Text() {
			case "lang":
				language = part.Get("valueCode").Text()
			case "content":
				content = firstOf(part.Get("valueString").Text(), part.Get("valueMarkdown").Text())
			}
		}
		if language == "zh" || strings.HasPrefix(language, "zh-") {
			return content
		}
	}
	return ""
}

func flag(n *fhir.Node, name string) bool { return n.Get(name).Text() == "true" }

// number returns a small positive integer, 0 if there is none, -1 if it is something else.
func number(n *fhir.Node) int {
	if n == nil {
		return 0
	}
	i, err := strconv.Atoi(n.Text())
	if err != nil || i < 1 {
		return -1
	}
	return i
}

func indexes(n *fhir.Node) []int {
	var out []int
	for _, i := range n.Items() {
		out = append(out, number(i.Get("index")))
	}
	return out
}
