package interaction_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// expand returns the codes of a value set as a viewer may see it, or the error.
func expand(f *fixture, v interaction.Viewer, url string) string {
	f.t.Helper()
	got, err := f.Operate(f.ctx(), v, "expand", &interaction.Call{Key: store.Key{Type: "ValueSet"}, Pairs: []search.Pair{{Name: "url", Value: url}}})
	if err != nil {
		return err.Error()
	}
	var codes []string
	for _, c := range got.Resource.Path("expansion", "contains").Items() {
		codes = append(codes, c.Get("code").Text())
	}
	return strings.Join(codes, " ")
}

func TestOfDefinitionsWithOneURLTheNewestThatIsInUseCounts(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		for i, v := range []struct{ version, status string }{{"1.10", "active"}, {"1.9", "active"}, {"2.0", "draft"}, {"3.0", "retired"}} {
			f.apply("city", int64(i), f.replace(fmt.Sprintf(`{"resourceType":"ValueSet","id":"v%d","url":"http://test/v","version":"%s","status":"%s",
				"compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"male"},{"code":"%s"}]}]}}`,
				i, v.version, v.status, []string{"female", "other", "unknown", "female"}[i])))
		}
		for url, want := range map[string]string{
			"http://test/v": "male female", "http://test/v|1.9": "male other", "http://test/v|2.0": "male unknown", "http://test/v|7": "the definition is not known",
		} {
			if got := expand(f, everybody, url); got != want {
				t.Errorf("%s: %s, want %s", url, got, want)
			}
		}
	})
}

// notes keep answers, and count how they were asked for.
type notes struct {
	mu          sync.Mutex
	kept        map[string][]byte
	found, made int
}

func (n *notes) Get(_ context.Context, question ...string) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer, ok := n.kept[strings.Join(question, "\x00")]
	if ok {
		n.found++
	}
	return answer, ok
}

func (n *notes) Keep(answer []byte, question ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.made++
	n.kept[strings.Join(question, "\x00")] = answer
}

// An expansion is made once, and again when anything that it may rest on changes.
func TestExpansionsAreKeptUntilWhatTheyRestOnChanges(t *testing.T) {
	const (
		set    = `{"resourceType":"ValueSet","id":"v","url":"http://test/v","status":"active","compose":{"include":[{"system":"http://test/c"}]}}`
		system = `{"resourceType":"CodeSystem","id":"c","url":"http://test/c","status":"active","content":"complete","concept":[{"code":"a"}%s]}`
	)
	onEachStore(t, func(t *testing.T, f *fixture) {
		n := &notes{kept: map[string][]byte{}}
		f.Answers = n
		f.expunging()
		step := func(what, want string, found, made int) {
			t.Helper()
			if got := expand(f, everybody, "http://test/v"); got != want || n.found != found || n.made != made {
				t.Errorf("%s: %q, want %q; %d found, want %d; %d made, want %d", what, got, want, n.found, found, n.made, made)
			}
		}
		step("nothing is there", "the definition is not known", 0, 0)
		f.apply("city", 1, f.replace(set), f.replace(fmt.Sprintf(system, "")))
		step("first", "a", 0, 1)
		step("again", "a", 1, 1)
		if got := expand(f, interaction.Viewer{Client: "stranger", Institution: "stranger"}, "http://test/v"); got != "the definition is not known" {
			t.Errorf("a stranger sees %s", got)
		}
		f.apply("city", 2, f.replace(fmt.Sprintf(system, `,{"code":"b"}`)))
		step("after a change", "a b", 1, 2)
		step("again", "a b", 2, 2)
		if _, _, _, err := f.erasing(store.Key{Type: "CodeSystem", ID: "c"}, 0); err != nil {
			t.Fatal(err)
		}
		if got := expand(f, everybody, "http://test/v"); got == "a b" {
			t.Error("what was expunged is answered")
		}
	})
}

func TestEachViewerHasDefinitionsOfItsOwn(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		var members []string
		for i := range 7 {
			member := fmt.Sprintf("member%d", i)
			members = append(members, member)
			f.apply(member, int64(i), f.replace(fmt.Sprintf(`{"resourceType":"CodeSystem","id":"c%d","url":"http://test/c","status":"active","content":"complete","concept":[{"code":"x%d"}]}`, i, i)),
				f.replace(fmt.Sprintf(`{"resourceType":"ValueSet","id":"v%d","url":"http://test/v","status":"active","compose":{"include":[{"system":"http://test/c"}]}}`, i)))
		}
		for range 2 {
			for i, member := range members {
				if got, want := expand(f, interaction.Viewer{Client: member, Institution: member}, "http://test/v"), fmt.Sprintf("x%d", i); got != want {
					t.Errorf("%s sees %s, want %s", member, got, want)
				}
			}
		}
		if got := expand(f, interaction.Viewer{Client: "stranger", Institution: "stranger"}, "http://test/v"); got != "the definition is not known" {
			t.Errorf("a stranger sees %s", got)
		}
		if got := expand(f, interaction.Viewer{}, "http://hl7.org/fhir/ValueSet/administrative-gender"); got != "male female other unknown" {
			t.Errorf("nobody sees %s", got)
		}
	})
}
