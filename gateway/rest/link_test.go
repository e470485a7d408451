package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

// turned is how many pages a client can turn back from any.
const turned = 16

func TestPagesLeadForwardAndBack(t *testing.T) {
	c := newClient(t)
	id := c.create("Patient", patient)
	for i := range 12 {
		c.create("Patient", fmt.Sprintf(`{"resourceType":"Patient","gender":"female","birthDate":"19%02d-01-01"}`, 50+i))
		c.create("Observation", fmt.Sprintf(`{"resourceType":"Observation","status":"final","code":{"text":"%d"},"subject":{"reference":"Patient/%s"}}`, i, id))
	}
	for range 20 {
		body := c.do("GET", "/fhir/Patient/"+id, "").Body.String()
		was, is := `"female"`, `"male"`
		if strings.Contains(body, is) {
			was, is = is, was
		}
		if got := c.do("PUT", "/fhir/Patient/"+id, strings.Replace(body, was, is, 1)); got.Code != http.StatusOK {
			t.Fatalf("update: %d %s", got.Code, got.Body)
		}
	}
	for _, tt := range []struct {
		path  string
		pages int
	}{
		{"Patient?_count=4&_total=accurate", 4},
		{"Patient?_sort=-birthdate&_count=1", 13},
		{"?_type=Patient,Observation&_count=1", 25},                     // one type after the other
		{"?_type=Patient,Observation&_sort=-_lastUpdated&_count=1", 25}, // merged
		{"Patient/" + id + "/*?_count=2", 7},
		{"Patient/" + id + "/$everything?_count=2", 7},
		{"Patient/" + id + "/_history?_count=1", 21},
		{"Observation/_history?_count=5", 3},
		{"_history?_count=2", 23},
		{"Observation?code=none", 1},
	} {
		t.Run(tt.path, func(t *testing.T) {
			c.t = t
			first := "http://test/fhir/" + tt.path
			if strings.HasPrefix(tt.path, "?") {
				first = "http://test/fhir" + tt.path
			}
			var seen [][]string
			var total string
			page, at := (*fhir.Node)(nil), first
			for number := 1; at != ""; number++ {
				page = c.page(at)
				seen = append(seen, shown(page))
				total = page.Get("total").Text()
				if previous := relation(page, "previous") != ""; previous != (number > 1) {
					t.Errorf("page %d leads back: %v", number, previous)
				}
				if begin := c.page(relation(page, "first")); !slices.Equal(shown(begin), seen[0]) {
					t.Errorf("the first page of page %d is another", number)
				}
				last, next := relation(page, "last"), relation(page, "next")
				if (last == "") == (next == "") || last != "" && last != relation(page, "self") {
					t.Errorf("page %d: last %q, next %q", number, last, next)
				}
				if at = next; number > 60 {
					t.Fatal("there is no end")
				}
			}
			if len(seen) != tt.pages {
				t.Fatalf("%d pages, want %d", len(seen), tt.pages)
			}
			number := len(seen) - 1
			for at = relation(page, "previous"); at != ""; at = relation(page, "previous") {
				page = c.page(at)
				number--
				if !slices.Equal(shown(page), seen[number]) {
					t.Errorf("page %d is %v on the way back, was %v", number+1, shown(page), seen[number])
				}
				if is := page.Get("total").Text(); is != total {
					t.Errorf("page %d: total %q, was %q", number+1, is, total)
				}
			}
			want := len(seen) - 1 - turned
			if want <= 1 {
				want = 0 // the first is found from the second without a place to remember
			}
			if number != want {
				t.Errorf("the way back ends at page %d, want %d", number+1, want+1)
			}
			if next := relation(page, "next"); len(seen) > 1 && !slices.Equal(shown(c.page(next)), seen[number+1]) {
				t.Errorf("the page behind page %d is another than it was", number+1)
			}
		})
	}
}

// page reads a Bundle by its link.
func (c *client) page(url string) *fhir.Node {
	c.t.Helper()
	path, ok := strings.CutPrefix(url, "http://test")
	if !ok {
		c.t.Fatalf("%q is no link", url)
	}
	got := c.do("GET", path, "")
	if got.Code != http.StatusOK {
		c.t.Fatalf("%s: %d %s", path, got.Code, got.Body)
	}
	return got.tree
}

func relation(bundle *fhir.Node, name string) string {
	for _, l := range bundle.Get("link").Items() {
		if l.Get("relation").Text() == name {
			return l.Get("url").Text()
		}
	}
	return ""
}

// shown are the versions on a page.
func shown(bundle *fhir.Node) []string {
	var out []string
	for _, e := range bundle.Get("entry").Items() {
		r := e.Get("resource")
		out = append(out, r.ResourceType()+"/"+r.ID()+"/"+r.Path("meta", "versionId").Text())
	}
	return out
}
