package acceptance_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// asked is a search and what comes of it: the keys of the entries in their order, those of other than matches behind "+", or
// the status and what the OperationOutcome says.
type asked struct{ query, want string }

// searchable is what the searches of TestSearches find.
var searchable = []string{
	`{"resourceType":"Organization","id":"o1","name":"总院"}`,
	`{"resourceType":"Organization","id":"o2","name":"分院","partOf":{"reference":"Organization/o1"}}`,
	`{"resourceType":"Patient","id":"p1","name":[{"family":"Müller","given":["Jürgen","Ａnna"]}],"gender":"male","birthDate":"1980-05-17","managingOrganization":{"reference":"Organization/o2"},
		"identifier":[{"system":"urn:mrn","value":"a|b,c$d\\e"}],"generalPractitioner":[{"identifier":{"system":"urn:gp","value":"77"}}]}`,
	`{"resourceType":"Patient","id":"p2","name":[{"text":"王小明"}],"gender":"female","birthDate":"1980-05","link":[{"other":{"reference":"Patient/p1"},"type":"seealso"}]}`,
	`{"resourceType":"Patient","id":"p3","birthDate":"1980"}`,
	`{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"},"period":{"start":"2024-01-10","end":"2024-01-20"},"serviceProvider":{"reference":"Organization/o2"}}`,
	`{"resourceType":"Encounter","id":"e2","status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"Patient/p2/_history/1"},"period":{"start":"2024-01-15"}}`,
	`{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"code":{"text":"x"}}`,
	`{"resourceType":"Observation","id":"b1","status":"final","code":{"coding":[{"system":"urn:c","code":"bp"}]},"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
		"effectiveDateTime":"2024-01-15T10:00:00+08:00","valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}`,
	`{"resourceType":"Observation","id":"b2","status":"final","code":{"coding":[{"system":"urn:c","code":"bp"}]},"subject":{"reference":"Patient/p2"},
		"effectivePeriod":{"start":"2024-01-01","end":"2024-01-31"},"valueQuantity":{"value":16.0,"system":"http://unitsofmeasure.org","code":"kPa"},"hasMember":[{"reference":"Observation/b1"}]}`,
	`{"resourceType":"Observation","id":"b3","status":"final","code":{"coding":[{"code":"bp"}]},"subject":{"reference":"Patient/p3"},"effectiveTiming":{"event":["2024-02-01","2024-03-01"]},"valueString":"阴性"}`,
	`{"resourceType":"Observation","id":"b4","status":"final","code":{"coding":[{"code":"bp"}]},"valueCodeableConcept":{"text":"阴性"}}`,
	`{"resourceType":"Observation","id":"b5","status":"final","code":{"text":"metastases of the liver"},"valueQuantity":{"value":5.4,"comparator":">="}}`,
	`{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p1"}},{"item":{"reference":"Observation/b1"}},{"item":{"reference":"Patient/p9"}}]}`,
}

