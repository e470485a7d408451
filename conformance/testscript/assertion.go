package testscript

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// statuses of the response codes.
var statuses = map[string]int{
	"okay": 200, "created": 201, "noContent": 204, "notModified": 304, "bad": 400, "forbidden": 403, "notFound": 404,
	"methodNotAllowed": 405, "conflict": 409, "gone": 410, "preconditionFailed": 412, "unprocessable": 422,
}

// verdict is what an assertion finds: whether it holds, and what to say if not.
type verdict struct {
	holds   bool
	message string
	detail  string
}

func failed(format string, args ...any) verdict {
	return verdict{message: fmt.Sprintf(format, args...)}
}

func (v verdict) with(detail string) verdict {
	v.detail = cut(detail, maxDetail)
	return v
}

// judge runs an assertion.
func (x *execution) judge(a *assertion, r *ActionReport) {
	v, err := x.assert(a)
	switch {
	case err != nil:
		r.Result, r.Message = Error, err.Error()
	case v.holds:
		r.Result = Pass
		r.Message = v.message
		return
	default:
		r.Result, r.Message, r.Detail = Fail, v.message, v.detail
	}
	if a.warningOnly {
		r.Result = Warning
	}
}

// check is one kind of assertion.
type check struct {
	asked bool
	run   func(x *execution, a *assertion, m *message) (verdict, error)
}

func (a *assertion) checks() []check {
	return []check{
		{a.contentType != "", (*execution).assertContentType},
		{a.expression != "" || a.compareToSourceExpression != "", (*execution).assertExpression},
		{a.path != "" || a.compareToSourcePath != "", (*execution).assertPath},
		{a.headerField != "", (*execution).assertHeader},
		{a.minimumID != "", (*execution).assertMinimum},
		{a.navigationLinks != "", (*execution).assertNavigation},
		{a.requestMethod != "", (*execution).assertMethod},
		{a.requestURL != "", (*execution).assertURL},
		{a.resource != "", (*execution).assertResource},
		{a.response != "" || a.responseCode != "", (*execution).assertStatus},
		{a.validateProfileID != "", (*execution).assertProfile},
	}
}

func (x *execution) assert(a *assertion) (verdict, error) {
	if a.operator != "" && !slices.Contains(operators, a.operator) {
		return verdict{}, errors.New("the operator is none of TestScript")
	}
	if a.direction != "" && a.direction != "request" && a.direction != "response" {
		return verdict{}, errors.New("the direction is neither request nor response")
	}
	var chosen *check
	all := a.checks()
	for i := range all {
		if !all[i].asked {
			continue
		}
		if chosen != nil {
			return verdict{}, errors.New("the assertion asserts more than one thing (tst-5)")
		}
		chosen = &all[i]
	}
	if chosen == nil {
		return verdict{}, errors.New("the assertion asserts nothing")
	}
	m, err := x.subject(a)
	if err != nil {
		return verdict{}, err
	}
	return chosen.run(x, a, m)
}

// subject is what an assertion looks at: a source, or the last request or response.
func (x *execution) subject(a *assertion) (*message, error) {
	request := a.direction == "request" || a.direction == "" && (a.requestMethod != "" || a.requestURL != "")
	switch {
	case a.sourceID != "":
		return x.message(a.sourceID)
	case request && x.lastRequest == nil:
		return nil, errors.New("there is no request yet")
	case request:
		return x.lastRequest, nil
	case x.lastResponse == nil:
		return nil, errors.New("there is no response yet")
	}
	return x.lastResponse, nil
}

func (x *execution) assertContentType(a *assertion, m *message) (verdict, error) {
	got := baseType(m.header.Get("Content-Type"))
	wanted := list(a.contentType)
	for i := range wanted {
		wanted[i] = baseType(mediaType(wanted[i]))
	}
	want := strings.Join(wanted, ",")
	if !holds(a.operator, got, want) {
		return failed("the content type is %q, %s", got, wish(a.operator, want)), nil
	}
	return verdict{holds: true, message: "content type " + got}, nil
}

func (x *execution) assertStatus(a *assertion, m *message) (verdict, error) {
	if m.status == 0 {
		return verdict{}, errors.New("only a response has a status")
	}
	want := ""
	if a.response != "" {
		var codes []string
		for _, c := range list(a.response) {
			status, ok := statuses[c]
			if !ok {
				return verdict{}, errors.New("the response is no code of TestScript")
			}
			codes = append(codes, strconv.Itoa(status))
		}
		want = strings.Join(codes, ",")
	} else {
		var err error
		if want, err = x.expand(a.responseCode); err != nil {
			return verdict{}, err
		}
	}
	if !holds(a.operator, strconv.Itoa(m.status), want) {
		return failed("the status is %d, %s", m.status, wish(a.operator, want)), nil
	}
	return verdict{holds: true, message: "status " + strconv.Itoa(m.status)}, nil
}

