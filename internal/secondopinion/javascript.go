package secondopinion

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// MaxTime is how long an engine may take for all of its answers, on a machine with
// much else to do.
const MaxTime = 4 * time.Minute

// JavaScript asks fhirpath.js, in one process of Node.
func JavaScript(t testing.TB, resources [][]byte, questions []Question) []Answer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "needs Node: run make services")
	}
	_, file, _, _ := runtime.Caller(0)
	folder := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "fhirpath")); err != nil {
		missing(t, "needs fhirpath.js: run make services")
	}
	texts := make([]string, len(resources))
	for i := range resources {
		texts[i] = string(resources[i])
	}
	input, err := json.Marshal(map[string]any{"resources": texts, "questions": questions})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), MaxTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, node, "engine.js")
	cmd.Dir, cmd.Stdin, cmd.Stderr = folder, bytes.NewReader(input), &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("fhirpath.js: %v: %s", err, said.String())
	}
	var found []struct {
		Failed string
		Values []struct{ Kind, Text string }
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("fhirpath.js: %v", err)
	}
	if len(found) != len(questions) {
		t.Fatalf("fhirpath.js: %d answers to %d questions", len(found), len(questions))
	}
	answers := make([]Answer, len(found))
	for i, f := range found {
		answers[i].Failed = f.Failed
		for _, v := range f.Values {
			answers[i].Values = append(answers[i].Values, common(v.Kind, v.Text))
		}
	}
	return answers
}

func common(kind, text string) string {
	switch kind {
	case "null":
		return "null"
	case "number":
		return number(text)
	case "quantity":
		return quantity(text)
	case "json":
		return object([]byte(text))
	}
	return text
}

// missing ends the test: a failure where everything must be there, otherwise a skip.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
