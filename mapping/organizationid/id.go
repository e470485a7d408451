package organizationid

import (
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// ID is what a text says as an organisation's number. It is safe to copy.
type ID struct {
	Code  string // 18 characters of a credit code, or 9 of an organisation code, without hyphens, when Valid
	Kind  Kind
	Valid bool
}

// Kind is which of the two numbers a text is.
type Kind uint8

// The numbers.
const (
	Unknown      Kind = iota
	Credit            // 统一社会信用代码, 18 characters
	Organization      // 组织机构代码, 9 characters
)

const maxLength = 64

// Parse reads a credit code or an organisation code. It accepts full-width characters, small letters, spaces and hyphens.
// Kind is set by the form alone, Valid by the check characters.
func Parse(text string) ID {
	if len(text) > maxLength {
		return ID{}
	}
	s := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(fold.Text(text)))
	switch {
	case len(s) == 18 && credit(s):
		return ID{Code: s, Kind: Credit, Valid: CreditCheck(s[:17]) == s[17] && OrganizationCheck(s[8:16]) == s[16]}
	case len(s) == 9 && organization(s):
		return ID{Code: s, Kind: Organization, Valid: OrganizationCheck(s[:8]) == s[8]}
	}
	return ID{}
}

// alphabet of GB 32100: digits and capital letters without I, O, S, V and Z.
const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// CreditCheck returns the last character of a credit code for the 17 before it, or 0 when they cannot be one.
// The weights are powers of 3 modulo 31.
func CreditCheck(first17 string) byte {
	if len(first17) != 17 {
		return 0
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(alphabet, first17[i])
		if v < 0 {
			return 0
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return alphabet[(31-sum%31)%31]
}

// OrganizationCheck returns the last character of an organisation code for the 8 before it, or 0 when they cannot be one.
func OrganizationCheck(first8 string) byte {
	if len(first8) != 8 {
		return 0
	}
	sum := 0
	for i, w := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		switch c := first8[i]; {
		case c >= '0' && c <= '9':
			sum += int(c-'0') * w
		case c >= 'A' && c <= 'Z':
			sum += int(c-'A'+10) * w
		default:
			return 0
		}
	}
	switch r := 11 - sum%11; r {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + r)
	}
}

// credit reports whether s has the form of a credit code: registry, category, six digits of a division, and the rest.
func credit(s string) bool {
	if !strings.Contains("123456789ANY", s[:1]) {
		return false
	}
	for i := range 18 {
		if i >= 2 && i < 8 && (s[i] < '0' || s[i] > '9') || strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

func organization(s string) bool {
	for i := range 9 {
		if !(s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'Z') {
			return false
		}
	}
	return true
}
