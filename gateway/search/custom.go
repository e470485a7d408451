package search

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Custom is a SearchParameter resource that was given to the server.
type Custom struct {
	Resource *fhir.Node
	// Ready says that every resource is indexed by it. Until then new versions are
	// indexed and Parse refuses the parameter.
	Ready bool
}

// custom is a Custom that was read.
type custom struct {
	def   *definitions.SearchParameter
	ready bool
}

// parameterSet are the parameters that hold at a time, and what is compiled of them.
type parameterSet struct {
	custom []*custom // by URL

	mu    sync.RWMutex
	types map[string]*typeParameters
}

func newParameterSet(list []*custom) *parameterSet {
	slices.SortFunc(list, func(a, b *custom) int { return cmp.Compare(a.def.URL, b.def.URL) })
	return &parameterSet{custom: list, types: map[string]*typeParameters{}}
}

// of returns the parameters that were given for a type. One for all resources counts
// for each.
func (s *parameterSet) of(resource string) []*custom {
	var out []*custom
	for _, c := range s.custom {
		if slices.Contains(c.def.Base, resource) || slices.Contains(c.def.Base, "Resource") ||
			slices.Contains(c.def.Base, "DomainResource") && resource != "Resource" {
			out = append(out, c)
		}
	}
	return out
}

// referrers are the given parameters that refer to a type.
func (s *parameterSet) referrers(e *Engine, resource string) []string {
	var out []string
	for _, c := range s.custom {
		for _, base := range c.def.Base {
			t := e.parametersOf(base)
			if t == nil || base == "Resource" {
				continue
			}
			if p := t.byCode[c.def.Code]; p != nil && p.custom && p.usable() && p.kind == KindReference && !p.urls && refersTo(p, resource) {
				out = append(out, base+":"+p.code)
			}
		}
	}
	return out
}

// definition finds a parameter by its canonical URL.
func (e *Engine) definition(set *parameterSet, url string) *definitions.SearchParameter {
	url, _, _ = strings.Cut(url, "|")
	for _, c := range set.custom {
		if c.def.URL == url {
			return c.def
		}
	}
	return e.defs.SearchParameterByURL(url)
}

// SetParameters replaces the parameters that were given at run time. Those that
// cannot be used are left out, and the issues say why; what CheckParameter passes
// is used. It may be called while the engine works: what runs ends with the
// parameters it began with.
func (e *Engine) SetParameters(list []Custom) []fhir.Issue {
	var given []*custom
	var issues []fhir.Issue
	for _, c := range list {
		def, found := e.readParameter(c.Resource, given)
		issues = append(issues, found...)
		if def != nil {
			given = append(given, &custom{def: def, ready: c.Ready})
		}
	}
	old, set := e.set.Load(), newParameterSet(given)
	// What is compiled of types that no given parameter is about stays.
	old.mu.RLock()
	for name, t := range old.types {
		if len(old.of(name)) == 0 && len(set.of(name)) == 0 {
			set.types[name] = t
		}
	}
	old.mu.RUnlock()
	// Composites may be made of parameters that come later in the list.
	var usable []*custom
	for _, c := range given {
		if c.def.Type != "composite" {
			usable = append(usable, c)
			continue
		}
		if why := e.compositeFault(set, c.def); why != (fhir.Text{}) {
			issues = append(issues, unfit(fhir.TypeNotSupported, "component", why))
			continue
		}
		usable = append(usable, c)
	}
	if len(usable) != len(given) {
		kept := set.types
		set = newParameterSet(usable)
		for name, t := range kept {
			if len(old.of(name)) == 0 && len(set.of(name)) == 0 && !slices.ContainsFunc(t.list, func(p *parameter) bool { return p.custom }) {
				set.types[name] = t
			}
		}
	}
	e.set.Store(set)
	return issues
}

