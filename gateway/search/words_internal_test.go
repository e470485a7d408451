package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWordsOfATextAreTheTermsOfItFolded holds the short way against the long one.
func TestWordsOfATextAreTheTermsOfItFolded(t *testing.T) {
	parts := strings.Split("a|B|zZ|9| |  |\t|\n|-|.|'|张|三丰|龥|\u4dff|\ua000|，|。|（|）|、|《|é|É|ß|Ａ|１|ﬁ|①|が|か\u3099|ﾊﾞ|한|ไทย|\u0301|\u200b|\u3000|𠮷|Σ|ς|\x7f|\x00|·|…|"+strings.Repeat("X", 70), "|")
	rng := rand.New(rand.NewPCG(3, 5))
	easyTexts := 0
	for range 20_000 {
		few := parts
		if rng.IntN(2) == 0 {
			few = parts[:22] // mostly what the short way takes
		}
		var b strings.Builder
		for range rng.IntN(12) {
			b.WriteString(few[rng.IntN(len(few))])
		}
		text := b.String()
		if easy(text) {
			easyTexts++
		}
		w := newWords(math.MaxInt)
		w.addText(text)
		got := w.take()
		w.release()
		if diff := cmp.Diff(Terms(Fold(text)), got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	}
	if easyTexts < 5000 {
		t.Errorf("only %d texts took the short way", easyTexts)
	}
}

func TestWordsStopAtTheirLimit(t *testing.T) {
	w := newWords(3)
	defer w.release()
	w.addText("a B c a b")
	if w.excess {
		t.Error("three words are too many")
	}
	w.addText("A d")
	if !w.excess {
		t.Error("a fourth word is not told")
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, w.take()); diff != "" {
		t.Error(diff)
	}
	w.addText("d")
	if w.excess || !slices.Equal(w.take(), []string{"d"}) {
		t.Error("what was taken counts on")
	}
}
