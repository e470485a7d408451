package alliancetest_test

import (
	"os"
	"path"
	"slices"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/maptest"
)

// standard are tables of the interface documents that are a national one: the built-in table serves them.
var standard = map[string]string{
	"city-hospital/ethnicity": "gb-ethnicity", "county-hospital/ethnicity": "gb-ethnicity", "city-hospital/marital": "gb-marital",
	"township-center/ethnicity": "gb-ethnicity",
}

// further are tables whose target the documents give for another purpose than coding: an allergen's category is not its code.
var further = map[string]string{"allergens": "allergen-category"}

func tableNamed(t *testing.T, institution, name string) *codes.Table {
	t.Helper()
	if b := standard[institution+"/"+name]; b != "" {
		table, ok := codes.Builtin(b)
		if !ok {
			t.Fatalf("no built-in table %s", b)
		}
		return table
	}
	f, err := os.Open(path.Join(institutionsDir, institution, "codes", name+".csv"))
	if err != nil {
		t.Error(err)
		return nil
	}
	defer f.Close()
	table, problems, err := codes.ParseTable(name, f, codes.TableOptions{Source: codes.LocalSystem("", institution, name)})
	if err != nil || len(problems) > 0 {
		t.Fatal(institution, name, err, problems)
	}
	return table
}

func TestTablesHaveEveryLocalCode(t *testing.T) {
	for institution, tables := range alliancegen.Codes() {
		for _, want := range tables {
			table := tableNamed(t, institution, want.Name)
			targets := table
			if other := further[want.Name]; other != "" {
				targets = tableNamed(t, institution, other)
			}
			if table == nil || targets == nil {
				continue
			}
			for _, row := range want.Rows {
				if row.Code == "" {
					continue // the documents say what an empty field means
				}
				if !table.Translate(row.Code).Found() {
					t.Errorf("%s/%s: no code %s", institution, want.Name, row.Code)
					continue
				}
				got := targets.Translate(row.Code).Target
				if row.Target != "" && (got.Code != row.Target || got.System != row.System) {
					t.Errorf("%s/%s: %s is %s|%s, want %s|%s", institution, want.Name, row.Code, got.System, got.Code, row.System, row.Target)
				}
			}
		}
	}
}

// ownTargets are tables whose codes the documents leave without a standard code; the alliance has code systems of its own.
var ownTargets = []string{"referral-direction", "referral-reason", "growth"}

func TestTablesClaimNoMoreThanTheDocuments(t *testing.T) {
	for institution, tables := range alliancegen.Codes() {
		for _, want := range tables {
			if slices.Contains(ownTargets, want.Name) || standard[institution+"/"+want.Name] != "" || further[want.Name] != "" {
				continue
			}
			table := tableNamed(t, institution, want.Name)
			if table == nil {
				continue
			}
			for _, row := range want.Rows {
				if got := table.Translate(row.Code).Target; row.Target == "" && got.Code != "" {
					t.Errorf("%s/%s: %s is %s, which no document says", institution, want.Name, row.Code, got.Code)
				}
			}
		}
	}
}

func TestCasesOfTheMembersPass(t *testing.T) {
	loaded, err := institutions()
	if err != nil {
		t.Fatal(err)
	}
	for id, inst := range loaded {
		cases, err := maptest.Cases(os.DirFS(path.Join(institutionsDir, id)))
		if err != nil {
			t.Fatal(err)
		}
		if len(cases) < 5 {
			t.Errorf("%s: %d cases", id, len(cases))
		}
		for _, c := range cases {
			if rep := maptest.Run(inst, c); !rep.Passed() {
				t.Errorf("%s: %s", id, rep)
			}
		}
	}
}
