package server_test

import (
	"io/fs"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/testdata"
)

func TestTheDemoAllianceHoldsOnPostgreSQL(t *testing.T) {
	url := testenv.Postgres(t)
	text, err := fs.ReadFile(testdata.Alliance(), "ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := alliancegen.ReadLedger(text)
	if err != nil {
		t.Fatal(err)
	}
	holds(start(t, true, map[string]string{"store.url": url}), ledger)
}
