package codes

import (
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// Interpretation is the system of the codes that flags become.
const Interpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

// FlagOptions are what an institution means by its flags.
type FlagOptions struct {
	// Own maps the institution's spelling to a code of the system Interpretation and comes before everything else. It is the
	// place for P (normal in one system, positive in another) and for digits (1 is abnormal in the national result code,
	// negative in many a microbiology system): without it both stay unknown. The value "" means: no flag.
	Own map[string]string
}

// flagWords are the spellings in the field, folded. Codes of HL7 table 0078 need no line here.
var flagWords = map[string]string{
	"↑": "H", "⇑": "H", "▲": "H", "△": "H", "^": "H", "偏高": "H", "高": "H", "升高": "H", "增高": "H", "high": "H", "高于参考值": "H", "h↑": "H", "↑h": "H", "高↑": "H", "↑高": "H", "偏高↑": "H", "+h": "H", "hi": "H",
	"↓": "L", "⇓": "L", "▼": "L", "▽": "L", "偏低": "L", "低": "L", "降低": "L", "减低": "L", "low": "L", "低于参考值": "L", "l↓": "L", "↓l": "L", "低↓": "L", "↓低": "L", "偏低↓": "L", "lo": "L",
	"↑↑": "HH", "↑↑↑": "HH", "危急高": "HH", "危急值高": "HH", "极高": "HH", "超高": "HH", "危高": "HH", "hh↑": "HH", "h!": "HH",
	"↓↓": "LL", "↓↓↓": "LL", "危急低": "LL", "危急值低": "LL", "极低": "LL", "超低": "LL", "危低": "LL", "ll↓": "LL", "l!": "LL",
	"正常": "N", "→": "N", "normal": "N", "未见异常": "N", "正常范围": "N", "无异常": "N",
	"异常": "A", "*": "A", "abnormal": "A", "不正常": "A", "a*": "A", "!": "A",
	"危急": "AA", "危急值": "AA", "critical": "AA", "panic": "AA", "危": "AA", "**": "AA", "!!": "AA",
	"阴性": "NEG", "阴": "NEG", "阴性(-)": "NEG", "(-)": "NEG", "negative": "NEG",
	"阳性": "POS", "阳": "POS", "阳性(+)": "POS", "(+)": "POS", "positive": "POS", "+": "POS",
	"弱阳性": "WR", "弱阳性(±)": "WR", "±": "WR", "(±)": "WR",
	"不确定": "IND", "可疑": "IND", "临界": "IND", "灰区": "IND", "indeterminate": "IND",
	"敏感": "S", "敏感(s)": "S", "susceptible": "S", "中介": "I", "中敏": "I", "中度敏感": "I", "intermediate": "I", "耐药": "R", "耐药(r)": "R", "resistant": "R",
	"剂量依赖敏感": "SDD", "剂量依赖型敏感": "SDD", "检出": "DET", "未检出": "ND", "反应性": "RR", "有反应性": "RR", "无反应性": "NR", "非反应性": "NR",
}

// Flag reads the mark beside a result. It reports false when there is none, or one whose meaning is not certain.
func Flag(text string, o FlagOptions) (Coding, bool) {
	s := strings.TrimSpace(text)
	if len(o.Own) > 0 {
		code, ok := o.Own[s]
		if !ok {
			key := fold.Key(s)
			for spelling, c := range o.Own {
				if fold.Key(spelling) == key {
					code, ok = c, true
					break
				}
			}
		}
		if ok {
			return interpretation(code)
		}
	}
	if s == "" || len(s) > 64 {
		return Coding{}, false
	}
	if code, ok := flagWords[s]; ok && utf8.RuneCountInString(s) == 1 && s[0] >= utf8.RuneSelf { // arrows, mostly
		return interpretation(code)
	}
	key := fold.Key(s)
	if code, ok := flagWords[key]; ok {
		return interpretation(code)
	}
	// The codes of table 0078 themselves, in whichever case the sender prints them.
	return interpretation(strings.ToUpper(key))
}

// interpretation returns the coding of an interpretation code that is current in R4.
func interpretation(code string) (Coding, bool) {
	table, _ := Builtin("v2-0078")
	tr := table.Translate(code)
	if tr.Match != Exact || !tr.Mapped() {
		return Coding{}, false
	}
	return tr.Target, true
}
