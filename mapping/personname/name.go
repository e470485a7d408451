package personname

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// Kind is what sort of name a text is.
type Kind uint8

// The kinds of names.
const (
	None        Kind = iota // nothing was written
	Placeholder             // a text that stands for "none": 无名氏, 未知
	Newborn                 // a child without a name of its own: 张三之女
	Chinese                 // family name and given name in Chinese characters
	Minority                // parts joined with a dot: 买买提·艾力
	Latin                   // parts in letters
	Other                   // anything else, kept as text
)

func (k Kind) String() string {
	return [...]string{"none", "placeholder", "newborn", "chinese", "minority", "latin", "other"}[k]
}

// Name is a person's name.
type Name struct {
	Kind   Kind
	Text   string   // as to be shown: folded, the spaces inside a Chinese name removed
	Family string   // empty when the text does not show which part it is
	Given  []string // in the order written
	Mother string   // of a Newborn: the parent whose name was borrowed, most often the mother
	Sex    string   // male or female, when the name of a Newborn says so
	Order  int      // of a Newborn: which of several children, from 1; 0 when not said
}

// maxName bounds the bytes that are looked at; longer texts stay text.
const maxName = 256

// Parse reads one name.
func Parse(text string) Name {
	s := strings.Join(strings.Fields(fold.Text(text)), " ")
	n := Name{Text: s, Kind: Other}
	switch {
	case s == "":
		n.Kind = None
		return n
	case len(s) > maxName:
		return n
	case placeholder(s):
		n.Kind = Placeholder
		return n
	}
	if bare := strings.ReplaceAll(s, " ", ""); han(bare) && newborn(bare, &n) {
		n.Text = bare
		return n
	}
	n.split(s)
	return n
}

// split parts a name by its script.
func (n *Name) split(s string) {
	bare := strings.ReplaceAll(s, " ", "")
	switch dotted := dots.Replace(bare); {
	case strings.Contains(dotted, "·") && hanOrDot(dotted):
		n.Kind, n.Text = Minority, dotted
		// Neither part is a family name in the Chinese sense; the last one most often is the father's name.
		for _, p := range strings.Split(dotted, "·") {
			if p != "" {
				n.Given = append(n.Given, p)
			}
		}
	case han(bare):
		n.chinese(bare, s)
	case latin(s):
		n.latin(s)
	}
}

// chinese splits after the family name: one of the compound ones, or the first character. A space in the text settles
// it, unless it only widens a name of two characters (张　三).
func (n *Name) chinese(bare, spaced string) {
	runes := utf8.RuneCountInString(bare)
	n.Kind, n.Text = Chinese, bare
	if first, rest, ok := strings.Cut(spaced, " "); ok && runes > 2 && utf8.RuneCountInString(first) <= 2 && !strings.Contains(rest, " ") {
		n.Family, n.Given = first, []string{rest}
		return
	}
	size := familyLength(bare, runes)
	n.Family = bare[:size]
	if size < len(bare) {
		n.Given = []string{bare[size:]}
	}
	if runes > 6 { // no Chinese name: a transliteration without its dots, or a note
		n.Family, n.Given, n.Kind = "", nil, Other
	}
}

// latin splits names in letters: "SMITH, John A" and "John A Smith". A name of one word is no family name.
func (n *Name) latin(s string) {
	n.Kind = Latin
	if family, given, ok := strings.Cut(s, ","); ok {
		n.Family, n.Given = strings.TrimSpace(family), strings.Fields(strings.ReplaceAll(given, ",", " "))
		return
	}
	words := strings.Fields(s)
	if len(words) == 1 {
		n.Given = words
		return
	}
	n.Family, n.Given = words[len(words)-1], words[:len(words)-1]
}

// familyLength returns the bytes of the family name at the beginning of a Chinese name.
func familyLength(s string, runes int) int {
	_, one := utf8.DecodeRuneInString(s)
	if runes < 3 {
		return one
	}
	_, second := utf8.DecodeRuneInString(s[one:])
	if compound(s[:one+second]) {
		return one + second
	}
	return one
}

var dots = strings.NewReplacer("•", "·", "‧", "·", "・", "·", "･", "·", "．", "·", "。", "·", ".", "·", "∙", "·", "⋅", "·", "●", "·", "‑", "·", "–", "·", "—", "·")

