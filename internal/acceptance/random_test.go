package acceptance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/scan"
	"github.com/yilian/yilian/internal/testenv"
)

// Worlds of few values, in which searches made of the same values find what a scan finds. A world is written over the one
// before, so that what was found by its old values must not be found any more.
func TestRandomSearches(t *testing.T) {
	onEachStore(t, randomSettings, func(t *testing.T, c *client) {
		for seed := range uint64(4) {
			c.random(t, seed, 250)
		}
	})
}

func TestSoakRandomSearches(t *testing.T) {
	most := testenv.Soak(t)
	onEachStore(t, randomSettings, func(t *testing.T, c *client) {
		first := uint64(time.Now().Unix())
		for seed := first; time.Since(time.Unix(int64(first), 0)) < most/2 && !t.Failed(); seed++ {
			c.random(t, seed, 400)
		}
	})
}

var randomSettings = map[string]string{"fhir.update-as-create": "on", "search.iterations": "20"}

// random holds the server to what a scan finds in a world and by searches of a seed.
func (c *client) random(t *testing.T, seed uint64, searches int) {
	t.Helper()
	d := dice{rand.New(rand.NewPCG(seed, 7))}
	w := c.write(t, d.world())
	a := randomAsker{d, w}
	found, wrong := 0, 0
	for n := range searches {
		q := a.question()
		pages, fault := c.answer(t, question{q.typ, q.query}, n)
		if fault == "" {
			want, err := q.want()
			if err != nil {
				t.Fatalf("seed %d: %s?%s: %v", seed, q.typ, q.query, err)
			}
			if err := w.CheckFound(want, q.typ, q.query, pages); err != nil {
				fault = err.Error()
			}
			if len(want) > 0 {
				found++
			}
		}
		if fault != "" {
			t.Errorf("seed %d, search %d: %s?%s: %s", seed, n, q.typ, q.query, fault)
			if wrong++; wrong == 10 {
				t.FailNow()
			}
		}
	}
	if found < searches/4 {
		t.Errorf("seed %d: only %d of %d searches found something", seed, found, searches)
	}
}

// write replaces all that is stored by other resources.
func (c *client) write(t *testing.T, list []object) *scan.World {
	t.Helper()
	w := &scan.World{Base: c.base, Zone: time.FixedZone("", 8*3600)}
	there := map[string]bool{}
	var entries []any
	for _, r := range list {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), `"BASE`, `"`+c.base))
		body, err := scan.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		one := &scan.Resource{Type: r["resourceType"].(string), ID: r["id"].(string), Body: body}
		w.Add(one)
		there[one.Key()] = true
		entries = append(entries, object{"resource": json.RawMessage(text), "request": object{"method": "PUT", "url": one.Key()}})
	}
	for _, s := range randomSizes {
		for i := range s.n {
			if key := s.typ + "/" + randomID(s.typ, i); !there[key] {
				entries = append(entries, object{"request": object{"method": "DELETE", "url": key}})
			}
		}
	}
	text, err := json.Marshal(object{"resourceType": "Bundle", "type": "transaction", "entry": entries})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ask(t, "POST", "", "application/fhir+json", text); got.status != 200 {
		t.Fatalf("%d %.2000s", got.status, got.body)
	}
	return w
}

// randomAsker makes searches of the values of which worlds are made.
type randomAsker struct {
	dice
	world *scan.World
}

// randomQuestion is a search, and what it must find.
type randomQuestion struct {
	typ, query string
	want       func() ([]*scan.Resource, error)
}

