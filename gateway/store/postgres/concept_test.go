package postgres_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func TestContractOfConcepts(t *testing.T) {
	fresh := emptied(t, postgres.Options{})
	storetest.RunConcepts(t, func(t testing.TB) store.Concepts {
		s, ok := fresh(t).(store.Concepts)
		if !ok {
			t.Fatal("the store keeps no code systems")
		}
		return s
	})
}
