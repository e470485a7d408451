package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/internal/testenv"
)

// crowd is how many clients ask at the same time.
const crowd = 64

// stores are gateways over each store, two processes where it takes several.
func stores(t *testing.T, test func(t *testing.T, callers []*caller)) {
	if testing.Short() {
		t.Skip("it starts processes")
	}
	t.Run("one gateway on SQLite", func(t *testing.T) {
		n := newChild(t, "", "")
		test(t, []*caller{newCaller(t, n.base)})
	})
	t.Run("two gateways on PostgreSQL", func(t *testing.T) {
		database := testenv.Postgres(t)
		var callers []*caller
		for range 2 {
			n := newChild(t, database, "")
			callers = append(callers, newCaller(t, n.base))
		}
		test(t, callers)
	})
}

// together has a crowd ask at the same time, through all gateways in turn.
func together(t *testing.T, callers []*caller, ask func(c *caller, n int) (reply, error)) []reply {
	t.Helper()
	got, errs := make([]reply, crowd), make([]error, crowd)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for n := range crowd {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			got[n], errs[n] = ask(callers[n%len(callers)], n)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
	for n, err := range errs {
		if err != nil {
			t.Fatalf("client %d: %v", n, err)
		}
	}
	return got
}

// spellings are criteria that say the same: parameters in any order, any character
// percent-encoded.
func spellings(pairs [][2]string) []string {
	every := func(text string) string {
		var b strings.Builder
		for _, c := range []byte(text) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		return b.String()
	}
	var list []string
	backwards := slices.Clone(pairs)
	slices.Reverse(backwards)
	for _, order := range [][][2]string{pairs, backwards} {
		for _, spell := range []func(name, value string) string{
			func(name, value string) string { return name + "=" + value },
			func(name, value string) string { return name + "=" + url.QueryEscape(value) },
			func(name, value string) string { return name + "=" + strings.ToLower(every(value)) },
			func(name, value string) string { return every(name) + "=" + every(value) },
		} {
			parts := make([]string, len(order))
			for i, p := range order {
				parts[i] = spell(p[0], p[1])
			}
			list = append(list, strings.Join(parts, "&"))
		}
	}
	return list
}

// versionsOf reads the history of a resource: its words, from the first version on.
func versionsOf(t *testing.T, c *caller, typ, id string) (words []string) {
	t.Helper()
	got, err := c.send("GET", typ+"/"+id+"/_history?_count=1000", "")
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("the history: %d, %v", got.status, err)
	}
	var page bundle
	if err := json.Unmarshal(got.body, &page); err != nil {
		t.Fatal(err)
	}
	for i, e := range page.Entry {
		if want := fmt.Sprintf(`W/"%d"`, len(page.Entry)-i); e.Response.ETag != want {
			t.Fatalf("version %s stands in the history where %s belongs", e.Response.ETag, want)
		}
		words = append(words, wordIn(e.Resource))
	}
	slices.Reverse(words)
	return words
}

// found returns the ids of what a search finds.
func found(t *testing.T, c *caller, typ, criterion string) (ids []string) {
	t.Helper()
	got, err := c.send("GET", typ+"?_count=500&"+criterion, "")
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("the search: %d, %v", got.status, err)
	}
	var page bundle
	if err := json.Unmarshal(got.body, &page); err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entry {
		var m member
		if err := json.Unmarshal(e.Resource, &m); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	return ids
}

