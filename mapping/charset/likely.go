package charset

import (
	"math"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// sampleCharacters bounds what is looked at to tell two possible readings apart.
const sampleCharacters = 512

// The benefit of the doubt, in natural logarithms of likelihood, that a candidate
// gets for being declared or set: about what one or two characters weigh.
const (
	forDeclared = 6
	forSetting  = 4
	forCut      = 3 // the other way round: the last character is cut
)

// likeliest chooses among the encodings that can hold all of b; when none can,
// the one that holds the longest beginning.
func likeliest(b []byte, declared []string, setting string) string {
	type candidate struct {
		name  string
		bonus float64
	}
	var candidates []candidate
	add := func(name string, bonus float64) {
		if name == ASCII || name == UTF16LE || name == UTF16BE {
			return
		}
		for i := range candidates {
			if candidates[i].name == name {
				candidates[i].bonus = max(candidates[i].bonus, bonus)
				return
			}
		}
		candidates = append(candidates, candidate{name, bonus})
	}
	for _, c := range declared {
		add(c, forDeclared)
	}
	if c, ok := Canonical(setting); ok {
		add(c, forSetting)
	}
	add(UTF8, 0)
	add(GB18030, 0)

	best, score := "", math.Inf(-1)
	longest, reach := "", -1
	var able []candidate
	for _, c := range candidates {
		n, cut := valid(b, c.name)
		if cut { // told later that it is cut, if it is this one
			n, c.bonus = len(b), c.bonus-forCut
		}
		if n > reach {
			longest, reach = c.name, n
		}
		if n == len(b) {
			able = append(able, c)
		}
	}
	if len(able) < 2 {
		return longest
	}
	for _, c := range able {
		if s := likelihood(b, c.name) + c.bonus; s > score {
			best, score = c.name, s
		}
	}
	return best
}

// valid returns how many bytes from the start are text in the encoding, and
// whether what follows is only a character cut by the end.
func valid(b []byte, charset string) (n int, cut bool) {
	switch charset {
	case UTF8:
		if utf8.Valid(b) {
			return len(b), false
		}
	case GB18030:
		for pairs := gbPairs(); n < len(b); {
			if b[n] < 0x80 {
				n++
				continue
			}
			_, size := nextGB(b[n:], pairs)
			if size == 0 {
				return n, !fits(b[n:], charset)
			}
			n += size
		}
		return n, false
	}
	for n < len(b) {
		size := next(b[n:], charset)
		if size == 0 {
			return n, !fits(b[n:], charset)
		}
		n += size
	}
	return n, false
}

// next returns the length of the first character of b, 0 when it is none.
func next(b []byte, charset string) int {
	c := b[0]
	if c < 0x80 {
		return 1
	}
	switch charset {
	case ASCII:
		return 0
	case UTF8:
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return 0
		}
		return size
	case GB18030:
		_, size := nextGB(b, gbPairs())
		return size
	case "Big5", "EUC-KR":
		if len(b) < 2 {
			return 0
		}
		if r := decodeOne(b[:2], charset); r == utf8.RuneError {
			return 0
		}
		return 2
	default:
		if decodeOne(b[:1], charset) == utf8.RuneError {
			return 0
		}
		return 1
	}
}

// fits reports whether b holds enough bytes for its first character, so that it
// is wrong, not cut.
func fits(b []byte, charset string) bool {
	switch charset {
	case UTF8:
		return utf8.FullRune(b)
	case GB18030:
		return len(b) >= 4 || len(b) >= 2 && !(b[1] >= 0x30 && b[1] <= 0x39) || b[0] == 0xFF ||
			len(b) >= 3 && (b[2] < 0x81 || b[2] > 0xFE)
	case "Big5", "EUC-KR":
		return len(b) >= 2
	default:
		return true
	}
}

