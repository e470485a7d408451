package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// entry is a record with bytes, in lanes.
func entry(control, content string, lanes ...string) store.Entry {
	return store.Entry{Record: store.Record{Institution: "h1", Source: "mllp", Format: "hl7v2", Control: control, Lanes: lanes},
		Bytes: []byte(content)}
}

func accept(t testing.TB, s Store, entries ...store.Entry) []store.Receipt {
	t.Helper()
	list, err := s.Accept(t.Context(), entries)
	if err != nil {
		t.Fatalf("accept failed: %v", err)
	}
	if len(list) != len(entries) {
		t.Fatalf("%d receipts for %d entries", len(list), len(entries))
	}
	return list
}

func claim(t testing.TB, s Store, limit int) []store.Record {
	t.Helper()
	list, err := s.Claim(t.Context(), "worker", time.Hour, limit)
	if err != nil {
		t.Fatalf("claim failed: %v", err)
	}
	return list
}

func finish(t testing.TB, s Store, id string, state store.RecordState) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.Finish(ctx, id, store.Outcome{State: state}) })
}

func record(t testing.TB, s Store, id string) store.Record {
	t.Helper()
	r, err := s.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// controls are what tests tell records apart by.
func controls(list []store.Record) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, r.Control)
	}
	return out
}