func TestSearches(t *testing.T) {
	onEachStore(t, map[string]string{"fhir.update-as-create": "on"}, func(t *testing.T, c *client) {
		for _, r := range searchable {
			c.put(t, r)
		}
		for _, tt := range []asked{
			// Composites look at what their components' expressions say.
			{"Observation?code-value-string=bp$阴", "b3"},
			{"Observation?value-string=阴&_sort=_id", "b3 b4"},
			{"Observation?code-value-string:missing=false", "b3"},

			// What a value with a comparator may be.
			{"Observation?value-quantity=ge5.4&_sort=_id", "b1 b2 b5"},
			{"Observation?value-quantity=lt5.4", ""},
			{"Observation?value-quantity=le5.4", "b5"},
			{"Observation?value-quantity=120|http://unitsofmeasure.org|mm[Hg]&_sort=_id", "b1 b2"},

			// Words.
			{"Observation?_content=(bone OR liver) and metastases", "b5"},
			{"Observation?_content=metastases not liver", ""},
			{`Observation?_content="and"`, ""},
			{`Observation?_content="of the liver"`, "400 parameter '_content': one word is expected in quotes"},

			// Several types, by parameters that are common to them.
			{"?_type=Condition,Observation,Encounter&patient=p1", "Condition/c1 Encounter/e1 Observation/b1"},
			{"?_type=Condition,Observation&patient=Patient/p1&_count=1", "Condition/c1 Observation/b1"},
			{"?_type=Condition,Encounter,Observation&patient.name=muller&_sort=-_id", "Encounter/e1 Condition/c1 Observation/b1"},
			{"?_type=Condition,Observation&encounter.patient:Patient.birthdate=1980-05-17", "Condition/c1 Observation/b1"},
			{"?_type=Patient&_sort=-birthdate", "p1 p2 p3"},
			{"?_type=Patient,Observation&_list=l1", "Observation/b1 Patient/p1"},
			{"?_type=Patient,Observation&_filter=_id eq p1 or _id eq b1", "Observation/b1 Patient/p1"},
			{"?_type=Organization,Patient&_has:Encounter:patient:status=finished", "400 parameter '_has:Encounter:patient:status': 'patient' of Encounter does not refer to Organization"},
			{"?_type=Condition,Patient&patient=p1", "400 parameter 'patient': Patient has no search parameter 'patient'"},
			{"?patient=p1", "400 parameter 'patient': a search over several types has no search parameter 'patient'"},
			{"?_type=Observation,Encounter&_sort=date", "400"},
			{"Patient/p1/*?_type=Condition,Encounter&patient.gender=male", "Condition/c1 Encounter/e1"},
			{"?_type=Encounter,Condition&_id=e1,c1&_include=Condition:encounter", "Condition/c1 Encounter/e1"},
			{"?_type=Condition&_id=c1&_include=Condition:encounter&_revinclude=Observation:encounter", "c1 + Encounter/e1"},

			// References.
			{"Encounter?subject=Patient/p2/_history/9", "e2"},
			{"Patient?general-practitioner:identifier=urn:gp|77", "p1"},
			{`Patient?identifier=urn:mrn|a\|b\,c\$d\\e`, "p1"},
			{"Patient?organization.partof.name=总", "p1"},
			{"Patient?_has:Observation:patient:encounter.status=finished", "p1"},
			{"Patient?_has:Encounter:patient:_has:Observation:encounter:code=urn:c|bp", "p1"},
			{"Observation?_has:Observation:has-member:_id=b2", "b1"},
			{"Encounter?_id=e1&_include=Encounter:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof", "e1 + Organization/o1 Organization/o2 Patient/p1"},
			{"Encounter?_id=e1&_revinclude=*", "e1 + Condition/c1 Observation/b1"},
			{"Encounter?_id=e1&_revinclude:iterate=*", "422 parameter '_revinclude:iterate': name what refers"},

			// Dates.
			{"Observation?date=2024-01&_sort=_id", "b1 b2"},
			{"Observation?date=eb2024-02-01&_sort=_id", "b1 b2"},
			{"Observation?date=2024-02", ""},
			{"Observation?date=ge2024-01-20&_sort=_id", "b2 b3"},
			{"Encounter?date=sa2024-01-12", "e2"},
			{"Encounter?date=gt2030", "e2"},

			// How the result is wanted.
			{"Observation?_contained=false&_id=b1", "b1"},
			{"Observation?_contained=both", "400 parameter '_contained': contained resources are not searched"},
			{"Observation?_containedType=container", "400 parameter '_containedType': contained resources are not searched"},
			{"Observation?_sort=_score", "400 parameter '_sort': matches have no score"},
			{"Observation?_sort=-date,_id", "b3 b1 b2 b4 b5"},
			{"Patient?birthdate=", "400 parameter 'birthdate': it has no value"},
		} {
			if got := c.searched(t, tt.query); got != tt.want && (tt.want == "" || tt.want[0] > '9' || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
			}
		}
		for query, want := range map[string]string{
			"Patient?birthdate=&name=muller":                      "p1 + OperationOutcome/",
			"?_type=Condition,Patient&patient=p1&_id=c1&_count=9": "Condition/c1 + OperationOutcome/",
			"Patient?name:loudly=x":                               "400 parameter 'name:loudly': 'loudly' is not a modifier of a string parameter",
		} {
			if got := c.searched(t, query, "Prefer", "handling=lenient"); got != want {
				t.Errorf("%s with lenience: %s, want %s", query, got, want)
			}
		}
	})
}

// searched asks a search with all its pages.
func (c *client) searched(t *testing.T, query string, header ...string) string {
	t.Helper()
	path, pairs, _ := strings.Cut(query, "?")
	var form []string
	for pair := range strings.SplitSeq(pairs, "&") {
		name, value, _ := strings.Cut(pair, "=")
		form = append(form, name+"="+url.QueryEscape(value))
	}
	address := strings.TrimSuffix(c.base, "/") + strings.TrimSuffix("/"+path, "/") + "?" + strings.Join(form, "&")
	var matches, others []string
	for address != "" {
		got := c.ask(t, "GET", address, "", nil, header...)
		if got.status != http.StatusOK {
			var o struct {
				Issue []struct{ Details struct{ Text string } }
			}
			if err := json.Unmarshal(got.body, &o); err != nil || len(o.Issue) == 0 {
				t.Fatalf("%s: %d %s", query, got.status, got.body)
			}
			return strconv.Itoa(got.status) + " " + o.Issue[0].Details.Text
		}
		var b bundle
		if err := json.Unmarshal(got.body, &b); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entry {
			var r struct{ ResourceType, ID string }
			if err := json.Unmarshal(e.Resource, &r); err != nil {
				t.Fatal(err)
			}
			switch key := r.ResourceType + "/" + r.ID; {
			case e.Search.Mode != "match":
				others = append(others, key)
			case r.ResourceType == path || strings.Contains(pairs, "_type="+r.ResourceType+"&"):
				matches = append(matches, r.ID)
			default:
				matches = append(matches, key)
			}
		}
		address = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				address = l.URL
			}
		}
	}
	if slices.Sort(others); len(others) > 0 {
		matches = append(append(matches, "+"), others...)
	}
	return strings.Join(matches, " ")
}
