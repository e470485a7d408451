package search_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/search"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                "",
		"plain":           "plain",
		"Müller":          "muller",
		"MULLER":          "muller",
		"Ｍüller １２":       "muller 12",
		"  a\t b\u3000c ": "a b c",
		"Straße":          "strasse",
		"欧阳测试":            "欧阳测试",
		"欧阳·Ａ":            "欧阳·a",
		"𠮷野家":             "𠮷野家",
		"ガーデン":            "ガーデン",
		"ｶﾞ":              "ガ",
		"ŁÓDŹ":            "łodz",
		"é":               "e",
		"a\u200bb":        "ab",
		"한글":              "한글",
	} {
		if got := search.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}