func decodeOne(b []byte, charset string) rune {
	if m, ok := encodings[charset].(*charmap.Charmap); ok {
		return m.DecodeByte(b[0])
	}
	out, err := encodings[charset].NewDecoder().Bytes(b)
	if err != nil {
		return utf8.RuneError
	}
	r, _ := utf8.DecodeRune(out)
	return r
}

// likelihood returns the logarithm of how likely the text is that b, valid but
// perhaps for its end, would be in the encoding: each character by its class, evenly within the
// class. Chinese text read wrongly becomes rare characters, more of them, or both.
func likelihood(b []byte, charset string) float64 {
	var sum float64
	n := 0
	for seen := 0; n < len(b) && seen < sampleCharacters; {
		if b[n] < 0x80 {
			n++
			continue
		}
		size := next(b[n:], charset)
		if size == 0 {
			break
		}
		// A trail byte that would be a delimiter by itself: text read wrongly
		// swallows what stands between fields.
		if size == 2 {
			switch b[n+1] {
			case '|', '^', '~', '\\', '{', '}', '[', ']':
				sum--
			}
		}
		n, seen = n+size, seen+1
	}
	sample := b[:n]
	if charset == GB18030 {
		text, _ := decodeGB(sample)
		sample = []byte(text)
	} else if e, ok := encodings[charset]; ok {
		out, err := e.NewDecoder().Bytes(sample)
		if err != nil {
			return math.Inf(-1)
		}
		sample = out
	}
	for _, r := range string(sample) {
		if r >= utf8.RuneSelf {
			sum += weight(r)
		}
	}
	return sum
}

var (
	logCommon      = math.Log(0.88 / 3755)
	logSecond      = math.Log(0.02 / 3008)
	logPunctuation = math.Log(0.04 / 200)
	logSymbol      = math.Log(0.05 / 60)
	logLatin       = math.Log(0.006 / 120)
	logHan         = math.Log(0.003 / 14000)
	logOther       = math.Log(0.0005 / 20000)
	logRare        = math.Log(0.0002 / 1000000)
)

// weight is the logarithm of a character's share in the text of hospitals here.
func weight(r rune) float64 {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF:
		switch level()[r-0x4E00] {
		case 1:
			return logCommon
		case 2:
			return logSecond
		}
		return logHan
	case r >= 0x3000 && r <= 0x301F, r >= 0xFF01 && r <= 0xFF5E, r >= 0x2010 && r <= 0x2027:
		return logPunctuation
	}
	switch r {
	case '°', '±', '×', '·', 'µ', 'μ', '²', '³', 'α', 'β', 'γ', '≤', '≥', '↑', '↓', '→', '←', '℃', '√', '÷', 'Ⅰ', 'Ⅱ', 'Ⅲ', 'Ⅳ',
		'①', '②', '③', '④', '⑤', '％', '‰', '…', '—', '“', '”', '‘', '’', '\u00A0', '®', '™', '⁹', '€', '£', '¥', '￥':
		return logSymbol
	}
	switch {
	case r >= 0xC0 && r <= 0x17F:
		return logLatin
	case r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x3FFFF:
		return logRare
	case r >= 0xE000 && r <= 0xF8FF, unicode.IsControl(r), r == utf8.RuneError:
		return logRare
	default:
		return logOther
	}
}

// level tells the characters of GB 2312: 1 the 3755 common ones, 2 the 3008 less
// common ones, 0 the others.
var level = sync.OnceValue(func() *[0x9FFF - 0x4E00 + 1]uint8 {
	var t [0x9FFF - 0x4E00 + 1]uint8
	pairs := gbPairs()
	for lead := 0xB0; lead <= 0xF7; lead++ {
		for trail := 0xA1; trail <= 0xFE; trail++ {
			r := pairs[(lead-0x81)*gbTrails+trail-0x40]
			if r < 0x4E00 || r > 0x9FFF {
				continue
			}
			if lead <= 0xD7 {
				t[r-0x4E00] = 1
			} else {
				t[r-0x4E00] = 2
			}
		}
	}
	return &t
})
