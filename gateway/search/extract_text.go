package search

import (
	"html"
	"math"
	"math/bits"
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
// every character and every two neighbours. Each once, in the order they come in.
func Terms(folded string) []string {
	w := newWords(math.MaxInt)
	defer w.release()
	w.addFolded(folded)
	return w.take()
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
	w := newWords(x.engine.opts.Limits.IndexTerms)
	defer w.release()
	w.arena = &x.arena
	if t.narrative {
		if div := x.resource.Path("text", "div"); div.Text() != "" {
			w.addText(unmarked(div.Text()))
			w.narrative, w.knownMore = div, w.excess
			w.known = x.terms(paramText, w)
		}
	}
	if t.content {
		x.words(w, x.resource, x.engine.texts.of(x.engine.defs, t.name), 0)
		x.terms(paramContent, w)
	}
}

// terms makes the index value of the terms that are collected.
func (x *indexer) terms(param string, w *words) []string {
	if w.excess {
		x.warn(fhir.TypeTooCostly, "search-values-many", phrases.Say("more words than allowed: search parameter {1} does not find this resource by all of them", param))
	}
	terms := w.take()
	if len(terms) > 0 {
		x.values.Texts = append(x.values.Texts, Text{Param: param, Terms: terms})
	}
	return terms
}

// maxDepth bounds how deep texts are looked for.
const maxDepth = 32

// words adds the terms of all texts in a resource or element: strings, markdown
// and narrative, not codes, addresses of things and dates.
func (x *indexer) words(w *words, n *fhir.Node, tree *textTree, depth int) {
	if depth > maxDepth || tree == nil {
		return
	}
	for i := range n.Len() {
		k := n.At(i)
		child := tree.child(k.Name())
		if child == nil {
			continue
		}
		if k.Kind() != fhir.Array {
			x.word(w, k, child, depth)
			continue
		}
		for j := range k.Len() {
			x.word(w, k.At(j), child, depth)
		}
	}
}

func (x *indexer) word(w *words, n *fhir.Node, tree *textTree, depth int) {
	switch {
	case n.Kind() == fhir.Object && tree.resource:
		x.words(w, n, x.engine.texts.of(x.engine.defs, n.ResourceType()), depth+1)
	case n.Kind() == fhir.Object:
		x.words(w, n, tree, depth+1)
	case n.Kind() == fhir.String && tree.markup && n == w.narrative:
		w.addKnown()
	case n.Kind() == fhir.String && tree.markup:
		w.addText(unmarked(n.Text()))
	case n.Kind() == fhir.String && tree.text:
		w.addText(n.Text())
	}
}

// textTree is where texts are in an element.
type textTree struct {
	text, markup, resource bool
	// children stand in a table of a power of two, at the place of their name or
	// after it; half of it is free.
	children []textChild
}

type textChild struct {
	name string
	tree *textTree
}

func (t *textTree) child(name string) *textTree {
	if len(t.children) == 0 || name == "" {
		return nil
	}
	for i := nameHash(name); ; i++ {
		c := &t.children[i&(len(t.children)-1)]
		if c.tree == nil || c.name == name {
			return c.tree
		}
	}
}

func nameHash(name string) int {
	return len(name) + 3*int(name[0]) + 5*int(name[len(name)-1]) + 7*int(name[len(name)/2])
}

func (t *textTree) add(name string, child *textTree) {
	i := nameHash(name)
	for t.children[i&(len(t.children)-1)].tree != nil {
		i++
	}
	t.children[i&(len(t.children)-1)] = textChild{name, child}
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
	tree := &textTree{children: make([]textChild, 1<<bits.Len(uint(2*len(properties))))}
	t.elements[container] = tree
	for _, p := range properties {
		switch p.Type {
		case "string", "markdown":
			tree.add(p.Name, textLeaf)
		case "xhtml":
			tree.add(p.Name, markupLeaf)
		case "Resource":
			tree.add(p.Name, resourceLeaf)
		default:
			if c := p.Container(); c != nil && len(p.Properties()) > 0 {
				tree.add(p.Name, t.make(c, p.Properties()))
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
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
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
