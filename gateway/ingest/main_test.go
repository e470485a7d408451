package ingest_test

import (
	"os"
	"testing"
)

// TestMain makes this binary one of the processes that are measured or killed when
// the environment says so.
func TestMain(m *testing.M) {
	if dir := os.Getenv(loadFolder); dir != "" {
		loadChild(dir)
		return
	}
	if dir := os.Getenv(crashFolder); dir != "" {
		crashChild(dir)
		return
	}
	os.Exit(m.Run())
}
