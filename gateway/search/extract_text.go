package search

import (
	"html"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// The parameters that find a resource by its words.
const (
	paramText    = "_text"
	paramContent = "_content"
)

// maxTerm bounds the bytes of one term; longer words are cut.
const maxTerm = 64

// unspaced are the scripts that write words without spaces between them.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// Terms cuts folded text into what Text has: words, and of scripts without spaces
// every character and every two neighbours. Each once, sorted.
func Terms(folded string) []string {
	return distinct(appendTerms(nil, folded, false))
}

// distinct sorts terms and leaves out what comes again.
func distinct(terms []string) []string {
	if len(terms) < 2 {
		return terms
	}
	if len(terms) > 1<<16 {
		slices.Sort(terms)
		return slices.Compact(terms)
	}
	// A number for each: six bytes of the term, which is two characters, and its place.
	// Numbers sort faster than terms, and only longer terms must be looked at again.
	order := make([]uint64, len(terms))
	for i, term := range terms {
		var head uint64
		for j := range min(6, len(term)) {
			head |= uint64(term[j]) << (56 - 8*j)
		}
		order[i] = head | uint64(i)
	}
	slices.Sort(order)
	out := make([]string, 0, len(terms))
	for i := 0; i < len(order); {
		same := i + 1
		for same < len(order) && order[same]>>16 == order[i]>>16 {
			same++
		}
		from := len(out)
		for _, o := range order[i:same] {
			if term := terms[o&0xFFFF]; len(out) == from || out[len(out)-1] != term {
				out = append(out, term)
			}
		}
		if len(out)-from > 1 {
			slices.Sort(out[from:])
			out = out[:from+len(slices.Compact(out[from:]))]
		}
		i = same
	}
	return out
}

// appendTerms appends the terms of folded text. Of a text that is looked for, pairs
// of neighbours suffice where there are any.
func appendTerms(out []string, folded string, asked bool) []string {
	word := -1            // where a word began
	before, run := -1, 0  // the last character of a script without spaces, and how many there were
	end := func(at int) { // of what came before at
		switch {
		case word >= 0:
			out = append(out, cut(folded[word:at], maxTerm))
		case asked && run == 1:
			out = append(out, folded[before:at])
		}
		word, before, run = -1, -1, 0
	}
	for i := 0; i < len(folded); {
		c := folded[i]
		if c < utf8.RuneSelf {
			letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
			if letter != (word >= 0) || run > 0 {
				end(i)
				if letter {
					word = i
				}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(folded[i:])
		switch {
		case r >= 0x4E00 && r <= 0x9FFF || unicode.In(r, unspaced...):
			if word >= 0 {
				end(i)
			}
			if !asked {
				out = append(out, folded[i:i+size])
			}
			if run > 0 {
				out = append(out, folded[before:i+size])
			}
			before = i
			run++
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r):
			if run > 0 {
				end(i)
			}
			if word < 0 {
				word = i
			}
		default:
			end(i)
		}
		i += size
	}
	end(len(folded))
	return out
}

// addTexts indexes the words of the narrative and of all texts.
func (x *indexer) addTexts(t *typeParameters) {
	if t.narrative {
		if div := x.resource.Path("text", "div").Text(); div != "" {
			x.terms(paramText, appendTerms(nil, Fold(unmarked(div)), false))
		}
	}
	if t.content {
		tree := x.engine.texts.of(x.engine.defs, t.name)
		found := x.words(make([]string, 0, t.terms.Load()), x.resource, tree, 0)
		if n := int32(len(found)); n > t.terms.Load() {
			t.terms.Store(min(maxTypicalTerms, n))
		}
		x.terms(paramContent, found)
	}
}

// maxTypicalTerms bounds what is reserved on the experience of other resources.
const maxTypicalTerms = 512

func (x *indexer) terms(param string, terms []string) {
	terms = distinct(terms)
	if most := x.engine.opts.Limits.IndexTerms; len(terms) > most {
		terms = terms[:most]
		x.issues = append(x.issues, fhir.Issue{
			Severity: fhir.Warning, Code: fhir.TypeTooCostly, ID: "search-values-many", Expression: x.resource.ResourceType(),
			Text: "more words than allowed: search parameter " + param + " does not find this resource by all of them",
		})
	}
	if len(terms) > 0 {
		x.values.Texts = append(x.values.Texts, Text{Param: param, Terms: terms})
	}
}

// maxDepth bounds how deep texts are looked for.
const maxDepth = 32

// words appends the terms of all texts in a resource or element: strings, markdown
// and narrative, not codes, addresses of things and dates.
func (x *indexer) words(out []string, n *fhir.Node, tree *textTree, depth int) []string {
	if depth > maxDepth || tree == nil {
		return out
	}
	for _, k := range n.All() {
		child := tree.children[k.Name()]
		if child == nil {
			continue
		}
		if k.Kind() != fhir.Array {
			out = x.word(out, k, child, depth)
			continue
		}
		for _, item := range k.All() {
			out = x.word(out, item, child, depth)
		}
	}
	return out
}

func (x *indexer) word(out []string, n *fhir.Node, tree *textTree, depth int) []string {
	switch {
	case n.Kind() == fhir.Object && tree.resource:
		return x.words(out, n, x.engine.texts.of(x.engine.defs, n.ResourceType()), depth+1)
	case n.Kind() == fhir.Object:
		return x.words(out, n, tree, depth+1)
	case n.Kind() == fhir.String && tree.markup:
		return appendTerms(out, Fold(unmarked(n.Text())), false)
	case n.Kind() == fhir.String && tree.text:
		return appendTerms(out, Fold(n.Text()), false)
	}
	return out
}

// textTree is where texts are in an element.
type textTree struct {
	text, markup, resource bool
	children               map[string]*textTree
}

// textTrees are made when a type is first met, and shared between types.
type textTrees struct {
	mu       sync.RWMutex
	types    map[string]*textTree
	elements map[*definitions.Element]*textTree
}

func (t *textTrees) of(defs *definitions.Definitions, resource string) *textTree {
	t.mu.RLock()
	tree, ok := t.types[resource]
	t.mu.RUnlock()
	if ok || !defs.IsResource(resource) {
		return tree
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.types == nil {
		t.types, t.elements = map[string]*textTree{}, map[*definitions.Element]*textTree{}
	}
	tree = t.make(defs.Type(resource).Root(), defs.Type(resource).Properties())
	t.types[resource] = tree
	return tree
}

func (t *textTrees) make(container *definitions.Element, properties []*definitions.Property) *textTree {
	if tree := t.elements[container]; tree != nil {
		return tree
	}
	tree := &textTree{children: map[string]*textTree{}}
	t.elements[container] = tree
	for _, p := range properties {
		switch p.Type {
		case "string", "markdown":
			tree.children[p.Name] = textLeaf
		case "xhtml":
			tree.children[p.Name] = markupLeaf
		case "Resource":
			tree.children[p.Name] = resourceLeaf
		default:
			if c := p.Container(); c != nil && len(p.Properties()) > 0 {
				tree.children[p.Name] = t.make(c, p.Properties())
			}
		}
	}
	return tree
}

var textLeaf, markupLeaf, resourceLeaf = &textTree{text: true}, &textTree{markup: true}, &textTree{resource: true}

// inline are the tags that stand inside words.
var inline = map[string]bool{
	"a": true, "abbr": true, "acronym": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "small": true, "span": true,
	"strong": true, "sub": true, "sup": true, "tt": true, "u": true,
}

// unmarked takes the tags and comments out of XHTML.
func unmarked(s string) string {
	var b strings.Builder
	for s != "" {
		text, rest, tagged := strings.Cut(s, "<")
		b.WriteString(text)
		if !tagged {
			break
		}
		end := ">"
		if strings.HasPrefix(rest, "!--") {
			end = "-->"
		}
		tag, after, _ := strings.Cut(rest, end)
		name := strings.Trim(tag, "/ ")
		if i := strings.IndexAny(name, " \t\r\n/"); i >= 0 {
			name = name[:i]
		}
		if !inline[name] && end == ">" {
			b.WriteByte(' ')
		}
		s = after
	}
	return html.UnescapeString(b.String())
}
