package fhir_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

func TestMessagesSpeakBothLanguages(t *testing.T) {
	m := fhir.ReadMessages("# a comment\nmissing\n{1} needs {2}\n{1} 缺少 {2}\n\na path\n路径\n\nat most {1}\n最多 {1}\n")
	missing := m.New("missing", fhir.TypeRequired)
	_, syntax := fhir.Parse([]byte("{"), fhir.Limits{})
	for _, tt := range []struct {
		name          string
		text          fhir.Text
		english, zhCN string
	}{
		{"puts details in", missing.Say("x", 3), "x needs 3", "x 缺少 3"},
		{"translates a detail that is a phrase", missing.Say("op", "a path"), "op needs a path", "op 缺少 路径"},
		{"does not read details again", missing.Say("{2}", "{1}"), "{2} needs {1}", "{2} 缺少 {1}"},
		{"takes a text as a detail", missing.Say("op", m.Say("at most {1}", 5)), "op needs at most 5", "op 缺少 最多 5"},
		{"takes a finding as a detail", missing.Say("op", missing.Issue(fhir.Error, "a", "b")), "op needs a needs b", "op 缺少 a 缺少 b"},
		{"takes an error that knows both", missing.Say("op", syntax), "op needs expected a property name", "op 缺少 此处应有属性名"},
		{"takes an error that does not", missing.Say("op", os.ErrNotExist), "op needs file does not exist", "op 缺少 file does not exist"},
		{"leaves places without details", missing.Say("op"), "op needs {2}", "op 缺少 {2}"},
		{"says an unknown phrase as it is", m.Say("nothing {x} {"), "nothing {x} {", "nothing {x} {"},
	} {
		if tt.text != (fhir.Text{English: tt.english, Chinese: tt.zhCN}) {
			t.Errorf("%s: %+v", tt.name, tt.text)
		}
	}
}

func TestMessagesMustBeWhole(t *testing.T) {
	for name, make := range map[string]func(){
		"one line":         func() { fhir.ReadMessages("a\n") },
		"four lines":       func() { fhir.ReadMessages("a\nb\nc\nd\n") },
		"an id twice":      func() { fhir.ReadMessages("a\nb\nc\n\na\nd\ne\n") },
		"a phrase twice":   func() { fhir.ReadMessages("a\nb\n\na\nc\n") },
		"an id without it": func() { fhir.ReadMessages("a\nb\nc\n").New("b", fhir.TypeInvalid) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			make()
		}()
	}
}

// speaking are the functions of the packages below that take texts.
var speaking = map[string]bool{"fail": true, "failLimit": true, "failure": true, "limit": true, "Say": true, "refuse": true, "flawed": true,
	"syntaxError": true, "report": true, "reportOnce": true, "contradiction": true, "giveUp": true, "Issue": true}

// TestEveryTextIsTranslated looks for texts in the code of the packages that make findings: each must be among the
// messages of its package, and there must have the same places for details.
func TestEveryTextIsTranslated(t *testing.T) {
	place, han, word := regexp.MustCompile(`\{\d\}`), regexp.MustCompile(`\p{Han}`), regexp.MustCompile(`[a-z] [a-z]`)
	for _, folder := range []string{".", "../fhirxml", "../fhirxml/xmltext", "../patch", "../snapshot", "../terminology", "../validate"} {
		text, err := os.ReadFile(filepath.Join(folder, "messages.txt"))
		if err != nil {
			t.Fatal(err)
		}
		texts := fhir.ReadMessages(string(text)).All()
		for id, said := range texts {
			if !han.MatchString(said.Chinese) && word.MatchString(said.English) || han.MatchString(said.English) {
				t.Errorf("%s: %s: %q and %q", folder, id, said.English, said.Chinese)
			}
			for _, p := range place.FindAllString(said.English+said.Chinese, -1) {
				if strings.Count(said.English, p) != 1 || strings.Count(said.Chinese, p) != 1 {
					t.Errorf("%s: %s: %s does not stand once in each language", folder, id, p)
				}
			}
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !speaking[calledName(call)] {
					return true
				}
				for _, a := range call.Args {
					literal, ok := a.(*ast.BasicLit)
					if !ok || literal.Kind != token.STRING {
						continue
					}
					said, err := strconv.Unquote(literal.Value)
					if err != nil || !word.MatchString(said) {
						continue
					}
					found++
					if _, ok := texts[said]; !ok {
						t.Errorf("%s: %q has no Chinese", file, said)
					}
				}
				return true
			})
		}
		t.Logf("%s: %d texts, %d in the code", folder, len(texts), found)
	}
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
