package identity_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

const (
	alliance   = "https://yilian.dev"
	woman1990  = "990101199001010027" // 1990-01-01, female
	man1985    = "990101198505050036" // 1985-05-05, male
	woman1990s = "990101900101002"    // the same number in its 15 digits
)

func patient(t testing.TB, id, name, gender, birth string, identifiers ...string) *fhir.Node {
	t.Helper()
	n := fhir.NewObject().SetString("resourceType", "Patient").SetString("id", id)
	if len(identifiers) > 0 {
		list := fhir.NewArray()
		for _, text := range identifiers {
			system, value, _ := strings.Cut(text, "|")
			switch system {
			case "id":
				system = "urn:oid:2.16.156.10011.1.3"
			case "card":
				system = "urn:oid:2.16.156.10011.1.19"
			default:
				system = alliance + "/fhir/institution/" + system + "/patient"
			}
			list.Append(fhir.NewObject().SetString("system", system).SetString("value", value))
		}
		n.Set("identifier", list)
	}
	if name != "" {
		n.Set("name", fhir.NewArray(fhir.NewObject().SetString("text", name)))
	}
	if gender != "" {
		n.SetString("gender", gender)
	}
	if birth != "" {
		n.SetString("birthDate", birth)
	}
	return n
}

type fixture struct {
	t     testing.TB
	store *sqlite.Store
	index *identity.Index
}

func newFixture(t testing.TB) *fixture {
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &fixture{t, s, identity.New(identity.DefaultSystems(alliance))}
}

func (f *fixture) place(institution string, p *fhir.Node) {
	f.t.Helper()
	if err := f.tryPlace(institution, p); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) tryPlace(institution string, p *fhir.Node) error {
	return f.store.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		read := f.index.Read(p, institution)
		if names := read.LockNames(); len(names) > 0 {
			if err := tx.Lock(ctx, names...); err != nil {
				return err
			}
		}
		return f.index.Place(ctx, tx, read)
	})
}

func (f *fixture) person(id string) string {
	f.t.Helper()
	l, ok, err := f.store.LinkOf(f.t.Context(), id)
	if err != nil || !ok {
		f.t.Fatalf("no person for %s: %v", id, err)
	}
	return l.Person
}

