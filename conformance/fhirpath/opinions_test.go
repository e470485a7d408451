package fhirpath_test

import (
	"encoding/xml"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/secondopinion"
	"github.com/yilian/yilian/internal/testenv"
)

// templates are made of a path P of an example and of literals A and B. Each is
// a kind of question; where engines differ, testdata/opinions.txt names the kind
// and the clause that decides.
var templates = []string{
	"P", "P.count()", "P.exists()", "P.empty()", "P.first()", "P.last()", "P.tail()", "P.skip(1)", "P.take(2)", "P[0]", "P[1]", "P.distinct().count()",
	"P.isDistinct()", "P.children().count()", "P.descendants().count()", "P.repeat(children()).count()", "P.hasValue()", "P.select($this)",
	"P.select($index)", "P.where($this.exists()).count()", "P.all($this.exists())", "P.extension.url", "P.ofType(string)", "P.ofType(code).count()",
	"P.is(string)", "P.type().name", "(P | P).count()", "P.union(P).count()", "P.combine(P).count()", "P.intersect(P).count()", "P.exclude(P).count()",
	"P.subsetOf(P)", "P.supersetOf(P)", "P = P", "P ~ P", "P != P", "P.first() in P", "P contains P.first()", "P.first().toString()",
	"P.first().toString().length()", "P.first().toString().upper()", "P.first().toString().substring(1, 3)", "P.first().toString().indexOf('a')",
	"P.first().toString().replace('e', 'EE')", "P.first().toString().matches('^[A-Z]')", "P.first().toString().startsWith('h')",
	"P.first().toString().split('-')", "P.first().toString().toChars().distinct().count()", "P.first().toString().convertsToInteger()",
	"P.first().toString().toDecimal()", "P.first().toString().toQuantity()", "P.first().toString().toDate()", "P.first().toString().toDateTime()",
	"P.first().toString() & 'x'", "P.aggregate($total + 1, 0)", "iif(P.exists(), P.count(), 'none')", "P.trace('t').count()", "P.single()",
	"P.allTrue()", "P.not()", "P.exists() and P.empty()", "P.count() + 1", "P.count() / 3", "P.count() mod 2", "P.first() | P.last()", "%resource.id", "%context.id = id",
	"P.where($index = 0)", "P.exists($this is Quantity)", "P.as(string)", "P is code", "P.join(',')", "P.first().length()",
}

// operations are made of two literals.
var operations = []string{
	"A + B", "A - B", "A * B", "A / B", "A div B", "A mod B", "A & B", "A = B", "A != B", "A ~ B", "A !~ B", "A < B", "A <= B", "A > B", "A >= B",
	"A and B", "A or B", "A xor B", "A implies B", "A in B", "A contains B", "A | B", "(A | B).count()", "A.combine(B).distinct().count()",
	"A.round(1)", "A.abs()", "A.ceiling()", "A.floor()", "A.truncate()", "A.sqrt()", "A.exp()", "A.ln()", "A.log(B)", "A.power(B)", "-A",
	"A.toInteger()", "A.toDecimal()", "A.toString()", "A.toBoolean()", "A.toDate()", "A.toDateTime()", "A.toTime()", "A.toQuantity()",
	"A.convertsToInteger()", "A.convertsToDecimal()", "A.convertsToString()", "A.convertsToBoolean()", "A.convertsToDate()",
	"A.convertsToDateTime()", "A.convertsToTime()", "A.convertsToQuantity()", "A.not()", "A is Integer", "A is Decimal", "A is String", "A is Quantity",
	"A.indexOf(B)", "A.contains(B)", "A.startsWith(B)", "A.endsWith(B)", "A.replace(B, 'z')", "A.length()", "A.upper()", "A.matches(B)",
	"A.substring(1)", "A.substring(B)", "A.type().name", "iif(A, 1, 2)", "A.skip(B)", "A.take(B)", "A.exists(B)",
}

