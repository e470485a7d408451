package draft

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/personname"
)

//go:embed lexicon.txt
var lexiconText string

// concept is something that a column can hold.
type concept struct {
	name  string
	kinds map[kind]bool // of tables where it is at home; nil: every kind
	class class
	at    int // line of the lexicon: which of two equal guesses comes first
}

// home reports whether the concept belongs to tables of a kind.
func (c *concept) home(k kind) bool { return c.kinds == nil || c.kinds[k] }

// lexicon knows headings.
type lexicon struct {
	concepts map[string]*concept
	headings map[string][]*concept // by heading key
	elements map[string][]*concept // by the number of a data element, "02.01.039"
	topics   map[string][]kind     // by heading key, words that name a table
}

var theLexicon = sync.OnceValue(func() *lexicon {
	l, err := parseLexicon(lexiconText)
	if err != nil {
		panic(err) // embedded; a test parses it
	}
	return l
})

func parseLexicon(text string) (*lexicon, error) {
	l := &lexicon{concepts: map[string]*concept{}, headings: map[string][]*concept{}, elements: map[string][]*concept{}, topics: map[string][]kind{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, "|")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		if name, ok := strings.CutPrefix(parts[0], "@"); ok && len(parts) == 2 {
			k := kind(name)
			if !knownKind(k) {
				return nil, fmt.Errorf("lexicon line %d: unknown kind %q", n, name)
			}
			for _, key := range keysOf(parts[1]) {
				l.topics[key] = append(l.topics[key], k)
			}
			continue
		}
		if len(parts) != 4 {
			return nil, fmt.Errorf("lexicon line %d: %d parts, want 4", n, len(parts))
		}
		c := &concept{name: parts[0], class: class(parts[2]), at: n}
		if l.concepts[c.name] != nil {
			return nil, fmt.Errorf("lexicon line %d: concept %s stands twice", n, c.name)
		}
		if _, ok := fits[c.class]; !ok {
			return nil, fmt.Errorf("lexicon line %d: unknown kind of value %q", n, c.class)
		}
		if parts[1] != "*" {
			c.kinds = map[kind]bool{}
			for _, k := range strings.Fields(parts[1]) {
				if !knownKind(kind(k)) {
					return nil, fmt.Errorf("lexicon line %d: unknown kind %q", n, k)
				}
				c.kinds[kind(k)] = true
			}
		}
		l.concepts[c.name] = c
		for _, key := range keysOf(parts[3]) {
			if e := elementNumber(key); e != "" {
				l.elements[e] = append(l.elements[e], c)
				continue
			}
			if list := l.headings[key]; len(list) == 0 || list[len(list)-1] != c {
				l.headings[key] = append(list, c)
			}
		}
	}
	return l, nil
}

// keysOf expands a list of headings: alternatives in braces, and the initials of Chinese ones.
func keysOf(list string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(key string) {
		if key != "" && !seen[key] {
			seen[key] = true
			out = append(out, key)
		}
	}
	for _, pattern := range strings.Fields(list) {
		pattern, spelt := strings.CutPrefix(pattern, "~")
		for _, heading := range expand(pattern) {
			if elementNumber(heading) != "" {
				add(heading)
				continue
			}
			key := headingKey(heading)
			add(key)
			if hasHan(key) && !spelt && !strings.Contains(key, "代号") { // its initials are those of 单号, a number
				add(initials(key))
			}
		}
	}
	return out
}

// expand returns what a pattern with {a,b,} stands for.
func expand(pattern string) []string {
	before, rest, ok := strings.Cut(pattern, "{")
	if !ok {
		return []string{pattern}
	}
	choices, after, _ := strings.Cut(rest, "}")
	tails := expand(after)
	var out []string
	for _, c := range strings.Split(choices, ",") {
		for _, t := range tails {
			out = append(out, before+c+t)
		}
	}
	return out
}

// initials writes a Chinese heading with the first letters of its Pinyin, as databases name their columns.
func initials(s string) string {
	return strings.ToLower(personname.Name{Kind: personname.Other, Text: s}.Pinyin().Initials)
}

