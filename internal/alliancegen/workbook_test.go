package alliancegen_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/alliancegen"
)

// tab is a sheet as its interface document says to read it.
type tab struct {
	name, kind string
	hidden     bool
	heading    []string
	rows       map[int]map[string]string // by row of the sheet, empty ones left out
	plain      map[string]string         // A1 → what stands in the file
}

type xmlCell struct {
	Ref   string `xml:"r,attr"`
	Kind  string `xml:"t,attr"`
	Style int    `xml:"s,attr"`
	Value string `xml:"v"`
	Form  string `xml:"f"`
	Is    struct {
		T string `xml:"t"`
	} `xml:"is"`
}

// headings are how many rows stand above the data of a sheet, and how many of them are
// the heading.
var headings = map[string][2]int{
	"居民档案": {3, 1}, "门诊登记": {3, 2}, "检验申请": {1, 1}, "检验报告": {1, 1}, "检验结果": {2, 1}, "尿常规": {2, 1}, "心电图": {2, 1}, "处方": {2, 1}, "转诊登记": {2, 1}, "科室": {1, 1}, "职工": {2, 1},
}

var keyColumns = map[string][]string{
	"居民档案": {"档案号"}, "门诊登记": {"门诊号"}, "检验申请": {"项目申请号"}, "检验报告": {"报告号"}, "检验结果": {"报告号", "序号"}, "尿常规": {"报告号"}, "心电图": {"报告号"},
	"处方": {"处方号", "序号"}, "转诊登记": {"转诊单号"}, "科室": {"科室代码"}, "职工": {"工号"},
}

// kindOf is the table whose name a sheet's begins with.
func kindOf(name string) string {
	for kind := range headings {
		if strings.HasPrefix(name, kind) {
			return kind
		}
	}
	return ""
}

var cellRef = regexp.MustCompile(`^([A-Z]+)(\d+)$`)

func place(t *testing.T, ref string) (row, column int) {
	t.Helper()
	m := cellRef.FindStringSubmatch(ref)
	if m == nil {
		t.Fatalf("no cell %q", ref)
	}
	for _, c := range m[1] {
		column = column*26 + int(c-'A') + 1
	}
	row, _ = strconv.Atoi(m[2])
	return row, column
}

