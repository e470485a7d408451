package postgres_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/internal/testenv"
)

// step is one write of a sequence. The same one can be done to resources of any prefix.
type step func(ctx context.Context, tx store.Tx, prefix string) error

// steps returns a sequence of writes to a few resources: each is made, replaced, deleted,
// made again, indexed anew and advanced, and some of it several times in a row.
func steps(r *rand.Rand, count int) (list []step) {
	numbers := map[string]int64{}
	deleted := map[string]bool{}
	for range count {
		id := fmt.Sprint(r.IntN(6))
		number, values, stamp := numbers[id], someValues(r), store.Stamp{Time: int64(r.IntN(5)), Sequence: int64(r.IntN(3))}
		key := func(prefix string) store.Key { return store.Key{Type: "Patient", ID: prefix + id} }
		kind := r.IntN(10)
		if number == 0 {
			kind = 0
		}
		switch kind {
		default: // a version
			remove := number > 0 && !deleted[id] && r.IntN(5) == 0
			numbers[id], deleted[id] = number+1, remove
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				p := &store.Put{Key: key(prefix), Expect: number, Owner: "h", Patient: prefix + id, Source: fmt.Sprint("s", number), Stamp: stamp, Deleted: remove}
				if !remove {
					p.Values = values
					p.Render = func(n int64, _ time.Time) []byte { return fmt.Appendf(nil, `{"n":%d}`, n) }
				}
				_, err := tx.Put(ctx, p)
				return err
			})
		case 1:
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return tx.Reindex(ctx, key(prefix), number, values)
			})
		case 2:
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return tx.Advance(ctx, key(prefix), stamp)
			})
		case 3:
			var waits []store.Pending
			for range r.IntN(3) {
				waits = append(waits, store.Pending{Type: "Organization", Identifier: store.Identifier{System: "o", Value: fmt.Sprint(r.IntN(4))}})
			}
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return tx.SetPending(ctx, key(prefix), waits)
			})
		case 4:
			var strong []store.Identifier
			for range r.IntN(3) {
				strong = append(strong, store.Identifier{System: "urn:id", Value: fmt.Sprint(r.IntN(4))})
			}
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return tx.SetFeatures(ctx, store.Features{Patient: prefix + id, Institution: "h", Strong: strong, Birth: fmt.Sprint(stamp)})
			})
		case 5:
			person, since := fmt.Sprint("person-", len(list)), time.UnixMicro(int64(len(list)+1))
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return errors.Join(tx.NewPerson(ctx, store.Person{ID: prefix + person, Since: since}),
					tx.SetLink(ctx, store.Link{Person: prefix + person, Patient: prefix + id, Institution: "h", Rule: person, Since: since}))
			})
		case 6:
			other, since := fmt.Sprint(r.IntN(6)+6), time.UnixMicro(int64(len(list)+1))
			list = append(list, func(ctx context.Context, tx store.Tx, prefix string) error {
				return tx.AddReview(ctx, store.Review{PatientA: prefix + id, PatientB: prefix + other, Rule: "r", Reason: fmt.Sprint(stamp), Since: since})
			})
		}
	}
	return list
}

// someValues are index values of every kind, few enough that versions share some.
func someValues(r *rand.Rand) (v search.Values) {
	for range r.IntN(4) {
		text := fmt.Sprint("t", r.IntN(4))
		v.Tokens = append(v.Tokens, search.Token{Param: "identifier", System: text, Code: fmt.Sprint(r.IntN(4)), Text: text})
		v.Strings = append(v.Strings, search.String{Param: "name", Folded: text, Exact: strings.ToUpper(text)})
		v.References = append(v.References, search.Reference{Param: "link", Type: "Patient", ID: text, URL: "u" + text})
		v.Dates = append(v.Dates, search.Date{Param: "birthdate", Low: int64(r.IntN(3)) * 1e6, High: 4e6})
		v.Quantities = append(v.Quantities, search.Quantity{Param: "q", Low: 1, High: float64(2 + r.IntN(3)), Code: "mg", Group: uint16(r.IntN(2))})
		v.URIs = append(v.URIs, search.URI{Param: "uri", Value: text})
	}
	if r.IntN(2) == 0 {
		v.Texts = append(v.Texts, search.Text{Param: "_content", Terms: []string{fmt.Sprint("w", r.IntN(5)), "x"}})
	}
	return v
}