// headingKey is the form under which two spellings of one heading are equal.
func headingKey(s string) string {
	var b strings.Builder
	for _, r := range fold.Text(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func hasHan(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

var elementPattern = regexp.MustCompile(`(?i)^(?:DE|WS|CT|HDSD\d\d_)?(?:\d\d_)?(\d\d)[._](\d\d)[._](\d{3})(?:[._]\d+)?$`)

// elementNumber returns the number of the data element that a heading names: "02.01.039" of DE02.01.039.00 or WS02_01_039.001.
func elementNumber(s string) string {
	m := elementPattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || len(s) < 9 {
		return ""
	}
	return m[1] + "." + m[2] + "." + m[3]
}

// weightOf says how much an equal heading proves: two letters stand for many things.
func weightOf(key string) float64 {
	if hasHan(key) {
		if utf8.RuneCountInString(key) < 2 {
			return 0.5
		}
		return 1
	}
	switch len(key) {
	case 0, 1:
		return 0.4
	case 2:
		return 0.8
	case 3:
		return 0.9
	}
	return 1
}

// match returns how strongly a heading – with the names around it, outermost first – speaks for concepts.
func (l *lexicon) match(path []string) map[string]float64 {
	out := map[string]float64{}
	if len(path) == 0 {
		return out
	}
	note := func(key string, factor float64) {
		weight := weightOf(key) * factor
		for _, c := range l.headings[key] {
			out[c.name] = max(out[c.name], weight)
		}
	}
	last := path[len(path)-1]
	if e := elementNumber(last); e != "" {
		for _, c := range l.elements[e] {
			out[c.name] = max(out[c.name], 0.95)
		}
	}
	for from := range path {
		joined := headingKey(strings.Join(path[from:], ""))
		if from == len(path)-1 {
			note(joined, 1)
		} else {
			note(joined, 1.2)
		}
	}
	if attribute, ok := strings.CutPrefix(last, "@"); ok && len(path) > 1 { // of an XML element: what it adds to the element's name
		if suffix := attributeWords[strings.ToLower(attribute)]; suffix != "" {
			clear(out)
			for from := range path[:len(path)-1] {
				note(headingKey(strings.Join(path[from:len(path)-1], "")+suffix), 1)
			}
			if len(out) > 0 || suffix == "代码" || suffix == "名称" || suffix == "单位" {
				return out
			}
		}
	}
	words := wordsOf(last)
	l.shorter(words, note)
	key := headingKey(last)
	if hasHan(key) {
		l.chinese(key, note)
	} else if trimmed := strings.TrimRight(key, "0123456789"); trimmed != key && trimmed != "" {
		note(trimmed, 0.95)
	}
	if len(words) == 1 && !hasHan(key) {
		for _, prefix := range pinyinPrefixes {
			if rest, ok := strings.CutPrefix(key, prefix); ok && len(rest) > 1 {
				note(rest, 0.8)
			}
		}
	}
	return out
}

// shorter looks for a heading whose first words, or last number, are left out: T_HZ_XM, base_name, XM_1.
func (l *lexicon) shorter(words []string, note func(string, float64)) {
	if n := len(words); n > 1 && strings.Trim(words[n-1], "0123456789") == "" {
		words = words[:n-1]
		note(strings.Join(words, ""), 0.95)
	}
	factor := 1.0
	for i := 0; i+1 < len(words); i++ {
		if neutralWords[words[i]] || len(words[i]) == 1 && !hasHan(words[i]) {
			factor -= 0.05
		} else {
			factor -= 0.55
		}
		if factor < 0.3 {
			return
		}
		note(strings.Join(words[i+1:], ""), factor)
	}
}

// chinese looks for a heading whose first or last characters are left out.
func (l *lexicon) chinese(key string, note func(string, float64)) {
	for _, prefix := range hanPrefixes {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			note(rest, 0.85)
		}
	}
	runes := []rune(key)
	for i := 1; i < len(runes)-1; i++ {
		tail := string(runes[i:])
		if len(l.headings[tail]) > 0 {
			note(tail, 0.4) // what stands before it may change everything: never enough alone
			break
		}
	}
	for i := len(runes) - 1; i > 1; i-- {
		head := string(runes[:i])
		if len(l.headings[head]) > 0 {
			note(head, 0.4)
			break
		}
	}
}

// attributeWords are what an attribute's name means behind an element's in Chinese.
var attributeWords = map[string]string{"code": "代码", "dm": "代码", "bm": "代码", "代码": "代码", "编码": "代码", "id": "代码", "gh": "工号", "工号": "工号", "no": "号", "name": "名称",
	"mc": "名称", "名称": "名称", "icd": "代码", "unit": "单位", "dw": "单位", "单位": "单位", "type": "类型"}

// Words before a heading that do not change what it means.
var (
	neutralWords = map[string]bool{"hz": true, "br": true, "patient": true, "pt": true, "pat": true, "base": true, "info": true, "basic": true,
		"data": true, "tb": true, "his": true, "lis": true, "ris": true, "pacs": true, "emr": true, "record": true, "row": true, "the": true, "col": true,
		"vc": true, "dt": true, "int": true, "str": true, "my": true, "field": true, "hosp": true, "rec": true}
	pinyinPrefixes = []string{"hz", "br", "jz", "bg", "sq", "jy", "jc", "cf", "yz", "zz", "mz", "zy", "his", "lis", "t", "f", "c"}
	hanPrefixes    = []string{"患者", "病人", "病员", "受检者", "就诊", "本次", "当前", "首诊", "最终", "原", "院内", "门诊", "住院", "门急诊", "检验", "检查", "报告", "处方", "转诊", "化验", "实验室"}
)

// wordsOf splits a heading in Latin letters where its writer did: patient_name, patientName, HZ-XM.
func wordsOf(s string) []string {
	var words []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	prior := ' '
	for _, r := range fold.Text(s) {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		default:
			if unicode.IsUpper(r) && unicode.IsLower(prior) || unicode.IsDigit(r) != unicode.IsDigit(prior) && unicode.IsDigit(r) && b.Len() > 2 {
				flush()
			}
			b.WriteRune(unicode.ToLower(r))
		}
		prior = r
	}
	flush()
	return words
}
