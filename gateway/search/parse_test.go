package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
)

// showQuery writes conditions the way the tables below do.
func showQuery(where []search.Clause) string {
	var out []string
	for _, c := range where {
		out = append(out, showClause(c))
	}
	return strings.Join(out, " & ")
}

var kindNames = map[search.Kind]string{
	search.KindToken: "token", search.KindString: "string", search.KindDate: "date", search.KindReference: "reference",
	search.KindNumber: "number", search.KindQuantity: "quantity", search.KindURI: "uri",
	search.KindText: "text", search.KindComposite: "composite", search.KindSpecial: "special",
}

var compareNames = [...]string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

func showClause(c search.Clause) string {
	s := c.Param + ":" + kindNames[c.Kind] + " "
	if c.Not {
		s += "not "
	}
	if c.Missing != nil {
		return s + fmt.Sprintf("missing=%v", *c.Missing)
	}
	var any []string
	for _, o := range c.Any {
		any = append(any, showOperand(o))
	}
	return s + strings.Join(any, " or ")
}

func showToken(m search.TokenMatch) string {
	system := "*"
	if m.System != nil {
		system = *m.System
	}
	s := system + "|" + m.Code
	if m.Text != "" {
		s += " '" + m.Text + "'"
	}
	if m.Type != "" {
		s += " (" + m.Type + ")"
	}
	return s
}

func showNumber(m search.NumberMatch) string {
	return fmt.Sprintf("%s %s<%s<%s", compareNames[m.Compare], number(m.Low), number(m.Value), number(m.High))
}

func showOperand(o search.Operand) string {
	switch m := o.(type) {
	case search.TokenMatch:
		return showToken(m)
	case search.StringMatch:
		return [...]string{"prefix", "exact", "contains", "equal", "suffix", "other than"}[m.Mode] + " " + m.Text
	case search.DateMatch:
		return compareNames[m.Compare] + " " + instant(m.Low) + ".." + instant(m.High)
	case search.NumberMatch:
		return showNumber(m)
	case search.QuantityMatch:
		s := showNumber(m.NumberMatch) + " " + m.System + "|" + m.Code
		if m.Canonical {
			s += " canonical"
		}
		return s
	case search.ReferenceMatch:
		switch {
		case m.Identifier != nil:
			return "identifier " + showToken(*m.Identifier)
		case m.URL != "":
			return "<" + m.URL + ">"
		case m.Tree != search.TreeNone:
			return [...]string{1: "below ", 2: "above "}[m.Tree] + m.Type + "/" + m.ID + " by " + m.Via
		}
		return m.Type + "/" + m.ID
	case search.URIMatch:
		return fmt.Sprintf("%s%s%s", m.Value, map[bool]string{true: " below"}[m.Below], map[bool]string{true: " above"}[m.Above])
	case search.ChainMatch:
		return m.Type + "(" + showQuery(m.Where) + ")"
	case search.HasMatch:
		return m.Type + "." + m.Param + "(" + showQuery(m.Where) + ")"
	}
	switch m := o.(type) {
	case search.AllMatch:
		return "(" + showQuery(m.Where) + ")"
	case search.CompositeMatch:
		var parts []string
		for _, p := range m.Parts {
			parts = append(parts, kindNames[p.Kind]+" "+showOperand(p.Match))
		}
		return strings.Join(parts, " $ ")
	case search.NearMatch:
		return fmt.Sprintf("%g|%g within %g m", m.Latitude, m.Longitude, m.Meters)
	case search.TextMatch:
		return strings.Join(m.Terms, "+")
	}
	return fmt.Sprintf("%#v", o)
}