var literals = []string{
	"1", "0", "-3", "7", "2147483647", "1.0", "2.5", "-0.75", "0.1", "100000000.00000001", "'a'", "''", "'12'", "'1.50'", "'true'", "'2012-03-01'", "'10:30'",
	"'中文'", "'a b'", "'5 \\'mg\\''", "true", "false", "{}", "@2012", "@2012-02", "@2012-02-29", "@2012-02-29T10:00", "@2012-02-29T10:00:00Z",
	"@2012-02-29T18:00:00+08:00", "@T10:30", "@T23:59:59.999", "1 'g'", "1000 'mg'", "2 'cm'", "1 year", "2 months", "3 days", "10 minutes", "1 'a'", "1.5 hours",
	"(1 | 2)", "('a' | 'b')",
}

type opinion struct {
	kind     string // the template that made the question
	question secondopinion.Question
	own      secondopinion.Answer
}

// Three engines answer the official suite's expressions on other resources, and
// generated questions about the official examples. Where fhirpath.js differs
// from us, or both differ, the specification decides, and the clause is listed.
func TestSecondOpinions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	resources, asked := questions(t)
	list := make([]secondopinion.Question, len(asked))
	for i := range asked {
		list[i] = asked[i].question
	}
	js := secondopinion.JavaScript(t, resources, list)
	gofhir := secondopinion.GoFHIR(resources, list)
	known := score.Exceptions(t, "testdata/opinions.txt")
	used := map[string]bool{}
	count := map[string]int{}
	for i, o := range asked {
		agreed := o.own.Equal(js[i])
		switch {
		case agreed && o.own.Equal(gofhir[i]):
			count["all agree"]++
			continue
		case agreed:
			count["gofhir alone differs"]++
			continue
		case o.own.Equal(gofhir[i]):
			count["fhirpath.js alone differs"]++
		case js[i].Equal(gofhir[i]):
			count["both others agree and differ from us"]++
		default:
			count["all differ"]++
		}
		if pattern := listed(known, o.kind); pattern != "" {
			used[pattern] = true
			continue
		}
		t.Errorf("%s: %s on %s\n\tours        %.200s\n\tfhirpath.js %.200s\n\tgofhir      %.200s", o.kind, o.question.Expression,
			resourceName(resources[o.question.Resource]), o.own, js[i], gofhir[i])
	}
	for kind := range known {
		if !used[kind] {
			t.Errorf("%s is listed and no engine differs", kind)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
	if len(asked) < 10_000 || count["all agree"] < len(asked)/2 {
		t.Errorf("%d questions, %d agreed", len(asked), count["all agree"])
	}
}

// listed returns the first pattern of a list that a kind fits; "…" in a pattern
// stands for anything.
func listed(patterns map[string]string, kind string) string {
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		head, tail, open := strings.Cut(pattern, "…")
		if kind == pattern || open && len(kind) >= len(head)+len(tail) && strings.HasPrefix(kind, head) && strings.HasSuffix(kind, tail) {
			return pattern
		}
	}
	return ""
}

