package terminology

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// operations are FHIR's terminology operations by type and name, with the parameters that they take here.
var operations = map[string]struct {
	parameters []string
	answer     func(*question) (*fhir.Node, error)
}{
	"ValueSet/$expand": {[]string{"url", "valueSet", "valueSetVersion", "filter", "offset", "count", "includeDesignations", "designation",
		"includeDefinition", "activeOnly", "excludeNested", "excludeNotForUI", "displayLanguage", "exclude-system",
		"system-version", "check-system-version", "force-system-version"}, (*question).expand},
	"ValueSet/$validate-code": {[]string{"url", "valueSet", "valueSetVersion", "code", "system", "systemVersion", "display", "coding",
		"codeableConcept", "abstract", "displayLanguage"}, (*question).validateCode},
	"CodeSystem/$validate-code": {[]string{"url", "codeSystem", "version", "code", "display", "coding", "codeableConcept", "abstract",
		"displayLanguage"}, (*question).validateCodeIn},
	"CodeSystem/$lookup":   {[]string{"code", "system", "version", "coding", "displayLanguage", "property"}, (*question).lookup},
	"CodeSystem/$subsumes": {[]string{"codeA", "codeB", "system", "version", "codingA", "codingB"}, (*question).subsumes},
	"ConceptMap/$translate": {[]string{"url", "conceptMap", "conceptMapVersion", "code", "system", "version", "source", "coding",
		"codeableConcept", "target", "targetsystem", "dependency", "reverse"}, (*question).translate},
}

