package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// narrativeRules are what extensions of an element of a profile ask of the
// narrative there: https://hl7.org/fhir/extensions/StructureDefinition-narrative-language-control.html.
type narrativeRules struct {
	languages []string // _no, _yes, _resource, or a language
	source    bool     // each part says where it comes from
}

func readNarrativeRules(e *fhir.Node) *narrativeRules {
	languages := extensionsOf(e, core+"narrative-language-control")
	source := extensionsOf(e, core+"narrative-source-control")
	if len(languages) == 0 && len(source) == 0 {
		return nil
	}
	return &narrativeRules{languages: languages, source: len(source) > 0}
}

// part is what stands directly in the outer div of a narrative.
type part struct {
	language, class string
	bare            bool // text outside of any element
}

// parts reads the outermost parts of a narrative that is well formed.
func parts(div string) []part {
	var out []part
	depth := 0
	for div != "" {
		text, rest, ok := strings.Cut(div, "<")
		if depth == 1 && strings.TrimSpace(text) != "" {
			out = append(out, part{bare: true})
		}
		if !ok {
			break
		}
		if after, is := strings.CutPrefix(rest, "!--"); is {
			_, div, _ = strings.Cut(after, "-->")
			continue
		}
		var tag string
		tag, div, _ = strings.Cut(rest, ">")
		if strings.HasPrefix(tag, "/") {
			depth--
			continue
		}
		if depth == 1 {
			language := attribute(tag, "xml:lang")
			if language == "" {
				language = attribute(tag, "lang")
			}
			out = append(out, part{language: language, class: attribute(tag, "class")})
		}
		if !strings.HasSuffix(tag, "/") {
			depth++
		}
	}
	return out
}

// attribute is the value of an attribute in a tag, "" if it has none.
func attribute(tag, name string) string {
	_, after, ok := strings.Cut(tag, " "+name+"=")
	if !ok || len(after) < 2 {
		return ""
	}
	value, _, _ := strings.Cut(after[1:], after[:1])
	return value
}

var sources = set("boilerplate generated original")

// narrated tests a narrative by what a profile asks of it.
func (r *run) narrated(p *profile, rules *narrativeRules, it *item) {
	sections := parts(it.element.Value.Get("div").Text())
	if rules.source {
		for _, s := range sections {
			if s.bare || !sources[s.class] {
				r.fail(it.node(), msgNarrativeSource, p.url)
				break
			}
		}
	}
	has := func(test func(language string) bool) bool {
		for _, s := range sections {
			if s.language != "" && test(s.language) {
				return true
			}
		}
		return false
	}
	some := has(func(string) bool { return true })
	for _, want := range rules.languages {
		ok := false
		switch want {
		case "_no":
			ok = !some
		case "_yes":
			ok = some
		case "_resource":
			want = r.scope.node.Get("language").Text()
			fallthrough
		default:
			ok = has(func(l string) bool { return l == want })
		}
		if !ok {
			r.fail(it.node(), msgNarrativeSections, p.url)
		}
	}
}
