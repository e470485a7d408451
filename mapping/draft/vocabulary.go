package draft

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/fold"
)

// leastWords are how many different words of a vocabulary a column must have to be taken for it.
const leastWords = 2

// vocabularies are concepts that are known by their words, in tables of the kinds named, the tables of whose words are ours.
var vocabularies = []struct {
	concept string
	kinds   []kind
	table   *tableSpec
}{
	{"class", []kind{visits}, &classTable},
	{"status", []kind{visits}, &visitStatusTable},
	{"status", []kind{labReports, labItems, exams}, &reportStatusTable},
	{"status", []kind{orders}, &orderStatusTable},
	{"specimen.name", []kind{labReports, labItems}, &specimenTable},
	{"ethnicity", []kind{patients}, &ethnicityTable},
	{"marital", []kind{patients}, &maritalTable},
	{"sex", []kind{patients}, &sexTable},
	{"flag", []kind{labItems}, &flagTable},
	{"freq", []kind{prescriptions}, &freqTable},
	{"route", []kind{prescriptions}, &routeTable},
}

// inferWords takes a column all of whose values are words of one vocabulary for what that tells.
func (d *drafter) inferWords(s *scope) {
	for _, v := range vocabularies {
		if !slices.Contains(v.kinds, s.kind) || s.own(v.concept, v.concept+".name", strings.TrimSuffix(v.concept, ".name")) != nil {
			continue
		}
		var found []*column
		for _, c := range s.columns {
			if c.unknown() && !c.more && c.distinct >= leastWords && c.present >= c.distinct+leastRepeats && allWords(&c.profile, v.table) {
				found = append(found, c)
			}
		}
		if len(found) == 1 {
			d.take(found[0], v.concept, text{"all its values are words for that", "其值都是该类词语"})
		}
	}
}

// allWords reports whether all values are known words, or marks, rather than digits or letters that mean other things elsewhere.
func allWords(p *profile, t *tableSpec) bool {
	return !slices.ContainsFunc(p.order, func(v string) bool {
		return !hasHan(v) && !strings.ContainsAny(v, "↑↓") || yesWords[v] || !knownWord(v, t)
	})
}

func knownWord(v string, t *tableSpec) bool {
	if _, ok := t.known[fold.Key(v)]; ok {
		return true
	}
	if t.name == flagTable.name {
		_, ok := codes.Flag(v, codes.FlagOptions{})
		return ok
	}
	for _, name := range t.builtin {
		if b, ok := codes.Builtin(name); ok {
			if e, ok := b.Lookup(v); ok && e.Target.Code != "" {
				return true
			}
		}
	}
	return false
}
