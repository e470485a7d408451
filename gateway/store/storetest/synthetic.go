package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// bodyBytes is the size of a laboratory result as feeds send it.
const bodyBytes = 1500

// Observation is the n-th result of a synthetic feed: 12 index values, ten results per patient.
func Observation(n int) *store.Put {
	patient := fmt.Sprintf("p%015d", uint64(n/10)*0x9e3779b97f4a7c15%1e15)
	at := int64(1.7e15) + int64(n)*60e6
	return &store.Put{
		Key:   store.Key{Type: "Observation", ID: fmt.Sprintf("%016x", uint64(n+1)*0x9e3779b97f4a7c15)},
		Owner: fmt.Sprint("h", n%3), Patient: patient, Source: fmt.Sprintf("https://yilian.dev/institution/h%d/record/%012d", n%3, n),
		Stamp:  store.Stamp{Time: at},
		Render: func(number int64, updated time.Time) []byte { return ObservationBody(n, patient, number, updated) },
		Values: search.Values{
			Tokens: []search.Token{
				{Param: "identifier", System: "urn:oid:2.16.156.10011.1.33", Code: fmt.Sprint("N", n)},
				{Param: "code", System: "http://loinc.org", Code: fmt.Sprint(n % 200)},
				{Param: "code", System: "urn:local", Code: fmt.Sprint("L", n%200)},
				{Param: "category", System: "http://terminology.hl7.org/CodeSystem/observation-category", Code: "laboratory"},
				{Param: "status", System: "http://hl7.org/fhir/observation-status", Code: "final"},
				{Param: "_tag", System: "https://yilian.dev/fhir/institution", Code: fmt.Sprint("h", n%3)},
			},
			Dates: []search.Date{{Param: "date", Low: at, High: at + 1e6}},
			References: []search.Reference{{Param: "subject", Type: "Patient", ID: patient}, {Param: "patient", Type: "Patient", ID: patient},
				{Param: "based-on", Type: "ServiceRequest", ID: fmt.Sprint("s", n/5)}, {Param: "encounter", Type: "Encounter", ID: fmt.Sprint("e", n/10)}},
			Quantities: []search.Quantity{{Param: "value-quantity", Low: float64(n % 100), High: float64(n%100) + 1, System: "http://unitsofmeasure.org", Code: "g/L", Unit: "g/L"}},
		},
	}
}

// ObservationBody is that result as JSON, with what repeats and what does not in the proportion of real ones.
func ObservationBody(n int, patient string, number int64, updated time.Time) []byte {
	head := fmt.Sprintf(`{"resourceType":"Observation","id":"%016x","meta":{"versionId":"%d","lastUpdated":%q,"source":"https://yilian.dev/institution/h%d/record/%012d",`+
		`"tag":[{"system":"https://yilian.dev/fhir/institution","code":"h%d"}]},"identifier":[{"system":"urn:oid:2.16.156.10011.1.33","value":"N%d"}],"status":"final",`+
		`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],`+
		`"code":{"coding":[{"system":"http://loinc.org","code":"%d","display":"Analyte %d [Mass/volume] in Serum"},{"system":"urn:local","code":"L%d"}],"text":"analyte %d"},`+
		`"subject":{"reference":"Patient/%s"},"encounter":{"reference":"Encounter/e%d"},"basedOn":[{"reference":"ServiceRequest/s%d"}],`+
		`"effectiveDateTime":%q,"valueQuantity":{"value":%d.%d,"unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"},"note":[{"text":"`,
		uint64(n+1)*0x9e3779b97f4a7c15, number, updated.Format(time.RFC3339Nano), n%3, n, n%3, n, n%200, n%200, n%200, n%200, patient, n/10, n/5,
		time.UnixMicro(int64(1.7e15)+int64(n)*60e6).UTC().Format(time.RFC3339), n%100, n%10)
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < bodyBytes-5; i++ {
		fmt.Fprintf(&b, "%s ", words[uint64(n+1)*uint64(i+3)*0x9e3779b97f4a7c15>>40%uint64(len(words))])
	}
	b.WriteString(`"}]}`)
	return []byte(b.String())
}

var words = strings.Fields(`sample haemolysed repeated slightly clear turbid measured by photometry in duplicate after dilution
kept cold until noon received late please compare with the earlier value of this week reference interval of adults method changed`)