func (a randomAsker) question() randomQuestion {
	typ := pick(a.dice, randomSizes).typ
	q := randomQuestion{typ: typ}
	var plain []string // what a scan reads
	for range a.IntN(3) {
		plain = append(plain, a.condition(typ, 2))
	}
	whole := slices.Clone(plain)
	q.want = func() ([]*scan.Resource, error) { return a.world.Find(typ, strings.Join(plain, "&")) }
	if a.one(4) {
		f := a.filter(typ, 3)
		whole = append(whole, is("_filter", f.text))
		find := q.want
		q.want = func() ([]*scan.Resource, error) {
			list, err := find()
			if err != nil {
				return nil, err
			}
			fits, err := f.find()
			return slices.DeleteFunc(list, func(r *scan.Resource) bool { return !fits[r] }), err
		}
	}
	if a.one(4) {
		whole = append(whole, a.includes(typ)...)
	}
	if a.one(2) {
		whole = append(whole, a.sort(typ))
	}
	if a.one(3) {
		whole = append(whole, fmt.Sprintf("_count=%d", 1+a.IntN(5)))
	}
	if a.one(4) {
		whole = append(whole, "_total=accurate")
	}
	q.query = strings.Join(whole, "&")
	return q
}

// unasked are parameters of which a client does not know what the server makes of them.
var unasked = []string{"_lastUpdated", "_profile", "_security", "near"}

func (a randomAsker) parameters(typ string) []*scan.Parameter {
	return slices.DeleteFunc(scan.Parameters(typ), func(p *scan.Parameter) bool { return slices.Contains(unasked, p.Code) })
}

// condition is one parameter with its value.
func (a randomAsker) condition(typ string, depth int) string {
	if a.one(6) && depth > 0 {
		if c := a.across(typ, depth); c != "" {
			return c
		}
	}
	p := pick(a.dice, a.parameters(typ))
	if a.one(12) && p.Code != "_id" && p.Code != "_tag" {
		return p.Code + ":missing=" + pick(a.dice, []string{"true", "false"})
	}
	name, value := a.value(p, typ)
	if p.Kind != "deceased" {
		for a.one(3) {
			if again, more := a.value(p, typ); again == name {
				value += "," + more
			}
		}
	}
	return is(name, value)
}