var inboxTests = []test{
	{"reads back what was accepted", func(t *testing.T, s Store) {
		e := store.Entry{Record: store.Record{Institution: "h1", Source: "upload", Format: "table", Name: "化验.csv", Control: "c", Type: "LIS",
			Place: "门诊!12", Key: "k", Hash: "h", Lanes: []string{"b", "a", "b", ""}, Answer: "AA", Reason: "[]"}, Bytes: []byte("bytes")}
		before := time.Now().Add(-time.Second)
		r := accept(t, s, e)[0]
		if r.ID == "" || r.Sequence <= 0 || r.Duplicate || r.ControlUsed || r.Received.Before(before) {
			t.Errorf("receipt %+v", r)
		}
		sum := sha256.Sum256(e.Bytes)
		want := e.Record
		want.ID, want.Sequence, want.Received = r.ID, r.Sequence, r.Received
		want.Digest, want.Length, want.State, want.Lanes = hex.EncodeToString(sum[:]), 5, store.Received, []string{"a", "b"}
		if diff := cmp.Diff(want, record(t, s, r.ID)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(want, r.Record); diff != "" {
			t.Errorf("(-want +receipt)\n%s", diff)
		}
		_, err := s.Record(t.Context(), "none")
		wantFault(t, err, fault.NotFound)
	}},
	{"takes all entries or none", func(t *testing.T, s Store) {
		_, err := s.Accept(t.Context(), []store.Entry{entry("1", "a"), {Record: store.Record{Format: "hl7v2"}}})
		wantFault(t, err, fault.Invalid)
		bad := entry("2", "b")
		bad.State = store.Committed
		_, err = s.Accept(t.Context(), []store.Entry{entry("1", "a"), bad})
		wantFault(t, err, fault.Invalid)
		if list, err := s.Records(t.Context(), store.RecordFilter{}); len(list) != 0 || err != nil {
			t.Errorf("%v, %v", list, err)
		}
		accept(t, s)
	}},
	{"keeps bytes once and gives back any part", func(t *testing.T, s Store) {
		content := make([]byte, 1_500_000)
		for i := range content {
			content[i] = byte(i * i >> 7)
		}
		e := entry("1", "")
		e.Bytes = content
		first := accept(t, s, e)[0]
		e.Control = "2"
		if again := accept(t, s, e)[0]; again.Digest != first.Digest || again.ID == first.ID {
			t.Errorf("the same bytes under another control: %+v", again.Record)
		}
		for _, r := range [][2]int64{{0, 0}, {0, 1}, {1_499_999, 1}, {1_499_999, 0}, {262_143, 2}, {262_144, 262_144}, {100, 1_400_000}, {1_500_000, 0}} {
			got, err := s.Content(t.Context(), first.Digest, r[0], r[1])
			end := r[0] + r[1]
			if r[1] == 0 {
				end = int64(len(content))
			}
			if err != nil || !bytes.Equal(got, content[r[0]:end]) {
				t.Errorf("%d bytes from %d: got %d, %v", r[1], r[0], len(got), err)
			}
		}
		for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, 1_500_001}, {1_500_001, 0}, {1 << 62, 1 << 62}} {
			_, err := s.Content(t.Context(), first.Digest, r[0], r[1])
			wantFault(t, err, fault.Invalid)
		}
		_, err := s.Content(t.Context(), hex.EncodeToString(make([]byte, 32)), 0, 0)
		wantFault(t, err, fault.NotFound)
		_, err = s.Content(t.Context(), "no digest", 0, 0)
		wantFault(t, err, fault.Invalid)
		empty := accept(t, s, entry("3", ""))[0]
		if got, err := s.Content(t.Context(), empty.Digest, 0, 0); err != nil || len(got) != 0 {
			t.Errorf("no bytes: %d, %v", len(got), err)
		}
	}},
	{"answers a retransmission with the first receipt", func(t *testing.T, s Store) {
		e := entry("1", "a", "p1")
		e.Answer = "AA"
		first := accept(t, s, e)[0]
		finish(t, s, claim(t, s, 1)[0].ID, store.Committed)
		e.Answer = "AE"
		again := accept(t, s, e)[0]
		if !again.Duplicate || again.ID != first.ID || again.Answer != "AA" || again.State != store.Committed {
			t.Errorf("got %+v", again)
		}
		if got := claim(t, s, 10); len(got) != 0 {
			t.Errorf("the duplicate was handed out: %v", got)
		}
	}},
	{"tells duplicates by institution, source, control and bytes together", func(t *testing.T, s Store) {
		base := entry("1", "a")
		accept(t, s, base)
		for _, tt := range []struct {
			name            string
			change          func(e *store.Entry)
			duplicate, used bool
		}{
			{"the same", func(e *store.Entry) {}, true, false},
			{"another institution", func(e *store.Entry) { e.Institution = "h2" }, false, false},
			{"another source", func(e *store.Entry) { e.Source = "files" }, false, false},
			{"another control", func(e *store.Entry) { e.Control = "2" }, false, false},
			{"no control", func(e *store.Entry) { e.Control = "" }, false, false},
			{"no control, again", func(e *store.Entry) { e.Control = "" }, false, false},
			{"other bytes", func(e *store.Entry) { e.Bytes = []byte("b") }, false, true},
			{"those other bytes again", func(e *store.Entry) { e.Bytes = []byte("b") }, true, false},
			{"third bytes", func(e *store.Entry) { e.Bytes = []byte("c") }, false, true},
			{"the first again", func(e *store.Entry) {}, true, false},
		} {
			e := base
			tt.change(&e)
			r := accept(t, s, e)[0]
			if r.Duplicate != tt.duplicate || r.ControlUsed != tt.used {
				t.Errorf("%s: duplicate %v, control used %v", tt.name, r.Duplicate, r.ControlUsed)
			}
		}
		two := accept(t, s, entry("9", "x"), entry("9", "x"), entry("9", "y"))
		if two[0].Duplicate || !two[1].Duplicate || two[1].ID != two[0].ID || !two[2].ControlUsed {
			t.Errorf("in one call: %+v", two)
		}
	}},
	{"compares the bytes of records cut from a delivery, not of the delivery", func(t *testing.T, s Store) {
		cut := func(content, control string, offset, length int64) store.Receipt {
			d := accept(t, s, store.Entry{Record: store.Record{Institution: "h1", Source: "mllp", Format: "hl7v2"}, Bytes: []byte(content)})[0]
			return accept(t, s, store.Entry{Record: store.Record{Institution: "h1", Source: "mllp", Format: "hl7v2", Control: control,
				Digest: d.Digest, Offset: offset, Length: length}})[0]
		}
		first := cut("AABB", "1", 0, 2)
		if second := cut("CCAA", "1", 2, 2); !second.Duplicate || second.ID != first.ID {
			t.Errorf("the same bytes elsewhere: %+v", second)
		}
		if third := cut("CCAB", "1", 2, 2); third.Duplicate || !third.ControlUsed {
			t.Errorf("other bytes: %+v", third)
		}
		whole := entry("1", "AA")
		if r := accept(t, s, whole)[0]; !r.Duplicate {
			t.Errorf("the same bytes by themselves: %+v", r)
		}
		_, err := s.Accept(t.Context(), []store.Entry{{Record: store.Record{Institution: "h1", Format: "x", Digest: first.Digest, Offset: 3, Length: 2}}})
		wantFault(t, err, fault.Invalid)
		_, err = s.Accept(t.Context(), []store.Entry{{Record: store.Record{Institution: "h1", Format: "x", Digest: hex.EncodeToString(make([]byte, 32))}}})
		wantFault(t, err, fault.NotFound)
	}},
	{"of parallel retransmissions one is the first", func(t *testing.T, s Store) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		firsts, idsSeen := 0, map[string]bool{}
		for range 32 {
			wg.Go(func() {
				r, err := s.Accept(t.Context(), []store.Entry{entry("1", "a")})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				idsSeen[r[0].ID] = true
				if !r[0].Duplicate {
					firsts++
				}
			})
		}
		wg.Wait()
		if firsts != 1 || len(idsSeen) != 1 {
			t.Errorf("%d firsts, %d ids", firsts, len(idsSeen))
		}
	}},
	{"finishes a record once, together with what it became", func(t *testing.T, s Store) {
		r := accept(t, s, entry("1", "a"))[0]
		claim(t, s, 1)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Put(ctx, item{key: "Patient/a"}.put()); err != nil {
				return err
			}
			return tx.Finish(ctx, r.ID, store.Outcome{State: store.Committed, Reason: "[1]", Map: "m@1", Answer: "AA"})
		})
		got := record(t, s, r.ID)
		if got.State != store.Committed || got.Reason != "[1]" || got.Map != "m@1" || got.Answer != "AA" || got.Finished.IsZero() || got.Attempts != 1 {
			t.Errorf("got %+v", got)
		}
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Put(ctx, item{key: "Patient/b"}.put()); err != nil {
				return err
			}
			return tx.Finish(ctx, r.ID, store.Outcome{State: store.Superseded})
		})
		wantFault(t, err, fault.Conflict)
		if got := record(t, s, r.ID); got.State != store.Committed {
			t.Errorf("state %s", got.State)
		}
		same(t, "resources", find(t, s, "Patient"), ids("a"))
		for _, tt := range []struct {
			id    string
			state store.RecordState
			kind  fault.Kind
		}{{"none", store.Committed, fault.NotFound}, {r.ID, store.Received, fault.Invalid}, {r.ID, "", fault.Invalid}, {r.ID, store.Split, fault.Invalid}} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				return tx.Finish(ctx, tt.id, store.Outcome{State: tt.state})
			})
			wantFault(t, err, tt.kind)
		}
	}},
	{"remembers the last applied state of a key", func(t *testing.T, s Store) {
		applied := func(institution, key string) (hash string) {
			update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
				hash, err = tx.Applied(ctx, institution, key)
				return err
			})
			if outside, err := s.Applied(t.Context(), institution, key); outside != hash || err != nil {
				t.Errorf("outside of a transaction: %q, %v, want %q", outside, err, hash)
			}
			return hash
		}
		if got := applied("h1", "k"); got != "" {
			t.Errorf("before: %q", got)
		}
		for _, hash := range []string{"X", "Y", "X"} {
			update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.SetApplied(ctx, "h1", "k", hash) })
			if got := applied("h1", "k"); got != hash {
				t.Errorf("got %q, want %q", got, hash)
			}
		}
		if got := applied("h2", "k") + applied("h1", "k2"); got != "" {
			t.Errorf("of others: %q", got)
		}
	}},
	{"lists and counts", func(t *testing.T, s Store) {
		var all []string
		for n := range 30 {
			e := entry(fmt.Sprint(n), "x")
			if n%3 == 0 {
				e.Institution = "h2"
			}
			if n%5 == 0 {
				e.State, e.Reason = store.Quarantined, "[]"
			}
			all = append(all, accept(t, s, e)[0].Control)
		}
		list := func(f store.RecordFilter) []string {
			got, err := s.Records(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return controls(got)
		}
		same(t, "all", list(store.RecordFilter{}), all)
		same(t, "of one institution", list(store.RecordFilter{Institution: "h2"}), []string{"0", "3", "6", "9", "12", "15", "18", "21", "24", "27"})
		same(t, "by state", list(store.RecordFilter{State: store.Quarantined}), []string{"0", "5", "10", "15", "20", "25"})
		same(t, "by both", list(store.RecordFilter{State: store.Quarantined, Institution: "h2"}), []string{"0", "15"})
		same(t, "of nobody", list(store.RecordFilter{Institution: "h3"}), []string{})
		first, err := s.Records(t.Context(), store.RecordFilter{Institution: "h2", Limit: 4})
		if err != nil || len(first) != 4 {
			t.Fatalf("%d records, %v", len(first), err)
		}
		same(t, "the rest", list(store.RecordFilter{Institution: "h2", After: first[3].Sequence}), []string{"12", "15", "18", "21", "24", "27"})
		_, err = s.Records(t.Context(), store.RecordFilter{State: "lost"})
		wantFault(t, err, fault.Invalid)
		for institution, want := range map[string]map[store.RecordState]int{
			"":   {store.Received: 24, store.Quarantined: 6},
			"h2": {store.Received: 8, store.Quarantined: 2},
			"h3": {},
		} {
			got, err := s.CountRecords(t.Context(), institution)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("count of %q: %v (-want +got)\n%s", institution, err, diff)
			}
		}
	}},
}

