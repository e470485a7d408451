package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// question is an item of a questionnaire with its place in it.
type question struct {
	node   *fhir.Node
	linkID string
	typ    string
	parent *question
	items  []*question
	order  int
}

// questions are a questionnaire, read once for a response.
type questions struct {
	node   *fhir.Node
	items  []*question
	byLink map[string]*question
}

// maxItems bounds how many items of a questionnaire are looked at.
const maxItems = 100_000

func readForm(n *fhir.Node) *questions {
	f := &questions{node: n, byLink: map[string]*question{}}
	count := 0
	var read func(list *fhir.Node, parent *question, depth int) []*question
	read = func(list *fhir.Node, parent *question, depth int) []*question {
		var out []*question
		for _, i := range list.Items() {
			if count++; count > maxItems || depth > DefaultMaxDepth {
				break
			}
			q := &question{node: i, linkID: i.Get("linkId").Text(), typ: i.Get("type").Text(), parent: parent, order: count}
			q.items = read(i.Get("item"), q, depth+1)
			if f.byLink[q.linkID] == nil {
				f.byLink[q.linkID] = q
			}
			out = append(out, q)
		}
		return out
	}
	f.items = read(n.Get("item"), nil, 0)
	return f
}

// within reports whether q is other or lies below it.
func (q *question) within(other *question) bool {
	for ; q != nil; q = q.parent {
		if q == other {
			return true
		}
	}
	return false
}

// judgeQuestionnaire tests what items depend on.
func (r *run) judgeQuestionnaire(n *fhir.Node) {
	f := readForm(n)
	var walk func(items []*question)
	walk = func(items []*question) {
		for i, q := range items {
			r.push("item", i)
			r.judgeConditions(f, q)
			walk(q.items)
			r.pop()
		}
	}
	walk(f.items)
}

func (r *run) judgeConditions(f *questions, q *question) {
	for _, when := range q.node.Get("enableWhen").Items() {
		link := when.Get("question").Text()
		on := f.byLink[link]
		switch {
		case link == "":
		case on == nil:
			r.fail(q.node, msgQuestionnaireEnableUnknown)
		case on.within(q):
			r.fail(q.node, msgQuestionnaireEnableSelf)
		case on.order > q.order:
			r.report(q.node, fhir.Warning, msgQuestionnaireEnableLater)
		}
	}
}

// extensionOf is the value of an extension of an element, nil if it has none.
func extensionOf(n *fhir.Node, url string) *fhir.Node {
	for _, e := range n.Get("extension").Items() {
		if e.Get("url").Text() != url {
			continue
		}
		if name := extensionValue(e); name != "" {
			return e.Get(name)
		}
	}
	return nil
}

func extensionsOf(n *fhir.Node, url string) []string {
	var out []string
	for _, e := range n.Get("extension").Items() {
		if e.Get("url").Text() == url {
			if name := extensionValue(e); name != "" {
				out = append(out, e.Get(name).Text())
			}
		}
	}
	return out
}

// findForm finds the questionnaire of a response, and says what keeps it from
// being found.
func (r *run) findForm(n *fhir.Node) *questions {
	named := n.Get("questionnaire")
	if named.Kind() != fhir.String {
		r.report(n, fhir.Information, msgQuestionnaireMissing)
		return nil
	}
	url := named.Text()
	if id, ok := strings.CutPrefix(url, "#"); ok {
		if i, ok := r.scope.byID[id]; ok && r.scope.contained[i].typ == "Questionnaire" {
			return readForm(r.scope.contained[i].node)
		}
	} else if q := r.v.definition("Questionnaire", url); q != nil {
		return readForm(q)
	}
	other := ""
	for _, kind := range []string{"ValueSet", "CodeSystem", "StructureDefinition"} {
		if r.v.defs.Source(kind, url) != nil || r.v.outside(kind, url) != nil {
			other = kind
		}
	}
	if other != "" {
		r.reportBelow(named, fhir.Error, msgQuestionnaireWrongType, "questionnaire", other)
	} else {
		r.reportBelow(named, fhir.Information, msgQuestionnaireUnknown, "questionnaire")
	}
	r.report(n, fhir.Warning, msgQuestionnaireUnknown)
	return nil
}
