package charset_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/yilian/yilian/mapping/charset"
	"github.com/yilian/yilian/mapping/record"
)

func gb(t testing.TB, s string) []byte {
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func latin(t testing.TB, s string) []byte {
	b, err := charmap.ISO8859_1.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	const chinese = "检验科|血常规|白细胞计数|标本轻度溶血，结果仅供参考"
	for _, tt := range []struct {
		name     string
		in       []byte
		declared []string
		setting  string
		text     string
		charset  string
		issue    string
	}{
		{"declared GB 18030-2000", gb(t, chinese), []string{"GB 18030-2000"}, "", chinese, "GB18030", ""},
		{"declared GBK", gb(t, chinese), []string{"GBK"}, "", chinese, "GB18030", ""},
		{"declared GB2312 with a four-byte character", gb(t, "王𨐈喆|张𠮷"), []string{"GB2312"}, "", "王𨐈喆|张𠮷", "GB18030", ""},
		{"declared UNICODE UTF-8", []byte(chinese), []string{"UNICODE UTF-8"}, "", chinese, "UTF-8", ""},
		{"declared twice", gb(t, chinese), []string{"ASCII", "GB 18030-2000"}, "", chinese, "GB18030", ""},
		{"declared UTF-8~UNICODE", []byte(chinese), []string{"UTF-8", "UNICODE"}, "", chinese, "UTF-8", ""},
		{"not declared, GB18030", gb(t, chinese), nil, "", chinese, "GB18030", ""},
		{"not declared, UTF-8", []byte(chinese), nil, "", chinese, "UTF-8", ""},
		{"declares UTF-8, is GB18030", gb(t, chinese), []string{"UNICODE UTF-8"}, "", chinese, "GB18030", charset.DeclaredOtherwise},
		{"declares GBK, is UTF-8", []byte(chinese), []string{"GBK"}, "GBK", chinese, "UTF-8", charset.DeclaredOtherwise},
		{"declares ASCII, is GB18030", gb(t, chinese), []string{"ASCII"}, "", chinese, "GB18030", charset.DeclaredOtherwise},
		{"declares 8859/1, is GB18030", gb(t, chinese), []string{"8859/1"}, "", chinese, "GB18030", charset.DeclaredOtherwise},
		{"declared 8859/1", latin(t, "Müller|Café|naïve"), []string{"8859/1"}, "", "Müller|Café|naïve", "ISO-8859-1", ""},
		{"unknown declaration", gb(t, chinese), []string{"KLINGON"}, "", chinese, "GB18030", charset.Unknown},
		{"set to GBK, is UTF-8", []byte(chinese), nil, "GBK", chinese, "UTF-8", charset.SetOtherwise},
		{"one name, set to GB18030", gb(t, "玘"), nil, "GB18030", "玘", "GB18030", ""},
		{"short name that is UTF-8 too, set to GB18030", []byte{0xC4, 0xA3, 0xB0, 0xE5}, nil, "GB18030", "模板", "GB18030", ""},
		{"only micro sign, UTF-8", []byte("5 μmol/L"), nil, "", "5 μmol/L", "UTF-8", ""},
		{"only degree sign, UTF-8", []byte("36.5 °C"), nil, "", "36.5 °C", "UTF-8", ""},
		{"arrow in GB18030", gb(t, "12.6|↑|H"), nil, "", "12.6|↑|H", "GB18030", ""},
		{"ASCII", []byte("MSH|^~\\&|"), nil, "", "MSH|^~\\&|", "US-ASCII", ""},
		{"ASCII declared GB18030", []byte("abc"), []string{"GB18030"}, "", "abc", "GB18030", ""},
		{"byte order mark", []byte("\xEF\xBB\xBFabc"), nil, "", "abc", "UTF-8", ""},
		{"byte order mark against the declaration", []byte("\xEF\xBB\xBF中"), []string{"GBK"}, "", "中", "UTF-8", charset.DeclaredOtherwise},
		{"UTF-16 little endian with mark", []byte("\xFF\xFEa\x00\x2D\x4E"), nil, "", "a中", "UTF-16LE", ""},
		{"UTF-16 big endian with mark", []byte("\xFE\xFF\x00a\x4E\x2D"), []string{"UNICODE UTF-16"}, "", "a中", "UTF-16BE", ""},
		{"UTF-16 without mark", []byte("M\x00S\x00H\x00"), nil, "", "MSH", "UTF-16LE", ""},
		{"UTF-16 surrogates", []byte("\xFF\xFE\x42\xD8\xB7\xDF"), nil, "", "𠮷", "UTF-16LE", ""},
		{"replacement character is a character", gb(t, "a\uFFFD中文字"), []string{"GB18030"}, "", "a\uFFFD中文字", "GB18030", ""},
		{"user-defined character of GBK", append(gb(t, "王"), 0xAA, 0xA1), []string{"GBK"}, "", "王\uE000", "GB18030", ""},
		{"nothing", nil, nil, "", "", "US-ASCII", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := charset.Decode(tt.in, charset.Options{Declared: tt.declared, Setting: tt.setting})
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != tt.text || got.Charset != tt.charset {
				t.Errorf("got %q as %s, want %q as %s", got.Text, got.Charset, tt.text, tt.charset)
			}
			issue := ""
			if len(got.Issues) > 0 {
				issue = got.Issues[0].ID
			}
			if issue != tt.issue || len(got.Issues) > 1 {
				t.Errorf("issues %v, want %q", got.Issues, tt.issue)
			}
		})
	}
}

func TestInvalidBytesAreAnErrorWithTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		name         string
		in           []byte
		declared     string
		code         string
		line, column int
	}{
		{"bad GB18030 trail", append(gb(t, "血常规检查\r\n结果"), 0xB0, 0x20, 'x'), "GB18030", "charset", 2, 5},
		{"bad UTF-8", []byte("检查\n检验\xFF结果"), "UTF-8", "charset", 2, 7},
		{"cut GB18030", append(gb(t, "血常规\r检查"), 0xD6), "GB18030", "truncated", 2, 5},
		{"cut UTF-8", []byte("检查结果\xE6\xA3"), "UTF-8", "truncated", 1, 13},
		{"NUL", []byte("MSH|\nPID|\x00"), "", "nul", 2, 5},
		{"four-byte code beyond Unicode", append(gb(t, "血常规"), 0xFE, 0x39, 0xFE, 0x39), "GB18030", "charset", 1, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := charset.Decode(tt.in, charset.Options{Declared: []string{tt.declared}})
			var at *record.SyntaxError
			if !errors.As(err, &at) {
				t.Fatalf("got %v, want a syntax error", err)
			}
			if at.Code != tt.code || at.Line != tt.line || at.Column != tt.column {
				t.Errorf("got %s at %d:%d, want %s at %d:%d", at.Code, at.Line, at.Column, tt.code, tt.line, tt.column)
			}
		})
	}
}

// Text of the field in either encoding, as short as one field, is told apart
// without any declaration.
func TestDetectionTellsShortTextApart(t *testing.T) {
	words := strings.Fields(`王小明 李秀英 心内科 门诊 阴性(-) 弱阳性(±) 白细胞计数 红细胞 血红蛋白 高血压 头颅CT平扫 未见异常 葡萄糖 尿蛋白 肌酐 总胆固醇
		男 女 汉族 已婚 示范医院 北京市 检验科 放射科 超声 心电图 糖化血红蛋白 甘油三酯 急性上呼吸道感染 溶血 见报告 次/分 ↑ ℃`)
	wrong := 0
	for _, w := range words {
		for want, in := range map[string][]byte{"GB18030": gb(t, w), "UTF-8": []byte(w)} {
			got, err := charset.Decode(in, charset.Options{})
			if err != nil || got.Charset != want || got.Text != w {
				wrong++
				t.Logf("%q in %s was read as %q (%s)", w, want, got.Text, got.Charset)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d readings are wrong", wrong, 2*len(words))
	}
}

func private(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0xE000 && r <= 0xF8FF })
}

