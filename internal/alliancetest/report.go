package alliancetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/alliancegen"
)

func (c *checker) report(r *alliancegen.Report) {
	at := "report " + r.Institution + "/" + r.Number
	n := c.w.Find(r.Institution, "DiagnosticReport", local(r.Institution, "report"), r.Number)
	if !c.holds(n != nil, "%s is not there", at) {
		return
	}
	c.holds(c.about(r.Institution, n.Get("subject"), r.Patient), "%s: patient", at)
	c.encounter(r.Institution, n.Get("encounter"), r.Visit, at)
	c.equal(n.Get("status").Text(), r.Status, "%s: status", at)
	c.coded(n.Get("code"), r.Item, at+": item")
	c.section(n.Get("category"), r, at)
	if r.Specimen.Code != "" {
		sp := c.w.Follow(n.Get("specimen").At(0))
		c.coded(sp.Get("type"), r.Specimen, at+": specimen")
		c.instant(sp.Path("collection", "collectedDateTime"), r.Collected, at+": collected")
		if r.SpecimenNumber != "" {
			c.holds(hasValue(sp.Get("identifier"), r.SpecimenNumber) || sp.Path("accessionIdentifier", "value").Text() == r.SpecimenNumber, "%s: number of the specimen", at)
		}
	}
	c.study(n, r, at)
	c.attachments(n, r, at)
	if r.Order != nil {
		id := n.Get("basedOn").At(0).Get("identifier")
		c.equal(id.Get("system").Text()+"|"+id.Get("value").Text(), local(r.Order.Institution, "order")+"|"+r.Order.Number, "%s: order", at)
		order := c.w.Follow(n.Get("basedOn").At(0))
		c.equal(fmt.Sprint(order != nil), fmt.Sprint(r.OrderKnown), "%s: order is known", at)
	} else {
		c.holds(n.Get("basedOn") == nil, "%s: an order that is none", at)
	}
	c.instant(n.Get("effectiveDateTime"), r.Collected, at+": taken")
	c.instant(n.Get("issued"), r.Issued, at+": issued")
	author := n.Get("resultsInterpreter").At(0)
	c.equal(author.Get("display").Text(), r.Author.Name, "%s: author", at)
	if r.Author.Number != "" {
		c.equal(author.Path("identifier", "value").Text(), r.Author.Number, "%s: author's number", at)
	}
	c.equal(n.Get("conclusion").Text(), r.Conclusion, "%s: conclusion", at)
	if r.Remark != "" {
		c.holds(slices.ContainsFunc(n.Get("extension").Items(), func(e *fhir.Node) bool {
			return e.Path("valueAnnotation", "text").Text() == r.Remark
		}), "%s: remark", at)
	}
	if r.Culture != "" {
		c.holds(hasCode(n.Get("conclusionCode").At(0), ordinalSystem, r.Culture), "%s: culture", at)
	}
	c.results(n, r, at)
}

// section looks for the section of v2-0074, the sender's own and the kind of report all members share.
func (c *checker) section(categories *fhir.Node, r *alliancegen.Report, at string) {
	has := func(system, code string) bool {
		return slices.ContainsFunc(categories.Items(), func(k *fhir.Node) bool { return hasCode(k, system, code) })
	}
	kind := map[string]string{"laboratory": "LAB", "microbiology": "LAB", "imaging": "RAD", "ecg": "EC", "pathology": "PAT"}[r.Kind]
	c.holds(has(sectionSystem, kind) || kind == "PAT" && has(sectionSystem, "SP"), "%s: kind", at)
	if r.Section != "" {
		c.holds(has("", r.Section), "%s: section", at)
	}
}

// results compares the report's Observations with the ledger's results, item by item and occurrence by occurrence.
func (c *checker) results(report *fhir.Node, r *alliancegen.Report, at string) {
	var items, isolates []*fhir.Node
	findings := 0
	for _, ref := range report.Get("result").Items() {
		o := c.w.Follow(ref)
		switch {
		case !c.holds(o != nil, "%s: a result that is not there", at):
		case hasCode(o.Get("code"), "http://loinc.org", "59776-5"):
			findings++
			c.equal(o.Get("valueString").Text(), r.Findings, "%s: findings", at)
			c.equal(o.Get("status").Text(), r.Status, "%s: status of the findings", at)
		case o.Get("hasMember") != nil || hasCode(o.Get("code"), "", r.Item.Code) && o.Get("valueCodeableConcept") != nil && r.Kind == "microbiology":
			isolates = append(isolates, o)
		default:
			items = append(items, o)
		}
	}
	want := 0
	if r.Findings != "" {
		want = 1
	}
	c.equal(fmt.Sprint(findings), fmt.Sprint(want), "%s: findings", at)
	c.equal(fmt.Sprint(len(items)+len(isolates)), fmt.Sprint(len(r.Results)), "%s: number of results", at)
	for i := range r.Results {
		res := &r.Results[i]
		what := fmt.Sprintf("%s: result %d", at, i+1)
		var o *fhir.Node
		switch {
		case res.Isolate == 0:
			o = nth(items, res.Item.Code, res.Occurrence)
		case res.Isolate > len(isolates):
		case res.Value.Kind == alliancegen.Text:
			o = isolates[res.Isolate-1]
		default:
			var members []*fhir.Node
			for _, ref := range isolates[res.Isolate-1].Get("hasMember").Items() {
				members = append(members, c.w.Follow(ref))
			}
			o = nth(members, res.Item.Code, res.Occurrence)
		}
		if c.holds(o != nil, "%s is not there", what) {
			c.result(r, res, o, what)
		}
	}
}

