package score

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Lines returns one line for each suite that has a mark or reported a score, by name.
func Lines(marks, got []Score) []string {
	var lines []string
	for _, s := range merge(marks, got) {
		i := find(got, s.Suite)
		if i < 0 {
			lines = append(lines, fmt.Sprintf("%s not run", s.Suite))
			continue
		}
		lines = append(lines, got[i].String())
	}
	return lines
}

// Missing returns an error that names the suites that have a mark and reported nothing.
func Missing(marks, got []Score) error {
	var names []string
	for _, m := range marks {
		if find(got, m.Suite) < 0 {
			names = append(names, m.Suite)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("no score was reported for %s", strings.Join(names, ", "))
	}
	return nil
}

// Write puts the scores into the file; a suite that reported nothing keeps its mark.
func Write(path string, marks, got []Score) error {
	var b strings.Builder
	b.WriteString("# The lowest score allowed for each published suite: passed/total, skipped cases included.\n" +
		"# Raised with: make scores UPDATE=1\n")
	for _, s := range merge(marks, got) {
		b.WriteString(s.String() + "\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// merge returns the marks with the scores in their place, by name.
func merge(marks, got []Score) []Score {
	all := slices.Clone(got)
	for _, m := range marks {
		if find(got, m.Suite) < 0 {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b Score) int { return cmp.Compare(a.Suite, b.Suite) })
	return all
}

func find(scores []Score, suite string) int {
	return slices.IndexFunc(scores, func(s Score) bool { return s.Suite == suite })
}
