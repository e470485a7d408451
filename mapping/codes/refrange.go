package codes

import (
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// ReferenceRanges is what a field for the reference range says: the text, and what could be understood of it.
type ReferenceRanges struct {
	Text   string // all of it, for referenceRange.text
	Ranges []ReferenceRange
}

// ReferenceRange is one range, for everybody or for some people.
type ReferenceRange struct {
	Text      string // this range alone
	Low, High string // FHIR decimals with the digits that were written; empty where the range is open
	LowOpen   bool   // Low itself is outside: >5
	HighOpen  bool   // High itself is outside: <5
	Unit      string // as written behind the numbers
	Ordinal   Coding // the normal ordinal, e.g. 阴性; system OrdinalSystem
	Sex       string // male or female when the range is for one sex
	AgeLow    string // in AgeUnit; empty where the ages are open
	AgeHigh   string
	AgeUnit   string // UCUM: a, mo, wk, d, h
	AppliesTo string // who or when else, in words: 成人, 孕妇, 卵泡期
}

// Parsed reports whether more than the text was understood.
func (r ReferenceRange) Parsed() bool { return r.Low != "" || r.High != "" || r.Ordinal.Code != "" }

// Limits of a reference range. What is longer stays text.
const (
	maxRange  = 1024 // bytes of the whole text
	maxRanges = 32
)

// ParseRange reads a reference range: 3.5-5.5 with any separator, <0.1, ≤40, 阴性, and lists by sex, age or phase.
// What cannot be understood remains in the text.
func ParseRange(text string) ReferenceRanges {
	raw := strings.TrimSpace(text)
	all := ReferenceRanges{Text: raw}
	if raw == "" || len(raw) > maxRange {
		return all
	}
	if raw[0] >= '0' && raw[0] <= '9' { // the usual case
		if r := (ReferenceRange{Text: raw}); r.interval(raw) {
			all.Ranges = []ReferenceRange{r}
			return all
		}
	}
	if _, absent := absentWords[fold.Key(raw)]; absent {
		return all
	}
	s := fold.Text(raw)
	if strings.IndexByte(s, '&') >= 0 {
		s = entities.Replace(s)
	}
	for _, part := range splitRanges(s) {
		if len(all.Ranges) == maxRanges {
			break
		}
		all.Ranges = append(all.Ranges, parseRange(part))
	}
	if len(all.Ranges) == 1 {
		all.Ranges[0].Text = raw // as written: full width, entities and all
	}
	return all
}

// entities undoes what a web page or an XML message left behind; their semicolons would split the text.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&le;", "≤", "&ge;", "≥", "&amp;", "&", "&nbsp;", " ")

// whose are the words with which a range for some people begins.
var whose = []struct{ word, sex, age string }{
	{"男性", "male", ""}, {"女性", "female", ""}, {"男", "male", ""}, {"女", "female", ""}, {"male", "male", ""}, {"female", "female", ""},
	{"成年男性", "male", "成年"}, {"成年女性", "female", "成年"}, {"成年男", "male", "成年"}, {"成年女", "female", "成年"}, {"成人", "", "成人"}, {"成年人", "", "成年人"}, {"成年", "", "成年"},
	{"儿童", "", "儿童"}, {"小儿", "", "小儿"}, {"婴儿", "", "婴儿"}, {"婴幼儿", "", "婴幼儿"}, {"新生儿", "", "新生儿"}, {"老年人", "", "老年人"}, {"老年", "", "老年"}, {"青少年", "", "青少年"},
	{"孕妇", "female", "孕妇"}, {"非孕", "female", "非孕"}, {"非孕妇", "female", "非孕妇"}, {"早孕", "female", "早孕"}, {"中孕", "female", "中孕"}, {"晚孕", "female", "晚孕"},
	{"卵泡期", "female", "卵泡期"}, {"排卵期", "female", "排卵期"}, {"黄体期", "female", "黄体期"}, {"绝经期", "female", "绝经期"}, {"绝经后", "female", "绝经后"}, {"绝经前", "female", "绝经前"},
}

// splitRanges splits a list of ranges at line ends and semicolons, and where a new group of people begins.
func splitRanges(s string) []string {
	var parts []string
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' || r == ';' || r == '|' || r == '\u2028' }) {
		from := 0
		for i, r := range line {
			if i <= from || r < utf8.RuneSelf && r != 'm' && r != 'f' && r != 'M' && r != 'F' {
				continue
			}
			before := strings.TrimRight(line[from:i], " ,、/.。")
			if before == "" || !startsGroup(line[i:]) || !endsRange(before) {
				continue
			}
			parts = append(parts, before)
			from = i
		}
		if rest := strings.Trim(line[from:], " ,、。"); rest != "" {
			parts = append(parts, rest)
		}
	}
	return parts
}

