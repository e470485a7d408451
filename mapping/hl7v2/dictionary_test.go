package hl7v2_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping/hl7v2"
)

func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		segment                        string
		field, component, subcomponent int
		want, err                      string
	}{
		{"PID", 8, 0, 0, "Administrative Sex", ""},
		{"PID", 3, 4, 2, "Patient Identifier List / Assigning Authority / Universal ID", ""},
		{"PID", 7, 1, 0, "Date/Time of Birth / Time", ""},
		{"PID", 5, 1, 1, "Patient Name / Family Name / Surname", ""},
		{"OBX", 5, 7, 0, "Observation Value", ""},
		{"PID", 99, 0, 0, "", "PID-99 does not exist, PID has 40 fields"},
		{"PID", 3, 13, 0, "", "PID-3.13 does not exist, CX has 12 components"},
		{"PID", 1, 2, 0, "", "PID-1.2 does not exist, SI has no components"},
		{"PID", 1, 1, 1, "Set ID - PID", ""},
		{"OBX", 3, 1, 2, "Observation Identifier / Identifier / Suffix", ""},
		{"OBR", 4, 1, 2, "", "OBR-4.1.2 does not exist, ST has no components"},
		{"ZPI", 4, 0, 0, "", ""},
	} {
		got, err := hl7v2.Describe(tt.segment, tt.field, tt.component, tt.subcomponent)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || text != tt.err {
			t.Errorf("%s-%d.%d.%d: got %q, %q; want %q, %q", tt.segment, tt.field, tt.component, tt.subcomponent, got, text, tt.want, tt.err)
		}
	}
}

func TestStructureOf(t *testing.T) {
	for _, tt := range []struct{ kind, version, want string }{
		{"ORU^R01", "2.5.1", "ORU_R01"}, {"ADT^A04", "", "ADT_A01"}, {"ADT^A08^ADT_A08", "2.8", "ADT_A01"}, {"ADT^A28", "2.4", "ADT_A05"},
		{"ADT^A40", "2.3.1", "ADT_A39"}, {"RDE^O25", "2.6", "RDE_O11"}, {"ORU_R01", "2.6", "ORU_R01"}, {"ADT^Z01^ADT_A01", "2.4", "ADT_A01"},
		{"ACK^R01", "2.4", "ACK"}, {"ZZZ^Z01", "2.4", ""}, {"ORU^R01", "3.0", ""}, {"RRI^I12", "2.5", "RRI_I12"}, {"", "", ""},
	} {
		s, ok := hl7v2.StructureOf(tt.kind, tt.version)
		name := ""
		if ok {
			name = s.Name
		}
		if name != tt.want {
			t.Errorf("%s of version %q: got %q, want %q", tt.kind, tt.version, name, tt.want)
		}
	}
}

func TestStructuresAnswerWhereAPathLeads(t *testing.T) {
	s, _ := hl7v2.StructureOf("ORU^R01", "2.5")
	result, ok := s.Root.Child("PATIENT_RESULT")
	if !ok {
		t.Fatal("ORU_R01 has PATIENT_RESULT")
	}
	if through, ok := result.Find("PV1"); !ok || strings.Join(through, ".") != "PATIENT.VISIT" {
		t.Errorf("PV1 through %v, %v", through, ok)
	}
	if _, ok := result.Find("OBR"); ok {
		t.Error("OBR stands in a repeating group")
	}
	if through, ok := result.Find("PATIENT"); !ok || len(through) > 0 {
		t.Errorf("PATIENT through %v, %v", through, ok)
	}
}

// All segments of all structures that are used in the field are described.
func TestSegmentsOfStructuresAreDescribed(t *testing.T) {
	// Seldom used: their fields are read by number, without names.
	without := map[string]bool{}
	for _, s := range strings.Fields("ABS AFF APR BLC CDO CER EDU GP1 GP2 INV IPC LAN NPU ODS ODT ORG PRA PTH QRI RMI RQ1 RQD SID STF UB1 UB2 VAR") {
		without[s] = true
	}
	var walk func(g *hl7v2.Group)
	seen := map[string]bool{}
	walk = func(g *hl7v2.Group) {
		for _, it := range g.Items {
			for _, s := range it.Segments {
				seen[s] = true
				if _, ok := hl7v2.SegmentOf(s); !ok && !without[s] {
					t.Errorf("%s in %s is not described", s, g.Name)
				}
			}
			if it.Group != nil {
				walk(it.Group)
			}
		}
	}
	for _, s := range hl7v2.Structures() {
		walk(s.Root)
	}
	for s := range without {
		if !seen[s] {
			t.Errorf("%s is not used", s)
		}
	}
}

// HL7's own mapping tables know the same fields: numbers, names and data types.
func TestDictionaryAgreesWithThePublishedTables(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "hl7v2", "v2-to-fhir-ig", "mappings", "segments"), "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no tables", err)
	}
	older := map[string]string{"CE": "CWE", "IS": "CWE", "TS": "DTM", "CNE": "CWE", "ID": "CWE", "ST": "CWE", "EIP": "EI"}
	type_ := func(s string) string {
		if o, ok := older[s]; ok {
			return o
		}
		return s
	}
	checked := 0
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(f)
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if len(row) < 6 {
				continue
			}
			id, field, ok := strings.Cut(strings.TrimSpace(row[1]), "-")
			number, err := strconv.Atoi(field)
			if !ok || err != nil || len(id) != 3 {
				continue
			}
			s, known := hl7v2.SegmentOf(id)
			if !known {
				continue
			}
			got, ok := s.Field(number)
			if !ok {
				t.Errorf("%s-%d does not exist", id, number)
				continue
			}
			checked++
			kind := strings.TrimSpace(row[3])
			if _, real := hl7v2.TypeOf(kind); real && type_(got.Type) != type_(kind) && got.Type != "varies" {
				t.Errorf("%s-%d is %s, the table says %s", id, number, got.Type, kind)
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d fields were compared", checked)
	}
}
