package acceptance_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReferencesUnderAnAddressOfTheServerAreItsOwn(t *testing.T) {
	for _, tt := range []struct{ name, base string }{
		{"on a port that it was given", ""},
		{"behind a proxy", "https://fhir.example.org/alliance/r4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEachStore(t, map[string]string{"listen": "127.0.0.1:0", "fhir.base": tt.base, "fhir.update-as-create": "on"}, func(t *testing.T, c *client) {
				base := strings.TrimSuffix(c.base, "/")
				own := []string{"", base + "/", strings.Replace(base, "127.0.0.1", "localhost", 1) + "/"}
				if tt.base != "" {
					base = tt.base
					own = append(own, base+"/")
				}
				location := c.put(t, `{"resourceType":"Patient","id":"p"}`).header.Get("Location")
				if want := base + "/Patient/p/_history/1"; location != want {
					t.Errorf("Location %s, want %s", location, want)
				}
				for i, address := range append(own, "http://other.example.org/fhir/") {
					id := string(rune('a' + i))
					c.put(t, `{"resourceType":"Observation","id":"`+id+`","status":"final","code":{"text":"x"},"subject":{"reference":"`+address+`Patient/p"}}`)
				}
				want := "a b c d e"[:2*len(own)-1]
				for _, address := range own {
					got := c.ask(t, "GET", "Observation?_sort=_id&_count=1&subject="+address+"Patient/p", "", nil)
					ids, urls := c.turned(t, got, base)
					if ids != want {
						t.Errorf("referring to %sPatient/p: %s, want %s", address, ids, want)
					}
					for _, url := range urls {
						if !strings.HasPrefix(url, base+"/Observation") {
							t.Errorf("a link to %s does not begin with %s", url, base)
						}
					}
				}
				if got, _ := c.turned(t, c.ask(t, "GET", "Observation?subject:Patient._id=p&_sort=_id", "", nil), base); got != want {
					t.Errorf("chained: %s, want %s", got, want)
				}
				for _, address := range own[1:] {
					got := c.ask(t, "POST", "", "application/fhir+json", []byte(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"`+address+`Patient/p"}}]}`))
					var b bundle
					if err := json.Unmarshal(got.body, &b); err != nil || len(b.Entry) != 1 || b.Entry[0].Response.Status[:3] != "200" {
						t.Errorf("an entry of a batch at %s: %s", address, got.body)
					}
				}
				var statement struct{ Implementation struct{ URL string } }
				if err := json.Unmarshal(c.ask(t, "GET", "metadata", "", nil).body, &statement); err != nil || statement.Implementation.URL != base {
					t.Errorf("the statement says %q, %v, want %s", statement.Implementation.URL, err, base)
				}
				forged := c.ask(t, "GET", "Patient", "", nil, "X-Forwarded-Host", "evil.example.org", "X-Forwarded-Proto", "https", "Forwarded", "host=evil.example.org")
				if strings.Contains(string(forged.body), "evil") {
					t.Errorf("what a request says of its way got into links: %s", forged.body)
				}
			})
		})
	}
}

// put writes a resource under its own id.
func (c *client) put(t *testing.T, resource string) reply {
	t.Helper()
	var r struct{ ResourceType, ID string }
	if err := json.Unmarshal([]byte(resource), &r); err != nil {
		t.Fatalf("%v: %s", err, resource)
	}
	got := c.ask(t, "PUT", r.ResourceType+"/"+r.ID, "application/fhir+json", []byte(resource))
	if got.status != 201 && got.status != 200 {
		t.Fatalf("%s/%s: %d %s", r.ResourceType, r.ID, got.status, got.body)
	}
	return got
}

// turned reads the pages of an answer one by one, for a client that reaches what begins with base by another way. It
// returns the ids of the matches in their order, and all addresses in the answers.
func (c *client) turned(t *testing.T, got reply, base string) (ids string, urls []string) {
	t.Helper()
	var list []string
	for {
		var b bundle
		if err := json.Unmarshal(got.body, &b); err != nil || got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		for _, e := range b.Entry {
			var r struct{ ID string }
			if err := json.Unmarshal(e.Resource, &r); err != nil {
				t.Fatal(err)
			}
			if e.Search.Mode == "match" {
				list, urls = append(list, r.ID), append(urls, e.FullURL)
			}
		}
		next := ""
		for _, l := range b.Link {
			if urls = append(urls, l.URL); l.Relation == "next" {
				next = l.URL
			}
		}
		if next == "" {
			return strings.Join(list, " "), urls
		}
		got = c.ask(t, "GET", strings.TrimSuffix(c.base, "/")+strings.TrimPrefix(next, base), "", nil)
	}
}
