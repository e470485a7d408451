package interaction_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

func (f *fixture) expunge(v interaction.Viewer, k store.Key, pairs ...search.Pair) (count string, err error) {
	r, err := f.Operate(f.ctx(), v, "expunge", &interaction.Call{Key: k, Pairs: pairs})
	if err != nil {
		return "", err
	}
	return string(r.Resource.Path("parameter").At(0).Get("valueInteger").AppendJSON(nil)), nil
}

// expunging is a fixture where $expunge is switched on; it returns what was told of it.
func (f *fixture) expunging() *[]string {
	told := &[]string{}
	f.Expunges = true
	f.Engine.Config.Expunged = func(_ context.Context, k store.Key, client string) {
		*told = append(*told, k.String()+" "+client)
	}
	return told
}

func TestExpungeIsRefusedUnlessItIsSwitchedOn(t *testing.T) {
	f := newFixture(t)
	k := f.post(f.Engine, "Patient", withEyes("blue"))
	if _, err := f.expunge(everybody, k); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
	if strings.Contains(string(f.Capabilities()), `"expunge"`) {
		t.Error("the statement lists it")
	}
	on := newFixture(t)
	on.expunging()
	if !strings.Contains(string(on.Capabilities()), `"expunge"`) {
		t.Error("the statement does not list it")
	}
}

func TestExpungeLeavesNothingOfAPatient(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		told := f.expunging()
		const patient = `{"resourceType":"Patient","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990101199001010027"}],"name":[{"text":"张三"}]}`
		k, other := f.post(f.Engine, "Patient", patient), f.post(f.Engine, "Patient", withEyes("green"))
		changed := tree(t, strings.Replace(patient, "张三", "李四", 1))
		changed.SetString("id", k.ID)
		if _, err := f.Update(f.ctx(), everybody, k, changed, 0); err != nil {
			t.Fatal(err)
		}
		link, ok, err := f.store.LinkOf(f.ctx(), k.ID)
		if !ok || err != nil {
			t.Fatal("it has no person", err)
		}
		for _, v := range []interaction.Viewer{{Institution: "county"}, {}} {
			if _, err := f.expunge(v, k); !fault.Is(err, fault.NotFound) {
				t.Errorf("a viewer who may not see it: %v", err)
			}
		}
		if _, err := f.expunge(interaction.Viewer{Institution: "county", Sees: []string{"city"}}, k); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a viewer who may not write it: %v", err)
		}
		if _, err := f.expunge(everybody, k, search.Pair{Name: "expungeDeletedResources", Value: "true"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("it is not deleted: %v", err)
		}
		if count, err := f.expunge(everybody, k); count != "1" || err != nil {
			t.Fatal(count, err)
		}
		if _, err := f.Read(f.ctx(), everybody, k); !fault.Is(err, fault.NotFound) {
			t.Errorf("read: %v", err)
		}
		for number := range int64(2) {
			if _, err := f.ReadVersion(f.ctx(), everybody, k, number+1); !fault.Is(err, fault.NotFound) {
				t.Errorf("version %d: %v", number+1, err)
			}
		}
		f.wantFinds(f.Engine, "identifier=990101199001010027", 0)
		if _, ok, err := f.store.LinkOf(f.ctx(), k.ID); ok || err != nil {
			t.Error("it has a link", err)
		}
		if _, err := f.store.Person(f.ctx(), link.Person); !fault.Is(err, fault.NotFound) {
			t.Errorf("its person: %v", err)
		}
		if _, err := f.expunge(everybody, k); !fault.Is(err, fault.NotFound) {
			t.Errorf("again: %v", err)
		}
		if !slices.Equal(*told, []string{k.String() + " test"}) {
			t.Error(*told)
		}
		if _, err := f.Read(f.ctx(), everybody, other); err != nil {
			t.Errorf("another Patient: %v", err)
		}
	})
}

func TestExpungeRemovesContentsThatNothingElseNames(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.expunging()
		const binary = `{"resourceType":"Binary","contentType":"text/plain","data":"c2VjcmV0"}` // secret
		one, two := f.post(f.Engine, "Binary", binary), f.post(f.Engine, "Binary", binary)
		v, err := f.Read(f.ctx(), everybody, one)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.expunge(everybody, one); err != nil {
			t.Fatal(err)
		}
		if b, err := f.store.Content(f.ctx(), v.Blob.Digest, 0, 0); string(b) != "secret" || err != nil {
			t.Errorf("the other Binary lost its content: %q %v", b, err)
		}
		// The content of an older version goes too.
		changed := tree(t, strings.Replace(binary, "c2VjcmV0", "YQ==", 1))
		changed.SetString("id", two.ID)
		if _, err := f.Update(f.ctx(), everybody, two, changed, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.expunge(everybody, two); err != nil {
			t.Fatal(err)
		}
		if _, err := f.store.Content(f.ctx(), v.Blob.Digest, 0, 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("the content is there: %v", err)
		}
	})
}

func TestExpungeOfATypeRemovesWhatIsDeleted(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.expunging()
		var keys []store.Key
		for i := range 5 {
			k := f.post(f.Engine, "Patient", withEyes("blue"))
			keys = append(keys, k)
			if i == 0 {
				continue
			}
			if _, err := f.Delete(f.ctx(), everybody, k, 0); err != nil {
				t.Fatal(err)
			}
		}
		all := search.Pair{Name: "expungeDeletedResources", Value: "true"}
		for _, row := range []struct {
			name  string
			pairs []search.Pair
		}{
			{"not said what", nil},
			{"limit 0", []search.Pair{all, {Name: "limit", Value: "0"}}},
			{"limit over the limit", []search.Pair{all, {Name: "limit", Value: "1001"}}},
			{"unknown parameter", []search.Pair{all, {Name: "expungeEverything", Value: "true"}}},
		} {
			if _, err := f.expunge(everybody, store.Key{Type: "Patient"}, row.pairs...); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		for _, row := range []struct {
			pairs []search.Pair
			want  string
		}{{[]search.Pair{all, {Name: "limit", Value: "3"}}, "3"}, {[]search.Pair{all}, "1"}, {[]search.Pair{all}, "0"}} {
			if count, err := f.expunge(everybody, store.Key{Type: "Patient"}, row.pairs...); count != row.want || err != nil {
				t.Errorf("%v: %s %v, want %s", row.pairs, count, err, row.want)
			}
		}
		if _, err := f.Read(f.ctx(), everybody, keys[0]); err != nil {
			t.Errorf("what was not deleted: %v", err)
		}
	})
}

func TestExpungeOfASearchParameterTakesItOutOfEffect(t *testing.T) {
	f := newFixture(t)
	f.expunging()
	k := f.post(f.Engine, "SearchParameter", eyeColor)
	f.complete(f.Engine, f.reindex(f.Engine, "Patient"))
	f.wantFinds(f.Engine, "eye-color=blue", 0)
	if _, err := f.expunge(everybody, k); err != nil {
		t.Fatal(err)
	}
	f.wantFinds(f.Engine, "eye-color=blue", -1)
	f.wantFinds(newEngine(f.store), "eye-color=blue", -1)
}
