package personname

import (
	"testing"

	gopinyin "github.com/mozillazg/go-pinyin"
)

// TestEveryReadingIsPlain walks the dictionary: no tone mark may be left in any reading.
func TestEveryReadingIsPlain(t *testing.T) {
	for r := range gopinyin.PinyinDict {
		s, ok := syllable(rune(r))
		if !ok {
			continue
		}
		for i := range len(s) {
			if s[i] < 'a' || s[i] > 'z' {
				t.Fatalf("%c is read as %q", rune(r), s)
			}
		}
	}
}

func TestTheTableSaysWhatTheDictionaryDoes(t *testing.T) {
	for r := rune(firstHan - 1); r <= lastHan+1; r++ {
		want, wanted := inDictionary(r)
		if got, ok := syllable(r); got != want || ok != wanted {
			t.Errorf("%c is read as %q, the dictionary has %q", r, got, want)
		}
	}
}
