package server_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/mapping"
)

// clinicFolder is a folder with one institution that maps everything.
func clinicFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	folderOf(t, dir, map[string]string{
		"institution.yaml": clinicYAML, "maps/visit.yaml": clinicMap,
		"codes/sex.csv": "#! system: http://hl7.org/fhir/administrative-gender\ncode,display,target\n1,男,male\n",
	})
	return dir
}

func options(t *testing.T, data, institutions string) server.Options {
	t.Helper()
	c, err := config.Load(config.Sources{Flags: map[string]string{"data": data, "institutions": institutions}})
	if err != nil {
		t.Fatal(err)
	}
	return server.Options{Config: c, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "test"}
}

// ask sends a request to a gateway without a network and returns the answer.
func ask(t *testing.T, l *server.Local, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&http.Client{Transport: l}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(text)
}

func TestAFolderThatNoServerHoldsIsLookedAtUntilItIsWorkedOn(t *testing.T) {
	data, institutions := t.TempDir(), clinicFolder(t)
	l, err := server.OpenLocal(t.Context(), options(t, data, institutions))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := ask(t, l, "POST", "/ingest/clinic", `{"no":"1","pid":"P1","sex":"1"}`); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, text)
	}
	if _, err := server.OpenLocal(t.Context(), options(t, data, institutions)); !fault.Is(err, fault.Busy) {
		t.Errorf("opened twice: %v", err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	l.Work() // too late, and no harm

	// Somebody who knows no institution looks, and the record still waits.
	l, err = server.OpenLocal(t.Context(), options(t, data, ""))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := ask(t, l, "GET", "/console/inbox?state=received", ""); status != http.StatusOK || !strings.Contains(text, `"state":"received"`) {
		t.Errorf("%d %s", status, text)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l, err = server.OpenLocal(t.Context(), options(t, data, institutions))
	if err != nil {
		t.Fatal(err)
	}
	l.Work()
	if status, text := ask(t, l, "POST", "/ingest/clinic?wait=1", `{"no":"2","pid":"P2","sex":"1"}`); status != http.StatusOK || !strings.Contains(text, `"state":"committed"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := ask(t, l, "GET", "/fhir/Patient?_summary=count", ""); status != http.StatusOK || !strings.Contains(text, `"total":2`) {
		t.Errorf("%d %s", status, text)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatKeepsFoldersFromLoadingIsTold(t *testing.T) {
	broken := func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "clinic", "maps", "visit.yaml"), []byte(strings.Replace(clinicMap, "gender:", "gendre:", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		change func(dir string)
		want   []string // parts of the findings, in their order
	}{
		{"a map", broken, []string{filepath.Join("clinic", "maps", "visit.yaml") + ":12:7: "}},
		{"two folders at once", func(dir string) {
			broken(dir)
			if err := os.CopyFS(filepath.Join(dir, "other"), os.DirFS(filepath.Join(dir, "clinic"))); err != nil {
				t.Fatal(err)
			}
		}, []string{filepath.Join("clinic", "maps", "visit.yaml") + ":12:7: ", filepath.Join("other", "maps", "visit.yaml") + ":12:7: "}},
		{"two folders of one institution", func(dir string) {
			if err := os.CopyFS(filepath.Join(dir, "other"), os.DirFS(filepath.Join(dir, "clinic"))); err != nil {
				t.Fatal(err)
			}
		}, []string{filepath.Join("other", "institution.yaml") + ": "}},
		{"no folder", func(dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, []string{"cannot be listed: no such file or directory"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := clinicFolder(t)
			o := options(t, t.TempDir(), dir)
			test.change(dir)
			_, err := server.OpenLocal(t.Context(), o)
			var wrong *mapping.Error
			if !errors.As(err, &wrong) || len(wrong.Findings) != len(test.want) {
				t.Fatalf("%v", err)
			}
			for i, want := range test.want {
				if got := wrong.Findings[i].String(); !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
		})
	}
}

func TestTheAddressOfAServerThatDiedIsForgottenWhenTheFolderIsOpened(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "address"), []byte("127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := server.Address(data); got != "127.0.0.1:1" {
		t.Errorf("address %q", got)
	}
	o := options(t, data, "")
	if before, now, err := server.Migrate(t.Context(), o.Config); err != nil || before != 0 || now < 1 {
		t.Errorf("migrate: %d to %d, %v", before, now, err)
	}
	if got := server.Address(data); got != "" {
		t.Errorf("address %q", got)
	}
}
