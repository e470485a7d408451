package organizationid_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/organizationid"
)

func TestParse(t *testing.T) {
	const credit, org = organizationid.Credit, organizationid.Organization
	for _, c := range []struct {
		name, in string
		want     organizationid.ID
	}{
		{"credit code", "91350100M000100Y43", organizationid.ID{Code: "91350100M000100Y43", Kind: credit, Valid: true}},
		{"small letters and spaces", " 91350100 m000100y4 3", organizationid.ID{Code: "91350100M000100Y43", Kind: credit, Valid: true}},
		{"full width", "９１３５０１００M000100Y43", organizationid.ID{Code: "91350100M000100Y43", Kind: credit, Valid: true}},
		{"wrong check", "91350100M000100Y44", organizationid.ID{Code: "91350100M000100Y44", Kind: credit}},
		{"two neighbours swapped", "91350100M001000Y43", organizationid.ID{Code: "91350100M001000Y43", Kind: credit}},
		{"organisation code", "M000100Y-4", organizationid.ID{Code: "M000100Y4", Kind: org, Valid: true}},
		{"organisation code with a wrong check", "M000100Y5", organizationid.ID{Code: "M000100Y5", Kind: org}},
		{"letter that the alphabet has not", "91350100I000100Y43", organizationid.ID{}},
		{"division of letters", "91A50100M000100Y43", organizationid.ID{}},
		{"unknown registry", "Q1350100M000100Y43", organizationid.ID{}},
		{"resident number", "11010519491231002X", organizationid.ID{Code: "11010519491231002X", Kind: credit}},
		{"short", "9135", organizationid.ID{}},
		{"nothing", "", organizationid.ID{}},
		{"Chinese of nine bytes", "医院号", organizationid.ID{}},
		{"Chinese of 18 bytes", "市人民医院号", organizationid.ID{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := organizationid.Parse(c.in); got != c.want {
				t.Errorf("Parse = %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestCheckOfX(t *testing.T) {
	// Of eight digits that differ in the last place, some must have the check character X.
	found := false
	for c := byte('0'); c <= '9'; c++ {
		found = found || organizationid.OrganizationCheck("1234567"+string(c)) == 'X'
	}
	if !found {
		t.Error("no check character X")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"91350100M000100Y43", "M000100Y-4", "", "医院号", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id := organizationid.Parse(s)
		if id.Valid && organizationid.Parse(id.Code) != id {
			t.Error("the code read again differs")
		}
	})
}
