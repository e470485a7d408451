package codes

import (
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// CodingSystem returns the URI of a coding system named as in HL7 v2 table 0396: LN, SCT, I10, HL70078, ISO3166_1, or a URI or
// OID itself. Local names (L, 99xxx) and unknown ones have none: the institution says what they mean.
func CodingSystem(name string) (string, bool) {
	s := fold.Text(name)
	if s == "" || len(s) > MaxCodeLength {
		return "", false
	}
	upper := strings.ToUpper(s)
	if upper == "L" || strings.HasPrefix(upper, "99") && len(s) > 2 {
		return "", false
	}
	for _, table := range [...]string{"v2-0396", "v2-0396-china"} {
		t, _ := Builtin(table)
		if tr := t.Translate(s); tr.Mapped() {
			return tr.Target.Code, true
		}
	}
	if table, ok := strings.CutPrefix(upper, "HL7"); ok && digits(table) && len(table) == 4 {
		return "http://terminology.hl7.org/CodeSystem/v2-" + table, true
	}
	switch {
	case oid(s):
		return "urn:oid:" + s, true
	case uri(s):
		return s, true
	}
	return "", false
}

// UniversalID returns the URI of a universal id with its type, of HL7 v2 table 0301, as in HD.2 and HD.3. It reports false for
// types that are names rather than identifiers of the world, and for ids that do not have the form of their type.
func UniversalID(id, kind string) (string, bool) {
	id = fold.Text(id)
	if id == "" || len(id) > 255 || strings.ContainsAny(id, " <>\"") {
		return "", false
	}
	switch strings.ToUpper(fold.Text(kind)) {
	case "ISO":
		id = strings.TrimPrefix(id, "urn:oid:")
		return "urn:oid:" + id, oid(id)
	case "UUID", "GUID":
		id = strings.ToLower(strings.Trim(strings.TrimPrefix(id, "urn:uuid:"), "{}"))
		return "urn:uuid:" + id, uuid(id)
	case "URI":
		return id, strings.Contains(id, ":")
	case "DNS":
		return "https://" + strings.ToLower(id), hostname(id)
	case "": // the type left out, the form tells
		switch {
		case oid(id):
			return "urn:oid:" + id, true
		case uri(id):
			return id, true
		}
	}
	return "", false
}

// oid reports whether s is an object identifier: numbers with dots, the first 0 to 2, none with a leading zero.
func oid(s string) bool {
	if len(s) < 3 || s[0] > '2' || !strings.Contains(s, ".") {
		return false
	}
	for arc := range strings.SplitSeq(s, ".") {
		if !digits(arc) || len(arc) > 1 && arc[0] == '0' {
			return false
		}
	}
	return s[1] == '.'
}

func uuid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func hostname(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '-' || s[i] == '.') {
			return false
		}
	}
	return strings.Contains(s, ".") && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".") && !strings.Contains(s, "..")
}
