package acceptance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/internal/scan"
)

// question is a search of a type.
type question struct{ typ, query string }

// asker makes questions out of what is stored, so that most have an answer.
type asker struct {
	*rand.Rand
	world *scan.World
	out   []question
}

// samples is how many resources each parameter is asked about.
const samples = 1

// questions returns searches by every parameter that something stored has a value of, in all the ways of its kind, and
// searches that put several together.
func questions(w *scan.World) []question {
	a := &asker{rand.New(rand.NewPCG(4, 1)), w, nil}
	for _, typ := range w.Types() {
		for _, p := range scan.Parameters(typ) {
			having := a.having(typ, p)
			if len(having) == 0 {
				continue
			}
			for range samples {
				r := having[a.IntN(len(having))]
				values := a.conditions(p, r)
				for _, condition := range values {
					a.ask(typ, condition)
				}
				a.both(r, values)
				if p.Kind == "reference" {
					a.across(typ, p, r)
				}
			}
			if !slices.Contains([]string{"_id", "_lastUpdated", "_tag"}, p.Code) { // never missing: the server gives them
				a.ask(typ, p.Code+":missing=true")
				a.ask(typ, p.Code+":missing=false")
			}
			a.sorted(typ, p)
		}
	}
	return a.out
}

func (a *asker) ask(typ, query string) { a.out = append(a.out, question{typ, query}) }

// having returns the resources that have a value of a parameter.
func (a *asker) having(typ string, p *scan.Parameter) (out []*scan.Resource) {
	for _, r := range a.world.Of(typ) {
		if len(p.Values(r)) > 0 {
			out = append(out, r)
		}
	}
	return out
}

func is(name, value string) string { return name + "=" + url.QueryEscape(value) }

// conditions returns what a client may ask so that a value of a resource is found, or its neighbours.
func (a *asker) conditions(p *scan.Parameter, r *scan.Resource) []string {
	values := p.Values(r)
	v := values[a.IntN(len(values))]
	switch p.Kind {
	case "token":
		return a.token(p, v)
	case "string":
		return a.text(p, v)
	case "date":
		return a.date(p.Code, v)
	case "quantity":
		return a.quantity(p.Code, v)
	case "reference":
		return a.reference(p.Code, v)
	case "uri":
		return []string{is(p.Code, v.(string)), is(p.Code+":below", v.(string)[:strings.LastIndexByte(v.(string), '/')]), is(p.Code, "http://test/none")}
	case "composite":
		return a.composite(p, v)
	case "deceased":
		return []string{"deceased=true", "deceased=false"}
	case "near":
		m := v.(map[string]any)
		return []string{is("near", fmt.Sprintf("%v|%v|%d|km", m["latitude"], m["longitude"], 1+a.IntN(60)))}
	}
	return nil
}

func (a *asker) token(p *scan.Parameter, v any) (out []string) {
	tokens := scan.Tokens(v, p.System)
	t := tokens[a.IntN(len(tokens))]
	code, system := scan.Escape(t.Code), scan.Escape(t.System)
	if code != "" {
		out = append(out, is(p.Code, code), is(p.Code+":not", code), is(p.Code, code+",none"), is(p.Code, "none"))
	}
	m, object := v.(map[string]any)
	if _, contact := m["use"]; system != "" && (!contact || strings.Contains(system, ":")) {
		out = append(out, is(p.Code, system+"|"+code), is(p.Code, system+"|"), is(p.Code, "http://test/none|"+code))
	}
	if object && code != "" && strings.Contains(system, ":") {
		out = append(out, is(p.Code, "|"+code))
	}
	for _, text := range t.Texts {
		if text != "" {
			out = append(out, is(p.Code+":text", strings.ToUpper(scan.Escape(a.begin(text)))))
		}
	}
	for _, typ := range t.Types {
		out = append(out, is(p.Code+":of-type", typ+"|"+code), is(p.Code+":of-type", typ+"|none"))
	}
	return out
}

// begin is some of the first letters of a text, without a space at the end.
func (a *asker) begin(text string) string {
	runes := []rune(text)
	return strings.TrimSpace(string(runes[:1+a.IntN(len(runes))]))
}

