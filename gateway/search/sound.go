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
	p, ok = pinyinOf(v)
	x.names = append(x.names, readName{n, p, ok})
	return p, ok
}

// readName is the pinyin of a name that was asked for.
type readName struct {
	node   *fhir.Node
	pinyin personname.Pinyin
	ok     bool
}

func pinyinOf(v *fhirpath.Value) (p personname.Pinyin, ok bool) {
	n := v.Node()
	if v.Type() != "HumanName" {
		name := personname.Parse(n.Text())
		return name.Pinyin(), name.Kind != personname.None
	}
	text, family := written(n.Get("text")), written(n.Get("family"))
	given := n.Get("given").Items()
	var parts []string
	for _, g := range given {
		if written(g) != "" {
			parts = append(parts, g.Text())
		}
	}
	switch {
	case family != "" && han(family):
		return personname.Name{Kind: personname.Chinese, Family: family, Given: parts}.Pinyin(), true
	case text != "" && (family == "" || han(text)):
		return personname.Parse(text).Pinyin(), true
	case family != "" || len(parts) > 0:
		// In letters, the family name first, as pinyin has it.
		if whole := strings.Join(append([]string{family}, parts...), " "); ascii(whole) {
			p.Given = foldASCII(whole)
			for i := range len(p.Given) {
				if i == 0 || p.Given[i-1] == ' ' {
					p.Initials += p.Given[i : i+1]
				}
			}
			return p, true
		}
		return personname.Name{Kind: personname.Other, Text: strings.Join(append([]string{family}, parts...), " ")}.Pinyin(), true
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
	whole := letters(p.Family + p.Given)
	x.spelling(whole)
	if strings.Contains(whole, "v") {
		// ü, which others write as u, or as yu in passports.
		x.spelling(strings.ReplaceAll(whole, "v", "u"))
		x.spelling(strings.ReplaceAll(whole, "v", "yu"))
	}
	x.spelling(letters(p.Initials))
}

func (x *indexer) spelling(s string) {
	if s = cut(s, x.engine.opts.Limits.IndexText); s != "" {
		x.values.Strings = append(x.values.Strings, String{Param: x.param.code, Folded: s, Exact: s, Group: x.group})
	}
}

// letters folds pinyin, without what stands between syllables.
func letters(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\'', '’', '-', '·', ',', '.':
			return -1
		}
		return r
	}, Fold(s))
}

// sound indexes a name, or each part of it, by how it sounds.
func (x *indexer) sound(v *fhirpath.Value) {
	if v.Type() != "HumanName" {
		x.spelling(Sound(v.Node().Text()))
		return
	}
	if p, ok := x.personName(v); ok {
		x.spelling(soundOf(p.Family + p.Given))
		if p.Family != "" {
			x.spelling(soundOf(p.Given))
			return
		}
	}
	n := v.Node()
	x.spelling(Sound(written(n.Get("family"))))
	for _, g := range n.Get("given").Items() {
		x.spelling(Sound(written(g)))
	}
}

// Sound returns text by how it sounds, roughly, in letters: Chinese names as
// pinyin without the differences that many speakers do not make (zh and z, ng and
// n), names in letters without double letters and the usual variants of spelling.
func Sound(text string) string {
	if ascii(text) {
		return soundOf(text)
	}
	p := personname.Parse(text).Pinyin()
	return soundOf(p.Family + p.Given)
}

func soundOf(s string) string {
	s = letters(s)
	out := make([]byte, 0, len(s))
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
	return string(out)
}
