package postgres_test

import (
	"io"
	"testing"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

// database returns the URL of a new database that holds an empty store.
func database(t testing.TB) string {
	t.Helper()
	return testenv.PostgresCopy(t, "store", func(url string) (io.Closer, error) {
		return postgres.Open(t.Context(), url, postgres.Options{})
	})
}

// open uses a new database; its store is closed with the test.
func open(t testing.TB, opt postgres.Options) *postgres.Store {
	t.Helper()
	return openURL(t, database(t), opt)
}

func openURL(t testing.TB, url string, opt postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// emptySQL deletes rows: few are deleted sooner than a table gets new files.
const emptySQL = `DO $$ DECLARE name text; BEGIN
	FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('goose_db_version', 'statistics') LOOP
		EXECUTE 'DELETE FROM ' || name;
	END LOOP;
	PERFORM setval(quote_ident(sequencename), 1, false) FROM pg_sequences WHERE schemaname = 'public' AND last_value > 1 AND sequencename NOT IN ('stamp', 'goose_db_version_id_seq');
END $$`

// emptied gives each test of the suite the same database, emptied, and the same
// connections, because new ones take most of the time.
func emptied(t *testing.T, opt postgres.Options) func(t testing.TB) storetest.Store {
	s, err := postgres.Open(t.Context(), database(t), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(t testing.TB) storetest.Store {
		if err := s.Exec(t.Context(), emptySQL, true); err != nil {
			t.Fatal(err)
		}
		if s, err = s.Again(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestContract(t *testing.T) { storetest.Run(t, emptied(t, postgres.Options{})) }

// Few rows never make a condition common, so that searches of the suite would not
// read a type in order; here every condition is common.
func TestContractWithCommonConditions(t *testing.T) {
	if testing.Short() {
		t.Skip("TestContract has run the suite")
	}
	storetest.RunSearch(t, emptied(t, postgres.Options{ScanFrom: 1}))
}
