package memory_test

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yilian/yilian/gateway/store/memory"
)

func TestWhatWasUsedLeastLatelyIsForgottenFirst(t *testing.T) {
	m := memory.New(memory.Options{Bytes: 3 * 1200})
	for _, key := range []string{"a", "b", "c"} {
		m.Set(key, make([]byte, 1000))
	}
	m.Get(t.Context(), "a")
	m.Set("d", make([]byte, 1000))
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if _, ok := m.Get(t.Context(), key); ok != want {
			t.Errorf("%s: %t, want %t", key, ok, want)
		}
	}
}

func TestAValueThatIsSetAgainTakesItsPlaceOnce(t *testing.T) {
	m := memory.New(memory.Options{Bytes: 5000})
	m.Set("a", make([]byte, 1000))
	for i := range 100 {
		m.Set("b", bytes.Repeat([]byte{byte(i)}, 2000))
	}
	if v, _ := m.Get(t.Context(), "b"); len(v) != 2000 || v[0] != 99 {
		t.Error("another value")
	}
	if _, ok := m.Get(t.Context(), "a"); !ok {
		t.Error("a value that still had room was forgotten")
	}
}

func TestAValueThatIsTooLongIsNotKept(t *testing.T) {
	m := memory.New(memory.Options{Bytes: 1000})
	m.Set("a", make([]byte, 100))
	m.Set("b", make([]byte, 1000))
	if _, ok := m.Get(t.Context(), "b"); ok {
		t.Error("kept")
	}
	if _, ok := m.Get(t.Context(), "a"); !ok {
		t.Error("another was forgotten for it")
	}
}

func TestTooManyKeysAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New(memory.Options{Counters: 10})
		for i := range 10 {
			m.Count(t.Context(), fmt.Sprint(i), 1, time.Minute)
		}
		m.Count(t.Context(), "x", 1, time.Minute)
		if n := m.Count(t.Context(), "y", 1, time.Minute); n != 2 {
			t.Errorf("%d, want what x and y did", n)
		}
		if n := m.Count(t.Context(), "3", 1, time.Minute); n != 2 {
			t.Errorf("%d, want 2 for who was known before", n)
		}
		time.Sleep(time.Minute)
		if n := m.Count(t.Context(), "y", 1, time.Minute); n != 1 {
			t.Errorf("%d, want 1: there is room again", n)
		}
	})
}

func TestWindowsBeginAtMultiplesOfTheirLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New(memory.Options{})
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute - time.Second)))
		if n := m.Count(t.Context(), "k", 3, time.Minute); n != 3 {
			t.Error(n)
		}
		time.Sleep(time.Second)
		if n := m.Count(t.Context(), "k", 1, time.Minute); n != 1 {
			t.Errorf("%d in a new window", n)
		}
	})
}
