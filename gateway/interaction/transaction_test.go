package interaction_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// entry writes an entry of a Bundle; extra are further properties of its request.
func entry(fullURL, method, url, resource string, extra ...string) string {
	var parts []string
	if fullURL != "" {
		parts = append(parts, `"fullUrl":"`+fullURL+`"`)
	}
	if resource != "" {
		parts = append(parts, `"resource":`+resource)
	}
	request := append([]string{`"method":"` + method + `"`, `"url":"` + url + `"`}, extra...)
	return `{` + strings.Join(append(parts, `"request":{`+strings.Join(request, ",")+`}`), ",") + `}`
}

func bundleOf(entries ...string) string {
	if len(entries) == 0 {
		return `{"resourceType":"Bundle","type":"transaction"}`
	}
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

// reading answers reads of single resources.
func (f *fixture) reading(ctx context.Context, x interaction.Entry) (interaction.Answer, error) {
	path, query, searches := strings.Cut(x.URL, "?")
	if searches {
		found, err := f.Search(ctx, everybody, path, pairs(f.t, query), false)
		if err != nil {
			return interaction.Answer{}, err
		}
		return interaction.Answer{Status: len(found.Matches)}, nil
	}
	typ, id, _ := strings.Cut(path, "/")
	v, err := f.Read(ctx, everybody, store.Key{Type: typ, ID: id})
	return interaction.Answer{Status: 200, Body: v.Body}, err
}

func (f *fixture) transact(entries ...string) ([]interaction.Reply, error) {
	f.t.Helper()
	_, list, err := f.Entries(tree(f.t, bundleOf(entries...)))
	if err != nil {
		return nil, err
	}
	return f.Transaction(f.ctx(), everybody, list, f.reading)
}

func (f *fixture) mustTransact(entries ...string) []interaction.Reply {
	f.t.Helper()
	replies, err := f.transact(entries...)
	if err != nil {
		if r := refusal(err); r != nil {
			f.t.Fatalf("%v: %v", err, r.Issues)
		}
		f.t.Fatal(err)
	}
	return replies
}

// change is the place of the last write in the order of commits.
func (f *fixture) change() int64 {
	f.t.Helper()
	page, err := f.store.Versions(f.ctx(), store.HistoryQuery{Limit: 1, Allowed: search.Allowed{All: true}})
	if err != nil {
		f.t.Fatal(err)
	}
	if len(page.Rows) == 0 {
		return 0
	}
	return page.Rows[0].Change
}

func TestATransactionWithEveryVerb(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		updated := f.create(`{"resourceType":"Patient","gender":"female"}`)
		patched := f.create(`{"resourceType":"Patient","gender":"female"}`)
		byXML := f.create(`{"resourceType":"Patient","gender":"female"}`)
		deleted := f.create(`{"resourceType":"Patient","gender":"female"}`)
		fitting := f.create(identified)
		xml := `PGRpZmYgeG1sbnM6Zj0iaHR0cDovL2hsNy5vcmcvZmhpciI+PHJlcGxhY2Ugc2VsPSJmOlBhdGllbnQvZjpnZW5kZXIvQHZhbHVlIj5tYWxlPC9yZXBsYWNlPjwvZGlmZj4=`
		replies := f.mustTransact(
			entry("", "GET", "Patient/"+updated.ID, ""),
			entry("", "PATCH", "Patient/"+patched.ID, `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"male"}]}]}`),
			entry("", "PATCH", "Patient/"+byXML.ID, `{"resourceType":"Binary","contentType":"application/xml-patch+xml","data":"`+xml+`"}`),
			entry("", "PUT", "Patient/"+updated.ID, `{"resourceType":"Patient","id":"`+updated.ID+`","gender":"male"}`, `"ifMatch":"W/\"1\""`),
			entry("urn:uuid:00000000-0000-4000-8000-000000000001", "POST", "Patient", `{"resourceType":"Patient","id":"mine","gender":"other"}`),
			entry("", "DELETE", "Patient/"+deleted.ID, ""),
			entry("", "POST", "Patient", identified, `"ifNoneExist":"identifier=urn:x|7"`),
			entry("", "GET", "Patient?gender=male", ""),
			entry("", "PUT", "Patient?identifier=urn:x|9", `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"9"}],"gender":"male"}`),
			entry("", "DELETE", "Patient?identifier=urn:x|nothing", ""),
		)
		var got []string
		for _, r := range replies {
			switch {
			case r.Read != nil:
				got = append(got, "read "+strconv.Itoa(r.Read.Status))
			default:
				got = append(got, fmt.Sprintf("%s %d.%d", r.Method, r.Effect, r.Number))
			}
		}
		want := "[read 200 PATCH 2.2 PATCH 2.2 PUT 2.2 POST 1.1 DELETE 3.2 POST 0.1 read 4 PUT 1.1 DELETE 0.0]"
		if fmt.Sprint(got) != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
		if !strings.Contains(string(replies[0].Read.Body), `"male"`) {
			t.Error("the read does not see the write of its transaction")
		}
		if replies[4].ID == "mine" {
			t.Error("the id of a POST is the server's to give")
		}
		if replies[6].ID != fitting.ID {
			t.Errorf("the conditional create answers %s", replies[6].Key)
		}
		// The order of the specification is the order of commits.
		past, err := f.History(f.ctx(), everybody, store.Key{}, pairs(t, "_count=6"))
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, v := range past.Versions {
			order = append(order, v.ID)
		}
		if order[5] != deleted.ID || order[4] != replies[4].ID {
			t.Errorf("deleted and created out of order: %v", order)
		}
	})
}

