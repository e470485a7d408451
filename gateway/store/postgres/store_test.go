package postgres_test

import (
	"testing"

	"github.com/yilian/yilian/gateway/store/postgres"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

// open uses a new database; its store is closed with the test.
func open(t testing.TB, opt postgres.Options) *postgres.Store {
	t.Helper()
	return openURL(t, testenv.Postgres(t), opt)
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

// emptySQL makes new files only of tables that hold something, because that is what
// takes the time.
const emptySQL = `DO $$ DECLARE name text; filled bool; list text[]; BEGIN
	FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('goose_db_version', 'statistics') LOOP
		EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO filled;
		IF filled THEN
			list := list || name;
		END IF;
	END LOOP;
	IF list IS NOT NULL THEN
		EXECUTE 'TRUNCATE ' || array_to_string(list, ', ') || ' RESTART IDENTITY';
	END IF;
END $$`

// emptied gives each test of the suite the same database, emptied, because a new one
// takes most of the time.
func emptied(t *testing.T, opt postgres.Options) func(t testing.TB) storetest.Store {
	url := testenv.Postgres(t)
	made := false
	return func(t testing.TB) storetest.Store {
		if made {
			execute(t, url, emptySQL)
		}
		made = true
		return openURL(t, url, opt)
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
