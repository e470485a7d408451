package codes_test

import (
	"testing"

	"github.com/yilian/yilian/mapping/codes"
)

func TestCodingSystem(t *testing.T) {
	for in, want := range map[string]string{
		"LN": "http://loinc.org", "ln": "http://loinc.org", "SCT": "http://snomed.info/sct", "I10": "http://hl7.org/fhir/sid/icd-10", "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
		"UCUM": "http://unitsofmeasure.org", "HL70078": "http://terminology.hl7.org/CodeSystem/v2-0078", "hl70005": "http://terminology.hl7.org/CodeSystem/v2-0005",
		"CVX": "http://hl7.org/fhir/sid/cvx", "GB/T 2261.1": "urn:oid:2.16.156.10011.2.3.3.4", "2.16.840.1.113883.6.1": "urn:oid:2.16.840.1.113883.6.1", "http://loinc.org": "http://loinc.org",
		"L": "", "99LAB": "", "": "", "XYZ": "", "HL7": "", "HL7007": "", "1.02.3": "", "3.1.2": "",
	} {
		if got, ok := codes.CodingSystem(in); got != want || ok != (want != "") {
			t.Errorf("CodingSystem(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestUniversalID(t *testing.T) {
	const id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	for _, c := range []struct{ id, kind, want string }{
		{"2.16.156.10011.1.3", "ISO", "urn:oid:2.16.156.10011.1.3"}, {"urn:oid:2.16.1", "iso", "urn:oid:2.16.1"}, {"{" + id + "}", "GUID", "urn:uuid:" + id}, {id, "UUID", "urn:uuid:" + id},
		{"http://a.example/x", "URI", "http://a.example/x"}, {"Lab.Example.com", "DNS", "https://lab.example.com"}, {"2.16.1", "", "urn:oid:2.16.1"}, {"https://a.example", "", "https://a.example"},
		{"abc", "ISO", ""}, {"abc", "UUID", ""}, {"abc", "URI", ""}, {"a b", "DNS", ""}, {"a..b", "DNS", ""}, {"LAB", "L", ""}, {"LAB", "", ""}, {"", "ISO", ""}, {"05D0642827", "CLIA", ""},
	} {
		if got, ok := codes.UniversalID(c.id, c.kind); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("UniversalID(%q, %q) = %q, %v, want %q", c.id, c.kind, got, ok, c.want)
		}
	}
}
