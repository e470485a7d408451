package reference

import (
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Page sizes.
const (
	defaultCount = 20
	maxCount     = 200
)

var model = sync.OnceValue(func() *fhirpath.Model { return fhirpath.NewModel(definitions.R4()) })

// control are parameters that do not select.
var control = []string{"_count", "_offset", "_format", "_sort", "_total", "_summary", "_pretty", "_elements", "_include",
	"_revinclude"}

func (s *Server) search(r *request, kind string) *answer {
	lenient := strings.Contains(r.header.Get("Prefer"), "handling=lenient")
	ids, wrong := s.find(kind, r.query, lenient)
	if wrong != nil {
		return wrong
	}
	count, offset := defaultCount, 0
	if c, err := strconv.Atoi(r.query.Get("_count")); err == nil && c >= 0 {
		count = min(c, maxCount)
	}
	if o, err := strconv.Atoi(r.query.Get("_offset")); err == nil && o > 0 {
		offset = min(o, len(ids))
	}
	summary := r.query.Get("_summary")
	if !slices.Contains([]string{"", "true", "text", "data", "count", "false"}, summary) {
		return invalid("there is no such summary")
	}
	if s.faults[SummaryIgnored] {
		summary = ""
	}
	if summary == "count" {
		count = 0
	}
	page := ids[offset:min(offset+count, len(ids))]
	if s.faults[SearchPageSkips] && offset > 0 && len(page) > 0 {
		page = page[1:]
	}
	total := len(ids)
	if s.faults[SearchTotalWrong] {
		total = len(page)
	}
	b := fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", "searchset")
	b.Set("total", fhir.NewNumber(strconv.Itoa(total)))
	b.Set("link", s.links(r, kind, offset, count, len(ids)))
	included, wrong := s.included(r.query, kind, page)
	if wrong != nil {
		return wrong
	}
	entries := fhir.NewArray()
	add := func(kind, id, mode string) {
		e := fhir.NewObject()
		if !s.faults[SearchNoFullURL] {
			e.SetString("fullUrl", s.base+"/"+kind+"/"+id)
		}
		n := s.subset(kind, s.lastLiving(kind, id).node, summary, r.query.Get("_elements"))
		entries.Append(e.Set("resource", n).Set("search", fhir.NewObject().SetString("mode", mode)))
	}
	for _, id := range page {
		add(kind, id, "match")
	}
	for _, k := range included {
		mode := "include"
		if s.faults[IncludeAsMatch] {
			mode = "match"
		}
		add(k.kind, k.id, mode)
	}
	if entries.Len() > 0 {
		b.Set("entry", entries)
	}
	return &answer{status: http.StatusOK, node: b}
}

func (s *Server) links(r *request, kind string, offset, count, total int) *fhir.Node {
	link := func(relation string, at int) *fhir.Node {
		q := url.Values{}
		for name, values := range r.query {
			if name != "_offset" && (at == 0 || name == "_count" || !s.faults[SearchNextUnfiltered]) {
				q[name] = values
			}
		}
		if at > 0 {
			q.Set("_offset", strconv.Itoa(at))
		}
		target := s.base + "/" + kind
		if len(q) > 0 {
			target += "?" + q.Encode()
		}
		return fhir.NewObject().SetString("relation", relation).SetString("url", target)
	}
	size := max(count, 1)
	last := max(0, (total-1)/size*size)
	list := fhir.NewArray(link("self", offset), link("first", 0), link("last", last))
	if offset > 0 {
		list.Append(link("previous", max(0, offset-size)))
	}
	if count > 0 && offset+count < total && !s.faults[SearchNoNext] {
		next := offset + count
		if s.faults[SearchNextRepeats] {
			next = offset
		}
		list.Append(link("next", next))
	}
	return list
}

// lastLiving is the last version that is no deletion.
func (s *Server) lastLiving(kind, id string) *version {
	all := s.versions(kind, id)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].node != nil {
			return &all[i]
		}
	}
	return nil
}

// find returns the ids a query matches, in the order they were made, or by _sort.
func (s *Server) find(kind string, query url.Values, lenient bool) ([]string, *answer) {
	var hits []hit
	for id, all := range s.stored[kind] {
		v := s.current(kind, id)
		if v.node == nil && s.faults[DeletedStillFound] {
			v = s.lastLiving(kind, id)
		}
		if v != nil && v.node != nil {
			hits = append(hits, hit{id, all[0].change, v})
		}
	}
	for name, values := range query {
		if slices.Contains(control, name) {
			continue
		}
		if s.faults[SearchIgnoresParameter] && !strings.HasPrefix(name, "_") {
			continue
		}
		if s.faults[SearchRepeatsIgnored] {
			values = values[len(values)-1:]
		}
		for _, value := range values {
			test, wrong := s.predicate(kind, name, value, 0)
			switch {
			case wrong == errUnknownParameter && (lenient || s.faults[SearchUnknownIgnored]):
				continue
			case wrong != nil:
				return nil, wrong
			}
			hits = slices.DeleteFunc(hits, func(h hit) bool { return !test(h.id, h.v.node) })
		}
	}
	if wrong := s.sort(kind, query.Get("_sort"), hits); wrong != nil {
		return nil, wrong
	}
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.id
	}
	return ids, nil
}

