package validate

import (
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// Extensions of questionnaires that bound answers.
const (
	core         = "http://hl7.org/fhir/StructureDefinition/"
	sdc          = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
	maxRegexText = 4 << 10
)

// answering is the walk over a response.
type answering struct {
	*run
	form     *questions
	root     *fhir.Node
	complete bool // answers that are required must be there
}

// judgeResponse tests answers against the questionnaire they are for.
func (r *run) judgeResponse(n *fhir.Node) {
	f := r.findForm(n)
	if f == nil {
		return
	}
	status := n.Get("status").Text()
	a := &answering{run: r, form: f, root: n, complete: status == "completed" || status == "amended"}
	if a.complete {
		a.period(n)
	}
	a.items(n, n.Get("item"), f.items, nil)
}

// period tests that the questionnaire was in use when it was answered.
func (a *answering) period(n *fhir.Node) {
	authored := n.Get("authored")
	if authored.Kind() != fhir.String {
		return
	}
	start, end := a.form.node.Path("effectivePeriod", "start").Text(), a.form.node.Path("effectivePeriod", "end").Text()
	if start != "" && dateOrder(authored.Text(), start) < 0 || end != "" && dateOrder(authored.Text(), end) > 0 {
		a.reportBelow(authored, fhir.Warning, msgQuestionnaireInactive, "authored")
	}
}

// dateOrder orders dates; one that is less precise comes first.
func dateOrder(x, y string) int {
	a, errA := time.Parse(time.RFC3339, x)
	b, errB := time.Parse(time.RFC3339, y)
	if errA == nil && errB == nil {
		return a.Compare(b)
	}
	return strings.Compare(x, y)
}

// level is the items of a response around a place, for conditions.
type level struct {
	items *fhir.Node
	up    *level
}

// items tests the items of a response below one place against the questions
// that belong there. holder is what they stand in.
func (a *answering) items(holder, list *fhir.Node, questions []*question, up *level) {
	here := &level{list, up}
	seen := map[string][]int{}
	last := 0
	for i, item := range list.Items() {
		if a.full {
			return
		}
		link := item.Get("linkId").Text()
		if link == "" {
			continue
		}
		k := slices.IndexFunc(questions, func(q *question) bool { return q.linkID == link })
		if k < 0 {
			if a.form.byLink[link] != nil {
				a.fail(holder, msgQuestionnaireLinkPlace)
			} else {
				a.fail(holder, msgQuestionnaireLinkUnknown)
			}
			continue
		}
		if k < last {
			a.fail(item, msgQuestionnaireOrder)
		}
		last = max(last, k)
		seen[link] = append(seen[link], i)
	}
	for _, q := range questions {
		enabled := a.enabled(q, here, 0)
		found := seen[q.linkID]
		if len(found) == 0 {
			if enabled && a.complete && q.node.Get("required").Text() == "true" {
				a.fail(holder, msgQuestionnaireItemMissing)
			}
			continue
		}
		if len(found) > 1 && q.node.Get("repeats").Text() != "true" {
			a.fail(holder, msgQuestionnaireItemRepeats)
		}
		for _, i := range found {
			a.push("item", i)
			a.item(list.At(i), q, here, enabled)
			a.pop()
		}
	}
}

func (a *answering) item(n *fhir.Node, q *question, here *level, enabled bool) {
	answers := n.Get("answer")
	if !enabled && (answers.Len() > 0 || n.Get("item").Len() > 0) {
		a.fail(n, msgQuestionnaireDisabled)
		return
	}
	switch q.typ {
	case "group":
		switch {
		case answers.Len() > 0:
			a.fail(n, msgQuestionnaireAnswerGroup)
		case n.Get("item").Len() == 0 && a.complete && q.node.Get("required").Text() == "true":
			a.fail(n, msgQuestionnaireItemMissing)
			return
		}
		a.items(n, n.Get("item"), q.items, here)
		return
	case "display", "question":
		if answers.Len() > 0 {
			a.fail(n, msgQuestionnaireAnswerNone, q.typ)
		}
		return
	}
	a.counts(n, q, answers.Len())
	if items := n.Get("item"); items.Len() > 0 {
		a.fail(n, msgQuestionnaireItemsAnswer)
	}
	for i, x := range answers.All() {
		a.push("answer", i)
		a.answer(x, q)
		if len(q.items) > 0 || x.Get("item").Len() > 0 {
			a.items(x, x.Get("item"), q.items, here)
		}
		a.pop()
	}
}

func (a *answering) counts(n *fhir.Node, q *question, count int) {
	least, most := extensionOf(q.node, core+"questionnaire-minOccurs"), extensionOf(q.node, core+"questionnaire-maxOccurs")
	if l := number(least, 0); a.complete && count < l {
		a.fail(n, msgQuestionnaireAnswerFew, itoa(l))
	} else if count == 0 && a.complete && q.node.Get("required").Text() == "true" {
		a.fail(n, msgQuestionnaireItemMissing)
	}
	if m := number(most, -1); m >= 0 && count > m {
		a.fail(n, msgQuestionnaireAnswerMost, itoa(m))
	}
	if count > 1 && q.node.Get("repeats").Text() != "true" {
		a.fail(n, msgQuestionnaireAnswerMany)
	}
}