var laneTests = []test{
	{"hands out oldest first, each once", func(t *testing.T, s Store) {
		accept(t, s, entry("1", "a"), entry("2", "b"), entry("3", "c"))
		same(t, "first", controls(claim(t, s, 2)), []string{"1", "2"})
		same(t, "then", controls(claim(t, s, 2)), []string{"3"})
		same(t, "then none", controls(claim(t, s, 2)), []string{})
	}},
	{"keeps the order of a lane until its first is finished", func(t *testing.T, s Store) {
		accept(t, s, entry("1", "a", "p1"), entry("2", "b", "p1"), entry("3", "c", "p2"), entry("4", "d", "p1", "p2"), entry("5", "e", "p2"), entry("6", "f"))
		first := claim(t, s, 10)
		same(t, "first", controls(first), []string{"1", "3", "6"})
		same(t, "claimed ones block", controls(claim(t, s, 10)), []string{})
		finish(t, s, first[0].ID, store.Committed)
		second := claim(t, s, 10)
		same(t, "after 1", controls(second), []string{"2"})
		finish(t, s, second[0].ID, store.Unchanged)
		same(t, "after 2: 4 waits in its other lane", controls(claim(t, s, 10)), []string{})
		finish(t, s, first[1].ID, store.Superseded)
		third := claim(t, s, 10)
		same(t, "after 3", controls(third), []string{"4"})
		finish(t, s, third[0].ID, store.Quarantined)
		same(t, "a quarantined one does not block", controls(claim(t, s, 10)), []string{"5"})
	}},
	{"lanes are apart by institution", func(t *testing.T, s Store) {
		other := entry("2", "b", "p1")
		other.Institution = "h2"
		accept(t, s, entry("1", "a", "p1"), other)
		same(t, "both", controls(claim(t, s, 10)), []string{"1", "2"})
	}},
	{"what comes in quarantined does not block", func(t *testing.T, s Store) {
		bad := entry("1", "a", "p1")
		bad.State = store.Quarantined
		accept(t, s, bad, entry("2", "b", "p1"))
		same(t, "the next", controls(claim(t, s, 10)), []string{"2"})
	}},
	{"finishing one that was not claimed lets the next move up", func(t *testing.T, s Store) {
		r := accept(t, s, entry("1", "a", "p1"), entry("2", "b", "p1"), entry("3", "c", "p1"))
		finish(t, s, r[1].ID, store.Unchanged)
		same(t, "the first", controls(claim(t, s, 10)), []string{"1"})
		finish(t, s, r[0].ID, store.Unchanged)
		same(t, "the last", controls(claim(t, s, 10)), []string{"3"})
	}},
	{"a lease that ended is handed out again, a released one at once", func(t *testing.T, s Store) {
		accept(t, s, entry("1", "a", "p1"), entry("2", "b", "p1"))
		got, err := s.Claim(t.Context(), "w1", 30*time.Millisecond, 10)
		if err != nil || len(got) != 1 || got[0].Attempts != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		time.Sleep(60 * time.Millisecond)
		got, err = s.Claim(t.Context(), "w2", time.Hour, 10)
		if err != nil || len(got) != 1 || got[0].Control != "1" || got[0].Attempts != 2 {
			t.Fatalf("after the lease: %v, %v", got, err)
		}
		for _, tt := range []struct {
			holder string
			want   []string
		}{{"w1", []string{}}, {"w2", []string{"1"}}} {
			if err := s.Release(t.Context(), tt.holder, []string{got[0].ID, "none"}); err != nil {
				t.Fatal(err)
			}
			same(t, "released by "+tt.holder, controls(claim(t, s, 10)), tt.want)
		}
	}},
	{"refuses a claim without holder, lease or limit", func(t *testing.T, s Store) {
		accept(t, s, entry("1", "a"))
		for _, err := range []error{
			second(s.Claim(t.Context(), "", time.Hour, 1)), second(s.Claim(t.Context(), "w", 0, 1)), second(s.Claim(t.Context(), "w", time.Hour, 0))} {
			wantFault(t, err, fault.Invalid)
		}
	}},
	{"replays behind what came since", func(t *testing.T, s Store) {
		r := accept(t, s, entry("1", "a", "p1"), entry("2", "b"))
		finish(t, s, r[0].ID, store.Quarantined)
		finish(t, s, r[1].ID, store.Committed)
		accept(t, s, entry("3", "c", "p1"))
		n, err := s.Replay(t.Context(), []string{r[0].ID, r[0].ID, r[1].ID, "none"})
		if n != 1 || err != nil {
			t.Fatalf("replayed %d, %v", n, err)
		}
		if got := record(t, s, r[0].ID); got.State != store.Received || !got.Finished.IsZero() {
			t.Errorf("got %+v", got)
		}
		accept(t, s, entry("4", "d", "p1"))
		for _, want := range []string{"3", "1", "4"} {
			list := claim(t, s, 10)
			same(t, "next", controls(list), []string{want})
			finish(t, s, list[0].ID, store.Committed)
		}
	}},
	{"parallel workers get each record once and each lane in order", func(t *testing.T, s Store) {
		const lanes, each = 12, 15
		for n := range each {
			var batch []store.Entry
			for l := range lanes {
				e := entry(fmt.Sprintf("%d/%d", l, n), fmt.Sprint(l, n), fmt.Sprint("lane", l))
				if n%5 == 4 {
					e.Lanes = append(e.Lanes, fmt.Sprint("lane", (l+1)%lanes))
				}
				batch = append(batch, e)
			}
			accept(t, s, batch...)
		}
		var mu sync.Mutex
		next := map[string]int{}
		busy := map[string]bool{}
		total := 0
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
					list, err := s.Claim(t.Context(), fmt.Sprint("w", w), time.Hour, 5)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range list {
						for _, l := range r.Lanes {
							if busy[l] {
								t.Errorf("%s was handed out while its lane was busy", r.Control)
							}
							busy[l] = true
						}
						var l, n int
						_, _ = fmt.Sscanf(r.Control, "%d/%d", &l, &n)
						if next[fmt.Sprint(l)] != n {
							t.Errorf("%s came at place %d of its lane", r.Control, next[fmt.Sprint(l)])
						}
						next[fmt.Sprint(l)]++
						total++
					}
					all := total == lanes*each
					mu.Unlock()
					for _, r := range list {
						mu.Lock()
						for _, l := range r.Lanes {
							busy[l] = false
						}
						mu.Unlock()
						if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
							return tx.Finish(ctx, r.ID, store.Outcome{State: store.Committed})
						}); err != nil {
							t.Error(err)
						}
					}
					if all {
						return
					}
				}
			})
		}
		wg.Wait()
		if total != lanes*each {
			t.Errorf("%d of %d handed out", total, lanes*each)
		}
	}},
	{"stays quick with 20,000 waiting behind one, and behind a delivery", func(t *testing.T, s Store) {
		const waiting, rounds, slower, tries = 20_000, 30, 4, 10
		serial := 0
		work := func() time.Duration {
			start := time.Now()
			for range rounds {
				serial++
				free := entry(fmt.Sprint("free", serial), "free", "q")
				accept(t, s, free)
				list := claim(t, s, 100)
				same(t, "the free one", controls(list), []string{free.Control})
				finish(t, s, list[0].ID, store.Committed)
			}
			return time.Since(start)
		}
		empty := work()
		accept(t, s, entry("head", "head", "p"))
		accept(t, s, store.Entry{Record: store.Record{Institution: "h2", Source: "s", Format: store.Delivery, Control: "delivery"}, Bytes: []byte("d")})
		for n := 0; n < waiting; n += 1000 {
			var batch []store.Entry
			for i := range 1000 {
				e := entry("", "same bytes", "p")
				if i%2 == 0 {
					e.Institution, e.Lanes = "h2", []string{fmt.Sprint("lane", n+i)}
				}
				batch = append(batch, e)
			}
			accept(t, s, batch...)
		}
		same(t, "the two heads", controls(claim(t, s, 100)), []string{"head", "delivery"})
		limit := slower*empty + 100*time.Millisecond
		full := work()
		for try := 1; try < tries && full > limit; try++ {
			full = min(full, work()) // others may have had the machine
		}
		if full > limit {
			t.Errorf("%d rounds took %s with %d waiting, %s with none", rounds, full, waiting, empty)
		}
	}},
}

