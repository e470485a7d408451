package search

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

// maxExtension bounds how deep a value is looked for in extensions.
const maxExtension = 4

// add makes index values of one found value by the kind of the parameter.
func (x *indexer) add(v *fhirpath.Value, depth int) {
	if v.Type() == "Extension" && v.Kind() == fhirpath.Element {
		x.addExtension(v.Node(), depth)
		return
	}
	switch x.param.kind {
	case KindToken:
		x.addToken(v)
	case KindString:
		x.addString(v)
	case KindDate:
		x.addDate(v)
	case KindReference:
		x.addReference(v)
	case KindNumber:
		x.addNumber(v)
	case KindQuantity:
		x.addQuantity(v)
	case KindURI:
		x.addURI(v)
	}
}

// addExtension indexes the value of an extension as if it stood in its place.
func (x *indexer) addExtension(n *fhir.Node, depth int) {
	if depth >= maxExtension {
		return
	}
	extension := x.engine.defs.Type("Extension")
	for _, k := range n.All() {
		p := extension.Child(k.Name())
		if p == nil || !p.Element.Choice() {
			continue
		}
		v := x.engine.model.Element(fhir.Element{Value: k}, p)
		x.add(&v, depth+1)
	}
}

func (x *indexer) addToken(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Boolean":
		if truth, ok := v.Bool(); ok {
			x.token("", map[bool]string{true: "true", false: "false"}[truth], "", "")
		}
	case "Coding":
		x.coding(n)
	case "CodeableConcept":
		text := x.fold(n.Get("text").Text())
		for _, c := range n.Get("coding").Items() {
			if x.coding(c) == text {
				text = ""
			}
		}
		if text != "" {
			x.token("", "", text, "")
		}
	case "Identifier":
		x.identifier(n)
	case "ContactPoint":
		if value := n.Get("value").Text(); value != "" {
			x.token(n.Get("system").Text(), value, "", "")
		}
	case "code":
		if code := n.Text(); code != "" {
			x.token(x.param.systemOf(code), code, "", "")
		}
	default:
		// Any other primitive: string, id, uri, boolean, integer …
		if text := n.Text(); text != "" {
			x.token("", text, "", "")
		}
	}
}

func (x *indexer) token(system, code, text, typ string) {
	x.values.Tokens = append(x.values.Tokens, Token{Param: x.param.code, System: system, Code: code, Text: text, Type: typ})
}

// coding indexes a Coding and returns the folded display.
func (x *indexer) coding(n *fhir.Node) string {
	system, code, display := n.Get("system").Text(), n.Get("code").Text(), x.fold(n.Get("display").Text())
	if system != "" || code != "" || display != "" {
		x.token(x.engine.opts.Aliases.Canonical(system), code, display, "")
	}
	return display
}

// identifier indexes an Identifier, once for each coding of its type.
func (x *indexer) identifier(n *fhir.Node) {
	system, value := x.engine.opts.Aliases.Canonical(n.Get("system").Text()), n.Get("value").Text()
	if system == "" && value == "" {
		return
	}
	kind := n.Get("type")
	text := x.fold(kind.Get("text").Text())
	codings := kind.Get("coding").Items()
	if len(codings) == 0 {
		x.token(system, value, text, "")
	}
	for _, c := range codings {
		shown := text
		if shown == "" {
			shown = x.fold(c.Get("display").Text())
		}
		x.token(system, value, shown, c.Get("system").Text()+"|"+c.Get("code").Text())
	}
}

func (x *indexer) fold(s string) string {
	if s == "" {
		return ""
	}
	return Fold(cut(s, x.engine.opts.Limits.IndexText))
}

// The parts of the data types that a string parameter on them searches.
var (
	nameParts    = []string{"text", "family", "given", "prefix", "suffix"}
	addressParts = []string{"text", "line", "city", "district", "state", "postalCode", "country"}
)

func (x *indexer) addString(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "HumanName":
		x.parts(n, nameParts)
		x.joinedName(n)
	case "Address":
		x.parts(n, addressParts)
	case "CodeableConcept":
		x.text(n.Get("text").Text())
		for _, c := range n.Get("coding").Items() {
			x.text(c.Get("display").Text())
		}
	case "Coding":
		x.text(n.Get("display").Text())
	default:
		if n.Kind() == fhir.String {
			x.text(n.Text())
		} else if v.Kind() == fhirpath.String {
			x.text(v.String())
		}
	}
}