// questions makes the same questions every time.
func questions(t *testing.T) (resources [][]byte, asked []opinion) {
	t.Helper()
	random := rand.New(rand.NewPCG(4, 11))
	var trees []*fhir.Node
	ask := func(kind, expression string, resource int) {
		n := trees[resource]
		x, err := model().Compile(expression, fhirpath.Options{Context: n.ResourceType()})
		var values []fhirpath.Value
		if err == nil {
			values, err = x.Evaluate(nil, n)
		}
		asked = append(asked, opinion{kind, secondopinion.Question{Expression: expression, Resource: resource}, secondopinion.Own(values, err)})
	}
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 700 {
		t.Fatal(len(files), err)
	}
	byType := map[string][]int{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > maxExample {
			continue
		}
		n := parse(t, string(text))
		byType[n.ResourceType()] = append(byType[n.ResourceType()], len(trees))
		trees, resources = append(trees, n), append(resources, text)
	}
	for i, n := range trees {
		found := paths(n, n.ResourceType(), definitions.R4().Type(n.ResourceType()).Child, nil)
		for range 12 {
			template := templates[random.IntN(len(templates))]
			path := found[random.IntN(len(found))]
			if path.complex && strings.Contains(template, "toString()") {
				template = "P.first().toString()"
			}
			kind := template
			if path.complex {
				kind += " of a complex type"
			}
			ask(kind, replaceWord(template, "P", path.text), i)
		}
	}
	for _, op := range operations {
		pairs := len(literals)
		if strings.Contains(op, "B") {
			pairs *= 4
		}
		for i := range pairs {
			a, b := literals[i%len(literals)], literals[random.IntN(len(literals))]
			e := replaceWord(replaceWord(op, "A", receiver(a)), "B", b)
			kind := op + " (" + literalKind(a)
			if strings.Contains(op, "B") {
				kind += ", " + literalKind(b)
			}
			ask(kind+")", e, 0)
		}
	}
	for _, test := range suiteTests(t) {
		stem, _, _ := strings.Cut(test.Input, "-")
		of := byType[strings.ToUpper(stem[:min(1, len(stem))])+stem[min(1, len(stem)):]]
		for range min(3, len(of)) {
			ask("suite "+test.Name, test.Expression.Text, of[random.IntN(len(of))])
		}
	}
	return resources, asked
}

// maxExample leaves out the examples that are large and say nothing new.
const maxExample = 64 << 10

func suiteTests(t *testing.T) []suiteTest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testenv.Corpus(t, "fhirpath"), "tests-fhir-r4.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	var all []suiteTest
	for _, g := range s.Groups {
		for _, test := range g.Tests {
			// Clocks differ, and so does what is refused before evaluation.
			if test.Expression.Invalid == "" && !strings.Contains(test.Expression.Text, "now()") && !strings.Contains(test.Expression.Text, "today()") {
				all = append(all, test)
			}
		}
	}
	return all
}

// place is a path and whether what is there has children.
type place struct {
	text    string
	complex bool
}

// paths lists the paths of all that stands in a resource. The path of a choice is
// its stem.
func paths(n *fhir.Node, path string, child func(string) *definitions.Property, found []place) []place {
	found = append(found, place{path, true})
	for _, k := range n.All() {
		p := child(k.Name())
		if p == nil || p.Type == "Resource" || strings.HasPrefix(k.Name(), "_") {
			continue
		}
		below := path + "." + k.Name()
		if p.Element.Choice() {
			below = path + "." + strings.TrimSuffix(p.Element.Name, "[x]")
		}
		for _, item := range k.Items() {
			if item.Kind() == fhir.Object {
				found = paths(item, below, p.Child, found)
			} else {
				found = append(found, place{below, false})
			}
		}
	}
	return found
}

// receiver puts in brackets what would bind weaker than what follows.
func receiver(literal string) string {
	if strings.HasPrefix(literal, "-") || strings.Contains(literal, " ") && !strings.HasPrefix(literal, "(") {
		return "(" + literal + ")"
	}
	return literal
}

func literalKind(literal string) string {
	x, err := model().Compile(literal, fhirpath.Options{})
	if err != nil {
		return err.Error()
	}
	kinds := x.Types()
	if len(kinds) == 0 {
		return "none"
	}
	kind := kinds[0]
	if strings.Contains(literal, " | ") {
		kind += "s"
	}
	return kind
}

// replaceWord replaces a word of one capital that stands alone.
func replaceWord(text, word, by string) string {
	var b strings.Builder
	for i := range len(text) {
		alone := (i == 0 || !alphanumeric(text[i-1])) && (i+1 == len(text) || !alphanumeric(text[i+1]))
		if text[i:i+1] == word && alone {
			b.WriteString(by)
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

func resourceName(text []byte) string {
	n, err := fhir.Parse(text, fhir.Limits{})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s/%s", n.ResourceType(), n.ID())
}