func second[T any](_ T, err error) error { return err }

var deliveryTests = []test{
	{"holds its institution until it is split, and its records take its place", func(t *testing.T, s Store) {
		d := store.Entry{Record: store.Record{Institution: "h1", Source: "upload", Format: store.Delivery, Control: "d"}, Bytes: []byte("AABBCC")}
		other := entry("other", "o", "p1")
		other.Institution = "h2"
		accept(t, s, entry("before", "b", "p9"))
		r := accept(t, s, d)[0]
		accept(t, s, entry("after", "a", "p1"), other, entry("free", "f"))
		first := claim(t, s, 10)
		same(t, "until split", controls(first), []string{"before", "d", "other"})
		child := func(name string, offset int64, lanes ...string) store.Entry {
			return store.Entry{Record: store.Record{Format: "table", Control: name, Digest: r.Digest, Offset: offset, Length: 2, Lanes: lanes}}
		}
		expand := func(at int, done bool, list ...store.Entry) error {
			return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return tx.Expand(ctx, r.ID, at, list, done) })
		}
		if err := expand(0, false, child("d1", 0, "p1"), child("d2", 2, "p2")); err != nil {
			t.Fatal(err)
		}
		same(t, "half way", controls(claim(t, s, 10)), []string{})
		wantFault(t, expand(3, false, child("gap", 0)), fault.Invalid)
		if err := expand(0, false, child("d1", 0, "p1"), child("d2", 2, "p2")); err != nil {
			t.Fatalf("a repeated chunk: %v", err)
		}
		if n, err := s.Expanded(t.Context(), r.ID); n != 2 || err != nil {
			t.Errorf("expanded %d, %v", n, err)
		}
		if err := expand(1, true, child("d2", 2, "p2"), child("d3", 4, "p1")); err != nil {
			t.Fatalf("an overlapping chunk: %v", err)
		}
		if got := record(t, s, r.ID); got.State != store.Split || got.Finished.IsZero() {
			t.Errorf("the delivery is %+v", got)
		}
		wantFault(t, expand(3, true), fault.Conflict)
		list, err := s.Records(t.Context(), store.RecordFilter{Parent: r.ID})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "its records", controls(list), []string{"d1", "d2", "d3"})
		if list[0].Institution != "h1" || list[0].Source != "upload" || list[0].Parent != r.ID || list[2].Offset != 4 {
			t.Errorf("got %+v", list[0])
		}
		second := claim(t, s, 10)
		same(t, "after the split", controls(second), []string{"d1", "d2", "free"})
		finish(t, s, second[0].ID, store.Committed)
		third := claim(t, s, 10)
		same(t, "its lane", controls(third), []string{"d3"})
		finish(t, s, third[0].ID, store.Committed)
		same(t, "what came behind it", controls(claim(t, s, 10)), []string{"after"})
	}},
	{"a quarantined delivery holds nothing", func(t *testing.T, s Store) {
		r := accept(t, s, store.Entry{Record: store.Record{Institution: "h1", Format: store.Delivery}, Bytes: []byte("x")}, entry("1", "a"))
		finish(t, s, r[0].ID, store.Quarantined)
		same(t, "the next", controls(claim(t, s, 10)), []string{"1"})
		if n, err := s.Replay(t.Context(), []string{r[0].ID}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		accept(t, s, entry("2", "b"))
		list := claim(t, s, 10)
		if len(list) != 1 || list[0].ID != r[0].ID {
			t.Errorf("after its replay: %+v", list)
		}
	}},
	{"refuses what is no chunk of a delivery", func(t *testing.T, s Store) {
		r := accept(t, s, store.Entry{Record: store.Record{Institution: "h1", Format: store.Delivery}, Bytes: []byte("x")}, entry("1", "a"))
		child := store.Entry{Record: store.Record{Format: "table"}, Bytes: []byte("y")}
		nested, foreign := child, child
		nested.Format, foreign.Institution = store.Delivery, "h2"
		for _, tt := range []struct {
			id   string
			at   int
			e    store.Entry
			kind fault.Kind
		}{{"none", 0, child, fault.NotFound}, {r[1].ID, 0, child, fault.NotFound}, {r[0].ID, -1, child, fault.Invalid},
			{r[0].ID, 1, child, fault.Invalid}, {r[0].ID, 0, nested, fault.Invalid}, {r[0].ID, 0, foreign, fault.Invalid}} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				return tx.Expand(ctx, tt.id, tt.at, []store.Entry{tt.e}, false)
			})
			wantFault(t, err, tt.kind)
		}
		_, err := s.Expanded(t.Context(), "none")
		wantFault(t, err, fault.NotFound)
	}},
	{"an empty delivery can be split", func(t *testing.T, s Store) {
		r := accept(t, s, store.Entry{Record: store.Record{Institution: "h1", Format: store.Delivery}}, entry("1", "a"))
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.Expand(ctx, r[0].ID, 0, nil, true) })
		same(t, "the next", controls(claim(t, s, 10)), []string{"1"})
	}},
}
