package mapping

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yilian/yilian/mapping/internal/syntax"
)

type schemaNode = map[string]any

func schema(t *testing.T) schemaNode {
	t.Helper()
	data, err := os.ReadFile("map.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schemaNode
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaKnowsTheKeysOfTheLoader(t *testing.T) {
	defs := schema(t)["$defs"].(schemaNode)
	for kind, keys := range grammar {
		d, ok := defs[kind].(schemaNode)
		if !ok {
			t.Errorf("no $defs/%s", kind)
			continue
		}
		want := slices.Sorted(slices.Values(keys))
		got := slices.Sorted(maps.Keys(d["properties"].(schemaNode)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: loader and schema differ:\n%s", kind, diff)
		}
		if d["additionalProperties"] != false {
			t.Errorf("%s lets other keys pass", kind)
		}
	}
	as := defs["element"].(schemaNode)["properties"].(schemaNode)["as"].(schemaNode)["enum"].([]any)
	var names []string
	for _, a := range as {
		names = append(names, a.(string))
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(functions)), names); diff != "" {
		t.Errorf("functions: %s", diff)
	}
}

// validate checks a tree against the part of JSON Schema that map.schema.json uses.
func validate(s schemaNode, defs schemaNode, n *syntax.Node, at string) []string {
	if ref, ok := s["$ref"].(string); ok {
		return validate(defs[strings.TrimPrefix(ref, "#/$defs/")].(schemaNode), defs, n, at)
	}
	if list, ok := s["oneOf"].([]any); ok {
		var all []string
		matched := 0
		for _, one := range list {
			if bad := validate(one.(schemaNode), defs, n, at); len(bad) == 0 {
				matched++
			} else {
				all = append(all, bad...)
			}
		}
		if matched == 0 {
			return all
		}
		return nil
	}
	if c, ok := s["const"].(float64); ok && (n.Kind != syntax.Number || n.Text != "1" || c != 1) {
		return []string{at + ": want 1"}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(n.Text)) {
		return []string{at + ": not in the enumeration: " + n.Text}
	}
	var types []string
	switch typ := s["type"].(type) {
	case string:
		types = []string{typ}
	case []any:
		for _, one := range typ {
			types = append(types, one.(string))
		}
	}
	kinds := map[syntax.Kind][]string{syntax.Null: {"null"}, syntax.Bool: {"boolean"}, syntax.Number: {"number", "integer"},
		syntax.String: {"string"}, syntax.Map: {"object"}, syntax.List: {"array"}}[n.Kind]
	if types != nil && !slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(types, k) }) {
		return []string{at + ": is " + n.Kind.String()}
	}
	var bad []string
	props, _ := s["properties"].(schemaNode)
	required, _ := s["required"].([]any)
	for _, r := range required {
		if n.Kind == syntax.Map && n.Get(r.(string)) == nil {
			bad = append(bad, at+": lacks "+r.(string))
		}
	}
	for _, p := range n.Pairs {
		path := at + "/" + p.Key.Text
		switch {
		case props[p.Key.Text] != nil:
			bad = append(bad, validate(props[p.Key.Text].(schemaNode), defs, p.Value, path)...)
		case s["additionalProperties"] == false:
			bad = append(bad, path+": not allowed")
		default:
			if more, ok := s["additionalProperties"].(schemaNode); ok {
				bad = append(bad, validate(more, defs, p.Value, path)...)
			}
		}
	}
	if items, ok := s["items"].(schemaNode); ok {
		for _, i := range n.Items {
			bad = append(bad, validate(items, defs, i, at+"[]")...)
		}
	}
	return bad
}

func TestFilesOfTheGrammarAndTheBuiltInMapsFitTheSchema(t *testing.T) {
	s := schema(t)
	defs := s["$defs"].(schemaNode)
	files := map[string]string{}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(readme), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if strings.HasPrefix(block, "format: 1") && !strings.Contains(block, "…") {
			files["README.md block "+string(rune('1'+i))] = block
		}
	}
	if len(files) != 4 {
		t.Errorf("%d whole files in README.md, want institution.yaml and three maps", len(files))
	}
	for name, text := range files {
		n, err := syntax.Parse(name, []byte(text), syntax.Limits{Bytes: 1 << 20, Depth: 50, Values: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range validate(s, defs, n, "") {
			t.Errorf("%s%s", name, bad)
		}
	}
	n, err := syntax.Parse("x", []byte("format: 1\nmap: x\nresources: {p: {type: Patient, sett: {}}}\n"), syntax.Limits{Bytes: 1 << 20, Depth: 50, Values: 10_000})
	if err != nil || len(validate(s, defs, n, "")) == 0 {
		t.Error("an unknown key passes the schema")
	}
}
