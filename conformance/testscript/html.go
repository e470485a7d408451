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
	"title":  func(a ActionReport) string { return a.title() },
	"header": headerLines,
	"name":   func(s ScriptReport) string { return firstOf(s.Title, s.Name, s.File) },
	"phase": func(name string, actions []ActionReport) map[string]any {
		return map[string]any{"Name": name, "Actions": actions, "Result": resultOf(actions)}
	},
}).Parse(reportPage))

// WriteHTML writes the report as one page that needs nothing else: no scripts, no other files. Requests and responses are
// in it, folded; so it may hold data of patients, as the servers' answers do.
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