// readWorkbook reads an .xlsx with the standard library alone.
func readWorkbook(t *testing.T, b []byte) []tab {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string, into any) {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(f)
		if err == nil {
			err = xml.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var book struct {
		Pr struct {
			Date1904 bool `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
	}
	part("xl/workbook.xml", &book)
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			ID int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	part("xl/styles.xml", &styles)
	formats := map[int]string{0: "", 1: "0", 2: "0.00", 14: "m/d/yyyy", 20: "h:mm", 22: "m/d/yyyy h:mm", 49: "@"}
	for _, f := range styles.Formats {
		formats[f.ID] = f.Code
	}
	var shared struct {
		SI []struct {
			T string `xml:"t"`
			R []struct {
				T string `xml:"t"`
			} `xml:"r"`
		} `xml:"si"`
	}
	part("xl/sharedStrings.xml", &shared)

	show := func(c xmlCell) string {
		switch c.Kind {
		case "s":
			n, err := strconv.Atoi(c.Value)
			if err != nil || n >= len(shared.SI) {
				t.Fatalf("%s: no shared string %q", c.Ref, c.Value)
			}
			text := shared.SI[n].T
			for _, r := range shared.SI[n].R {
				text += r.T
			}
			return text
		case "inlineStr":
			return c.Is.T
		case "str", "e":
			return c.Value
		}
		if c.Value == "" {
			return ""
		}
		return shownNumber(t, c.Value, formats[styles.Cells[c.Style].ID], book.Pr.Date1904)
	}

	var out []tab
	for i, s := range book.Sheets {
		var sheet struct {
			Rows []struct {
				Cells []xmlCell `xml:"c"`
			} `xml:"sheetData>row"`
			Merges []struct {
				Ref string `xml:"ref,attr"`
			} `xml:"mergeCells>mergeCell"`
		}
		part(fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), &sheet)
		st := tab{name: s.Name, kind: kindOf(s.Name), hidden: s.State == "hidden", rows: map[int]map[string]string{}, plain: map[string]string{}}
		grid := map[[2]int]string{}
		wide, long := 0, 0
		for _, r := range sheet.Rows {
			for _, c := range r.Cells {
				row, column := place(t, c.Ref)
				grid[[2]int{row, column}] = show(c)
				st.plain[c.Ref] = c.Kind + "|" + c.Form + "|" + c.Value
				wide, long = max(wide, column), max(long, row)
			}
		}
		for _, m := range sheet.Merges {
			from, to, _ := strings.Cut(m.Ref, ":")
			r0, c0 := place(t, from)
			r1, c1 := place(t, to)
			for r := r0; r <= r1; r++ {
				for c := c0; c <= c1; c++ {
					if r != r0 || c != c0 {
						if grid[[2]int{r, c}] != "" {
							t.Errorf("%s: merged cells %s hold more than one value", s.Name, m.Ref)
						}
						grid[[2]int{r, c}] = grid[[2]int{r0, c0}]
					}
				}
			}
		}
		h := headings[st.kind]
		for c := 1; c <= wide && st.kind != ""; c++ {
			name := grid[[2]int{h[0], c}]
			if up := grid[[2]int{h[0] - 1, c}]; h[1] == 2 && up != name {
				name = up + "_" + name
			}
			st.heading = append(st.heading, name)
		}
		for r := h[0] + 1; r <= long && st.kind != ""; r++ {
			row := map[string]string{}
			for c := 1; c <= wide; c++ {
				if v := grid[[2]int{r, c}]; v != "" {
					row[st.heading[c-1]] = v
				}
			}
			if len(row) > 0 {
				st.rows[r] = row
			}
		}
		out = append(out, st)
	}
	return out
}

// shownNumber is what a number shows, dates in ISO form.
func shownNumber(t *testing.T, value, format string, date1904 bool) string {
	t.Helper()
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		t.Fatalf("no number: %q", value)
	}
	switch {
	case strings.ContainsAny(format, "ymdh"):
		if f < 1 {
			minutes := int(f*1440 + 0.5)
			return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
		}
		epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if date1904 {
			epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		at := epoch.Add(time.Duration(f*24*3600+0.5) * time.Second)
		if !strings.Contains(format, "h") {
			return at.Format(time.DateOnly)
		}
		return at.Format(time.DateTime)
	case format == "" || format == "@":
		return value
	}
	whole, frac, _ := strings.Cut(format, ".")
	text := strconv.FormatFloat(f, 'f', len(frac), 64)
	for len(text) < len(whole) {
		text = "0" + text
	}
	return text
}

func TestReaderOfTheTestsShowsNumbersAsSpreadsheetsDo(t *testing.T) {
	for _, x := range []struct{ value, format, want string }{
		{"7.2", "0.00", "7.20"}, {"11", "000", "011"}, {"10", "0000", "0010"}, {"12", "0", "12"}, {"36.5", "", "36.5"},
		{"45901", "yyyy-mm-dd", "2025-09-01"}, {"45901.3541666667", "m/d/yy h:mm", "2025-09-01 08:30:00"}, {"0.354166666666667", "h:mm", "08:30"},
	} {
		if got := shownNumber(t, x.value, x.format, false); got != x.want {
			t.Errorf("%s in %q is %q, want %q", x.value, x.format, got, x.want)
		}
	}
	if got := shownNumber(t, "44439", "yyyy-mm-dd", true); got != "2025-09-01" {
		t.Errorf("counted from 1904: %s", got)
	}
}

func isWorkbook(f alliancegen.File) bool { return strings.HasSuffix(f.Path, ".xlsx") }

var htmlCell = regexp.MustCompile(`(?s)<(td|th)[^>]*>(.*?)</t[dh]>`)

// readPage reads the register that is HTML, as a tab whose rows count from 1.
func readPage(t *testing.T, b []byte) tab {
	t.Helper()
	st := tab{name: "居民档案", kind: "居民档案", rows: map[int]map[string]string{}}
	for i, line := range regexp.MustCompile(`(?s)<tr>.*?</tr>`).FindAllString(decode(t, b), -1) {
		cells := htmlCell.FindAllStringSubmatch(line, -1)
		row := map[string]string{}
		for n, c := range cells {
			text := strings.NewReplacer("<br>", "\n", "&nbsp;", "", "&#34;", `"`, "&amp;", "&").Replace(c[2])
			if c[1] == "th" {
				st.heading = append(st.heading, text)
			} else if len(st.heading) > 0 && text != "" {
				row[st.heading[n]] = text
			}
		}
		if len(row) > 0 {
			st.rows[i+1] = row
		}
	}
	return st
}

// tabs are the sheets of a township file that hold records.
func tabs(t *testing.T, f alliancegen.File) []tab {
	t.Helper()
	if have, ok := read.Load(&f.Bytes[0]); ok {
		return have.([]tab)
	}
	out := []tab{}
	if isWorkbook(f) {
		out = slices.DeleteFunc(readWorkbook(t, f.Bytes), func(s tab) bool { return s.hidden })
	} else {
		out = append(out, readPage(t, f.Bytes))
	}
	read.Store(&f.Bytes[0], out)
	return out
}

// read keeps what tabs made of a file's bytes; tests only read it.
var read sync.Map

func ofTownship(f alliancegen.File) bool {
	return strings.Contains(f.Path, "-"+alliancegen.Township+"-")
}

// allText is every word of a delivery, in cells too.
func allText(t *testing.T, f alliancegen.File) string {
	t.Helper()
	if !ofTownship(f) {
		return decode(t, f.Bytes)
	}
	var b strings.Builder
	for _, s := range tabs(t, f) {
		b.WriteString(strings.Join(s.heading, "\n"))
		for _, row := range s.rows {
			for _, v := range row {
				b.WriteString("\n" + v)
			}
		}
	}
	return b.String()
}

func TestWorkbooksAreAsDocumented(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		documented := map[string]bool{}
		for line := range strings.Lines(string(alliancegen.Readme())) {
			if f := strings.Split(line, "`"); strings.HasPrefix(line, "| `") && len(f) > 1 {
				documented[f[1]] = true
			}
		}
		kinds, suffix := map[string]int{}, false
		for _, f := range a.Deliveries() {
			if !ofTownship(f) {
				continue
			}
			hidden := 0
			if isWorkbook(f) {
				for _, s := range readWorkbook(t, f.Bytes) {
					if s.hidden {
						hidden++
					}
				}
				if hidden != 1 {
					t.Errorf("seed %d: %s has %d hidden sheets", seed, f.Path, hidden)
				}
			}
			for _, s := range tabs(t, f) {
				if s.kind == "" {
					t.Errorf("seed %d: %s has a sheet %q that is not documented", seed, f.Path, s.name)
				}
				kinds[s.kind]++
				suffix = suffix || s.name != s.kind
				for _, name := range s.heading {
					if !documented[name] {
						t.Errorf("seed %d: %s %s has a column %q that is not documented", seed, f.Path, s.name, name)
					}
				}
			}
		}
		for kind := range headings {
			if kinds[kind] == 0 {
				t.Errorf("seed %d: no sheet %s", seed, kind)
			}
		}
		if !suffix {
			t.Errorf("seed %d: no sheet carries the month behind its name", seed)
		}
	}
}