func TestParseConditions(t *testing.T) {
	const day = "2024-02-29T00:00:00..2024-03-01T00:00:00"
	for _, row := range []struct{ resource, query, want string }{
		// Tokens
		{"Patient", "identifier=1", "identifier:token *|1"},
		{"Patient", "identifier=urn:s|1", "identifier:token urn:s|1"},
		{"Patient", "identifier=|1", "identifier:token |1"},
		{"Patient", "identifier=urn:s|", "identifier:token urn:s|"},
		{"Patient", "identifier=urn:oid:2.16.840.1.113883.2.23.1.19.1|1", "identifier:token " + residentID + "|1"},
		{"Patient", "identifier=" + residentID + "|1", "identifier:token " + residentID + "|1"},
		{"Patient", `identifier=a\|b,c\,d,e\\f,g\$h`, `identifier:token *|a|b or *|c,d or *|e\f or *|g$h`},
		{"Patient", "gender=male,female", "gender:token *|male or *|female"},
		{"Patient", "gender=|male", "gender:token *|male"},
		{"Patient", "gender:not=male", "gender:token not *|male"},
		{"Patient", "gender:missing=true", "gender:token missing=true"},
		{"Patient", "identifier:of-type=http://t|MR|4\\|5", "identifier:token *|4|5 (http://t|MR)"},
		{"Observation", "code:text=葡萄 糖Ａ", "code:token *| '葡萄 糖a'"},
		{"Patient", "_id=a,Patient/b", "_id:token *|a or *|b"},
		{"Patient", "_tag=https://yilian.dev/fhir/institution|a", "_tag:token https://yilian.dev/fhir/institution|a"},
		{"Patient", "active=true&active=false", "active:token *|true & active:token *|false"},
		// Strings
		{"Patient", "name=MÜller", "name:string prefix muller"},
		{"Patient", "name:exact=Müller", "name:string exact Müller"},
		{"Patient", "name:contains=试", "name:string contains 试"},
		{"Patient", "name=%E6%AC%A7%E9%98%B3,a+b", "name:string prefix 欧阳 or prefix a b"},
		{"Patient", "name=Ａ　１", "name:string prefix a 1"},
		// Dates
		{"Patient", "birthdate=2024", "birthdate:date eq 2024-01-01T00:00:00..2025-01-01T00:00:00"},
		{"Patient", "birthdate=2024-02-29", "birthdate:date eq " + day},
		{"Patient", "birthdate=ge2024-02&birthdate=lt2024-03", "birthdate:date ge 2024-02-01T00:00:00..2024-03-01T00:00:00 & birthdate:date lt 2024-03-01T00:00:00..2024-04-01T00:00:00"},
		{"Encounter", "date=gt2024-02-29T10:00%2B08:00", "date:date gt 2024-02-29T10:00:00..2024-02-29T10:01:00"},
		{"Encounter", "date=2024-02-29T10:00:00+08:00", "date:date eq 2024-02-29T10:00:00..2024-02-29T10:00:01"},
		{"Encounter", "date=sa2024-02-29T02:00:00.25Z", "date:date sa 2024-02-29T10:00:00.25..2024-02-29T10:00:00.26"},
		{"Encounter", "date=2024-02-29T10:00:00", "date:date eq 2024-02-29T10:00:00..2024-02-29T10:00:01"},
		{"Encounter", "date=ne2024-02-29,eb2024-02-29,le2024-02-29", "date:date ne " + day + " or eb " + day + " or le " + day},
		// now is 2024-06-15T12:00+08:00; 106.5 days from the end of that day, a tenth of it is 10d 15h 36m.
		{"Encounter", "date=ap2024-02-29", "date:date ap 2024-02-18T08:24:00..2024-03-11T15:36:00"},
		{"Encounter", "date=ap2024-06-15", "date:date ap 2024-06-15T00:00:00..2024-06-16T00:00:00"},
		{"Patient", "_lastUpdated=ge2024-02-29", "_lastUpdated:date ge " + day},
		// Numbers and quantities
		{"RiskAssessment", "probability=0.8", "probability:number eq 0.75<0.8<0.85"},
		{"RiskAssessment", "probability=100", "probability:number eq 99.5<100<100.5"},
		{"RiskAssessment", "probability=100.00", "probability:number eq 99.995<100<100.005"},
		{"RiskAssessment", "probability=gt1e2", "probability:number gt 50<100<150"},
		{"RiskAssessment", "probability=ap10", "probability:number ap 9<10<11"},
		{"Observation", "value-quantity=5.4", "value-quantity:quantity eq 5.35<5.4<5.45 |"},
		{"Observation", "value-quantity=5.4||mg", "value-quantity:quantity eq 5.35<5.4<5.45 |mg"},
		{"Observation", "value-quantity=lt5|http://unitsofmeasure.org|mg/dL", "value-quantity:quantity lt 45<50<55 |g.m-3 canonical"},
		{"Observation", "value-quantity=5|urn:u|x", "value-quantity:quantity eq 4.5<5<5.5 urn:u|x"},
		{"Observation", "value-quantity=5|http://unitsofmeasure.org|没有", "value-quantity:quantity eq 4.5<5<5.5 http://unitsofmeasure.org|没有"},
		// References
		{"Observation", "patient=123", "patient:reference Patient/123"},
		{"Observation", "patient=Patient/123", "patient:reference Patient/123"},
		{"Observation", "subject=123", "subject:reference /123"},
		{"Observation", "subject:Patient=123", "subject:reference Patient/123"},
		{"Observation", "subject:Patient=Patient/123", "subject:reference Patient/123"},
		{"Observation", "subject=https://yilian.dev/fhir/Patient/123", "subject:reference Patient/123"},
		{"Observation", "subject=https://other.example/fhir/Patient/123", "subject:reference <https://other.example/fhir/Patient/123>"},
		{"Observation", "subject=urn:uuid:1", "subject:reference <urn:uuid:1>"},
		{"Observation", "subject:identifier=urn:oid:2.16.840.1.113883.2.23.1.9.1|1", "subject:reference identifier " + residentID + "|1"},
		{"Observation", "subject:missing=false", "subject:reference missing=false"},
		{"Encounter", "patient=1,Patient/2", "patient:reference Patient/1 or Patient/2"},
		{"ActivityDefinition", "depends-on=http://example.org/l|2", "depends-on:reference <http://example.org/l|2>"},
		// URIs
		{"ValueSet", "url=http://example.org/vs", "url:uri http://example.org/vs"},
		{"ValueSet", "url:below=http://example.org", "url:uri http://example.org below"},
		{"Patient", "_source:below=https://yilian.dev/institution/a", "_source:uri https://yilian.dev/institution/a below"},
		{"Patient", "_profile=http://example.org/p", "_profile:uri http://example.org/p"},
		// Chains
		{"Observation", "subject:Patient.name=x", "subject:reference Patient(name:string prefix x)"},
		{"Observation", "patient.identifier=urn:s|1,2", "patient:reference Patient(identifier:token urn:s|1 or *|2)"},
		{"Observation", "patient.name:exact=X", "patient:reference Patient(name:string exact X)"},
		{"Observation", "patient.organization.name=x", "patient:reference Patient(organization:reference Organization(name:string prefix x))"},
		{"Observation", "subject.name=x", "subject:reference Patient(name:string prefix x) or Location(name:string prefix x)"},
		{"DiagnosticReport", "result.code=1", "result:reference Observation(code:token *|1)"},
		{"DiagnosticReport", "patient.general-practitioner:Practitioner.name=x", "patient:reference Patient(general-practitioner:reference Practitioner(name:string prefix x))"},
		{"DiagnosticReport", "patient._id=1", "patient:reference Patient(_id:token *|1)"},
		{"Patient", "_has:Observation:patient:code=1", "_has:reference Observation.patient(code:token *|1)"},
		{"Patient", "_has:Observation:subject:code:not=1,2", "_has:reference Observation.subject(code:token not *|1 or *|2)"},
		{"Patient", "_has:Observation:patient:_has:DiagnosticReport:result:status=final", "_has:reference Observation.patient(_has:reference DiagnosticReport.result(status:token *|final))"},
		{"Observation", "patient._has:Condition:patient:code=1", "patient:reference Patient(_has:reference Condition.patient(code:token *|1))"},
		{"", "_id=1", "_id:token *|1"},
		// Composites: of the whole resource they are conjunctions, those over two kinds of elements ask for either
		{"Observation", "code-value-quantity=http://l|1$gt5", "code:token http://l|1 & value-quantity:quantity gt 4.5<5<5.5 |"},
		{"Observation", `code-value-string=a\$b$c`, "code-value-string:composite token *|a$b $ string prefix c"},
		{"Observation", "code-value-concept=a$b,c$d", "code-value-concept:composite (code:token *|a & value-concept:token *|b) or (code:token *|c & value-concept:token *|d)"},
		{"Observation", "component-code-value-quantity=a$5", "component-code-value-quantity:composite token *|a $ quantity eq 4.5<5<5.5 |"},
		{"Observation", "combo-code-value-quantity=a$5", "combo-code-value-quantity:composite (code:token *|a & value-quantity:quantity eq 4.5<5<5.5 |) or " +
			"(component-code-value-quantity:composite token *|a $ quantity eq 4.5<5<5.5 |)"},
		{"DocumentReference", "relationship=replaces$DocumentReference/1", "relationship:composite token *|replaces $ reference DocumentReference/1"},
		{"MolecularSequence", "chromosome-variant-coordinate=1$ge5$lt9", "chromosome-variant-coordinate:composite token *|1 $ number ge 4.5<5<5.5 $ number lt 8.5<9<9.5"},
		{"Observation", "component-code-value-quantity:missing=true", ":special not (component-code-value-quantity$0:token missing=false)"},
		{"Observation", "code-value-quantity:missing=false", "code:token missing=false & value-quantity:quantity missing=false"},
		// Special parameters
		{"Location", "near=31.2|121.5", "near:special 31.2|121.5 within 10000 m"},
		{"Location", "near=-31.2|-121.5|5", "near:special -31.2|-121.5 within 5000 m"},
		{"Location", "near=1|2|3|m,1|2|1|[mi_i]", "near:special 1|2 within 3 m or 1|2 within 1609.344 m"},
		{"Location", "near:missing=true", "near$0:number missing=true"},
		{"Observation", "patient._filter=name eq x", "patient:reference Patient(name:string equal x)"},
		{"Patient", "_list=7,List/8", "_has:reference List.item(_id:token *|7 or *|8)"},
		{"Observation", "patient._list=7", "patient:reference Patient(_has:reference List.item(_id:token *|7))"},
		{"Patient", "_text=Bone 糖尿病", "_text:text bone+尿病+糖尿"},
		{"Patient", "_content=糖", "_content:text 糖"},
		{"Patient", "_text=(bone OR liver) AND metastases", "_text:text (_text:text bone) or (_text:text liver) & _text:text metastases"},
		{"Patient", "_text=(bone OR liver) and metastases", "_text:text (_text:text bone) or (_text:text liver) & _text:text metastases"},
		{"Patient", "_text=bone or not liver", "_text:text (_text:text bone) or (_text:text not liver)"},
		{"Patient", `_text="bone" "OR" "(liver)"`, "_text:text bone+liver+or"},
		{"Patient", `_text="糖尿病"`, "_text:text 尿病+糖尿"},
		{"Patient", "_text=bone,liver", "_text:text bone or liver"},
		{"Patient", "_text=NOT bone", "_text:text not bone"},
		{"Patient", "_text=a NOT (b c)", ":special not (_text:text b+c) & _text:text a"},
		{"Patient", "phonetic=Zhāng", "phonetic:string prefix zan"},
		{"Patient", "name-pinyin=Zhang San,xi'an", "name-pinyin:string prefix zhangsan or prefix xian"},
		// Hierarchies
		{"Encounter", "location:below=Location/1", "location:reference below Location/1 by partof"},
		{"Organization", "partof:above=1", "partof:reference above Organization/1 by partof"},
		{"ActivityDefinition", "depends-on:below=http://example.org/l|2", "depends-on:reference <http://example.org/l|2> or <http://example.org/l|2. *>"},
		{"ActivityDefinition", "depends-on:above=http://example.org/l|2.1", "depends-on:reference <http://example.org/l|2.1> or <http://example.org/l|2>"},
		{"Patient", "identifier:ofType=http://t|MR|4", "identifier:token *|4 (http://t|MR)"},
	} {
		t.Run(row.resource+"?"+row.query, func(t *testing.T) {
			pairs, issues := search.Pairs(row.query)
			if issues != nil {
				t.Fatal(issues)
			}
			r, issues := engine().Parse(row.resource, pairs, search.ParseOptions{})
			if len(issues) > 0 {
				t.Fatal(issues)
			}
			if diff := cmp.Diff(row.want, showQuery(r.Query.Where)); diff != "" {
				t.Error(diff)
			}
			if r.Query.Allowed.All || r.Query.Allowed.Shared || len(r.Query.Allowed.Owners) > 0 {
				t.Error("Parse lets something through")
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, row := range []struct{ resource, query, id, want string }{
		{"Patient", "foo=1", "search-parameter-unknown", "parameter 'foo': Patient has no search parameter 'foo'"},
		{"Patient", "foo:exact=1", "search-parameter-unknown", "parameter 'foo:exact': Patient has no search parameter 'foo'"},
		{"Patient", "Name=1", "search-parameter-unknown", "parameter 'Name': Patient has no search parameter 'Name'"},
		{"Nothing", "", "search-type-unknown", "'Nothing' is not a resource type"},
		{"Patient", "name=", "search-value-empty", "parameter 'name': it has no value"},
		{"Patient", "=x", "search-name-empty", "a parameter has no name"},
		{"Patient", "name=a,,b", "search-value-invalid", "parameter 'name': one of its values is empty"},
		{"Patient", "name:foo=a", "search-modifier-unknown", "parameter 'name:foo': 'foo' is not a modifier of a string parameter"},
		{"Patient", "gender:exact=male", "search-modifier-unknown", "parameter 'gender:exact': 'exact' is not a modifier of a token parameter"},
		{"Observation", "code:in=http://x", "search-modifier-unsupported", "parameter 'code:in': it needs terminology, which this server does not have"},
		{"Observation", "code:below=1", "search-modifier-unsupported", "parameter 'code:below': it needs terminology, which this server does not have"},
		{"Patient", "gender:missing=yes", "search-value-invalid", "parameter 'gender:missing': modifier missing expects true or false"},
		{"Patient", "_id:missing=true", "search-modifier-unknown", "parameter '_id:missing': _id is never missing"},
		{"Patient", "birthdate=1990-13", "search-value-invalid", "parameter 'birthdate': expected a date such as 2024, 2024-02, 2024-02-29 or 2024-02-29T10:00:00+08:00, with or without one of the prefixes eq ne gt lt ge le sa eb ap"},
		{"Patient", "birthdate=2023-02-29", "search-value-invalid", ""},
		{"Patient", "birthdate=xx2023", "search-value-invalid", ""},
		{"Patient", "birthdate=2023-01-01T", "search-value-invalid", ""},
		{"Patient", "birthdate=2023-01-01T10", "search-value-invalid", ""},
		{"Patient", "birthdate=19900101", "search-value-invalid", ""},
		{"Patient", "birthdate=1990-01-01T10:00:00%2B25:00", "search-value-invalid", ""},
		{"RiskAssessment", "probability=abc", "search-value-invalid", "parameter 'probability': expected a number, with or without one of the prefixes eq ne gt lt ge le sa eb ap"},
		{"RiskAssessment", "probability=0x10", "search-value-invalid", ""},
		{"RiskAssessment", "probability=NaN", "search-value-invalid", ""},
		{"RiskAssessment", "probability=1e999", "search-value-invalid", ""},
		{"Observation", "value-quantity=5|mg", "search-value-invalid", "parameter 'value-quantity': expected number or number|system|code"},
		{"Observation", "value-quantity=5|http://unitsofmeasure.org|", "search-value-invalid", "parameter 'value-quantity': expected a code behind the system of the unit"},
		{"Patient", "identifier=a|b|c", "search-value-invalid", "parameter 'identifier': expected code, system|code, |code or system|"},
		{"Patient", "identifier=|", "search-value-invalid", "parameter 'identifier': expected a code, a system, or both around '|'"},
		{"Patient", "identifier:of-type=a|b", "search-value-invalid", "parameter 'identifier:of-type': modifier of-type expects system|code|value"},
		{"Observation", "patient=Device/1", "search-value-invalid", "parameter 'patient': 'patient' does not refer to Device"},
		{"Observation", "subject:Patient=Group/1", "search-value-invalid", "parameter 'subject:Patient': the modifier says Patient, the value Group"},
		{"Observation", "subject:Medication=1", "search-modifier-unknown", "parameter 'subject:Medication': 'subject' does not refer to Medication"},
		{"Observation", "subject:Foo=1", "search-modifier-unknown", "parameter 'subject:Foo': 'Foo' is neither a modifier of a reference nor a resource type"},
		{"Observation", "subject=a b", "search-value-invalid", "parameter 'subject': expected an id, Type/id or a URL"},
		{"Observation", "code-value-quantity=1", "search-value-invalid", "parameter 'code-value-quantity': expected 2 values with '$' between"},
		{"Observation", "code-value-quantity=1$", "search-value-invalid", "parameter 'code-value-quantity': one of its values is empty"},
		{"Observation", "code-value-quantity=1$x", "search-value-invalid", ""},
		{"Observation", "code-value-quantity:exact=1$2", "search-modifier-unknown", "parameter 'code-value-quantity:exact': 'exact' is not a modifier of a composite parameter"},
		{"Location", "near=1", "search-value-invalid", "parameter 'near': expected latitude|longitude, latitude|longitude|distance or latitude|longitude|distance|unit"},
		{"Location", "near=91|2", "search-value-invalid", "parameter 'near': expected latitude and longitude in degrees, such as 31.2|121.5"},
		{"Location", "near=1|2|-3", "search-value-invalid", "parameter 'near': expected a distance of 0 or more"},
		{"Location", "near=1|2|3|kg", "search-value-invalid", "parameter 'near': expected a unit of length in UCUM, such as km or m"},
		{"Patient", "phonetic=-", "search-value-invalid", "parameter 'phonetic': expected text"},
		{"Patient", "age=3", "search-parameter-unsupported", "parameter 'age': 'age' cannot be searched: its definition does not say how"},
		{"Patient", "_text=(a", "search-value-invalid", "parameter '_text': a parenthesis is not closed"},
		{"Patient", "_text=a)", "search-value-invalid", "parameter '_text': a parenthesis is closed that was not opened"},
		{"Patient", "_text=a NOT", "search-value-invalid", "parameter '_text': expected words"},
		{"Patient", "_text=a OR", "search-value-invalid", "parameter '_text': expected words"},
		{"Patient", `_text="a b" c`, "search-value-invalid", "parameter '_text': one word is expected in quotes: which words stand side by side is not indexed, leave the quotes out to find all of them anywhere"},
		{"Patient", `_text=a "b`, "search-value-invalid", "parameter '_text': a quotation is not closed"},
		{"Patient", "_text=...", "search-value-invalid", "parameter '_text': expected words"},
		{"Patient", "_text:exact=x", "search-modifier-unknown", "parameter '_text:exact': 'exact' is not a modifier of a text parameter"},
		{"Patient", "_text:missing=true", "search-modifier-unknown", "parameter '_text:missing': _text takes no modifier 'missing'"},
		{"Patient", "_list=$current-problems", "search-parameter-unsupported", "parameter '_list': functional lists such as '$current-problems' are not supported, only the ids of Lists"},
		{"Patient", "_list=a b", "search-value-invalid", "parameter '_list': expected the id of a List"},
		{"Patient", "_filter:missing=true", "search-modifier-unknown", "parameter '_filter:missing': _filter takes no modifier"},
		{"Patient", "_filter:exact=name eq x", "search-modifier-unknown", ""},
		{"Patient", "_filter=_filter eq x", "search-filter-invalid", "parameter '_filter': Patient has no search parameter '_filter' at character 1"},
		{"Patient", "_sort=_filter", "search-sort-unsupported", ""},
		{"Patient", "_query=x", "search-parameter-unsupported", "parameter '_query': it is not supported"},
		{"Encounter", "patient:below=1", "search-modifier-unsupported", "parameter 'patient:below': resources of type Patient make no hierarchy"},
		{"Encounter", "location:below=http://x.example/Location/1", "search-value-invalid", "parameter 'location:below': expected Type/id of this server"},
		{"ActivityDefinition", "depends-on:below=http://example.org/l", "search-value-invalid", "parameter 'depends-on:below': expected url|version"},
		{"Patient", "_sort=_text", "search-sort-unsupported", "parameter '_sort': cannot sort by '_text': it has no order"},
		{"Observation", "_sort=combo-code-value-quantity", "search-sort-unsupported", ""},
		{"Patient", "_contained=true", "search-parameter-unsupported", "parameter '_contained': contained resources are not searched"},
		{"Patient", "name.given=x", "search-value-invalid", "parameter 'name.given': 'name' is not a reference, so nothing can be chained to it"},
		{"Observation", "patient.foo=x", "search-parameter-unknown", "parameter 'patient.foo': nothing that 'patient' refers to has a search parameter 'foo'"},
		{"Observation", "subject:Medication.code=x", "search-modifier-unknown", ""},
		{"Observation", "patient.organization.partof.partof.name=x", "search-chain-deep", "parameter 'patient.organization.partof.partof.name': it follows more than 3 references"},
		{"Patient", "_has:Observation:patient=1", "search-has-incomplete", "parameter '_has:Observation:patient': expected _has:Type:reference:parameter"},
		{"Patient", "_has:Foo:patient:code=1", "search-value-invalid", "parameter '_has:Foo:patient:code': 'Foo' is not a resource type"},
		{"Patient", "_has:Observation:code:code=1", "search-value-invalid", "parameter '_has:Observation:code:code': 'code' of Observation is not a reference"},
		{"Patient", "_has:Observation:encounter:code=1", "search-value-invalid", "parameter '_has:Observation:encounter:code': 'encounter' of Observation does not refer to Patient"},
		{"Patient", "_has:Observation:patient:foo=1", "search-parameter-unknown", "parameter '_has:Observation:patient:foo': Observation has no search parameter 'foo'"},
		{"", "name=x", "search-parameter-unknown", "parameter 'name': a search over several types has no search parameter 'name'"},
		{"", "_type=Patient&code=x", "search-parameter-unknown", "parameter 'code': Patient has no search parameter 'code'"},
		{"", "_type=Observation,Patient&code=x", "search-parameter-unknown", "parameter 'code': Patient has no search parameter 'code'"},
		{"", "_type=Foo", "search-value-invalid", "parameter '_type': 'Foo' is not a resource type"},
		{"Patient", "_type=Patient", "search-parameter-unsupported", "parameter '_type': it is for a search over several types"},
		{"Patient", "_sort=foo", "search-sort-unknown", "parameter '_sort': 'foo' is not a search parameter of Patient"},
		{"Patient", "_sort=name,-name", "search-sort-repeated", "parameter '_sort': 'name' is named twice"},
		{"Patient", "_sort=a,b,c,d,e", "search-sort-many", "parameter '_sort': 5 sort keys, expected at most 4"},
		{"Patient", "_sort:desc=name", "search-modifier-unknown", "parameter '_sort:desc': _sort takes no modifier"},
		{"Patient", "_count=-1", "search-value-invalid", "parameter '_count': expected a number of resources, 0 or more"},
		{"Patient", "_count=1&_count=2", "search-parameter-repeated", "parameter '_count': it may be given once"},
		{"Patient", "_total=some", "search-value-invalid", "parameter '_total': expected none, estimate or accurate"},
		{"Patient", "_summary=yes", "search-value-invalid", "parameter '_summary': expected true, text, data, count or false"},
		{"Patient", "_elements=name,foo", "search-value-invalid", "parameter '_elements': Patient has no element 'foo'"},
		{"Patient", "_pretty=1", "search-value-invalid", "parameter '_pretty': expected true or false"},
		{"Observation", "_include=subject", "search-value-invalid", "parameter '_include': expected Type:parameter, Type:parameter:Target or *"},
		{"Observation", "_include=Observation:foo", "search-include-unknown", "parameter '_include': 'foo' is not a search parameter of Observation"},
		{"Observation", "_include=Observation:code", "search-value-invalid", "parameter '_include': 'code' of Observation is not a reference"},
		{"Observation", "_include=Observation:subject:Medication", "search-value-invalid", "parameter '_include': 'subject' of Observation does not refer to Medication"},
		{"Observation", "_include=Patient:organization", "search-value-invalid", "parameter '_include': Observation is searched, so its references can be included, not those of Patient"},
		{"Observation", "_include:foo=Observation:subject", "search-modifier-unknown", "parameter '_include:foo': expected no modifier or iterate"},
		{"Patient", "_revinclude:iterate=*", "search-include-unsupported", "parameter '_revinclude:iterate': name what refers: Type:parameter or Type:*"},
		{"ActivityDefinition", "_include=ActivityDefinition:depends-on", "search-include-unsupported", "parameter '_include': 'depends-on' holds canonical URLs, which are not followed"},
		{"Patient", "_revinclude=Observation:encounter", "search-value-invalid", "parameter '_revinclude': 'encounter' of Observation does not refer to Patient"},
	} {
		t.Run(row.resource+"?"+row.query, func(t *testing.T) {
			pairs, _ := search.Pairs(row.query)
			r, issues := engine().Parse(row.resource, pairs, search.ParseOptions{})
			if r != nil || len(issues) != 1 {
				t.Fatalf("%v %v", r, issues)
			}
			if i := issues[0]; i.ID != row.id || i.Severity != fhir.Error || row.want != "" && i.Text != row.want {
				t.Errorf("got  %s\nwant %s [%s]", i, row.want, row.id)
			}
		})
	}
	if _, issues := search.Pairs("name=%zz"); len(issues) != 1 || issues[0].ID != "search-encoding" {
		t.Error(issues)
	}
	if _, issues := engine().Parse("Patient", []search.Pair{{Name: "name", Value: "\xff"}}, search.ParseOptions{}); len(issues) != 1 || issues[0].ID != "search-encoding" {
		t.Error(issues)
	}
}

func TestParseResult(t *testing.T) {
	parse := func(resource, query string, opts search.ParseOptions) *search.Request {
		t.Helper()
		pairs, _ := search.Pairs(query)
		r, issues := engine().Parse(resource, pairs, opts)
		if fhir.HasErrors(issues) {
			t.Fatal(query, issues)
		}
		return r
	}
	r := parse("Observation", "_sort=-date,_id&_count=10&_total=accurate&_include=Observation:subject:Patient&_include:iterate=Patient:organization&"+
		"_revinclude=Provenance:target&_elements=code,value,subject&_format=json&_pretty=true&status=final", search.ParseOptions{})
	want := []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}, {Param: "_id", Kind: search.KindToken}}
	if diff := cmp.Diff(want, r.Query.Sort); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]search.Include{
		{Source: "Observation", Param: "subject", Target: "Patient"}, {Source: "Patient", Param: "organization", Iterate: true},
	}, r.Include); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]search.Include{{Source: "Provenance", Param: "target"}}, r.RevInclude); diff != "" {
		t.Error(diff)
	}
	if r.Query.Count != 10 || !r.Counted || r.Query.Total != search.TotalAccurate || r.Format != "json" || r.Pretty == nil || !*r.Pretty {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff([]string{"code", "value", "subject"}, r.Elements); diff != "" {
		t.Error(diff)
	}
	if len(r.Self) != 10 || r.Self[0] != (search.Pair{Name: "_sort", Value: "-date,_id"}) {
		t.Error(r.Self)
	}

	for _, row := range []struct {
		query string
		count int
		total search.Total
	}{
		{"", search.DefaultCount, search.TotalNone}, {"_count=0", 0, search.TotalAccurate}, {"_count=99999", search.DefaultMaxCount, search.TotalNone}, {"_summary=count", 0, search.TotalAccurate}, {"_total=none", search.DefaultCount, search.TotalNone},
		{"_total=estimate", search.DefaultCount, search.TotalEstimate}, {"_total=estimate&_count=0", 0, search.TotalAccurate},
	} {
		if r := parse("Patient", row.query, search.ParseOptions{}); r.Query.Count != row.count || r.Query.Total != row.total {
			t.Errorf("%s: count %d total %v", row.query, r.Query.Count, r.Query.Total)
		}
	}
	if r := parse("Patient", "_include=*&_include=Patient:*&_revinclude=Provenance:*", search.ParseOptions{}); !cmp.Equal(r.Include, []search.Include{{}, {Source: "Patient"}}) || !cmp.Equal(r.RevInclude, []search.Include{{Source: "Provenance", Param: "agent"}, {Source: "Provenance", Param: "entity"}, {Source: "Provenance", Param: "patient"}, {Source: "Provenance", Param: "target"}}) {
		t.Error(r.Include, r.RevInclude)
	}
	if r := parse("Patient", "name=&gender=male", search.ParseOptions{Lenient: true}); len(r.Query.Where) != 1 || len(r.Self) != 1 {
		t.Error(r.Query.Where, r.Self)
	}
	several := parse("", "_type=Condition,Observation&_id=1&patient=2&_has:Observation:focus:status=final", search.ParseOptions{})
	if of := several.WhereOf; len(several.Query.Where) != 1 || showQuery(of["Condition"]) != showQuery(of["Observation"]) || len(of["Condition"]) != 2 {
		t.Error(several.Query.Where, of)
	}
	if other := parse("", "_type=Condition,Observation&_id=1&patient=3&_has:Observation:focus:status=final", search.ParseOptions{}); other.Hash == several.Hash {
		t.Error("another search has the same hash")
	}
	if r := parse("", "_type=Condition,Observation&patient=2&code-value-date=x", search.ParseOptions{Lenient: true}); len(r.WhereOf["Condition"]) != 1 || len(r.WhereOf["Observation"]) != 1 {
		t.Error(r.WhereOf)
	}
	if r := parse("", "_type=Patient&_sort=-birthdate", search.ParseOptions{}); len(r.Query.Sort) != 1 {
		t.Error(r.Query.Sort)
	}
	if r := parse("", "_type=Patient,Observation&_lastUpdated=2024", search.ParseOptions{}); !cmp.Equal(r.Types, []string{"Patient", "Observation"}) {
		t.Error(r.Types)
	}
	if r := parse("Patient", "_cursor=abc&name=x", search.ParseOptions{Other: []string{"_cursor"}}); len(r.Self) != 1 {
		t.Error(r.Self)
	}
	if got := search.Encode([]search.Pair{{Name: "name:exact", Value: "欧 阳&"}}); got != "name%3Aexact=%E6%AC%A7+%E9%98%B3%26" {
		t.Error(got)
	}
}