// CheckParameter reports what keeps a SearchParameter resource from being used by
// this server. Without errors SetParameters takes it.
func (e *Engine) CheckParameter(res *fhir.Node) []fhir.Issue {
	set := e.set.Load()
	var others []*custom
	for _, c := range set.custom {
		if c.def.URL != res.Get("url").Text() {
			others = append(others, c)
		}
	}
	def, issues := e.readParameter(res, others)
	if def != nil && def.Type == "composite" {
		if why := e.compositeFault(newParameterSet(append(others, &custom{def: def})), def); why != (fhir.Text{}) {
			issues = append(issues, unfit(fhir.TypeNotSupported, "component", why))
		}
	}
	return issues
}

func (e *Engine) compositeFault(set *parameterSet, def *definitions.SearchParameter) fhir.Text {
	for _, base := range def.Base {
		t := e.compile(set, base)
		if p := t.byCode[def.Code]; p == nil || p.composite == nil {
			why := phrases.Say("it cannot be used")
			if p != nil {
				why = p.refused
			}
			return phrases.Say("{1}: {2}", base, why)
		}
	}
	return fhir.Text{}
}

// PendingParameters names the given parameters that wait for $reindex, by URL.
func (e *Engine) PendingParameters() []string {
	var out []string
	for _, c := range e.set.Load().custom {
		if !c.ready {
			out = append(out, c.def.URL)
		}
	}
	return out
}

// unfit is a finding about an element of a SearchParameter.
func unfit(code fhir.IssueType, element string, said fhir.Text) fhir.Issue {
	found := issue(fhir.Error, code, "search-parameter-definition", said)
	found.Expression = "SearchParameter." + element
	return found
}

// readParameter reads a SearchParameter resource. It is nil with errors among the
// issues, and without any for one that is retired.
func (e *Engine) readParameter(res *fhir.Node, others []*custom) (*definitions.SearchParameter, []fhir.Issue) {
	var issues []fhir.Issue
	fail := func(element, text string, details ...any) {
		issues = append(issues, unfit(fhir.TypeInvalid, element, phrases.Say(text, details...)))
	}
	unsupported := func(element, text string, details ...any) {
		issues = append(issues, unfit(fhir.TypeNotSupported, element, phrases.Say(text, details...)))
	}
	def := &definitions.SearchParameter{
		URL: res.Get("url").Text(), ID: res.ID(), Code: res.Get("code").Text(), Type: res.Get("type").Text(),
		Base: texts(res.Get("base")), Expression: strings.TrimSpace(res.Get("expression").Text()), Description: res.Get("description").Text(),
		Targets: texts(res.Get("target")), MultipleOr: true, MultipleAnd: true,
	}
	switch {
	case res.ResourceType() != "SearchParameter":
		fail("url", "it is no SearchParameter")
	case def.URL == "" || strings.ContainsAny(def.URL, "| \t\n"):
		fail("url", "a canonical URL is needed")
	case e.defs.SearchParameterByURL(def.URL) != nil || def.URL == namePinyin.URL:
		fail("url", "it is that of a parameter which is built in")
	case slices.ContainsFunc(others, func(c *custom) bool { return c.def.URL == def.URL }):
		fail("url", "another parameter has the same")
	}
	if !isCode(def.Code) {
		fail("code", "expected letters, digits, '-' and '_', beginning with a letter")
	}
	if len(def.Base) == 0 {
		fail("base", "a resource type is needed")
	}
	if res.Get("status").Text() == "retired" {
		return nil, issues
	}
	for _, base := range def.Base {
		if !e.defs.IsResource(base) {
			fail("base", "{1} is not a resource type", name(base))
			continue
		}
		taken := e.defs.SearchParameter(base, def.Code) != nil || slices.Contains(namePinyin.Base, base) && def.Code == namePinyin.Code ||
			slices.ContainsFunc(others, func(c *custom) bool { return c.def.Code == def.Code && slices.Contains(c.def.Base, base) })
		if taken {
			fail("code", "{1} has a parameter of this name", base)
		}
	}
	for _, target := range def.Targets {
		if !e.defs.IsResource(target) && target != "Resource" {
			fail("target", "{1} is not a resource type", name(target))
		}
	}
	switch {
	case def.Type == "special" || def.Type == "":
		unsupported("type", "a type is needed, other than special")
	case kinds[def.Type] == 0 && def.Type != "composite":
		fail("type", "{1} is not a type of search parameter", name(def.Type))
	case def.Expression == "":
		unsupported("expression", "an expression is needed")
	case len(def.Expression) > maxExpression:
		unsupported("expression", "it is longer than {1} bytes", maxExpression)
	}
	for _, c := range res.Get("component").Items() {
		def.Components = append(def.Components, definitions.Component{Definition: c.Get("definition").Text(), Expression: c.Get("expression").Text()})
	}
	if fhir.HasErrors(issues) {
		return nil, issues
	}
	for _, base := range def.Base {
		if why := e.expressionFault(def, base); why != (fhir.Text{}) {
			unsupported("expression", "{1}: {2}", base, why)
		}
	}
	if fhir.HasErrors(issues) {
		return nil, issues
	}
	return def, issues
}

