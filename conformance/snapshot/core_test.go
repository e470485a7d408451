package snapshot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
	"github.com/yilian/yilian/internal/score"
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

func TestPublishedProfilesFollowFromTheirDifferentials(t *testing.T) {
	p := published(t)
	skipped := score.Exceptions(t, "testdata/core.txt")
	agree, total := map[string]int{}, map[string]int{}
	for _, url := range p.URLs("StructureDefinition") {
		sd, ok := p.Resolve("StructureDefinition", url)
		name := strings.TrimPrefix(url, definitions.Canonical)
		if !ok || sd.Get("derivation").Text() != "constraint" || name == url {
			continue
		}
		kind := "profiles"
		if sd.Get("type").Text() == "Extension" {
			kind = "extensions"
		}
		total[kind]++
		out, issues := snapshot.New(packages.R4(), snapshot.Options{}).Generate(sd)
		problem := differ(sd, out, "snapshot")
		if fhir.HasErrors(issues) {
			problem += fmt.Sprint("\n  ", issues)
		}
		_, skip := skipped[name]
		delete(skipped, name)
		switch {
		case problem == "" && skip:
			t.Errorf("%s agrees and is on the list of those that do not", name)
		case problem == "":
			agree[kind]++
		case !skip:
			t.Errorf("%s: %s", name, problem)
		}
	}
	for name := range skipped {
		t.Errorf("%s is on the list and not in the package", name)
	}
	for kind := range total {
		t.Logf("%d of %d %s agree", agree[kind], total[kind], kind)
	}
}
