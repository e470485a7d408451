package codes

import (
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// ResultKind is what a result value is, which decides the type of Observation.value.
type ResultKind uint8

// The kinds of a result.
const (
	ResultMissing ResultKind = iota // no value: Absent says why, Text what was written
	ResultNumber                    // valueQuantity: Value, Comparator, Unit; Ordinal when both were written
	ResultRange                     // valueRange: Low and High, Unit
	ResultRatio                     // valueRatio: Numerator and Denominator, Comparator on the numerator; a titre is 1:80
	ResultOrdinal                   // valueCodeableConcept: Ordinal, with the text
	ResultText                      // valueString
)

func (k ResultKind) String() string {
	return [...]string{"missing", "number", "range", "ratio", "ordinal", "text"}[k]
}

// AbsentReason is the system of the codes in Result.Absent.
const AbsentReason = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

// Result is one result value. Numbers are FHIR decimals with every digit that was written.
type Result struct {
	Kind                   ResultKind
	Text                   string // as written, without outer spaces
	Value                  string
	Comparator             string // < <= > >=
	Low, High              string
	Numerator, Denominator string
	Unit                   string // written behind the value
	Ordinal                Coding // system OrdinalSystem
	Flag                   Coding // interpretation that stands in the value itself: an arrow, or what the ordinal implies
	Absent                 string // code of the system AbsentReason
}

// ResultOptions are what is known about the observation.
type ResultOptions struct {
	// DashIsNegative makes a lone - the negative of a dipstick or an agglutination. Elsewhere it is how a form says "nothing".
	DashIsNegative bool
	Flags          FlagOptions
}

// maxResult bounds, in bytes, what is looked at; longer texts are findings in prose.
const maxResult = 128

// ParseResult reads a result value: a number with or without comparator, unit and arrow, a range, a titre, an ordinal, or an
// ordinal with a number. What is none of them is text, or missing when it says so.
func ParseResult(text string, o ResultOptions) Result {
	raw := strings.TrimSpace(text)
	if len(raw) > maxResult {
		return Result{Kind: ResultText, Text: raw}
	}
	if raw != "" && (raw[0] >= '0' && raw[0] <= '9' || raw[0] == '-') { // the usual case
		if v, rest, ok := number(raw); ok && rest == "" {
			return Result{Kind: ResultNumber, Text: raw, Value: v}
		}
	}
	s := fold.Text(raw)
	key := fold.Key(s)
	if reason, ok := absentWords[key]; ok {
		if o.DashIsNegative && reason == "unknown" && strings.Trim(key, "-—－") == "" && key != "" {
			return ordinalResult(raw, negative)
		}
		return Result{Kind: ResultMissing, Text: raw, Absent: reason}
	}
	if ord, ok := parseOrdinal(key); ok {
		return ordinalResult(raw, ord)
	}
	if r, ok := quantity(s, o); ok {
		r.Text = raw
		return r
	}
	if r, ok := ordinalAndQuantity(s, o); ok {
		r.Text = raw
		return r
	}
	r := Result{Kind: ResultText, Text: raw}
	if code, ok := flagWords[key]; ok && utf8.RuneCountInString(key) > 1 {
		r.Flag, _ = interpretation(code)
	}
	return r
}

func ordinalResult(raw string, o ordinal) Result {
	flag, _ := interpretation(o.flag)
	return Result{Kind: ResultOrdinal, Text: raw, Ordinal: o.coding(), Flag: flag}
}

// quantity reads a text that begins with a number, a comparator or an arrow, and is nothing but a quantity.
func quantity(s string, o ResultOptions) (Result, bool) {
	r := Result{Kind: ResultNumber}
	for _, arrow := range [...]string{"↑↑", "↓↓", "↑", "↓"} {
		if rest, ok := strings.CutPrefix(s, arrow); ok {
			r.Flag, _ = Flag(arrow, o.Flags)
			s = strings.TrimLeft(rest, " ")
			break
		}
	}
	r.Comparator, s = comparator(s)
	if r.Comparator == "" {
		s = strings.TrimPrefix(s, "=")
	}
	var ok bool
	if r.Value, s, ok = number(s); !ok {
		return r, false
	}
	s = strings.TrimLeft(s, " ")
	if ok := r.pair(&s); !ok {
		return r, false
	}
	return r, r.tail(s, o)
}

// pair reads what makes a range or a ratio of a number: - or : and a second number.
func (r *Result) pair(s *string) bool {
	for _, colon := range [...]string{":", "∶", "︰"} {
		rest, found := strings.CutPrefix(*s, colon)
		if !found {
			continue
		}
		second, rest, ok := number(strings.TrimLeft(rest, " "))
		if !ok || strings.HasPrefix(second, "-") || strings.HasPrefix(rest, ":") || strings.Trim(second, "0.") == "" {
			return false // a time of day, or nothing we know
		}
		r.Kind, r.Numerator, r.Denominator, r.Value = ResultRatio, r.Value, second, ""
		*s = strings.TrimLeft(rest, " ")
		return true
	}
	rest, found := rangeSeparator(r.Value, *s)
	if !found {
		return true
	}
	second, rest, ok := number(rest)
	if !ok || r.Comparator != "" || !lessEqual(r.Value, second) {
		return false
	}
	r.Kind, r.Low, r.High, r.Value = ResultRange, r.Value, second, ""
	*s = strings.TrimLeft(rest, " ")
	return true
}

// separators between the two ends of a range, longer ones first.
var separators = [...]string{"----", "---", "--", "-", "~~", "~", "〜", "∼", "～", "——", "—", "––", "–", "‐", "‑", "−", "─", "至", "到", "…", "..."}

// rangeSeparator takes the separator behind the low end. Behind a negative low end, -3--1, the second dash is a sign.
func rangeSeparator(low, s string) (rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	if strings.HasPrefix(low, "-") && len(s) > 2 && s[:2] == "--" && s[2] >= '0' && s[2] <= '9' {
		return s[1:], true
	}
	for _, sep := range separators {
		if rest, ok := strings.CutPrefix(s, sep); ok {
			return strings.TrimLeft(rest, " "), true
		}
	}
	return s, false
}

// tail reads what may follow a number: a unit, a flag, an ordinal, in any order and each at most once.
func (r *Result) tail(s string, o ResultOptions) bool {
	if s == "" {
		return true
	}
	if r.mark(s, o) {
		return true
	}
	if u := ParseUnit(s, UnitOptions{}); u.Known || countUnit(s) {
		r.Unit = s
		return true
	}
	// A unit and a mark: mmol/L ↑, mmol/L (H), or an arrow glued to the unit.
	for _, sep := range [...]string{" ", "(", "↑", "↓", "*"} {
		i := strings.Index(s, sep)
		if i < 1 {
			continue
		}
		unit, mark := strings.TrimSpace(s[:i]), strings.TrimSpace(s[i:])
		if u := ParseUnit(unit, UnitOptions{}); u.Known && r.mark(mark, o) {
			r.Unit = unit
			return true
		}
		if rest := *r; rest.mark(unit, o) {
			if u := ParseUnit(mark, UnitOptions{}); u.Known {
				*r = rest
				r.Unit = mark
				return true
			}
		}
	}
	return false
}

// countUnit reports whether s is a unit that has a meaning but no code without knowing what is counted.
func countUnit(s string) bool { return s == "G/L" || s == "T/L" }

// mark reads s as a flag or an ordinal beside the number. A glued L is a litre, not a flag.
func (r *Result) mark(s string, o ResultOptions) bool {
	bare := s
	if len(s) > 2 && (s[0] == '(' && s[len(s)-1] == ')' || s[0] == '[' && s[len(s)-1] == ']') {
		bare = s[1 : len(s)-1]
	}
	if ord, ok := parseOrdinal(fold.Key(s)); ok {
		r.Ordinal = ord.coding()
		r.Flag, _ = interpretation(ord.flag)
		return true
	}
	if ord, ok := parseOrdinal(fold.Key(bare)); ok {
		r.Ordinal = ord.coding()
		r.Flag, _ = interpretation(ord.flag)
		return true
	}
	if len(bare) > 3 && bare[0] < utf8.RuneSelf {
		return false
	}
	if flag, ok := Flag(bare, o.Flags); ok {
		switch flag.Code {
		case "H", "L", "HH", "LL", "N", "A", "AA", "HU", "LU":
			if u := ParseUnit(bare, UnitOptions{}); u.Known && bare == s && bare[0] < utf8.RuneSelf && !strings.ContainsAny(bare, "HN") {
				return false
			}
			r.Flag = flag
			return true
		}
	}
	return false
}

// ordinalAndQuantity reads 阳性(+) 12.5, 阳性(1:80) and the like: an ordinal, then a number.
func ordinalAndQuantity(s string, o ResultOptions) (Result, bool) {
	for i := 1; i < len(s); i++ {
		if c := s[i]; !(c >= '0' && c <= '9' || c == '<' || c == '>' || c == 0xE2) || s[i-1] >= '0' && s[i-1] <= '9' || s[i-1] == '.' ||
			!utf8.RuneStart(s[i]) {
			continue
		}
		head, tail := strings.TrimSpace(s[:i]), s[i:]
		if open := strings.TrimSuffix(head, "("); open != head && strings.HasSuffix(tail, ")") {
			head, tail = strings.TrimSpace(open), tail[:len(tail)-1]
		}
		head = strings.TrimRight(head, ":,; ")
		ord, ok := parseOrdinal(fold.Key(head))
		if !ok {
			continue
		}
		r, ok := quantity(tail, o)
		if !ok || r.Ordinal.Code != "" {
			continue
		}
		r.Ordinal = ord.coding()
		if r.Flag.Code == "" {
			r.Flag, _ = interpretation(ord.flag)
		}
		return r, true
	}
	return Result{}, false
}

// absentWords are the texts that say there is no value, folded, with the reason.
var absentWords = map[string]string{
	"": "unknown", "-": "unknown", "--": "unknown", "---": "unknown", "—": "unknown", "——": "unknown", "－": "unknown", "/": "unknown", "\\": "unknown", "//": "unknown",
	".": "unknown", "...": "unknown", "…": "unknown", "……": "unknown", "空": "unknown", "无": "unknown", "无结果": "unknown", "无数据": "unknown", "未知": "unknown", "不详": "unknown",
	"null": "unknown", "none": "unknown", "nil": "unknown", "(null)": "unknown", "<null>": "unknown", "\\n": "unknown", "unknown": "unknown", "nan": "not-a-number", "#n/a": "unknown",
	"未做": "not-performed", "未检": "not-performed", "未查": "not-performed", "未测": "not-performed", "未检测": "not-performed", "未检查": "not-performed", "未测定": "not-performed",
	"未送检": "not-performed", "未送": "not-performed", "取消": "not-performed", "已取消": "not-performed", "退检": "not-performed", "拒检": "not-performed", "not done": "not-performed",
	"not performed": "not-performed", "未留": "not-performed", "未留取": "not-performed", "漏检": "not-performed", "弃检": "asked-declined", "放弃": "asked-declined", "标本不足": "not-performed",
	"标本量不足": "not-performed", "样本不足": "not-performed", "样本量不足": "not-performed", "血量不足": "not-performed", "量少": "not-performed", "标本量少": "not-performed", "qns": "not-performed",
	"无标本": "not-performed", "未收到标本": "not-performed", "标本未到": "temp-unknown",
	"拒绝": "asked-declined", "拒绝检查": "asked-declined", "患者拒绝": "asked-declined", "病人拒绝": "asked-declined",
	"溶血": "error", "标本溶血": "error", "样本溶血": "error", "严重溶血": "error", "脂血": "error", "标本脂血": "error", "严重脂血": "error", "黄疸": "error", "凝固": "error", "标本凝固": "error", "凝血": "error",
	"标本凝血": "error", "有凝块": "error", "标本不合格": "error", "样本不合格": "error", "不合格": "error", "标本污染": "error", "污染": "error", "标本错误": "error", "仪器故障": "error", "检测失败": "error", "error": "error",
	"err": "error", "失败": "error", "无法检测": "error", "无法测定": "error", "测不出": "error", "无法计算": "error", "****": "error", "***": "error", "+++++": "error",
	"待查": "temp-unknown", "待定": "temp-unknown", "待报": "temp-unknown", "待检": "temp-unknown", "待测": "temp-unknown", "待出": "temp-unknown", "待复查": "temp-unknown", "复查中": "temp-unknown", "检测中": "temp-unknown",
	"检验中": "temp-unknown", "培养中": "temp-unknown", "结果未出": "temp-unknown", "未出结果": "temp-unknown", "未回": "temp-unknown", "pending": "temp-unknown", "结果待报": "temp-unknown",
	"不适用": "not-applicable", "n/a": "not-applicable", "na": "not-applicable", "not applicable": "not-applicable",
	"保密": "masked", "屏蔽": "masked", "隐藏": "masked",
}
