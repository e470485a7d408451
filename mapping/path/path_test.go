package path_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/path"
	"github.com/yilian/yilian/mapping/record"
)

// structures are what the groups of the message may hold; a name with a star repeats.
var structures = map[string]string{
	"":                    "MSH NTE* PATIENT ORDER*",
	"PATIENT":             "PID NTE* PATIENT_VISIT",
	"PATIENT_VISIT":       "PV1",
	"ORDER":               "ORC OBSERVATION_REQUEST",
	"OBSERVATION_REQUEST": "OBR NTE* OBSERVATION* PRIOR_RESULT*",
	"OBSERVATION":         "OBX NTE*",
	"PRIOR_RESULT":        "PATIENT_PRIOR PATIENT_VISIT_PRIOR",
	"PATIENT_PRIOR":       "PID",
	"PATIENT_VISIT_PRIOR": "PV1",
}

// structure is the name of one.
type structure string

func (s structure) Declares(name string) bool {
	for f := range strings.FieldsSeq(structures[string(s)]) {
		if strings.TrimSuffix(f, "*") == name {
			return true
		}
	}
	return false
}

func (s structure) Find(name string) ([]string, bool) {
	if s.Declares(name) {
		return nil, true
	}
	for f := range strings.FieldsSeq(structures[string(s)]) {
		if through, ok := structure(f).Find(name); ok && structures[f] != "" {
			return append([]string{f}, through...), true
		}
	}
	return nil, false
}

type tree struct{ b record.Builder }

func (t *tree) segment(name string, ordinal int, fields ...*record.Node) *record.Node {
	s := t.b.Sequence(name)
	s.Number(ordinal)
	s.Add(fields...)
	return s
}

func (t *tree) text(s string) *record.Node { return t.b.Leaf("", s, record.Present) }

func (t *tree) group(name string, kids ...*record.Node) *record.Node {
	g := t.b.Group(name, structure(name))
	g.Add(kids...)
	return g
}

// order is an OML^O21 cut short: two orders, the first with a prior result of another visit.
func order() *record.Node {
	var t tree
	pid := t.segment("PID", 1, t.text("1"), t.text(""), t.list("A", "B"))
	patient := t.group("PATIENT", pid, t.segment("ZPI", 1, t.text("z")))
	prior := t.group("PRIOR_RESULT",
		t.group("PATIENT_PRIOR", t.segment("PID", 2, t.text("2"), t.text(""), t.text("Z"))),
		t.group("PATIENT_VISIT_PRIOR", t.segment("PV1", 1, t.text("prior"))))
	request := func(n int, more ...*record.Node) *record.Node {
		kids := []*record.Node{t.segment("OBR", n, t.text("obr")), t.group("OBSERVATION", t.segment("OBX", 2*n-1, t.text("x"))),
			t.group("OBSERVATION", t.segment("OBX", 2*n, t.text("y")), t.segment("NTE", n, t.text("note")))}
		return t.group("ORDER",
			t.segment("ORC", n, t.text("o"+string(rune('0'+n)))),
			t.group("OBSERVATION_REQUEST", append(kids, more...)...))
	}
	return t.group("", t.segment("MSH", 1, t.text("|")), patient, request(1, prior), request(2))
}

func (t *tree) list(texts ...string) *record.Node {
	l := t.b.List("")
	for _, s := range texts {
		l.Add(t.text(s))
	}
	return l
}

