package postgres_test

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

func TestNothingOfWhatIsErasedIsLeftInAnyTable(t *testing.T) {
	url := testenv.Postgres(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	storetest.RunPlanted(t, s, func() (places []string) {
		for _, table := range tables {
			var n int
			sql := fmt.Sprintf("SELECT count(*) FROM %s x WHERE position($1 IN x::text) > 0 OR position($2 IN x::text) > 0", table)
			if err := c.QueryRow(t.Context(), sql, storetest.Planted, hex.EncodeToString([]byte(storetest.Planted))).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				places = append(places, table)
			}
		}
		return places
	})
}
