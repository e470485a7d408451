package search

import (
	"hash/maphash"
	"slices"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/yilian/yilian/conformance/fhir"
)

// arena makes short strings in few pieces of memory.
type arena struct{ free []byte }

// arenaChunk is how many bytes an arena takes at once.
const arenaChunk = 512

func (a *arena) string(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > cap(a.free)-len(a.free) {
		a.free = make([]byte, 0, max(arenaChunk, len(text)))
	}
	from := len(a.free)
	a.free = append(a.free, text...)
	// What an arena has written stays as it is.
	return unsafe.String(&a.free[from], len(text))
}

// words collects the terms of texts, each once, in the order they come in. It is
// taken with newWords and given back with release.
type words struct {
	most   int
	excess bool // there were more than most
	terms  []string
	slots  []wordSlot // of a power of two, at most half of them taken
	arena  *arena
	own    arena
	folded []string
	lower  [maxTerm]byte
	// narrative is a text whose terms are known; knownMore, that there were more.
	narrative *fhir.Node
	known     []string
	knownMore bool
}

// wordSlot leads to a term by its hash.
type wordSlot struct{ hash, place uint32 } // place counts from 1

var (
	wordLists = sync.Pool{New: func() any { return &words{slots: make([]wordSlot, 512)} }}
	wordSeed  = maphash.MakeSeed()
)

// maxKeptSlots is how large a table is kept for other resources.
const maxKeptSlots = 4096

func newWords(most int) *words {
	w := wordLists.Get().(*words)
	w.most, w.arena = most, &w.own
	return w
}

func (w *words) release() {
	slots, terms, folded := w.slots, w.terms, w.folded
	if len(slots) > maxKeptSlots {
		return
	}
	clear(slots)
	clear(terms[:cap(terms)])
	clear(folded[:cap(folded)])
	*w = words{slots: slots, terms: terms[:0], folded: folded[:0]}
	wordLists.Put(w)
}

// take returns the terms and begins anew.
func (w *words) take() []string {
	if len(w.terms) == 0 {
		return nil
	}
	out := slices.Clone(w.terms)
	w.terms, w.excess = w.terms[:0], false
	clear(w.slots)
	return out
}

// add adds a term that stays as it is.
func (w *words) add(term string) {
	if i, h, fresh := w.place(term); fresh {
		w.put(term, i, h)
	}
}

// addLower adds the term in w.lower.
func (w *words) addLower(n int) {
	if i, h, fresh := w.place(unsafe.String(&w.lower[0], n)); fresh {
		w.put(w.arena.string(w.lower[:n]), i, h)
	}
}

// place finds the slot of a term; fresh says that it is not there and may be put.
func (w *words) place(term string) (i, h uint32, fresh bool) {
	h = uint32(maphash.String(wordSeed, term))
	mask := uint32(len(w.slots) - 1)
	for i = h & mask; w.slots[i].place != 0; i = (i + 1) & mask {
		if s := w.slots[i]; s.hash == h && w.terms[s.place-1] == term {
			return i, h, false
		}
	}
	if len(w.terms) >= w.most {
		w.excess = true
		return i, h, false
	}
	return i, h, true
}

func (w *words) put(term string, i, h uint32) {
	w.terms = append(w.terms, term)
	w.slots[i] = wordSlot{h, uint32(len(w.terms))}
	if 2*len(w.terms) > len(w.slots) {
		w.grow()
	}
}

func (w *words) grow() {
	old := w.slots
	w.slots = make([]wordSlot, 2*len(old))
	mask := uint32(len(w.slots) - 1)
	for _, s := range old {
		if s.place == 0 {
			continue
		}
		i := s.hash & mask
		for w.slots[i].place != 0 {
			i = (i + 1) & mask
		}
		w.slots[i] = s
	}
}

// addText adds the terms of a text as it is written.
func (w *words) addText(text string) {
	if !easy(text) {
		w.addFolded(Fold(text))
		return
	}
	before := -1 // a character of a script without spaces that stands right before
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			if wide := hanByte(text, i); !wide {
				before = -1 // punctuation
				i += 3
				continue
			}
			w.add(text[i : i+3])
			if before >= 0 {
				w.add(text[before : i+3])
			}
			before = i
			i += 3
			continue
		}
		before = -1
		if asciiLetters[c] == 0 {
			i++
			continue
		}
		from, capital := i, byte(0)
		for ; i < len(text) && asciiLetters[text[i]] != 0; i++ {
			capital |= asciiLetters[text[i]]
		}
		word := text[from:min(i, from+maxTerm)]
		if capital&isCapital == 0 {
			w.add(word)
			continue
		}
		for j := range len(word) {
			if w.lower[j] = word[j]; asciiLetters[word[j]]&isCapital != 0 {
				w.lower[j] |= 0x20
			}
		}
		w.addLower(len(word))
	}
}

// addFolded adds the terms of folded text.
func (w *words) addFolded(folded string) {
	w.folded = appendTerms(w.folded[:0], folded, false)
	for _, term := range w.folded {
		w.add(term)
	}
}

// addKnown adds the terms of the narrative.
func (w *words) addKnown() {
	for _, term := range w.known {
		w.add(term)
	}
	w.excess = w.excess || w.knownMore
}

// asciiLetters are the letters and digits of ASCII.
var asciiLetters = func() (out [256]byte) {
	for c := '0'; c <= '9'; c++ {
		out[c] = isLetter
	}
	for c := 'a'; c <= 'z'; c++ {
		out[c] = isLetter
		out[c-'a'+'A'] = isLetter | isCapital
	}
	return out
}()

const (
	isLetter  = 1
	isCapital = 2
)

// hanByte reports whether one of the Chinese characters that folding leaves alone
// begins at i: U+4E00 to U+9FFF, of three bytes.
func hanByte(s string, i int) bool {
	c := s[i]
	return (c > 0xE4 && c <= 0xE9 || c == 0xE4 && i+2 < len(s) && s[i+1] >= 0xB8) && i+2 < len(s) && s[i+1] >= 0x80 && s[i+2] >= 0x80
}

// easy reports whether a text has only ASCII, Chinese characters, and Chinese
// punctuation that folding makes nothing else of than punctuation.
func easy(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !hanByte(s, i) {
			if i+3 > len(s) {
				return false
			}
			switch s[i : i+3] {
			case "，", "。", "、", "；", "：", "（", "）", "《", "》", "？", "！":
			default:
				return false
			}
		}
		i += 3
	}
	return true
}
