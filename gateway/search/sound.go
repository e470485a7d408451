package search

import (
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/mapping/personname"
)

// form is how a string parameter turns text into what is compared.
type form uint8

const (
	asWritten form = iota
	asPinyin       // name-pinyin
	asSound        // phonetic
)

// namePinyin is the alliance's parameter that finds Chinese names by their
// pronunciation. Its definition stands in the implementation guide.
var namePinyin = definitions.SearchParameter{
	URL: "https://yilian.dev/fhir/SearchParameter/name-pinyin", ID: "name-pinyin", Code: "name-pinyin", Type: "string",
	Base: []string{"Patient", "Practitioner"}, Expression: "Patient.name | Practitioner.name",
	Description: "A name by its pinyin without tones (zhangsan) or the initials of its syllables (zs), from the beginning.",
}

// personName returns the pinyin of a HumanName: by its parts where the family name
// is Chinese, by its text otherwise.
func (x *indexer) personName(v *fhirpath.Value) (p personname.Pinyin, ok bool) {
	n := v.Node()
	for i := range x.names { // by another parameter
		if x.names[i].node == n {
			return x.names[i].pinyin, x.names[i].ok
		}
	}
	p, ok = x.pinyinOf(v)
	x.names = append(x.names, readName{n, p, ok})
	return p, ok
}

// readName is the pinyin of a name that was asked for.
type readName struct {
	node   *fhir.Node
	pinyin personname.Pinyin
	ok     bool
}

func (x *indexer) pinyinOf(v *fhirpath.Value) (p personname.Pinyin, ok bool) {
	n := v.Node()
	if v.Type() != "HumanName" {
		name := personname.Parse(n.Text())
		return name.Pinyin(), name.Kind != personname.None
	}
	text, family := written(n.Get("text")), written(n.Get("family"))
	var room [4]string
	parts := room[:0]
	for _, g := range n.Get("given").Items() {
		if given := written(g); given != "" {
			parts = append(parts, given)
		}
	}
	switch {
	case family != "" && han(family):
		return personname.Name{Kind: personname.Chinese, Family: family, Given: parts}.Pinyin(), true
	case text != "" && (family == "" || han(text)):
		return personname.Parse(text).Pinyin(), true
	case family != "" || len(parts) > 0:
		// In letters, the family name first, as pinyin has it.
		whole := append(x.scratch[:0], family...)
		for _, part := range parts {
			whole = append(append(whole, ' '), part...)
		}
		x.scratch = whole
		if !ascii(whole) {
			return personname.Name{Kind: personname.Other, Text: string(whole)}.Pinyin(), true
		}
		p.Given = x.arena.string(appendFolded(whole[:0], string(whole)))
		x.scratch = x.scratch[:0]
		for i := range len(p.Given) {
			if i == 0 || p.Given[i-1] == ' ' {
				x.scratch = append(x.scratch, p.Given[i])
			}
		}
		p.Initials = x.arena.string(x.scratch)
		return p, true
	}
	return p, false
}

// written returns the text of a string, "" for anything else.
func written(n *fhir.Node) string {
	if n.Kind() != fhir.String {
		return ""
	}
	return n.Text()
}

// pinyin indexes a name by its syllables and by their initials.
func (x *indexer) pinyin(v *fhirpath.Value) {
	p, ok := x.personName(v)
	if !ok {
		return
	}
	whole := x.letters(x.joined(p.Family, p.Given))
	x.spelling(whole)
	if strings.Contains(whole, "v") {
		// ü, which others write as u, or as yu in passports.
		x.spelling(strings.ReplaceAll(whole, "v", "u"))
		x.spelling(strings.ReplaceAll(whole, "v", "yu"))
	}
	x.spelling(x.letters(p.Initials))
}

func (x *indexer) spelling(s string) {
	if s = cut(s, x.engine.opts.Limits.IndexText); s != "" {
		x.values.Strings = append(x.values.Strings, String{Param: x.param.code, Folded: s, Exact: s, Group: x.group})
	}
}

// joined is a followed by b.
func (x *indexer) joined(a, b string) string {
	if a == "" {
		return b
	}
	x.scratch = append(append(x.scratch[:0], a...), b...)
	return x.arena.string(x.scratch)
}

// letters folds pinyin, without what stands between syllables.
func letters(s string) string { return string(appendLetters(nil, s)) }

// letters is letters with the memory of the indexer.
func (x *indexer) letters(s string) string {
	if lowerLetters(s) {
		return s
	}
	x.scratch = appendLetters(x.scratch[:0], s)
	return x.arena.string(x.scratch)
}

func lowerLetters(s string) bool {
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

func appendLetters(out []byte, s string) []byte {
	switch {
	case lowerLetters(s):
		return append(out, s...)
	case !ascii(s):
		s = Fold(s)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == ' ' || c == '\'' || c == '-' || c == ',' || c == '.':
			continue
		case strings.HasPrefix(s[i:], "’"):
			i += len("’") - 1
			continue
		case strings.HasPrefix(s[i:], "·"):
			i += len("·") - 1
			continue
		}
		out = append(out, c)
	}
	return out
}

// sound indexes a name, or each part of it, by how it sounds.
func (x *indexer) sound(v *fhirpath.Value) {
	if v.Type() != "HumanName" {
		x.spelling(Sound(v.Node().Text()))
		return
	}
	if p, ok := x.personName(v); ok {
		x.sounding(x.joined(p.Family, p.Given))
		if p.Family != "" {
			x.sounding(p.Given)
			return
		}
	}
	n := v.Node()
	x.sounding(written(n.Get("family")))
	for _, g := range n.Get("given").Items() {
		x.sounding(written(g))
	}
}

// sounding indexes a text by how it sounds.
func (x *indexer) sounding(text string) {
	if !ascii(text) {
		text = Sound(text)
		x.spelling(text)
		return
	}
	x.scratch = inSounds(appendLetters(x.scratch[:0], text))
	x.spelling(x.arena.string(x.scratch))
}

// Sound returns text by how it sounds, roughly, in letters: Chinese names as
// pinyin without the differences that many speakers do not make (zh and z, ng and
// n), names in letters without double letters and the usual variants of spelling.
func Sound(text string) string {
	if !ascii(text) {
		p := personname.Parse(text).Pinyin()
		text = p.Family + p.Given
	}
	return string(inSounds(appendLetters(nil, text)))
}

// inSounds turns letters into what they sound like, in place: it is never longer.
func inSounds(s []byte) []byte {
	out := s[:0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case 'y':
			c = 'i'
		case 'v', 'w':
			c = 'u'
		case 'z', 's', 't':
			if i+1 < len(s) && s[i+1] == 'h' {
				i++
			}
		case 'c':
			if i+1 < len(s) && s[i+1] == 'h' {
				i++
			} else if i+1 < len(s) && s[i+1] == 'k' {
				c = 'k'
				i++
			}
		case 'g':
			if i+1 < len(s) && s[i+1] == 'h' {
				i++
			}
		case 'p':
			if i+1 < len(s) && s[i+1] == 'h' {
				c = 'f'
				i++
			}
		case 'n':
			if i+1 < len(s) && s[i+1] == 'g' {
				i++
			}
		}
		// Double letters sound as one; the bytes of other scripts are left alone.
		if n := len(out); n == 0 || out[n-1] != c || c >= utf8.RuneSelf {
			out = append(out, c)
		}
	}
	return out
}
