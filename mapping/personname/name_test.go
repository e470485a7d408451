package personname_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping/personname"
)

func TestParse(t *testing.T) {
	type name = personname.Name
	const (
		chinese  = personname.Chinese
		minority = personname.Minority
		latin    = personname.Latin
		newborn  = personname.Newborn
		other    = personname.Other
	)
	for _, c := range []struct {
		in   string
		want name
	}{
		{"张三", name{Kind: chinese, Text: "张三", Family: "张", Given: []string{"三"}}},
		{"张三丰", name{Kind: chinese, Text: "张三丰", Family: "张", Given: []string{"三丰"}}},
		{"欧阳修", name{Kind: chinese, Text: "欧阳修", Family: "欧阳", Given: []string{"修"}}},
		{"诸葛孔明", name{Kind: chinese, Text: "诸葛孔明", Family: "诸葛", Given: []string{"孔明"}}},
		{"司马", name{Kind: chinese, Text: "司马", Family: "司", Given: []string{"马"}}},
		{"万俟卨", name{Kind: chinese, Text: "万俟卨", Family: "万俟", Given: []string{"卨"}}},
		{"李", name{Kind: chinese, Text: "李", Family: "李"}},
		{"王李小明", name{Kind: chinese, Text: "王李小明", Family: "王", Given: []string{"李小明"}}},
		{"张　三", name{Kind: chinese, Text: "张三", Family: "张", Given: []string{"三"}}},
		{"张 三 丰", name{Kind: chinese, Text: "张三丰", Family: "张", Given: []string{"三丰"}}},
		{"范徐 丽泰", name{Kind: chinese, Text: "范徐丽泰", Family: "范徐", Given: []string{"丽泰"}}},
		{" 张三 ", name{Kind: chinese, Text: "张三", Family: "张", Given: []string{"三"}}},
		{"𠮷田一郎", name{Kind: chinese, Text: "𠮷田一郎", Family: "𠮷", Given: []string{"田一郎"}}},
		{"王𨐈", name{Kind: chinese, Text: "王𨐈", Family: "王", Given: []string{"𨐈"}}},
		{"王\ue123", name{Kind: chinese, Text: "王\ue123", Family: "王", Given: []string{"\ue123"}}},
		{"王〇一", name{Kind: chinese, Text: "王〇一", Family: "王", Given: []string{"〇一"}}},
		{"买买提·艾力", name{Kind: minority, Text: "买买提·艾力", Given: []string{"买买提", "艾力"}}},
		{"买买提•艾力", name{Kind: minority, Text: "买买提·艾力", Given: []string{"买买提", "艾力"}}},
		{"阿卜杜拉．热合曼．艾山", name{Kind: minority, Text: "阿卜杜拉·热合曼·艾山", Given: []string{"阿卜杜拉", "热合曼", "艾山"}}},
		{"买买提 · 艾力", name{Kind: minority, Text: "买买提·艾力", Given: []string{"买买提", "艾力"}}},
		{"John A Smith", name{Kind: latin, Text: "John A Smith", Family: "Smith", Given: []string{"John", "A"}}},
		{"SMITH, John A.", name{Kind: latin, Text: "SMITH, John A.", Family: "SMITH", Given: []string{"John", "A."}}},
		{"ＳＭＩＴＨ　Ｊｏｈｎ", name{Kind: latin, Text: "SMITH John", Family: "John", Given: []string{"SMITH"}}},
		{"O'Brien-Müller", name{Kind: latin, Text: "O'Brien-Müller", Given: []string{"O'Brien-Müller"}}},
		{"阿卜杜热合曼买买提", name{Kind: other, Text: "阿卜杜热合曼买买提"}},
		{"张三(复诊)", name{Kind: other, Text: "张三(复诊)"}},
		{"张三2", name{Kind: other, Text: "张三2"}},
		{strings.Repeat("张", 100), name{Kind: other, Text: strings.Repeat("张", 100)}},
		{"张三之女", name{Kind: newborn, Text: "张三之女", Mother: "张三", Sex: "female"}},
		{"张三之子", name{Kind: newborn, Text: "张三之子", Mother: "张三", Sex: "male"}},
		{"欧阳修之婴", name{Kind: newborn, Text: "欧阳修之婴", Mother: "欧阳修"}},
		{"张三 之女", name{Kind: newborn, Text: "张三之女", Mother: "张三", Sex: "female"}},
		{"张三女婴", name{Kind: newborn, Text: "张三女婴", Mother: "张三", Sex: "female"}},
		{"张三之男婴", name{Kind: newborn, Text: "张三之男婴", Mother: "张三", Sex: "male"}},
		{"张三之子甲", name{Kind: newborn, Text: "张三之子甲", Mother: "张三", Sex: "male", Order: 1}},
		{"张三之女二", name{Kind: newborn, Text: "张三之女二", Mother: "张三", Sex: "female", Order: 2}},
		{"张三之大女", name{Kind: newborn, Text: "张三之大女", Mother: "张三", Sex: "female", Order: 1}},
		{"张三之次子", name{Kind: newborn, Text: "张三之次子", Mother: "张三", Sex: "male", Order: 2}},
		{"王之子", name{Kind: chinese, Text: "王之子", Family: "王", Given: []string{"之子"}}},
		{"李大女", name{Kind: chinese, Text: "李大女", Family: "李", Given: []string{"大女"}}},
		{"毛毛", name{Kind: chinese, Text: "毛毛", Family: "毛", Given: []string{"毛"}}},
		{"", name{}}, {" \u3000", name{}},
	} {
		t.Run(c.in[:min(len(c.in), 30)], func(t *testing.T) {
			if d := cmp.Diff(c.want, personname.Parse(c.in)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	for _, s := range []string{"无名氏", "未知", "不详", "无名氏1", "无名氏三号", "未知01", "N/A", "null", "--", "？", "***", "(无名氏)", "匿名", "TEST"} {
		if n := personname.Parse(s); n.Kind != personname.Placeholder || n.Family != "" || n.Text == "" {
			t.Errorf("%s: kind %v", s, n.Kind)
		}
	}
	for _, s := range []string{"无忌", "张不详", "未央", "某力"} {
		if n := personname.Parse(s); n.Kind != personname.Chinese {
			t.Errorf("%s: kind %v", s, n.Kind)
		}
	}
}

func TestPinyin(t *testing.T) {
	for _, c := range []struct {
		in, full, initials string
		complete           bool
	}{
		{"张三", "zhang san", "zs", true},
		{"单雄信", "shan xiongxin", "sxx", true},
		{"曾国藩", "zeng guofan", "zgf", true},
		{"仇英", "qiu ying", "qy", true},
		{"解缙", "xie jin", "xj", true},
		{"区楚良", "ou chuliang", "ocl", true},
		{"查良镛", "zha liangyong", "zly", true},
		{"尉迟恭", "yuchi gong", "ycg", true},
		{"万俟卨", "moqi xie", "mqx", true},
		{"万里", "wan li", "wl", true},
		{"欧阳修", "ouyang xiu", "oyx", true},
		{"朴树", "piao shu", "ps", true},
		{"盖叫天", "ge jiaotian", "gjt", true},
		{"翟志刚", "zhai zhigang", "zzg", true},
		{"吕布", "lv bu", "lb", true},
		{"李女", "li nv", "ln", true},
		{"𠮷祥", "ji xiang", "jx", true},
		{"王\ue123", "wang \ue123", "w\ue123", false},
		{"单于无忌", "chanyu wuji", "cywj", true},
		{"买买提·艾力", "maimaitiaili", "mmtal", true},
		{"John Smith", "john smith", "js", true},
		{"无名氏", "", "", false},
		{"", "", "", false},
	} {
		t.Run(c.in, func(t *testing.T) {
			got := personname.Parse(c.in).Pinyin()
			if got.String() != c.full || got.Initials != c.initials || got.Complete != c.complete {
				t.Errorf("Pinyin = %q, %q, %v, want %q, %q, %v", got, got.Initials, got.Complete, c.full, c.initials, c.complete)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"张三", "欧阳修之女", "买买提·艾力", "SMITH, John", "𠮷田", "·", "之子", "\xff", "张三之大女", "王 ·"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := personname.Parse(s)
		if !utf8.ValidString(n.Text) {
			t.Error("the text is not UTF-8")
		}
		if n.Kind == personname.Chinese && n.Family+strings.Join(n.Given, "") != n.Text {
			t.Error("the parts are not the whole")
		}
		if n.Kind == personname.Newborn && !strings.HasPrefix(n.Text, n.Mother) {
			t.Error("the mother's name is not in the text")
		}
		if again := personname.Parse(n.Text); again.Kind != n.Kind {
			t.Errorf("kind %v, read again %v", n.Kind, again.Kind)
		}
		n.Pinyin()
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		personname.Parse("诸葛孔明")
	}
}

func BenchmarkPinyin(b *testing.B) {
	n := personname.Parse("诸葛孔明")
	b.ReportAllocs()
	for b.Loop() {
		n.Pinyin()
	}
}