func supported(p *definitions.SearchParameter) bool {
	switch p.Type {
	case "string", "token", "reference", "date", "number", "quantity", "uri":
		return p.Expression != ""
	}
	return false
}

// parameter returns a parameter that can be searched by, nil if there is none.
func (s *Server) parameter(kind, code string) *definitions.SearchParameter {
	if p := s.defs.SearchParameter(kind, code); p != nil && supported(p) {
		return p
	}
	return nil
}

// modifiers of the types of parameters; "missing" is one of all, a resource type one of references.
var modifiers = map[string][]string{"string": {"exact", "contains"}, "token": {"not", "text"}, "reference": {"identifier"},
	"uri": {"below"}}

// values evaluates a parameter's expression.
func (s *Server) values(param *definitions.SearchParameter, n *fhir.Node) []fhirpath.Value {
	x, err := model().Compile(param.Expression, fhirpath.Options{Lenient: true})
	if err != nil {
		return nil
	}
	found, err := x.Evaluate(&fhirpath.Env{Resolver: fhirpath.TypesOnly}, n)
	if err != nil {
		return nil
	}
	return found
}

// test makes the predicate of one parameter with one value; commas mean or.
func (s *Server) test(param *definitions.SearchParameter, modifier, value string) (func(*fhir.Node) bool, *answer) {
	switch {
	case value == "":
		return nil, invalid("the parameter has no value")
	case modifier == "missing" && value != "true" && value != "false":
		return nil, invalid("the value is neither true nor false")
	case param.Type == "reference" && s.defs.IsResource(modifier):
		value, modifier = modifier+"/"+strings.ReplaceAll(value, ",", ","+modifier+"/"), ""
	case modifier != "" && modifier != "missing" && !slices.Contains(modifiers[param.Type], modifier):
		return nil, invalid("the parameter has no such modifier")
	}
	if s.faults[SearchModifierIgnored] && modifier != "missing" {
		modifier = ""
	}
	alternatives := strings.Split(value, ",")
	if s.faults[SearchOrIgnored] {
		alternatives = alternatives[:1]
	}
	if modifier != "missing" {
		for _, a := range alternatives {
			if wrong := malformed(param.Type, a); wrong != nil {
				if s.faults[SearchMalformedEmpty] {
					return func(*fhir.Node) bool { return false }, nil
				}
				return nil, wrong
			}
		}
	}
	return func(n *fhir.Node) bool {
		found := s.values(param, n)
		if modifier == "missing" {
			return s.faults[SearchMissingIgnored] || (len(found) == 0) == (value == "true")
		}
		any := slices.ContainsFunc(found, func(v fhirpath.Value) bool {
			return slices.ContainsFunc(alternatives, func(a string) bool { return s.matches(param.Type, modifier, v, a) })
		})
		return any != (modifier == "not")
	}, nil
}

// malformed says what is wrong with a value of a type of parameter, nil if nothing is.
func malformed(kind, value string) *answer {
	switch kind {
	case "date":
		if _, _, ok := period(trimPrefix(value)); !ok {
			return invalid("the value is no date")
		}
	case "number", "quantity":
		number, _, _ := strings.Cut(trimPrefix(value), "|")
		if _, err := strconv.ParseFloat(number, 64); err != nil {
			return invalid("the value is no number")
		}
	}
	return nil
}

func (s *Server) matches(kind, modifier string, v fhirpath.Value, want string) bool {
	n := v.Node()
	switch kind {
	case "string":
		return slices.ContainsFunc(texts(n), func(t string) bool { return s.stringMatches(modifier, t, want) })
	case "token":
		if modifier == "text" {
			return slices.ContainsFunc(append(texts(n.Get("text")), texts(n.Get("coding"))...), func(t string) bool {
				return s.stringMatches("contains", t, want)
			})
		}
		return s.tokenMatches(n, want)
	case "reference":
		if modifier == "identifier" {
			return n.Get("identifier") != nil && s.tokenMatches(n.Get("identifier"), want)
		}
		ref := n.Text()
		if n.Kind() == fhir.Object {
			ref = n.Get("reference").Text()
		}
		ref = strings.TrimPrefix(ref, s.base+"/")
		return ref == strings.TrimPrefix(want, s.base+"/") || !strings.Contains(want, "/") && strings.HasSuffix(ref, "/"+want)
	case "date":
		return dateMatches(n, s.prefixed(want))
	case "number", "quantity":
		return numberMatches(n, s.prefixed(want))
	}
	return n.Text() == want || modifier == "below" && strings.HasPrefix(n.Text(), strings.TrimSuffix(want, "/")+"/")
}