// maxExpression bounds the expression of a given parameter.
const maxExpression = 4 << 10

// expressionFault says why an expression finds nothing that can be indexed.
func (e *Engine) expressionFault(def *definitions.SearchParameter, base string) fhir.Text {
	x, err := e.model.Compile(def.Expression, fhirpath.Options{Context: base, Lenient: true})
	if err != nil {
		return textOf(err)
	}
	types := x.Types()
	if types != nil && len(types) == 0 {
		return phrases.Say("it selects nothing")
	}
	allowed := indexable[def.Type]
	if types == nil || allowed == nil {
		return fhir.Text{}
	}
	for _, t := range types {
		if slices.Contains(allowed, t) || t == "Extension" {
			return fhir.Text{}
		}
	}
	slices.Sort(types)
	return phrases.Say("it selects {1}, which a {2} parameter does not find", strings.Join(types, ", "), def.Type)
}

// indexable are the types that a kind of parameter has index values of; kinds that
// take any primitive are not listed.
var indexable = map[string][]string{
	"date":      {"date", "dateTime", "instant", "string", "Period", "Timing"},
	"reference": append([]string{"Reference"}, urlTypes...),
	"number":    {"integer", "decimal", "positiveInt", "unsignedInt", "Range", "Integer", "Decimal"},
	"quantity":  {"Quantity", "Money", "Range", "Age", "Duration", "Distance", "Count", "SimpleQuantity", "MoneyQuantity"},
}

func texts(n *fhir.Node) []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.Text())
	}
	return out
}

// isCode reports whether s can name a parameter in a query.
func isCode(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '_')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// indexVersion changes with every change of what Values makes of a resource.
const indexVersion = 3

// IndexHash tells apart what resources of a type are indexed by: parameters, zone,
// aliases, limits. Where it differs from the one under which a resource was
// written, its index values may too, and $reindex has work to do. Whether a given
// parameter is ready does not count.
func (e *Engine) IndexHash(resource string) string {
	h := sha256.New()
	write := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	l := e.opts.Limits
	write(fmt.Sprint(indexVersion, resource, e.defs.Version(), e.opts.Zone, e.opts.NoContent, l.IndexValues, l.IndexText, l.IndexTerms))
	for _, b := range *e.bases.Load() {
		write(b)
	}
	aliases := *e.aliases.Load()
	for _, from := range slices.Sorted(maps.Keys(aliases)) {
		write(from)
		write(aliases[from])
	}
	for _, c := range e.set.Load().of(resource) {
		d := c.def
		for _, s := range []string{d.URL, d.Code, d.Type, d.Expression, strconv.Itoa(len(d.Components))} {
			write(s)
		}
		for _, c := range d.Components {
			write(c.Definition)
			write(c.Expression)
		}
		for _, t := range d.Targets {
			write(t)
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