func TestParseLenient(t *testing.T) {
	pairs, _ := search.Pairs("foo=1&name=x&_sort=bar&_query=y&code:in=z")
	r, issues := engine().Parse("Patient", pairs, search.ParseOptions{Lenient: true})
	if r == nil || len(r.Query.Where) != 1 || len(r.Self) != 1 || len(r.Query.Sort) != 0 {
		t.Fatal(r, issues)
	}
	var got []string
	for _, i := range issues {
		got = append(got, i.String())
	}
	if diff := cmp.Diff([]string{
		"warning: parameter 'foo': Patient has no search parameter 'foo'; it was ignored [search-parameter-unknown]",
		"warning: parameter '_sort': 'bar' is not a search parameter of Patient; it was ignored [search-sort-unknown]",
		"warning: parameter '_query': it is not supported; it was ignored [search-parameter-unsupported]",
		"warning: parameter 'code:in': Patient has no search parameter 'code'; it was ignored [search-parameter-unknown]",
	}, got); diff != "" {
		t.Error(diff)
	}
	// A malformed value is never ignored: the result would be unfiltered.
	pairs, _ = search.Pairs("birthdate=never")
	if r, issues := engine().Parse("Patient", pairs, search.ParseOptions{Lenient: true}); r != nil || !fhir.HasErrors(issues) {
		t.Error(r, issues)
	}
}

