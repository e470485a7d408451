package acceptance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/scan"
	"github.com/yilian/yilian/internal/testenv"
)

// A part of the published sets is imported, and asked about. TestSoakImports does it with all of them.
func TestImports(t *testing.T) {
	if testing.Short() {
		t.Skip("imports thousands of resources")
	}
	parts := sets(t, [2]int{6, 4})
	onEachStore(t, nil, func(t *testing.T, c *client) { imports(t, c, parts, 500) })
}

func TestSoakImports(t *testing.T) {
	testenv.Soak(t)
	parts := sets(t, [2]int{})
	onEachStore(t, nil, func(t *testing.T, c *client) { imports(t, c, parts, 0) })
}

// imports holds a server to what it says of Bundles, and to most questions about them; 0: all.
func imports(t *testing.T, c *client, parts [3][]*sent, most int) {
	w := load(t, c, parts)
	readsBack(t, c, w)
	all := questions(w)
	if most > 0 && len(all) > most {
		rand.New(rand.NewPCG(1, 4)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:most]
	}
	answers(t, c, w, all)
	compartments(t, c, w)
	everything(t, c, w)
	otherParameters(t, c, w)
}

// maxShown bounds how many wrong answers are told.
const maxShown = 40

// answers asks all questions and compares what comes with what a scan finds.
func answers(t *testing.T, c *client, w *scan.World, all []question) {
	t.Helper()
	began := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	wrong, found, empty, costly := 0, 0, 0, 0
	work := make(chan int)
	for range clients {
		wg.Go(func() {
			for i := range work {
				q := all[i]
				pages, fault := c.answer(t, q, i)
				if fault == "" {
					if err := w.Check(q.typ, q.query, pages); err != nil {
						fault = err.Error()
					}
				}
				mu.Lock()
				matches := 0
				for _, p := range pages {
					matches += len(p.Matches)
				}
				if found += matches; matches == 0 {
					empty++
				}
				if strings.HasPrefix(fault, "422") && strings.Contains(fault, `"too-costly"`) {
					costly++ // a search may take seconds, not more; that is no wrong answer
				} else if fault != "" {
					if wrong++; wrong < maxShown {
						t.Errorf("%s?%s: %s", q.typ, q.query, fault)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range all {
		work <- i
	}
	close(work)
	wg.Wait()
	t.Logf("%d questions, %d without an answer, %d too costly, %d resources found, %d wrong, in %v", len(all), empty, costly, found, wrong, time.Since(began).Round(time.Millisecond))
	if len(all) < 300 || empty*2 > len(all) || costly*20 > len(all) {
		t.Errorf("%d questions, %d of them without an answer and %d too costly, show little", len(all), empty, costly)
	}
}

// answer asks one question, each tenth as a form.
func (c *client) answer(t *testing.T, q question, i int) ([]scan.Page, string) {
	query := q.query + "&_elements=id"
	if !strings.Contains(query, "_count=") {
		query += "&_count=1000"
	}
	if i%10 == 0 {
		return c.pagesAfter(t, c.ask(t, "POST", q.typ+"/_search", "application/x-www-form-urlencoded", []byte(query)), nil)
	}
	return c.pages(t, q.typ+"?"+query, nil)
}

// compartments asks for what is in the compartments of patients, encounters and practitioners, type by type.
func compartments(t *testing.T, c *client, w *scan.World) {
	t.Helper()
	asked := 0
	for _, of := range []string{"Patient", "Encounter", "Practitioner"} {
		members := w.Of(of)
		for i := 0; i < len(members); i += 1 + len(members)/3 {
			for _, typ := range w.Types() {
				want := w.Compartment(members[i], typ)
				if len(want) == 0 && asked%5 != 0 {
					asked++
					continue
				}
				asked++
				got := c.ask(t, "GET", members[i].Key()+"/"+typ+"?_elements=id&_count=1000&_total=accurate", "", nil)
				if got.status == 404 && len(want) == 0 {
					continue // resources of the type are in no such compartment
				}
				pages, wrong := c.pagesAfter(t, got, nil)
				if wrong == "" {
					if err := w.CheckAll(want, pages); err != nil {
						wrong = err.Error()
					}
				}
				if wrong != "" {
					t.Errorf("%s of %s: %s", typ, members[i].Key(), wrong)
				}
			}
		}
	}
}

// everything asks for $everything of each patient.
func everything(t *testing.T, c *client, w *scan.World) {
	t.Helper()
	for i, patient := range w.Of("Patient") {
		members, supporting := w.Everything(patient)
		pages, wrong := c.pages(t, patient.Key()+"/$everything"+[]string{"", "?_count=50"}[i%2], nil)
		if wrong == "" {
			if err := w.CheckEverything(members, supporting, pages); err != nil {
				wrong = err.Error()
			}
		}
		if wrong != "" {
			t.Errorf("$everything of %s: %s", patient.Key(), wrong)
		}
	}
}

// unscanned are parameters that a scan does not know and that find something: those of this server's own, and of texts.
var unscanned = map[string]bool{"phonetic": true, "name-pinyin": true, "_text": true, "_content": true, "_source": true}

// otherParameters holds that all other parameters which the server tells of have no value: what they find would be wrong.
func otherParameters(t *testing.T, c *client, w *scan.World) {
	t.Helper()
	var statement struct {
		Rest []struct {
			Resource []struct {
				Type        string
				SearchParam []struct{ Name, Type string }
			}
		}
	}
	if err := json.Unmarshal(c.ask(t, "GET", "metadata", "", nil).body, &statement); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, r := range statement.Rest[0].Resource {
		if len(w.Of(r.Type)) == 0 {
			continue
		}
		listed := map[string]bool{}
		for _, p := range r.SearchParam {
			listed[p.Name] = true
			if scan.Known(r.Type, p.Name) || unscanned[p.Name] || p.Type == "special" {
				continue
			}
			asked++
			query := "_summary=count&" + p.Name + ":missing=false"
			got := c.ask(t, "GET", r.Type+"?"+query, "", nil)
			var b bundle
			if err := json.Unmarshal(got.body, &b); err != nil || got.status != 200 || b.Total == nil || *b.Total != 0 {
				t.Errorf("%s?%s: %d %.300s", r.Type, query, got.status, got.body)
			}
		}
		for _, p := range scan.Parameters(r.Type) {
			if !listed[p.Code] {
				t.Errorf("the statement does not list %s of %s", p.Code, r.Type)
			}
		}
	}
	if asked < 100 {
		t.Errorf("%s", fmt.Sprint(asked, " other parameters"))
	}
}
