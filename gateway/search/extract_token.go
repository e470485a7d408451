package search

import (
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func (x *indexer) addToken(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Boolean":
		if truth, ok := v.Bool(); ok {
			x.token("", strconv.FormatBool(truth), "", "")
		}
	case "Coding":
		x.coding(n)
	case "CodeableConcept":
		text := x.fold(n.Get("text").Text())
		for _, c := range n.Get("coding").Items() {
			if x.coding(c) == text {
				text = ""
			}
		}
		if text != "" {
			x.token("", "", text, "")
		}
	case "Identifier":
		x.identifier(n)
	case "ContactPoint":
		if value := n.Get("value").Text(); value != "" {
			x.token(n.Get("system").Text(), value, "", "")
		}
	case "code":
		if code := n.Text(); code != "" {
			x.token(x.param.systemOf(code), code, "", "")
		}
	default:
		// Any other primitive: string, id, uri, boolean, integer …
		if text := n.Text(); text != "" {
			x.token("", text, "", "")
		}
	}
}

func (x *indexer) token(system, code, text, typ string) {
	x.values.Tokens = append(x.values.Tokens, Token{Param: x.param.code, System: system, Code: code, Text: text, Type: typ, Group: x.group})
}

// coding indexes a Coding and returns the folded display.
func (x *indexer) coding(n *fhir.Node) string {
	system, code, display := n.Get("system").Text(), n.Get("code").Text(), x.fold(n.Get("display").Text())
	if system != "" || code != "" || display != "" {
		x.token(x.engine.System(system), code, display, "")
	}
	return display
}

// identifier indexes an Identifier, once for each coding of its type.
func (x *indexer) identifier(n *fhir.Node) {
	system, value := x.engine.System(n.Get("system").Text()), n.Get("value").Text()
	if system == "" && value == "" {
		return
	}
	kind := n.Get("type")
	text := x.fold(kind.Get("text").Text())
	codings := kind.Get("coding").Items()
	if len(codings) == 0 {
		x.token(system, value, text, "")
	}
	for _, c := range codings {
		shown := text
		if shown == "" {
			shown = x.fold(c.Get("display").Text())
		}
		x.scratch = append(append(append(x.scratch[:0], c.Get("system").Text()...), '|'), c.Get("code").Text()...)
		x.token(system, value, shown, x.arena.string(x.scratch))
	}
}