func TestEveryCodeThatPassesIsDecodedWithoutReplacement(t *testing.T) {
	check := func(b []byte) {
		got, err := charset.Decode(b, charset.Options{Declared: []string{"GB18030"}})
		if err != nil {
			return
		}
		if strings.ContainsRune(got.Text, utf8.RuneError) && got.Charset == "GB18030" && string(b) != "\x84\x31\xA4\x37" {
			t.Errorf("% x was decoded as U+FFFD", b)
		}
		if back := charset.Encode(got.Text, "GB18030"); got.Charset == "GB18030" && string(back) != string(b) && b[0] != 0x80 && !private(got.Text) && utf8.RuneCountInString(got.Text) == 1 {
			again, err := charset.Decode(back, charset.Options{Declared: []string{"GB18030"}})
			if err != nil || again.Text != got.Text {
				t.Errorf("% x became % x", b, back)
			}
		}
	}
	for a := 0x80; a <= 0xFF; a++ {
		for b := range 256 {
			check([]byte{byte(a), byte(b)})
		}
	}
	for _, a := range []byte{0x81, 0x82, 0x84, 0x85, 0x8F, 0x90, 0x95, 0xA8, 0xE3, 0xE4, 0xFE} {
		for b := byte(0x30); b <= 0x39; b++ {
			for c := 0x80; c <= 0xFF; c++ {
				for d := byte(0x2F); d <= 0x3A; d++ {
					check([]byte{a, b, byte(c), d})
				}
			}
		}
	}
}

func TestRoundTripOfAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "王小明，男，心内科。" + strings.Map(func(r rune) rune {
			if r == 0 || private(string(r)) {
				return -1
			}
			return r
		}, rapid.String().Draw(t, "text"))
		name := rapid.SampledFrom([]string{"UTF-8", "GB18030"}).Draw(t, "charset")
		got, err := charset.Decode(charset.Encode(text, name), charset.Options{Declared: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != text || got.Charset != name {
			t.Fatalf("%q in %s was read as %q (%s)", text, name, got.Text, got.Charset)
		}
	})
}

func TestEncodeForAnswers(t *testing.T) {
	if got := string(charset.Encode("检 A", "US-ASCII")); got != "? A" {
		t.Errorf("got %q", got)
	}
	if got := charset.Encode("é检", "ISO-8859-1"); string(got) != "\xE9?" {
		t.Errorf("got % x", got)
	}
	if got := charset.Encode("a中", "UTF-16BE"); string(got) != "\x00a\x4E\x2D" {
		t.Errorf("got % x", got)
	}
}

// Deciding first and decoding at once give the same.
func TestTheShortWayIsNoOtherWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Custom(func(t *rapid.T) []byte {
			text := rapid.StringOf(rapid.SampledFrom([]rune("王小明玘|^a1μ°𠮷"))).Draw(t, "text")
			in := charset.Encode(text, rapid.SampledFrom([]string{"UTF-8", "GB18030"}).Draw(t, "as"))
			return in[:len(in)-min(len(in), rapid.IntRange(0, 2).Draw(t, "cut"))]
		})).Draw(t, "bytes")
		o := charset.Options{Setting: rapid.SampledFrom([]string{"", "GBK", "UTF-8", "8859/1"}).Draw(t, "setting")}
		if d := rapid.SampledFrom([]string{"", "GB18030", "UTF-8", "?"}).Draw(t, "declared"); d != "" {
			o.Declared = []string{d}
		}
		d, err := charset.Decide(b, o)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := d.Decode(b)
		got, err := charset.Decode(b, o)
		if (err == nil) != (wantErr == nil) || err == nil && (got.Text != want || got.Charset != d.Charset) {
			t.Fatalf("got %q as %s, %v; want %q as %s, %v", got.Text, got.Charset, err, want, d.Charset, wantErr)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|检验科"), "UNICODE UTF-8", "")
	f.Add(gb(f, "MSH|^~\\&|检验科玘𠮷"), "", "GBK")
	f.Add([]byte{0xFF, 0xFE, 0x00}, "GB18030", "UTF-8")
	f.Add([]byte{0x81, 0x30, 0x81}, "8859/1", "Big5")
	f.Fuzz(func(t *testing.T, b []byte, declared, setting string) {
		got, err := charset.Decode(b, charset.Options{Declared: []string{declared}, Setting: setting})
		if err != nil {
			var at *record.SyntaxError
			if !errors.As(err, &at) || at.Code == "" || at.Offset < 0 || at.Offset > int64(len(b)) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if !utf8.ValidString(got.Text) || strings.ContainsRune(got.Text, 0) {
			t.Fatalf("not text: %q", got.Text)
		}
	})
}

func BenchmarkDecodeGB18030(b *testing.B) {
	in := gb(b, strings.Repeat("OBX|1|NM|WBC^白细胞计数^LIS||12.6|10\\S\\9/L|3.5-9.5|↑|||F\r", 20))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := charset.Decode(in, charset.Options{Declared: []string{"GB 18030-2000"}}); err != nil {
			b.Fatal(err)
		}
	}
}
