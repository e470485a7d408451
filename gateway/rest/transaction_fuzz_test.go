package rest_test

import (
	"testing"
)

// FuzzBundle posts anything as a batch or transaction: the answer is a response
// Bundle, or an outcome that blames the request.
func FuzzBundle(f *testing.F) {
	for _, seed := range []string{
		bundleOf("transaction", entry("POST", "Patient", patient, `"ifNoneExist":"identifier=1"`)),
		bundleOf("transaction", entry("PUT", "Patient?identifier=1", `{"resourceType":"Patient","link":[{"other":{"reference":"Patient?_id=x"}}]}`), entry("GET", "Patient?_has:Observation:subject:code=x", "")),
		bundleOf("transaction", entry("PATCH", "Patient/1", `{"resourceType":"Binary","contentType":"application/xml-patch+xml","data":"PGRpZmYvPg=="}`), entry("HEAD", "metadata", "")),
		bundleOf("batch", entry("GET", "../metadata", ""), entry("POST", "Patient/_search?name=x", ""), entry("DELETE", "Patient?", ""), entry("GET", "%2F%2f", "")),
		bundleOf("batch", entry("GET", "_history?_since=2000", ""), entry("POST", "Binary", `{"resourceType":"Binary","contentType":"a/b","data":"YQ=="}`)),
		bundleOf("transaction", `{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href='urn:uuid:00000000-0000-4000-8000-000000000001'>x</a></div>"}}}`),
	} {
		f.Add(seed)
	}
	c := newClient(f)
	c.engine.Limit.Entries = 20
	f.Fuzz(func(t *testing.T, body string) {
		own := client{t: t, server: c.server, engine: c.engine}
		got := own.do("POST", "/fhir", body)
		if got.Code >= 500 || got.tree == nil || got.Code == 200 && got.tree.ResourceType() != "Bundle" || got.Code != 200 && got.tree.ResourceType() != "OperationOutcome" {
			t.Fatalf("%d %.300s", got.Code, got.Body)
		}
		for i, e := range got.tree.Get("entry").Items() {
			if status := e.Path("response", "status").Text(); len(status) < 3 || status[0] == '5' {
				t.Fatalf("entry %d: %s", i, e.AppendJSON(nil))
			}
		}
	})
}
