package search_test

import (
	"slices"
	"testing"

	"github.com/yilian/yilian/gateway/search"
)

func TestGrams(t *testing.T) {
	for text, want := range map[string][]string{
		"":       {},
		"张":      {"张"},
		"张三丰":    {"张", "三", "张三", "丰", "三丰"},
		"aaa":    {"a", "aa"},
		"𠮷a":     {"𠮷", "a", "𠮷a"},
		"a\xffb": {"a", "\xff", "a\xff", "b", "\xffb"},
	} {
		if got := search.Grams(text); !slices.Equal(got, want) {
			t.Errorf("Grams(%q) = %q, want %q", text, got, want)
		}
	}
}