// Equal bytes whatever compresses: nothing in a workbook is compressed or dated.
func TestWorkbooksAreStoredWithoutTimes(t *testing.T) {
	for _, f := range generate(1).Deliveries() {
		if !isWorkbook(f) {
			continue
		}
		z, err := zip.NewReader(bytes.NewReader(f.Bytes), int64(len(f.Bytes)))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range z.File {
			if p.Method != zip.Store || p.ModifiedDate != 0 || p.ModifiedTime != 0 {
				t.Errorf("%s: %s is compressed or dated", f.Path, p.Name)
			}
		}
	}
}

// What makes a workbook hard to read stands in its parts, which are stored plainly.
func TestWorkbookTrapsAreInTheBytes(t *testing.T) {
	for _, seed := range seeds {
		var raw strings.Builder
		kinds := map[string]map[string]bool{} // column of the register → kinds of its cells
		for _, f := range generate(seed).Deliveries() {
			if !isWorkbook(f) {
				continue
			}
			raw.Write(f.Bytes)
			for _, s := range readWorkbook(t, f.Bytes) {
				for ref, plain := range s.plain {
					row, column := place(t, ref)
					if s.kind != "居民档案" || row <= 3 {
						continue
					}
					name, kind := s.heading[column-1], strings.SplitN(plain, "|", 2)[0]
					if plain == "||" {
						continue
					}
					if kinds[name] == nil {
						kinds[name] = map[string]bool{}
					}
					kinds[name][kind] = true
				}
			}
		}
		for what, want := range map[string]string{
			"runs in a string":         "<r><rPr>",
			"phonetic hint":            "<rPh ",
			"string in the cell":       `t="inlineStr"`,
			"formula with a text":      `t="str"><f>VLOOKUP(`,
			"formula with a number":    "<f>DATEDIF(",
			"days from 1904":           `date1904="1"`,
			"hidden sheet":             `state="hidden"`,
			"cell formatted and empty": `"/></row>`,
			"full-width number":        "．",
		} {
			if !strings.Contains(raw.String(), want) {
				t.Errorf("seed %d: no %s", seed, what)
			}
		}
		for _, name := range []string{"出生日期", "联系电话"} {
			if !kinds[name][""] || !kinds[name]["s"] {
				t.Errorf("seed %d: %s is not both number and text: %v", seed, name, kinds[name])
			}
		}
		for kind := range kinds["身份证号"] {
			if kind == "" {
				t.Errorf("seed %d: a good resident number is a number", seed)
			}
		}
	}
}

// The bad workbook has what a spreadsheet does to long numbers, and files that are none.
func TestBadWorkbooksAreBad(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		for _, r := range a.Ledger.Bad.Records {
			raw := a.File(r.File)
			switch r.Reason {
			case alliancegen.OldFormat:
				if !bytes.HasPrefix(raw, []byte("\xD0\xCF\x11\xE0")) {
					t.Errorf("seed %d: %s is no compound file", seed, r.File)
				}
			case alliancegen.Truncated:
				if _, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw))); strings.HasSuffix(r.File, ".xlsx") && err == nil {
					t.Errorf("seed %d: %s is whole", seed, r.File)
				}
			case alliancegen.Digits:
				if id := sheetRow(t, alliancegen.File{Path: r.File, Bytes: raw}, r.Kind, r.Position)["身份证号"]; !strings.Contains(id, "E+17") {
					t.Errorf("seed %d: row %d has a resident number that has not lost digits", seed, r.Position)
				}
			case alliancegen.ErrorValue:
				if key := sheetRow(t, alliancegen.File{Path: r.File, Bytes: raw}, r.Kind, r.Position)["档案号"]; key != "#N/A" {
					t.Errorf("seed %d: row %d has no error in its key", seed, r.Position)
				}
			}
		}
	}
}
