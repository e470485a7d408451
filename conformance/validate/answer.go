package validate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// answerTypes are the types of answers to a type of question.
var answerTypes = map[string][]string{
	"boolean": {"boolean"}, "decimal": {"decimal"}, "integer": {"integer"}, "date": {"date"}, "dateTime": {"dateTime"},
	"time": {"time"}, "string": {"string"}, "text": {"string"}, "url": {"uri"}, "choice": {"Coding"},
	"open-choice": {"Coding"}, "attachment": {"Attachment"}, "reference": {"Reference"}, "quantity": {"Quantity"},
}

func (a *answering) answer(n *fhir.Node, q *question) {
	name := extensionValue(n)
	if name == "" || n.Get(name) == nil || !a.v.answers(name) {
		return
	}
	value, typ := n.Get(name), typeOfValue(name)
	want := answerTypes[q.typ]
	a.push("value.ofType("+typ+")", none)
	defer a.pop()
	listed := q.node.Get("answerOption") != nil || q.node.Get("answerValueSet") != nil
	texts := typ == "string" && (q.typ == "choice" || q.typ == "open-choice")
	if want != nil && !slices.Contains(want, typ) && !texts {
		a.fail(value, msgQuestionnaireAnswerType, strings.Join(want, ", "))
		return
	}
	switch {
	case listed && !(q.typ == "open-choice" && typ == "string"):
		a.option(n, value, typ, q)
	case q.typ == "choice":
		a.above(func() { a.report(n, fhir.Information, msgQuestionnaireOptionsUnknown) })
	}
	a.bounds(n, value, typ, q)
}

// answers reports whether a property may hold an answer at all.
func (v *Validator) answers(name string) bool {
	_, err := v.defs.Resolve("QuestionnaireResponse.item.answer." + name)
	return err == nil
}

// above runs f one step up.
func (a *answering) above(f func()) {
	path := a.path
	a.path = a.path[:len(a.path)-1]
	f()
	a.path = path
}

// typeOfValue is the type in a property's name: valueDateTime, dateTime.
func typeOfValue(name string) string {
	typ := strings.TrimPrefix(name, "value")
	if primitives[lower(typ)] != nil {
		return lower(typ)
	}
	return typ
}

