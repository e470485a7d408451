package table_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

func compound(text string) []byte {
	b := append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 600)...)
	for _, c := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return append(b, make([]byte, 600)...)
}

// readAll opens every sheet and reads its first rows: what a workbook costs beyond its records. It returns the code of the
// first error.
func readAll(t testing.TB, data []byte, lim table.Limits) string {
	b, err := table.OpenBook("b.xlsx", data, table.Options{Limits: lim})
	if err != nil {
		return code(t, err)
	}
	for _, s := range b.Sheets() {
		f, err := s.Open([2]int{1, 1})
		if err != nil {
			return code(t, err)
		}
		var set table.Set
		set.Add("T", f)
		n := 0
		for _, err := range set.Records("T", nil, lim) {
			if err != nil {
				return code(t, err)
			}
			if n++; n > 100 {
				break
			}
		}
	}
	return ""
}

func code(t testing.TB, err error) string {
	var at *record.SyntaxError
	if !errors.As(err, &at) || at.File != "b.xlsx" || at.Reason == "" {
		t.Errorf("%v", err)
		return err.Error()
	}
	return at.Code
}

func TestHostileWorkbooks(t *testing.T) {
	sheet := func(body string) []byte { return workbook{sheets: []string{"S", body}}.bytes(t) }
	row := `<row><c t="inlineStr"><is><t>A</t></is></c></row>`
	good := workbook{sheets: []string{"S", rowsOf("A|B\n1|2")}}.bytes(t)
	replaced := func(old, new string) []byte { return bytes.Replace(good, []byte(old), []byte(new), -1) }
	wide := func(n int) string {
		var b strings.Builder
		b.WriteString("<sheetData><row>")
		for i := range n {
			fmt.Fprintf(&b, `<c><v>%d</v></c>`, i)
		}
		return b.String() + "</row></sheetData>"
	}
	type hostile struct {
		name string
		data []byte
		lim  table.Limits
		want string
	}
	tests := []hostile{
		{"a good one", good, table.Limits{}, ""},
		{"old workbook", compound("Workbook"), table.Limits{}, "old-workbook"},
		{"workbook with a password", compound("EncryptedPackage"), table.Limits{}, "encrypted-workbook"},
		{"XML of 2003", []byte("<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>"), table.Limits{}, "old-workbook"},
		{"nothing", nil, table.Limits{}, "workbook"},
		{"text", []byte("A\tB\n"), table.Limits{}, "workbook"},
		{"a cut file", good[:len(good)-40], table.Limits{}, "truncated"},
		{"an archive of something else", pack(t, "content.xml", "<x/>"), table.Limits{}, "workbook"},
		{"a binary workbook", pack(t, "_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>`, "xl/workbook.bin", "x"), table.Limits{}, "workbook"},
		{"a part that is twice there", pack(t, "xl/workbook.xml", "<workbook/>", "XL/workbook.xml", "<workbook/>"), table.Limits{}, "workbook"},
		{"a sheet that is not there", pack(t, "xl/workbook.xml", `<workbook><sheets><sheet name="a" id="r1"/></sheets></workbook>`), table.Limits{}, "workbook"},
		{"a sheet whose part is not there", pack(t, "xl/workbook.xml", `<workbook><sheets><sheet name="a" id="r1"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="../../../../etc/passwd"/></Relationships>`), table.Limits{}, "workbook"},
		{"a checksum that is wrong", replaced("PK\x01\x02\x14\x00\x14", "PK\x01\x02\x13\x00\x14"), table.Limits{}, ""},
		{"an unknown string", sheet(`<sheetData><row><c t="s"><v>7</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a string below all", sheet(`<sheetData><row><c t="s"><v>-1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"no number", sheet(`<sheetData><row><c><v>NaN</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"an infinite number", sheet(`<sheetData><row><c><v>1E999</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"an unknown type", sheet(`<sheetData><row><c t="z"><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"entities", sheet(`<sheetData><row><c t="str"><v>&x;</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a document type", pack(t, "xl/workbook.xml", `<!DOCTYPE x [<!ENTITY a "b">]><workbook/>`), table.Limits{}, "workbook"},
		{"a part in UTF-16", pack(t, "xl/workbook.xml", "\xFF\xFE<\x00"), table.Limits{}, "workbook"},
		{"a part in another encoding", pack(t, "xl/workbook.xml", `<?xml version="1.0" encoding="GBK"?><workbook/>`), table.Limits{}, "workbook"},
		{"bytes that are no text", sheet("<sheetData><row><c t=\"str\"><v>\xFF</v></c></row></sheetData>"), table.Limits{}, "workbook"},
		{"an element that does not end", pack(t, "xl/workbook.xml", `<workbook><sheets>`), table.Limits{}, "workbook"},
		{"elements that end crosswise", sheet(`<sheetData><row></sheetData></row>`), table.Limits{}, "workbook"},
		{"elements far inside each other", sheet(strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200)), table.Limits{}, "workbook"},
		{"rows backwards", sheet(`<sheetData><row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"row zero", sheet(`<sheetData><row r="0"><c><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a row below all", sheet(`<sheetData><row r="1048577"><c><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a row far below all", sheet(`<sheetData><row r="99999999999999999999"/></sheetData>`), table.Limits{}, "workbook"},
		{"cells backwards", sheet(`<sheetData><row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a cell of another row", sheet(`<sheetData><row r="1"><c r="A2"><v>1</v></c></row></sheetData>`), table.Limits{}, "workbook"},
		{"a cell without a row", sheet(`<sheetData><c><v>1</v></c></sheetData>`), table.Limits{}, "workbook"},
		{"the last cell of all", sheet(`<sheetData>` + row + `<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>`), table.Limits{}, "too-large"},
		{"the last row of all", sheet(`<dimension ref="A1:XFD1048576"/><sheetData>` + row + `<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>`), table.Limits{}, ""},
		{"a hundred thousand columns", sheet(wide(100_000)), table.Limits{}, "too-large"},
		{"columns over the limit", sheet(wide(11)), table.Limits{MaxColumns: 10}, "too-large"},
		{"rows of one cell far to the right", sheet(`<sheetData>` + strings.Repeat(`<row><c r="XFD1"><v>1</v></c></row>`, 20_000) + `</sheetData>`), table.Limits{}, "too-large"},
		{"merged over everything", sheet(`<sheetData>` + strings.Repeat(row, 50_000) + `</sheetData>` + merges("A1:XFD1048576")), table.Limits{}, ""},
		{"merged over everything and wide", sheet(`<sheetData>` + row + strings.Repeat(`<row><c/><c><v>1</v></c></row>`, 100_000) + `<row><c r="BXX100002"><v>1</v></c></row></sheetData>` + merges("A1:XFD1048576")), table.Limits{}, "too-large"},
		{"merged over everything, often", sheet(`<sheetData>` + strings.Repeat(row, 50_000) + `</sheetData>` + merges(strings.Split(strings.Repeat("A1:XFD1048576 ", 9_999)+"A1:B2", " ")...)), table.Limits{}, "too-large"},
		{"too many merged ranges", sheet(rowsOf("A") + merges("A1:B1", "A2:B2", "A3:B3")), table.Limits{MaxMerged: 2}, "too-large"},
		{"merged backwards", sheet(rowsOf("A") + merges("B2:A1")), table.Limits{}, "workbook"},
		{"merged nowhere", sheet(rowsOf("A") + merges("A1:ZZZZ9")), table.Limits{}, "workbook"},
		{"too many sheets", workbook{sheets: []string{"a", "", "b", "", "c", ""}}.bytes(t), table.Limits{MaxSheets: 2}, "too-large"},
		{"too many cells", sheet(rowsOf("A|B\n1|2\n3|4")), table.Limits{MaxCells: 5}, "too-large"},
		{"too many parts", good, table.Limits{MaxParts: 3}, "too-large"},
		{"a long text", sheet(rowsOf("A\n" + strings.Repeat("x", 2000))), table.Limits{MaxRowBytes: 1000}, "too-large"},
		{"a long row", sheet(rowsOf("A|B\n" + strings.Repeat("x", 600) + "|" + strings.Repeat("y", 600))), table.Limits{MaxRowBytes: 1000}, "too-large"},
		{"a tag without an end", sheet(`<sheetData><row a="` + strings.Repeat("x", 3<<20)), table.Limits{}, "too-large"},
		{"more than may be unzipped", good, table.Limits{MaxUnzipped: 500}, "too-large"},
		{"more parts than 16 bits count", manyParts(t, 70_000), table.Limits{}, "too-large"},
	}
	if !testing.Short() { // they take a second or two to make
		elements := sheet(strings.Repeat(`<cols a="0123456789"/>`, 4<<20))
		tests = append(tests, []hostile{
			{"a bomb of one part", sheet(`<sheetData>` + strings.Repeat(" ", 90<<20) + `</sheetData>`), table.Limits{}, "too-large"},
			{"a bomb of elements", elements, table.Limits{}, "too-large"},
			{"a bomb within the ratio", elements, table.Limits{MaxRatio: 1 << 20, MaxUnzipped: 80 << 20}, "too-large"},
			{"sheets that are one part", bomb(t, 1), table.Limits{}, "workbook"},
			{"a bomb of sheets", bomb(t, 200), table.Limits{}, "too-large"},
			{"a bomb of strings", workbook{sheets: []string{"S", rowsOf("A\n" + strings.Repeat("<c t=\"s\"><v>0</v></c>\n", 200_000))}, strings: "<si><t>" + strings.Repeat("长", 10_000) + "</t></si>"}.bytes(t), table.Limits{}, ""},
		}...)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // what is held does not depend on how tests run
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			started := time.Now()
			got := readAll(t, tt.data, tt.lim)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			// What is allocated is the same on every machine; time is not.
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 400 {
				t.Errorf("%d MB were allocated", mb)
			}
			if mb := (after.HeapAlloc - before.HeapAlloc) >> 20; after.HeapAlloc > before.HeapAlloc && mb > 200 {
				t.Errorf("%d MB are held", mb)
			}
			if took > time.Minute {
				t.Errorf("took %v", took)
			}
			if took > 200*time.Millisecond {
				t.Logf("%v, %d MB allocated, %d MB more of the system", took, (after.TotalAlloc-before.TotalAlloc)>>20, (after.Sys-before.Sys)>>20)
			}
		})
	}
}

// bomb has two hundred sheets with the same rows, in so many parts.
func bomb(t testing.TB, parts int) []byte {
	var sheets, rels strings.Builder
	for i := range 200 {
		fmt.Fprintf(&sheets, `<sheet name="s%d" id="r%d"/>`, i, i)
		fmt.Fprintf(&rels, `<Relationship Id="r%d" Type="x/worksheet" Target="a%d.xml"/>`, i, i%parts)
	}
	all := []string{"xl/workbook.xml", `<workbook>` + sheets.String() + `</workbook>`, "xl/_rels/workbook.xml.rels", `<Relationships>` + rels.String() + `</Relationships>`}
	body := `<worksheet>` + rowsOf("A\n"+strings.Repeat("12345678\n", 10_000)) + `</worksheet>`
	for i := range parts {
		all = append(all, fmt.Sprintf("xl/a%d.xml", i), body)
	}
	return pack(t, all...)
}

// manyParts has more parts than the 16 bits hold that count them.
func manyParts(t testing.TB, n int) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Method: zip.Store}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
