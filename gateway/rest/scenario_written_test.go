package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

// A single write may refer by criteria, as an entry of a transaction may; what names an
// entry of some Bundle stays as it is.
func TestASingleWriteMayReferByCriteria(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		const criteria = "Patient?identifier=urn:oid:2.16.156.10011.1.3|990101199001010027"
		subject := func(got reply, status int) {
			t.Helper()
			if got.Code != status || got.tree.Path("subject", "reference").Text() != "Patient/p1" {
				t.Errorf("%d, want %d with the reference of the patient: %s", got.Code, status, got.Body)
			}
		}
		created := c.do("POST", "/fhir/Observation", observing(criteria))
		subject(created, http.StatusCreated)
		id := created.tree.ID()
		subject(c.do("POST", "/fhir/Observation", observing("http://test/fhir/"+criteria), "If-None-Exist: identifier=fresh"), http.StatusCreated)
		subject(c.do("PUT", "/fhir/Observation/"+id, strings.Replace(observing(criteria), `"final"`, `"amended","id":"`+id+`"`, 1)), http.StatusOK)
		batch := c.do("POST", "/fhir", bundleOf("batch", entry("POST", "Observation", observing(criteria))), "Prefer: return=representation")
		if to := batch.tree.Get("entry").At(0).Path("resource", "subject", "reference").Text(); to != "Patient/p1" {
			t.Errorf("an entry of a batch: %q: %s", to, batch.Body)
		}
		const urn = "urn:uuid:6a1f9f0e-0000-4000-8000-000000000001"
		if got := c.do("POST", "/fhir/Observation", observing(urn)); got.Code != http.StatusCreated || got.tree.Path("subject", "reference").Text() != urn {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

// What becomes of entries that mean one resource is no matter of chance.
func TestEntriesOfABatchAboutOneResourceKeepTheirOrder(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		for _, last := range []string{"male", "female", "other", "unknown"} {
			var puts []string
			for range 6 {
				puts = append(puts, entry("PUT", "Patient/ordered", `{"resourceType":"Patient","id":"ordered","active":true}`),
					entry("PUT", "Patient/ordered", `{"resourceType":"Patient","id":"ordered","active":false}`))
			}
			puts = append(puts, entry("PUT", "Patient/ordered", `{"resourceType":"Patient","id":"ordered","gender":"`+last+`"}`))
			if got := c.do("POST", "/fhir", bundleOf("batch", puts...)); got.Code != http.StatusOK {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			if got := c.do("GET", "/fhir/Patient/ordered", "").tree.Get("gender").Text(); got != last {
				t.Errorf("%q stands, want %q", got, last)
			}
		}
		made := c.do("POST", "/fhir", bundleOf("batch",
			entry("POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"once"}],"gender":"male"}`, `"ifNoneExist":"identifier=once"`),
			entry("POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"once"}],"gender":"female"}`, `"ifNoneExist":"identifier=once"`)))
		want(t, said(t, made), `201 Created W/"1"`, `200 OK W/"1"`)
	})
}

func TestMetaIsChangedOnlyOfTheVersionThatIsMeant(t *testing.T) {
	onEachStore(t, func(t *testing.T, c *client) {
		c.fill()
		for _, tt := range []struct {
			operation, match string
			status           int
		}{
			{"$meta-add", `W/"1"`, 200},
			{"$meta-delete", `W/"1"`, 412},
			{"$meta-delete", `W/"1", W/"2"`, 200},
			{"$meta-add", "*", 200},
			{"$meta-add", "2", 400},
		} {
			got := c.do("POST", "/fhir/Patient/p1/"+tt.operation, metaOf("a"), "If-Match: "+tt.match)
			if got.Code != tt.status {
				t.Errorf("%s of %s: %d, want %d: %s", tt.operation, tt.match, got.Code, tt.status, got.Body)
			}
		}
	})
}

// One resource with a character that XML does not have keeps nobody from the others.
func TestCharactersThatXMLDoesNotHaveAreReplacedInXML(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", `{"resourceType":"Patient","name":[{"text":"a\u0000b\u000bc\uFFFEd\te"}]}`)
	c.create("Patient", patient)
	for _, path := range []string{"/fhir/Patient/" + id, "/fhir/Patient?_sort=_lastUpdated", "/fhir/Patient/_history?_count=5"} {
		got := c.do("GET", path, "", "Accept: application/fhir+xml")
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "a\uFFFDb\uFFFDc\uFFFDd&#9;e") && !strings.Contains(got.Body.String(), "a\uFFFDb\uFFFDc\uFFFDd&#x9;e") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	stored := c.do("GET", "/fhir/Patient/"+id, "")
	if text := stored.tree.Get("name").At(0).Get("text"); text.Kind() != fhir.String || text.Text() != "a\x00b\vc\uFFFEd\te" {
		t.Errorf("JSON says %q", text.Text())
	}
}

func TestWhichPatchesThereAreIsSaid(t *testing.T) {
	c := newClient(t)
	const kinds = "application/json-patch+json, application/xml-patch+xml, application/fhir+json, application/fhir+xml"
	for _, got := range []reply{
		c.do("OPTIONS", "/fhir/Patient/a", ""),
		c.do("PATCH", "/fhir/Patient/a", "{}", "Content-Type: application/merge-patch+json"),
	} {
		if said := got.Header().Get("Accept-Patch"); said != kinds {
			t.Errorf("%d: %q", got.Code, said)
		}
	}
	if said := c.do("OPTIONS", "/fhir/metadata", "").Header().Get("Accept-Patch"); said != "" {
		t.Errorf("an address without PATCH: %q", said)
	}
}
