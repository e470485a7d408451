package alliancegen

import (
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// fields are a segment's fields by number, already in ER7 form.
type fields map[int]string

// segment writes NAME|1|2|…, up to the last field given.
func segment(name string, f fields) string {
	last := 0
	for n := range f {
		last = max(last, n)
	}
	var b strings.Builder
	b.WriteString(name)
	for n := 1; n <= last; n++ {
		b.WriteByte('|')
		b.WriteString(f[n])
	}
	return b.String()
}

var er7Escapes = strings.NewReplacer(`\`, `\E\`, `|`, `\F\`, `^`, `\S\`, `&`, `\T\`, `~`, `\R\`, "\n", `\.br\`)

// esc escapes text for a field; a line break becomes \.br\.
func esc(s string) string { return er7Escapes.Replace(s) }

// comp joins components, dropping empty ones at the end. They are escaped.
func comp(parts ...string) string {
	for i := range parts {
		parts[i] = esc(parts[i])
	}
	return strings.TrimRight(strings.Join(parts, "^"), "^")
}

func hl7Time(t time.Time) string { return t.Format("20060102150405") }

// hl7When writes a Time in the precision it has.
func hl7When(t Time) string {
	switch t.precision {
	case Day:
		return t.t.Format("20060102")
	case Second:
		return hl7Time(t.t)
	}
	return ""
}

// gb18030 encodes text as hospitals do. Every character has a code there.
func gb18030(s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic("alliancegen: text outside GB18030: " + err.Error())
	}
	return b
}
