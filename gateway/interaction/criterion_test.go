package interaction_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
)

// pairs reads a query string.
func pairs(t testing.TB, query string) []search.Pair {
	t.Helper()
	out, issues := search.Pairs(query)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	return out
}

// found counts what a search finds.
func (f *fixture) found(typ, query string) int {
	f.t.Helper()
	got, err := f.Search(f.ctx(), everybody, typ, append(pairs(f.t, query), search.Pair{Name: "_count", Value: "500"}), false)
	if err != nil {
		f.t.Fatal(err)
	}
	return len(got.Matches)
}

// criteria all mean the resources with one identifier, written differently.
var criteria = []string{
	"identifier=urn:x|7&gender=female", "gender=female&identifier=urn:x|7", "identifier=urn%3Ax%7C7&gender=female",
	"gender=%66emale&identifier=urn%3ax%7c7", "identifier=7&gender=female", "identifier=urn:x|7",
}

const identified = `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"7"}],"gender":"female"}`

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

func TestConditionalWritesOfOneIdentityMakeOneResource(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		ids := map[string]int{}
		created := 0
		together(64, func(i int) {
			criterion := pairs(t, criteria[i%len(criteria)])
			body := tree(t, identified)
			var w interaction.Written
			var err error
			if i%2 == 0 {
				w, err = f.CreateIf(f.ctx(), everybody, "Patient", body, criterion)
			} else {
				body.SetString("birthDate", fmt.Sprintf("1990-01-%02d", 1+i%28))
				w, err = f.UpdateIf(f.ctx(), everybody, "Patient", body, criterion, 0)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			ids[w.ID]++
			if w.Effect == interaction.Created {
				created++
			}
		})
		if len(ids) != 1 || created != 1 || f.found("Patient", "identifier=7") != 1 {
			t.Errorf("%d resources, created %d times", len(ids), created)
		}
	})
}

// A plain create always creates. What is promised beside it is that a conditional one
// sees it: it never adds to what is there, and says so when that is more than one.
func TestAConditionalCreateSeesThePlainOnesBesideIt(t *testing.T) {
	for _, plain := range []int{1, 8} {
		t.Run(strconv.Itoa(plain), func(t *testing.T) {
			onEachStore(t, func(t *testing.T, f *fixture) {
				var mu sync.Mutex
				created, refused := 0, 0
				together(64, func(i int) {
					var w interaction.Written
					var err error
					if i < plain {
						w, err = f.Create(f.ctx(), everybody, "Patient", tree(t, identified))
					} else {
						w, err = f.CreateIf(f.ctx(), everybody, "Patient", tree(t, identified), pairs(t, criteria[i%len(criteria)]))
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case i >= plain && fault.Is(err, fault.Precondition):
						refused++
					case err != nil:
						t.Errorf("%d: %v", i, err)
					}
					if i >= plain && w.Effect == interaction.Created {
						created++
					}
				})
				total := f.found("Patient", "identifier=urn:x|7")
				if created > 1 || total != plain+created || refused > 0 && total == 1 {
					t.Errorf("%d conditional creates created and %d were refused, %d resources beside %d plain creates", created, refused, total, plain)
				}
				if _, err := f.CreateIf(f.ctx(), everybody, "Patient", tree(t, identified), pairs(t, criteria[0])); total > 1 != fault.Is(err, fault.Precondition) {
					t.Errorf("with %d resources there: %v", total, err)
				}
			})
		})
	}
}

// A record that brings an identifier is seen like any other write.
func TestAConditionalCreateSeesRecords(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		batches := make([]interaction.Batch, 16)
		for i := range batches {
			batches[i] = f.batch("city", int64(i), f.replace(`{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:x","value":"7"}],"gender":"female"}`))
		}
		var mu sync.Mutex
		created := 0
		together(32, func(i int) {
			if i < len(batches) {
				if _, err := f.Apply(f.ctx(), batches[i]); err != nil {
					t.Error(err)
				}
				return
			}
			w, err := f.CreateIf(f.ctx(), everybody, "Patient", tree(t, identified), pairs(t, criteria[i%len(criteria)]))
			mu.Lock()
			defer mu.Unlock()
			if err != nil && !fault.Is(err, fault.Precondition) {
				t.Error(err)
			}
			if w.Effect == interaction.Created {
				created++
			}
		})
		if got := f.found("Patient", "identifier=7"); created > 1 || got != 1+created {
			t.Errorf("%d resources, %d of them by conditional creates", got, created)
		}
	})
}