// What tables hold of the resources that begin with a prefix, apart from what says when it was written.
var contents = []string{
	`SELECT substr(r.id, 3), r.number, r.deleted, r.owner, substr(r.patient, 3), r.source, r.stamp_time, r.stamp_sequence, r.at, r.x_strings, r.q_canonical, r.keys, r.x_pid, r.x_space, r.x_form,
		r.x_group, r.x_text, r.x_rows, r.d_pid, r.d_group, r.d_bounds, r.q_pid, r.q_group, r.q_bounds, r.q_units, r.q_rows, r.type, r.rid <= r.change
		FROM resource r WHERE substr(r.id, 1, 2) = $1 ORDER BY 1`,
	`SELECT substr(r.id, 3), v.number, v.deleted, v.owner, substr(v.patient, 3), v.source, v.stamp_time, v.stamp_sequence, v.body, v.change = r.change, v.change = r.rid
		FROM version v JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1, 2`,
	`SELECT substr(r.id, 3), k.key, k.at FROM index_key k JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1, 2, 3`,
	`SELECT substr(r.id, 3), k.pid, k.text FROM index_string k JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1, 2, 3`,
	`SELECT substr(r.id, 3), k.pid, k.class, k.low FROM index_date k JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1, 2, 3, 4`,
	`SELECT substr(r.id, 3), k.pid, k.value FROM index_number k JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1, 2, 3`,
	`SELECT substr(r.id, 3), k.words, k.grams FROM index_word k JOIN resource r USING (rid) WHERE substr(r.id, 1, 2) = $1 ORDER BY 1`,
	`SELECT substr(from_id, 3), from_type, target, type, system, value FROM pending WHERE substr(from_id, 1, 2) = $1 ORDER BY 1, 3`,
	`SELECT substr(patient, 3), regexp_replace(convert_from(body, 'UTF8'), '"Patient":"[^"]*"', '') FROM feature WHERE substr(patient, 1, 2) = $1 ORDER BY 1`,
	`SELECT substr(patient, 3), strong FROM feature_strong WHERE substr(patient, 1, 2) = $1 ORDER BY 1, 2`,
	`SELECT substr(id, 3), "into", since, merged FROM person WHERE substr(id, 1, 2) = $1 ORDER BY 1`,
	`SELECT substr(patient, 3), substr(person, 3), institution, rule, since, until FROM link WHERE substr(patient, 1, 2) = $1 ORDER BY patient, id`,
	`SELECT substr(patient_a, 3), substr(patient_b, 3), rule, reason, since, resolution FROM review WHERE substr(patient_a, 1, 2) = $1 ORDER BY id`,
}

func contentsOf(t testing.TB, url, prefix string) (out []string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range contents {
		table := query[strings.Index(query, "FROM"):][5:13]
		var list []byte
		if err := db.QueryRow("SELECT coalesce(json_agg(x), '[]') FROM ("+query+") x", []byte(prefix)).Scan(&list); err != nil {
			t.Fatal(err)
		}
		var rows []json.RawMessage
		if err := json.Unmarshal(list, &rows); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			out = append(out, table+" "+string(row))
		}
	}
	return out
}

func TestWritesOfOneTransactionLeaveWhatOneByOneLeaves(t *testing.T) {
	url := testenv.Postgres(t)
	s := openURL(t, url, postgres.Options{})
	all := func(tx func(ctx context.Context, tx store.Tx) error) {
		t.Helper()
		if err := s.Update(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(25) {
		list := steps(rand.New(rand.NewPCG(seed, 7)), 40)
		single, whole := fmt.Sprintf("%c-", 'a'+seed), fmt.Sprintf("%c-", 'A'+seed)
		for _, do := range list {
			all(func(ctx context.Context, tx store.Tx) error { return do(ctx, tx, single) })
		}
		half := len(list) / 2 // a second transaction replaces what the first one left
		for _, part := range [][]step{list[:half], list[half:]} {
			all(func(ctx context.Context, tx store.Tx) error {
				for _, do := range part {
					if err := do(ctx, tx, whole); err != nil {
						return err
					}
				}
				return nil
			})
		}
		want := contentsOf(t, url, single)
		if len(want) < 20 {
			t.Fatalf("seed %d: %d rows are too few to tell anything", seed, len(want))
		}
		if diff := cmp.Diff(want, contentsOf(t, url, whole)); diff != "" {
			t.Fatalf("seed %d (-one by one +together)\n%s", seed, diff)
		}
	}
}

// bump writes a version of each, behind number.
func bump(ctx context.Context, tx store.Tx, ids []string, number int64) error {
	for _, id := range ids {
		_, err := tx.Put(ctx, &store.Put{Key: store.Key{Type: "Patient", ID: id}, Expect: number, Owner: "h",
			Render: func(int64, time.Time) []byte { return []byte("{}") }})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestTransactionsWithTheSameResourcesInOppositeOrderDoNotDeadlock(t *testing.T) {
	url := testenv.Postgres(t)
	s := openURL(t, url, postgres.Options{})
	const rounds, size = 6, 100
	for round := range rounds {
		ids := make([]string, size)
		for i := range ids {
			ids[i] = fmt.Sprintf("r%d-%d", round/2, i) // made in one round, replaced in the next
		}
		back := slices.Clone(ids)
		slices.Reverse(back)
		written := make(chan struct{}, 2)
		var ready, wg sync.WaitGroup
		ready.Add(2)
		for _, list := range [][]string{ids, back} {
			wg.Go(func() {
				runs := 0
				err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := bump(ctx, tx, list, int64(round%2)); err != nil {
						return err
					}
					if runs++; runs == 1 { // both send what they wrote at once
						ready.Done()
						ready.Wait()
					}
					return nil
				})
				switch {
				case err == nil:
					written <- struct{}{}
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(written) != 1 {
			t.Errorf("round %d: %d of two were written", round, len(written))
		}
	}
	time.Sleep(1500 * time.Millisecond) // the server tells what it counted once a second
	n, err := s.Number(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
	if n != 0 || err != nil {
		t.Errorf("%d deadlocks, %v", n, err)
	}
}

func TestReplacingARowThatIsGoneIsAConflict(t *testing.T) {
	url := testenv.Postgres(t)
	s := openURL(t, url, postgres.Options{})
	ids := []string{"a", "b", "c"}
	if err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return bump(ctx, tx, ids, 0) }); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		runs++
		if err := bump(ctx, tx, ids, 1); err != nil {
			return err
		}
		if runs == 1 { // all are known to be there
			execute(t, url, "DELETE FROM resource WHERE id = 'b'")
		}
		return nil
	})
	if !fault.Is(err, fault.Conflict) || runs < 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
	if n, err := s.Number(t.Context(), "SELECT count(*) FROM version WHERE number > 1"); n != 0 || err != nil {
		t.Errorf("%d versions of the transaction that failed, %v", n, err)
	}
}