func parse(t *testing.T, text string, outward bool) *path.Path {
	t.Helper()
	p, err := path.Parse(text, path.Options{Outward: outward})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func each(p *path.Path, scope *record.Node) []string {
	var out []string
	for _, n := range p.Append(nil, scope) {
		out = append(out, n.Origin().Path)
	}
	return out
}

func TestNamesAreLookedForInTheScopeThenAroundItThenBelow(t *testing.T) {
	root := order()
	scopes := map[string]*record.Node{"root": root}
	for i, k := range root.Kids()[2:] {
		name := "order" + string(rune('1'+i))
		scopes[name] = k
		obs := k.Get("OBSERVATION_REQUEST").Get("OBSERVATION")
		scopes[name+".obs"] = obs
		scopes[name+".obx"] = obs.Get("OBX")
		scopes[name+".field"] = obs.Get("OBX").At(1)
	}
	for _, tt := range []struct{ scope, path, first string }{
		{"root", "PID-3", "PID[1]-3"},
		{"root", "PID-3[2]", "PID[1]-3[2]"},
		{"root", "PID-3.1", "PID[1]-3[1]"},
		{"root", "MSH-1", "MSH[1]-1"},
		{"root", "OBX-1", "OBX[1]-1"},
		{"root", "ORDER[2].ORC-1", "ORC[2]-1"},
		{"root", "PV1-1", ""},         // the place of a PV1 is there, and not taken
		{"root", "OBR-1", "OBR[1]-1"}, // the record itself takes the first at any depth
		{"root", "ZPI-1", "ZPI[1]-1"},
		{"order2", "ZPI-1", "ZPI[1]-1"}, // local segments are in no structure
		{"order1", "PID-3", "PID[1]-3"},
		{"order1", "PV1-1", ""},                                          // not the prior visit: that group repeats
		{"order1", "PRIOR_RESULT.PATIENT_VISIT_PRIOR.PV1-1", "PV1[1]-1"}, // unless it is named
		{"order2", "OBR-1", "OBR[2]-1"},
		{"order2", "ORC-1", "ORC[2]-1"},
		{"order2.obs", "OBX-1", "OBX[3]-1"},
		{"order2.obs", "NTE-1", ""}, // its own structure has an NTE
		{"order2.obs", "OBR-1", "OBR[2]-1"},
		{"order2.obs", "PID-1", "PID[1]-1"},
		{"order2.obx", "OBX-1", "OBX[3]-1"},
		{"order2.obx", ".1", "OBX[3]-1"},
		{"order2.field", ".", "OBX[3]-1"},
		{"order2.field", ".1", "OBX[3]-1"},
		{"order2.field", ".2", ""},
		{"order2.field", "OBX-1", "OBX[3]-1"},
		{"order2.field", "ORC-1", "ORC[2]-1"},
		{"order2", "/ORC-1", "ORC[1]-1"},
		{"order2", "//OBX-1", "OBX[3]-1"},
		{"order2.obx", "/MSH-1", "MSH[1]-1"},
		{"order2", "OBR[2]-1", ""},
	} {
		t.Run(tt.scope+" "+tt.path, func(t *testing.T) {
			if got := parse(t, tt.path, true).First(scopes[tt.scope]).Origin().Path; got != tt.first {
				t.Errorf("got %q, want %q", got, tt.first)
			}
		})
	}
	for _, tt := range []struct {
		scope, path string
		want        []string
	}{
		{"root", "ORDER", []string{"ORDER", "ORDER"}},
		{"root", "//OBX", []string{"OBX[1]", "OBX[2]", "OBX[3]", "OBX[4]"}},
		{"root", "OBX", []string{"OBX[1]", "OBX[2]", "OBX[3]", "OBX[4]"}},
		{"order2", "//OBX", []string{"OBX[3]", "OBX[4]"}},
		{"order2", "OBX-1", []string{"OBX[3]-1", "OBX[4]-1"}},
		{"order2", "OBX[2]-1", []string{"OBX[4]-1"}},
		{"order2.obs", "NTE", nil},
		{"order2", "PID-3", []string{"PID[1]-3[1]", "PID[1]-3[2]"}},
		{"order2.obx", "PID-3", []string{"PID[1]-3[1]", "PID[1]-3[2]"}},
		{"order2.obx", ".", []string{"OBX[3]"}},
		{"root", "/PID-3[2]", []string{"PID[1]-3[2]"}},
	} {
		t.Run("each "+tt.scope+" "+tt.path, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, each(parse(t, tt.path, true), scopes[tt.scope])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDocumentsAreNotLookedThroughOutward(t *testing.T) {
	var b record.Builder
	leaf := func(name, v string) *record.Node { return b.Leaf(name, v, record.Present) }
	item := func(code string, more ...*record.Node) *record.Node {
		g := b.Group("", nil)
		g.Add(leaf("code", code))
		g.Add(more...)
		return g
	}
	results := b.List("results")
	results.Add(item("a", leaf("unit", "g")), item("b"))
	ids := b.List("ids")
	for _, v := range []string{"1", "2"} {
		g := b.Group("", nil)
		g.Add(leaf("value", v))
		ids.Add(g)
	}
	patient := b.Group("patient", nil)
	patient.Add(ids)
	root := b.Group("", nil)
	root.Add(leaf("reportNo", "R1"), leaf("unit", "kg"), leaf("结果(定量)", "5"), leaf("a.b", "6"), patient, results)
	second := results.Kids()[1]
	for _, tt := range []struct {
		scope *record.Node
		path  string
		want  string
	}{
		{root, "reportNo", "R1"},
		{root, "patient.ids.value", "1"},
		{root, "patient.ids[2].value", "2"},
		{root, "results.code", "a"},
		{root, "结果(定量)", "5"},
		{root, `"a.b"`, "6"},
		{second, "code", "b"},
		{second, "unit", ""}, // not the document's
		{second, "/unit", "kg"},
		{second, "^.unit", "kg"},
		{second, "^.results.code", "a"},
		{second.Get("code"), "^.code", "b"},
		{second.Get("code"), "^.^.unit", "kg"},
		{second, "^.^.unit", ""}, // nothing is around the document
		{root, "^", ""},
		{second, "/patient.ids.value", "1"},
	} {
		if got := parse(t, tt.path, false).First(tt.scope).Text(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
		}
	}
	if got := each(parse(t, "results", false), root); len(got) != 2 {
		t.Errorf("each item: %v", got)
	}
	if got := each(parse(t, "patient.ids.value", false), root); !cmp.Equal(got, []string{"patient.ids[1].value", "patient.ids[2].value"}) {
		t.Errorf("each value: %v", got)
	}
}

// report is an XML document cut short: elements of one name stand side by side, attributes are named with @.
func report() *record.Node {
	var b record.Builder
	leaf := func(name, v string) *record.Node { return b.Leaf(name, v, record.Present) }
	group := func(name string, kids ...*record.Node) *record.Node {
		g := b.Group(name, nil)
		g.Add(kids...)
		return g
	}
	id := func(root, extension string) *record.Node {
		return group("id", leaf("@root", root), leaf("@extension", extension))
	}
	section := func(code, title string, templates ...string) *record.Node {
		s := group("section", group("code", leaf("@code", code)), leaf("title", title))
		for _, t := range templates {
			s.Add(group("templateId", leaf("@root", t)))
		}
		return group("component", s)
	}
	value := group("value", leaf("@xsi:type", "PQ"), leaf("@value", "5.1"))
	return group("", id("1.2.3", "a"), id("1.2.4", "b"), id("1.2.3", "c"),
		group("body", section("A", "first", "t1", "t2"), section("B", "second", "t1"), section("B", "third", "t3")),
		group("observation", value), leaf("note", " x "), leaf("note", "y"))
}

func TestSelectorsChooseAmongRepetitions(t *testing.T) {
	doc := report()
	body := doc.Get("body")
	var b record.Builder
	text := func(s string) *record.Node { return b.Leaf("", s, record.Present) }
	cx := func(parts ...string) *record.Node {
		n := b.Sequence("")
		for _, p := range parts {
			n.Add(text(p))
		}
		return n
	}
	ids := b.List("")
	ids.Add(cx("1", "", "", "H", "MR"), cx("2", "", "", "H", "NI"), text("3"), cx("4", "", "", "G", "MR"))
	pid := b.Sequence("PID")
	pid.Number(1)
	pid.Add(text("1"), text(""), ids)
	message := b.Group("", structure(""))
	message.Add(pid)
	for i, code := range []string{"GDT", "IMP", "GDT"} {
		obx := b.Sequence("OBX")
		obx.Number(i + 1)
		obx.Add(text("n"), text("TX"), cx("c", code))
		g := b.Group("OBSERVATION", structure("OBSERVATION"))
		g.Number(i + 1)
		g.Add(obx)
		message.Add(g)
	}
	items := b.Group("", nil)
	list := b.List("ids")
	for _, pair := range []string{"MR 1", "NI 2", "NI 3"} {
		typ, v, _ := strings.Cut(pair, " ")
		g := b.Group("", nil)
		g.Add(b.Leaf("type", typ, record.Present), b.Leaf("value", v, record.Present))
		list.Add(g)
	}
	items.Add(list)
	for _, tt := range []struct {
		name    string
		scope   *record.Node
		path    string
		outward bool
		want    []string // texts of all; First gives the first
	}{
		{"attribute of an element", doc, "id[@root='1.2.3'].@extension", false, []string{"a", "c"}},
		{"nothing matches", doc, "id[@root='1.2.5'].@extension", false, nil},
		{"a number counts what is left", doc, "id[@root='1.2.3'][2].@extension", false, []string{"c"}},
		{"a number past what is left", doc, "id[@root='1.2.3'][3].@extension", false, nil},
		{"two selectors", doc, "id[@root='1.2.3'][@extension='c'].@extension", false, []string{"c"}},
		{"the repetition's own text, trimmed", doc, "note[.='x']", false, []string{" x "}},
		{"an attribute with a prefix", doc, "observation.value[@xsi:type='PQ'].@value", false, []string{"5.1"}},
		{"several steps inside", doc, "body.component[section.code.@code='B'].section.title", false, []string{"second", "third"}},
		{"any of several values inside", doc, "body.component[section.templateId.@root='t2'].section.title", false, []string{"first"}},
		{"a number inside", doc, "body.component[section.templateId[2].@root='t2'].section.title", false, []string{"first"}},
		{"a number inside that is another", doc, "body.component[section.templateId[1].@root='t2'].section.title", false, nil},
		{"at any depth", doc, "//section[code.@code='B'].title", false, []string{"second", "third"}},
		{"at any depth, the second", doc, "//section[code.@code='B'][2].title", false, []string{"third"}},
		{"from the root", body, "/id[@root='1.2.4'].@extension", false, []string{"b"}},
		{"from the group around", body, "^.id[@root='1.2.4'].@extension", false, []string{"b"}},
		{"of a variable", list, "$v[type='NI'].value", false, []string{"2", "3"}},
		{"of a variable, by number", list, "$v[2].value", false, []string{"2"}},
		{"JSON", items, "ids[type='NI'].value", false, []string{"2", "3"}},
		{"a field's repetitions", message, "PID-3[.5='MR'].1", true, []string{"1", "4"}},
		{"a field's repetitions, number last", message, "PID-3[.5='MR'][2].1", true, []string{"4"}},
		{"a field's repetitions, twice", message, "PID-3[.5='MR'][.4='G'].1", true, []string{"4"}},
		{"from inside the segment", pid.At(1), "PID-3[.5='NI'].1", true, []string{"2"}},
		{"a value not split is its first component", message, "PID-3[.1='3']", true, []string{"3"}},
		{"segments", message, "OBX[.3.2='GDT']-3.1", true, []string{"c", "c"}},
		{"segments by their own name", message, "//OBX[OBX-3.2='IMP']-1", true, []string{"n"}},
		{"groups by a field inside", message, "OBSERVATION[OBX-3.2='GDT'][2].OBX-3.2", true, []string{"GDT"}},
		{"never around the repetition", message, "OBSERVATION[PID-1='1']", true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, tt.path, tt.outward)
			var got []string
			for _, n := range p.Append(nil, tt.scope) {
				got = append(got, n.Text())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("all: %s", diff)
			}
			first := p.First(tt.scope)
			if len(tt.want) == 0 && first != nil || len(tt.want) > 0 && first.Text() != tt.want[0] {
				t.Errorf("first: %q", first.Text())
			}
		})
	}
	t.Run("siblings by number", func(t *testing.T) {
		if got := parse(t, "body.component[3].section.title", false).First(doc).Text(); got != "third" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("what is compared is told", func(t *testing.T) {
		var got []string
		parse(t, "PID-3[.5='MR'][.4='G'].1", true).Compared(message, func(n *record.Node) { got = append(got, n.Origin().Path) })
		want := []string{"PID[1]-3[1].5", "PID[1]-3[2].5", "PID[1]-3[4].5", "PID[1]-3[1].4", "PID[1]-3[4].4"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMistakesInPaths(t *testing.T) {
	for _, tt := range []struct {
		in     string
		offset int
		text   string
	}{
		{"", 0, "an empty path"},
		{"PID-", 4, "want a field number from 1 to 9999"},
		{"PID-0", 4, "want a field number"},
		{"PID-3[", 6, "want the number of a repetition"},
		{"PID-3[0]", 6, "want the number of a repetition"},
		{"PID-3[2", 7, "want ] after"},
		{"PID-3.", 6, "want a name at the end"},
		{"PID 3", 3, "unexpected ' '"},
		{"..1", 1, "want a number after the point"},
		{"^x", 1, "want a point and a name after ^"},
		{"^.", 2, "want a name at the end"},
		{"检验-x", 3, "want a field number"},
		{`"open`, 0, "closing quote"},
		{"a..b", 2, "want a name, found '.'"},
		{"3a", 0, "want a name, found '3'"},
		{"/a/b", 2, "unexpected '/'"},
		{"PID-3x", 5, "unexpected 'x'"},
		{"$", 1, "want a name at the end"},
		{"PID-99999", 4, "from 1 to 9999"},
		{"a[b", 3, "want = and a text in single quotes"},
		{"a[b]", 3, "want = and a text in single quotes"},
		{"a[.]", 3, "want = and a text in single quotes"},
		{"a[b=c]", 4, "want a text in single quotes after ="},
		{"a[b='c]", 5, "a closing single quote"},
		{"a[b='']", 5, "want a text and a closing single quote"},
		{"a[b='c'", 7, "want ] after the text of a selector"},
		{"a[b='c'd]", 7, "want ] after the text of a selector"},
		{"a[/b='c']", 2, "want a path inside the repetition"},
		{"a[^.b='c']", 2, "want a path inside the repetition"},
		{"a[$b='c']", 2, "want a path inside the repetition"},
		{"a[b[c='d']='e']", 4, "want the number of a repetition"},
		{"a[='c']", 2, "want a name, found '='"},
		{"a[2][b='c']", 4, "unexpected '['"},
		{"姓名[a='b", 6, "a closing single quote"},
		{strings.Repeat("a", 500), 0, "more than 400 bytes"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			_, err := path.Parse(tt.in, path.Options{})
			var e *path.Error
			if !errors.As(err, &e) || e.Offset != tt.offset || !strings.Contains(e.Text, tt.text) {
				t.Errorf("got %+v, want %d %q", err, tt.offset, tt.text)
			}
		})
	}
}

func FuzzFirst(f *testing.F) {
	for _, s := range []string{"PID-3[2].4.2", "OBX[2]-5", "ORDER.ORC-1", ".", ".1.2", "/MSH-7", "//OBX", "$v.1", `"a b".c`, "/", "PID-3[.1='A'].1", "OBX[.1='x'][2]-1",
		"ORDER[ORC-1='o2'].ORC-1", "//OBX[OBX-1='x']", "^.ORDER[OBSERVATION_REQUEST.OBR-1='obr'][.='']", "id[@root='1.2'].@extension", "$v[a='b'][2].c"} {
		f.Add(s)
	}
	root := order()
	scope := root.Kids()[2].Get("OBSERVATION_REQUEST").Get("OBSERVATION")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := path.Parse(s, path.Options{Outward: len(s)%2 == 0})
		if err != nil {
			return
		}
		for _, n := range []*record.Node{root, scope, scope.Get("OBX"), nil} {
			first := p.First(n)
			if first != nil && len(p.Append(nil, n)) == 0 {
				t.Fatalf("%q has a first and no each", s)
			}
		}
	})
}
