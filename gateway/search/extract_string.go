package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func (x *indexer) fold(s string) string {
	if s == "" {
		return ""
	}
	return x.folded(cut(s, x.engine.opts.Limits.IndexText))
}

// folded is Fold with the memory of the indexer.
func (x *indexer) folded(s string) string {
	switch {
	case plain(s):
		return s
	case ascii(s):
		x.scratch = appendFolded(x.scratch[:0], s)
		return x.arena.string(x.scratch)
	}
	return Fold(s)
}

// The parts of the data types that a string parameter on them searches.
var (
	nameParts    = []string{"text", "family", "given", "prefix", "suffix"}
	addressParts = []string{"text", "line", "city", "district", "state", "postalCode", "country"}
)

func (x *indexer) addString(v *fhirpath.Value) {
	n := v.Node()
	switch x.param.form {
	case asPinyin:
		x.pinyin(v)
		return
	case asSound:
		x.sound(v)
		return
	}
	switch v.Type() {
	case "HumanName":
		x.parts(n, nameParts)
		x.joinedName(n)
	case "Address":
		x.parts(n, addressParts)
	case "CodeableConcept":
		x.text(n.Get("text").Text())
		for _, c := range n.Get("coding").Items() {
			x.text(c.Get("display").Text())
		}
	case "Coding":
		x.text(n.Get("display").Text())
	default:
		if n.Kind() == fhir.String {
			x.text(n.Text())
		} else if v.Kind() == fhirpath.String {
			x.text(v.String())
		}
	}
}

func (x *indexer) parts(n *fhir.Node, names []string) {
	for _, name := range names {
		part := n.Get(name)
		if part.Kind() == fhir.String {
			x.text(part.Text())
			continue
		}
		for i := range part.Len() {
			x.text(part.At(i).Text())
		}
	}
}

// joinedName indexes a Chinese name that is only given in parts also as it is
// written, without a space.
func (x *indexer) joinedName(n *fhir.Node) {
	family := n.Get("family").Text()
	if n.Get("text") != nil || family == "" || !han(family) {
		return
	}
	var b strings.Builder
	b.WriteString(family)
	for _, g := range n.Get("given").Items() {
		if !han(g.Text()) {
			return
		}
		b.WriteString(g.Text())
	}
	x.text(b.String())
}

func han(s string) bool {
	for i := 0; i < len(s); {
		if hanByte(s, i) {
			i += 3
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unicode.Is(unicode.Han, r) && r != '·' {
			return false
		}
		i += size
	}
	return s != ""
}

func (x *indexer) text(s string) {
	s = cut(s, x.engine.opts.Limits.IndexText)
	if folded := x.folded(s); folded != "" {
		x.values.Strings = append(x.values.Strings, String{Param: x.param.code, Folded: folded, Exact: s, Group: x.group})
	}
}
