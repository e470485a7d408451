package sqlite

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeldValuesComeBackAsTheyWere(t *testing.T) {
	sum := strings.Repeat("d", digestSize)
	want := []entry{
		{class: byKey, pid: 1, space: 2, form: 3, group: 4, text: []byte("code"), dated: true},
		{class: byKey, pid: 1 << 40, text: []byte("code")},
		{class: byPrefix, pid: 5, text: []byte("")},
		{class: byGram, pid: 5, text: []byte(strings.Repeat("长", 1000))},
		{class: byNone, pid: 6, group: 65535, text: []byte("code")},
		{class: byTime, pid: 7, low: -1 << 62, high: 1 << 62},
		{class: byTime, pid: 7, group: 1, low: -1, high: 0},
		{class: byTime, pid: 7, low: 3, high: 4, leads: true},
		{class: byAmount, pid: 8, from: math.Inf(-1), to: 2.5, system: 1, code: 2, unit: 3, of: isQuantity},
		{class: byAmount, pid: 8, from: 1, to: 2, code: 2, of: isCanonical},
		{class: justAmount, pid: 8, from: -1, to: 2.5},
		{class: byWord, text: []byte(sum)},
		{class: byKey, pid: 9, text: []byte(strings.Repeat("长", 1000))},
	}
	var h holder
	for i := range want {
		h.add(&want[i])
	}
	var r heldReader
	for range 2 {
		var got []entry
		var e entry
		for r.begin(h.bytes); r.next(&e); {
			c := entry{class: e.class, pid: e.pid, group: e.group, space: e.space, form: e.form, text: e.text}
			switch e.class {
			case byKey, byPrefix, byGram, byNone:
				c.dated = e.dated
			case byTime:
				c.low, c.high, c.leads = e.low, e.high, e.leads
			case byAmount, justAmount:
				c.from, c.to, c.system, c.code, c.unit, c.of = e.from, e.to, e.system, e.code, e.unit, e.of
			}
			got = append(got, c)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{}), cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
			t.Error(diff)
		}
	}
	if len(h.bytes) > 3000+200 {
		t.Errorf("%d bytes: a text that repeats is written again", len(h.bytes))
	}
}

func FuzzHeldReadsDamageToItsEnd(f *testing.F) {
	var h holder
	h.add(&entry{class: byKey, pid: 1, space: 2, text: []byte("code")})
	h.add(&entry{class: byKey, pid: 3, text: []byte("code")})
	h.add(&entry{class: byAmount, pid: 8, from: 1, to: 2, unit: 3})
	f.Add(h.bytes)
	f.Add([]byte{sameText, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r heldReader
		var e entry
		n := 0
		for r.begin(b); r.next(&e); {
			if n++; n > len(b) {
				t.Fatal("more entries than bytes")
			}
		}
	})
}

func TestBodiesComeBackAsTheyWere(t *testing.T) {
	noise := make([]byte, 5000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	like := `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},"subject":{"reference":"Patient/p1"}}`
	for name, tt := range map[string]struct {
		body string
		most int
	}{
		"empty": {"", 1}, "short": {"{}", 3}, "alike": {like, len(like) / 2}, "long": {strings.Repeat(like, 1000), 20_000},
		"noise": {string(noise), len(noise) + 1},
	} {
		packed, err := packBody([]byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if len(packed) > tt.most {
			t.Errorf("%s: %d bytes become %d, want at most %d", name, len(tt.body), len(packed), tt.most)
		}
		got, err := unpackBody(packed)
		if err != nil || string(got) != tt.body {
			t.Errorf("%s: %v", name, err)
		}
	}
	if packed, err := packBody(nil); packed != nil || err != nil {
		t.Errorf("no body becomes %v, %v", packed, err)
	}
	for _, damaged := range [][]byte{{}, {9, 1}, {bodyShared}, append([]byte{bodyShared}, noise...)} {
		if body, err := unpackBody(damaged); err == nil {
			t.Errorf("%d damaged bytes are read as %d", len(damaged), len(body))
		}
	}
}

// Bodies that are stored can be read only with the text they were written with.
func TestWhatBodiesShareIsAsItWas(t *testing.T) {
	const want = "186c09c3137b5f0f9322c65ab671218e86398cc80bee90f724306217ff711c80"
	sum := sha256.Sum256(common)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("common.txt has digest %s, want %s", got, want)
	}
}