// value returns a parameter, with a modifier or none, and a value of it.
func (a randomAsker) value(p *scan.Parameter, typ string) (name, value string) {
	d := a.dice
	switch p.Kind {
	case "deceased":
		return p.Code, pick(d, []string{"true", "false"})
	case "token":
		return a.tokenValue(p, typ)
	case "string":
		return p.Code + pick(d, []string{"", "", ":exact", ":contains"}), scan.Escape(a.part(pick(d, randomTexts)))
	case "date":
		return p.Code, pick(d, []string{"", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"}) + pick(d, append([]string{"2024-02-29T10:00Z", "2024-02-29T00:00+08:00"}, randomDates...))
	case "number":
		return p.Code, a.prefixed()
	case "quantity":
		return p.Code, a.prefixed() + pick(d, []string{"", "|" + unitsOfMeasure + "|" + pick(d, randomUnits), "||" + pick(d, randomUnits)})
	case "uri":
		return p.Code + pick(d, []string{"", ":below", ":above"}), pick(d, randomURLs)
	case "canonical":
		return p.Code, scan.Escape(pick(d, randomURLs) + pick(d, []string{"", "|1", "|1.2"}))
	case "reference":
		return a.referenceValue(p)
	}
	var parts []string
	for _, part := range p.Parts {
		_, v := a.value(&scan.Parameter{Code: "c", Kind: part[0]}, typ)
		parts = append(parts, v)
	}
	return p.Code, strings.Join(parts, "$")
}

// part is a text from its beginning, or from within.
func (a randomAsker) part(text string) string {
	runes := []rune(text)
	from := 0
	if a.one(4) {
		from = a.IntN(len(runes))
	}
	if s := strings.TrimSpace(string(runes[from : from+1+a.IntN(len(runes)-from)])); s != "" && a.one(2) {
		return s
	}
	return text
}

func (a randomAsker) prefixed() string {
	return pick(a.dice, []string{"", "", "eq", "ne", "gt", "lt", "ge", "le"}) + pick(a.dice, randomNumbers)
}

func (a randomAsker) tokenValue(p *scan.Parameter, typ string) (name, value string) {
	d := a.dice
	code := pick(d, randomCodes)
	switch {
	case p.Code == "_id":
		return p.Code + pick(d, []string{"", "", ":not"}), randomID(typ, d.IntN(6))
	case p.Code == "_tag":
		return p.Code + pick(d, []string{"", ":not"}), pick(d, []string{"t", "urn:t|u", "urn:u|t", "u"})
	case p.System != "":
		return p.Code + pick(d, []string{"", "", ":not"}), pick(d, []string{"", "|", p.System + "|", "urn:a|"}) +
			pick(d, []string{"male", "female", "active", "draft", "final", "amended", "finished", "planned", "order", "inactive"})
	case p.Code == "active":
		return p.Code + pick(d, []string{"", ":not"}), pick(d, []string{"true", "false"})
	case slices.Contains([]string{"email", "phone", "telecom"}, p.Code):
		return p.Code + pick(d, []string{"", ":not"}), pick(d, []string{"1", "2", "x@a.test"})
	case p.Code == "version":
		return p.Code, pick(d, []string{"1", "1.2"})
	case p.Code == "identifier":
		code = pick(d, []string{"1", "01", "a,b", "a|b"})
		if d.one(4) {
			return "identifier:of-type", "urn:type|" + pick(d, []string{"MR", "PI"}) + "|" + scan.Escape(code)
		}
	case p.Type != "" && d.one(5):
		return p.Code + ":text", scan.Escape(a.part(pick(d, randomTexts)))
	}
	value = pick(d, []string{"", "|", "urn:a|", "http://a.test/x|", "urn:c|"}) + scan.Escape(code)
	if d.one(8) {
		value = "urn:a|"
	}
	if p.Type == "" { // of a composite
		return p.Code, value
	}
	return p.Code + pick(d, []string{"", "", ":not"}), value
}

// leads are the types that a reference may lead to in a world.
func (a randomAsker) leads(p *scan.Parameter) (out []string) {
	for _, r := range a.world.Of(p.Type) {
		for _, v := range p.Values(r) {
			if key, typ := parent(v); a.world.Read(key) != nil && !slices.Contains(out, typ) {
				out = append(out, typ)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (a randomAsker) referenceValue(p *scan.Parameter) (name, value string) {
	types := a.leads(p)
	if len(types) == 0 {
		return p.Code, "none"
	}
	typ := pick(a.dice, types)
	id := randomID(typ, a.IntN(6))
	switch a.IntN(7) {
	case 0:
		return p.Code, id
	case 1:
		return p.Code + ":" + typ, id
	case 2:
		return p.Code, a.world.Base + typ + "/" + id
	case 3:
		return p.Code, "http://other.test/fhir/" + typ + "/" + id
	case 4:
		return p.Code + ":identifier", pick(a.dice, []string{"", "|", "urn:a|"}) + scan.Escape(pick(a.dice, []string{"1", "01", "a,b", "a|b"}))
	}
	return p.Code, typ + "/" + id
}

// references are the reference parameters of a type that lead somewhere.
func (a randomAsker) references(typ string) []*scan.Parameter {
	return slices.DeleteFunc(scan.Parameters(typ), func(p *scan.Parameter) bool { return p.Kind != "reference" || len(a.leads(p)) == 0 })
}

// across is a condition on what is referred to, or on what refers to a type.
func (a randomAsker) across(typ string, depth int) string {
	if a.one(2) {
		list := a.references(typ)
		if len(list) == 0 {
			return ""
		}
		p := pick(a.dice, list)
		to := pick(a.dice, a.leads(p))
		return p.Code + ":" + to + "." + a.condition(to, depth-1)
	}
	var from []*scan.Parameter
	for _, s := range randomSizes {
		for _, p := range a.references(s.typ) {
			if slices.Contains(a.leads(p), typ) {
				from = append(from, p)
			}
		}
	}
	if len(from) == 0 {
		return ""
	}
	p := pick(a.dice, from)
	return "_has:" + p.Type + ":" + p.Code + ":" + a.condition(p.Type, depth-1)
}

// includes are some of _include and _revinclude, all of them followed on or none.
func (a randomAsker) includes(typ string) (out []string) {
	iterate := pick(a.dice, []string{"", ":iterate"})
	for range 1 + a.IntN(2) {
		s := typ
		if iterate != "" {
			s = pick(a.dice, randomSizes).typ
		}
		if list := a.references(s); len(list) > 0 && a.one(2) {
			p := pick(a.dice, list)
			target := ""
			if a.one(3) {
				target = ":" + pick(a.dice, a.leads(p))
			}
			out = append(out, "_include"+iterate+"="+s+":"+p.Code+target)
			continue
		}
		p := pick(a.dice, randomSizes)
		for _, q := range a.references(p.typ) {
			if iterate != "" || slices.Contains(a.leads(q), typ) {
				out = append(out, "_revinclude"+iterate+"="+p.typ+":"+q.Code)
				break
			}
		}
	}
	return out
}

func (a randomAsker) sort(typ string) string {
	var keys []string
	for _, p := range a.parameters(typ) {
		if (p.Kind == "string" || p.Kind == "date" || p.Code == "_id") && a.one(3) && len(keys) < 3 {
			keys = append(keys, pick(a.dice, []string{"", "-"})+p.Code)
		}
	}
	if keys == nil {
		keys = []string{"_id"}
	}
	return "_sort=" + strings.Join(keys, ",")
}

// randomFilter is a _filter, and what it finds.
type randomFilter struct {
	text string
	find func() (map[*scan.Resource]bool, error)
}

func (a randomAsker) filter(typ string, depth int) randomFilter {
	if depth == 0 || a.one(3) {
		return a.test(typ)
	}
	x := a.filter(typ, depth-1)
	if a.one(4) {
		return randomFilter{"not (" + x.text + ")", func() (map[*scan.Resource]bool, error) {
			out := map[*scan.Resource]bool{}
			in, err := x.find()
			for _, r := range a.world.Of(typ) {
				out[r] = !in[r]
			}
			return out, err
		}}
	}
	y, and := a.filter(typ, depth-1), a.one(2)
	joint := " or "
	if and {
		joint = " and "
	}
	return randomFilter{"(" + x.text + joint + y.text + ")", func() (map[*scan.Resource]bool, error) {
		out := map[*scan.Resource]bool{}
		l, err := x.find()
		if err != nil {
			return nil, err
		}
		r, err := y.find()
		for _, one := range a.world.Of(typ) {
			out[one] = l[one] && r[one] || !and && (l[one] || r[one])
		}
		return out, err
	}}
}

// test is one condition in the words of _filter.
func (a randomAsker) test(typ string) randomFilter {
	for {
		p := pick(a.dice, a.parameters(typ))
		name, value := a.value(p, typ)
		op := "eq"
		text := strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\$`, `$`).Replace(value)
		switch {
		case p.Kind == "string":
			op = map[string]string{"": "sw", ":contains": "co"}[strings.TrimPrefix(name, p.Code)]
			text = strings.NewReplacer(`\|`, `|`).Replace(text)
		case p.Kind == "token", p.Kind == "uri", p.Kind == "canonical", p.Kind == "reference":
			if text = value; name != p.Code || strings.Contains(value, `\`) {
				op = ""
			}
		case p.Kind == "date", p.Kind == "number", p.Kind == "quantity":
			if cut := value[:min(2, len(value))]; cut >= "a" {
				op, text = cut, value[2:]
			}
		default:
			op = ""
		}
		if op == "" || op == "ne" {
			continue
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			continue
		}
		query := is(name, value)
		if a.one(8) && p.Code != "_id" && p.Code != "_tag" {
			op, quoted, query = "pr", []byte("true"), p.Code+":missing=false"
		}
		return randomFilter{p.Code + " " + op + " " + string(quoted), func() (map[*scan.Resource]bool, error) {
			list, err := a.world.Find(typ, query)
			out := map[*scan.Resource]bool{}
			for _, r := range list {
				out[r] = true
			}
			return out, err
		}}
	}
}
