package mapping

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Finding is a mistake or a doubt in a file of an institution's folder.
type Finding struct {
	File    string
	Line    int // from 1; 0 when the file as a whole is meant
	Column  int // from 1, in characters
	Warning bool
	Text    string // what, and what was expected
}

// String writes the finding as a compiler does: file:line:col: text.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		b.WriteString(":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column))
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(f.Text)
	return b.String()
}

// Error lists everything that keeps a folder from loading, in the order of files and lines.
type Error struct {
	Findings []Finding
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

func sortFindings(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(fs)
}