// han reports whether s is made of Chinese characters alone. 〇 is one; characters of private use are how old systems
// encode rare ones.
func han(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) && r != '〇' && !(r >= 0xE000 && r <= 0xF8FF) {
			return false
		}
	}
	return s != ""
}

func hanOrDot(s string) bool {
	return han(strings.ReplaceAll(s, "·", "")) && strings.Trim(s, "·") != ""
}

func latin(s string) bool {
	letters := false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Latin, r):
			letters = true
		case strings.ContainsRune(" ,.'-·’", r), unicode.Is(unicode.Mn, r):
		default:
			return false
		}
	}
	return letters
}

func placeholder(s string) bool {
	switch fold.Key(strings.Trim(s, " -_.*()[]<>/?？。")) {
	case "", "无名氏", "无名", "无名女", "无名男", "无名女尸", "无名男尸", "无", "未知", "不详", "姓名不详", "未提供", "未填", "未命名", "未取名", "暂无", "匿名", "某某", "某", "空", "空白", "保密",
		"流浪汉", "流浪人员", "三无人员", "无主病人", "急诊病人", "测试", "测试病人", "测试患者", "null", "none", "unknown", "n/a", "na", "test", "anonymous", "no name", "xxx", "xx", "x":
		return true
	}
	// 无名氏1, 无名氏三号, 未知01
	for _, head := range [...]string{"无名氏", "无名", "未知", "测试"} {
		if rest, ok := strings.CutPrefix(s, head); ok && strings.Trim(rest, "0123456789一二三四五六七八九十号甲乙丙丁 -_()") == "" {
			return true
		}
	}
	return false
}

// newbornEndings are how a child is named after a parent, longer ones first where one ends another.
var newbornEndings = []struct{ text, sex string }{
	{"之男婴", "male"}, {"之女婴", "female"}, {"之婴儿", ""}, {"之婴", ""}, {"之儿子", "male"}, {"之女儿", "female"}, {"之子", "male"}, {"之女", "female"}, {"之儿", "male"}, {"之新生儿", ""},
	{"的男婴", "male"}, {"的女婴", "female"}, {"的儿子", "male"}, {"的女儿", "female"}, {"的婴儿", ""}, {"的孩子", ""}, {"之孩", ""}, {"毛毛", ""}, {"新生儿", ""}, {"男婴", "male"}, {"女婴", "female"}, {"婴儿", ""}, {"宝宝", ""}, {"贝贝", ""},
	{"大毛", ""}, {"小毛", ""}, {"之双大", ""}, {"之双小", ""},
}

// births count the children of one birth.
var births = []struct {
	text  string
	order int
}{{"大", 1}, {"小", 2}, {"长", 1}, {"次", 2}, {"一", 1}, {"二", 2}, {"三", 3}, {"甲", 1}, {"乙", 2}, {"丙", 3}}

// newborn recognises a child named after a parent: 张三之女, 李四之子甲, 王五之大女, 赵六女婴. A rest of fewer than two characters
// is no parent, so 毛毛 alone stays a name.
func newborn(s string, n *Name) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	if !strings.ContainsRune("子女婴儿孩毛生宝贝大小长次一二三甲乙丙", last) { // most names end here
		return false
	}
	body, order := s, 0
	for _, b := range births { // behind: 之子甲
		if rest, ok := strings.CutSuffix(s, b.text); ok && endsNewborn(rest) {
			body, order = rest, b.order
			break
		}
	}
	for _, e := range newbornEndings {
		parent, ok := strings.CutSuffix(body, e.text)
		if !ok {
			continue
		}
		return n.born(parent, e.sex, order)
	}
	// between: 之大女, 之次子
	for _, child := range [...]struct{ text, sex string }{{"子", "male"}, {"女", "female"}} {
		rest, ok := strings.CutSuffix(body, child.text)
		if !ok {
			continue
		}
		for _, b := range births {
			if parent, ok := strings.CutSuffix(rest, "之"+b.text); ok {
				return n.born(parent, child.sex, b.order)
			}
		}
	}
	return false
}

func (n *Name) born(parent, sex string, order int) bool {
	if count := utf8.RuneCountInString(parent); count < 2 || count > 6 {
		return false
	}
	n.Kind, n.Mother, n.Sex, n.Order = Newborn, parent, sex, order
	return true
}

func endsNewborn(s string) bool {
	for _, e := range newbornEndings {
		if strings.HasSuffix(s, e.text) && len(s) > len(e.text) {
			return true
		}
	}
	return false
}
