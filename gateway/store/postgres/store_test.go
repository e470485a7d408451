package postgres_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

// open uses a new database; its store is closed with the test.
func open(t testing.TB, opt postgres.Options) *postgres.Store {
	t.Helper()
	return openURL(t, testenv.Postgres(t), opt)
}

func openURL(t testing.TB, url string, opt postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Store { return open(t, postgres.Options{}) })
}

// Few rows never make a condition common, so that searches of the suite would not
// read a type in order; here every condition is common.
func TestContractWithCommonConditions(t *testing.T) {
	if testing.Short() {
		t.Skip("TestContract has run the suite")
	}
	storetest.RunSearch(t, func(t testing.TB) storetest.Store { return open(t, postgres.Options{ScanFrom: 1}) })
}
