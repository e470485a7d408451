package alliancegen

import (
	"fmt"
	"time"
)

// divisions are codes that GB/T 2260 does not assign.
var divisions = []string{"990102", "990103", "990121", "990122", "990181"}

// residentID makes an 18-character resident number (GB 11643): division, birth date,
// a sequence whose last digit is odd for men, and a check character.
func residentID(r *rng, sex string, birth time.Time) string {
	seq := r.between(10, 498) * 2
	if sex == "male" {
		seq++
	}
	body := fmt.Sprintf("%s%s%03d", pick(r, divisions), birth.Format("20060102"), seq)
	return body + string(checkCharacter(body))
}

// checkCharacter is ISO 7064 MOD 11-2 over 17 digits.
func checkCharacter(body string) byte {
	p := 0
	for i := range len(body) {
		p = (p + int(body[i]-'0')) * 2 % 11
	}
	return "10X98765432"[(p % 11)]
}

// fifteen returns the number as it was written before 1999: two-digit year, no check.
func fifteen(id string) string { return id[:6] + id[8:17] }

// phone makes a mobile number of a prefix that no carrier has.
func phone(r *rng) string { return fmt.Sprintf("12%d%08d", r.intn(10), r.intn(1e8)) }

// healthCard makes a health card number; its form is invented.
func healthCard(r *rng) string { return fmt.Sprintf("JK99%012d", r.next()%1e12) }