func TestParseHash(t *testing.T) {
	hash := func(resource, query string) string {
		pairs, _ := search.Pairs(query)
		r, issues := engine().Parse(resource, pairs, search.ParseOptions{})
		if issues != nil {
			t.Fatal(issues)
		}
		return r.Hash
	}
	base := hash("Patient", "name=x&_sort=birthdate")
	if base != hash("Patient", "name=x&_sort=birthdate&_count=5&_format=json&_elements=name") {
		t.Error("how a result is shown changes the hash")
	}
	for _, other := range []string{"name=y&_sort=birthdate", "name=x", "name:exact=x&_sort=birthdate", "name=x&_sort=-birthdate", "name=x&name=x&_sort=birthdate"} {
		if base == hash("Patient", other) {
			t.Errorf("%s has the same hash", other)
		}
	}
	if hash("Patient", "") == hash("Observation", "") {
		t.Error("two types have the same hash")
	}
}

func TestParseLimits(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{Limits: search.Limits{
		Parameters: 3, Values: 4, ValueLength: 20, Chain: 1, Sort: 1, Includes: 1, Count: 7, MaxCount: 9,
	}})
	for _, row := range []struct{ query, id string }{
		{"name=a&name=b&name=c", ""}, {"name=a&name=b&name=c&name=d", "search-parameters-many"},
		{"name=a,b&name=c,d", ""}, {"name=a,b&name=c,d,e", "search-values-many"},
		{"name=aaaaaaaaaaaaaaaa", ""}, {"name=aaaaaaaaaaaaaaaaa", "search-value-long"},
		{"link.name=a", ""}, {"link.link.name=a", "search-chain-deep"},
		{"_sort=name", ""}, {"_sort=name,_id", "search-sort-many"},
		{"_include=*", ""}, {"_include=*&_include=Patient:*", "search-includes-many"},
	} {
		pairs, _ := search.Pairs(row.query)
		r, issues := e.Parse("Patient", pairs, search.ParseOptions{})
		switch {
		case row.id == "" && issues != nil:
			t.Errorf("%s: %v", row.query, issues)
		case row.id != "" && (len(issues) != 1 || issues[0].ID != row.id):
			t.Errorf("%s: %v, want %s", row.query, issues, row.id)
		case row.id == "" && r.Query.Count != 7:
			t.Errorf("%s: page of %d", row.query, r.Query.Count)
		}
	}
	pairs, _ := search.Pairs("_count=10")
	if r, _ := e.Parse("Patient", pairs, search.ParseOptions{}); r.Query.Count != 9 || r.Self[0].Value != "9" {
		t.Error(r.Query.Count, r.Self)
	}
}

