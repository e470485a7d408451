package search_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/search"
)

func TestTermsAreSortedAndEachOnceHoweverTheyBegin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 300, 70_000} {
		words := make([]string, n)
		for i := range words {
			b := []byte("aaaaaaaaaaaa")[:1+rng.IntN(12)]
			b = slices.Clone(b)
			b[rng.IntN(len(b))] = "abc9"[rng.IntN(4)]
			b[len(b)-1] = "abc9"[rng.IntN(4)]
			words[i] = string(b)
		}
		want := map[string]bool{}
		for _, w := range words {
			want[w] = true
		}
		got := search.Terms(strings.Join(words, " "))
		if !slices.IsSorted(got) {
			t.Errorf("%d words: not sorted", n)
		}
		found := map[string]bool{}
		for _, w := range got {
			if found[w] {
				t.Errorf("%d words: %s comes twice", n, w)
			}
			found[w] = true
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("%d words: %s", n, diff)
		}
	}
}
