package draft

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/organizationid"
	"github.com/yilian/yilian/mapping/personname"
	"github.com/yilian/yilian/mapping/phone"
	"github.com/yilian/yilian/mapping/residentid"
)

// profile is what all values of a column have in common. The shares are of the values that were looked at, weighted by how
// often they stand there, from 0 to 1.
type profile struct {
	rows     int // of the table
	present  int
	empty    int // mentioned without a value
	distinct int
	more     bool // there are more distinct values than were kept
	values   map[string]int
	order    []string // the distinct values as they came

	day, moment         float64 // dates; of these those with a time of day
	digits8             float64
	integer, decimal    float64
	resident, near      float64 // resident ids with the right check character; what only looks like one
	mobile, telephone   float64
	person              float64
	organization        float64
	han, ascii, long    float64 // has Chinese characters; is ASCII alone; has more than twelve characters
	codelike            float64 // up to twenty ASCII letters, digits, points, hyphens
	unit, ranged, flag  float64
	outcome             float64 // results that are more than prose
	sex, dx, freq       float64
	age, yes, url, file float64
	sentence            float64
	minimum, maximum    int // characters
}

// look gathers the shapes once all values are counted.
func (p *profile) look(dates datetime.Options) {
	if p.present == 0 {
		return
	}
	total := 0.0
	for _, v := range p.order {
		n := float64(p.values[v])
		total += n
		p.one(v, n, dates)
	}
	for _, share := range []*float64{&p.day, &p.moment, &p.digits8, &p.integer, &p.decimal, &p.resident, &p.near, &p.mobile, &p.telephone, &p.person,
		&p.organization, &p.han, &p.ascii, &p.long, &p.codelike, &p.unit, &p.ranged, &p.flag, &p.outcome, &p.sex, &p.dx, &p.freq, &p.age, &p.yes,
		&p.url, &p.file, &p.sentence} {
		*share /= total
	}
}

func (p *profile) one(v string, n float64, dates datetime.Options) {
	runes := utf8.RuneCountInString(v)
	if p.minimum == 0 || runes < p.minimum {
		p.minimum = runes
	}
	p.maximum = max(p.maximum, runes)
	add := func(share *float64, when bool) {
		if when {
			*share += n
		}
	}
	ascii := isASCII(v)
	han := hasHan(v)
	add(&p.ascii, ascii)
	add(&p.han, han)
	add(&p.long, runes > 12)
	add(&p.sentence, runes > 15 && (han || strings.Contains(v, " ")) || strings.ContainsAny(v, "\n,;。，；"))
	plain := allOf(v, "0123456789")
	add(&p.integer, plain && len(v) < 10)
	add(&p.digits8, plain && len(v) == 8)
	add(&p.decimal, isDecimal(v))
	add(&p.codelike, ascii && len(v) <= 20 && strings.IndexFunc(v, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("._-+/%", r))
	}) < 0)
	if len(v) >= 6 && len(v) <= 40 {
		if d, err := datetime.Parse(v, dates); err == nil && d.Given() && d.Precision >= datetime.Day {
			add(&p.day, true)
			add(&p.moment, d.Precision > datetime.Day)
		}
	}
	if len(v) == 18 || len(v) == 15 {
		id := residentid.Parse(v)
		add(&p.resident, id.Valid)
		add(&p.near, id.Valid || id.Reason == residentid.WrongCheck || id.Reason == residentid.Masked)
	}
	if runes >= 7 && runes <= 30 && !han {
		if numbers := phone.Parse(v); len(numbers) > 0 {
			add(&p.mobile, len(numbers[0].Digits) == 11 && numbers[0].Digits[0] == '1')
			add(&p.telephone, numbers[0].Kind != phone.Unknown || len(numbers[0].Digits) == 11 && numbers[0].Digits[0] == '1')
		}
	}
	add(&p.person, isPerson(v))
	if len(v) >= 9 && len(v) <= 22 {
		add(&p.organization, organizationid.Parse(v).Kind != organizationid.Unknown)
	}
	if runes <= 20 {
		u := codes.ParseUnit(v, codes.UnitOptions{CellCount: true})
		add(&p.unit, u.Known && !plain || unitWords[v])
	}
	if runes <= 60 {
		r := codes.ParseRange(v)
		parsed := false
		for _, one := range r.Ranges {
			parsed = parsed || one.Low != "" && one.High != "" || one.LowOpen || one.HighOpen || (one.Low != "" || one.High != "") && !isDecimal(v) || one.Ordinal.Code != ""
		}
		add(&p.ranged, parsed && !plain)
		result := codes.ParseResult(v, codes.ResultOptions{})
		add(&p.outcome, result.Kind != codes.ResultText || result.Absent != "")
	}
	_, flagged := codes.Flag(v, codes.FlagOptions{})
	add(&p.flag, runes <= 4 && (flagged || flagWords[strings.ToUpper(v)]))
	add(&p.sex, sexWords[strings.ToLower(v)])
	add(&p.dx, isDiagnosisCode(v))
	add(&p.freq, freqWords[strings.ToLower(strings.TrimRight(v, ". "))])
	if runes <= 12 {
		a, err := datetime.ParseAge(v, false)
		add(&p.age, err == nil && a.Given() && !plain)
	}
	add(&p.yes, yesWords[strings.ToLower(v)])
	add(&p.url, strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "ftp://"))
	add(&p.file, len(v) > 200 && isBase64(v))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func allOf(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	before, after, ok := strings.Cut(s, ".")
	return allOf(before, "0123456789") && (!ok || allOf(after, "0123456789"))
}

