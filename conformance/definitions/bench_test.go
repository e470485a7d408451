package definitions_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
)

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := definitions.Open(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstUse is from nothing to one element of one type.
func BenchmarkFirstUse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, err := definitions.Open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Resolve("Patient.contact.name.given"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	d := definitions.R4()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Resolve("Patient.contact.name.given"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValueSetHasCode(b *testing.B) {
	v := definitions.R4().ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender")
	b.ReportAllocs()
	for b.Loop() {
		if v.HasCode("female") != definitions.Member {
			b.Fatal("female is not a member")
		}
	}
}

// BenchmarkEverything decodes all there is.
func BenchmarkEverything(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, err := definitions.Open()
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range d.TypeNames() {
			d.Type(name)
			d.SearchParameters(name)
		}
		for _, url := range d.URLs("ValueSet") {
			d.ValueSet(url)
		}
		for _, url := range d.URLs("CodeSystem") {
			d.CodeSystem(url)
		}
	}
}
