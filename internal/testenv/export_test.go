package testenv

import "testing"

// HideDebian makes PostgreSQL found in PATH only, for the length of a test.
func HideDebian(t testing.TB) {
	before := debianBin
	debianBin = t.TempDir()
	t.Cleanup(func() { debianBin = before })
}
