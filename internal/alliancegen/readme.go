package alliancegen

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

//go:embed interface.md
var interfaceDocument string

// Readme returns the interface documents of the institutions as Markdown:
// the prose of interface.md with the code and column tables the writers use.
func Readme() []byte {
	t := template.Must(template.New("interface.md").Funcs(template.FuncMap{
		"tables":   codeTables,
		"extracts": extractTables,
		"sheets":   sheetTables,
	}).Parse(interfaceDocument))
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		panic(err) // the template is embedded and executed by the tests
	}
	return b.Bytes()
}

func codeTables(institution string) string {
	var b strings.Builder
	for _, t := range Codes()[institution] {
		fmt.Fprintf(&b, "### `%s` %s\n\n%s\n\n| 本地代码 Local | 名称 Name | 标准 Standard | 说明 |\n|---|---|---|---|\n", t.Name, t.Title, t.Field)
		for _, c := range t.Rows {
			standard := ""
			if c.Target != "" {
				standard = shortSystem(c.System) + "`" + c.Target + "` " + c.Display
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, cell(c.Name), strings.TrimSpace(standard), c.Note)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func shortSystem(system string) string {
	switch system {
	case systemLOINC:
		return "LOINC "
	case systemICD10:
		return "ICD-10 "
	case systemATC:
		return "ATC "
	}
	return ""
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func extractTables() string {
	var b strings.Builder
	for _, e := range extracts {
		fmt.Fprintf(&b, "### %s.csv %s\n\n主键 Key: %s\n\n| 列 Column | 含义 Meaning | 说明 Note |\n|---|---|---|\n", e.name, e.title, strings.Join(e.key, " + "))
		for _, c := range e.columns {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.name, c.meaning, cell(c.note))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func CodesFile() []byte {
	out, err := json.MarshalIndent(Codes(), "", " ")
	if err != nil {
		panic(err) // plain strings always marshal
	}
	return append(out, '\n')
}
