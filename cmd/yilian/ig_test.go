package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A definition that one line named is known by that name while the lines after it are read.
func TestValidateNDJSONAgainstTheGuide(t *testing.T) {
	const lines = 1000
	var text bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&text, `{"resourceType":"Patient","id":"%s","extension":[{"url":"https://yilian.dev/fhir/StructureDefinition/sex",`+
			`"valueCoding":{"system":"urn:oid:2.16.156.10011.2.3.3.4","code":"%d"}}],"name":[{"text":"李雷"}]}`+"\n", strings.Repeat("a", 1+i%60), 1+i%2)
	}
	text.WriteString(`{"resourceType":"Patient","extension":[{"url":"https://yilian.dev/fhir/StructureDefinition/sex",` +
		`"valueCoding":{"system":"urn:oid:2.16.156.10011.2.3.3.4","code":"3"}}],"name":[{"text":"李雷"}]}`)
	name := filepath.Join(t.TempDir(), "patients.ndjson")
	if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"validate", name}, strings.NewReader(""), &stdout, &stderr); code != exitFindings {
		t.Errorf("exit code %d, want %d", code, exitFindings)
	}
	if want := fmt.Sprintf("%d resources: ", lines+1); !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("stderr %q, want %s…", stderr.String(), want)
	}
	for line := range strings.Lines(stdout.String()) {
		if !strings.Contains(line, fmt.Sprintf("patients.ndjson:%d:", lines+1)) {
			t.Errorf("a finding about a line that is valid: %s", line)
		}
	}
	if !strings.Contains(stdout.String(), "Patient.extension[0]") {
		t.Errorf("no finding about the code that is none: %s", stdout.String())
	}
}
