package acceptance_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// packed is text in gzip.
func packed(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}

func quantityOf(number string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":` + number + `},"referenceRange":[{"low":{"value":0},"high":{"value":` + number + `}}]}`
}

// A bad request is refused with a status below 500 and an OperationOutcome that names the place, and nothing of it is stored.
func TestBadRequestsAreRefused(t *testing.T) {
	const (
		patient = `{"resourceType":"Patient","active":true}`
		form    = "application/x-www-form-urlencoded"
		space   = `xmlns="http://hl7.org/fhir"`
	)
	nested := func(n int) string {
		return `{"resourceType":"Patient","extension":[` + strings.Repeat(`{"url":"urn:x","extension":[`, n) + `{"url":"urn:x","valueString":"x"}` + strings.Repeat("]}", n) + "]}"
	}
	nestedXML := func(n int) string {
		return `<Patient ` + space + `>` + strings.Repeat(`<extension url="urn:x">`, n) + `<valueString value="x"/>` + strings.Repeat("</extension>", n) + "</Patient>"
	}
	entries := func(n int, last string) string {
		good := `{"resource":` + patient + `,"request":{"method":"POST","url":"Patient"}}`
		return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(good+",", n-1) + last + "]}"
	}
	laughs := `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Patient ` + space + `><language value="&b;"/></Patient>`
	large := []byte(`{"resourceType":"Patient","language":"` + strings.Repeat("a", 50<<20) + `"}`)

	requests := []struct {
		name, method, path, contentType, body string
		header                                []string
		status                                int
		place                                 string // what the answer says
	}{
		// JSON
		{"JSON that ends early", "POST", "Patient", jsonType, `{"resourceType":"Patient",` + "\n" + `"active":`, nil, 400, "2:10"},
		{"JSON with a comma too many", "POST", "Patient", jsonType, `{"resourceType":"Patient","active":true,}`, nil, 400, "1:41"},
		{"JSON with a comment", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\"\n/*x*/}", nil, 400, "2:1"},
		{"single quotes", "POST", "Patient", jsonType, `{'resourceType':'Patient'}`, nil, 400, "1:2"},
		{"a property twice", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\",\n\"active\":true,\"active\":false}", nil, 400, "2:15"},
		{"the type twice", "POST", "Patient", jsonType, `{"resourceType":"Patient","resourceType":"Group"}`, nil, 400, "1:"},
		{"NUL between tokens", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\"\x00}", nil, 400, "1:26"},
		{"NUL in a string", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\",\"language\":\"a\x00\"}", nil, 400, "1:"},
		{"invalid UTF-8", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\",\n\"language\":\"\xc3\x28\"}", nil, 400, "2:"},
		{"an overlong encoding", "POST", "Patient", jsonType, "{\"resourceType\":\"Patient\",\"language\":\"\xc0\xaf\"}", nil, 400, "1:"},
		{"a lone surrogate", "POST", "Patient", jsonType, `{"resourceType":"Patient","language":"\udc00"}`, nil, 400, "1:"},
		{"UTF-16", "POST", "Patient", jsonType, "\xff\xfe{\x00}\x00", nil, 400, "1:1"},
		{"arrays without an end", "POST", "Patient", jsonType, `{"resourceType":"Patient","name":` + strings.Repeat("[", 100_000), nil, 400, "nested deeper"},
		{"objects without an end", "POST", "Patient", jsonType, strings.Repeat(`{"a":`, 100_000), nil, 400, "nested deeper"},
		{"a resource that nests too deep", "POST", "Patient", jsonType, nested(60), nil, 400, "nested deeper"},
		{"a number with a leading zero", "POST", "Observation", jsonType, quantityOf("01"), nil, 400, "1:"},
		{"no number", "POST", "Observation", jsonType, quantityOf("NaN"), nil, 400, "1:"},
		{"an integer out of range", "POST", "Patient", jsonType, `{"resourceType":"Patient","multipleBirthInteger":99999999999}`, nil, 422, "Patient.multipleBirth"},
		{"a fraction for an integer", "POST", "Patient", jsonType, `{"resourceType":"Patient","multipleBirthInteger":1.5}`, nil, 422, "Patient.multipleBirth"},
		{"a string for a boolean", "POST", "Patient", jsonType, `{"resourceType":"Patient","active":"true"}`, nil, 422, "Patient.active"},
		{"an element of another type", "POST", "Patient", jsonType, `{"resourceType":"Patient","colour":"red"}`, nil, 422, "colour"},
		{"an object for a list", "POST", "Patient", jsonType, `{"resourceType":"Patient","name":{"text":"x"}}`, nil, 422, "Patient.name"},
		{"an empty object", "POST", "Patient", jsonType, `{"resourceType":"Patient","name":[{}]}`, nil, 422, "Patient.name[0]"},
		{"null", "POST", "Patient", jsonType, `{"resourceType":"Patient","active":null}`, nil, 422, "Patient.active"},
		{"only null", "POST", "Patient", jsonType, `null`, nil, 400, "Patient"},
		{"a name that is none", "POST", "Patient", jsonType, `{"resourceType":"Patient","` + strings.Repeat("n", 100_000) + `":1}`, nil, 422, "Patient"},
		{"a type that is none", "POST", "Patient", jsonType, `{"resourceType":"Patent"}`, nil, 400, "Patient"},
		{"another type than the address", "POST", "Patient", jsonType, `{"resourceType":"Group"}`, nil, 400, "Patient"},
		{"another id than the address", "PUT", "Patient/a", jsonType, `{"resourceType":"Patient","id":"b"}`, nil, 400, "id"},
		{"two resources", "POST", "Patient", jsonType, patient + "\n" + patient, nil, 400, "2:1"},
		// XML
		{"XML that ends early", "POST", "Patient", xmlType, "<Patient " + space + ">\n<active value=\"true\"/>", nil, 400, "2:"},
		{"XML of another namespace", "POST", "Patient", xmlType, `<Patient xmlns="urn:x"/>`, nil, 400, "1:"},
		{"XML of no namespace", "POST", "Patient", xmlType, `<Patient/>`, nil, 400, "1:"},
		{"a tag that closes another", "POST", "Patient", xmlType, "<Patient " + space + "><active value=\"true\"></gender></Patient>", nil, 400, "1:"},
		{"an attribute twice", "POST", "Patient", xmlType, "<Patient " + space + "><active value=\"true\" value=\"false\"/></Patient>", nil, 400, "1:"},
		{"a document type", "POST", "Patient", xmlType, laughs, nil, 400, "1:1"},
		{"an entity that is not declared", "POST", "Patient", xmlType, "<Patient " + space + "><language value=\"&x;\"/></Patient>", nil, 400, "1:"},
		{"a character that is none", "POST", "Patient", xmlType, "<Patient " + space + "><language value=\"&#0;\"/></Patient>", nil, 400, "1:"},
		{"NUL in XML", "POST", "Patient", xmlType, "<Patient " + space + "><language value=\"\x00\"/></Patient>", nil, 400, "1:"},
		{"invalid UTF-8 in XML", "POST", "Patient", xmlType, "<Patient " + space + "><language value=\"\xff\"/></Patient>", nil, 400, "1:"},
		{"text between elements", "POST", "Patient", xmlType, "<Patient " + space + ">x</Patient>", nil, 422, "1:"},
		{"XML that nests too deep", "POST", "Patient", xmlType, nestedXML(60), nil, 400, "nested deeper"},
		{"tags without an end", "POST", "Patient", xmlType, "<Patient " + space + ">" + strings.Repeat("<a>", 100_000), nil, 400, "1:"},
		{"two elements of what is one", "POST", "Patient", xmlType, "<Patient " + space + "><active value=\"true\"/><active value=\"true\"/></Patient>", nil, 422, "active"},
		{"XML for JSON", "POST", "Patient", jsonType, "<Patient " + space + "/>", nil, 400, "1:1"},
		{"JSON for XML", "POST", "Patient", xmlType, patient, nil, 400, "1:1"},
		// types and encodings of bodies
		{"another type of content", "POST", "Patient", "text/csv", "a;b", nil, 415, "application/fhir+json"},
		{"a type of content that is none", "POST", "Patient", ";;;", patient, nil, 415, ""},
		{"another charset", "POST", "Patient", jsonType + "; charset=utf-16", patient, nil, 415, "UTF-8"},
		{"a search that is no form", "POST", "Patient/_search", jsonType, `{"name":"x"}`, nil, 415, ""},
		{"an unknown encoding", "POST", "Patient", jsonType, patient, []string{"Content-Encoding", "rot13"}, 415, "Content-Encoding"},
		{"two encodings", "POST", "Patient", jsonType, string(packed(packed([]byte(patient)))), []string{"Content-Encoding", "gzip, gzip"}, 415, "gzip"},
		{"gzip that is none", "POST", "Patient", jsonType, patient, []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		{"gzip that ends early", "POST", "Patient", jsonType, string(packed([]byte(patient))[:30]), []string{"Content-Encoding", "gzip"}, 400, ""},
		{"gzip that is much larger than it looks", "POST", "Patient", jsonType, string(packed(large)), []string{"Content-Encoding", "gzip"}, 413, "4194304"},
		{"50 MB", "POST", "Patient", jsonType, string(large), nil, 413, "4194304"},
		{"50 MB of a form", "POST", "Patient/_search", form, "name=" + string(large), nil, 413, "the form is over 1048576 bytes"},
		{"50 MB of a transaction", "POST", "", jsonType, string(large), nil, 413, "4194304"},
		// Bundles
		{"a Bundle over the limit of entries", "POST", "", jsonType, entries(101, `{"resource":`+patient+`,"request":{"method":"POST","url":"Patient"}}`), nil, 413, "100"},
		{"no Bundle", "POST", "", jsonType, patient, nil, 400, "Bundle"},
		{"a Bundle of another type", "POST", "", jsonType, `{"resourceType":"Bundle","type":"Bundle.type"}`, nil, 400, "Bundle.type"},
		{"an entry without a request", "POST", "", jsonType, entries(3, `{"resource":`+patient+`}`), nil, 400, "Bundle.entry[2]"},
		{"an entry with a method that is none", "POST", "", jsonType, entries(3, `{"resource":`+patient+`,"request":{"method":"MOVE","url":"Patient"}}`), nil, 400, "Bundle.entry[2]"},
		{"an entry of no type", "POST", "", jsonType, entries(3, `{"resource":`+patient+`,"request":{"method":"POST","url":"Patent"}}`), nil, 404, "Bundle.entry[2]"},
		{"an entry with an element of no type", "POST", "", jsonType, entries(3, `{"resource":{"resourceType":"Patient","colour":"red"},"request":{"method":"POST","url":"Patient"}}`), nil, 422, "Bundle.entry[2]"},
		{"an entry that refers to none", "POST", "", jsonType, entries(3, `{"resource":{"resourceType":"Patient","generalPractitioner":[{"reference":"urn:uuid:11111111-1111-4111-8111-111111111111"}]},"request":{"method":"POST","url":"Patient"}}`), nil, 400, "Bundle.entry[2]"},
		{"an entry that refers by a criterion nobody fits", "POST", "", jsonType, entries(3, `{"resource":{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner?identifier=none"}]},"request":{"method":"POST","url":"Patient"}}`), nil, 412, "Bundle.entry[2]"},
		{"two entries of one identity", "POST", "", jsonType, `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(`{"resource":{"resourceType":"Patient","id":"a"},"request":{"method":"PUT","url":"Patient/a"}},`, 2) + `{"resource":` + patient + `,"request":{"method":"POST","url":"Patient"}}]}`, nil, 400, "Bundle.entry[1]"},
		{"an entry that deletes with a criterion of no parameter", "POST", "", jsonType, entries(2, `{"request":{"method":"DELETE","url":"Patient?colour=red"}}`), nil, 400, "colour"},
		// addresses and parameters
		{"an unknown parameter", "GET", "Patient?colour=red", "", "", nil, 400, "colour"},
		{"a type that is none", "GET", "Patent/1", "", "", nil, 404, "not a resource type"},
		{"an id that is none", "GET", "Patient/a%20b", "", "", nil, 404, ""},
		{"an id too long", "GET", "Patient/" + strings.Repeat("a", 65), "", "", nil, 404, ""},
		{"an id that climbs", "GET", "Patient/..%2f..%2fetc", "", "", nil, 404, ""},
		{"a version that is none", "GET", "Patient/a/_history/x", "", "", nil, 404, ""},
		{"an operation that is none", "GET", "Patient/$explode", "", "", nil, 404, ""},
		{"invalid UTF-8 in a value", "GET", "Patient?name=%c3%28", "", "", nil, 400, "UTF-8"},
		{"an escape that is none", "GET", "Patient?name=%g1", "", "", nil, 400, "escape"},
		{"invalid UTF-8 in a name", "GET", "Patient?%ff=x", "", "", nil, 400, ""},
		{"a number out of all range", "GET", "Observation?value-quantity=1e400", "", "", nil, 400, "value-quantity"},
		{"a number of many digits", "GET", "Observation?value-quantity=" + strings.Repeat("9", 500), "", "", nil, 400, "value-quantity"},
		{"no number", "GET", "Observation?value-quantity=NaN", "", "", nil, 400, "value-quantity"},
		{"a year of five digits", "GET", "Patient?birthdate=99999-01-01", "", "", nil, 400, "birthdate"},
		{"the year zero", "GET", "Patient?birthdate=0000", "", "", nil, 400, "birthdate"},
		{"a 30th of February", "GET", "Patient?birthdate=2024-02-30", "", "", nil, 400, "birthdate"},
		{"a zone that is none", "GET", "Patient?_lastUpdated=2024-01-01T00:00:00%2B99:00", "", "", nil, 400, "_lastUpdated"},
		{"a page of too many digits", "GET", "Patient?_count=99999999999999999999", "", "", nil, 400, "_count"},
		{"a page below none", "GET", "Patient?_count=-5", "", "", nil, 400, "_count"},
		{"a sort by nothing", "GET", "Patient?_sort=colour", "", "", nil, 400, "_sort"},
		{"an include of nothing", "GET", "Patient?_include=Patient:colour", "", "", nil, 400, "_include"},
		{"a forged page", "GET", "Patient?_cursor=AAAA", "", "", nil, 400, "page"},
		{"a deep chain", "GET", "Observation?" + strings.Repeat("encounter.part-of.", 1) + strings.Repeat("part-of.", 40) + "status=x", "", "", nil, 422, ""},
		{"a deep chain in reverse", "GET", "Patient?" + strings.Repeat("_has:Provenance:target:", 40) + "_id=x", "", "", nil, 422, "_has"},
		{"a chain over nothing", "GET", "Observation?subject.colour=x", "", "", nil, 400, "subject.colour"},
		{"a deep filter", "GET", "Patient?_filter=" + strings.Repeat("(", 2000) + "gender%20eq%20male" + strings.Repeat(")", 2000), "", "", nil, 422, "_filter"},
		{"a filter that is none", "GET", "Patient?_filter=gender%20eq", "", "", nil, 400, "_filter"},
		{"many parameters", "GET", "Patient?" + strings.Repeat("gender=male&", 2000), "", "", nil, 422, "2000"},
		{"many values", "GET", "Patient?gender=" + strings.Repeat("a,", 5000), "", "", nil, 422, "gender"},
		{"a format that is none", "GET", "Patient?_format=text/csv", "", "", nil, 406, ""},
		// headers
		{"an If-Match that is none", "PUT", "Patient/a", jsonType, `{"resourceType":"Patient","id":"a"}`, []string{"If-Match", "soon"}, 400, "If-Match"},
		{"an If-None-Exist that is none", "POST", "Patient", jsonType, patient, []string{"If-None-Exist", "colour=red"}, 400, "colour"},
		{"a method that is none", "BREW", "Patient", "", "", nil, 405, ""},
	}
	settings := map[string]string{"limits.body": "4MiB", "limits.entries": "100", "limits.depth": "50", "fhir.update-as-create": "on"}
	onEachStore(t, settings, func(t *testing.T, c *client) {
		for _, tt := range requests {
			got, err := c.try(tt.method, tt.path, tt.contentType, tt.body, tt.header...)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var outcome struct {
				ResourceType string
				Issue        []struct {
					Severity, Code string
					Details        struct{ Text string }
				}
			}
			err = json.Unmarshal(got.body, &outcome)
			switch {
			case got.status != tt.status:
				t.Errorf("%s: %d, wanted %d: %.500s", tt.name, got.status, tt.status, got.body)
			case err != nil || outcome.ResourceType != "OperationOutcome" || len(outcome.Issue) == 0 || outcome.Issue[0].Severity != "error" || outcome.Issue[0].Code == "" || outcome.Issue[0].Details.Text == "":
				t.Errorf("%s: no reason: %v %.500s", tt.name, err, got.body)
			case !strings.Contains(string(got.body), tt.place):
				t.Errorf("%s: %q is not in %.700s", tt.name, tt.place, got.body)
			}
		}
		var history bundle
		if got := c.ask(t, "GET", "_history", "", nil); json.Unmarshal(got.body, &history) != nil || got.status != 200 || len(history.Entry) != 0 {
			t.Errorf("something was stored: %d %.1000s", got.status, got.body)
		}
	})
}

// What FHIR allows is taken, strange as it may be, and is read as it was sent; and it harms nobody who searches, nor who
// wants XML, which cannot say all of it. Numbers of more digits than a search can name are not found.
func TestStrangeValuesAreTaken(t *testing.T) {
	onEachStore(t, nil, func(t *testing.T, c *client) {
		for _, tt := range []struct {
			name, typ, text, query string
			found                  bool
		}{
			{"a character that XML has not", "Patient", `{"resourceType":"Patient","name":[{"text":"a\u0000b\u0001"}]}`, "name=a%00b", true},
			{"a number of many digits", "Observation", quantityOf(strings.Repeat("9", 10_000)), "value-quantity=gt1e20", false},
			{"a huge exponent", "Observation", quantityOf("1e999999999"), "value-quantity=gt1", false},
			{"a tiny exponent", "Observation", quantityOf("1e-999999999"), "value-quantity=lt1", true},
			{"a zero with an exponent", "Observation", quantityOf("0e999999999"), "value-quantity=0", false},
			{"a character of four bytes", "Patient", `{"resourceType":"Patient","name":[{"family":"𠮷","given":["\ud83d\ude00"]}]}`, "family=𠮷", true},
			{"a text of a megabyte", "Patient", `{"resourceType":"Patient","name":[{"text":"` + strings.Repeat("长", 300_000) + `"}]}`, "name=长", true},
			{"the last year", "Patient", `{"resourceType":"Patient","birthDate":"9999-12-31"}`, "birthdate=9999", true},
		} {
			began := time.Now()
			made := c.ask(t, "POST", tt.typ, jsonType, []byte(tt.text))
			at := location.FindStringSubmatch(made.header.Get("Location"))
			if made.status != 201 || at == nil {
				t.Errorf("%s: %d %.500s", tt.name, made.status, made.body)
				continue
			}
			key := at[1] + "/" + at[2]
			if err := c.readsAs(t, key, []byte(tt.text), true); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if got := c.ask(t, "GET", key, "", nil, "Accept", xmlType); got.status >= 500 {
				t.Errorf("%s: %d in XML: %.500s", tt.name, got.status, got.body)
			}
			if pages, wrong := c.pages(t, tt.typ+"?_elements=id&"+tt.query, nil); wrong != "" {
				t.Errorf("%s: %s", tt.name, wrong)
			} else if found := strings.Contains(fmt.Sprint(pages), key); found != tt.found {
				t.Errorf("%s: found by %s: %v", tt.name, tt.query, found)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s: took %v", tt.name, took)
			}
		}
	})
}

// try sends a request once. That the server closes the connection before it has read all is no fault.
func (c *client) try(method, path, contentType, body string, header ...string) (reply, error) {
	address := strings.TrimSuffix(c.base+path, "/")
	host := c.host
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	head := method + " " + strings.TrimPrefix(address, "http://"+host) + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nAccept: application/fhir+json\r\n"
	if contentType != "" {
		head += "Content-Type: " + contentType + "\r\n"
	}
	for i := 0; i < len(header); i += 2 {
		head += header[i] + ": " + header[i+1] + "\r\n"
	}
	if body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	go func() { _, _ = io.WriteString(conn, head+"\r\n"+body) }()
	return answered(conn, method)
}

func answered(conn net.Conn, method string) (reply, error) {
	got, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return reply{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return reply{got.StatusCode, got.Header, text}, err
}

// What is no HTTP, or too much of it, never reaches FHIR; it is refused all the same, and the server goes on.
func TestBadHTTPIsRefused(t *testing.T) {
	c := start(t, nil)
	for _, tt := range []struct {
		name, text string
		status     int
	}{
		{"a flood of headers", "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Flood: "+strings.Repeat("a", 1000)+"\r\n", 3000), 431},
		{"one header without an end", "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Flood: " + strings.Repeat("a", 3<<20) + "\r\n\r\n", 431},
		{"no HTTP", "MSH|^~\\&|LAB\r\n\r\n", 400},
		{"a header with NUL", "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Nul: a\x00b\r\n\r\n", 400},
		{"two lengths", "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400},
		{"a length that is none", "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
		{"two hosts", "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
		{"an address with a space", "GET /fhir/Patient?name=a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"a transfer encoding that is none", "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n{}", 501},
	} {
		conn, err := net.Dial("tcp", c.host)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		go func() { _, _ = io.WriteString(conn, tt.text) }()
		got, err := answered(conn, "GET")
		if err != nil || got.status != tt.status {
			t.Errorf("%s: %d, %v, wanted %d", tt.name, got.status, err, tt.status)
		}
		_ = conn.Close()
	}
	if got := c.ask(t, "GET", "metadata", "", nil); got.status != 200 {
		t.Errorf("afterwards the server answers %d", got.status)
	}
}
