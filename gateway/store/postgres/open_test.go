package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

func execute(t testing.TB, url, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func query(t testing.TB, url, statement string, to ...any) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	err = db.QueryRow(statement).Scan(to...)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsReadBack(t *testing.T) {
	s := open(t, postgres.Options{SearchTime: 7 * time.Second, LockTime: 3 * time.Second, StatementTime: 20 * time.Second})
	for _, tt := range []struct {
		name   string
		writer bool
		want   string
	}{
		{"synchronous_commit", true, "on"}, {"statement_timeout", true, "20s"}, {"lock_timeout", true, "3s"},
		{"idle_in_transaction_session_timeout", true, "1min"}, {"default_transaction_isolation", true, "read committed"},
		{"statement_timeout", false, "7s"}, {"default_transaction_read_only", false, "on"},
	} {
		got, err := s.Setting(t.Context(), tt.name, tt.writer)
		if err != nil || got != tt.want {
			t.Errorf("%s (writer %v): got %q, %v, want %q", tt.name, tt.writer, got, err, tt.want)
		}
	}
	if err := s.Exec(t.Context(), "DELETE FROM resource", false); err == nil {
		t.Error("a reading connection wrote")
	}
}

func TestOpenRefusesWhatMayLoseCommits(t *testing.T) {
	server := testenv.StartPostgres(t)
	for setting, value := range map[string]string{"fsync": "off", "full_page_writes": "off"} {
		execute(t, server.URL(), fmt.Sprintf("ALTER SYSTEM SET %s = %s", setting, value))
		execute(t, server.URL(), "SELECT pg_reload_conf()")
		var err error
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			var s *postgres.Store
			if s, err = postgres.Open(t.Context(), server.URL(), postgres.Options{}); err != nil {
				break
			}
			_ = s.Close() // the setting has not arrived yet
		}
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), setting+" = "+value) {
			t.Errorf("%s off: %v", setting, err)
		}
		execute(t, server.URL(), "ALTER SYSTEM RESET "+setting)
		execute(t, server.URL(), "SELECT pg_reload_conf()")
	}
	execute(t, server.URL(), "ALTER ROLE yilian SET synchronous_commit = off") // the store sets it for itself
	s := openURL(t, server.URL(), postgres.Options{})
	if got, err := s.Setting(t.Context(), "synchronous_commit", true); got != "on" || err != nil {
		t.Errorf("synchronous_commit is %s, %v", got, err)
	}
}

func TestOpenNamesNoPassword(t *testing.T) {
	for _, url := range []string{"postgres://u:geheim@127.0.0.1:1/d", "postgres://u:geheim@%zz/d", "postgres://u:geheim@127.0.0.1:1/d?connect_timeout=x"} {
		s, err := postgres.Open(t.Context(), url, postgres.Options{AwayTime: 50 * time.Millisecond})
		if err == nil {
			t.Error("it opened", s.Close())
		} else if strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s", err)
		}
	}
}

func TestProcessesThatStartTogetherMakeTheSchemaOnce(t *testing.T) {
	url := testenv.Postgres(t)
	var wg sync.WaitGroup
	made := make([]bool, 8)
	for i := range made {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{Writers: 1, Readers: 1})
			if err != nil {
				t.Error(err)
				return
			}
			made[i] = s.Schema().Before == 0
			if err := write(s, put(fmt.Sprint("p", i), 0)); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, m := range made {
		if m {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of %d made the schema", n, len(made))
	}
	s := openURL(t, url, postgres.Options{})
	p, err := s.Search(t.Context(), &search.Query{Type: "Patient", Allowed: search.Allowed{All: true}, Total: search.TotalAccurate})
	if err != nil || p.Total != len(made) {
		t.Errorf("%d resources, %v", p.Total, err)
	}
	execute(t, url, fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, true)", s.Schema().Now+1))
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "a newer one wrote it") {
		t.Errorf("a store that a newer program wrote: %v", err)
	}
}

// schemaSQL tells all tables, columns and indexes of a schema.
const schemaSQL = `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
	SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line FROM information_schema.columns WHERE table_schema = 'public'
	UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
	UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace) x`

// The first migrations run at the same time, so each may be the first, the last, and the
// last before the process ends.
func TestASchemaThatWasMadeInPartIsCompleted(t *testing.T) {
	schema := func(url string) (text string) {
		query(t, url, schemaSQL, &text)
		return text
	}
	whole := testenv.Postgres(t)
	now := openURL(t, whole, postgres.Options{}).Schema().Now
	want := schema(whole)
	for _, first := range [][]int64{{1}, {postgres.Apart}, {4, 2}, {5, 4, 3, 2, 1}} {
		url := testenv.Postgres(t)
		if err := postgres.Migrate(t.Context(), url, first...); err != nil {
			t.Fatalf("%d: %v", first, err)
		}
		if got := schema(url); got == want && len(first) < postgres.Apart {
			t.Errorf("%d: it is whole already", first)
		}
		s := openURL(t, url, postgres.Options{})
		if got := s.Schema(); got.Now != now || got.Before != slices.Max(first) {
			t.Errorf("%d: the schema is %+v", first, got)
		}
		if got := schema(url); got != want {
			t.Errorf("%d: the schema is not what it is at once:\n%s", first, cmp.Diff(want, got))
		}
		if err := write(s, put("a", 0)); err != nil {
			t.Errorf("%d: %v", first, err)
		}
	}
}

func TestCloseWaitsForTransactionsAndMayBeRepeated(t *testing.T) {
	url := testenv.Postgres(t)
	s := openURL(t, url, postgres.Options{})
	inside, leave := make(chan struct{}), make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
			close(inside)
			<-leave
			_, err := tx.Put(ctx, put("a", 0))
			return err
		})
	}()
	<-inside
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case <-closed:
		t.Fatal("closed during a transaction")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := errors.Join(<-result, <-closed, s.Close()); err != nil {
		t.Error(err)
	}
	if err := write(s, put("b", 0)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write after Close: %v", err)
	}
	if _, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a read after Close: %v", err)
	}
	if _, err := openURL(t, url, postgres.Options{}).Read(t.Context(), store.Key{Type: "Patient", ID: "a"}); err != nil {
		t.Error(err)
	}
}

// What the suite asks of pollers must be more than what a reader fulfils that does not
// wait for open transactions.
func TestAHastyReaderMissesChanges(t *testing.T) {
	for range 5 {
		s := open(t, postgres.Options{})
		if storetest.MissesChanges(t, s, postgres.Hasty{S: s}) {
			return
		}
	}
	t.Error("a reader that does not wait for open transactions missed nothing in five rounds")
}

func put(id string, expect int64) *store.Put {
	return &store.Put{Key: store.Key{Type: "Patient", ID: id}, Owner: "h1", Patient: id, Expect: expect,
		Render: func(int64, time.Time) []byte { return []byte(`{"resourceType":"Patient"}`) },
		Values: search.Values{Tokens: []search.Token{{Param: "identifier", System: "system-" + id, Code: id}}}}
}

func write(s *postgres.Store, p *store.Put) error {
	return s.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Put(ctx, p)
		return err
	})
}
