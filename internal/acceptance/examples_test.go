package acceptance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	difference "github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/search/oracle"
	"github.com/yilian/yilian/internal/scan"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

const (
	jsonType = "application/fhir+json"
	xmlType  = "application/fhir+xml"
)

// example is an official example.
type example struct {
	name, typ, id string
	text          []byte
}

func (e *example) key() string { return e.typ + "/" + e.id }

// examples returns the official examples. The one of two with the same id that comes second is left out.
func examples(t *testing.T) (out []*example) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 720 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ ResourceType, ID string }
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		if e := (&example{filepath.Base(file), r.ResourceType, r.ID, text}); !seen[e.key()] {
			seen[e.key()] = true
			out = append(out, e)
		}
	}
	return out
}

// together calls fn for each of a list, some at a time.
func together[T any](list []T, fn func(T)) {
	work := make(chan T)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for v := range work {
				fn(v)
			}
		})
	}
	for _, v := range list {
		work <- v
	}
	close(work)
	wg.Wait()
}

// Every official example is taken, or refused with a reason that the list has; given back as it was sent, in JSON and in
// XML; taken again in XML; and found by its values: by some of each parameter here, by all in TestSoakExamples.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("writes every official example")
	}
	all := examples(t)
	onEachStore(t, map[string]string{"fhir.update-as-create": "on"}, func(t *testing.T, c *client) { c.exemplary(t, all, 1) })
}

func TestSoakExamples(t *testing.T) {
	testenv.Soak(t)
	all := examples(t)
	onEachStore(t, map[string]string{"fhir.update-as-create": "on"}, func(t *testing.T, c *client) { c.exemplary(t, all, 0) })
}

// exemplary writes, reads and finds examples by values, at most most of each parameter of a type; 0: all.
func (c *client) exemplary(t *testing.T, all []*example, most int) {
	refusable := score.Exceptions(t, "testdata/refused.txt")
	var mu sync.Mutex
	var stored []*example
	together(all, func(e *example) {
		got := c.ask(t, "PUT", e.key(), jsonType, e.text)
		mu.Lock()
		defer mu.Unlock()
		reason, refused := refusable[e.name]
		delete(refusable, e.name)
		switch {
		case got.status == 201 && refused:
			t.Errorf("%s is taken, and on the list of those that are not", e.name)
		case got.status == 201:
			stored = append(stored, e)
		case got.status != 422 || !refused:
			t.Errorf("%s: %d %.700s", e.name, got.status, got.body)
		default:
			if id, _, _ := strings.Cut(reason, ":"); !strings.Contains(string(got.body), `"valueCode":"`+id+`"`) {
				t.Errorf("%s is refused, but not for %s: %.700s", e.name, id, got.body)
			}
		}
	})
	for name := range refusable {
		t.Errorf("%s is on the list of what is refused and is no example", name)
	}
	together(stored, func(e *example) {
		if err := c.faithful(t, e); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	})
	c.found(t, stored, most)
}

// faithful reads an example in both formats, and sends its XML to be written again.
func (c *client) faithful(t *testing.T, e *example) error {
	if err := c.readsAs(t, e.key(), e.text, true); err != nil {
		return err
	}
	inXML := c.ask(t, "GET", e.key(), "", nil, "Accept", xmlType)
	x, err := readXML(string(inXML.body))
	if err != nil {
		return fmt.Errorf("XML: %w", err)
	}
	stored, err := scan.Parse(c.ask(t, "GET", e.key(), "", nil, "Accept", jsonType).body)
	if err != nil {
		return err
	}
	if err := sameInXML(e.typ, stored, x); err != nil || x.name != e.typ {
		return fmt.Errorf("XML of a %s: %w", x.name, err)
	}
	if again := c.ask(t, "PUT", e.key(), xmlType, inXML.body); again.status != 200 || again.header.Get("ETag") != `W/"1"` {
		return fmt.Errorf("the same in XML is %d, version %s: %.500s", again.status, again.header.Get("ETag"), again.body)
	}
	made := c.ask(t, "POST", e.typ, xmlType, inXML.body)
	at := location.FindStringSubmatch(made.header.Get("Location"))
	if made.status != 201 || at == nil {
		return fmt.Errorf("written in XML: %d %.500s", made.status, made.body)
	}
	if err := c.readsAs(t, at[1]+"/"+at[2], e.text, false); err != nil {
		return fmt.Errorf("after XML: %w", err)
	}
	if gone := c.ask(t, "DELETE", at[1]+"/"+at[2], "", nil); gone.status != 204 {
		return fmt.Errorf("deleted: %d", gone.status)
	}
	return nil
}

