package sqlite_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func TestContractOfConcepts(t *testing.T) {
	storetest.RunConcepts(t, func(t testing.TB) store.Concepts { return open(t, t.TempDir(), sqlite.Options{}) })
}
