package snapshot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
)

// published is HL7's package of R4, with the differentials that the embedded definitions leave out.
func published(t testing.TB) *packages.Package {
	t.Helper()
	file := os.Getenv("YILIAN_FHIR_PACKAGE")
	if file == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Skip("needs a cache directory")
		}
		file = filepath.Join(dir, "yilian", "hl7.fhir.r4.examples-4.0.1.tgz")
	}
	if _, err := os.Stat(file); err != nil {
		t.Skip("needs the FHIR package: run go generate ./conformance/definitions, or set YILIAN_FHIR_PACKAGE")
	}
	p, err := packages.ReadFile(file, packages.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPublishedProfilesOfR4(t *testing.T) {
	p := published(t)
	agree, total := 0, 0
	byType := map[string][2]int{}
	for _, url := range p.URLs("StructureDefinition") {
		sd, ok := p.Resolve("StructureDefinition", url)
		if !ok || sd.Get("derivation").Text() != "constraint" || !strings.HasPrefix(url, "http://hl7.org/fhir/StructureDefinition/") {
			continue
		}
		total++
		out, issues := snapshot.New(packages.R4(), snapshot.Options{}).Generate(sd)
		kind := "profile"
		if sd.Get("type").Text() == "Extension" {
			kind = "extension"
		}
		n := byType[kind]
		n[1]++
		if d := differ(sd, out, "snapshot"); d == "" && !fhir.HasErrors(issues) {
			agree++
			n[0]++
		} else {
			t.Logf("%s: %v%s", strings.TrimPrefix(url, "http://hl7.org/fhir/StructureDefinition/"), issues, d)
		}
		byType[kind] = n
	}
	t.Logf("%d of %d agree %v", agree, total, byType)
}
