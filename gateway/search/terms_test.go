package search_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/search"
)

func TestTermsComeOnceInTheOrderOfTheText(t *testing.T) {
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
		var want []string
		seen := map[string]bool{}
		for _, w := range words {
			if !seen[w] {
				seen[w] = true
				want = append(want, w)
			}
		}
		if diff := cmp.Diff(want, search.Terms(strings.Join(words, " "))); diff != "" {
			t.Errorf("%d words: %s", n, diff)
		}
	}
}
