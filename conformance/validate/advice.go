package validate

import (
	"context"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// objectAdvice are what a thorough validator tests of objects of a type.
func (v *Validator) objectAdvice(e *definitions.Element) []check {
	switch e.Path {
	case "Coding":
		return []check{v.checkCoding}
	case "Quantity", "Age", "Distance", "Duration", "Count", "MoneyQuantity", "SimpleQuantity":
		return []check{checkUnit}
	case "Attachment":
		return []check{checkAttachment}
	case "Reference":
		return []check{v.checkResolves}
	case "Extension":
		return []check{v.checkExtensionURL}
	}
	return nil
}

// fieldAdvice are what a thorough validator tests of values of a property.
func (v *Validator) fieldAdvice(p *definitions.Property) []adviser {
	var out []adviser
	if a := v.bindingAdvice(p); a != nil {
		out = append(out, a)
	}
	switch p.Type {
	case "string":
		out = append(out, func(r *run, e fhir.Element) { r.adviseHTML(e.Value, msgStringHTML, fhir.Information) })
	case "markdown":
		out = append(out, func(r *run, e fhir.Element) { r.adviseHTML(e.Value, msgMarkdownHTML, fhir.Warning) })
	case "date", "dateTime", "instant":
		out = append(out, adviseYear)
	case "Extension":
		modifier := p.Name == "modifierExtension"
		out = append(out, func(r *run, e fhir.Element) { v.adviseExtension(r, e.Value, modifier) })
	case "Reference":
		if a := v.targetAdvice(p); a != nil {
			out = append(out, a)
		}
	case "Narrative":
		out = append(out, adviseNarrative)
	}
	return out
}

// bindingAdvice tests codes against value sets that need not be kept to, and
// against those that bound them; nil where there is nothing to test.
func (v *Validator) bindingAdvice(p *definitions.Property) adviser {
	b := p.Element.Binding
	if b == nil {
		return nil
	}
	bound := binding{strength: b.Strength, url: b.ValueSet, maximum: b.Max}
	if b.Strength == definitions.BindingRequired {
		return nil // bindingCheck
	}
	if b.Strength != definitions.BindingExample {
		bound.set = named(b.ValueSet)
	}
	bound.most = named(b.Max)
	if bound.set == nil && bound.most == nil {
		return nil
	}
	typ := p.Type
	if p.Element.Path == "ElementDefinition.type.code" {
		return func(r *run, e fhir.Element) {
			if e.Value != nil && !systemTypes[e.Value.Text()] {
				r.bound(&bound, typ, e.Value)
			}
		}
	}
	return func(r *run, e fhir.Element) {
		if e.Value != nil {
			r.bound(&bound, typ, e.Value)
		}
	}
}

// systemTypes are the types of FHIRPath, which elements have too, such as every id. The value set of types does not
// list them.
var systemTypes = set(fhirpathTypes + "System.Boolean " + fhirpathTypes + "System.String " + fhirpathTypes + "System.Integer " +
	fhirpathTypes + "System.Decimal " + fhirpathTypes + "System.Date " + fhirpathTypes + "System.DateTime " +
	fhirpathTypes + "System.Time " + fhirpathTypes + "System.Quantity")

// binding is a compiled binding.
type binding struct {
	strength, url, maximum string
	set, most              *valueSet
}

// bound tests a value against a binding that it is not required to keep to.
func (r *run) bound(b *binding, typ string, n *fhir.Node) {
	if most := b.most.find(r.v); most != nil {
		if m, coded := r.member(most, typ, n); coded && m == definitions.NotMember {
			r.fail(n, msgCodeMaximum, b.maximum)
		}
	}
	set := b.set.find(r.v)
	if set == nil {
		return
	}
	m, coded := r.member(set, typ, n)
	if !coded || m != definitions.NotMember {
		return
	}
	switch b.strength {
	case definitions.BindingRequired:
		r.fail(n, requiredMessage(typ), b.url)
	case definitions.BindingExtensible:
		r.report(n, fhir.Warning, msgCodeExtensible, b.url)
	case definitions.BindingPreferred:
		r.report(n, fhir.Information, msgCodePreferred, b.url)
	}
}

func requiredMessage(typ string) message {
	switch typ {
	case "Coding":
		return msgCodingUnknown
	case "CodeableConcept":
		return msgConceptUnknown
	case "Quantity", "Age", "Distance", "Duration", "Count", "Money":
		return msgUnitUnknown
	}
	return msgCodeUnknown
}

// checkCoding tests that a coding's system is one, and has the code.
func (v *Validator) checkCoding(r *run, n *fhir.Node) {
	system, code := n.Get("system"), n.Get("code")
	if code.Kind() != fhir.String {
		return
	}
	if system.Kind() != fhir.String {
		r.report(n, fhir.Warning, msgSystemMissing)
		return
	}
	url := system.Text()
	if scheme, _, ok := strings.Cut(url, ":"); !ok || !validScheme(scheme) {
		r.reportBelow(system, fhir.Error, msgSystemRelative, "system")
		return
	}
	if strings.Contains(url, "/ValueSet/") && v.valueSet(url) != nil {
		r.reportBelow(system, fhir.Error, msgSystemValueSet, "system")
		return
	}
	known := v.system(url, n.Get("version").Text())
	if known == nil {
		return
	}
	about := known.Describe()
	if about.Content == terminology.NotPresent || about.Count == 0 {
		return
	}
	if v.drafted(about) && r.path[len(r.path)-1].name != "coding" {
		r.report(n, fhir.Information, msgSystemDraft, about.URL)
	}
	concept, is, err := known.Lookup(context.Background(), code.Text())
	switch {
	case err != nil:
		return
	case !is:
		r.missingCode(about, code)
		return
	}
	display := n.Get("display")
	if display.Kind() != fhir.String || v.options.Displays == "" || !r.english() || concept.Display == "" || sameFold(concept.Display, display.Text()) {
		return
	}
	details, _, err := known.Details(context.Background(), code.Text())
	if err != nil {
		return
	}
	for _, d := range details.Designations {
		if sameFold(d.Value, display.Text()) {
			return
		}
	}
	r.reportBelow(display, v.options.Displays, msgDisplayWrong, "display", about.URL)
}

// missingCode reports a code that its system does not have, as far as the system
// is known.
func (r *run) missingCode(about *terminology.Description, code *fhir.Node) {
	switch {
	case about.URL == terminology.UCUM:
		r.reportBelow(code, fhir.Warning, msgUCUMInvalid, "code")
	case about.Count == terminology.Infinite: // a grammar, which is read more strictly than it is used
		r.reportBelow(code, fhir.Warning, msgCodeNotInSystem, "code", about.URL)
	case strings.HasPrefix(about.URL, v2Tables):
		// R4 has them as they were in 2019, and sites add to many of them.
		if !nationalNumber(about.URL, code.Text()) {
			r.reportBelow(code, fhir.Warning, msgCodeNotInSystem, "code", about.URL)
		}
	case about.Content == terminology.Complete:
		r.reportBelow(code, fhir.Error, msgCodeNotInSystem, "code", about.URL)
	case about.Content == terminology.Fragment:
		r.reportBelow(code, fhir.Warning, msgCodeNotInFragment, "code", about.URL)
	}
}

// drafted reports whether a code system is a draft. Those of the specification
// that are not FHIR's own were all published as such.
func (v *Validator) drafted(about *terminology.Description) bool {
	return about.Status == "draft" && (strings.HasPrefix(about.URL, "http://hl7.org/fhir/") || v.defs.CodeSystem(about.URL) == nil)
}

// v2Tables are the tables of HL7 v2 as code systems.
const v2Tables = "http://terminology.hl7.org/CodeSystem/v2-"

// nationalNumber reports whether a kind of identifier is one of the many that the
// table has as NNxxx: NN and the country in three letters.
func nationalNumber(table, code string) bool {
	if table != v2Tables+"0203" || len(code) != len("NNxxx") || !strings.HasPrefix(code, "NN") {
		return false
	}
	for _, c := range []byte(code) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// english reports whether texts of the resource are to be in English, the
// language in which displays are known.
func (r *run) english() bool {
	language := r.scope.node.Get("language").Text()
	return language == "" || language == "en" || strings.HasPrefix(language, "en-")
}

// checkUnit tests that a unit which claims to be UCUM's is.
func checkUnit(r *run, n *fhir.Node) {
	code := n.Get("code")
	if code.Kind() != fhir.String || n.Get("system").Text() != terminology.UCUM {
		return
	}
	if !ucum.Valid(code.Text()) {
		r.reportBelow(code, fhir.Warning, msgUCUMInvalid, "code")
	}
}

// checkAttachment tests that the size is that of the data.
func checkAttachment(r *run, n *fhir.Node) {
	data, size := n.Get("data"), n.Get("size")
	if data.Kind() != fhir.String || size.Kind() != fhir.Number || !validBase64(data.Text()) {
		return
	}
	if told, err := strconv.Atoi(size.Text()); err == nil && told != base64Size(data.Text()) {
		r.fail(n, msgAttachmentSize)
	}
}

// base64Size is how many bytes base64 stands for.
func base64Size(s string) int {
	n, padding := 0, 0
	for i := range len(s) {
		switch {
		case s[i] == '=':
			padding++
			n++
		case !isSpace(s[i]):
			n++
		}
	}
	return n/4*3 - padding
}

// adviseHTML looks for what a page would take for a tag.
func (r *run) adviseHTML(n *fhir.Node, m message, severity fhir.Severity) {
	if n.Kind() != fhir.String {
		return
	}
	s := n.Text()
	s = s[:min(len(s), maxString)]
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 || i+1 >= len(s) {
			return
		}
		s = s[i+1:]
		name, rest := scanName(strings.TrimPrefix(s, "/"))
		if name == "" || m == msgStringHTML && !htmlName(name) || strings.Contains(name, ":") {
			continue
		}
		if rest = strings.TrimLeft(rest, " \t\r\n"); rest == "" || rest[0] != '>' && rest[0] != '/' && !letter(rest[0]) {
			continue
		}
		if !strings.Contains(s, ">") {
			return
		}
		if r.v.options.Security {
			severity = fhir.Error
		}
		r.report(n, severity, m)
		return
	}
}

// htmlName reports whether a word behind < is the name of an element of HTML.
func htmlName(name string) bool {
	name = strings.ToLower(name)
	return narrativeElements[name] || harmfulElements[name]
}

var harmfulElements = set(`script style iframe object embed form input button link base frame frameset applet svg
	math video audio body head html meta`)

// Years outside of which a date is more likely a slip than meant.
const (
	earliestYear = 1800
	latestYear   = 2100
)

func adviseYear(r *run, e fhir.Element) {
	text := e.Value.Text()
	if len(text) < 4 {
		return
	}
	if year, err := strconv.Atoi(text[:4]); err == nil && (year <= earliestYear || year >= latestYear) && (len(text) == 4 || text[4] == '-') {
		r.report(e.Value, fhir.Warning, msgDateUnlikely)
	}
}

// adviseNarrative tests that the narrative is in the language of the resource.
func adviseNarrative(r *run, e fhir.Element) {
	language := r.scope.node.Get("language").Text()
	div := e.Value.Get("div").Text()
	if strings.Contains(div[:min(len(div), maxString)], " xml:space=\"") {
		r.reportBelow(e.Value, fhir.Information, msgNarrativeSpace, "div")
	}
	if language == "" || div == "" {
		return
	}
	head, rest, _ := strings.Cut(div, ">")
	if !strings.Contains(head, "lang=") { // the first section may say
		if inner, ok := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), "<div"); ok {
			head, _, _ = strings.Cut(inner, ">")
		}
	}
	for _, name := range []string{" xml:lang=", " lang="} {
		_, after, ok := strings.Cut(head, name)
		if !ok || len(after) < 2 {
			continue
		}
		value, _, _ := strings.Cut(after[1:], after[:1])
		if value != language {
			root := r.path
			r.path = r.path[:len(r.path)-1]
			r.report(e.Value, fhir.Warning, msgNarrativeLanguage)
			r.path = root
			return
		}
	}
}
