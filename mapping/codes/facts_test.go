package codes_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/mapping/codes"
)

// TestFacts holds the built-in tables to the standards, one line a fact: table, code or alias, target.
func TestFacts(t *testing.T) {
	for fact := range strings.Lines(`
gb-sex 0 unknown
gb-sex 1 male
gb-sex 2 female
gb-sex 9 unknown
gb-sex 男性 male
gb-sex F female
gb-sex 女 female
gb-marital 10 S
gb-marital 20 M
gb-marital 22 M
gb-marital 30 W
gb-marital 40 D
gb-marital 90 UNK
gb-marital 离婚 D
gb-marital-short 1 S
gb-marital-short 2 M
gb-marital-short 3 W
gb-marital-short 4 D
gb-marital-short 9 UNK
cv-idtype 01 NI
cv-idtype 身份证 NI
cv-idtype 03 PPN
cv-idtype 04 MI
cv-idtype 05 DL
cv-idtype 06 HMT
cv-idtype 99 U
cv-visit 1 AMB
cv-visit 2 EMER
cv-visit 3 IMP
cv-visit 9 AMB
visit-names 急诊留观 OBSENC
visit-names 家庭病床 HH
visit-names 互联网诊疗 VR
gb-ethnicity 01 01
gb-ethnicity 汉 01
gb-ethnicity 汉族 01
gb-ethnicity HA 01
gb-ethnicity 1 01
gb-ethnicity 维吾尔族 05
gb-ethnicity 56 56
gb-ethnicity 基诺 56
gb-ethnicity 30 30
gb-ethnicity 土 30
gb-relationship 1 SPS
gb-relationship 5 PRN
gb-relationship 女儿 DAUC
cv-phone 04 home
cv-phone 05 work
cv-phone 01 -
cv-result 1 A
cv-result 2 N
cv-result 3 IND
cv-payment 07 pay
cv-payment 01 PUBLICPOL
cv-payment 99 -
cv-discharge 1 home
cv-discharge 2 other-hcf
cv-discharge 5 exp
report-status-names 作废 entered-in-error
report-status-names 已审核 final
v2-0001 M male
v2-0001 A other
v2-0001 1 male
v2-0001 女 female
v2-0002 A L
v2-0002 G T
v2-0002 O OTH
v2-0002 C -
v2-0003 A01 A01
v2-0003-encounter-status A03 finished
v2-0003-encounter-status A11 cancelled
v2-0004 E EMER
v2-0004 I IMP
v2-0004 O AMB
v2-0004 P PRENC
v2-0004 R R
v2-0004-encounter-status P planned
v2-0007 E E
v2-0027 S stat
v2-0038 CM completed
v2-0038 DC revoked
v2-0038 HD on-hold
v2-0063 MTH MTH
v2-0063 SPO SPS
v2-0063 EMC C
v2-0078 HH HH
v2-0078 AC -
v2-0085 F final
v2-0085 C corrected
v2-0085 W entered-in-error
v2-0085 X cancelled
v2-0112 20 exp
v2-0116 O O
v2-0119 NW active
v2-0119 OC revoked
v2-0119 HR on-hold
v2-0119 SC -
v2-0119-intent NW order
v2-0119-intent ?? order
v2-0123 F final
v2-0123 R partial
v2-0123 X cancelled
v2-0123 Y -
v2-0127-category DA medication
v2-0127-type FA allergy
v2-0128 SV high
v2-0128 MO -
v2-0128-severity MO moderate
v2-0190-use H home
v2-0190-use P -
v2-0190-type M postal
v2-0200 L official
v2-0200 MSK anonymous
v2-0201 WPN work
v2-0202 PH phone
v2-0202 Internet email
v2-0202-use CP mobile
v2-0203 MR MR
v2-0203 NI NI
v2-0270 DS 18842-5
v2-0271 LA final
v2-0273 OB superseded
v2-0278 Noshow noshow
v2-0305 N N
v2-0322 RE not-done
v2-0323 D entered-in-error
v2-0396 LN http://loinc.org
v2-0399 CHN CHN
v2-0399 中国 CHN
v2-0443 AT ATND
v2-0485 S stat
v2-0485 T -
v2-0487 BLD BLD
`) {
		f := strings.Fields(fact)
		if len(f) != 3 {
			continue
		}
		table, ok := codes.Builtin(f[0])
		if !ok {
			t.Errorf("no table %s", f[0])
			continue
		}
		want := strings.TrimPrefix(f[2], "-")
		if got := table.Translate(f[1]); got.Target.Code != want || f[1] != "??" && !got.Found() {
			t.Errorf("%s: %s becomes %q, want %q", f[0], f[1], got.Target.Code, want)
		}
	}
}

func TestReverseOfBuiltins(t *testing.T) {
	for fact, want := range map[string]string{
		"gb-sex male": "1", "gb-sex unknown": "0", "gb-marital M": "20", "v2-0001 female": "F", "v2-0001 other": "O", "v2-0004 IMP": "I", "v2-0085 final": "F",
		"v2-0085 preliminary": "P", "v2-0123 registered": "I", "v2-0119 active": "NW", "v2-0119 revoked": "OC", "v2-0038 active": "IP", "v2-0190-use work": "B", "v2-0202 phone": "PH", "v2-0002 T": "P",
		"cv-visit AMB": "1", "cv-discharge other-hcf": "2",
	} {
		name, target, _ := strings.Cut(fact, " ")
		table, _ := codes.Builtin(name)
		if got, ok := table.Reverse("", target); !ok || got.Code != want {
			t.Errorf("%s goes back to %q, want %q", fact, got.Code, want)
		}
	}
}

func TestUnknownBuiltin(t *testing.T) {
	if _, ok := codes.Builtin("no-such-table"); ok {
		t.Error("a table that is not there")
	}
}
