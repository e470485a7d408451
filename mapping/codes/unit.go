package codes

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/terminology/ucum"
	"github.com/yilian/yilian/mapping/fold"
)

// UCUM is the system of unit codes.
const UCUM = "http://unitsofmeasure.org"

// Unit is a unit of measure as written, with its UCUM code when the meaning is certain.
type Unit struct {
	Text  string // as written, without outer spaces
	Code  string // UCUM, empty when not known
	Known bool
}

// UnitOptions are what is known about the observation that has the unit.
type UnitOptions struct {
	// CellCount says that cells are counted: G/L and T/L are 10⁹ and 10¹² per litre only then. Otherwise they could as well
	// be grams in capitals, and get no code.
	CellCount bool
}

// maxUnit bounds what is looked at, in bytes. No unit is longer.
const maxUnit = 64

// ParseUnit reads a unit as Chinese laboratories write it: ×10⁹/L, μmol/L, 次/分, MIU/ML. Case is forgiven where only one
// reading exists. What the table of spellings does not have is taken when it is valid UCUM, else it stays text.
func ParseUnit(text string, o UnitOptions) Unit {
	if code, ok := spellings()[text]; ok { // the usual case: a common unit in its usual spelling
		return Unit{text, code, true}
	}
	text = strings.TrimSpace(text)
	u := Unit{Text: text}
	if text == "" || len(text) > maxUnit {
		return u
	}
	s := unitKey(text)
	switch s {
	case "G/L", "T/L":
		if o.CellCount {
			u.Code, u.Known = map[string]string{"G/L": "10*9/L", "T/L": "10*12/L"}[s], true
		}
		return u
	case "":
		return u
	}
	if u.Code, u.Known = spelt(s); u.Known {
		return u
	}
	// Many a number and its reciprocal would pass as UCUM, too.
	if c := strings.TrimPrefix(s, "/"); c != "" && (c[0] < '0' || c[0] > '9') && ucum.Valid(s) {
		u.Code, u.Known = s, true
	}
	return u
}

// spelt looks a folded unit up: as it is, then without case, then as a power of ten before a unit.
func spelt(s string) (string, bool) {
	if code, ok := spellings()[s]; ok {
		return code, true
	}
	if strings.IndexByte(s, '{') >= 0 { // who writes braces writes UCUM
		return "", false
	}
	if code, ok := spellings()[strings.ToLower(s)]; ok {
		return code, true
	}
	exponent, rest, ok := power(s)
	if !ok {
		return "", false
	}
	switch rest = strings.ToLower(rest); rest {
	case "", "/l", "/ul", "/ml":
	default:
		return "", false
	}
	code := "10*" + exponent
	if rest != "" {
		code += map[string]string{"/l": "/L", "/ul": "/uL", "/ml": "/mL"}[rest]
	}
	return code, true
}

// power splits ×10^9/L and its many spellings into 9 and /L. Cells and the like before the slash say nothing new.
func power(s string) (exponent, rest string, ok bool) {
	s = strings.TrimLeft(s, "xX×*✕╳.")
	if !strings.HasPrefix(s, "10") {
		return "", "", false
	}
	s = s[2:]
	for _, sign := range [...]string{"**", "^", "*", "E+", "e+", "E", "e", "~", "的", "+"} {
		if strings.HasPrefix(s, sign) {
			s = s[len(sign):]
			break
		}
	}
	n := 0
	for n < len(s) && n < 2 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	exponent, rest = strings.TrimLeft(s[:n], "0"), s[n:]
	if exponent == "" || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return "", "", false
	}
	for _, counted := range [...]string{"次方", "个", "cells", "cell", "copies"} {
		rest = strings.TrimPrefix(rest, counted)
	}
	return exponent, rest, rest == "" || rest[0] == '/'
}

// unitKey folds what different keyboards and printers make of one unit.
func unitKey(s string) string {
	s = fold.Text(s)
	if len(s) > 2 && s[0] == '(' && s[len(s)-1] == ')' && strings.Count(s, "(") == 1 {
		s = s[1 : len(s)-1]
	}
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < utf8.RuneSelf && s[i] != ' '
	}
	if ascii {
		return s
	}
	s = unitWords.Replace(s)
	var b strings.Builder
	b.Grow(len(s))
	raised := false
	for _, r := range s {
		digit := strings.IndexRune("⁰¹²³⁴⁵⁶⁷⁸⁹", r)
		if digit >= 0 {
			digit = strings.Count("⁰¹²³⁴⁵⁶⁷⁸⁹"[:digit], "") - 1
			if !raised && strings.HasSuffix(b.String(), "10") {
				b.WriteByte('*')
			}
			raised = true
			b.WriteByte(byte('0' + digit))
			continue
		}
		raised = false
		switch r {
		case ' ', '\t':
		case 'µ', 'μ':
			b.WriteByte('u')
		case '·', '⋅', '∙', '•':
			b.WriteByte('.')
		case '∕', '⁄', '╱', '÷':
			b.WriteByte('/')
		case '⁻', '−', '–':
			b.WriteByte('-')
		case '∧', 'ˆ', '︿':
			b.WriteByte('^')
		case 'Ⅹ', '×', '✕', '╳', 'х', 'Х':
			b.WriteRune('×')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unitWords are Chinese names of units, longer ones first where one contains another.
var unitWords = strings.NewReplacer(
	"毫米汞柱", "mmHg", "厘米水柱", "cmH2O", "千帕", "kPa",
	"毫国际单位", "mIU", "国际单位", "IU", "毫单位", "mU", "单位", "U",
	"毫摩尔", "mmol", "微摩尔", "umol", "纳摩尔", "nmol", "皮摩尔", "pmol", "摩尔", "mol", "毫渗量", "mosm", "毫当量", "meq",
	"毫升", "mL", "微升", "uL", "飞升", "fL", "分升", "dL", "公升", "L", "升", "L",
	"毫克", "mg", "微克", "ug", "纳克", "ng", "皮克", "pg", "千克", "kg", "公斤", "kg", "克", "g",
	"毫米", "mm", "厘米", "cm", "微米", "um", "平方米", "m2", "米", "m",
	"毫秒", "ms", "秒钟", "s", "秒", "s", "分钟", "min", "分", "min", "小时", "h", "毫伏", "mV", "赫兹", "Hz",
	"高倍视野", "HPF", "高倍镜", "HPF", "高倍", "HPF", "低倍视野", "LPF", "低倍镜", "LPF", "低倍", "LPF", "视野", "HPF",
	"摄氏度", "Cel", "℃", "Cel", "°C", "Cel", "º C", "Cel", "ºC", "Cel", "˚C", "Cel", "° C", "Cel",
	"㎎", "mg", "㎏", "kg", "㎍", "ug", "㎜", "mm", "㎝", "cm", "㎖", "mL", "㎗", "dL", "㎡", "m2", "㎕", "uL", "㏑", "ln", "㎐", "Hz",
	"每", "/", "﹪", "%",
)

// spellings maps each way to write a unit, in small letters and folded, to its UCUM code; canonical codes map to themselves.
var spellings = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 600)
	for line := range strings.Lines(unitTable) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		m[fields[0]] = fields[0]
		for _, f := range fields {
			m[strings.ToLower(f)] = fields[0]
		}
	}
	return m
})

// UnitCodes returns the UCUM codes that have spellings of their own, in no particular order.
func UnitCodes() []string {
	seen := map[string]bool{}
	var all []string
	for _, code := range spellings() {
		if !seen[code] {
			seen[code] = true
			all = append(all, code)
		}
	}
	return all
}
