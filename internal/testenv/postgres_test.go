package testenv_test

import (
	"context"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/internal/testenv"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	})
	return c
}

func value(t *testing.T, c *pgx.Conn, query string) string {
	t.Helper()
	var v string
	if err := c.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func execute(t *testing.T, c *pgx.Conn, query string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestPostgresIsPrivateAndDurable(t *testing.T) {
	c := connect(t, testenv.Postgres(t))
	for query, want := range map[string]string{
		"show fsync":                 "on",
		"show synchronous_commit":    "on",
		"show full_page_writes":      "on",
		"show server_encoding":       "UTF8",
		"show listen_addresses":      "127.0.0.1",
		"select '张三𠮷' || lower('A')": "张三𠮷a",
		"select count(*)::text from pg_tables where schemaname = 'public'": "0",
	} {
		if got := value(t, c, query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestPostgresGivesEveryTestItsOwnDatabaseOnOneServer(t *testing.T) {
	a, b := testenv.Postgres(t), testenv.Postgres(t)
	execute(t, connect(t, a), "create table only_in_a (x int)")
	c := connect(t, b)
	if got := value(t, c, "select count(*)::text from pg_tables where tablename = 'only_in_a'"); got != "0" {
		t.Error("two tests share a database")
	}
	if ua, ub := parse(t, a), parse(t, b); ua.Host != ub.Host || ua.Path == ub.Path {
		t.Errorf("%s and %s: want one server and two databases", a, b)
	}
}

type hangUp struct{ *pgx.Conn }

func (h hangUp) Close() error { return h.Conn.Close(context.Background()) }

func TestPostgresCopiesWhatWasPreparedOnce(t *testing.T) {
	prepared := 0
	copied := func() string {
		return testenv.PostgresCopy(t, "counted", func(url string) (io.Closer, error) {
			prepared++
			c, err := pgx.Connect(t.Context(), url)
			if err != nil {
				return nil, err
			}
			_, err = c.Exec(t.Context(), "create table prepared as select 7 as x")
			return hangUp{c}, err
		})
	}
	a, b := copied(), copied()
	execute(t, connect(t, a), "update prepared set x = 8")
	for _, url := range []string{b, copied()} {
		if got := value(t, connect(t, url), "select x::text from prepared"); got != "7" {
			t.Errorf("a copy holds %s, want 7", got)
		}
	}
	if prepared != 1 {
		t.Errorf("prepared %d times", prepared)
	}
	empty := connect(t, testenv.Postgres(t))
	if got := value(t, empty, "select count(*)::text from pg_tables where schemaname = 'public'"); got != "0" {
		t.Errorf("an empty database has %s tables", got)
	}
}

func TestStartPostgresKeepsItsDataOverAStopAndAKill(t *testing.T) {
	s := testenv.StartPostgres(t)
	execute(t, connect(t, s.URL()), "create table kept (x int)")
	url := s.URL()
	for _, end := range []struct {
		name string
		do   func(testing.TB)
	}{{"stop", s.Stop}, {"kill", s.Kill}} {
		execute(t, connect(t, s.URL()), "insert into kept values (1)")
		end.do(t)
		if _, err := pgx.Connect(t.Context(), s.URL()); err == nil {
			t.Fatalf("the server still answers after %s", end.name)
		}
		s.Start(t)
		if s.URL() != url {
			t.Errorf("the URL changed to %s", s.URL())
		}
	}
	if got := value(t, connect(t, s.URL()), "select count(*)::text from kept"); got != "2" {
		t.Errorf("%s rows are left of 2", got)
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