func (x *execution) assertResource(a *assertion, m *message) (verdict, error) {
	n, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	if !holds(a.operator, n.ResourceType(), a.resource) {
		return failed("the resource is a %s, %s", shortened(n.ResourceType()), wish(a.operator, a.resource)), nil
	}
	return verdict{holds: true, message: "resource " + shortened(n.ResourceType())}, nil
}

func (x *execution) assertMethod(a *assertion, m *message) (verdict, error) {
	want := strings.ToUpper(a.requestMethod)
	if !holds(a.operator, m.method, want) {
		return failed("the method is %s, %s", m.method, wish(a.operator, want)), nil
	}
	return verdict{holds: true, message: "method " + m.method}, nil
}

// assertURL compares the URL of the request: whole, below its host, or below the server's base.
func (x *execution) assertURL(a *assertion, m *message) (verdict, error) {
	want, err := x.expand(a.requestURL)
	if err != nil {
		return verdict{}, err
	}
	forms := []string{m.url}
	if u, err := url.Parse(m.url); err == nil {
		forms = append(forms, u.RequestURI())
		for _, c := range x.clients {
			if rest, ok := strings.CutPrefix(m.url, c.base.String()+"/"); ok {
				forms = append(forms, rest, "/"+rest)
			}
		}
		if plain, err := url.PathUnescape(m.url); err == nil {
			forms = append(forms, plain)
		}
	}
	if !holdsAny(a.operator, forms, want) {
		return failed("the URL of the request is another, %s", wish(a.operator, want)).with(m.url), nil
	}
	return verdict{holds: true, message: "URL of the request"}, nil
}

func (x *execution) assertHeader(a *assertion, m *message) (verdict, error) {
	values := m.header.Values(a.headerField)
	got := strings.Join(values, ", ")
	op := a.operator
	want, given, err := x.wanted(a)
	if err != nil {
		return verdict{}, err
	}
	if !given && a.compareToSourceID != "" {
		source, err := x.message(a.compareToSourceID)
		if err != nil {
			return verdict{}, err
		}
		if want, given = strings.Join(source.header.Values(a.headerField), ", "), true; want == "" {
			return verdict{}, fmt.Errorf("source %s has no header to compare with", a.compareToSourceID)
		}
	}
	if !given && op == "" {
		op = opNotEmpty
	}
	if !given && op != opEmpty && op != opNotEmpty {
		return verdict{}, errors.New("there is no value to compare the header with")
	}
	if !holds(op, got, want) {
		return failed("the header %s is %s, %s", a.headerField, presence(len(values)), wish(op, want)).with(got), nil
	}
	return verdict{holds: true, message: "header " + a.headerField}, nil
}

func presence(n int) string {
	if n == 0 {
		return "absent"
	}
	return "there"
}

// wanted is the value to compare with.
func (x *execution) wanted(a *assertion) (string, bool, error) {
	if !a.hasValue {
		return "", false, nil
	}
	v, err := x.expand(a.value)
	return v, true, err
}

func (x *execution) assertMinimum(a *assertion, m *message) (verdict, error) {
	source, err := x.message(a.minimumID)
	if err != nil {
		return verdict{}, err
	}
	want, err := source.resource()
	if err != nil {
		return verdict{}, fmt.Errorf("source %s: %w", a.minimumID, err)
	}
	want = want.Clone()
	if err := x.expandNode(want); err != nil { // as it was sent
		return verdict{}, fmt.Errorf("source %s: %w", a.minimumID, err)
	}
	got, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	missing, err := containsAll(got, want)
	if err != nil {
		return verdict{}, err
	}
	if missing != "" {
		return failed("the resource lacks what %s has at %s", a.minimumID, shortened(missing)), nil
	}
	return verdict{holds: true, message: "has all of " + a.minimumID}, nil
}

// wish says what an operator wants.
func wish(operator, want string) string {
	var s string
	switch operator {
	case "", opEquals:
		s = "wanted"
	case opNotEquals:
		s = "wanted anything but"
	case opIn:
		s = "wanted one of"
	case opNotIn:
		s = "wanted none of"
	case opGreaterThan:
		s = "wanted more than"
	case opLessThan:
		s = "wanted less than"
	case opContains:
		s = "wanted what contains"
	case opNotContains:
		s = "wanted what does not contain"
	case opEmpty:
		return "wanted nothing"
	case opNotEmpty:
		return "wanted a value"
	case opEval:
		return "wanted true"
	}
	if want == "" {
		return s
	}
	return s + " " + shortened(want)
}

// How long texts may be, in characters: in a message, and as its detail.
const (
	maxShown      = 400
	maxExpression = 160 // in a message
	maxDetail     = 8000
)

func shortened(s string) string { return cut(s, maxShown) }

func cut(s string, limit int) string {
	r := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return string(r)
}
