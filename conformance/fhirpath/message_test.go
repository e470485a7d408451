package fhirpath_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// phraseAt is the argument of each function that holds a phrase.
var phraseAt = map[string][]int{"fail": {1}, "errorAt": {2}, "failure": {0}, "overLimit": {0}, "unexpected": {0}}

// Whatever the source says is in messages.txt, and nothing else is.
func TestEveryErrorHasAChineseText(t *testing.T) {
	text, err := os.ReadFile("messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := fhir.ReadMessages(string(text)).All()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	// What is put into others, and the two that token and static make.
	said := map[string]bool{"the end": true, "a string": true, "this": true}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			for _, i := range phraseAt[name] {
				if i >= len(call.Args) {
					continue
				}
				if literal, ok := call.Args[i].(*ast.BasicLit); ok {
					phrase, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					said[phrase] = true
				}
			}
			return true
		})
	}
	if len(said) < 60 {
		t.Errorf("only %d phrases in the source", len(said))
	}
	for phrase := range said {
		known, ok := all[phrase]
		if !ok {
			t.Errorf("%q is not in messages.txt", phrase)
			continue
		}
		for i := 1; i < 10; i++ {
			if d := "{" + strconv.Itoa(i) + "}"; strings.Contains(known.English, d) != strings.Contains(known.Chinese, d) {
				t.Errorf("%q: %s is in one language only", phrase, d)
			}
		}
	}
	for phrase := range all {
		if !said[phrase] {
			t.Errorf("%q is in messages.txt and nothing says it", phrase)
		}
	}
}

func TestErrorsSpeakBothLanguages(t *testing.T) {
	for _, row := range []struct{ expression, english, chinese string }{
		{"name.", "unexpected the end, expected a name", "意外的结尾，应为名称"},
		{"name.nothing()", "unknown function 'nothing'", "未知的函数“nothing”"},
		{"(1 | 2).single()", "expected one value, got several", "应为一个值，实际有多个"},
		{"'a' + 1", "'+' is not defined for String and Integer", "“+”不能用于 String 和 Integer"},
		{"descendants().repeat($this | 1).count()", "more than the allowed number of steps", "计算步数超过允许的数量"},
	} {
		x, err := model().Compile(row.expression, fhirpath.Options{})
		if err == nil {
			_, err = x.Evaluate(&fhirpath.Env{Limits: fhirpath.Limits{Steps: 100}}, parse(t, patientText))
		}
		var speaker fhir.Speaker
		if !errors.As(err, &speaker) {
			t.Fatalf("%s: %v", row.expression, err)
		}
		if got := speaker.Texts(); got.English != row.english || got.Chinese != row.chinese {
			t.Errorf("%s: %q", row.expression, []string{got.English, got.Chinese})
		}
	}
}

// What an evaluation asks of others may fail, and says so in their words.
func TestErrorsOfOthersAreTold(t *testing.T) {
	x, err := model().Compile("birthDate.memberOf('urn:set')", fhirpath.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Evaluate(&fhirpath.Env{Membership: failing{}}, parse(t, patientText))
	var failed *fhirpath.EvaluationError
	if !errors.As(err, &failed) || failed.Error() != "1:11: the terminology is out of reach" || failed.Limit {
		t.Error(err)
	}
	if !slices.Equal([]int{failed.Line, failed.Column}, []int{1, 11}) {
		t.Error(failed.Line, failed.Column)
	}
}
