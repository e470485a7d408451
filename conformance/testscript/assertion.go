package testscript

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
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
	v.detail = shortened(detail)
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

func (x *execution) assertExpression(a *assertion, m *message) (verdict, error) {
	text := a.expression
	if text == "" { // the same is asked of both
		text = a.compareToSourceExpression
	}
	text, err := x.expand(text)
	if err != nil {
		return verdict{}, err
	}
	if _, err := m.resource(); err != nil {
		return failed("there is no resource: %v", err), nil
	}
	if a.compareToSourceID != "" {
		return x.compareExpressions(a, m, text)
	}
	want, given, err := x.wanted(a)
	if err != nil {
		return verdict{}, err
	}
	if !given && (a.operator == "" || a.operator == opEval || a.operator == opEquals) {
		values, err := x.expression(text, m)
		if err != nil {
			return verdict{}, err
		}
		if len(values) == 1 {
			if truth, ok := values[0].Bool(); ok && truth {
				return verdict{holds: true, message: "expression " + shortened(text)}, nil
			}
		}
		return failed("the expression %s is not true", shortened(text)).with(shown(values)), nil
	}
	values, err := x.expression(text, m)
	if err != nil {
		return verdict{}, err
	}
	ok, problem := false, ""
	switch {
	case a.operator == opEmpty:
		ok = len(values) == 0
	case a.operator == opNotEmpty:
		ok = len(values) > 0
	case !given:
		return verdict{}, errors.New("there is no value to compare the expression with")
	default:
		ok, problem = holdsFor(a.operator, values, want)
	}
	if !ok {
		return failed("the expression %s gives %d values%s, %s", shortened(text), len(values), problem,
			wish(a.operator, want)).with(shown(values)), nil
	}
	return verdict{holds: true, message: "expression " + shortened(text)}, nil
}

// holdsFor compares what an expression gives with a value. Orders and "equals" want exactly one; "contains" and "in" look
// at all.
func holdsFor(operator string, values []fhirpath.Value, want string) (bool, string) {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		if v.Kind() == fhirpath.Element && v.Node().Kind() == fhir.Object {
			return false, ", one of them with children"
		}
		texts = append(texts, v.String())
	}
	switch operator {
	case opEquals, "", opGreaterThan, opLessThan:
		if len(texts) != 1 {
			return false, ""
		}
		if operator == opEquals || operator == "" {
			if order, numbers := compareNumbers(texts[0], want); numbers {
				return order == 0, ""
			}
		}
	}
	return holdsAny(operator, texts, want), ""
}

// comparisons are the operators between two expressions, in FHIRPath.
var comparisons = map[string]string{
	"": "%left = %right", opEquals: "%left = %right", opNotEquals: "(%left = %right).not()",
	opGreaterThan: "%left > %right", opLessThan: "%left < %right",
	opIn: "%left.subsetOf(%right)", opNotIn: "%left.intersect(%right).empty()",
	opContains: "%right.subsetOf(%left)", opNotContains: "%right.intersect(%left).empty()",
}

func (x *execution) compareExpressions(a *assertion, m *message, text string) (verdict, error) {
	other := a.compareToSourceExpression
	if other == "" {
		return verdict{}, errors.New("compareToSourceExpression says nothing")
	}
	other, err := x.expand(other)
	if err != nil {
		return verdict{}, err
	}
	source, err := x.message(a.compareToSourceID)
	if err != nil {
		return verdict{}, err
	}
	left, err := x.expression(text, m)
	if err != nil {
		return verdict{}, err
	}
	right, err := x.expression(other, source)
	if err != nil {
		return verdict{}, fmt.Errorf("source %s: %w", a.compareToSourceID, err)
	}
	comparison, ok := comparisons[a.operator]
	if !ok {
		return verdict{}, errors.New("the operator does not compare two sources")
	}
	if len(right) == 0 { // else an expression that is misspelt would hold
		return verdict{}, fmt.Errorf("the expression finds nothing in source %s to compare with", a.compareToSourceID)
	}
	n, _ := m.resource()
	result, err := evaluateFHIRPath(comparison, n, &fhirpath.Env{Limits: expressionLimits,
		Variables: map[string][]fhirpath.Value{"left": left, "right": right}}, []string{"left", "right"})
	if err != nil {
		return verdict{}, err
	}
	holds := a.operator == opNotEquals // what FHIRPath says of a value and none
	if len(result) == 1 {
		holds, _ = result[0].Bool()
	}
	if !holds {
		return failed("the expression %s gives %d values, %s the %d of source %s", shortened(text), len(left),
			wish(a.operator, ""), len(right), a.compareToSourceID).with(shown(left) + " | " + shown(right)), nil
	}
	return verdict{holds: true, message: "expression " + shortened(text)}, nil
}