const (
	uuidA = "urn:uuid:00000000-0000-4000-8000-00000000000a"
	uuidB = "urn:uuid:00000000-0000-4000-8000-00000000000b"
)

func TestReferencesWithinATransaction(t *testing.T) {
	f := newFixture(t)
	old := f.create(identified)
	f.create(`{"resourceType":"Organization","identifier":[{"system":"urn:o","value":"1"}],"name":"x"}`)
	for _, tt := range []struct {
		name    string
		entries []string
		of      int
		want    string // {n} is the reference to what the n-th entry wrote
	}{
		{"by urn:uuid", []string{
			entry(uuidA, "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+uuidA+`"}}`),
		}, 1, `"reference":"{0}"`},
		{"by urn:oid, ahead of the target", []string{
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"urn:oid:1.2.3"}}`),
			entry("urn:oid:1.2.3", "POST", "Patient", `{"resourceType":"Patient"}`),
		}, 0, `"reference":"{1}"`},
		{"in a circle", []string{
			entry(uuidA, "POST", "Patient", `{"resourceType":"Patient","link":[{"other":{"reference":"`+uuidB+`"},"type":"seealso"}]}`),
			entry(uuidB, "POST", "Patient", `{"resourceType":"Patient","link":[{"other":{"reference":"`+uuidA+`"},"type":"seealso"}]}`),
		}, 0, `"reference":"{1}"`},
		{"to itself", []string{
			entry(uuidA, "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"hasMember":[{"reference":"`+uuidA+`"}]}`),
		}, 0, `"reference":"{0}"`},
		{"relative to the fullUrl", []string{
			entry("http://elsewhere/fhir/Patient/1", "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("http://elsewhere/fhir/Observation/1", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/1"}}`),
		}, 1, `"reference":"{0}"`},
		{"relative, and not to an entry", []string{
			entry("http://elsewhere/fhir/Patient/2", "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("http://elsewhere/fhir/Observation/1", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/1"}}`),
		}, 1, `"reference":"Patient/1"`},
		{"absolute, with a version", []string{
			entry("http://elsewhere/fhir/Patient/1", "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"http://elsewhere/fhir/Patient/1/_history/3"}}`),
		}, 1, `"reference":"{0}"`},
		{"in contained resources and extensions", []string{
			entry(uuidA, "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","contained":[{"resourceType":"Specimen","id":"s","subject":{"reference":"`+uuidA+`"}}],"extension":[{"url":"urn:e","valueReference":{"reference":"`+uuidA+`"}}],"status":"final","code":{"text":"x"},"specimen":{"reference":"#s"}}`),
		}, 1, `"subject":{"reference":"{0}"}}],"extension":[{"url":"urn:e","valueReference":{"reference":"{0}"}}]`},
		{"urls of attachments", []string{
			entry(uuidA, "POST", "Binary", `{"resourceType":"Binary","contentType":"text/plain","data":"YQ=="}`),
			entry("", "POST", "DocumentReference", `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"url":"`+uuidA+`"}}]}`),
		}, 1, `"url":"{0}"`},
		{"links of narratives", []string{
			entry(uuidA, "POST", "Patient", `{"resourceType":"Patient"}`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"`+uuidA+`\">x</a> `+uuidA+`</div>"},"status":"final","code":{"text":"x"}}`),
		}, 1, `<a href=\"{0}\">x</a> ` + uuidA},
		{"canonicals and values stay", []string{
			entry(uuidA, "POST", "Questionnaire", `{"resourceType":"Questionnaire","status":"active"}`),
			entry("", "POST", "QuestionnaireResponse", `{"resourceType":"QuestionnaireResponse","identifier":{"system":"urn:ietf:rfc:3986","value":"`+uuidA+`"},"questionnaire":"`+uuidA+`","status":"completed"}`),
		}, 1, `"value":"` + uuidA + `"},"questionnaire":"` + uuidA + `"`},
		{"to what a conditional create found", []string{
			entry(uuidA, "POST", "Patient", identified, `"ifNoneExist":"identifier=urn:x|7"`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+uuidA+`"}}`),
		}, 1, `"reference":"` + old.String() + `"`},
		{"to what a conditional update found", []string{
			entry(uuidA, "PUT", "Patient?identifier=urn:x|7", `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"7"}],"gender":"male"}`),
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+uuidA+`"}}`),
		}, 1, `"reference":"` + old.String() + `"`},
		{"by a criterion to what is stored", []string{
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:x|7"},"performer":[{"reference":"Organization?name=x"}]}`),
		}, 0, `"subject":{"reference":"` + old.String() + `"}`},
		{"by a criterion to what the transaction writes", []string{
			entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:x|new"}}`),
			entry("", "POST", "Patient", `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"new"}]}`),
		}, 0, `"reference":"{1}"`},
		{"in the result of a patch", []string{
			entry(uuidA, "POST", "Organization", `{"resourceType":"Organization","name":"y"}`),
			entry("", "PATCH", old.String(), `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"managingOrganization"},{"name":"value","valueReference":{"reference":"`+uuidA+`"}}]}]}`),
		}, 1, `"managingOrganization":{"reference":"{0}"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			replies := f.mustTransact(tt.entries...)
			want := tt.want
			for i, r := range replies {
				want = strings.ReplaceAll(want, "{"+strconv.Itoa(i)+"}", r.Key.String())
			}
			got := f.get(replies[tt.of].Type, replies[tt.of].ID)
			if !strings.Contains(got, want) {
				t.Errorf("got %s\nwant %s in it", got, want)
			}
		})
	}
}

func TestATransactionThatFailsWritesNothingAndNamesTheEntry(t *testing.T) {
	f := newFixture(t)
	f.Limit.Entries = 4
	old := f.create(identified)
	f.create(`{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"twice"}]}`)
	f.create(`{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"twice"}]}`)
	gone := f.create(`{"resourceType":"Patient"}`)
	if _, err := f.Delete(f.ctx(), everybody, gone.Key, 0); err != nil {
		t.Fatal(err)
	}
	good := entry("", "POST", "Patient", `{"resourceType":"Patient","gender":"other"}`)
	put := func(body string) string { return entry("", "PUT", old.String(), body) }
	own := `{"resourceType":"Patient","id":"` + old.ID + `","gender":"male"}`
	observation := func(reference string) string {
		return entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+reference+`"}}`)
	}
	for _, tt := range []struct {
		name    string
		entries []string
		kind    fault.Kind
		place   string
	}{
		{"content that is not valid", []string{good, entry("", "POST", "Patient", `{"resourceType":"Patient","gender":"m"}`)}, fault.Invalid, "Bundle.entry[1].resource.gender"},
		{"content of another type", []string{good, entry("", "POST", "Patient", `{"resourceType":"Observation"}`)}, fault.Invalid, "Bundle.entry[1]"},
		{"another version", []string{good, entry("", "PUT", old.String(), own, `"ifMatch":"W/\"4\""`)}, fault.Precondition, "Bundle.entry[1]"},
		{"a malformed version", []string{good, entry("", "PUT", old.String(), own, `"ifMatch":"4"`)}, fault.Invalid, "Bundle.entry[1]"},
		{"an update of nothing", []string{good, entry("", "PUT", "Patient/nobody", `{"resourceType":"Patient","id":"nobody"}`)}, fault.Unsupported, "Bundle.entry[1]"},
		{"a patch of nothing", []string{good, entry("", "PATCH", "Patient/nobody", `{"resourceType":"Parameters"}`)}, fault.NotFound, "Bundle.entry[1]"},
		{"a patch that is none", []string{good, entry("", "PATCH", old.String(), `{"resourceType":"Patient"}`)}, fault.Invalid, "Bundle.entry[1]"},
		{"a read of nothing", []string{good, entry("", "GET", "Patient/nobody", "")}, fault.NotFound, "Bundle.entry[1]"},
		{"a read of what was deleted", []string{good, entry("", "GET", gone.String(), "")}, fault.Gone, "Bundle.entry[1]"},
		{"criteria that several fit", []string{good, entry("", "POST", "Patient", identified, `"ifNoneExist":"identifier=twice"`)}, fault.Precondition, "Bundle.entry[1]"},
		{"criteria that are unknown", []string{good, entry("", "POST", "Patient", identified, `"ifNoneExist":"colour=red"`)}, fault.Invalid, "Bundle.entry[1]"},
		{"an unknown type", []string{good, entry("", "POST", "Patent", `{"resourceType":"Patient"}`)}, fault.Unsupported, "Bundle.entry[1]"},
		{"an operation", []string{good, entry("", "POST", "Patient/$validate", `{"resourceType":"Patient"}`)}, fault.Unsupported, "Bundle.entry[1]"},
		{"a search by POST", []string{good, entry("", "POST", "Patient/_search", `{"resourceType":"Parameters"}`)}, fault.Unsupported, "Bundle.entry[1]"},
		{"a reference to no entry", []string{good, observation(uuidB)}, fault.Invalid, "Bundle.entry[1]"},
		{"a conditional reference to nothing", []string{good, observation("Patient?identifier=nothing")}, fault.Precondition, "Bundle.entry[1]"},
		{"a conditional reference to several", []string{good, observation("Patient?identifier=twice")}, fault.Precondition, "Bundle.entry[1]"},
		{"a conditional reference by what is unknown", []string{good, observation("Patient?colour=red")}, fault.Invalid, "Bundle.entry[1]"},
		{"a conditional reference to what is deleted beside it", []string{observation("Patient?identifier=urn:x|7"), entry("", "DELETE", old.String(), "")}, fault.Precondition, "Bundle.entry[0]"},
		{"a conditional reference to several of the transaction", []string{
			observation("Patient?identifier=both"),
			entry("", "POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"both"}]}`),
			entry("", "POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"both"}]}`),
		}, fault.Precondition, "Bundle.entry[0]"},
		{"a conditional reference that a write makes mean several", []string{
			observation("Patient?gender=unknown"),
			entry("", "PUT", old.String(), strings.Replace(own, "male", "unknown", 1)),
		}, fault.Precondition, "Bundle.entry[0]"},
		{"two updates of one resource", []string{put(own), good, put(own)}, fault.Invalid, "Bundle.entry[2]"},
		{"an update and a deletion of one resource", []string{put(own), entry("", "DELETE", old.String(), "")}, fault.Invalid, "Bundle.entry[1]"},
		{"an update and a patch of one resource", []string{put(own), entry("", "PATCH", old.String(), `{"resourceType":"Parameters"}`)}, fault.Invalid, "Bundle.entry[1]"},
		{"an update by id and one by a criterion", []string{put(own), entry("", "PUT", "Patient?identifier=urn:x|7", identified)}, fault.Invalid, "Bundle.entry[1]"},
		{"an update and a conditional create that finds the same", []string{put(own), entry("", "POST", "Patient", identified, `"ifNoneExist":"identifier=urn:x|7"`)}, fault.Invalid, "Bundle.entry[1]"},
		{"a deletion by a criterion and one by id", []string{entry("", "DELETE", "Patient?identifier=urn:x|7", ""), entry("", "DELETE", old.String(), "")}, fault.Invalid, "Bundle.entry[1]"},
		{"two conditional creates with one criterion", []string{
			entry("", "POST", "Patient", identified, `"ifNoneExist":"identifier=urn:x|n&gender=female"`),
			entry("", "POST", "Patient", identified, `"ifNoneExist":"gender=female&identifier=urn%3Ax%7Cn"`),
		}, fault.Invalid, "Bundle.entry[1]"},
		{"two conditional creates that mean one resource by different criteria", []string{
			entry("", "POST", "Patient", `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"n"}]}`, `"ifNoneExist":"identifier=urn:x|n"`),
			entry("", "POST", "Patient", `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"n"}]}`, `"ifNoneExist":"identifier=n"`),
		}, fault.Invalid, "Bundle.entry[0]"},
		{"a create beside a conditional one that means it", []string{
			entry("", "POST", "Patient", `{"resourceType":"Patient","birthDate":"1901-02-03"}`, `"ifNoneExist":"birthdate=1901-02-03"`),
			entry("", "POST", "Patient", `{"resourceType":"Patient","birthDate":"1901-02-03"}`),
		}, fault.Invalid, "Bundle.entry[0]"},
		{"two entries with one fullUrl", []string{entry(uuidA, "POST", "Patient", `{"resourceType":"Patient"}`), entry(uuidA, "POST", "Patient", `{"resourceType":"Patient"}`)}, fault.Invalid, "Bundle.entry[1]"},
		{"a property that a Bundle does not have", []string{good, strings.Replace(good, `"request"`, `"colour":"red","request"`, 1)}, fault.Invalid, "Bundle.entry[1].colour"},
		{"more entries than may be", []string{good, good, good, good, good}, fault.TooCostly, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			before := f.change()
			_, err := f.transact(tt.entries...)
			if !fault.Is(err, tt.kind) {
				t.Fatalf("got %v (%v), want %v", err, fault.KindOf(err), tt.kind)
			}
			if tt.place != "" {
				issues := issuesOf(t, err)
				if issues[0].Expression != tt.place {
					t.Errorf("place %q, want %q: %v", issues[0].Expression, tt.place, issues)
				}
			}
			if f.change() != before {
				t.Error("something was written")
			}
		})
	}
}