func (x *indexer) parts(n *fhir.Node, names []string) {
	for _, name := range names {
		part := n.Get(name)
		if part.Kind() == fhir.String {
			x.text(part.Text())
			continue
		}
		for _, item := range part.All() {
			x.text(item.Text())
		}
	}
}

// joinedName indexes a Chinese name that is only given in parts also as it is
// written, without a space.
func (x *indexer) joinedName(n *fhir.Node) {
	family := n.Get("family").Text()
	if n.Get("text") != nil || family == "" || !han(family) {
		return
	}
	var b strings.Builder
	b.WriteString(family)
	for _, g := range n.Get("given").Items() {
		if !han(g.Text()) {
			return
		}
		b.WriteString(g.Text())
	}
	x.text(b.String())
}

func han(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) && r != '·' {
			return false
		}
	}
	return s != ""
}

func (x *indexer) text(s string) {
	s = cut(s, x.engine.opts.Limits.IndexText)
	if folded := Fold(s); folded != "" {
		x.values.Strings = append(x.values.Strings, String{Param: x.param.code, Folded: folded, Exact: s})
	}
}

func (x *indexer) addDate(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "date", "dateTime", "instant":
		if low, high, ok := x.interval(n); ok {
			x.date(low, high)
		}
	case "string":
		// Free text where a date could be; it may be none.
		if low, high, ok := interval(n.Text(), x.engine.opts.Zone); ok {
			x.date(low, high)
		}
	case "Period":
		x.period(n)
	case "Timing":
		x.timing(n)
	}
}

func (x *indexer) date(low, high int64) {
	x.values.Dates = append(x.values.Dates, Date{Param: x.param.code, Low: low, High: high})
}

// interval reads a date node; one without a value is skipped.
func (x *indexer) interval(n *fhir.Node) (low, high int64, ok bool) {
	if n.Kind() != fhir.String {
		return 0, 0, false
	}
	if low, high, ok = interval(n.Text(), x.engine.opts.Zone); !ok {
		x.unreadable(n, "a date")
	}
	return low, high, ok
}

// bounds reads a Period; a missing end is open.
func (x *indexer) bounds(n *fhir.Node) (low, high int64, ok bool) {
	low, high = MinTime, MaxTime
	start, _, hasStart := x.interval(n.Get("start"))
	_, end, hasEnd := x.interval(n.Get("end"))
	if hasStart {
		low = start
	}
	if hasEnd {
		high = end
	}
	return low, high, (hasStart || hasEnd) && low < high
}

func (x *indexer) period(n *fhir.Node) {
	if low, high, ok := x.bounds(n); ok {
		x.date(low, high)
	}
}

// timing indexes the outer limits of a Timing; its details do not count.
func (x *indexer) timing(n *fhir.Node) {
	low, high := int64(MaxTime), int64(MinTime)
	for _, event := range n.Get("event").Items() {
		if l, h, ok := x.interval(event); ok {
			low, high = min(low, l), max(high, h)
		}
	}
	if l, h, ok := x.bounds(n.Path("repeat", "boundsPeriod")); ok {
		low, high = min(low, l), max(high, h)
	}
	if low < high {
		x.date(low, high)
	}
}

func (x *indexer) addReference(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Reference":
		if text := n.Get("reference").Text(); text != "" && !strings.HasPrefix(text, "#") {
			x.reference(x.engine.reference(text))
		}
		if id := n.Get("identifier"); id.Get("value").Text() != "" {
			x.reference(Reference{
				Type:   n.Get("type").Text(),
				System: x.engine.opts.Aliases.Canonical(id.Get("system").Text()),
				Value:  id.Get("value").Text(),
			})
		}
	case "canonical", "uri", "url", "oid", "uuid":
		if text := n.Text(); text != "" && !strings.HasPrefix(text, "#") {
			x.reference(Reference{URL: text})
			// A search without a version finds all of them.
			if url, _, versioned := strings.Cut(text, "|"); versioned {
				x.reference(Reference{URL: url})
			}
		}
	default:
		// A resource inside, as the first entry of a Bundle is.
		if id := n.ID(); id != "" && slices.Contains(x.param.targets, n.ResourceType()) {
			x.reference(Reference{Type: n.ResourceType(), ID: id})
		}
	}
}

