package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// concepts writes concepts as "key" or "key<parent position,…", separated by blanks.
func concepts(text string) iter.Seq2[store.Concept, error] {
	return func(yield func(store.Concept, error) bool) {
		var keys []string
		for word := range strings.FieldsSeq(text) {
			key, above, _ := strings.Cut(word, "<")
			keys = append(keys, key)
			c := store.Concept{Key: strings.ToLower(key), Code: key, Display: "display of " + key, Flags: uint8(len(key)), Details: []byte("{" + key + "}"),
				Text: strings.ToLower(key) + "\x01display of 肺炎 " + key}
			for p := range strings.SplitSeq(above, ",") {
				var n int64
				if _, err := fmt.Sscan(p, &n); err == nil {
					c.Above = append(c.Above, n)
				}
			}
			if len(c.Above) > 0 {
				c.Parent = fmt.Sprint("parent ", c.Above[0])
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// many are n concepts, each below the one of a tenth of its position.
func many(n int) iter.Seq2[store.Concept, error] {
	return func(yield func(store.Concept, error) bool) {
		for i := range n {
			c := store.Concept{Key: fmt.Sprint("k", i), Code: fmt.Sprint("k", i), Text: fmt.Sprint("k", i)}
			if i > 0 {
				c.Above = []int64{int64(i / 10)}
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func importAs(t testing.TB, s store.Concepts, version string, list iter.Seq2[store.Concept, error]) store.CodeSystem {
	t.Helper()
	got, err := s.ImportConcepts(t.Context(), store.CodeSystem{URL: "urn:system", Version: version, About: []byte("about " + version)}, list)
	if err != nil {
		t.Fatalf("the import failed: %v", err)
	}
	return got
}

// keysOf names concepts by position and code.
func keysOf(list []store.Concept) (keys []string) {
	for _, c := range list {
		keys = append(keys, fmt.Sprintf("%d %s", c.Position, c.Code))
	}
	return keys
}

// foundBy gathers positions, sorted.
func foundBy(t testing.TB, find func(found func(int64)) error) []int64 {
	t.Helper()
	list := []int64{}
	if err := find(func(p int64) { list = append(list, p) }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func systems(t testing.TB, s store.Concepts) (list []string) {
	t.Helper()
	found, err := s.CodeSystems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		list = append(list, fmt.Sprintf("%s|%s %d %s", one.URL, one.Version, one.Concepts, one.About))
	}
	return list
}

// family is a hierarchy with a concept below two others.
const family = "A B<0 C<0 D<1,2 E<3 F G<5"

// RunConcepts tests an adapter's code systems. open returns a new and empty store and
// closes it with the test.
func RunConcepts(t *testing.T, open func(t testing.TB) store.Concepts) {
	for _, tt := range conceptTests {
		t.Run("concept/"+tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

var conceptTests = []struct {
	name string
	run  func(t *testing.T, s store.Concepts)
}{
	{"keeps what is imported, in its order", func(t *testing.T, s store.Concepts) {
		equal(t, "systems", systems(t, s), []string(nil))
		got := importAs(t, s, "1", concepts(family))
		if got.Concepts != 7 || got.ID == 0 || got.Imported.IsZero() {
			t.Errorf("%+v", got)
		}
		equal(t, "systems", systems(t, s), []string{"urn:system|1 7 about 1"})
		list, err := s.CodeSystems(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		equal(t, "the system", list[0], got)
		one, err := s.Concepts(t.Context(), got.ID, "d")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the concept", one, []store.Concept{{Position: 3, Key: "d", Code: "D", Display: "display of D", Parent: "parent 1", Flags: 1, Details: []byte("{D}")}})
		some, err := s.Concepts(t.Context(), got.ID, "g", "nothing", "D", "a", "a")
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by key", keysOf(some), []string{"0 A", "6 G"})
		at, err := s.ConceptsAt(t.Context(), got.ID, []int64{6, 2, 7, 0, -1, 1 << 40})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "by position", keysOf(at), []string{"0 A", "2 C", "6 G"})
		page, err := s.ConceptPage(t.Context(), got.ID, 4, 2)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "a page", keysOf(page), []string{"4 E", "5 F"})
		if page, err = s.ConceptPage(t.Context(), got.ID, 7, 2); err != nil || len(page) > 0 {
			t.Errorf("behind the end: %v %v", keysOf(page), err)
		}
	}},
	{"follows links in both directions, once over each way", func(t *testing.T, s store.Concepts) {
		importAs(t, s, "0", concepts("x y<0 z<1"))
		id := importAs(t, s, "1", concepts(family)).ID
		for _, tt := range []struct {
			of           int64
			below, above []int64
			children     []string
		}{
			{0, []int64{0, 1, 2, 3, 4}, []int64{0}, []string{"B", "C"}},
			{3, []int64{3, 4}, []int64{0, 1, 2, 3}, []string{"E"}},
			{4, []int64{4}, []int64{0, 1, 2, 3, 4}, nil},
			{6, []int64{6}, []int64{5, 6}, nil},
			{7, []int64{}, []int64{}, nil},
		} {
			equal(t, fmt.Sprint("below ", tt.of), foundBy(t, func(f func(int64)) error { return s.ConceptsBelow(t.Context(), id, tt.of, f) }), tt.below)
			equal(t, fmt.Sprint("above ", tt.of), foundBy(t, func(f func(int64)) error { return s.ConceptsAbove(t.Context(), id, tt.of, f) }), tt.above)
			got, err := s.ConceptChildren(t.Context(), id, tt.of)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprint("children of ", tt.of), got, tt.children)
		}
	}},
	{"a link may lead to what comes later", func(t *testing.T, s store.Concepts) {
		id := importAs(t, s, "1", concepts("A<2 B<0 C")).ID
		equal(t, "below", foundBy(t, func(f func(int64)) error { return s.ConceptsBelow(t.Context(), id, 2, f) }), []int64{0, 1, 2})
	}},
	{"finds words anywhere, as they are written", func(t *testing.T, s store.Concepts) {
		importAs(t, s, "0", concepts(family))
		id := importAs(t, s, "1", concepts("J18 J18.9 K20_1 k%")).ID
		for _, tt := range []struct {
			words []string
			want  []int64
		}{
			{[]string{"j18"}, []int64{0, 1}}, {[]string{"18.9"}, []int64{1}}, {[]string{"肺"}, []int64{0, 1, 2, 3}}, {[]string{"j18", "肺炎"}, []int64{0, 1}},
			{[]string{"0_"}, []int64{2}}, {[]string{"%"}, []int64{3}}, {[]string{"_"}, []int64{2}}, {[]string{"j18", "k"}, []int64{}}, {nil, []int64{0, 1, 2, 3}},
			{[]string{"\\"}, []int64{}}, {[]string{"'"}, []int64{}},
		} {
			equal(t, fmt.Sprintf("%q", tt.words), foundBy(t, func(f func(int64)) error { return s.ConceptsWith(t.Context(), id, tt.words, f) }), tt.want)
		}
	}},
	{"an import takes the place of the same version, and of no other", func(t *testing.T, s store.Concepts) {
		old := importAs(t, s, "1", concepts(family))
		other := importAs(t, s, "2", concepts("X"))
		got := importAs(t, s, "1", concepts("N"))
		if got.ID == old.ID || got.ID == other.ID {
			t.Errorf("the imports %d, %d and %d", old.ID, other.ID, got.ID)
		}
		equal(t, "systems", systems(t, s), []string{"urn:system|1 1 about 1", "urn:system|2 1 about 2"})
		if list, err := s.Concepts(t.Context(), other.ID, "x"); err != nil || len(list) != 1 {
			t.Error(list, err)
		}
		for name, ask := range asking(s, old.ID) {
			if err := ask(t.Context()); !errors.Is(err, store.ErrCodeSystem) {
				t.Errorf("%s of what was replaced: %v", name, err)
			}
		}
		for name, ask := range asking(s, got.ID) {
			if err := ask(t.Context()); err != nil {
				t.Errorf("%s of what is there: %v", name, err)
			}
		}
	}},
	{"an import that fails leaves what was", func(t *testing.T, s store.Concepts) {
		importAs(t, s, "1", concepts(family))
		wrong := errors.New("the table ends")
		for _, tt := range []struct {
			name string
			list iter.Seq2[store.Concept, error]
			want func(error) bool
		}{
			{"a failure of the source", func(yield func(store.Concept, error) bool) {
				for c, err := range many(2500) {
					if !yield(c, err) {
						return
					}
				}
				yield(store.Concept{}, wrong)
			}, func(err error) bool { return errors.Is(err, wrong) }},
			{"a key that comes twice", concepts("A B A"), func(err error) bool { return fault.Is(err, fault.Invalid) }},
			{"a concept over the bound", func(yield func(store.Concept, error) bool) {
				yield(store.Concept{Key: "k", Details: make([]byte, store.MaxConcept)}, nil)
			}, func(err error) bool { return fault.Is(err, fault.TooCostly) }},
		} {
			_, err := s.ImportConcepts(t.Context(), store.CodeSystem{URL: "urn:system", Version: "1"}, tt.list)
			if !tt.want(err) {
				t.Errorf("%s: %v", tt.name, err)
			}
			equal(t, "systems after "+tt.name, systems(t, s), []string{"urn:system|1 7 about 1"})
		}
		_, err := s.ImportConcepts(t.Context(), store.CodeSystem{}, concepts("A"))
		wantFault(t, err, fault.Invalid)
	}},
	{"nobody sees an import before it is whole, and one of two at a time wins", func(t *testing.T, s store.Concepts) {
		importAs(t, s, "1", concepts("old"))
		_, err := s.ImportConcepts(t.Context(), store.CodeSystem{URL: "urn:system", Version: "1"}, func(yield func(store.Concept, error) bool) {
			for c, err := range many(2500) {
				if !yield(c, err) {
					return
				}
			}
			equal(t, "systems meanwhile", systems(t, s), []string{"urn:system|1 1 about 1"})
			importAs(t, s, "1", concepts("X Y"))
			yield(store.Concept{Key: "last"}, nil)
		})
		wantFault(t, err, fault.Conflict)
		equal(t, "systems", systems(t, s), []string{"urn:system|1 2 about 1"})
	}},
	{"holds many, in pages", func(t *testing.T, s store.Concepts) {
		const n = 3210
		id := importAs(t, s, "1", many(n)).ID
		importAs(t, s, "2", many(n))
		seen := int64(0)
		for {
			page, err := s.ConceptPage(t.Context(), id, seen, 700)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, c := range page {
				if c.Position != seen || c.Code != fmt.Sprint("k", seen) {
					t.Fatalf("%d %s after %d", c.Position, c.Code, seen)
				}
				seen++
			}
		}
		if seen != n {
			t.Errorf("%d concepts", seen)
		}
		if got := foundBy(t, func(f func(int64)) error { return s.ConceptsBelow(t.Context(), id, 0, f) }); len(got) != n {
			t.Errorf("%d below the first", len(got))
		}
		equal(t, "above", foundBy(t, func(f func(int64)) error { return s.ConceptsAbove(t.Context(), id, 3209, f) }), []int64{0, 3, 32, 320, 3209})
	}},
}

// asking asks for each thing there is to ask of an import.
func asking(s store.Concepts, id int64) map[string]func(ctx context.Context) error {
	none := func(int64) {}
	return map[string]func(ctx context.Context) error{
		"keys":     func(ctx context.Context) error { _, err := s.Concepts(ctx, id, "a"); return err },
		"at":       func(ctx context.Context) error { _, err := s.ConceptsAt(ctx, id, []int64{0}); return err },
		"page":     func(ctx context.Context) error { _, err := s.ConceptPage(ctx, id, 0, 1); return err },
		"words":    func(ctx context.Context) error { return s.ConceptsWith(ctx, id, []string{"a"}, none) },
		"below":    func(ctx context.Context) error { return s.ConceptsBelow(ctx, id, 0, none) },
		"above":    func(ctx context.Context) error { return s.ConceptsAbove(ctx, id, 0, none) },
		"children": func(ctx context.Context) error { _, err := s.ConceptChildren(ctx, id, 0); return err },
	}
}
