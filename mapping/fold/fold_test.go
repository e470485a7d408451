package fold_test

import (
	"testing"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

func TestWidth(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"keeps plain text":              {"abc 123", "abc 123"},
		"keeps Chinese text":            {"阴性，复查。", "阴性,复查。"},
		"narrows letters and digits":    {"ＡＢｃ１２３", "ABc123"},
		"narrows signs":                 {"＜０．０１％", "<0.01%"},
		"turns the wide space narrow":   {"张　三", "张 三"},
		"turns the hard space narrow":   {"5.6\u00a0g", "5.6 g"},
		"drops what cannot be seen":     {"\ufeff12\u200b3\u202c", "123"},
		"keeps four-byte characters":    {"𠮷１", "𠮷1"},
		"keeps a replacement character": {"a\ufffdb", "a\ufffdb"},
		"replaces bytes outside UTF-8":  {"a\xffb", "a\ufffdb"},
		"keeps line breaks":             {"男\r\n女\t", "男\r\n女\t"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fold.Width(c.in); got != c.want {
				t.Errorf("Width = %q, want %q", got, c.want)
			}
		})
	}
}

func TestKey(t *testing.T) {
	for name, c := range map[string]struct{ a, b string }{
		"ignores case":         {"hbA1C", "HBa1c"},
		"ignores width":        {"ＡＬＴ", "alt"},
		"ignores outer spaces": {" 　ALT\t", "alt"},
		"joins inner spaces":   {"a \t b", "A b"},
		"folds Greek":          {"ΑLT", "αlt"},
	} {
		t.Run(name, func(t *testing.T) {
			if a, b := fold.Key(c.a), fold.Key(c.b); a != b {
				t.Errorf("%q and %q have different keys", a, b)
			}
		})
	}
	if fold.Key("a b") == fold.Key("ab") {
		t.Error("a space between words was lost")
	}
}

func TestPlainTextCostsNothing(t *testing.T) {
	text := "peripheral blood 外周血 5.6"
	if n := testing.AllocsPerRun(100, func() { fold.Text(text); fold.Key(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "ＡＢ　c", "a\xff\xfe", "𠮷\u200b", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w := fold.Width(s)
		if !utf8.ValidString(w) {
			t.Error("result is not UTF-8")
		}
		if fold.Width(w) != w {
			t.Error("folding twice differs from folding once")
		}
		if k := fold.Key(s); fold.Key(k) != k {
			t.Error("the key of a key differs")
		}
	})
}
