package fhir_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

func TestStringsAreWrittenAsTheyAreReadWhereverTheirCharactersStand(t *testing.T) {
	for _, special := range []string{
		"", `"`, `\`, "\n", "\t", "\x00", "\x1f", " ", "\x7f", "é", "中", "😀", "\u2028", `"中`, "中\x01", "\xff", "\xc3", "é\xff", "<", `\"`,
	} {
		for before := range 18 {
			for _, behind := range []int{0, 1, 7, 8, 9} {
				s := strings.Repeat("a", before) + special + strings.Repeat("b", behind)
				text := fhir.NewString(s).AppendJSON(nil)
				var got string
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatalf("%q: %q: %v", s, text, err)
				}
				if want := strings.ToValidUTF8(s, "\uFFFD"); got != want {
					t.Fatalf("%q is written as %q", s, text)
				}
				if name := string(fhir.AppendName(nil, s)); name != string(text)+":" {
					t.Fatalf("as a name: %q", name)
				}
			}
		}
	}
}