func TestCapability(t *testing.T) {
	c := engine().Capability("Patient")
	var names []string
	for _, p := range c.Parameters {
		names = append(names, p.Name+":"+p.Type)
		if p.Definition == "" || p.Doc == "" {
			t.Errorf("%s has no definition or doc", p.Name)
		}
	}
	want := []string{
		"_content:string", "_filter:special", "_id:token", "_lastUpdated:date", "_profile:uri", "_security:token", "_source:uri", "_tag:token", "_text:string", "active:token", "address:string",
		"address-city:string", "address-country:string", "address-postalcode:string", "address-state:string", "address-use:token",
		"birthOrderBoolean:token", "birthdate:date", "death-date:date", "deceased:token", "email:token", "family:string", "gender:token", "general-practitioner:reference",
		"given:string", "identifier:token", "language:token", "link:reference", "mothersMaidenName:string", "name:string", "name-pinyin:string",
		"organization:reference", "phone:token", "phonetic:string", "telecom:token",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Patient:general-practitioner", "Patient:link", "Patient:organization"}, c.Include); diff != "" {
		t.Error(diff)
	}
	rev := strings.Join(c.RevInclude, " ")
	for _, want := range []string{"Observation:patient", "Observation:subject", "Encounter:patient", "Provenance:target"} {
		if !strings.Contains(rev, want) {
			t.Errorf("no %s in _revinclude", want)
		}
	}
	if c := engine().Capability("Nothing"); c.Parameters != nil {
		t.Error(c)
	}
	// What is said to be supported can be parsed, and the other way round.
	for _, typ := range definitions.R4().ResourceTypes() {
		c := engine().Capability(typ)
		for _, p := range c.Parameters {
			if _, issues := engine().Parse(typ, []search.Pair{{Name: p.Name + ":missing", Value: "true"}}, search.ParseOptions{}); issues != nil && !strings.HasPrefix(p.Name, "_") {
				t.Errorf("%s.%s: %v", typ, p.Name, issues)
			}
		}
		if slices.Contains([]string{"Patient", "Encounter", "ServiceRequest", "Observation", "Condition", "Organization", "Library", "Questionnaire"}, typ) {
			for _, v := range c.RevInclude {
				if _, issues := engine().Parse(typ, []search.Pair{{Name: "_revinclude", Value: v}}, search.ParseOptions{}); issues != nil {
					t.Errorf("%s: %v", v, issues)
				}
			}
		}
		for _, v := range c.Include {
			if _, issues := engine().Parse(typ, []search.Pair{{Name: "_include", Value: v}}, search.ParseOptions{}); issues != nil {
				t.Errorf("%s: %v", v, issues)
			}
		}
	}
}
