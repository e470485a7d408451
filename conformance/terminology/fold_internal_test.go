package terminology

import (
	"strings"
	"testing"
)

func TestFolded(t *testing.T) {
	for text, want := range map[string]string{
		"Dodó": "dodo", "ＡＢＣ１２３": "abc123", "Straße": "strasse", "ﬁne": "fine", "Ⅲ期": "iii期", "e\u0301": "e", "哺乳动物": "哺乳动物",
		"한국": "한국", "ㄱ\u0001": "ᄀ ", "A\tB": "a b", "µg": "μg", "ＩＬ－２": "il-2", "": "",
	} {
		if got := folded(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	// U+FDFA stands for eighteen letters.
	if long := strings.Repeat("\ufdfa", 1000); len(folded(long)) > maxGrowth*len(long) {
		t.Errorf("%d bytes become %d", len(long), len(folded(long)))
	}
	if decomposed, composed := folded("\u1112\u1161\u11ab"), folded("한"); decomposed != composed {
		t.Errorf("%q and %q differ", decomposed, composed)
	}
}