func (a *asker) text(p *scan.Parameter, v any) []string {
	list := slices.DeleteFunc(scan.Strings(v), func(s string) bool { return s == "" })
	s := list[a.IntN(len(list))]
	runes := []rune(s)
	inner := strings.TrimSpace(string(runes[a.IntN(len(runes)):]))
	return []string{
		is(p.Code, scan.Escape(strings.ToUpper(a.begin(s)))), is(p.Code, scan.Escape(s)), is(p.Code, "no such text"),
		is(p.Code+":exact", scan.Escape(s)), is(p.Code+":exact", scan.Escape(strings.ToUpper(s))), is(p.Code+":exact", scan.Escape(a.begin(s))),
		is(p.Code+":contains", scan.Escape(inner)),
	}
}

// zones in which dates are asked for.
var zones = []*time.Location{time.UTC, time.FixedZone("", 8*3600), time.FixedZone("", -5*3600), time.FixedZone("", 5*3600+1800)}

func (a *asker) date(code string, v any) (out []string) {
	s, _ := v.(string)
	if m, ok := v.(map[string]any); ok {
		s, _ = m[[]string{"start", "end"}[a.IntN(2)]].(string)
	}
	if s == "" {
		return nil
	}
	prefixes := []string{"ge", "le", "gt", "lt", "sa", "eb", "ne"}
	a.Shuffle(len(prefixes), func(i, j int) { prefixes[i], prefixes[j] = prefixes[j], prefixes[i] })
	cut := func(n int) string { return s[:min(n, len(s))] }
	if code != "_lastUpdated" { // of which the answer tells less than the server knows
		out = append(out, is(code, s), is(code, cut(10)), is(code, prefixes[0]+s), is(code, prefixes[1]+cut(10)))
	}
	out = append(out, is(code, cut(4)), is(code, cut(7)), is(code, prefixes[2]+cut(7)), is(code, prefixes[3]+cut(4)),
		is(code, "ge"+cut(7))+"&"+is(code, "lt"+cut(10)), is(code, cut(4)+",1812"))
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		other := t.In(zones[a.IntN(len(zones))])
		out = append(out, is(code, prefixes[4]+other.Truncate(time.Second).Format(time.RFC3339)), is(code, prefixes[5]+other.Format("2006-01-02T15:04Z07:00")),
			is(code, prefixes[6]+other.Format("2006-01-02")))
	}
	return out
}

func (a *asker) quantity(code string, v any) (out []string) {
	m := v.(map[string]any)
	value := string(m["value"].(json.Number))
	whole, _, _ := strings.Cut(value, ".")
	system, _ := m["system"].(string)
	unit, _ := m["code"].(string)
	for _, prefix := range []string{"", "ne", "gt", "lt", "ge", "le"} {
		out = append(out, is(code, prefix+value), is(code, prefix+whole))
		if unit != "" {
			unit := scan.Escape(unit)
			out = append(out, is(code, prefix+value+"|"+system+"|"+unit), is(code, prefix+whole+"|"+system+"|"+unit), is(code, prefix+value+"||"+unit))
		}
	}
	return append(out, is(code, value+"|http://test/none|kg"), is(code, "1e3"), is(code, "gt1.5e2"))
}

// parent is the name of a resource in the reference to it, and its type.
func parent(v any) (key, typ string) {
	m, _ := v.(map[string]any)
	key, _ = m["reference"].(string)
	typ, _, ok := strings.Cut(key, "/")
	if !ok {
		return "", ""
	}
	return key, typ
}

func (a *asker) reference(code string, v any) (out []string) {
	if key, typ := parent(v); typ != "" {
		id := strings.TrimPrefix(key, typ+"/")
		out = append(out, is(code, key), is(code, id), is(code+":"+typ, id), is(code, a.world.Base+key), is(code, "none"), is(code, key+","+typ+"/none"))
	}
	if m, ok := v.(map[string]any)["identifier"].(map[string]any); ok {
		out = append(out, is(code+":identifier", fmt.Sprint(m["system"], "|", m["value"])), is(code+":identifier", fmt.Sprint("http://test/none|", m["value"])))
	}
	return out
}

