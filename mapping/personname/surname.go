package personname

import (
	"strings"
	"sync"
)

// compounds are the family names of two characters that are in use.
const compounds = `
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 澹臺 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文
司徒 鲜于 司空 闾丘 闾邱 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 穀梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户
公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师 纳兰 叶赫 那拉 完颜
爱新 富察 钮祜 瓜尔 耶律 单于 哥舒 贺兰 贺若 屈突 斛律 宿勤 豆卢 侯莫 库狄 沙吒 欧陽 諸葛 東方 萬俟 尉遲 鍾離 長孫 鮮于 司馬
`

var compoundSet = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, c := range strings.Fields(compounds) {
		m[c] = true
	}
	return m
})

func compound(two string) bool { return compoundSet()[two] }

// readings are family names whose reading differs from the usual one of their characters, which the dictionary gives.
var readings = map[string][]string{
	"单": {"shan"}, "單": {"shan"}, "曾": {"zeng"}, "仇": {"qiu"}, "解": {"xie"}, "区": {"ou"}, "區": {"ou"}, "查": {"zha"},
	"盖": {"ge"}, "蓋": {"ge"}, "朴": {"piao"}, "覃": {"qin"}, "缪": {"miao"}, "繆": {"miao"}, "洗": {"xian"}, "翟": {"zhai"},
	"折": {"she"}, "乐": {"yue"}, "樂": {"yue"}, "召": {"shao"}, "员": {"yun"}, "員": {"yun"}, "贠": {"yun"}, "祭": {"zhai"},
	"能": {"nai"}, "种": {"chong"}, "種": {"chong"}, "黑": {"he"}, "卜": {"bu"}, "秘": {"bi"}, "繁": {"po"}, "都": {"du"},
	"句": {"gou"}, "阚": {"kan"}, "隗": {"wei"}, "郇": {"xun"}, "重": {"chong"}, "会": {"gui"}, "省": {"xing"},
	"万俟": {"mo", "qi"}, "萬俟": {"mo", "qi"}, "尉迟": {"yu", "chi"}, "尉遲": {"yu", "chi"}, "澹台": {"tan", "tai"},
	"澹臺": {"tan", "tai"}, "单于": {"chan", "yu"}, "乐正": {"yue", "zheng"}, "仲长": {"zhong", "chang"},
}
