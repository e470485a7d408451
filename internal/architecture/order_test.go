package architecture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/internal/architecture"
)

func TestLowerNeverImportsHigher(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", architecture.Module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var packages []architecture.Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p architecture.Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list told of %d packages only", len(packages))
	}
	for _, wrong := range architecture.Check(packages) {
		t.Error(wrong)
	}
}

func TestCheckRejectsPlantedViolations(t *testing.T) {
	tests := []struct {
		name     string
		from, to string
		test     bool // the import stands in a test
		want     string
	}{
		{name: "conformance knows no mapping", from: "conformance/validate", to: "mapping/record",
			want: "conformance/validate imports mapping/record: lower never imports higher"},
		{name: "nor do its tests", from: "conformance/validate", to: "mapping/record", test: true,
			want: "conformance/validate imports mapping/record: lower never imports higher"},
		{name: "conformance knows no gateway", from: "conformance/testscript", to: "gateway/fault",
			want: "conformance/testscript imports gateway/fault: lower never imports higher"},
		{name: "mapping knows no gateway", from: "mapping", to: "gateway/fault",
			want: "mapping imports gateway/fault: lower never imports higher"},
		{name: "the resource tree knows nothing of ours", from: "conformance/fhir", to: "conformance/definitions",
			want: "conformance/fhir imports conformance/definitions: lower never imports higher"},
		{name: "fhirpath asks terminology through an interface", from: "conformance/fhirpath", to: "conformance/terminology",
			want: "conformance/fhirpath imports conformance/terminology: fhirpath declares what it asks of terminology"},
		{name: "a reader does not know the engine", from: "mapping/hl7v2", to: "mapping",
			want: "mapping/hl7v2 imports mapping: lower never imports higher"},
		{name: "search knows no store", from: "gateway/search", to: "gateway/store",
			want: "gateway/search imports gateway/store: lower never imports higher"},
		{name: "the contract knows no adapter", from: "gateway/store", to: "gateway/store/sqlite",
			want: "gateway/store imports gateway/store/sqlite: a store is chosen in gateway/server, all others see the contract"},
		{name: "interaction knows no adapter", from: "gateway/interaction", to: "gateway/store/postgres",
			want: "gateway/interaction imports gateway/store/postgres: " +
				"a store is chosen in gateway/server, all others see the contract"},
		{name: "interaction knows no HTTP", from: "gateway/interaction", to: "gateway/rest",
			want: "gateway/interaction imports gateway/rest: the edge is put together in gateway/server"},
		{name: "ingest does not know its sources", from: "gateway/ingest", to: "gateway/source/mllp",
			want: "gateway/ingest imports gateway/source/mllp: lower never imports higher"},
		{name: "settings are handed out", from: "gateway/ingest", to: "gateway/config",
			want: "gateway/ingest imports gateway/config: settings are handed out in gateway/server"},
		{name: "nobody imports the command", from: "gateway/server", to: "cmd/yilian",
			want: "gateway/server imports cmd/yilian: lower never imports higher"},
		{name: "the product uses no test helper", from: "gateway/store/sqlite", to: "internal/testenv",
			want: "gateway/store/sqlite imports internal/testenv: internal is for tests and generators"},
		{name: "demo data is made without the maps", from: "internal/alliancegen", to: "mapping/residentid",
			want: "internal/alliancegen imports mapping/residentid: demo data and test servers know nothing of what they test"},
		{name: "a package of no layer", from: "helpers", to: "conformance/fhir",
			want: "helpers has no place in the order of packages"},
		{name: "the root embeds and imports nothing", from: "", to: "conformance/fhir",
			want: " imports conformance/fhir: lower never imports higher"},

		{name: "fhirpath may compute with units", from: "conformance/fhirpath", to: "conformance/terminology/ucum"},
		{name: "units know no terminology", from: "conformance/terminology/ucum", to: "conformance/terminology",
			want: "conformance/terminology/ucum imports conformance/terminology: lower never imports higher"},
		{name: "ingest may use the engine", from: "gateway/ingest", to: "mapping"},
		{name: "the engine may use readers", from: "mapping", to: "mapping/hl7v2"},
		{name: "an adapter may use search", from: "gateway/store/sqlite", to: "gateway/search"},
		{name: "packages of one layer may know each other", from: "gateway/referral", to: "gateway/schedule"},
		{name: "server chooses the store", from: "gateway/server", to: "gateway/store/sqlite"},
		{name: "a test may use a real store", from: "gateway/interaction", to: "gateway/store/sqlite", test: true},
		{name: "a test may use the test helpers", from: "conformance/fhir", to: "internal/score", test: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := architecture.Package{ImportPath: path(tt.from), Imports: []string{"fmt", "github.com/google/go-cmp/cmp"}}
			if tt.test {
				p.XTestImports = []string{path(tt.to), p.ImportPath}
			} else {
				p.Imports = append(p.Imports, path(tt.to))
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if diff := cmp.Diff(want, architecture.Check([]architecture.Package{p})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func path(relative string) string {
	if relative == "" {
		return architecture.Module
	}
	return architecture.Module + "/" + relative
}
