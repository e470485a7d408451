package postgres_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
)

func TestReadsAtTheSameTimeGetTheirOwnAnswers(t *testing.T) {
	s := open(t, postgres.Options{})
	load(t, s, 0, 60, 20, 1)
	var wg sync.WaitGroup
	for n := range 240 {
		wg.Go(func() {
			k := storetest.Observation(n % 80).Key // a quarter was never written
			number := int64(n / 80)                // 0: the current one; 2 was never written either
			read := func() (store.Version, error) { return s.ReadVersion(t.Context(), k, number) }
			if number == 0 {
				read = func() (store.Version, error) { return s.Read(t.Context(), k) }
			}
			v, err := read()
			switch {
			case n%80 >= 60 || number == 2:
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s version %d: %v, %v", k, number, v, err)
				}
			case err != nil || v.Key != k || v.Number != 1 || !bytes.Contains(v.Body, []byte(`"id":"`+k.ID+`"`)):
				t.Errorf("%s version %d: %s %d, %v", k, number, v.Key, v.Number, err)
			}
		})
	}
	wg.Wait()
}
