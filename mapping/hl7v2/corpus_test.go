package hl7v2_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping/hl7v2"
)

func messages(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".hl7") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every published message parses, keeps every segment, and has the structure its
// trigger names.
func TestPublishedMessagesParse(t *testing.T) {
	for _, set := range []struct {
		dir   string
		count int
	}{{"ms", 57}, {"cdc", 267}, {"chinese", 6}} {
		t.Run(set.dir, func(t *testing.T) {
			files := messages(t, testenv.Corpus(t, "hl7v2", set.dir))
			if len(files) != set.count {
				t.Errorf("%d messages, want %d", len(files), set.count)
			}
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				name := filepath.Base(file)
				rec, err := hl7v2.Parse(b, hl7v2.Options{File: name})
				if err != nil {
					t.Errorf("%v", err)
					continue
				}
				if rec.Root.Name() == "*" {
					t.Errorf("%s: no structure for %s", name, rec.Type)
				}
				for _, issue := range rec.Issues {
					t.Logf("%s: %s", name, issue)
				}
				want := 0
				for _, line := range strings.FieldsFunc(string(b), func(r rune) bool { return r == '\r' || r == '\n' }) {
					if len(line) > 3 {
						want++
					}
				}
				if got := len(segmentsOf(rec.Root)); got != want {
					t.Errorf("%s: %d segments, want %d", name, got, want)
				}
				if os.Getenv("SHAPES") != "" {
					t.Logf("%s %s: %s", name, rec.Charset, shape(rec.Root))
				}
			}
		})
	}
}

// The Chinese messages say the same in whatever bytes they come.
func TestPublishedChineseMessages(t *testing.T) {
	dir := testenv.Corpus(t, "hl7v2", "chinese")
	for _, tt := range []struct {
		file, charset, issue, name string
		observations               []string // OBX-5, OBX-6, OBX-8
	}{
		{"01-ADT_A01-gb18030-msh18.hl7", "GB18030", "", "王小明", nil},
		{"02-ORU_R01-gbk-no-msh18.hl7", "GB18030", "", "王小明", []string{"12.6 10^9/L ↑", "148 g/L ", "阴性(-)  ", "<0.5 mg/L "}},
		{"03-ORU_R01-utf8-lf.hl7", "UTF-8", "", "王小明", []string{"6.8 mmol/L H", "> mmol/L HH"}},
		{"04-ADT_A08-gb18030-crlf-rare-char.hl7", "GB18030", "", "王𨐈喆", nil},
		{"05-ORM_O01-gb18030.hl7", "GB18030", "", "王小明", nil},
		{"06-ADT_A01-lies-about-charset.hl7", "GB18030", "charset-declared-otherwise", "王小明", nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			rec, err := hl7v2.Parse(b, hl7v2.Options{})
			if err != nil {
				t.Fatal(err)
			}
			issue := ""
			for _, i := range rec.Issues {
				issue = i.ID
			}
			if rec.Charset != tt.charset || issue != tt.issue {
				t.Errorf("%s, issues %v; want %s, %q", rec.Charset, rec.Issues, tt.charset, tt.issue)
			}
			var got []string
			for _, s := range segmentsOf(rec.Root) {
				switch s.Name() {
				case "PID":
					if name := s.At(5).Text(); name != tt.name {
						t.Errorf("PID-5 is %q, want %q", name, tt.name)
					}
				case "OBX":
					got = append(got, s.At(5).Text()+" "+s.At(6).Text()+" "+s.At(8).Text())
				}
			}
			if strings.Join(got, "|") != strings.Join(tt.observations, "|") {
				t.Errorf("observations %q, want %q", got, tt.observations)
			}
		})
	}
}