// readsAs reads a resource in JSON and compares it with what was sent: every digit of a number, and the order of
// properties if it was sent in JSON.
func (c *client) readsAs(t *testing.T, key string, text []byte, order bool) error {
	sent, err := scan.Parse(text)
	if err != nil {
		return err
	}
	got := c.ask(t, "GET", key, "", nil, "Accept", jsonType)
	if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), jsonType) {
		return fmt.Errorf("read with %d %s", got.status, got.header.Get("Content-Type"))
	}
	read, err := scan.Parse(got.body)
	if err != nil {
		return err
	}
	want, is := asSent(sent), asSent(read)
	want["id"], is["id"] = "", ""
	if data, ok := want["data"].(string); ok && want["resourceType"] == "Binary" { // kept as bytes; white space means nothing in base64
		want["data"] = strings.Join(strings.Fields(data), "")
		text, _ = json.Marshal(want)
		got.body, _ = json.Marshal(is)
	}
	if !reflect.DeepEqual(want, is) {
		diff := difference.Diff(want, is)
		return fmt.Errorf("not as it was sent (-sent +read)\n%.1500s", diff)
	}
	if a, b := tokens(text), tokens(got.body); order && !slices.Equal(a, b) {
		return fmt.Errorf("the same in another order")
	}
	return nil
}

// tokens are those of a resource in order, without what the server writes itself: id, meta, and the type, which it
// writes first.
func tokens(text []byte) (out []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_, _ = d.Token()
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil
		}
		if name == "meta" || name == "id" || name == "resourceType" {
			continue
		}
		out = append(out, fmt.Sprint(name))
		inner := json.NewDecoder(bytes.NewReader(value))
		inner.UseNumber()
		for token, err := inner.Token(); err == nil; token, err = inner.Token() {
			out = append(out, fmt.Sprint(token))
		}
	}
	return out
}

// found asks for examples by their values.
func (c *client) found(t *testing.T, stored []*example, most int) {
	t.Helper()
	engine := search.New(definitions.R4(), search.Options{Bases: []string{strings.TrimSuffix(c.base, "/")}})
	type asked struct {
		*example
		pair search.Pair
	}
	var all []asked
	taken := map[string]int{}
	for _, e := range stored {
		tree, err := fhir.Parse(c.ask(t, "GET", e.key(), "", nil, "Accept", jsonType).body, fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		values, _ := engine.Values(tree)
		for _, pair := range oracle.Pairs(values) {
			if e.typ == "Patient" && pair.Name == "_tag" && strings.HasPrefix(pair.Value, institutionTag) {
				continue // of Patients, this asks for persons
			}
			request, issues := engine.Parse(e.typ, []search.Pair{pair}, search.ParseOptions{})
			if request == nil {
				// What no query can name: longer than queries may be, or a reference that the definitions do not allow.
				if issues[0].ID != "search-value-long" && !strings.Contains(issues[0].Text, "does not refer to") {
					t.Errorf("%s: %s: %v", e.name, pair.Name, issues)
				}
				continue
			}
			if taken[e.typ+pair.Name]++; most == 0 || taken[e.typ+pair.Name] <= most {
				all = append(all, asked{e, pair})
			}
		}
	}
	together(all, func(a asked) {
		address := a.typ + "?" + a.pair.Name + "=" + url.QueryEscape(a.pair.Value) + "&_elements=id&_count=1000"
		pages, wrong := c.pages(t, address, nil)
		if wrong == "" && !slices.ContainsFunc(pages, func(p scan.Page) bool { return slices.Contains(p.Matches, a.key()) }) {
			wrong = "not found"
		}
		if wrong != "" {
			t.Errorf("%s by %s=%s: %s", a.name, a.pair.Name, a.pair.Value, wrong)
		}
	})
	t.Logf("%d examples found by %d values", len(stored), len(all))
	if len(all) < 1000 {
		t.Errorf("%d values are few", len(all))
	}
}
