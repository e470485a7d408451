package personname

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	gopinyin "github.com/mozillazg/go-pinyin"
)

// Pinyin is a name in the letters of Hanyu Pinyin without tones; ü is written v, as input methods and hospital systems do.
type Pinyin struct {
	Family   string // lower case, in one word: ouyang
	Given    string
	Initials string // one letter a character: oyx
	Complete bool   // every character has a reading; those that have none stand as they are
}

// String returns family and given name with a space between.
func (p Pinyin) String() string { return strings.TrimSpace(p.Family + " " + p.Given) }

// rare are readings that the dictionary lacks.
var rare = map[rune]string{'𠮷': "ji"}

// Pinyin returns the name in Pinyin, the family name with its reading as one. Letters stay letters. A name that is no name has none.
func (n Name) Pinyin() Pinyin {
	var room, short [64]byte
	r := reader{out: room[:0], initials: short[:0], start: true, complete: true}
	family := 0
	switch n.Kind {
	case Chinese:
		if syllables, ok := readings[n.Family]; ok {
			for _, s := range syllables {
				r.out = append(r.out, s...)
				r.initials = append(r.initials, s[0])
			}
		} else {
			r.read(n.Family)
		}
		r.trim(0)
		family = len(r.out)
		r.start = true
		for _, given := range n.Given {
			r.read(given)
		}
		r.trim(family)
	case Minority, Latin, Newborn, Other:
		r.read(strings.ReplaceAll(n.Text, "·", ""))
		r.trim(0)
	default:
		return Pinyin{}
	}
	all := string(append(r.out, r.initials...))
	whole := len(r.out)
	return Pinyin{Family: all[:family], Given: all[family:whole], Initials: all[whole:], Complete: r.complete}
}

// reader collects the reading of a text.
type reader struct {
	out, initials []byte
	start         bool // no letter stands right before
	complete      bool
}

func (p *reader) read(s string) {
	for _, r := range s {
		reading, known := syllable(r)
		letter := !known && (r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z') || r >= utf8.RuneSelf && unicode.Is(unicode.Latin, r))
		switch {
		case known:
			p.out = append(p.out, reading...)
			p.initials = append(p.initials, reading[0])
		case letter:
			lower := unicode.ToLower(r)
			p.out = utf8.AppendRune(p.out, lower)
			if p.start {
				p.initials = utf8.AppendRune(p.initials, lower)
			}
		case unicode.IsLetter(r) || r >= 0xE000 && r <= 0xF8FF:
			p.out = utf8.AppendRune(p.out, r)
			p.initials = utf8.AppendRune(p.initials, r)
			p.complete = false
		case r == ' ':
			p.out = append(p.out, ' ')
		}
		p.start = !letter
	}
}

// trim takes the space off what was read since from.
func (p *reader) trim(from int) {
	p.out = append(p.out[:from], bytes.TrimSpace(p.out[from:])...)
}

func syllable(r rune) (string, bool) {
	if r >= firstHan && r <= lastHan {
		t := hanReadings()
		s := t.syllables[t.places[r-firstHan]]
		return s, s != ""
	}
	if r < firstHan && r != '〇' && r < 0x2E80 {
		return "", false
	}
	if s, ok := rare[r]; ok {
		return s, true
	}
	if !unicode.Is(unicode.Han, r) {
		return "", false
	}
	return inDictionary(r)
}

// inDictionary looks a character up. The dictionary has all readings with tone marks, the usual one first. Its own functions
// cost microseconds a character.
func inDictionary(r rune) (string, bool) {
	reading, _, _ := strings.Cut(gopinyin.PinyinDict[int(r)], ",")
	if reading == "" {
		return "", false
	}
	return toneless(reading), true
}

// The block that nearly all characters in use are of.
const firstHan, lastHan = 0x4E00, 0x9FFF

// table has the readings of a block: the place of each character's among the few hundred that there are; the first is none.
type table struct {
	places    [lastHan - firstHan + 1]uint16
	syllables []string
}

var hanReadings = sync.OnceValue(func() *table {
	t := &table{syllables: []string{""}}
	known := map[string]uint16{"": 0}
	for r := rune(firstHan); r <= lastHan; r++ {
		s, _ := inDictionary(r)
		place, ok := known[s]
		if !ok {
			place = uint16(len(t.syllables))
			known[s] = place
			t.syllables = append(t.syllables, s)
		}
		t.places[r-firstHan] = place
	}
	return t
})

// toneless takes the tone marks off a syllable of the dictionary.
func toneless(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		switch r {
		case 'ā', 'á', 'ǎ', 'à':
			r = 'a'
		case 'ē', 'é', 'ě', 'è', 'ê', 'ế', 'ề':
			r = 'e'
		case 'ī', 'í', 'ǐ', 'ì':
			r = 'i'
		case 'ō', 'ó', 'ǒ', 'ò':
			r = 'o'
		case 'ū', 'ú', 'ǔ', 'ù':
			r = 'u'
		case 'ǖ', 'ǘ', 'ǚ', 'ǜ', 'ü':
			r = 'v'
		case 'ń', 'ň', 'ǹ':
			r = 'n'
		case 'ḿ':
			r = 'm'
		}
		if r >= 0x300 && r <= 0x36F { // a mark of its own: m̀, ê̄
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