// texts are all strings below an element, as of a name or an address.
func texts(n *fhir.Node) []string {
	switch n.Kind() {
	case fhir.String:
		return []string{n.Text()}
	case fhir.Object, fhir.Array:
		var out []string
		for _, c := range n.All() {
			if c.Name() != "use" && c.Name() != "period" && c.Name() != "type" {
				out = append(out, texts(c)...)
			}
		}
		return out
	}
	return nil
}

func (s *Server) stringMatches(modifier, text, want string) bool {
	if modifier == "exact" {
		return text == want
	}
	if !s.faults[SearchCaseSensitive] {
		text, want = strings.ToLower(text), strings.ToLower(want)
	}
	if modifier == "contains" {
		return strings.Contains(text, want)
	}
	return strings.HasPrefix(text, want)
}

func (s *Server) tokenMatches(n *fhir.Node, want string) bool {
	if list := n.Get("coding"); list != nil { // CodeableConcept
		return slices.ContainsFunc(list.Items(), func(c *fhir.Node) bool { return s.tokenMatches(c, want) })
	}
	system, code := "", n.Text()
	if n.Kind() == fhir.Object {
		system = n.Get("system").Text()
		if code = n.Get("code").Text(); code == "" {
			code = n.Get("value").Text()
		}
	}
	wantSystem, wantCode, both := strings.Cut(want, "|")
	switch {
	case !both:
		return code == want
	case s.faults[SearchSystemIgnored]:
		return code == wantCode
	}
	return system == wantSystem && (wantCode == "" || code == wantCode)
}

var prefixes = []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

func trimPrefix(s string) string {
	if len(s) > 2 && slices.Contains(prefixes, s[:2]) {
		return s[2:]
	}
	return s
}

// prefixed is a value as it is compared.
func (s *Server) prefixed(value string) string {
	if s.faults[SearchPrefixIgnored] {
		return trimPrefix(value)
	}
	return value
}

// period is the time from and to which a date of any precision stands for.
func period(s string) (from, to time.Time, ok bool) {
	for _, f := range []struct {
		layout string
		end    func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
		{"2006-01-02T15:04:05.999999999Z07:00", func(t time.Time) time.Time { return t.Add(time.Second) }},
	} {
		if t, err := time.Parse(f.layout, s); err == nil {
			return t, f.end(t), true
		}
	}
	return time.Time{}, time.Time{}, false
}

func dateMatches(n *fhir.Node, want string) bool {
	var from, to time.Time
	var ok bool
	if n.Kind() == fhir.Object { // Period
		from, _, ok = period(n.Get("start").Text())
		if _, to, _ = period(n.Get("end").Text()); to.IsZero() {
			to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	} else {
		from, to, ok = period(n.Text())
	}
	wantFrom, wantTo, valid := period(trimPrefix(want))
	if !ok || !valid {
		return false
	}
	within := !from.Before(wantFrom) && !to.After(wantTo)
	switch want[:min(2, len(want))] {
	case "ne":
		return !within
	case "gt", "sa":
		return to.After(wantTo)
	case "lt", "eb":
		return from.Before(wantFrom)
	case "ge":
		return within || to.After(wantTo)
	case "le":
		return within || from.Before(wantFrom)
	}
	return within
}

func numberMatches(n *fhir.Node, want string) bool {
	text := n.Text()
	parts := strings.Split(trimPrefix(want), "|")
	if n.Kind() == fhir.Object { // Quantity
		text = n.Get("value").Text()
		if len(parts) == 3 && parts[2] != "" && n.Get("code").Text() != parts[2] && n.Get("unit").Text() != parts[2] {
			return false
		}
	}
	if len(text) > 64 || len(parts[0]) > 64 || strings.ContainsAny(text+parts[0], "eE/") {
		return false
	}
	got, ok1 := new(big.Rat).SetString(text)
	asked, ok2 := new(big.Rat).SetString(parts[0])
	if !ok1 || !ok2 {
		return false
	}
	order := got.Cmp(asked)
	switch want[:min(2, len(want))] {
	case "ne":
		return order != 0
	case "gt", "sa":
		return order > 0
	case "lt", "eb":
		return order < 0
	case "ge":
		return order >= 0
	case "le":
		return order <= 0
	}
	return order == 0
}
