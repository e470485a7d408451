package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writePackage writes a FHIR package of these files.
func writePackage(t *testing.T, path string, files map[string]string) {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for name, text := range files {
		if err := archive.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestValidateAgainstPackage has a profile without a snapshot, which forbids
// what base R4 allows.
func TestValidateAgainstPackage(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	tgz, patient := filepath.Join(dir, "p.tgz"), filepath.Join(dir, "patient.json")
	writePackage(t, tgz, map[string]string{
		"package.json": `{"name": "example.alliance", "version": "1.0.0", "dependencies": {"hl7.fhir.r4.core": "4.0.1"}}`,
		"StructureDefinition-named.json": `{"resourceType": "StructureDefinition", "url": "https://a.example/named", "version": "1.0.0", "name": "Named",
			"status": "active", "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
			"baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
			"differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]}}`,
	})
	if err := os.WriteFile(patient, []byte(`{"resourceType": "Patient", "gender": "female"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, told bytes.Buffer
	code := run(t.Context(), []string{"validate", "--package", tgz, "--profile", "https://a.example/named", patient}, strings.NewReader(""), &out, &told)
	want := patient + ":1:1: error: Patient.name is required by https://a.example/named but missing at Patient [profile-missing]\n"
	if code != exitFindings || out.String() != want {
		t.Errorf("exit %d, printed %q, told %q", code, out.String(), told.String())
	}
}