func TestOfManyUpdatesOfOneVersionOneWins(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		first, err := f.Create(f.ctx(), everybody, "Patient", tree(t, identified))
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		won, lost := 0, 0
		together(64, func(i int) {
			body := tree(t, identified).SetString("id", first.ID)
			body.SetString("birthDate", fmt.Sprintf("19%02d-01-01", 10+i))
			_, err := f.Update(f.ctx(), everybody, first.Key, body, 1)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case fault.Is(err, fault.Precondition):
				lost++
			default:
				t.Error(err)
			}
		})
		if won != 1 || lost != 63 {
			t.Errorf("%d won, %d lost", won, lost)
		}
	})
}

func TestManyUpdatesWithoutAVersionAllHoldAndTheHistoryIsGapless(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		first, err := f.Create(f.ctx(), everybody, "Patient", tree(t, identified))
		if err != nil {
			t.Fatal(err)
		}
		together(64, func(i int) {
			body := tree(t, identified).SetString("id", first.ID)
			body.SetString("birthDate", fmt.Sprintf("19%02d-01-01", 10+i))
			if _, err := f.Update(f.ctx(), everybody, first.Key, body, 0); err != nil {
				t.Error(err)
			}
		})
		past, err := f.History(f.ctx(), everybody, first.Key, pairs(t, "_count=100"))
		if err != nil || len(past.Versions) != 65 {
			t.Fatalf("%d versions, %v", len(past.Versions), err)
		}
		for i, v := range past.Versions {
			if v.Number != int64(65-i) {
				t.Errorf("version %d at place %d", v.Number, i)
			}
		}
	})
}

func TestWhatACriterionMeansIsDecidedByWhatTheViewerSees(t *testing.T) {
	f := newFixture(t)
	county := interaction.Viewer{Client: "county", Institution: "county"}
	if _, err := f.Create(f.ctx(), everybody, "Patient", tree(t, identified)); err != nil {
		t.Fatal(err)
	}
	w, err := f.CreateIf(f.ctx(), county, "Patient", tree(t, identified), pairs(t, criteria[0]))
	if err != nil || w.Effect != interaction.Created || w.Owner != "county" {
		t.Errorf("%v %v: a Patient that the viewer may not see kept it from creating its own", w.Effect, err)
	}
}

// A criterion without an identifier is no less exact.
func TestCriteriaOfOtherParameters(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		created := 0
		together(32, func(i int) {
			criterion := []string{"status=final&code=urn:c|a", "code=urn%3Ac%7Ca&status=final"}[i%2]
			w, err := f.CreateIf(f.ctx(), everybody, "Observation",
				tree(t, `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"urn:c","code":"a"}]}}`), pairs(t, criterion))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if w.Effect == interaction.Created {
				created++
			}
		})
		if created != 1 {
			t.Errorf("%d were created", created)
		}
	})
}

// issuesOf returns the issues of a refusal.
func issuesOf(t testing.TB, err error) []fhir.Issue {
	t.Helper()
	refused := refusal(err)
	if refused == nil {
		t.Fatalf("not refused: %v", err)
	}
	return refused.Issues
}

func TestCriteriaSeeTheValueSetsOfWhoAsks(t *testing.T) {
	f := newFixture(t)
	f.Index.SetTerminology(f.Terminology())
	f.apply("city", 1, f.replace(`{"resourceType":"ValueSet","id":"v","url":"http://test/v","status":"active",
		"compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"female"}]}]}}`))
	k := f.post(f.Engine, "Patient", `{"resourceType":"Patient","gender":"female"}`)
	f.post(f.Engine, "Patient", `{"resourceType":"Patient","gender":"male"}`)
	criterion := pairs(t, "gender:in=http://test/v")
	changed := tree(t, `{"resourceType":"Patient","gender":"female","birthDate":"1990-01-01"}`)
	stranger := interaction.Viewer{Client: "stranger", Institution: "county"}
	if _, err := f.UpdateIf(f.ctx(), stranger, "Patient", changed.Clone(), criterion, 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("one who does not see the value set: %v", err)
	}
	w, err := f.UpdateIf(f.ctx(), everybody, "Patient", changed, criterion, 0)
	if err != nil || w.Key != k {
		t.Errorf("%+v %v, want %s", w, err, k)
	}
}
