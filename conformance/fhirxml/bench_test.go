package fhirxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/fhirxml/xmltext"
)

// record is a made-up Patient as a hospital's feed gives one; its JSON has 2.5 kB.
const record = `{
  "resourceType": "Patient", "id": "b5f0a1c2d3e4",
  "meta": {"versionId": "3", "lastUpdated": "2024-06-15T10:30:00.123+08:00", "source": "https://yilian.dev/institution/a/record/1", "tag": [{"system": "https://yilian.dev/fhir/institution", "code": "a"}]},
  "extension": [
    {"url": "https://yilian.dev/fhir/StructureDefinition/ethnicity", "valueCoding": {"system": "urn:oid:2.16.156.10011.2.3.3.3", "code": "01", "display": "汉族"}},
    {"url": "https://yilian.dev/fhir/StructureDefinition/sex", "valueCoding": {"system": "urn:oid:2.16.156.10011.2.3.3.4", "code": "1", "display": "男"}}
  ],
  "identifier": [
    {"use": "usual", "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}, "system": "https://yilian.dev/fhir/institution/a/patient", "value": "P000123"},
    {"use": "official", "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]}, "system": "urn:oid:2.16.156.10011.1.3", "value": "990101199001010018"},
    {"use": "secondary", "system": "urn:oid:2.16.156.10011.1.19", "value": "A1B2C3D4E5F60718"}
  ],
  "active": true,
  "name": [
    {"use": "official", "text": "欧阳测试", "family": "欧阳", "given": ["测试"]},
    {"use": "official", "text": "Ouyang Ceshi", "family": "Ouyang", "given": ["Ceshi"], "_given": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}]}]}
  ],
  "telecom": [{"system": "phone", "value": "12000000001", "use": "mobile", "rank": 1}, {"system": "phone", "value": "0999-1234567", "use": "home"}],
  "gender": "male", "birthDate": "1990-01-01",
  "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1990-01-01T08:30:00+08:00"}]},
  "deceasedBoolean": false,
  "address": [{"use": "home", "type": "both", "text": "示范省衡远市示范区一号路1号", "line": ["一号路1号"], "city": "衡远市", "district": "示范区", "state": "示范省", "postalCode": "999000", "country": "CHN"}],
  "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "Married"}], "text": "已婚"},
  "contact": [{"relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N"}]}], "name": {"text": "测试家属"}, "telecom": [{"system": "phone", "value": "12000000002"}]}],
  "managingOrganization": {"reference": "Organization/a"}
}`

// serverHeap gives the garbage collector the heap of a small server.
func serverHeap(b *testing.B) {
	ballast := make([]byte, 64<<20)
	b.Cleanup(func() { runtime.KeepAlive(ballast) })
}

func BenchmarkParse(b *testing.B) {
	serverHeap(b)
	text, _ := fhirxml.Append(nil, tree(b, record))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, issues, err := fhirxml.Parse(text, fhirxml.Options{}); err != nil || len(issues) > 0 {
			b.Fatal(err, issues)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	serverHeap(b)
	n := tree(b, record)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = fhirxml.Append(out[:0], n)
	}
	b.SetBytes(int64(len(out)))
}

// BenchmarkTokens reads the same document only as tokens with their places.
func BenchmarkTokens(b *testing.B) {
	serverHeap(b)
	text, _ := fhirxml.Append(nil, tree(b, record))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := xmltext.New(text, fhir.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for s.Next() {
			s.Position(s.Begin)
		}
		if s.Err() != nil {
			b.Fatal(s.Err())
		}
	}
}

// BenchmarkTokensStandardLibrary is the yardstick of BenchmarkTokens.
func BenchmarkTokensStandardLibrary(b *testing.B) {
	serverHeap(b)
	text, _ := fhirxml.Append(nil, tree(b, record))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(text))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
