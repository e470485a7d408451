package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

func TestAnInstitutionWhosePushedFolderDoesNotLoadIsListedWithTheReason(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "institution.yaml"), []byte("format: 1\nid: clinic\nname: x\nsource: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := folder.Read(dir, folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// As a program of another time took it.
	if _, err := s.PushFolder(t.Context(), store.Folder{Institution: "clinic", Version: "0123456789abcdef"}, f.Pack(), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(t.TempDir(), "1.json")
	if err := os.WriteFile(record, []byte(`{"no":"1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		want []string // parts of what is printed
	}{
		{"handed in", []string{"ingest", "--institution", "clinic", record}, exitDone, []string{"received", "1 record: 1 received"}},
		{"listed", []string{"institution", "list"}, exitDone, []string{"clinic  0123456789abcdef  store 1  no maps", "\n  institution.yaml:4:1: unknown key \"source\""}},
		{"listed as JSON", []string{"institution", "list", "--json"}, exitDone, []string{`"from":"store","number":1,`, `"findings":[{"severity":"error","file":"institution.yaml","line":4,"column":1,`}},
		{"switched to", []string{"institution", "rollback", "clinic", "--to", "1"}, exitFindings, []string{"institution.yaml:4:1: unknown key", "nothing changed"}},
		{"pulled", []string{"institution", "pull", "clinic", filepath.Join(data, "out")}, exitDone, []string{"clinic  1  1 file in "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var printed bytes.Buffer
			code := run(t.Context(), append(test.args, "--data", data), strings.NewReader(""), &printed, &printed)
			if code != test.code {
				t.Errorf("exit code %d", code)
			}
			for _, part := range test.want {
				if !strings.Contains(printed.String(), part) {
					t.Errorf("%q is not in\n%s", part, &printed)
				}
			}
		})
	}
}
