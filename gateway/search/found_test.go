package search_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/search/oracle"
	"github.com/yilian/yilian/internal/testenv"
)

// TestExamplesAreFound asks for every official example by each of its index values, as
// a client would write it.
func TestExamplesAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("reads every official example")
	}
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 700 {
		t.Fatal(len(files), err)
	}
	asked, composites, outside := 0, 0, 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		res := read(t, string(text))
		values, _ := engine().Values(res)
		r := oracle.Resource{Type: res.ResourceType(), ID: res.ID(), Values: values}
		w := &oracle.World{Resources: []oracle.Resource{r}}
		for _, pair := range oracle.Pairs(values) {
			request, issues := engine().Parse(r.Type, []search.Pair{pair}, search.ParseOptions{})
			if request == nil {
				// Some examples refer to what the definitions do not allow.
				if strings.Contains(issues[0].Text, "does not refer to") {
					outside++
					continue
				}
				if !tooLong(issues) {
					t.Errorf("%s: %v", filepath.Base(f), issues)
				}
				continue
			}
			asked++
			if strings.Contains(pair.Value, "$") && !strings.Contains(pair.Value, `\$`) {
				composites++
			}
			if !w.Holds(&r, request.Query.Where) {
				t.Errorf("%s is not found by one of the values of %s: %s", filepath.Base(f), pair.Name, showQuery(request.Query.Where))
			}
		}
	}
	t.Logf("%d queries, %d of composites, %d references outside of the definitions", asked, composites, outside)
	if asked < 50_000 || composites < 50 || outside > 50 {
		t.Errorf("%d queries, %d of composites, %d references outside of the definitions", asked, composites, outside)
	}
}

func tooLong(issues []fhir.Issue) bool {
	return len(issues) == 1 && issues[0].ID == "search-value-long"
}
