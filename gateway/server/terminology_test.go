package server_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/codesystem"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/store"
)

func importTable(t *testing.T, o server.Options, version, text string) {
	t.Helper()
	table := terminology.Table{Description: terminology.Description{URL: "urn:diseases", Version: version, CaseSensitive: true, ValueSet: "urn:diseases/vs"}, Prefixes: true,
		Columns: terminology.Columns{Code: "code", Display: "name"}}
	err := server.UseConcepts(t.Context(), o.Config, func(ctx context.Context, s store.Concepts) error {
		_, _, err := codesystem.ImportTable(ctx, s, table, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }, terminology.Limits{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnImportedTableAnswersOverHTTP(t *testing.T) {
	o := options(t, t.TempDir(), clinicFolder(t))
	importTable(t, o, "9", "code,name\nJ18,old\n")
	importTable(t, o, "10", "code,name\nJ18,Pneumonia\nJ18.9,Pneumonia unspecified\nJ20,Bronchitis\n")
	l, err := server.OpenLocal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, code := range []string{"J18", "J18.9", "J20"} {
		status, body := ask(t, l, "POST", "/fhir/Condition", `{"resourceType":"Condition","subject":{"display":"nobody"},"code":{"coding":[{"system":"urn:diseases","code":"`+code+`"}]}}`)
		if status/100 != 2 {
			t.Fatalf("%d %s", status, body)
		}
	}
	for _, tt := range []struct {
		path   string
		status int
		has    []string
		hasNot []string
	}{
		{"CodeSystem/$lookup?system=urn:diseases&code=J18.9", 200, []string{"Pneumonia unspecified", `"10"`}, nil},
		{"CodeSystem/$lookup?system=urn:diseases&version=9&code=J18", 200, []string{"old"}, nil},
		{"CodeSystem/$lookup?system=urn:diseases&code=J99", 404, nil, []string{"Pneumonia"}},
		{"CodeSystem/$validate-code?url=urn:diseases&code=J18.9", 200, []string{`"valueBoolean":true`}, nil},
		{"CodeSystem/$validate-code?url=urn:diseases&code=J18.8", 200, []string{`"valueBoolean":false`}, nil},
		{"CodeSystem/$subsumes?system=urn:diseases&codeA=J18&codeB=J18.9", 200, []string{`"subsumes"`}, nil},
		{"ValueSet/$expand?url=urn:diseases/vs&filter=pneu", 200, []string{`"J18"`, `"J18.9"`, `"total":2`}, []string{`"J20"`}},
		{"ValueSet/$expand?url=urn:diseases?fhir_vs=isa/J18", 200, []string{`"J18.9"`}, []string{`"J20"`}},
		{"ValueSet/$validate-code?url=urn:diseases/vs&system=urn:diseases&code=J20", 200, []string{`"valueBoolean":true`}, nil},
		{"Condition?code:below=urn:diseases|J18", 200, []string{`"J18.9"`, `"J18"`}, []string{"J20"}},
	} {
		status, body := ask(t, l, "GET", "/fhir/"+strings.NewReplacer("|", "%7C").Replace(tt.path), "")
		if status != tt.status {
			t.Errorf("%s: %d %s", tt.path, status, body)
		}
		for _, want := range tt.has {
			if !strings.Contains(body, want) {
				t.Errorf("%s has no %s: %s", tt.path, want, body)
			}
		}
		for _, not := range tt.hasNot {
			if strings.Contains(body, not) {
				t.Errorf("%s has %s: %s", tt.path, not, body)
			}
		}
	}
}