func TestWhoIsTheSamePerson(t *testing.T) {
	type arrival struct {
		institution string
		patient     func(testing.TB) *fhir.Node
	}
	p := func(institution, id, name, gender, birth string, identifiers ...string) arrival {
		return arrival{institution, func(t testing.TB) *fhir.Node { return patient(t, id, name, gender, birth, identifiers...) }}
	}
	for _, tt := range []struct {
		name     string
		arrivals []arrival
		persons  []string // groups of Patients, "a b" are one person
		reviews  int
	}{
		{"the same resident id", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a b"}, 0},
		{"15 digits and 18", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990s),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a b"}, 0},
		{"a typing error in the name", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王晓明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a b"}, 0},
		{"the same id with another name and sex is reviewed", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "李大山", "male", "1990-01-01", "id|"+woman1990)}, []string{"a", "b"}, 1},
		{"the true owner joins past a wrong one", []arrival{
			p("city", "a", "李大山", "male", "1970-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("lab", "c", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a", "b c"}, 2},
		{"a health card", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "card|A1"),
			p("county", "b", "王小明", "female", "", "card|a1")}, []string{"a b"}, 0},
		{"no identifier, same name and birth date", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01"),
			p("county", "b", "王小明", "female", "1990-01-01")}, []string{"a", "b"}, 0},
		{"a wrong check digit joins nobody", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|990101199001010026"),
			p("county", "b", "王小明", "female", "1990-01-01", "id|990101199001010026")}, []string{"a", "b"}, 0},
		{"placeholders join nobody", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|111111111111111111"),
			p("county", "b", "王小明", "female", "1990-01-01", "id|111111111111111111")}, []string{"a", "b"}, 0},
		{"a newborn under its mother's id, by its name", []arrival{
			p("city", "a", "王小明之子", "male", "2024-05-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a", "b"}, 0},
		{"a newborn with a name of its own under its mother's id", []arrival{
			p("city", "a", "赵新", "female", "2024-05-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a", "b"}, 0},
		{"another member's number", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "city|77"),
			p("lab", "b", "王小明", "", "", "city|77")}, []string{"a b"}, 0},
		{"the same number at two members", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "city|77"),
			p("county", "b", "王小明", "female", "1990-01-01", "county|77")}, []string{"a", "b"}, 0},
		{"a Patient that shares with two persons joins them", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "card|A1"),
			p("lab", "c", "王小明", "female", "1990-01-01", "id|"+woman1990, "card|A1")}, []string{"a b c"}, 0},
		{"two resident ids never become one person through a card", []arrival{
			p("city", "a", "王小明", "", "", "id|"+woman1990, "card|A1"),
			p("county", "b", "王小明", "", "", "id|"+man1985),
			p("lab", "c", "王小明", "", "", "id|"+man1985, "card|A1")}, []string{"a", "b c"}, 1},
		{"an identifier that came later", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01"),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990)}, []string{"a b"}, 0},
		{"an identifier that was corrected parts again", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "male", "1985-05-05", "id|"+man1985)}, []string{"a", "b"}, 0},
		{"the first of two corrected parts again", []arrival{
			p("city", "a", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("county", "b", "王小明", "female", "1990-01-01", "id|"+woman1990),
			p("city", "a", "王小明", "male", "1985-05-05", "id|"+man1985)}, []string{"a", "b"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			for _, a := range tt.arrivals {
				f.place(a.institution, a.patient(t))
			}
			seen := map[string]string{}
			for _, group := range tt.persons {
				ids := strings.Fields(group)
				person := f.person(ids[0])
				for _, id := range ids[1:] {
					if f.person(id) != person {
						t.Errorf("%s and %s are two persons", ids[0], id)
					}
				}
				if other, taken := seen[person]; taken {
					t.Errorf("%q and %q are one person", other, group)
				}
				seen[person] = group
			}
			reviews, err := f.store.Reviews(t.Context(), 100)
			if err != nil || len(reviews) != tt.reviews {
				t.Errorf("%d reviews, want %d, %v", len(reviews), tt.reviews, err)
			}
		})
	}
}

func TestAnInstitutionsOwnMergeJoins(t *testing.T) {
	f := newFixture(t)
	f.place("city", patient(t, "a", "王小明", "female", "1990-01-01", "city|1"))
	f.place("city", patient(t, "b", "王小明", "female", "1990-01-01", "city|2"))
	merged := patient(t, "b", "王小明", "female", "1990-01-01", "city|2")
	merged.Set("active", fhir.NewBool(false)).Set("link", fhir.NewArray(fhir.NewObject().
		Set("other", fhir.NewObject().SetString("reference", "Patient/a")).SetString("type", "replaced-by")))
	was := f.person("b")
	f.place("city", merged)
	if f.person("a") != f.person("b") {
		t.Error("still two persons")
	}
	if p, err := f.store.Person(t.Context(), was); err != nil || p.Into != f.person("a") {
		t.Errorf("the person that went does not say where: %+v, %v", p, err)
	}
	f.place("city", merged)
	if f.person("a") != f.person("b") {
		t.Error("placing it again parts them")
	}
}

func TestParallelIngestsOfOneIDMakeOnePerson(t *testing.T) {
	f := newFixture(t)
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() {
			institution := []string{"city", "county", "lab"}[i%3]
			errs[i] = f.tryPlace(institution, patient(t, fmt.Sprint("p", i), "王小明", "female", "1990-01-01", "id|"+woman1990))
		})
	}
	wg.Wait()
	persons := map[string]bool{}
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		persons[f.person(fmt.Sprint("p", i))] = true
	}
	if len(persons) != 1 {
		t.Errorf("%d persons, want 1", len(persons))
	}
}
