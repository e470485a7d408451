package interaction_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// found names what a search found, in its order.
func found(f *interaction.Found) string {
	var out []string
	for _, v := range f.Matches {
		out = append(out, v.ID)
	}
	return strings.Join(out, " ")
}

func TestAPersonsCompartmentIsThatOfAllItsPatients(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		const same = `"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],"name":[{"text":"王小明"}],"gender":"female","birthDate":"1990-01-01"`
		f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"a",`+same+`}`), f.replace(`{"resourceType":"Observation","id":"oa","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"}}`))
		f.apply("county", 2, f.replace(`{"resourceType":"Patient","id":"b",`+same+`}`), f.replace(`{"resourceType":"Observation","id":"ob","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/b"}}`))
		link, ok, err := f.store.LinkOf(f.ctx(), "a")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		person := store.Key{Type: "Patient", ID: link.Person}
		for _, tt := range []struct {
			who  interaction.Viewer
			typ  string
			want string
		}{
			{everybody, "Observation", "oa ob"},
			{interaction.Viewer{Client: "county", Institution: "county"}, "Observation", "ob"},
			{everybody, "", "oa ob a b"},
		} {
			got, err := f.SearchIn(f.ctx(), tt.who, interaction.Scope{Type: tt.typ, Of: person}, []search.Pair{{Name: "_sort", Value: "_id"}}, false)
			if tt.typ == "" {
				got, err = f.SearchIn(f.ctx(), tt.who, interaction.Scope{Of: person}, []search.Pair{{Name: "_type", Value: "Observation,Patient"}}, false)
			}
			if err != nil {
				t.Fatal(err)
			}
			if ids := strings.ReplaceAll(found(got), link.Person+" ", ""); ids != tt.want {
				t.Errorf("%s for %s: %s, want %s", tt.typ, tt.who.Client, ids, tt.want)
			}
		}
	})
}

func TestTheTagOfTheAllianceIsThatOfPersonsAndOfWhatBelongsToNoInstitution(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		const same = `"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],"name":[{"text":"王小明"}],"gender":"female","birthDate":"1990-01-01"`
		f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"a",`+same+`}`))
		f.apply("county", 2, f.replace(`{"resourceType":"Patient","id":"b",`+same+`}`), f.replace(`{"resourceType":"Patient","id":"c","name":[{"text":"李四"}]}`))
		alliance := interaction.Viewer{Client: "local", Institution: interaction.Alliance, Everything: true}
		var own []string
		for _, body := range []string{`{"resourceType":"Patient",` + same + `}`, `{"resourceType":"Patient","name":[{"text":"赵六"}]}`} {
			w, err := f.Create(f.ctx(), alliance, "Patient", tree(t, body))
			if err != nil {
				t.Fatal(err)
			}
			own = append(own, w.ID)
		}
		want := slices.Clone(own)
		for _, id := range []string{"a", "c", own[1]} { // one Patient of each person
			link, ok, err := f.store.LinkOf(f.ctx(), id)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			want = append(want, link.Person)
		}
		slices.Sort(want)
		asked := []search.Pair{{Name: "_tag", Value: "https://yilian.dev/fhir/institution|alliance"}, {Name: "_sort", Value: "name"}}
		for count := 1; count <= 6; count++ {
			pairs := append(slices.Clone(asked), search.Pair{Name: "_count", Value: strconv.Itoa(count)})
			var got []string
			for next := ""; ; {
				page, err := f.Search(f.ctx(), alliance, "Patient", append(slices.Clone(pairs), search.Pair{Name: interaction.CursorParam, Value: next}), false)
				if err != nil {
					t.Fatal(err)
				}
				if n := len(page.Matches); n > max(count, 2) {
					t.Errorf("%d on a page of %d", n, count)
				}
				got = append(got, strings.Fields(found(page))...)
				if next = page.Next; next == "" {
					break
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("by pages of %d: %v, want %v", count, got, want)
			}
		}
	})
}

func TestPagesOfSeveralTypesStandStillWhileOthersWrite(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		for i := range 6 {
			f.apply("city", int64(i), f.replace(fmt.Sprintf(`{"resourceType":"Location","id":"l%d","name":"x"}`, i)), f.replace(fmt.Sprintf(`{"resourceType":"Organization","id":"o%d","name":"x"}`, i)))
		}
		for _, sort := range []string{"", "_id", "-_lastUpdated"} {
			pairs := []search.Pair{{Name: "_type", Value: "Location,Organization"}, {Name: "_count", Value: "5"}}
			if sort != "" {
				pairs = append(pairs, search.Pair{Name: "_sort", Value: sort})
			}
			seen := map[string]int{}
			for page, cursor := 0, ""; page == 0 || cursor != ""; page++ {
				asked := pairs
				if cursor != "" {
					asked = append(pairs[:len(pairs):len(pairs)], search.Pair{Name: interaction.CursorParam, Value: cursor})
				}
				got, err := f.SearchIn(f.ctx(), everybody, interaction.Scope{}, asked, false)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range got.Matches {
					seen[v.ID]++
				}
				cursor = got.Next
				// What is written now, in front and behind, belongs to no page that follows.
				f.apply("city", 100, f.replace(fmt.Sprintf(`{"resourceType":"Location","id":"a-%s-%d","name":"x"}`, strings.Trim(sort, "-_"), page)),
					f.replace(fmt.Sprintf(`{"resourceType":"Organization","id":"z-%s-%d","name":"x"}`, strings.Trim(sort, "-_"), page)))
			}
			for i := range 6 {
				for _, id := range []string{fmt.Sprintf("l%d", i), fmt.Sprintf("o%d", i)} {
					if seen[id] != 1 {
						t.Errorf("_sort=%s: %s was shown %d times", sort, id, seen[id])
					}
				}
			}
			for id, n := range seen {
				if n > 1 || strings.HasPrefix(id, "z-"+strings.Trim(sort, "-_")) {
					t.Errorf("_sort=%s: %s was shown %d times", sort, id, n)
				}
			}
		}
	})
}

func TestWhatCostsTooMuchIsRefused(t *testing.T) {
	f := newFixture(t)
	f.Limit.Hierarchy, f.Limit.LastN, f.Limit.MaxPage = 3, 4, 2
	f.apply("city", 1, f.replace(`{"resourceType":"Patient","id":"p"}`), f.replace(`{"resourceType":"Location","id":"l0","name":"x"}`))
	for i := range 4 {
		f.apply("city", int64(i+2),
			f.replace(fmt.Sprintf(`{"resourceType":"Location","id":"l%d","name":"x","partOf":{"reference":"Location/l%d"}}`, i+1, i)),
			f.replace(fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}`, i)))
	}
	below := func(id string) error {
		_, err := f.Search(f.ctx(), everybody, "Location", []search.Pair{{Name: "partof:below", Value: "Location/" + id}}, false)
		return err
	}
	if err := below("l2"); err != nil {
		t.Errorf("a hierarchy of three: %v", err)
	}
	if err := below("l1"); !fault.Is(err, fault.TooCostly) {
		t.Errorf("a hierarchy of four: %v", err)
	}
	last := func() error {
		_, err := f.Operate(f.ctx(), everybody, "lastn", &interaction.Call{Key: store.Key{Type: "Observation"}, Pairs: []search.Pair{{Name: "patient", Value: "p"}, {Name: "code:text", Value: "x"}}})
		return err
	}
	if err := last(); err != nil {
		t.Errorf("the last of four Observations: %v", err)
	}
	f.apply("city", 9, f.replace(`{"resourceType":"Observation","id":"o9","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}`))
	if err := last(); !fault.Is(err, fault.TooCostly) {
		t.Errorf("the last of five Observations: %v", err)
	}
}

func TestAConditionMayNameAHierarchy(t *testing.T) {
	f := newFixture(t)
	f.apply("city", 1, f.replace(`{"resourceType":"Location","id":"l0","name":"x"}`), f.replace(`{"resourceType":"Location","id":"l1","name":"x","partOf":{"reference":"Location/l0"}}`))
	got, err := f.CreateIf(f.ctx(), everybody, "Location", tree(t, `{"resourceType":"Location","name":"y"}`), []search.Pair{{Name: "partof:below", Value: "Location/l0"}})
	if err != nil || got.ID != "l1" || got.Effect != interaction.Unchanged {
		t.Errorf("%s %v %v", got.ID, got.Effect, err)
	}
}
