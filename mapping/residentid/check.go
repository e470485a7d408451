package residentid

import (
	"strings"
	"time"
)

// weights are 2^(17-i) mod 11 for the digits of ISO/IEC 7064 MOD 11-2.
var weights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// CheckDigit returns the eighteenth character for the seventeen digits before it, or 0 when they are not seventeen digits.
func CheckDigit(first17 string) byte {
	if len(first17) != 17 || !digits(first17) {
		return 0
	}
	sum := 0
	for i, w := range weights {
		sum += int(first17[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// settle fills in what a number of 18 characters with a good check digit says.
func (id *ID) settle(s string) {
	if s[6:14] == "19000101" { // the birth date of forms filled in with nothing
		id.Reason = Placeholder
		return
	}
	id.Number, id.Valid = s, true
	id.Birth = s[6:10] + "-" + s[10:12] + "-" + s[12:14]
	id.Sex = Female
	if (s[16]-'0')%2 == 1 {
		id.Sex = Male
	}
	id.Kind, id.Assigned = Resident, province(s[:2])
	switch s[:2] {
	case "81":
		id.Kind = HongKongPermit
	case "82":
		id.Kind = MacaoPermit
	case "83":
		id.Kind = TaiwanPermit
	}
	// The foreigner's card is 9, the province that issued it, the nationality in three digits, and then as the others.
	if s[0] == '9' && province(s[1:3]) {
		id.Kind, id.Assigned = Foreigner, true
	}
}

// province reports whether GB/T 2260 assigns the two digits.
func province(s string) bool {
	return len(s) == 2 && strings.Contains(" 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54"+
		" 61 62 63 64 65 71 81 82 83 ", " "+s+" ")
}

// calendar reports whether the eight digits are a day from 1800 to 2199.
func calendar(s string) bool {
	if s < "18000101" || s > "21991231" {
		return false
	}
	_, err := time.Parse("20060102", s)
	return err == nil
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compact drops spaces and dashes and makes letters large.
func compact(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return ignored(r) || r >= 'a' && r <= 'z' }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case ignored(r):
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func ignored(r rune) bool {
	switch r {
	case ' ', '\t', '\r', '\n', '-', '_', '.', '\'', '"', '–', '—', '‐', '‑':
		return true
	}
	return false
}

// legacy reports whether s has the form of the foreigner's card before 2023: CHN110080010101.
func legacy(s string) bool {
	if len(s) != 15 || !digits(s[3:]) {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// placeholder reports whether s stands for "none": a word, one character repeated, or digits counted up.
func placeholder(s string) bool {
	switch s {
	case "无", "没有", "暂无", "不详", "未知", "未填", "未提供", "未带", "未带证件", "无身份证", "无证件", "拒绝", "拒绝提供", "不愿提供", "空", "NULL", "NIL",
		"NONE", "N/A", "NA", "UNKNOWN", "(NULL)", "<NULL>", "/", "*", "?":
		return true
	}
	same, counted := true, len(s) >= 6
	for i := 1; i < len(s); i++ {
		same = same && s[i] == s[0]
		next := s[i-1] + 1
		counted = counted && (s[i] == next || s[i-1] == '9' && (s[i] == '0' || s[i] == '1'))
	}
	return (same || counted) && (digits(s) || len(s) > 1 && strings.IndexByte("X*", s[0]) >= 0 && same)
}