func isBase64(s string) bool {
	head := strings.Join(strings.Fields(s[:min(len(s), 400)]), "")
	head = head[:len(head)&^3]
	_, err := base64.StdEncoding.DecodeString(head)
	return err == nil && len(head) > 100
}

// isDiagnosisCode reports codes of ICD-10 and of the national editions of it, and of GB/T 15657 for traditional medicine.
func isDiagnosisCode(s string) bool {
	if len(s) < 3 || len(s) > 16 || !isASCII(s) || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	digits := 0
	for _, c := range s[1:] {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' || c == 'x' || c == 'X' || c == '+' || c == '*' || c == '-' || c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return digits >= 2 && s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9' && (len(s) == 3 || s[3] == '.')
}

// isPerson reports whether a text reads like the name of a Chinese person: a surname, and one to three characters.
func isPerson(s string) bool {
	runes := []rune(s)
	if len(runes) < 2 || len(runes) > 12 || !unicode.Is(unicode.Han, runes[0]) {
		return false
	}
	n := personname.Parse(s)
	switch n.Kind {
	case personname.Minority, personname.Newborn:
		return true
	case personname.Chinese:
		return len(runes) <= 4 && strings.ContainsRune(surnames, runes[0]) && !strings.ContainsRune(neverLast, runes[len(runes)-1])
	}
	return false
}

// surnames are the common ones, nine in ten people's, and the first characters of those of two.
const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文" +
	"庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来" +
	"嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺欧阳上官诸葛司马东方独孤南宫皇甫慕容令狐端木公孙尉迟"

// neverLast are characters that end names of things far more often than those of people.
const neverLast = "科室病炎痛片囊液剂术查验定量素酶糖血尿症瘤癌型类目号院部酸盐钾钠氯钙磷镁铁胞白醇酯肽原体率值比数"

var (
	sexWords  = words("男 女 男性 女性 m f male female 未知 不详 0 1 2 9 u 未说明 未知的性别 man woman")
	flagWords = words("N P H L HH LL A AA ↑ ↓ ↑↑ ↓↓ * M Z C Q 正常 异常 偏高 偏低 高 低 S I R")
	freqWords = words("qd bid tid qid qn qod qw biw tiw q2h q3h q4h q6h q8h q12h st prn qm am pm hs ac pc sos once 每日一次 每日两次 每日三次 每日四次 一日一次 一日二次 一日两次 一日三次 每日1次 每日2次 每日3次 1日1次 1日2次 1日3次 一天一次 一天两次 一天三次 每天一次 每天两次 每天三次 每晚 每晚一次 睡前 必要时 立即 每周一次 隔日一次 1次/日 2次/日 3次/日 顿服")
	yesWords  = words("0 1 y n yes no true false 是 否 有 无 t f")
	unitWords = words("片 粒 袋 盒 瓶 支 贴 丸 枚 剂 包 付 板 g mg ml u iu μg ug 克 毫克 毫升 喷 滴 揿 次 吸 cm 国际单位 单位")
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// theDates reads dates as most institutions write them.
var theDates = datetime.Options{Zone: datetime.China()}
