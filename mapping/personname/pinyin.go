package personname

import (
	"strings"
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
	var p Pinyin
	switch n.Kind {
	case Chinese:
		p.Complete = true
		if syllables, ok := readings[n.Family]; ok {
			p.Family = strings.Join(syllables, "")
			for _, s := range syllables {
				p.Initials += s[:1]
			}
		} else {
			p.Family = p.read(n.Family)
		}
		p.Given = p.read(strings.Join(n.Given, ""))
	case Minority, Latin, Newborn, Other:
		p.Complete = true
		p.Given = p.read(strings.ReplaceAll(n.Text, "·", ""))
	}
	return p
}

// read appends the initials of s and returns its reading.
func (p *Pinyin) read(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		reading, known := syllable(r)
		switch {
		case known:
			p.Initials += reading[:1]
		case unicode.Is(unicode.Latin, r):
			reading = string(unicode.ToLower(r))
			if start {
				p.Initials += reading
			}
		case unicode.IsLetter(r) || r >= 0xE000 && r <= 0xF8FF:
			reading = string(r)
			p.Initials += reading
			p.Complete = false
		case r == ' ':
			reading = " "
		default:
			reading = ""
		}
		start = !unicode.Is(unicode.Latin, r)
		b.WriteString(reading)
	}
	return strings.TrimSpace(b.String())
}

func syllable(r rune) (string, bool) {
	if s, ok := rare[r]; ok {
		return s, true
	}
	if !unicode.Is(unicode.Han, r) {
		return "", false
	}
	// The dictionary has all readings with tone marks, the usual one first. Its own functions cost microseconds a character.
	reading, _, _ := strings.Cut(gopinyin.PinyinDict[int(r)], ",")
	if reading == "" {
		return "", false
	}
	return toneless(reading), true
}

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
