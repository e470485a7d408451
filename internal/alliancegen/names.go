package alliancegen

import "strings"

// A sign is a character and its pinyin.
type sign struct{ han, pinyin string }

func signs(s string) []sign {
	var out []sign
	f := strings.Fields(s)
	for i := 0; i+1 < len(f); i += 2 {
		out = append(out, sign{f[i], f[i+1]})
	}
	return out
}

var (
	surnames = signs("赵 Zhao 钱 Qian 孙 Sun 李 Li 周 Zhou 吴 Wu 郑 Zheng 王 Wang 冯 Feng 陈 Chen 褚 Chu 卫 Wei 蒋 Jiang 沈 Shen 韩 Han 杨 Yang " +
		"朱 Zhu 秦 Qin 许 Xu 何 He 施 Shi 张 Zhang 孔 Kong 曹 Cao 严 Yan 华 Hua 金 Jin 魏 Wei 陶 Tao 姜 Jiang 谢 Xie 邹 Zou 喻 Yu 柏 Bai 窦 Dou 章 Zhang")
	// Surnames that are read otherwise than the character alone, and two-character ones.
	rareSurnames = signs("单 Shan 仇 Qiu 曾 Zeng 欧阳 Ouyang 上官 Shangguan 诸葛 Zhuge")
	maleSigns    = signs("建 Jian 国 Guo 志 Zhi 强 Qiang 明 Ming 伟 Wei 军 Jun 磊 Lei 勇 Yong 杰 Jie 涛 Tao 超 Chao 刚 Gang 平 Ping 辉 Hui 鹏 Peng 林 Lin 东 Dong 海 Hai 波 Bo")
	femaleSigns  = signs("秀 Xiu 英 Ying 丽 Li 芳 Fang 娜 Na 敏 Min 静 Jing 艳 Yan 娟 Juan 霞 Xia 兰 Lan 玉 Yu 梅 Mei 红 Hong 燕 Yan 婷 Ting 雪 Xue 慧 Hui 莉 Li 琴 Qin")
	// Characters whose GBK trail byte is one of HL7's delimiters.
	backslashSigns = signs("琝 Min 璡 Jin 焅 Ku")
	caretSigns     = signs("玘 Qi 琟 Wei 榐 Zhan")
	barSigns       = signs("珅 Shen 瑋 Wei 晐 Gai")
	tildeSigns     = signs("珇 Zu 瑍 Huan 晘 Han")
	// Characters that take four bytes in GB18030.
	fourByteSigns = signs("𠮷 Ji 𨐈 Xin 㛃 Jie")
)

// streets contain 東 (trail byte |), 錦 (\), 館 (^) and 魚 (~).
var streets = []string{"锦绣路", "東湖路", "錦江里", "图书館巷", "金魚街", "解放路", "人民路", "青年巷", "建设大道", "石桥村"}

type fullName struct{ han, pinyin string } // pinyin "Zhao^Qi" is family and given

func (n fullName) family() string { f, _, _ := strings.Cut(n.pinyin, " "); return f }
func (n fullName) given() string  { _, g, _ := strings.Cut(n.pinyin, " "); return g }

func givenSigns(sex string) []sign {
	if sex == "male" {
		return maleSigns
	}
	return femaleSigns
}

// name makes a name nobody else in the set has. With extra signs the last character
// is one of them.
func (s *story) name(sex string, family []sign, extra []sign) fullName {
	for {
		f := pick(s.r, family)
		a := pick(s.r, givenSigns(sex))
		b := pick(s.r, givenSigns(sex))
		if extra != nil {
			b = pick(s.r, extra)
		}
		n := fullName{f.han + a.han + b.han, f.pinyin + " " + a.pinyin + strings.ToLower(b.pinyin)}
		if s.r.intn(5) == 0 || extra != nil && s.r.intn(2) == 0 {
			n = fullName{f.han + b.han, f.pinyin + " " + b.pinyin}
		}
		if !s.names[n.han] {
			s.names[n.han] = true
			return n
		}
	}
}
