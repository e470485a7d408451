package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/internal/testenv"
)

// What an operator, or a failover, does to a database is no fault of who asks: the
// request can be sent again.
func TestADatabaseThatRefusesIsUnavailable(t *testing.T) {
	server := testenv.StartPostgres(t)
	other, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.WithoutCancel(t.Context()))
	operate := func(statements ...string) {
		t.Helper()
		const others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
		for _, s := range append(statements, others) {
			if _, err := other.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := openURL(t, server.URL(), postgres.Options{AwayTime: 200 * time.Millisecond})
	write := func(name string) error { return writeTriple(s, name) }
	read := func() error {
		_, err := s.Read(t.Context(), store.Key{Type: "Patient", ID: "nobody"})
		return err
	}
	database := pgx.Identifier{other.Config().Database}.Sanitize()
	for _, tt := range []struct {
		name, begin, end string
		reads            fault.Kind
	}{
		{"readonly", "alter database " + database + " set default_transaction_read_only = on", "alter database " + database + " reset default_transaction_read_only", fault.NotFound},
		{"closed", "alter role current_user nologin", "alter role current_user login", fault.Unavailable},
	} {
		operate(tt.begin)
		if err := write(tt.name); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: a write: %v", tt.name, err)
		}
		if err := read(); !fault.Is(err, tt.reads) {
			t.Errorf("%s: a read: %v", tt.name, err)
		}
		operate(tt.end)
		if err := write(tt.name); err != nil {
			t.Errorf("%s: a write afterwards: %v", tt.name, err)
		}
	}
}