func (x *indexer) reference(r Reference) {
	r.Param = x.param.code
	x.values.References = append(x.values.References, r)
}

// reference tells local references, relative or under one of the server's own
// addresses, from others. A version is not part of what is searched.
func (e *Engine) reference(text string) Reference {
	local := text
	for _, base := range e.opts.Bases {
		if rest, ok := strings.CutPrefix(text, base); ok {
			local = rest
			break
		}
	}
	if i := strings.Index(local, "/_history/"); i >= 0 {
		local = local[:i]
	}
	if typ, id, ok := strings.Cut(local, "/"); ok && e.defs.IsResource(typ) && isID(id) {
		return Reference{Type: typ, ID: id}
	}
	return Reference{URL: text}
}

// isID reports whether s is a logical id.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func (x *indexer) addNumber(v *fhirpath.Value) {
	n := v.Node()
	switch {
	case n.Kind() == fhir.Number:
		if d, ok := readDecimal(n.Text()); ok {
			x.number(d.low, d.high)
		}
	case v.Type() == "Range":
		if low, high, ok := rangeOf(n); ok {
			x.number(low, high)
		}
	}
}

func (x *indexer) number(low, high float64) {
	x.values.Numbers = append(x.values.Numbers, Number{Param: x.param.code, Low: low, High: high})
}

// rangeOf returns the interval of a Range; a missing end is open.
func rangeOf(n *fhir.Node) (low, high float64, ok bool) {
	low, high = math.Inf(-1), math.Inf(1)
	if d, has := readDecimal(n.Path("low", "value").Text()); has {
		low, ok = d.low, true
	}
	if d, has := readDecimal(n.Path("high", "value").Text()); has {
		high, ok = d.high, true
	}
	return low, high, ok && low < high
}

const (
	ucumSystem     = "http://unitsofmeasure.org"
	currencySystem = "urn:iso:std:iso:4217"
)

func (x *indexer) addQuantity(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Money":
		if d, ok := readDecimal(n.Get("value").Text()); ok {
			currency := n.Get("currency").Text()
			x.quantity(Quantity{Low: d.low, High: d.high, System: currencySystem, Code: currency, Unit: currency})
		}
	case "Range":
		low, high, ok := rangeOf(n)
		unit := n.Get("low")
		if unit == nil {
			unit = n.Get("high")
		}
		if ok {
			x.quantity(quantityOf(unit, low, high))
		}
	case "Quantity", "Age", "Duration", "Distance", "Count":
		if d, ok := readDecimal(n.Get("value").Text()); ok {
			low, high := compared(n.Get("comparator").Text(), d)
			x.quantity(quantityOf(n, low, high))
		}
	}
}

// compared widens a value with a comparator to what it may stand for.
func compared(comparator string, d decimal) (low, high float64) {
	switch comparator {
	case "<":
		return math.Inf(-1), d.value
	case "<=":
		return math.Inf(-1), d.high
	case ">":
		// Above the value by more than what stores allow for rounding.
		return d.value + max(math.Abs(d.value)*1e-9, 1e-12), math.Inf(1)
	case ">=":
		return d.low, math.Inf(1)
	}
	return d.low, d.high
}

func quantityOf(n *fhir.Node, low, high float64) Quantity {
	return Quantity{
		Low: low, High: high,
		System: n.Get("system").Text(), Code: n.Get("code").Text(), Unit: n.Get("unit").Text(),
	}
}

func (x *indexer) quantity(q Quantity) {
	q.Param = x.param.code
	if q.System == ucumSystem && q.Code != "" {
		if u, ok := ucum.Parse(q.Code); ok {
			q.CanonicalCode = u.Canonical()
			q.CanonicalLow, q.CanonicalHigh = u.Float(q.Low), u.Float(q.High)
		}
	}
	x.values.Quantities = append(x.values.Quantities, q)
}

func (x *indexer) addURI(v *fhirpath.Value) {
	if n := v.Node(); n.Kind() == fhir.String && n.Text() != "" {
		x.values.URIs = append(x.values.URIs, URI{Param: x.param.code, Value: n.Text()})
		if url, _, versioned := strings.Cut(n.Text(), "|"); versioned && v.Type() == "canonical" {
			x.values.URIs = append(x.values.URIs, URI{Param: x.param.code, Value: url})
		}
	}
}