func (a *asker) composite(p *scan.Parameter, v any) []string {
	var values []string
	for _, part := range p.Parts {
		first, _, _ := strings.Cut(part[1], ",")
		is := v.(map[string]any)[first]
		switch {
		case is == nil:
			return nil
		case part[0] == "token":
			t := scan.Tokens(is, "")[0]
			values = append(values, scan.Escape(t.System)+"|"+scan.Escape(t.Code))
		case part[0] == "string":
			values = append(values, scan.Escape(a.begin(is.(string))))
		case part[0] == "quantity":
			values = append(values, []string{"", "gt", "le"}[a.IntN(3)]+string(is.(map[string]any)["value"].(json.Number)))
		}
	}
	return []string{is(p.Code, strings.Join(values, "$")), is(p.Code, "none$"+values[1])}
}

// both asks for two things of one resource.
func (a *asker) both(r *scan.Resource, values []string) {
	all := scan.Parameters(r.Type)
	p := all[a.IntN(len(all))]
	if len(p.Values(r)) == 0 || len(values) == 0 {
		return
	}
	if more := a.conditions(p, r); len(more) > 0 {
		a.ask(r.Type, values[a.IntN(len(values))]+"&"+more[a.IntN(len(more))])
	}
}

// across asks over a reference: chained, in reverse, and for what stands at its other end.
func (a *asker) across(typ string, p *scan.Parameter, r *scan.Resource) {
	values := p.Values(r)
	key, to := parent(values[a.IntN(len(values))])
	other := a.world.Read(key)
	if other == nil {
		return
	}
	head := p.Code + ":" + to + "."
	for range 2 {
		if condition := a.plain(other); condition != "" {
			a.ask(typ, head+condition)
			a.ask(to, "_has:"+typ+":"+p.Code+":"+a.plain(r))
			if p.Code == "patient" {
				a.ask(typ, "patient."+condition)
			}
		}
	}
	for _, q := range scan.Parameters(to) { // one reference further
		if q.Kind != "reference" || len(q.Values(other)) == 0 {
			continue
		}
		if further, typ2 := parent(q.Values(other)[0]); a.world.Read(further) != nil {
			if condition := a.plain(a.world.Read(further)); condition != "" {
				a.ask(typ, head+q.Code+":"+typ2+"."+condition)
				a.ask(typ2, "_has:"+to+":"+q.Code+":_has:"+typ+":"+p.Code+":"+a.plain(r))
			}
			break
		}
	}
	ids := r.ID
	for range 4 {
		ids += "," + a.world.Of(typ)[a.IntN(len(a.world.Of(typ)))].ID
	}
	a.ask(typ, "_id="+ids+"&_include="+typ+":"+p.Code)
	a.ask(typ, "_id="+ids+"&_count=2&_total=accurate&_include="+typ+":"+p.Code+":"+to)
	a.ask(to, "_id="+other.ID+"&_revinclude="+typ+":"+p.Code)
	a.ask(typ, "_id="+ids+"&_include="+typ+":"+p.Code+"&_include:iterate="+a.further(to, typ+":"+p.Code))
}

// plain is a condition on one resource with a plain parameter, not over references.
func (a *asker) plain(r *scan.Resource) string {
	all := scan.Parameters(r.Type)
	for range 20 {
		p := all[a.IntN(len(all))]
		if (p.Kind == "token" || p.Kind == "string" || p.Kind == "date" || p.Kind == "quantity") && len(p.Values(r)) > 0 && p.Code != "_lastUpdated" {
			if list := a.conditions(p, r); len(list) > 0 {
				one, _, _ := strings.Cut(list[a.IntN(len(list))], "&")
				return one
			}
		}
	}
	return "_id=" + r.ID
}

// further names a reference of a type, or none if it has no references.
func (a *asker) further(typ, none string) string {
	for _, p := range scan.Parameters(typ) {
		if p.Kind == "reference" {
			return typ + ":" + p.Code
		}
	}
	return none
}

// sorted asks for all of a type in the order of a parameter, on few pages.
func (a *asker) sorted(typ string, p *scan.Parameter) {
	if p.Kind != "date" && p.Kind != "string" && p.Code != "_id" || p.Code == "_lastUpdated" {
		return
	}
	n := len(a.world.Of(typ))
	count := fmt.Sprintf("&_total=accurate&_count=%d", min(1000, max(3, n/(2+a.IntN(3)))))
	a.ask(typ, "_sort="+p.Code+count)
	a.ask(typ, "_sort=-"+p.Code+",_lastUpdated"+count)
}
