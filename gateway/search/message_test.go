package search_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
)

// saying are the functions that take texts of findings.
var saying = map[string]bool{"Say": true, "fail": true, "refuse": true, "invalid": true, "unsupported": true, "unreadable": true, "codes": true}

// saidIn lists the texts of findings in a source, and what is handed to the functions
// that take them and put together there; and all other strings.
func saidIn(file string, source any) (said, made, literals []string, err error) {
	tree, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
	if err != nil {
		return nil, nil, nil, err
	}
	word := regexp.MustCompile(`[ {]`)
	ast.Inspect(tree, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				literals = append(literals, text)
			}
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			called = f.Name
		case *ast.SelectorExpr:
			called = f.Sel.Name
		}
		if !saying[called] {
			return true
		}
		for _, a := range call.Args {
			switch a := a.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(a.Value); err == nil && a.Kind == token.STRING && word.MatchString(text) {
					said = append(said, text)
				}
			case *ast.BinaryExpr:
				if text, ok := a.X.(*ast.BasicLit); ok && text.Kind == token.STRING {
					made = append(made, text.Value)
				} else if text, ok := a.Y.(*ast.BasicLit); ok && text.Kind == token.STRING {
					made = append(made, text.Value)
				}
			}
		}
		return true
	})
	return said, made, literals, nil
}

func TestEveryTextIsTranslated(t *testing.T) {
	place, han := regexp.MustCompile(`\{\d\}`), regexp.MustCompile(`\p{Han}`)
	file, err := os.ReadFile("messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	texts := fhir.ReadMessages(string(file)).All()
	for _, said := range texts {
		if !han.MatchString(place.ReplaceAllString(said.Chinese, "")) && regexp.MustCompile(`[a-z]`).MatchString(said.English) || han.MatchString(said.English) {
			t.Errorf("%q and %q", said.English, said.Chinese)
		}
		for _, p := range place.FindAllString(said.English+said.Chinese, -1) {
			if strings.Count(said.English, p) != strings.Count(said.Chinese, p) {
				t.Errorf("%q and %q do not both say %s", said.English, said.Chinese, p)
			}
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used, count := map[string]bool{}, 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		said, made, literals, err := saidIn(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range made {
			t.Errorf("%s: a text is put together of %s, expected details", file, text)
		}
		for _, text := range literals {
			used[text] = true
		}
		for _, text := range said {
			count++
			if _, ok := texts[text]; !ok {
				t.Errorf("%s: %q has no Chinese", file, text)
			}
		}
	}
	if count < 120 {
		t.Errorf("only %d texts were found", count)
	}
	for text := range texts {
		if !used[text] {
			t.Errorf("nothing says %q", text)
		}
	}
}

func TestTextsWithoutTranslationAreFound(t *testing.T) {
	const source = `package x
func y(p *parser) {
	p.invalid("expected more of it", 7)
	p.fail("", fhir.TypeValue, "search-id", "the name is "+name)
}
func (p *parser) shown() string { return "a search of mine" }
`
	said, made, literals, err := saidIn("x.go", source)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(said, []string{"expected more of it"}) || len(made) != 1 || !slices.Contains(literals, "a search of mine") {
		t.Errorf("said %q, made %q, literals %q", said, made, literals)
	}
}

func TestFindingsAreInBothLanguages(t *testing.T) {
	e := search.New(definitions.R4(), search.Options{})
	for _, tt := range []struct {
		resource, query, want string
		lenient               bool
	}{
		{"Patient", "colour=red", "参数 'colour'：Patient 没有检索参数 'colour'", false},
		{"Patient", "colour=red", "参数 'colour'：Patient 没有检索参数 'colour'；该参数已忽略", true},
		{"", "colour=red", "参数 'colour'：跨多种类型的检索 没有检索参数 'colour'", false},
		{"Patient", "birthdate:exact=1990", "参数 'birthdate:exact'：'exact' 不是 date 类型参数的修饰符", false},
		{"Patient", "_count=many", "参数 '_count'：值应为资源数，0 或更大", false},
		{"Patient", "_filter=gender eq", "参数 '_filter'：第 10 个字符处：此处应为运算符、空白和值", false},
		{"Observation", "code:in=http://test/x", "参数 'code:in'：该修饰符需要术语服务，而本服务器没有", false},
		{"Patient", "_sort=name,gender,birthdate,_id,_lastUpdated", "参数 '_sort'：有 5 个排序键，最多可有 4 个", false},
	} {
		name, value, _ := strings.Cut(tt.query, "=")
		_, issues := e.Parse(tt.resource, []search.Pair{{Name: name, Value: value}}, search.ParseOptions{Lenient: tt.lenient})
		if len(issues) != 1 || issues[0].In("zh") != tt.want || issues[0].Text == "" || issues[0].In("en") != issues[0].Text {
			t.Errorf("%s?%s: %q, want %s", tt.resource, tt.query, issues, tt.want)
		}
	}
}