func TestTransactionsOfOneIdentityMakeOneResource(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		ids := map[string]bool{}
		together(32, func(i int) {
			replies, err := f.transact(
				entry(uuidA, "POST", "Patient", identified, `"ifNoneExist":"`+criteria[i%len(criteria)]+`"`),
				entry("", "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+uuidA+`"}}`),
			)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[replies[0].ID] = true
		})
		if len(ids) != 1 || f.found("Patient", "identifier=7") != 1 {
			t.Errorf("%d resources", len(ids))
		}
		for id := range ids {
			if got := f.found("Observation", "subject=Patient/"+id); got != 32 {
				t.Errorf("%d of 32 Observations refer to it", got)
			}
		}
	})
}

func TestATransactionOfReadsAlone(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		old := f.create(identified)
		replies := f.mustTransact(entry("", "GET", old.String(), ""), entry("", "GET", "Patient?identifier=7", ""))
		if replies[0].Read.Status != 200 || replies[1].Read.Status != 1 {
			t.Errorf("%+v", replies)
		}
		if replies := f.mustTransact(); len(replies) != 0 {
			t.Errorf("%d replies", len(replies))
		}
	})
}

func TestABinaryIsReadWithinItsTransaction(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		old := f.create(`{"resourceType":"Binary","contentType":"text/plain","data":"YQ=="}`)
		_, entries, err := f.Entries(tree(t, bundleOf(
			entry("", "PUT", old.String(), `{"resourceType":"Binary","id":"`+old.ID+`","contentType":"text/plain","data":"YmM="}`), entry("", "GET", old.String(), ""))))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		_, err = f.Transaction(f.ctx(), everybody, entries, func(ctx context.Context, _ interaction.Entry) (interaction.Answer, error) {
			past, err := f.History(ctx, everybody, old.Key, nil)
			if err != nil {
				return interaction.Answer{}, err
			}
			for _, v := range past.Versions {
				got += tree(t, string(v.Body)).Get("data").Text() + " "
			}
			_, err = f.History(ctx, everybody, store.Key{Type: "Binary"}, nil)
			if !fault.Is(err, fault.Unsupported) {
				t.Errorf("the history of a type within a transaction: %v", err)
			}
			return interaction.Answer{Status: 200}, nil
		})
		if err != nil || got != "YmM= YQ== " {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestABundleThatIsNoTransaction(t *testing.T) {
	f := newFixture(t)
	for text, place := range map[string]string{
		`{"resourceType":"Bundle","type":"document"}`: "Bundle.type",
		`{"resourceType":"Bundle"}`:                   "Bundle.type",
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]}`:                  "Bundle.entry[0]",
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET"}}]}`:                             "Bundle.entry[0].request",
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"PUT","url":"Patient/1"}}]}`:           "Bundle.entry[0]",
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"FETCH","url":"Patient/1"}}]}`:         "Bundle.entry[0].request.method",
		`{"resourceType":"Bundle","type":"batch","entry":[],"colour":"red"}`:                                          "Bundle.colour",
		`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"},"links":1}]}`: "Bundle.entry[0].links",
	} {
		_, _, err := f.Entries(tree(t, text))
		var places []string
		for _, i := range issuesOf(t, err) {
			if i.Severity == fhir.Error {
				places = append(places, i.Expression)
			}
		}
		if !strings.Contains(strings.Join(places, " ")+" ", place+" ") {
			t.Errorf("%s: %v, want %s", text, places, place)
		}
	}
}
