package search

import "unicode/utf8"

// Grams returns every character of folded text and every two neighbours, each
// once, in the order of their first appearance. Text contains another only if it
// has all grams of it; of a text of two characters or more, the pairs suffice.
func Grams(folded string) []string {
	out := make([]string, 0, 2*utf8.RuneCountInString(folded))
	seen := make(map[string]struct{}, cap(out))
	add := func(gram string) {
		if _, again := seen[gram]; !again {
			seen[gram] = struct{}{}
			out = append(out, gram)
		}
	}
	before := -1
	for i := 0; i < len(folded); {
		_, size := utf8.DecodeRuneInString(folded[i:])
		add(folded[i : i+size])
		if before >= 0 {
			add(folded[before : i+size])
		}
		before = i
		i += size
	}
	return out
}
