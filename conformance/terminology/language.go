package terminology

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// languages are wanted languages, the best first.
type languages []string

// maxLanguages bounds how many are looked at.
const maxLanguages = 16

// readLanguages reads a displayLanguage: one tag, or as in the header Accept-Language.
func readLanguages(text string) (languages, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > MaxWordBytes {
		return nil, refuse(msgParameter, "displayLanguage", "it is too long")
	}
	tags, _, err := language.ParseAcceptLanguage(text)
	if err != nil || len(tags) > maxLanguages {
		return nil, refuse(msgParameter, "displayLanguage", "it is no list of language tags")
	}
	var out languages
	for _, t := range tags {
		if s := t.String(); s != "mul" {
			out = append(out, s)
		}
	}
	return out, nil
}

// speaks reports how well a text in a language suits one that is wanted: 2 for the same, 1 for another form of it, 0
// for none. Text in no known language suits English, in which code systems are written if nothing else is said.
func speaks(have, want string) int {
	if have == "" {
		have = "en"
	}
	if strings.EqualFold(have, want) {
		return 2
	}
	if a, b := primary(have), primary(want); strings.EqualFold(a, b) {
		return 1
	}
	return 0
}

func primary(tag string) string {
	tag, _, _ = strings.Cut(tag, "-")
	return tag
}

// display chooses among a concept's names the one in the best language; "" if none is in a wanted language.
func (l languages) display(own, ownLanguage string, others []Designation) string {
	for _, want := range l {
		best, score := "", 0
		if own != "" {
			best, score = own, speaks(ownLanguage, want)
		}
		for _, d := range others {
			if d.Language == "" || d.Use.Code == "definition" {
				continue
			}
			if s := speaks(d.Language, want); s > score {
				best, score = d.Value, s
			}
		}
		if score > 0 && best != "" {
			return best
		}
	}
	return ""
}

func (l languages) String() string { return strings.Join(l, ",") }

// wants reports whether a designation is asked for by its language or use, as the parameter designation writes them: a
// language tag, or system|code. No wishes take all.
func wants(wishes []string, d Designation) bool {
	return len(wishes) == 0 || slices.ContainsFunc(wishes, func(w string) bool {
		system, code, ok := strings.Cut(w, "|")
		if !ok {
			return speaks(d.Language, w) > 0 && d.Language != ""
		}
		if system == "urn:ietf:bcp:47" {
			return speaks(d.Language, code) > 0 && d.Language != ""
		}
		return d.Use.System == system && (code == "" || d.Use.Code == code)
	})
}
