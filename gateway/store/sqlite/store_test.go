package sqlite_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func open(t testing.TB, dir string, opt sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, opt)
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
	storetest.Run(t, func(t testing.TB) storetest.Store { return open(t, t.TempDir(), sqlite.Options{}) })
}

// Few rows never make a condition common, so that searches of the suite would not
// read a type in order; here every condition is common.
func TestContractWithCommonConditions(t *testing.T) {
	if testing.Short() {
		t.Skip("TestContract has run the suite")
	}
	storetest.RunSearch(t, func(t testing.TB) storetest.Store { return open(t, t.TempDir(), sqlite.Options{ScanFrom: 1}) })
}
