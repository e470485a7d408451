package postgres_test

import (
	"fmt"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// patient is the person of results 10n to 10n+9.
func patient(n int) *store.Put {
	id := storetest.Observation(n * 10).Patient
	return &store.Put{
		Key: store.Key{Type: "Patient", ID: id}, Owner: fmt.Sprint("h", n%3), Patient: id, Source: fmt.Sprintf("https://yilian.dev/institution/h%d/record/p%012d", n%3, n),
		Render: func(number int64, updated time.Time) []byte {
			return fmt.Appendf(nil, `{"resourceType":"Patient","id":%q,"meta":{"versionId":"%d","lastUpdated":%q},"identifier":[{"system":"urn:id","value":"%d"}],`+
				`"name":[{"use":"official","family":"family%d","given":["given%d"],"text":"family%d given%d"}],"gender":"female","birthDate":"1970-01-01"}`,
				id, number, updated.Format(time.RFC3339Nano), n, n%500, n, n%500, n)
		},
		Values: search.Values{
			Strings: []search.String{{Param: "name", Folded: fmt.Sprint("family", n%500), Exact: fmt.Sprint("Family", n%500)},
				{Param: "name", Folded: fmt.Sprint("given", n), Exact: fmt.Sprint("Given", n)},
				{Param: "family", Folded: fmt.Sprint("family", n%500), Exact: fmt.Sprint("Family", n%500)},
				{Param: "given", Folded: fmt.Sprint("given", n), Exact: fmt.Sprint("Given", n)}},
			Dates: []search.Date{{Param: "birthdate", Low: int64(n%20000) * 86400e6, High: int64(n%20000+1) * 86400e6}},
			Tokens: []search.Token{{Param: "identifier", System: "urn:id", Code: fmt.Sprint(n)}, {Param: "gender", Code: fmt.Sprint(n % 2)},
				{Param: "_tag", System: "https://yilian.dev/fhir/institution", Code: fmt.Sprint("h", n%3)}},
		},
	}
}
