package testscript

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed report.html
var reportPage string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"millis": func(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond)) },
	"moment": func(t time.Time) string { return t.Format("2006-01-02 15:04:05 -07:00") },
	"took":   func(r *Report) string { return fmt.Sprintf("%.1f s", r.Ended.Sub(r.Started).Seconds()) },
	"title":  func(a ActionReport) string { return a.title() },
	"header": headerLines,
	"name":   func(s ScriptReport) string { return firstOf(s.Title, s.Name, s.File) },
	"good":   func(s ScriptReport) int { return s.passed() },
	"both":   both,
	"word":   func(key string) (template.HTML, error) { return word(key) },
}).Parse(reportPage))

// words are what the page says itself, in English and Chinese.
var words = map[string][2]string{
	"conformance": {"Conformance", "符合性测试"}, "scripts": {"Scripts", "测试脚本"}, "script": {"Script", "脚本"}, "tests": {"Tests", "测试项"},
	"result": {"Result", "结果"}, "time": {"Time", "用时"}, "setup": {"Setup", "准备"}, "teardown": {"Teardown", "清理"},
	"request": {"Request", "请求"}, "response": {"Response", "应答"}, "none": {"none", "无"}, "found": {"found", "实际结果"}, "line": {"line", "行"},
	"warning only": {"warning only", "仅警告"}, "only bad": {"Only what did not pass", "仅显示未通过"},
	string(Pass): {"pass", "通过"}, string(Warning): {"warning", "警告"}, string(Fail): {"fail", "不通过"}, string(Error): {"error", "出错"}, string(Skip): {"skip", "跳过"},
}

func word(key string) (template.HTML, error) {
	w, ok := words[key]
	if !ok {
		return "", fmt.Errorf("the page has no word %q", key)
	}
	return both(w[0], w[1]), nil
}

// both writes a text in two languages, of which the page shows one.
func both(english, chinese string) template.HTML {
	english = template.HTMLEscapeString(english)
	if chinese == "" {
		return template.HTML(english) //nolint:gosec // it is escaped
	}
	return template.HTML(`<span class="en" lang="en">` + english + `</span><span class="zh" lang="zh-CN">` + //nolint:gosec // both are escaped
		template.HTMLEscapeString(chinese) + `</span>`)
}

// WriteHTML writes the report as one page that needs nothing else: no scripts, no other files. It is in English and
// Chinese; language, "en" or "zh", says which it shows first. What the runner found is in English only. Requests and
// responses are in it, folded; so it may hold data of patients, as the servers' answers do.
func (r *Report) WriteHTML(w io.Writer, language string) error {
	type count struct {
		Result Result
		Number int
	}
	var counts []count
	numbers := r.counts()
	for _, result := range []Result{Pass, Warning, Fail, Error, Skip} {
		if n := numbers[result]; n > 0 {
			counts = append(counts, count{result, n})
		}
	}
	err := page.Execute(w, map[string]any{"Report": r, "Counts": counts, "Engine": Engine, "Language": language})
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

func headerLines(h http.Header) string {
	var lines []string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, name+": "+v)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
