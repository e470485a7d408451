package alliancegen

import (
	"strings"
	"testing"
)

// Institutions are invented, their codes are such as GB 11714 has: eight characters and one that checks them.
func TestInstitutionsHaveOrganizationCodes(t *testing.T) {
	const characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	check := func(code string) bool {
		if len(code) != 9 {
			return false
		}
		sum := 0
		for i, weight := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
			sum += weight * strings.IndexByte(characters, code[i])
		}
		return "0123456789X"[(11-sum%11)%11] == code[8]
	}
	for _, wrong := range []string{"990121001", "990121004", "99012100X", "9901210030"} {
		if check(wrong) {
			t.Fatalf("%s counts as right", wrong)
		}
	}
	codes := map[string]string{communityOrganisation: Community}
	for member, code := range countyMember {
		codes[code] = member
	}
	for code, member := range codes {
		if !check(code) || !strings.HasPrefix(code, "99") {
			t.Errorf("%s has the code %s", member, code)
		}
	}
	if len(codes) != 5 {
		t.Errorf("%d institutions have codes", len(codes))
	}
}