// nth returns the n-th observation of an item.
func nth(list []*fhir.Node, code string, n int) *fhir.Node {
	for _, o := range list {
		if hasCode(o.Get("code"), "", code) {
			if n--; n == 0 {
				return o
			}
		}
	}
	return nil
}

func (c *checker) result(r *alliancegen.Report, res *alliancegen.Result, o *fhir.Node, at string) {
	c.holds(c.about(r.Institution, o.Get("subject"), r.Patient), "%s: patient", at)
	c.coded(o.Get("code"), res.Item, at+": item")
	c.instant(o.Get("effectiveDateTime"), r.Collected, at+": taken")
	c.equal(o.Get("status").Text(), res.Status, "%s: status", at)
	c.value(res, o, at)
	c.ranges(res, o, at)
	if res.Flag != "" {
		c.holds(hasCode(o.Get("interpretation").At(0), interpretation, res.Interpret), "%s: flag", at)
	}
	c.equal(fmt.Sprint(extension(o, definition+"mutual-recognition") != nil), fmt.Sprint(res.Marked), "%s: recognition mark", at)
	if res.Note != "" {
		c.equal(o.Get("note").At(0).Get("text").Text(), res.Note, "%s: note", at)
	}
}

func (c *checker) value(res *alliancegen.Result, o *fhir.Node, at string) {
	v := res.Value
	if v.Kind == alliancegen.Absent {
		reason := map[string]string{"specimen": "error", "see-report": "as-text", "unknown": "unknown"}[v.Reason]
		c.holds(hasCode(o.Get("dataAbsentReason"), "", reason), "%s: why there is no value", at)
		for _, k := range o.All() {
			c.holds(!strings.HasPrefix(k.Name(), "value"), "%s: a value where there is none", at)
		}
		return
	}
	c.holds(o.Get("dataAbsentReason") == nil, "%s: a value, and a reason for having none", at)
	if v.Kind == alliancegen.Quantity || v.Number != "" {
		q := o.Get("valueQuantity")
		c.equal(q.Get("value").Text(), v.Number, "%s: number", at)
		c.equal(q.Get("comparator").Text(), v.Comparator, "%s: comparator", at)
		c.equal(q.Get("unit").Text(), v.Unit, "%s: unit", at)
		c.equal(q.Get("code").Text(), v.UCUM, "%s: UCUM", at)
	}
	switch v.Kind {
	case alliancegen.Ordinal:
		code := map[string]string{"weakly-positive": "weak-positive"}[v.Ordinal]
		if code == "" {
			code = v.Ordinal
		}
		if v.Number != "" { // the number is the value, what it means is the interpretation
			c.holds(slices.ContainsFunc(o.Get("interpretation").Items(), func(k *fhir.Node) bool { return hasCode(k, interpretation, "POS") }), "%s: ordinal beside a number", at)
			return
		}
		c.holds(hasCode(o.Get("valueCodeableConcept"), ordinalSystem, code), "%s: ordinal %s", at, code)
		c.equal(o.Path("valueCodeableConcept", "text").Text(), v.Sent, "%s: ordinal as printed", at)
	case alliancegen.Ratio:
		c.equal(o.Path("valueRatio", "numerator", "value").Text(), v.Numerator, "%s: numerator", at)
		c.equal(o.Path("valueRatio", "denominator", "value").Text(), v.Denominator, "%s: denominator", at)
	case alliancegen.Text:
		concept := o.Get("valueCodeableConcept")
		if v.Code != "" {
			c.holds(hasCode(concept, "", v.Code) && concept.Get("text").Text() == v.Text, "%s: coded text", at)
		} else {
			c.equal(o.Get("valueString").Text()+concept.Get("text").Text(), v.Text, "%s: text", at)
		}
	}
}

func (c *checker) ranges(res *alliancegen.Result, o *fhir.Node, at string) {
	list := o.Get("referenceRange").Items()
	var lines []string
	for _, rr := range list {
		lines = append(lines, rr.Get("text").Text())
	}
	c.equal(strings.Join(lines, "\n"), res.Range.Text, "%s: range", at)
	if res.Range.BySex || len(list) == 0 {
		return
	}
	c.equal(list[0].Path("low", "value").Text(), res.Range.Low, "%s: low end", at)
	c.equal(list[0].Path("high", "value").Text(), res.Range.High, "%s: high end", at)
	for _, end := range []string{"low", "high"} {
		if q := list[0].Get(end); q != nil {
			c.equal(q.Get("code").Text(), res.Value.UCUM, "%s: unit of the range", at)
		}
	}
}