// Operations are the operations that Operate answers, sorted: the type of resource and the name, as in
// "ValueSet/$expand".
func Operations() []string {
	var out []string
	for name := range operations {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Operate answers one of FHIR's operations as a server does: from a Parameters resource to a Parameters or ValueSet
// resource. Who invokes an operation on an instance adds it as the parameter valueSet, codeSystem or conceptMap. An
// error is a *Refusal where the question cannot be answered; parameters that are not known refuse it too.
func (c *Catalog) Operate(ctx context.Context, operation string, parameters *fhir.Node) (*fhir.Node, error) {
	op, ok := operations[operation]
	if !ok {
		return nil, refuse(msgOperationUnknown, operation)
	}
	q := &question{ctx: ctx, c: c, operation: operation, list: parameters.Get("parameter").Items()}
	for _, p := range q.list {
		if !slices.Contains(op.parameters, p.Get("name").Text()) {
			return nil, refuse(msgParameterUnknown, operation, strings.Join(op.parameters, ", "))
		}
	}
	return op.answer(q)
}

// question is the parameters of one operation.
type question struct {
	ctx       context.Context
	c         *Catalog
	operation string
	list      []*fhir.Node
	broken    error
}

// param is the first parameter of a name, nil if there is none.
func (q *question) param(name string) *fhir.Node {
	for _, p := range q.list {
		if p.Get("name").Text() == name {
			return p
		}
	}
	return nil
}

// of is the value of a parameter, whatever its primitive type.
func of(p *fhir.Node) *fhir.Node {
	for _, k := range p.All() {
		if strings.HasPrefix(k.Name(), "value") {
			return k
		}
	}
	return nil
}

func (q *question) text(name string) string { return of(q.param(name)).Text() }

func (q *question) texts(name string) []string {
	var out []string
	for _, p := range q.list {
		if p.Get("name").Text() == name {
			out = append(out, of(p).Text())
		}
	}
	if len(out) > MaxRepetitions {
		q.fail(refuse(msgParameter, name, "it is repeated too often"))
	}
	return out
}

func (q *question) flag(name string) bool {
	text := q.text(name)
	if text != "" && text != "true" && text != "false" {
		q.fail(refuse(msgParameter, name, "true or false is expected"))
	}
	return text == "true"
}

func (q *question) number(name string) (n int, given bool) {
	text := q.text(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		q.fail(refuse(msgParameter, name, "a number from 0 is expected"))
	}
	return n, true
}

func (q *question) fail(err error) {
	if q.broken == nil {
		q.broken = err
	}
}

// canonical is the URL that a parameter gives, with the version that another one gives.
func (q *question) canonical(url, version string) string {
	canonical := q.text(url)
	if v := q.text(version); v != "" && canonical != "" && !strings.Contains(canonical, "|") {
		canonical += "|" + v
	}
	return canonical
}

func (q *question) coding(name string) *Coding {
	n := of(q.param(name))
	if n == nil {
		return nil
	}
	c := readCoding(n)
	return &c
}

// concept is the codings of a parameter that is a CodeableConcept, nil if there is none.
func (q *question) concept(name string) []Coding {
	n := of(q.param(name))
	if n == nil {
		return nil
	}
	out := []Coding{}
	for _, c := range n.Get("coding").Items() {
		out = append(out, readCoding(c))
	}
	return out
}

func (q *question) need(what string) error { return refuse(msgParameterMissing, q.operation, what) }

// set is the value set that is asked about, and the resource if one was given.
func (q *question) set() (*Set, *fhir.Node, error) {
	if n := q.param("valueSet").Get("resource"); n != nil {
		s, err := q.c.ReadValueSet(n)
		return s, n, err
	}
	url := q.canonical("url", "valueSetVersion")
	if url == "" {
		return nil, nil, q.need("url or valueSet")
	}
	s, err := q.c.ValueSet(url)
	if err != nil {
		return nil, nil, err
	}
	n, _ := q.c.resolve("ValueSet", s.url, s.version)
	return s, n, nil
}

func (q *question) expand() (*fhir.Node, error) {
	s, definition, err := q.set()
	if err != nil {
		return nil, err
	}
	r := ExpandRequest{Filter: q.text("filter"), ActiveOnly: q.flag("activeOnly"), ExcludeNested: q.flag("excludeNested"),
		ExcludeNotForUI: q.flag("excludeNotForUI"), IncludeDesignations: q.flag("includeDesignations"), IncludeDefinition: q.flag("includeDefinition"),
		Designations: q.texts("designation"), DisplayLanguage: q.text("displayLanguage"), ExcludeSystem: q.texts("exclude-system"),
		SystemVersion: q.texts("system-version"), CheckSystemVersion: q.texts("check-system-version"), ForceSystemVersion: q.texts("force-system-version")}
	offset, hasOffset := q.number("offset")
	count, hasCount := q.number("count")
	if hasOffset || hasCount {
		if !hasCount {
			count = q.c.limits.Expansion
		}
		r.Page = &Page{Offset: offset, Count: count}
	}
	if q.broken != nil {
		return nil, q.broken
	}
	x, err := q.c.Expand(q.ctx, s, r)
	if err != nil {
		return nil, err
	}
	if !r.IncludeDefinition {
		definition = nil
	}
	return x.Resource(definition), nil
}

// request reads what both forms of $validate-code share.
func (q *question) request() (ValidateRequest, error) {
	r := ValidateRequest{Coding: q.coding("coding"), Concept: q.concept("codeableConcept"), Abstract: q.flag("abstract"),
		DisplayLanguage: q.text("displayLanguage")}
	given := 0
	for _, name := range []string{"code", "coding", "codeableConcept"} {
		if q.param(name) != nil {
			given++
		}
	}
	if given != 1 {
		return r, q.need("exactly one of code, coding and codeableConcept")
	}
	if code := q.text("code"); code != "" {
		r.Code, r.Display = code, q.text("display")
		if system := q.text("system"); system != "" {
			r.Coding = &Coding{System: system, Version: q.text("systemVersion"), Code: code, Display: r.Display}
		}
	}
	if len(r.Concept) > MaxRepetitions {
		q.fail(refuse(msgParameter, "codeableConcept", "it has too many codings"))
	}
	return r, q.broken
}

func (q *question) validateCode() (*fhir.Node, error) {
	s, _, err := q.set()
	if err != nil {
		return nil, err
	}
	r, err := q.request()
	if err != nil {
		return nil, err
	}
	v, err := q.c.ValidateCode(q.ctx, s, r)
	if err != nil {
		return nil, err
	}
	return v.Parameters(r.DisplayLanguage), nil
}

func (q *question) validateCodeIn() (*fhir.Node, error) {
	c, url := q.c, q.canonical("url", "version")
	if n := q.param("codeSystem").Get("resource"); n != nil {
		m, _, err := Read(n, q.c.limits)
		if err != nil {
			return nil, err
		}
		c, url = New(q.c.defs, Options{Systems: []CodeSystem{m}, Limits: q.c.limits}), m.about.URL
	}
	r, err := q.request()
	if err != nil {
		return nil, err
	}
	if url == "" && r.Coding != nil {
		url = r.Coding.System
	}
	if url == "" {
		return nil, q.need("url or codeSystem")
	}
	v, err := c.ValidateCodeIn(q.ctx, url, r)
	if err != nil {
		return nil, err
	}
	return v.Parameters(r.DisplayLanguage), nil
}

func (q *question) lookup() (*fhir.Node, error) {
	r := LookupRequest{Properties: q.texts("property"), DisplayLanguage: q.text("displayLanguage"),
		Coding: Coding{System: q.text("system"), Version: q.text("version"), Code: q.text("code")}}
	if c := q.coding("coding"); c != nil {
		r.Coding = *c
	}
	if r.Coding.System == "" || r.Coding.Code == "" {
		return nil, q.need("code and system, or coding")
	}
	if q.broken != nil {
		return nil, q.broken
	}
	out, err := q.c.Lookup(q.ctx, r)
	if err != nil {
		return nil, err
	}
	return out.Parameters(), nil
}

func (q *question) subsumes() (*fhir.Node, error) {
	system, version := q.text("system"), q.text("version")
	a, b := Coding{System: system, Version: version, Code: q.text("codeA")}, Coding{System: system, Version: version, Code: q.text("codeB")}
	if x, y := q.coding("codingA"), q.coding("codingB"); x != nil && y != nil {
		a, b = *x, *y
	}
	if a.System == "" || a.Code == "" || b.Code == "" {
		return nil, q.need("codeA, codeB and system, or codingA and codingB")
	}
	outcome, err := q.c.Subsumes(q.ctx, a, b)
	if err != nil {
		return nil, err
	}
	p := newParameters()
	p.add("outcome", "Code", string(outcome))
	return p.node, nil
}

func (q *question) translate() (*fhir.Node, error) {
	r := TranslateRequest{Source: q.text("source"), Target: q.text("target"), TargetSystem: q.text("targetsystem"), Reverse: q.flag("reverse"),
		Codings: q.concept("codeableConcept")}
	if c := q.coding("coding"); c != nil {
		r.Codings = append(r.Codings, *c)
	}
	if code := q.text("code"); code != "" {
		r.Codings = append(r.Codings, Coding{System: q.text("system"), Version: q.text("version"), Code: code})
	}
	if len(r.Codings) == 0 {
		return nil, q.need("code and system, coding, or codeableConcept")
	}
	for _, p := range q.list {
		if p.Get("name").Text() == "dependency" {
			r.Dependencies = append(r.Dependencies, dependencies(p)...)
		}
	}
	if max(len(r.Dependencies), len(r.Codings)) > MaxRepetitions {
		q.fail(refuse(msgParameter, "dependency, codeableConcept", "it is repeated too often"))
	}
	if q.broken != nil {
		return nil, q.broken
	}
	var err error
	if n := q.param("conceptMap").Get("resource"); n != nil {
		r.Map, err = q.c.ReadConceptMap(n)
	} else if url := q.canonical("url", "conceptMapVersion"); url != "" {
		r.Map, err = q.c.ConceptMap(url)
	}
	if err != nil {
		return nil, err
	}
	t, err := q.c.Translate(q.ctx, r)
	if err != nil {
		return nil, err
	}
	return t.Parameters(), nil
}

// dependencies are the element and the codings of a parameter dependency.
func dependencies(p *fhir.Node) []OtherElement {
	var element string
	var out []OtherElement
	for _, part := range p.Get("part").Items() {
		switch part.Get("name").Text() {
		case "element":
			element = of(part).Text()
		case "concept":
			for _, c := range of(part).Get("coding").Items() {
				out = append(out, OtherElement{System: c.Get("system").Text(), Value: c.Get("code").Text()})
			}
			if text := of(part).Get("text").Text(); text != "" {
				out = append(out, OtherElement{Value: text})
			}
		}
	}
	for i := range out {
		out[i].Property = element
	}
	return out
}

// parameters writes a Parameters resource.
type parameters struct{ node, list *fhir.Node }

func newParameters() *parameters {
	p := &parameters{node: fhir.NewObject().SetString("resourceType", "Parameters"), list: fhir.NewArray()}
	p.node.Set("parameter", p.list)
	return p
}

func (p *parameters) add(name, typ, text string) {
	if text != "" {
		p.list.Append(fhir.NewObject().SetString("name", name).Set("value"+typ, value(typ, text)))
	}
}

// parts adds a parameter of parts, and returns what they are added to.
func (p *parameters) parts(name string) *parameters {
	list := fhir.NewArray()
	p.list.Append(fhir.NewObject().SetString("name", name).Set("part", list))
	return &parameters{list: list}
}

func (p *parameters) coding(name string, c Coding) {
	p.list.Append(fhir.NewObject().SetString("name", name).Set("valueCoding", c.node()))
}

// Parameters writes the result as $validate-code returns it, with the message in a language.
func (v *Validation) Parameters(language string) *fhir.Node {
	p := newParameters()
	p.add("result", "Boolean", truth(v.Valid))
	p.add("message", "String", v.Message(language))
	p.add("display", "String", v.Coding.Display)
	if v.Member != definitions.NotMember || v.Valid {
		p.add("code", "Code", v.Coding.Code)
		p.add("system", "Uri", v.Coding.System)
		p.add("version", "String", v.Coding.Version)
	}
	if len(v.Issues) > 0 {
		p.list.Append(fhir.NewObject().SetString("name", "issues").Set("resource", fhir.Outcome("", v.Issues)))
	}
	return p.node
}

// number is a literal that JSON takes.
var numberLiteral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// Parameters writes the result as $lookup returns it.
func (r *LookupResult) Parameters() *fhir.Node {
	p := newParameters()
	name := r.System.Title
	if name == "" {
		name = r.System.Name
	}
	if name == "" {
		name = r.System.URL
	}
	p.add("name", "String", name)
	p.add("version", "String", r.System.Version)
	p.add("display", "String", r.Display)
	for _, d := range r.Designations {
		x := p.parts("designation")
		x.add("language", "Code", d.Language)
		if d.Use != (Coding{}) {
			x.coding("use", d.Use)
		}
		x.add("value", "String", d.Value)
	}
	for _, property := range r.Properties {
		x := p.parts("property")
		x.add("code", "Code", property.Code)
		switch typ := property.Type; {
		case typ == "Coding":
			x.coding("value", property.Coding)
		case (typ == "integer" || typ == "decimal") && !numberLiteral.MatchString(property.Value), typ == "":
			x.add("value", "String", property.Value)
		default:
			x.add("value", strings.ToUpper(typ[:1])+typ[1:], property.Value)
		}
	}
	return p.node
}

// Parameters writes the result as $translate returns it.
func (t *Translation) Parameters() *fhir.Node {
	p := newParameters()
	p.add("result", "Boolean", truth(t.Result))
	if !t.Result {
		p.add("message", "String", msgMapUnmatched.Say().English)
	}
	for _, m := range t.Matches {
		x := p.parts("match")
		x.add("equivalence", "Code", string(m.Equivalence))
		if m.Coding.Code != "" {
			x.coding("concept", m.Coding)
		}
		for _, product := range m.Products {
			y := x.parts("product")
			y.add("element", "Uri", product.Property)
			y.coding("concept", Coding{System: product.System, Code: product.Value, Display: product.Display})
		}
		x.add("source", "Uri", m.Map)
	}
	return p.node
}
