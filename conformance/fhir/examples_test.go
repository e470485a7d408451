package fhir_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// tokens reads JSON with another parser, keeping numbers as they are written.
func tokens(t *testing.T, text []byte) (out []json.Token) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tok)
	}
}

func TestScoreExamplesRoundTripTokenByToken(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t), "r4-examples", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		want := tokens(t, text)
		if !equalTokens(want, tokens(t, n.AppendJSON(nil))) || !equalTokens(want, tokens(t, n.AppendIndent(nil))) {
			t.Errorf("%s: tokens differ", filepath.Base(file))
			continue
		}
		passed++
	}
	score.Report(t, "examples", passed, len(files))
}

func equalTokens(a, b []json.Token) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