func lower(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// option tests that an answer is one of those that the item offers.
func (a *answering) option(n, value *fhir.Node, typ string, q *question) {
	if url := q.node.Get("answerValueSet").Text(); url != "" {
		set := a.answerSet(url)
		if set == nil {
			return
		}
		m, coded := a.member(set, typ, value)
		if !coded || m != definitions.NotMember {
			return
		}
		if typ == "Coding" {
			a.above(func() { a.fail(n, msgQuestionnaireValueSet, url) })
		} else {
			a.fail(value, msgQuestionnaireValueSet, url)
		}
		return
	}
	offered := false
	for _, o := range q.node.Get("answerOption").Items() {
		v := o.Get("value" + definitions.Capital(typ))
		if v == nil {
			continue
		}
		offered = true
		if sameAnswer(v, value, typ) {
			return
		}
	}
	switch {
	case !offered:
		a.report(value, fhir.Information, msgQuestionnaireOptionsUnknown)
	case typ == "Coding":
		a.above(func() { a.fail(n, msgQuestionnaireOption) })
	default:
		a.fail(value, msgQuestionnaireOption)
	}
}

func sameAnswer(a, b *fhir.Node, typ string) bool {
	switch typ {
	case "Coding":
		return a.Get("system").Text() == b.Get("system").Text() && a.Get("code").Text() == b.Get("code").Text()
	case "Reference":
		return a.Get("reference").Text() == b.Get("reference").Text()
	}
	return a.Text() == b.Text()
}

// answerSet is the value set of an item, which the questionnaire may contain.
func (a *answering) answerSet(url string) *terminology.Set {
	if id, ok := strings.CutPrefix(url, "#"); ok {
		for _, c := range a.form.node.Get("contained").Items() {
			if c.ID() == id && c.ResourceType() == "ValueSet" {
				set, err := a.v.catalog.ReadValueSet(c)
				if err != nil {
					return nil
				}
				return set
			}
		}
		return nil
	}
	return a.v.valueSet(url)
}

// bounds tests an answer against the limits that extensions of the item set.
func (a *answering) bounds(n, value *fhir.Node, typ string, q *question) {
	item := q.node
	switch typ {
	case "string":
		a.text(value, item)
	case "integer", "decimal", "date", "dateTime", "time":
		a.between(value, typ, item)
	case "Quantity":
		a.quantity(value, item)
	case "Attachment":
		a.attachment(n, value, item)
	case "Reference":
		a.reference(value, item)
	}
}

func (a *answering) text(value, item *fhir.Node) {
	length := runes(value.Text())
	if least := number(extensionOf(item, core+"minLength"), 0); length < least {
		a.fail(value, msgTooShort, itoa(least))
	}
	if most := number(item.Get("maxLength"), 0); most > 0 && length > most {
		a.fail(value, msgTooLong, itoa(most))
	}
	pattern := extensionOf(item, core+"regex").Text()
	if pattern == "" {
		return
	}
	x, err := (*regexp.Regexp)(nil), flawed("too long")
	if len(pattern) <= maxRegexText {
		x, err = regexp.Compile(`^(?:` + pattern + `)$`)
	}
	switch {
	case err != nil:
		a.report(value, fhir.Warning, msgQuestionnaireRegexUnusable)
	case !x.MatchString(value.Text()):
		a.fail(value, msgQuestionnaireRegex)
	}
}

func (a *answering) between(value *fhir.Node, typ string, item *fhir.Node) {
	compare := func(limit *fhir.Node) (int, bool) {
		if limit == nil {
			return 0, false
		}
		if typ == "integer" || typ == "decimal" {
			return compareNumbers(value.Text(), limit.Text())
		}
		return dateOrder(value.Text(), limit.Text()), true
	}
	if order, ok := compare(extensionOf(item, core+"minValue")); ok && order < 0 {
		a.fail(value, msgQuestionnaireMinValue)
	}
	if order, ok := compare(extensionOf(item, core+"maxValue")); ok && order > 0 {
		a.fail(value, msgQuestionnaireMaxValue)
	}
	if places := extensionOf(item, core+"maxDecimalPlaces"); places != nil && typ == "decimal" {
		if _, fraction, _ := strings.Cut(value.Text(), "."); len(fraction) > number(places, len(fraction)) {
			a.fail(value, msgQuestionnaireDecimals)
		}
	}
}

func (a *answering) quantity(value, item *fhir.Node) {
	for _, side := range []struct {
		url   string
		wrong int
		m     message
	}{{sdc + "minQuantity", -1, msgQuestionnaireMinValue}, {sdc + "maxQuantity", 1, msgQuestionnaireMaxValue}} {
		limit := extensionOf(item, side.url)
		if limit == nil {
			continue
		}
		if value.Get("code") == nil || limit.Get("code") == nil {
			a.fail(value, msgQuestionnaireUnitCompare)
			continue
		}
		switch order, known := compareQuantities(value, limit); {
		case !known:
			a.fail(value, msgQuestionnaireUnitCompare)
		case order == side.wrong:
			a.fail(value, side.m)
		}
	}
	if url := extensionOf(item, core+"questionnaire-unitValueSet").Text(); url != "" {
		if set := a.answerSet(url); set != nil {
			if m, coded := a.codingMember(set, value); !coded || m == definitions.NotMember {
				a.fail(value, msgQuestionnaireUnit)
			}
		}
	}
	options := 0
	for _, e := range item.Get("extension").Items() {
		if e.Get("url").Text() != core+"questionnaire-unitOption" {
			continue
		}
		options++
		if u := e.Get("valueCoding"); sameAnswer(u, value, "Coding") {
			return
		}
	}
	if options > 0 {
		a.fail(value, msgQuestionnaireUnit)
	}
}

func (a *answering) attachment(n, value, item *fhir.Node) {
	if types := extensionsOf(item, core+"mimeType"); len(types) > 0 && !slices.Contains(types, value.Get("contentType").Text()) {
		a.above(func() { a.fail(n, msgQuestionnaireMimeType) })
	}
	limit := extensionOf(item, core+"maxSize")
	if limit == nil {
		return
	}
	size := value.Get("size").Text()
	if data := value.Get("data"); data != nil {
		size = strconv.Itoa(base64Size(data.Text()))
	}
	if order, ok := compareNumbers(size, limit.Text()); ok && order > 0 {
		a.above(func() { a.fail(n, msgBase64TooLarge, limit.Text()) })
	}
}

func (a *answering) reference(value, item *fhir.Node) {
	literal := value.Get("reference").Text()
	if literal == "" {
		return
	}
	allowed := extensionsOf(item, core+"questionnaire-referenceResource")
	t := a.targetOf(literal)
	typ := t.resource
	if t.form == fragment {
		typ = a.scope.typeOf(t.fragment)
	}
	if t.form == absolute && typ == "" {
		// An address that has the form of a server's must name a type.
		if _, ok := serverBase(literal); ok {
			a.fail(value, msgQuestionnaireReferenceUnknown)
			return
		}
	}
	if len(allowed) > 0 && typ != "" && !slices.Contains(allowed, typ) {
		a.fail(value, msgQuestionnaireReferenceType, strings.Join(allowed, ", "))
	}
}