func (x *execution) assertPath(a *assertion, m *message) (verdict, error) {
	text := a.path
	if text == "" {
		text = a.compareToSourcePath
	}
	text, err := x.expand(text)
	if err != nil {
		return verdict{}, err
	}
	if _, err := m.resource(); err != nil {
		return failed("there is no resource: %v", err), nil
	}
	got, err := x.pathTexts(text, m)
	if err != nil {
		return verdict{}, err
	}
	op := a.operator
	if op == opEval {
		return verdict{}, errors.New("only an expression can be asserted with eval")
	}
	if a.compareToSourceID != "" {
		return x.comparePaths(a, got, text)
	}
	want, given, err := x.wanted(a)
	if err != nil {
		return verdict{}, err
	}
	if !given && op == "" {
		op = opNotEmpty
	}
	if !given && op != opEmpty && op != opNotEmpty {
		return verdict{}, errors.New("there is no value to compare the path with")
	}
	if !holdsAny(op, got, want) {
		return failed("the path %s gives %d values, %s", shortened(text), len(got), wish(op, want)).
			with(strings.Join(got, ", ")), nil
	}
	return verdict{holds: true, message: "path " + shortened(text)}, nil
}

func (x *execution) comparePaths(a *assertion, got []string, text string) (verdict, error) {
	if a.compareToSourcePath == "" {
		return verdict{}, errors.New("compareToSourcePath says nothing")
	}
	other, err := x.expand(a.compareToSourcePath)
	if err != nil {
		return verdict{}, err
	}
	source, err := x.message(a.compareToSourceID)
	if err != nil {
		return verdict{}, err
	}
	want, err := x.pathTexts(other, source)
	if err != nil {
		return verdict{}, fmt.Errorf("source %s: %w", a.compareToSourceID, err)
	}
	if len(want) == 0 {
		return verdict{}, fmt.Errorf("the path finds nothing in source %s to compare with", a.compareToSourceID)
	}
	ok := false
	switch a.operator {
	case "", opEquals:
		ok = slices.Equal(got, want)
	case opNotEquals:
		ok = !slices.Equal(got, want)
	case opIn, opContains:
		in, of := got, want
		if a.operator == opContains {
			in, of = want, got
		}
		ok = !slices.ContainsFunc(in, func(s string) bool { return !slices.Contains(of, s) })
	case opNotIn, opNotContains:
		ok = !slices.ContainsFunc(got, func(s string) bool { return slices.Contains(want, s) })
	case opGreaterThan, opLessThan:
		ok = len(got) == 1 && len(want) == 1 && holds(a.operator, got[0], want[0])
	default:
		return verdict{}, errors.New("the operator does not compare two sources")
	}
	if !ok {
		return failed("the path %s gives %d values, %s the %d of source %s", shortened(text), len(got), wish(a.operator, ""),
			len(want), a.compareToSourceID).with(strings.Join(got, ", ") + " | " + strings.Join(want, ", ")), nil
	}
	return verdict{holds: true, message: "path " + shortened(text)}, nil
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

// assertNavigation wants a Bundle to have links to the first and last page, and to the next where it is not the last.
func (x *execution) assertNavigation(a *assertion, m *message) (verdict, error) {
	if a.navigationLinks == "false" {
		return verdict{holds: true, message: "navigation links are not asked for"}, nil
	}
	n, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	if n.ResourceType() != "Bundle" {
		return failed("the resource is no Bundle"), nil
	}
	links := map[string]string{}
	for _, l := range n.Get("link").Items() {
		relation := l.Get("relation").Text()
		if _, twice := links[relation]; twice {
			return failed("the link %s is there twice", shortened(relation)), nil
		}
		links[relation] = l.Get("url").Text()
	}
	var missing []string
	for _, relation := range []string{"first", "last", "next"} {
		target, there := links[relation]
		switch {
		case relation == "next" && !there && lastPage(n, links):
		case !there:
			missing = append(missing, relation)
		case !x.follows(target):
			return failed("the link %s does not lead to a server of this run", relation), nil
		}
	}
	if missing != nil {
		return failed("the Bundle has no link %s", strings.Join(missing, ", ")), nil
	}
	return verdict{holds: true, message: "navigation links"}, nil
}

// lastPage reports whether nothing can follow: the page is the last, or has all there is.
func lastPage(n *fhir.Node, links map[string]string) bool {
	if self := links["self"]; self != "" && self == links["last"] {
		return true
	}
	matches := 0
	for _, e := range n.Get("entry").Items() {
		if mode := e.Path("search", "mode").Text(); mode == "" || mode == "match" {
			matches++
		}
	}
	total, err := strconv.Atoi(n.Get("total").Text())
	switch {
	case err != nil:
		return links["previous"] != "" || links["prev"] != ""
	case links["previous"] != "" || links["prev"] != "":
		return true
	}
	return matches >= total
}

func (x *execution) follows(target string) bool {
	u, err := url.Parse(target)
	if err != nil || target == "" {
		return false
	}
	if !u.IsAbs() {
		return true
	}
	return slices.ContainsFunc(x.clients, func(c *client) bool { return c.owns(u) })
}

// baseProfile is the canonical of a definition of base FHIR.
var baseProfile = regexp.MustCompile(`^http://hl7\.org/fhir/StructureDefinition/([A-Za-z]+)(\|.*)?$`)

func (x *execution) assertProfile(a *assertion, m *message) (verdict, error) {
	profile, ok := x.script.profiles[a.validateProfileID]
	if !ok || profile == "" {
		return verdict{}, fmt.Errorf("the script has no profile %s", a.validateProfileID)
	}
	n, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	var issues []fhir.Issue
	if base := baseProfile.FindStringSubmatch(profile); base != nil && isBase(base[1]) {
		if !definitionsOf().IsA(n.ResourceType(), base[1]) {
			return failed("the resource is a %s, the profile is for %s", shortened(n.ResourceType()), base[1]), nil
		}
		issues = x.runner.Validator.Resource(n)
	} else if p, ok := x.runner.Validator.(profiler); ok && x.runner.Validator != baseValidator() {
		issues = p.Conforms(n, profile)
		for _, i := range issues {
			if strings.HasPrefix(i.ID, "profile-unknown") {
				return verdict{}, fmt.Errorf("the profile %s is not known", profile)
			}
		}
	} else {
		return verdict{}, fmt.Errorf("the profile %s is not known", profile)
	}
	var wrong []string
	for _, i := range issues {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			wrong = append(wrong, i.String())
		}
	}
	if len(wrong) > 0 {
		return failed("the resource has %d errors against %s; the first: %s", len(wrong), profile, shortened(wrong[0])).
			with(strings.Join(wrong, "\n")), nil
	}
	return verdict{holds: true, message: "conforms to " + profile}, nil
}

func isBase(name string) bool {
	return definitionsOf().IsResource(name) || name == "Resource" || name == "DomainResource"
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

func shown(values []fhirpath.Value) string {
	var parts []string
	for _, v := range values {
		if n := v.Node(); n.Kind() == fhir.Object {
			parts = append(parts, string(n.AppendJSON(nil)))
		} else {
			parts = append(parts, v.String())
		}
		if len(parts) == 20 {
			parts = append(parts, "…")
			break
		}
	}
	return strings.Join(parts, ", ")
}

// maxShown is how long a text in a message may be.
const maxShown = 400

func shortened(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	r := []rune(s)
	if len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}
