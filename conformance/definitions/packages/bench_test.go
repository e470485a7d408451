package packages_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/definitions/packages"
)

// BenchmarkReadFile reads HL7's package of R4 with all its examples: 5,300 files, 188 MB unpacked.
func BenchmarkReadFile(b *testing.B) {
	file := os.Getenv("YILIAN_FHIR_PACKAGE")
	if dir, err := os.UserCacheDir(); file == "" && err == nil {
		file = filepath.Join(dir, "yilian", "hl7.fhir.r4.examples-4.0.1.tgz")
	}
	if _, err := os.Stat(file); err != nil {
		b.Skip("needs the FHIR package: run go generate ./conformance/definitions, or set YILIAN_FHIR_PACKAGE")
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := packages.ReadFile(file, packages.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := p.Resolve("StructureDefinition", "http://hl7.org/fhir/StructureDefinition/Patient"); !ok {
			b.Fatal("Patient is not there")
		}
	}
}
