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

var escapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)

// asks writes a query for each index value of a resource that a query can name,
// grouped values as those of a composite parameter.
func asks(v search.Values) []search.Pair {
	var out []search.Pair
	groups := map[string]map[uint16][]string{}
	add := func(param string, group uint16, modifier, value string) {
		code, component, grouped := strings.Cut(param, "$")
		if !grouped {
			out = append(out, search.Pair{Name: param + modifier, Value: value})
			return
		}
		if groups[code] == nil {
			groups[code] = map[uint16][]string{}
		}
		i := int(component[0] - '0')
		for len(groups[code][group]) <= i {
			groups[code][group] = append(groups[code][group], "")
		}
		groups[code][group][i] = value
	}
	for _, k := range v.Tokens {
		if k.Code != "" || k.System != "" {
			add(k.Param, k.Group, "", escapes.Replace(k.System)+"|"+escapes.Replace(k.Code))
		}
		if k.Text != "" && k.Group == 0 {
			add(k.Param, 0, ":text", escapes.Replace(k.Text))
		}
		if system, code, ok := strings.Cut(k.Type, "|"); ok && system != "" && code != "" && k.Code != "" && k.Group == 0 {
			add(k.Param, 0, ":of-type", escapes.Replace(system)+"|"+escapes.Replace(code)+"|"+escapes.Replace(k.Code))
		}
	}
	for _, k := range v.Strings {
		add(k.Param, k.Group, "", escapes.Replace(k.Exact))
		if k.Group == 0 {
			add(k.Param, 0, ":exact", escapes.Replace(k.Exact))
			add(k.Param, 0, ":contains", escapes.Replace(k.Exact))
		}
	}
	for _, k := range v.References {
		switch {
		case k.ID != "" && k.Type != "":
			add(k.Param, k.Group, "", k.Type+"/"+k.ID)
		case k.URL != "" && !strings.HasSuffix(k.URL, ". *") && (strings.Contains(k.URL, "://") || strings.HasPrefix(k.URL, "urn:")):
			add(k.Param, k.Group, "", escapes.Replace(k.URL))
		case k.Value != "":
			add(k.Param, k.Group, ":identifier", escapes.Replace(k.System)+"|"+escapes.Replace(k.Value))
		}
	}
	for _, k := range v.Quantities {
		value := number(k.Low + (k.High-k.Low)/2)
		if strings.Contains(value, "…") || strings.Contains(value, "N") {
			continue
		}
		if k.Code != "" {
			value += "|" + escapes.Replace(k.System) + "|" + escapes.Replace(k.Code)
		}
		add(k.Param, k.Group, "", "ap"+value)
	}
	for _, k := range v.Numbers {
		if value := number(k.Low + (k.High-k.Low)/2); !strings.Contains(value, "…") && !strings.HasPrefix(k.Param, "near") {
			add(k.Param, k.Group, "", "ap"+value)
		}
	}
	for _, k := range v.URIs {
		add(k.Param, k.Group, "", escapes.Replace(k.Value))
	}
	for _, k := range v.Texts {
		for _, term := range k.Terms {
			out = append(out, search.Pair{Name: k.Param, Value: escapes.Replace(term)})
		}
	}
	for code, list := range groups {
		for _, parts := range list {
			// Groups that have a value which no query can name are left out.
			if value := strings.Join(parts, "$"); len(parts) > 1 && !strings.HasPrefix(value, "$") && !strings.HasSuffix(value, "$") && !strings.Contains(value, "$$") {
				out = append(out, search.Pair{Name: code, Value: value})
			}
		}
	}
	return out
}

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
		for _, pair := range asks(values) {
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