func startsGroup(s string) bool {
	key := strings.ToLower(s[:min(len(s), 16)])
	for _, w := range whose {
		if strings.HasPrefix(key, w.word) {
			return true
		}
	}
	return false
}

// endsRange reports whether a range can end here, so that 成年男 is not cut in two: after a digit, a unit, a bracket.
func endsRange(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	if !strings.ContainsAny(s, "0123456789") && !strings.Contains(s, "性") {
		return false
	}
	return r < utf8.RuneSelf && r != ':' && r != '(' || r == '℃' || r == '性' || r == '分' || r == '秒' || r == '下' || r == '上'
}

func parseRange(s string) ReferenceRange {
	r := ReferenceRange{Text: s}
	for _, head := range [...]string{"参考范围", "参考值", "参考区间", "正常值", "正常范围", "参考"} {
		if rest, ok := strings.CutPrefix(s, head); ok {
			s = strings.TrimLeft(rest, ": ")
			break
		}
	}
	s = r.group(s)
	s = r.groupBehind(s)
	if o := strings.TrimSpace(unbracket(s)); !r.ordinal(s) && !r.interval(o) && !r.ordinal(o) && !r.ordinalAndInterval(o) {
		r.Low, r.High, r.LowOpen, r.HighOpen, r.Unit = "", "", false, false, ""
	}
	return r
}

func unbracket(s string) string {
	for _, pair := range [...]string{"()", "[]", "【】", "{}", "〔〕"} {
		open, size := utf8.DecodeRuneInString(pair)
		if inner, ok := strings.CutPrefix(s, string(open)); ok && strings.HasSuffix(inner, pair[size:]) && !strings.ContainsAny(inner[:len(inner)-len(pair[size:])], pair) {
			return inner[:len(inner)-len(pair[size:])]
		}
	}
	return s
}

// group takes what says for whom the range is from the beginning of s: words, ages, or any words before a colon.
func (r *ReferenceRange) group(s string) string {
	for range 4 { // sex, age, phase, and a colon between
		s = strings.TrimLeft(s, " :,、")
		if rest, ok := r.who(s); ok {
			s = rest
			continue
		}
		if rest, ok := r.age(s); ok {
			s = rest
			continue
		}
		break
	}
	// Other words with a colon: 空腹:3.9-6.1. The colon of a titre has digits on both sides.
	if i := strings.IndexByte(s, ':'); i > 0 && i <= 60 && (i+1 == len(s) || s[i-1] < '0' || s[i-1] > '9') {
		if label := strings.TrimSpace(s[:i]); !strings.ContainsAny(label[:1], "<>0123456789") {
			r.applies(label)
			s = strings.TrimLeft(s[i+1:], " ")
		}
	}
	return s
}

func (r *ReferenceRange) applies(label string) {
	if r.AppliesTo != "" {
		label = r.AppliesTo + " " + label
	}
	r.AppliesTo = label
}

// who takes one word of whose, in brackets or not. M and F count only before a colon or a space.
func (r *ReferenceRange) who(s string) (string, bool) {
	inner, bracketed := strings.CutPrefix(s, "(")
	key := strings.ToLower(inner[:min(len(inner), 32)])
	best := -1
	for i, w := range whose {
		if strings.HasPrefix(key, w.word) && (best < 0 || len(w.word) > len(whose[best].word)) {
			best = i
		}
	}
	var rest string
	switch {
	case best >= 0:
		w := whose[best]
		rest = inner[len(w.word):]
		if bracketed {
			var ok bool
			if rest, ok = strings.CutPrefix(rest, ")"); !ok {
				return s, false
			}
		}
		if w.sex != "" {
			r.Sex = w.sex
		}
		if w.age != "" {
			r.applies(w.age)
		}
		return rest, true
	case len(inner) > 1 && (inner[1] == ':' || inner[1] == ' ' || inner[1] == ')' && bracketed) && (key[0] == 'm' || key[0] == 'f'):
		r.Sex = map[byte]string{'m': "male", 'f': "female"}[key[0]]
		return inner[2:], true
	}
	return s, false
}

// groupBehind takes a group in brackets from the end of s: 3.5-5.5(男).
func (r *ReferenceRange) groupBehind(s string) string {
	i := strings.LastIndexByte(s, '(')
	if i < 1 || !strings.HasSuffix(s, ")") {
		return s
	}
	inner := s[i+1 : len(s)-1]
	probe := *r
	if rest, ok := probe.who(inner); ok && rest == "" {
		*r = probe
		return strings.TrimSpace(s[:i])
	}
	if rest, ok := probe.age(inner); ok && rest == "" {
		*r = probe
		return strings.TrimSpace(s[:i])
	}
	return s
}

