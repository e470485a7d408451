package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// The names of the encodings met most.
const (
	ASCII   = "US-ASCII"
	UTF8    = "UTF-8"
	UTF16LE = "UTF-16LE"
	UTF16BE = "UTF-16BE"
	GB18030 = "GB18030"
)

// Canonical returns the encoding that a sender means by name: a value of HL7 v2
// table 0211 ("GB 18030-2000", "UNICODE UTF-8", "8859/1"), an IANA name or a
// common misspelling of one. GBK and GB2312 are GB18030.
func Canonical(name string) (string, bool) {
	key := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		default:
			return -1
		}
	}, name)
	c, ok := names[key]
	return c, ok
}

var names = map[string]string{
	"ascii": ASCII, "usascii": ASCII, "isoir6": ASCII, "ansix341968": ASCII, "iso646": ASCII,
	"utf8": UTF8, "unicodeutf8": UTF8, "unicode": UTF8, "utf8unicode": UTF8, "iso10646": UTF8, "isoir192": UTF8, "utf8bom": UTF8,
	"utf16": UTF16LE, "unicodeutf16": UTF16LE, "utf16le": UTF16LE, "ucs2": UTF16LE, "utf16be": UTF16BE,
	"gb18030": GB18030, "gb180302000": GB18030, "gb180302005": GB18030, "gb180302022": GB18030, "gbk": GB18030,
	"gb2312": GB18030, "gb23121980": GB18030, "gb231280": GB18030, "euccn": GB18030, "cp936": GB18030, "ms936": GB18030,
	"windows936": GB18030, "936": GB18030, "isoir58": GB18030, "hzgb2312": GB18030, "zhs16gbk": GB18030, "zhs32gb18030": GB18030,
	"88591": "ISO-8859-1", "iso88591": "ISO-8859-1", "latin1": "ISO-8859-1", "isoir100": "ISO-8859-1",
	"88592": "ISO-8859-2", "iso88592": "ISO-8859-2", "isoir101": "ISO-8859-2",
	"88593": "ISO-8859-3", "iso88593": "ISO-8859-3", "isoir109": "ISO-8859-3",
	"88594": "ISO-8859-4", "iso88594": "ISO-8859-4", "isoir110": "ISO-8859-4",
	"88595": "ISO-8859-5", "iso88595": "ISO-8859-5", "isoir144": "ISO-8859-5",
	"88596": "ISO-8859-6", "iso88596": "ISO-8859-6", "isoir127": "ISO-8859-6",
	"88597": "ISO-8859-7", "iso88597": "ISO-8859-7", "isoir126": "ISO-8859-7",
	"88598": "ISO-8859-8", "iso88598": "ISO-8859-8", "isoir138": "ISO-8859-8",
	"88599": "ISO-8859-9", "iso88599": "ISO-8859-9", "isoir148": "ISO-8859-9",
	"885915": "ISO-8859-15", "iso885915": "ISO-8859-15",
	"windows1252": "windows-1252", "cp1252": "windows-1252", "ansi": "windows-1252",
	"big5": "Big5", "cp950": "Big5", "cns116431992": "Big5",
	"ksx1001": "EUC-KR", "euckr": "EUC-KR", "ksc5601": "EUC-KR",
}

// encodings are those that x/text decodes for us; UTF-8 and ASCII need no table.
var encodings = map[string]encoding.Encoding{
	GB18030:        simplifiedchinese.GB18030,
	"ISO-8859-1":   charmap.ISO8859_1,
	"ISO-8859-2":   charmap.ISO8859_2,
	"ISO-8859-3":   charmap.ISO8859_3,
	"ISO-8859-4":   charmap.ISO8859_4,
	"ISO-8859-5":   charmap.ISO8859_5,
	"ISO-8859-6":   charmap.ISO8859_6,
	"ISO-8859-7":   charmap.ISO8859_7,
	"ISO-8859-8":   charmap.ISO8859_8,
	"ISO-8859-9":   charmap.ISO8859_9,
	"ISO-8859-15":  charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252,
	"Big5":         traditionalchinese.Big5,
	"EUC-KR":       korean.EUCKR,
}