func TestACrowdThatMeansOneIdentityMakesOneResource(t *testing.T) {
	const person = `{"resourceType":"Patient",%s"active":true,"birthDate":"1980-01-31","name":[{"family":"%s","text":"%s"}]}`
	identifier := func(value string) string {
		return `"identifier":[{"system":"` + identitySystem + `","value":"` + value + `"}],`
	}
	stores(t, func(t *testing.T, callers []*caller) {
		for i, tt := range []struct {
			name    string
			pairs   func(value string) [][2]string
			creates bool // conditional creates ask
			updates bool // conditional updates ask
			plain   bool // creates without a condition stand between them
		}{
			{"creates by an identifier", byIdentifier, true, false, false},
			{"updates by an identifier", byIdentifier, false, true, false},
			{"creates and updates by an identifier", byIdentifier, true, true, false},
			{"creates and updates by an identifier, plain creates between", byIdentifier, true, true, true},
			{"creates and updates by an identifier and more", byMore, true, true, false},
			{"creates and updates by an identifier and more, plain creates between", byMore, true, true, true},
			{"creates and updates without an identifier", byName, true, true, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				value := fmt.Sprintf("crowd%d", i)
				criteria := spellings(tt.pairs(value))
				plain := func(n int) bool { return tt.plain && n%8 == 5 }
				updates := func(n int) bool { return tt.updates && (n/2%2 == 1 || !tt.creates) }
				got := together(t, callers, func(c *caller, n int) (reply, error) {
					body := fmt.Sprintf(person, identifier(value), value, fmt.Sprintf("w%d.%d", i, n))
					criterion := criteria[n/4%len(criteria)]
					switch {
					case plain(n):
						return c.send("POST", "Patient", body)
					case updates(n):
						return c.send("PUT", "Patient?"+criterion, body)
					}
					return c.send("POST", "Patient", body, "If-None-Exist", criterion)
				})
				made, changed, plainly := "", map[string][]int{}, 0
				for n, a := range got {
					switch {
					case plain(n):
						if a.status != http.StatusCreated {
							t.Fatalf("client %d: a plain create was answered %d %s", n, a.status, a.body)
						}
						plainly++
					case a.status == http.StatusCreated:
						if made != "" {
							t.Errorf("client %d made %s, and there was %s", n, a.id, made)
						}
						made = a.id
					case a.status == http.StatusOK:
						if updates(n) {
							changed[a.id] = append(changed[a.id], a.version)
						}
					case a.status == http.StatusPreconditionFailed && tt.plain: // it means several by then
					default:
						t.Errorf("client %d: answered %d %s", n, a.status, a.body)
					}
				}
				want := plainly
				if made != "" {
					want++
				}
				if !tt.plain && made == "" {
					t.Error("nobody made it")
				}
				ids := found(t, callers[0], "Patient", criteria[0])
				if len(ids) != want {
					t.Errorf("%d resources, want %d", len(ids), want)
				}
				for id, numbers := range changed {
					if !slices.Contains(ids, id) {
						t.Errorf("%s was changed, and is not found", id)
					}
					slices.Sort(numbers)
					for i, number := range numbers {
						if number != i+2 {
							t.Fatalf("%d updates of one resource made the versions %v", len(numbers), numbers)
						}
					}
					if words := versionsOf(t, callers[0], "Patient", id); len(words) != len(numbers)+1 {
						t.Errorf("%d versions after %d updates", len(words), len(numbers))
					}
				}
			})
		}
	})
}

func byIdentifier(value string) [][2]string {
	return [][2]string{{"identifier", identitySystem + "|" + value}}
}

func byMore(value string) [][2]string {
	return [][2]string{{"identifier", identitySystem + "|" + value}, {"birthdate", "1980-01-31"}, {"active", "true"}}
}

func byName(value string) [][2]string {
	return [][2]string{{"family:exact", value}, {"birthdate", "1980-01-31"}}
}

func TestOfACrowdOneUpdateOfAVersionWins(t *testing.T) {
	stores(t, func(t *testing.T, callers []*caller) {
		for _, typ := range []string{"Patient", "Basic"} {
			t.Run(typ, func(t *testing.T) {
				made, err := callers[0].send("POST", typ, content(typ, "", "wins"+typ, "w0"))
				if err != nil || made.status != http.StatusCreated {
					t.Fatalf("a create: %d %s, %v", made.status, made.body, err)
				}
				for number := 1; number <= 3; number++ {
					winner := -1
					for n, a := range together(t, callers, func(c *caller, n int) (reply, error) {
						return c.send("PUT", typ+"/"+made.id, content(typ, made.id, "wins"+typ, fmt.Sprintf("w%d.%d", number, n)),
							"If-Match", fmt.Sprintf(`W/"%d"`, number))
					}) {
						switch {
						case a.status == http.StatusPreconditionFailed:
						case a.status != http.StatusOK || a.version != number+1:
							t.Errorf("client %d: answered %d, version %d: %s", n, a.status, a.version, a.body)
						case winner >= 0:
							t.Errorf("clients %d and %d won", winner, n)
						default:
							winner = n
						}
					}
					if winner < 0 {
						t.Fatal("nobody won")
					}
					words := versionsOf(t, callers[len(callers)-1], typ, made.id)
					if want := fmt.Sprintf("w%d.%d", number, winner); len(words) != number+1 || words[number] != want {
						t.Errorf("the versions are %v, want %d and the last %s", words, number+1, want)
					}
				}
			})
		}
	})
}

func TestEveryUpdateOfACrowdIsAVersion(t *testing.T) {
	stores(t, func(t *testing.T, callers []*caller) {
		for _, typ := range []string{"Patient", "Basic"} {
			t.Run(typ, func(t *testing.T) {
				made, err := callers[0].send("POST", typ, content(typ, "", "every"+typ, "w0"))
				if err != nil || made.status != http.StatusCreated {
					t.Fatalf("a create: %d %s, %v", made.status, made.body, err)
				}
				want := make([]string, crowd+1)
				want[0] = "w0"
				for n, a := range together(t, callers, func(c *caller, n int) (reply, error) {
					return c.send("PUT", typ+"/"+made.id, content(typ, made.id, "every"+typ, fmt.Sprintf("w1.%d", n)))
				}) {
					if a.status != http.StatusOK || a.version < 2 || a.version > crowd+1 || want[a.version-1] != "" {
						t.Fatalf("client %d: answered %d, version %d: %s", n, a.status, a.version, a.body)
					}
					want[a.version-1] = fmt.Sprintf("w1.%d", n)
				}
				for _, c := range callers {
					if got := versionsOf(t, c, typ, made.id); !slices.Equal(got, want) {
						t.Errorf("the versions are %v, want %v", got, want)
					}
				}
			})
		}
	})
}
