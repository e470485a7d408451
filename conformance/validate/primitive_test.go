package validate_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/validate"
)

var forms = []struct {
	typ       string
	good, bad []string
}{
	{"decimal", []string{"0", "-1", "1.50", "0.1", "1e10", "1.0E-3", "-0", "12345678901234567890.1"},
		[]string{"", "01", ".5", "5.", "+1", "1e", "1e+", "NaN", "0x1", "1,5", "--1"}},
	{"integer", []string{"0", "-1", "2147483647", "-2147483648"},
		[]string{"", "2147483648", "-2147483649", "1.0", "01", "1e2", "+1", "-"}},
	{"unsignedInt", []string{"0", "1", "2147483647"}, []string{"-1", "-0", "2147483648", "00"}},
	{"positiveInt", []string{"1", "2147483647"}, []string{"0", "-1", "01"}},
	{"string", []string{"a", " a ", "两\n行", "\t"}, []string{""}},
	{"code", []string{"a", "a b", "a-b", "男"}, []string{"", " a", "a ", "a  b", "a\n", "\t"}},
	{"id", []string{"a", "A-1.b", strings.Repeat("a", 64)}, []string{"", "a_b", "a b", strings.Repeat("a", 65), "é", "a/b"}},
	{"uri", []string{"http://a.b/c?d#e", "urn:oid:1.2.3", "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0", "x", "#a", "urn:uuid:0C3201BD-1CBF-4D64-B04D-CD9187A4C6E0"},
		[]string{"", "a b", "a\n", "urn:oid:1.2.", "urn:oid:3.1", "urn:oid:01.2", "urn:uuid:1", "urn:uuid:0c3201bd1cbf4d64b04dcd9187a4c6e0"}},
	{"url", []string{"http://a.b", "mailto:a@b"}, []string{"", "http://a b"}},
	{"canonical", []string{"http://a.b|1.0", "http://a.b|1#c", "#a"}, []string{"", "a b"}},
	{"oid", []string{"urn:oid:0.1", "urn:oid:2.16.840.1.113883"}, []string{"", "1.2.3", "urn:oid:1", "urn:oid:1.02", "urn:oid:1..2", "urn:oid:1.a", "urn:oid:12.3", "urn:oid:.12"}},
	{"uuid", []string{"urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0"},
		[]string{"", "0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:0C3201BD-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e", "urn:uuid:0c3201bd01cbf-4d64-b04d-cd9187a4c6e0"}},
	{"base64Binary", []string{"YQ==", "YWI=", "YWJj", "YWJj YWJj", "YW\nJj"}, []string{"", "YQ", "YQ=", "Y===", "YQ==YQ==", "Y-J_", " "}},
	{"date", []string{"2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"},
		[]string{"", "24", "2024-2", "2024-13", "2024-00", "2023-02-29", "1900-02-29", "2024-04-31", "2024-01-00", "0000", "2024-01-01T00:00:00Z", "2024-01-01 ", "20240101", "2024-", "２０２４"}},
	{"dateTime", []string{"2024", "2024-02", "2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:60+08:00", "2024-02-29T10:00:00.123456-14:00"},
		[]string{"", "2024-02-29T", "2024-02-29T10:00Z", "2024-02-29T10:00:00", "2024-02-29T24:00:00Z", "2024-02-29T10:60:00Z", "2024-02-29T10:00:61Z", "2024-02-29T10:00:00.Z", "2024-02-29T10:00:00+14:01", "2024-02-29T10:00:00+15:00", "2024-02-29T10:00:00+0800", "2024-02T10:00:00Z", "2024-02-30T10:00:00Z", "2024-02-29 10:00:00Z", "2024-02-29T10:00:00z", "2024-02-29T10:00:00+8:00", "2024-02-29T10:00:00Z "}},
	{"instant", []string{"2024-02-29T10:00:00Z", "2024-02-29T10:00:00.1+08:00"}, []string{"", "2024", "2024-02-29", "2024-02-29T10:00:00"}},
	{"time", []string{"00:00:00", "23:59:60", "10:00:00.5"}, []string{"", "10:00", "24:00:00", "10:00:00Z", "10:00:00.", "1:00:00"}},
	{"markdown", []string{"# a\nb"}, []string{""}},
}

func TestPrimitiveForms(t *testing.T) {
	for _, f := range forms {
		for _, s := range f.good {
			if !validate.ValidPrimitive(f.typ, s) {
				t.Errorf("%s refuses %q", f.typ, s)
			}
		}
		for _, s := range f.bad {
			if validate.ValidPrimitive(f.typ, s) {
				t.Errorf("%s accepts %q", f.typ, s)
			}
		}
	}
}

func TestStringIsBoundedInCharacters(t *testing.T) {
	const most = 1 << 20
	if !validate.ValidPrimitive("string", strings.Repeat("医", most)) {
		t.Error("refuses 1048576 characters")
	}
	if validate.ValidPrimitive("string", strings.Repeat("医", most+1)) {
		t.Error("accepts 1048577 characters")
	}
}

func TestEveryPrimitiveTypeHasAScanner(t *testing.T) {
	known := map[string]bool{}
	for _, name := range validate.PrimitiveTypes() {
		known[name] = true
	}
	defs := definitions.R4()
	for _, name := range defs.TypeNames() {
		if primitive := defs.KindOf(name) == definitions.Primitive; primitive != known[name] {
			t.Errorf("%s: is primitive: %v, has scanner: %v", name, primitive, known[name])
		}
	}
}

// stricter are types whose scanner refuses what the specification's regular
// expression alone would let through, because its text says more: dates that
// do not exist, 32 bits, URNs, values that are not empty.
var stricter = map[string]bool{
	"date": true, "dateTime": true, "instant": true, "integer": true, "unsignedInt": true, "positiveInt": true,
	"uri": true, "url": true, "canonical": true, "oid": true,
}

func FuzzPrimitives(f *testing.F) {
	for _, form := range forms {
		for _, s := range append(form.good, form.bad...) {
			f.Add(s)
		}
	}
	type pair struct {
		typ string
		re  *regexp.Regexp
	}
	var pairs []pair
	defs := definitions.R4()
	for _, form := range forms {
		// That of base64 wants its spaces in places where nobody puts them.
		if re := defs.Type(form.typ).Regex; re != "" && form.typ != "base64Binary" {
			pairs = append(pairs, pair{form.typ, regexp.MustCompile("^(?:" + re + ")$")})
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\f\v") {
			return // engines differ about these being white space
		}
		for _, p := range pairs {
			got, want := validate.ValidPrimitive(p.typ, s), p.re.MatchString(s)
			if got && !want {
				t.Errorf("%s accepts %q, the specification does not", p.typ, s)
			}
			if want && !got && !stricter[p.typ] {
				t.Errorf("%s refuses %q, the specification does not", p.typ, s)
			}
		}
	})
}