// ageUnits are the units of ages, longer ones first.
var ageUnits = []struct{ word, code string }{
	{"周岁", "a"}, {"岁", "a"}, {"年", "a"}, {"个月", "mo"}, {"月", "mo"}, {"周", "wk"}, {"天", "d"}, {"日", "d"}, {"小时", "h"},
	{"years", "a"}, {"year", "a"}, {"y", "a"}, {"Y", "a"},
}

func ageUnit(s string) (code, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	for _, u := range ageUnits {
		if rest, ok := strings.CutPrefix(s, u.word); ok && (len(u.word) > 1 || rest == "" || strings.ContainsAny(rest[:1], " :,)")) {
			return u.code, rest, true
		}
	}
	return "", s, false
}

// age takes an age from the beginning of s: 18-60岁, >60岁, 60岁以上, 0~28天. A number without a unit of age is none.
func (r *ReferenceRange) age(s string) (string, bool) {
	inner, bracketed := strings.CutPrefix(s, "(")
	cmp, rest := comparator(inner)
	low, rest, ok := number(rest)
	if !ok {
		return s, false
	}
	unit, after, named := ageUnit(rest)
	high := ""
	if named {
		rest = after
	}
	if tail, found := rangeSeparator(low, rest); found && cmp == "" {
		second, tail, good := number(tail)
		if !good {
			return s, false
		}
		u, after, also := ageUnit(tail)
		if !also || named && u != unit {
			return s, false
		}
		high, unit, rest, named = second, u, after, true
	}
	if !named {
		return s, false
	}
	switch {
	case high != "":
	case cmp == "<" || cmp == "<=":
		low, high = "", low
	case cmp == ">" || cmp == ">=":
	default:
		if after, ok := strings.CutPrefix(rest, "以上"); ok {
			rest = after
		} else if after, ok := strings.CutPrefix(rest, "以下"); ok {
			low, high, rest = "", low, after
		} else {
			high = low
		}
	}
	if bracketed {
		if rest, ok = strings.CutPrefix(rest, ")"); !ok {
			return s, false
		}
	}
	r.AgeLow, r.AgeHigh, r.AgeUnit = low, high, unit
	return rest, true
}

// interval reads the numbers: two with a separator, or one with a comparator or 以上/以下.
func (r *ReferenceRange) interval(s string) bool {
	cmp, rest := comparator(s)
	low, rest, ok := number(rest)
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " ")
	if cmp == "" {
		if after, ok := strings.CutPrefix(rest, "以上"); ok {
			cmp, rest = ">=", after
		} else if after, ok := strings.CutPrefix(rest, "以下"); ok {
			cmp, rest = "<=", after
		}
	}
	if tail, found := rangeSeparator(low, rest); found {
		return r.twoSided(cmp, low, rest, tail)
	}
	switch cmp {
	case "<", "<=":
		r.High, r.HighOpen = low, cmp == "<"
	case ">", ">=":
		r.Low, r.LowOpen = low, cmp == ">"
	default:
		return false // a lone number is no range
	}
	return r.unit(rest)
}

// twoSided reads the second end. A unit may stand behind the first: 3.5mmol/L-5.5mmol/L is refused, since it is not seen.
func (r *ReferenceRange) twoSided(cmp, low, before, tail string) bool {
	upper, tail := comparator(tail)
	high, rest, ok := number(tail)
	switch {
	case !ok && tail == "" && (cmp == "" || cmp == ">" || cmp == ">="): // 3.5- is open above
		r.Low, r.LowOpen = low, cmp == ">"
		return true
	case !ok || cmp == "<" || cmp == "<=" || upper == ">" || upper == ">=":
		return false
	case !lessEqual(low, high):
		return false
	}
	r.Low, r.High, r.LowOpen, r.HighOpen = low, high, cmp == ">", upper == "<"
	return r.unit(strings.TrimLeft(rest, " "))
}

// unit takes what stands behind the numbers, if it is a unit.
func (r *ReferenceRange) unit(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" {
		return true
	}
	if u := ParseUnit(s, UnitOptions{}); !u.Known && !countUnit(s) {
		return false
	}
	r.Unit = s
	return true
}

func (r *ReferenceRange) ordinal(s string) bool {
	o, ok := parseOrdinal(fold.Key(s))
	if ok {
		r.Ordinal = o.coding()
	}
	return ok
}

// ordinalAndInterval reads 阴性(<1.0) and 阴性 <1.0.
func (r *ReferenceRange) ordinalAndInterval(s string) bool {
	i := strings.IndexAny(s, "<>≤≥0123456789")
	if i < 1 {
		return false
	}
	head, tail := strings.TrimSpace(s[:i]), s[i:]
	if open := strings.TrimSuffix(head, "("); open != head && strings.HasSuffix(tail, ")") {
		head, tail = open, tail[:len(tail)-1]
	}
	return r.ordinal(strings.TrimRight(head, ":, ")) && r.interval(tail)
}
