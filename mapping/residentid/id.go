package residentid

import (
	"strings"
	"time"

	"github.com/yilian/yilian/mapping/fold"
)

// ID is what a text says as an identity number. It is safe to copy.
type ID struct {
	Number   string // as to be stored: 18 characters, capital X, when Valid; otherwise the text, folded and without spaces
	Kind     Kind
	Valid    bool
	Reason   Reason // why it is not Valid
	Upgraded bool   // the text had the 15 digits of before 1999
	Assigned bool   // the first two digits are a province; unassigned codes serve test data
	Birth    string // YYYY-MM-DD, when Valid
	Sex      Sex    // when Valid
}

// Kind is the kind of document that a number belongs to.
type Kind uint8

// The documents.
const (
	Unknown         Kind = iota
	Resident             // 居民身份证
	HongKongPermit       // 港澳台居民居住证 of 香港
	MacaoPermit          // of 澳门
	TaiwanPermit         // of 台湾
	Foreigner            // 外国人永久居留身份证, version of 2023
	ForeignerLegacy      // 外国人永久居留证, three letters and twelve digits: known, but not checkable
)

func (k Kind) String() string {
	return [...]string{"unknown", "resident", "hongkong-permit", "macao-permit", "taiwan-permit", "foreigner",
		"foreigner-legacy"}[k]
}

// Sex is the administrative sex that the seventeenth digit states, a code of http://hl7.org/fhir/administrative-gender.
type Sex string

// The sexes a number can state.
const (
	Male   Sex = "male"
	Female Sex = "female"
)

// Reason is why a text is no valid number.
type Reason uint8

// The reasons, OK for valid numbers.
const (
	OK          Reason = iota
	Empty              // nothing was written
	Placeholder        // a text or a number that stands for "none"
	Masked             // some digits are hidden
	Length             // neither 18 nor 15 characters
	Characters         // something other than digits and a final X
	BirthDate          // no such day
	WrongCheck         // the last character does not fit: a typing error
	Uncheckable        // a kind of number that carries no check
)

func (r Reason) String() string {
	return [...]string{"", "empty", "placeholder", "masked", "length", "characters", "birth date", "check digit",
		"uncheckable"}[r]
}

// Missing reports whether the reason means that no number was given, as against a wrong one.
func (r Reason) Missing() bool { return r == Empty || r == Placeholder || r == Masked }

// PlausibleAt reports whether somebody with this number could be alive on the day of t: born by then, and less than 130 years before.
func (id ID) PlausibleAt(t time.Time) bool {
	born, err := time.Parse(time.DateOnly, id.Birth)
	return err == nil && !born.After(t.AddDate(0, 0, 1)) && born.After(t.AddDate(-130, 0, 0))
}

// maxLength bounds what is looked at; no spelling of a number is longer.
const maxLength = 128

// Parse reads an identity number. It accepts full-width digits, spaces, hyphens, a small x and 15 digits. It never fails:
// what is wrong is in the Reason.
func Parse(text string) ID {
	if len(text) > maxLength {
		return ID{Number: text, Reason: Length}
	}
	s := compact(fold.Text(text))
	if s == "" {
		return ID{Reason: Empty}
	}
	id := ID{Number: s}
	switch {
	case placeholder(s):
		id.Reason = Placeholder
	case strings.ContainsAny(s, "*#•●") || strings.Contains(strings.TrimSuffix(s, "X"), "X") && len(s) == 18:
		id.Reason = Masked
	case legacy(s):
		id.Kind, id.Reason = ForeignerLegacy, Uncheckable
	case len(s) == 18:
		id.parse18(s)
	case len(s) == 15:
		id.parse15(s)
	default:
		id.Reason = Length
	}
	return id
}

func (id *ID) parse18(s string) {
	if !digits(s[:17]) || !digits(s[17:]) && s[17] != 'X' {
		id.Reason = Characters
		return
	}
	if !calendar(s[6:14]) {
		id.Reason = BirthDate
		return
	}
	if CheckDigit(s[:17]) != s[17] {
		id.Reason = WrongCheck
		return
	}
	id.settle(s)
}

// parse15 inserts the century and appends the check digit. Sequence numbers 996 to 999 were kept for people born before 1900.
func (id *ID) parse15(s string) {
	if !digits(s) {
		id.Reason = Characters
		return
	}
	century := "19"
	if s[12] == '9' && s[13] == '9' && s[14] >= '6' {
		century = "18"
	}
	s = s[:6] + century + s[6:]
	if !calendar(s[6:14]) {
		id.Reason = BirthDate
		return
	}
	id.Upgraded = true
	id.settle(s + string(CheckDigit(s)))
}
