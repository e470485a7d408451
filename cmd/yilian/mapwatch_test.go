package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWatchTellsOfEachChange saves a folder three times: with a mistake, with another status, and with a case that fails.
func TestWatchTellsOfEachChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hospital")
	if err := os.CopyFS(dir, os.DirFS("testdata/folders/hospital")); err != nil {
		t.Fatal(err)
	}
	records := t.TempDir()
	write(t, filepath.Join(records, "LIS_BG_1.csv"), "BGDH,HZID,BGMC,CJSJ,WCSJ,BZ\nR1,0001,生化,2024-05-01 08:00,2024-05-01 09:30,\n")
	write(t, filepath.Join(records, "LIS_BGXM.csv"), "BGDH,XMDM,XMMC,XMJG,XMDW\nR1,GLU,葡萄糖,5.10,mmol/L\n")
	path := filepath.Join(dir, "maps", "report.yaml")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr lockedBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"map", "watch", dir, records, "--interval", "20ms"}, strings.NewReader(""), &stdout, &stderr)
	}()
	await := func(b *lockedBuffer, want string) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(b.String(), want); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %q in\n%s\n%s", want, stdout.String(), stderr.String())
			}
		}
	}
	await(&stderr, "1 case, 0 failed; version ")
	write(t, path, strings.Replace(string(good), "status: =final", "status: =finally", 1))
	await(&stdout, "report.yaml:24:")
	write(t, path, strings.Replace(string(good), "status: =final", "status: =amended", 1))
	await(&stdout, "element-changed  DiagnosticReport.status  1")
	await(&stderr, "1 record, 1 changed")
	if strings.Contains(stdout.String(), "Observation.status") {
		t.Error("compared with something else than the last state that loaded")
	}
	adt := filepath.Join(dir, "maps", "adt.yaml")
	text, err := os.ReadFile(adt)
	if err != nil {
		t.Fatal(err)
	}
	write(t, adt, strings.Replace(string(text), "birthDate: PID-7", "deceasedDateTime: PID-7", 1))
	await(&stdout, "FAIL patient.txtar")
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
