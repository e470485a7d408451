package patch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
)

func TestApplyJSON(t *testing.T) {
	for _, tt := range []struct{ name, doc, patch, want string }{
		{"nothing", `{"a":1}`, `[]`, `{"a":1}`},
		{"add replaces a member", `{"a":1,"b":2}`, `[{"op":"add","path":"/a","value":3}]`, `{"a":3,"b":2}`},
		{"add replaces the document", `{"a":1}`, `[{"op":"add","path":"","value":{"b":2}}]`, `{"b":2}`},
		{"add at the end of an array by its length", `{"a":[1]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2]}`},
		{"add at its beginning", `{"a":[1]}`, `[{"op":"add","path":"/a/0","value":2}]`, `{"a":[2,1]}`},
		{"a member whose name is a hyphen or empty", `{"":{"-":1}}`, `[{"op":"replace","path":"//-","value":2}]`, `{"":{"-":2}}`},
		{"the escapes of a pointer", `{"a/b":{"m~n":1,"~1":2}}`, `[{"op":"remove","path":"/a~1b/m~0n"},{"op":"test","path":"/a~1b/~01","value":2}]`, `{"a/b":{"~1":2}}`},
		{"replace the document", `{"a":1}`, `[{"op":"replace","path":"","value":[1]}]`, `[1]`},
		{"replace null", `{"a":null}`, `[{"op":"test","path":"/a","value":null},{"op":"replace","path":"/a","value":false}]`, `{"a":false}`},
		{"remove leaves an empty array", `{"a":[1]}`, `[{"op":"remove","path":"/a/0"}]`, `{"a":[]}`},
		{"copy makes another value", `{"a":{"b":1}}`, `[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/d","value":2}]`, `{"a":{"b":1},"c":{"b":1,"d":2}}`},
		{"copy into itself", `{"a":{"b":1}}`, `[{"op":"copy","from":"/a","path":"/a/c"}]`, `{"a":{"b":1,"c":{"b":1}}}`},
		{"copy the document into itself", `{"a":1}`, `[{"op":"copy","from":"","path":"/b"}]`, `{"a":1,"b":{"a":1}}`},
		{"copy over what holds it", `{"a":{"b":{"c":1}}}`, `[{"op":"copy","from":"/a/b","path":"/a"}]`, `{"a":{"c":1}}`},
		{"move over what holds it", `{"a":{"b":{"c":1}}}`, `[{"op":"move","from":"/a/b","path":"/a"}]`, `{"a":{"c":1}}`},
		{"move to the document", `{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":""}]`, `{"b":1}`},
		{"move to where it is", `{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1}`},
		{"move to the end", `{"a":[1,2,3]}`, `[{"op":"move","from":"/a/0","path":"/a/-"}]`, `{"a":[2,3,1]}`},
		{"test compares numbers by value", `{"a":[1,-0,100,0.1,5e-1]}`, `[{"op":"test","path":"/a","value":[1.00,0,1e2,10E-2,0.5]}]`, `{"a":[1,-0,100,0.1,5e-1]}`},
		{"test ignores the order of members", `{"a":{"b":1,"c":[{}]}}`, `[{"op":"test","path":"","value":{"a":{"c":[{}],"b":1}}}]`, `{"a":{"b":1,"c":[{}]}}`},
		{"test compares wide objects", wideObject(20, false), `[{"op":"test","path":"","value":` + wideObject(20, true) + `}]`, wideObject(20, false)},
		{"members that are not of the operation do not count", `{"a":1}`, `[{"op":"remove","path":"/a","from":5,"value":{},"x":1}]`, `{}`},
		{"a value that is changed later stays as it was in the patch", `{}`, `[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1}]`, `{"a":{"b":1}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, operations := tree(t, tt.doc), tree(t, tt.patch)
			got, err := patch.ApplyJSON(doc, operations, patch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if string(got.AppendJSON(nil)) != string(tree(t, tt.want).AppendJSON(nil)) {
				t.Errorf("got %s, want %s", got.AppendJSON(nil), tt.want)
			}
			if !fhir.Equal(doc, tree(t, tt.doc)) || !fhir.Equal(operations, tree(t, tt.patch)) {
				t.Error("the input is changed")
			}
		})
	}
}

func TestApplyJSONRefuses(t *testing.T) {
	const doc = `{"a":[1,{"b":2}],"s":"t","n":9007199254740993}`
	for _, tt := range []struct{ name, operation, id string }{
		{"what is no object", `1`, "patch-malformed"},
		{"no op", `{"path":"/a"}`, "patch-part-missing"},
		{"an op that is no text", `{"op":1,"path":"/a"}`, "patch-part-missing"},
		{"an unknown op", `{"op":"delete","path":"/a"}`, "patch-operation-unknown"},
		{"no path", `{"op":"remove"}`, "patch-part-missing"},
		{"no value", `{"op":"add","path":"/x"}`, "patch-part-missing"},
		{"no from", `{"op":"move","path":"/x"}`, "patch-part-missing"},
		{"a pointer without a slash", `{"op":"remove","path":"a"}`, "patch-path-syntax"},
		{"a pointer in a fragment", `{"op":"remove","path":"#/a"}`, "patch-path-syntax"},
		{"a tilde alone", `{"op":"remove","path":"/a~"}`, "patch-path-syntax"},
		{"a tilde with another digit", `{"op":"remove","path":"/a~2"}`, "patch-path-syntax"},
		{"an index with a zero before it", `{"op":"remove","path":"/a/01"}`, "patch-index"},
		{"an index with a sign", `{"op":"remove","path":"/a/+1"}`, "patch-index"},
		{"an index that is no number", `{"op":"remove","path":"/a/x"}`, "patch-index"},
		{"an index too large for a number", `{"op":"remove","path":"/a/99999999999999999999"}`, "patch-index"},
		{"an index behind the end", `{"op":"add","path":"/a/3","value":1}`, "patch-index"},
		{"to replace what is at the end", `{"op":"replace","path":"/a/2","value":1}`, "patch-index"},
		{"to remove what is behind the end", `{"op":"remove","path":"/a/-"}`, "patch-index"},
		{"to remove what is not there", `{"op":"remove","path":"/x"}`, "patch-target-none"},
		{"to remove the document", `{"op":"remove","path":""}`, "patch-target-invalid"},
		{"to replace what is not there", `{"op":"replace","path":"/x","value":1}`, "patch-target-none"},
		{"to add where nothing is", `{"op":"add","path":"/x/y","value":1}`, "patch-target-none"},
		{"to add below text", `{"op":"add","path":"/s/y","value":1}`, "patch-target-invalid"},
		{"to look below text", `{"op":"test","path":"/s/y","value":1}`, "patch-target-none"},
		{"to copy what is not there", `{"op":"copy","from":"/x","path":"/y"}`, "patch-target-none"},
		{"to move what is not there to where it is", `{"op":"move","from":"/x","path":"/x"}`, "patch-target-none"},
		{"to move into itself", `{"op":"move","from":"/a","path":"/a/0"}`, "patch-move-inside"},
		{"a test of another text", `{"op":"test","path":"/s","value":"T"}`, "patch-test-failed"},
		{"a test of another kind", `{"op":"test","path":"/s","value":["t"]}`, "patch-test-failed"},
		{"a test of another number, where a float sees none", `{"op":"test","path":"/n","value":9007199254740992}`, "patch-test-failed"},
		{"a test of another order", `{"op":"test","path":"/a","value":[{"b":2},1]}`, "patch-test-failed"},
		{"a test with a member more", `{"op":"test","path":"/a/1","value":{"b":2,"c":3}}`, "patch-test-failed"},
		{"a test with an exponent that no number needs", `{"op":"test","path":"/n","value":1e99999999999}`, "patch-test-failed"},
		{"a test of nothing with something", `{"op":"test","path":"/n","value":0}`, "patch-test-failed"},
		{"a test with another member", `{"op":"test","path":"/a/1","value":{"c":2}}`, "patch-test-failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resource := tree(t, doc)
			got, err := patch.ApplyJSON(resource, tree(t, "[{\"op\":\"remove\",\"path\":\"/a/0\"},{\"op\":\"add\",\"path\":\"/a/0\",\"value\":1},\n"+tt.operation+"]"), patch.Limits{})
			expectError(t, got, err, tt.id)
			var e *patch.Error
			if errors.As(err, &e) && (e.Operation != 2 || e.Line != 2 || e.Column != 1) {
				t.Errorf("operation %d at %d:%d", e.Operation, e.Line, e.Column)
			}
			if !fhir.Equal(resource, tree(t, doc)) {
				t.Error("the input is changed")
			}
		})
	}
	got, err := patch.ApplyJSON(tree(t, doc), tree(t, `{"op":"remove","path":"/a"}`), patch.Limits{})
	expectError(t, got, err, "patch-malformed")
	got, err = patch.ApplyJSON(tree(t, doc), nil, patch.Limits{})
	expectError(t, got, err, "patch-malformed")
	got, err = patch.ApplyJSON(nil, tree(t, `[]`), patch.Limits{})
	expectError(t, got, err, "patch-resource")
}

// wideObject is an object with n members, in one order or the other.
func wideObject(n int, backwards bool) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"a%d":%d`, i, i))
	}
	if backwards {
		slices.Reverse(members)
	}
	return "{" + strings.Join(members, ",") + "}"
}
