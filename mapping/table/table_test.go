package table_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/table"
)

func gb(s string) string {
	b, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

func wide(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func open(t testing.TB, name, text string, o table.Options) *table.File {
	t.Helper()
	f, err := table.Open(name, strings.NewReader(text), int64(len(text)), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read writes each record of a file as its cells in brackets, and each error as
// its code and place.
func read(t testing.TB, text string, o table.Options) string {
	t.Helper()
	var s table.Set
	s.Add("T", open(t, "t.csv", text, o))
	return show(t, s.Records("T", nil, o.Limits))
}

func show(t testing.TB, records func(func(*record.Record, error) bool)) string {
	t.Helper()
	var out []string
	for rec, err := range records {
		var at *record.SyntaxError
		switch {
		case errors.As(err, &at):
			if rec == nil || rec.Root != nil || len(rec.Parts) != 1 || rec.Parts[0].End <= rec.Parts[0].Start {
				t.Errorf("the record of an error names the bytes: %+v", rec)
			}
			out = append(out, fmt.Sprintf("%s@%d:%d", at.Code, at.Line, at.Column))
		case err != nil:
			out = append(out, "error: "+err.Error())
		default:
			out = append(out, group(rec.Root))
		}
	}
	return strings.Join(out, " ")
}

func group(n *record.Node) string {
	var cells []string
	for _, k := range n.Kids() {
		switch {
		case k.Kind() == record.Group:
			cells = append(cells, k.Name()+group(k))
		case k.State() == record.Empty:
			cells = append(cells, "-")
		default:
			cells = append(cells, k.Text())
		}
	}
	return "[" + strings.Join(cells, ";") + "]"
}

// rows writes an error for each of the lines.
func rows(from, to int, code string) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, " %s@%d:1", code, i)
	}
	return b.String()
}

func TestRows(t *testing.T) {
	tab := table.Options{Delimiter: '\t'}
	for _, tt := range []struct {
		name, in, want string
		o              table.Options
	}{
		{"plain", "A,B\n1,2\n3,4\n", "[1;2] [3;4]", table.Options{}},
		{"CR LF and no last line end", "A,B\r\n1,2\r\n3,4", "[1;2] [3;4]", table.Options{}},
		{"CR", "A,B\r1,2\r3,4\r", "[1;2] [3;4]", table.Options{}},
		{"blank lines and an end-of-file mark", "\n\nA,B\n\n1,2\n  \n\x1a", "[1;2]", table.Options{}},
		{"semicolon", "A;B\n1,5;2\n", "[1,5;2]", table.Options{}},
		{"tab", "A\tB\n1\t\n\t2\n", "[1;-] [-;2]", table.Options{}},
		{"tab set", "A,B\tC\n1\t2\n", "[1;2]", tab},
		{"bar in GB18030, characters that end with a bar", gb("姓名|科室\n珅|玘珅\n"), "[珅;玘珅]", table.Options{}},
		{"one column", "A\n1\n2\n", "[1] [2]", table.Options{}},
		{"what Excel writes first", "sep=;\nA;B\n1;2\n", "[1;2]", table.Options{}},
		{"quotes", "A,B\n\"1,5\",\"say \"\"hi\"\"\"\n", `[1,5;say "hi"]`, table.Options{}},
		{"quotes with blanks after", "A,B\n\"1\" ,\"2\" \n", `[1;2]`, table.Options{}},
		{"lines in a cell", "A,B\n\"第一行\r\n第二行\",2\n3,4\n", "[第一行\n第二行;2] [3;4]", table.Options{}},
		{"a quote inside", "A,B\n5\" tube,2\n", `[5" tube;2]`, table.Options{}},
		{"no quotes", "A|B\n\"1|2\n3|\"4\"\n", `["1;2] [3;"4"]`, table.Options{NoQuotes: true}},
		{"empty is not blank is not quoted", "A,B,C\n,  ,\"\"\n", "[-;-;-]", table.Options{}},
		{"null of databases", "A,B,C\nNULL,\\N,\"NULL\"\n", "[-;-;NULL]", table.Options{}},
		{"formula text", "A,B\n=cmd|'/C calc'!A0,@SUM(1)\n", "[=cmd|'/C calc'!A0;@SUM(1)]", table.Options{Delimiter: ','}},
		{"mark", "\xEF\xBB\xBFA,B\n1,2\n", "[1;2]", table.Options{}},
		{"UTF-16", "\xFF\xFE" + wide("姓名\tB\r\n王\t2\r\n李\t\"a\r\nb\"\n"), "[王;2] [李;a\nb]", table.Options{}},
		{"delimiter at each end", "A,B\n1,2,\n3,4,\n", "[1;2] [3;4]", table.Options{}},
		{"too few cells, the rest goes on", "A,B,C\n1,2\n3,4,5\n", "columns@2:1 [3;4;5]", table.Options{}},
		{"too many cells, the rest goes on", "A,B\n1,2,3\n4,5\n", "columns@2:1 [4;5]", table.Options{}},
		{"text after a quoted cell", "A,B\n\"1\"x,2\n3,4\n", "quote@2:4 [3;4]", table.Options{}},
		{"open quote, the rest goes on", "A,B\n1,2\n\"3,4\n5,6\n7,\"8\"\n", "[1;2] quote@3:1 [5;6] [7;8]", table.Options{}},
		{"open quote to the end", "A,B\n1,2\n\"3,4\n5,6\n7,8\n", "[1;2] quote@3:1 [5;6] [7;8]", table.Options{}},
		{"several open quotes", "A,B\n\"3,4\n5,6\n\"7,8\n9,0\"\n", "quote@2:1 [5;6] columns@4:1", table.Options{}},
		{"invalid bytes in one row", gb("姓名,科室\n王小明,检验科\n") + "a,\xFFb\n" + gb("李四,外科\n"), "[王小明;检验科] charset@3:3 [李四;外科]", table.Options{}},
		{"NUL in one row", "A,B\n1,\x00\n3,4\n", "nul@2:3 [3;4]", table.Options{}},
		{"long row", "A,B\n1," + strings.Repeat("x", 200) + "\n3,4\n", "too-large@2:1 [3;4]", table.Options{Limits: table.Limits{MaxRowBytes: 100}}},
		{"very long row", "A,B\n1," + strings.Repeat("x", 200_000) + "\r\n3,4\n", "too-large@2:1 [3;4]", table.Options{Limits: table.Limits{MaxRowBytes: 100}}},
		{"long quoted cell", "A,B\n1,\"" + strings.Repeat("x\n", 60) + "\"\n3,4\n", "too-large@2:3" + rows(3, 61, "columns") + " quote@62:1 [3;4]", table.Options{Limits: table.Limits{MaxRowBytes: 100}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, tt.in, tt.o)
			if got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCharsetOfAFile(t *testing.T) {
	text := "姓名,结果\n王小明,阴性(-)\n"
	for name, tt := range map[string]struct{ in, setting, want, issue string }{
		"GB18030 found":   {gb(text), "", "GB18030", ""},
		"GB18030 set":     {gb(text), "GBK", "GB18030", ""},
		"UTF-8 found":     {text, "", "UTF-8", ""},
		"set, but is not": {text, "GBK", "UTF-8", "charset-set-otherwise"},
	} {
		f := open(t, "t.csv", tt.in, table.Options{Charset: tt.setting})
		if f.Charset() != tt.want {
			t.Errorf("%s: %s, want %s", name, f.Charset(), tt.want)
		}
		if got := read(t, tt.in, table.Options{Charset: tt.setting}); got != "[王小明;阴性(-)]" {
			t.Errorf("%s: got %s", name, got)
		}
		if (len(f.Issues()) > 0) != (tt.issue != "") || tt.issue != "" && f.Issues()[0].ID != tt.issue {
			t.Errorf("%s: issues %v", name, f.Issues())
		}
	}
}

func TestCharacterSetIsFoundAfterAMegabyteOfASCII(t *testing.T) {
	in := "A,B\n" + strings.Repeat("1,2\n", 300_000) + gb("王小明,检验科\n")
	if got := read(t, in, table.Options{}); !strings.HasSuffix(got, "[1;2] [王小明;检验科]") {
		t.Errorf("got …%s", got[len(got)-40:])
	}
}

func TestHeadings(t *testing.T) {
	f := open(t, "t.csv", "\xEF\xBB\xBF 姓名\u3000,\u00A0性别 ,\"结果(定量)\"\n", table.Options{})
	if got := strings.Join(f.Heading(), "/"); got != "姓名/性别/结果(定量)" {
		t.Errorf("got %s", got)
	}
	for _, tt := range []struct {
		name, in, code string
		line, column   int
	}{
		{"nothing", "", "empty", 1, 1},
		{"blank lines", "\n \n", "empty", 1, 1},
		{"same name twice", "A,B, A\n", "heading", 1, 5},
		{"no name", "A,,B\n", "heading", 1, 3},
		{"blank name", "A,\u3000,B\n", "heading", 1, 3},
		{"open quote", "A,\"B\n", "quote", 1, 3},
		{"NUL", "A,\x00B\n", "nul", 1, 3},
		{"too many", strings.Repeat("x,", 3000) + "x\n", "columns", 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := table.Open("t.csv", strings.NewReader(tt.in), int64(len(tt.in)), table.Options{})
			var at *record.SyntaxError
			if !errors.As(err, &at) {
				t.Fatalf("got %v", err)
			}
			if at.Code != tt.code || at.Line != tt.line || at.Column != tt.column || at.File != "t.csv" {
				t.Errorf("got %v (%s), want %s at %d:%d", at, at.Code, tt.code, tt.line, tt.column)
			}
		})
	}
	if _, err := table.Open("t.csv", strings.NewReader("A\n"), 2, table.Options{Delimiter: '，'}); err == nil {
		t.Error("a delimiter beyond ASCII is refused")
	}
}

func TestRecordKnowsColumnsPlacesAndBytes(t *testing.T) {
	in := gb("姓名,备注,科室\n王,\"多\n行\",内\n李四,,外\n")
	var s table.Set
	s.Add("HZ", open(t, "hz.csv", in, table.Options{}))
	var recs []*record.Record
	for rec, err := range s.Records("HZ", nil, table.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	if len(recs) != 2 {
		t.Fatalf("%d records", len(recs))
	}
	one, two := recs[0], recs[1]
	if one.Format != record.Table || one.Type != "HZ" || one.File != "hz.csv" || one.Charset != "GB18030" {
		t.Errorf("got %+v", *one)
	}
	if !two.Root.Declares("备注") || two.Root.Get("备注").State() != record.Empty || two.Root.Declares("年龄") {
		t.Error("an empty cell is empty, a column that is not there is not declared")
	}
	if o := one.Root.Get("科室").Origin(); o.Line != 3 || o.Column != 4 || o.Path != "科室" {
		t.Errorf("the cell after a line break is at %+v", o)
	}
	if o := two.Root.Get("科室").Origin(); o.Line != 4 || o.Column != 5 {
		t.Errorf("columns count characters: %+v", o)
	}
	p := two.Parts[0]
	if got := in[p.Start:p.End]; got != gb("李四,,外\n") || p.File != "hz.csv" || p.Line != 4 {
		t.Errorf("bytes %q of %+v", got, p)
	}
}

func delivery(t testing.TB, reports, items, patients string) *table.Set {
	var s table.Set
	s.Add("BG", open(t, "bg.csv", reports, table.Options{}))
	s.Add("XM", open(t, "xm.csv", items, table.Options{}))
	s.Add("HZ", open(t, "hz.csv", patients, table.Options{}))
	return &s
}

var joins = []table.Join{
	{Name: "item", Table: "XM", On: map[string]string{"BGDH": "DH"}, Many: true},
	{Name: "patient", Table: "HZ", On: map[string]string{"HZID": "ID"}},
}

func TestJoins(t *testing.T) {
	reports := "BGDH,HZID\nR1,P1\nR2,P2\nR3,\n"
	items := "DH,XM,JG\nR2,GLU,5\nR1,WBC,12\nR1,HGB,148\nR9,XXX,1\n"
	patients := "ID,XM\nP1,王\nP2,李\nP3,赵\n"
	s := delivery(t, reports, items, patients)
	want := "[R1;P1;item[R1;WBC;12];item[R1;HGB;148];patient[P1;王]] [R2;P2;item[R2;GLU;5];patient[P2;李]] [R3;-] orphan@5:1"
	if got := show(t, s.Records("BG", joins, table.Limits{})); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for rec := range s.Records("BG", joins, table.Limits{}) {
		if !rec.Root.Declares("item") || !rec.Root.Declares("patient") || !rec.Root.Declares("HZID") || rec.Root.Declares("XM") {
			t.Error("a row declares its columns and its joins")
		}
		n := 0
		for item := range rec.Root.Each("item") {
			n++
			if item.Ordinal() != n || item.Get("JG").Origin().Path != fmt.Sprintf("item[%d].JG", n) || !item.Declares("JG") || item.Declares("BGDH") {
				t.Errorf("joined row %d: %+v", n, item.Get("JG").Origin())
			}
		}
		if p := rec.Root.Get("patient"); p.Ordinal() != 0 || p.Get("XM").Origin().Path != "patient.XM" || p.Get("XM").Origin().Line != 2 {
			t.Errorf("the one joined row: %+v", p.Get("XM").Origin())
		}
		if len(rec.Parts) != 4 || rec.Parts[2].Path != "item[2]" || items[rec.Parts[2].Start:rec.Parts[2].End] != "R1,HGB,148\n" || rec.Parts[2].Line != 4 {
			t.Errorf("parts %+v", rec.Parts)
		}
		break
	}
}

func TestNestedJoins(t *testing.T) {
	s := delivery(t, "BGDH\nR1\nR2\n", "DH,KEY\nR1,K1\nR1,K2\nR2,K1\n", "ID,V\nK1,a\nK1,b\nK2,c\n")
	got := show(t, s.Records("BG", []table.Join{{
		Name: "x", Table: "XM", On: map[string]string{"BGDH": "DH"}, Many: true,
		Joins: []table.Join{{Name: "y", Table: "HZ", On: map[string]string{"KEY": "ID"}, Many: true}},
	}}, table.Limits{}))
	want := "[R1;x[R1;K1;y[K1;a];y[K1;b]];x[R1;K2;y[K2;c]]] [R2;x[R2;K1;y[K1;a];y[K1;b]]]"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestATableJoinsItself(t *testing.T) {
	var s table.Set
	s.Add("T", open(t, "t.csv", "ID,UP\n1,\n2,1\n3,2\n", table.Options{}))
	up := table.Join{Name: "up", Table: "T", On: map[string]string{"UP": "ID"}}
	up.Joins = []table.Join{{Name: "upup", Table: "T", On: map[string]string{"UP": "ID"}}}
	got := show(t, s.Records("T", []table.Join{up}, table.Limits{}))
	if want := "[1;-] [2;1;up[1;-]] [3;2;up[2;1;upup[1;-]]]"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestJoinsOverSeveralColumnsFilesAndBlanks(t *testing.T) {
	var s table.Set
	s.Add("BG", open(t, "bg1.csv", "DH,RQ\nR1,d1\n", table.Options{}))
	s.Add("BG", open(t, "bg2.csv", "RQ,DH\nd2,R1\n", table.Options{}))
	s.Add("XM", open(t, "xm1.csv", "DH,RQ,V\nR1  ,d1,a\n", table.Options{}))
	s.Add("XM", open(t, "xm2.csv", "V|RQ|DH\nb|d2|R1\nc|d1|R1\nd||R1\n", table.Options{}))
	got := show(t, s.Records("BG", []table.Join{{Name: "x", Table: "XM", On: map[string]string{"DH": "DH", "RQ": "RQ"}, Many: true}}, table.Limits{}))
	if want := "[R1;d1;x[R1  ;d1;a];x[c;d1;R1]] [d2;R1;x[b;d2;R1]] orphan@4:1"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestJoinFindings(t *testing.T) {
	s := delivery(t, "BGDH,HZID\nR1,P1\nR2,P1\n", "DH,V\nR1,a\nR1\nR1,b\nR1,c\n", "ID,XM\nP1,王\nP1,李\n")
	var issues []string
	for rec, err := range s.Records("BG", joins, table.Limits{}) {
		if err == nil {
			for _, i := range rec.Issues {
				issues = append(issues, i.ID+" "+i.Origin)
			}
		}
	}
	if strings.Join(issues, ",") != "join-several patient,join-several patient" {
		t.Errorf("issues %v", issues)
	}
	got := show(t, s.Records("BG", joins, table.Limits{MaxJoined: 2}))
	if want := "columns@3:1 too-many-values@2:1 [R2;P1;patient[P1;王]]"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := show(t, s.Records("BG", joins, table.Limits{MaxJoinedRows: 1})); !strings.Contains(got, "error: join item: table XM has more than 1 rows") {
		t.Errorf("got %s", got)
	}
	for name, j := range map[string]table.Join{
		"join j: bg.csv has no column NO":             {Name: "j", Table: "XM", On: map[string]string{"NO": "DH"}},
		"join j: xm.csv has no column NO":             {Name: "j", Table: "XM", On: map[string]string{"BGDH": "NO"}},
		"join j: it has no columns":                   {Name: "j", Table: "XM"},
		"join HZID: bg.csv has a column of that name": {Name: "HZID", Table: "XM", On: map[string]string{"BGDH": "DH"}},
	} {
		if got := show(t, s.Records("BG", []table.Join{j}, table.Limits{})); !strings.HasSuffix(got, "error: "+name) {
			t.Errorf("got %s, want %s", got, name)
		}
	}
	if got := show(t, s.Records("NO", nil, table.Limits{})); got != "error: there is no file of table NO" {
		t.Errorf("got %s", got)
	}
}

func TestManyOrphansAreCounted(t *testing.T) {
	s := delivery(t, "BGDH,HZID\nR1,\n", "DH,V\n"+strings.Repeat("R7,x\n", 1000), "ID\n1\n")
	n, last := 0, ""
	for _, err := range s.Records("BG", joins, table.Limits{}) {
		var at *record.SyntaxError
		if errors.As(err, &at) && at.Code == table.Orphan {
			n, last = n+1, at.Reason
		}
	}
	if n != 100 || !strings.HasSuffix(last, "900 more rows") {
		t.Errorf("%d orphans, the last: %s", n, last)
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"LIS_BG_*.csv", "LIS_BG_20240615.csv", true}, {"LIS_BG_*.csv", "/in/lis_bg_1.CSV", true}, {"LIS_BG_*.csv", `C:\in\LIS_BG_1.csv`, true},
		{"LIS_BG_*.csv", "LIS_BGXM_1.csv", false}, {"[", "[", false},
	} {
		if got := table.Matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%s %s: %v", tt.pattern, tt.name, got)
		}
	}
}

func TestDigest(t *testing.T) {
	digest := func(reports, items string) [32]byte {
		for rec, err := range delivery(t, reports, items, "ID\nP1\n").Records("BG", joins, table.Limits{}) {
			if err != nil {
				t.Fatal(err)
			}
			return table.Digest(rec)
		}
		t.Fatal("no record")
		return [32]byte{}
	}
	base := digest("BGDH,HZID\nR1,P1\n", "DH,V\nR1,a\nR1,b\n")
	for _, tt := range []struct {
		name, reports, items string
		same                 bool
	}{
		{"again", "BGDH,HZID\nR1,P1\n", "DH,V\nR1,a\nR1,b\n", true},
		{"other order of columns", "HZID,BGDH\nP1,R1\n", "V,DH\na,R1\nb,R1\n", true},
		{"other order of rows", "BGDH,HZID\nR1,P1\n", "DH,V\nR1,b\nR1,a\n", true},
		{"quoted", "BGDH,HZID\n\"R1\",P1\n", "DH,V\nR1,a\nR1,b\n", true},
		{"a changed cell", "BGDH,HZID\nR1,P1\n", "DH,V\nR1,a\nR1,c\n", false},
		{"a row more", "BGDH,HZID\nR1,P1\n", "DH,V\nR1,a\nR1,b\nR1,b\n", false},
		{"a column more", "BGDH,HZID,X\nR1,P1,\n", "DH,V\nR1,a\nR1,b\n", false},
		{"cells exchanged", "BGDH,HZID\nR1,P1\n", "DH,V\nR1,a\nR1,\n", false},
	} {
		if got := digest(tt.reports, tt.items) == base; got != tt.same {
			t.Errorf("%s: same %v, want %v", tt.name, got, tt.same)
		}
	}
}

// What encoding/csv writes is read back, whatever the encoding.
func TestWrittenRowsAreReadBack(t *testing.T) {
	value := rapid.StringOf(rapid.SampledFrom([]rune("ab,;|\t\"' \n玘珅王喆𠮷=1")))
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 5).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(value, columns, columns), 1, 6).Draw(t, "rows")
		delim := rapid.SampledFrom([]rune(",;\t|")).Draw(t, "delimiter")
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Comma = delim
		w.UseCRLF = rapid.Bool().Draw(t, "CR LF")
		var heading []string
		for i := range columns {
			heading = append(heading, fmt.Sprintf("列%d", i))
		}
		if err := w.Write(heading); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, row := range rows {
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
			blank := true
			var cells []string
			for _, c := range row {
				if strings.TrimSpace(c) == "" {
					c = "-"
				} else {
					blank = false
				}
				cells = append(cells, c)
			}
			if !(blank && len(row) == 1) {
				want = append(want, "["+strings.Join(cells, ";")+"]")
			}
		}
		w.Flush()
		text := b.String()
		if rapid.Bool().Draw(t, "GB18030") {
			text = gb(text)
		}
		f, err := table.Open("t", strings.NewReader(text), int64(len(text)), table.Options{Delimiter: delim})
		if err != nil {
			t.Fatal(err)
		}
		var s table.Set
		s.Add("T", f)
		var got []string
		for rec, err := range s.Records("T", nil, table.Limits{}) {
			if err != nil {
				t.Fatalf("%v in %q", err, text)
			}
			if g := group(rec.Root); !(g == "[-]" && columns == 1) {
				got = append(got, g)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("\n got %q\nwant %q\nfrom %q", got, want, b.String())
		}
	})
}

// long is a file of n equal rows that is never in memory as a whole.
type long struct {
	heading, row string
	n            int
}

func (l long) size() int64 { return int64(len(l.heading) + l.n*len(l.row)) }

func (l long) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		switch at := off + int64(i); {
		case at >= l.size():
			return i, io.EOF
		case at < int64(len(l.heading)):
			p[i] = l.heading[at]
		default:
			p[i] = l.row[(at-int64(len(l.heading)))%int64(len(l.row))]
		}
	}
	return len(p), nil
}

func TestMemoryOfALongDelivery(t *testing.T) {
	main := long{"A,B\n", "1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 100_000}
	joined := long{"C,D\n", "2,yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n", 100_000}
	var s table.Set
	for name, l := range map[string]long{"M": main, "J": joined} {
		f, err := table.Open(name, l, l.size(), table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Add(name, f)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	for _, err := range s.Records("M", []table.Join{{Name: "j", Table: "J", On: map[string]string{"A": "C"}}}, table.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if used := int64(now.HeapAlloc) - int64(before.HeapAlloc); used > 100_000*24*3/2+1<<20 {
				t.Errorf("%d KB more are in use after %d rows", used>>10, n)
			}
		}
	}
	if n != main.n {
		t.Errorf("%d rows, want %d", n, main.n)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add("A,B\n1,2\n\"3\n\",4\n", "B,C\n1,2\n", false)
	f.Add(gb("姓名|科室\n玘|珅\n"), "科室\n", true)
	f.Add("\xFF\xFEA\x00\n\x00", "sep=;\nA;B\n", false)
	f.Add("A\tB\r\n\"x\r\n1\t2", "A\n\x00\n", false)
	f.Fuzz(func(t *testing.T, main, other string, noQuotes bool) {
		o := table.Options{NoQuotes: noQuotes, Limits: table.Limits{MaxRowBytes: 200, MaxColumns: 20, MaxJoined: 5}}
		var s table.Set
		a, err := table.Open("a", strings.NewReader(main), int64(len(main)), o)
		if err != nil {
			var at *record.SyntaxError
			if !errors.As(err, &at) || at.Line < 1 && at.Code != "charset" && at.Code != "truncated" && at.Code != "nul" {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		s.Add("A", a)
		var joins []table.Join
		if b, err := table.Open("b", strings.NewReader(other), int64(len(other)), o); err == nil {
			s.Add("B", b)
			joins = []table.Join{{Name: "\x00j", Table: "B", On: map[string]string{a.Heading()[0]: b.Heading()[0]}, Many: true}}
		}
		last := int64(-1)
		for rec, err := range s.Records("A", joins, o.Limits) {
			var at *record.SyntaxError
			if err != nil && (!errors.As(err, &at) || at.Line < 1 || at.Code == "") {
				t.Fatalf("an error without a place: %v", err)
			}
			if p := rec.Parts[0]; p.File == "a" {
				if p.Start <= last || p.End <= p.Start || p.End > int64(len(main)) {
					t.Fatalf("row from %d to %d after %d", p.Start, p.End, last)
				}
				last = p.Start
			}
			if err != nil {
				continue
			}
			for _, cell := range rec.Root.Kids() {
				if !utf8.ValidString(cell.Text()) {
					t.Fatalf("not text: %q", cell.Text())
				}
			}
			table.Digest(rec)
		}
	})
}

func BenchmarkRow25(b *testing.B) {
	var heading, row []string
	for i := range 25 {
		heading = append(heading, fmt.Sprintf("XM%02d", i))
		row = append(row, []string{"990101194912310023", "王小明", "2024-06-15 10:30:00", "12.6", ""}[i%5])
	}
	text := gb(strings.Join(heading, ",") + "\n" + strings.Repeat(strings.Join(row, ",")+"\n", 10_000))
	var s table.Set
	s.Add("T", open(b, "t.csv", text, table.Options{}))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range s.Records("T", nil, table.Limits{}) {
			n++
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
}

func BenchmarkDigest(b *testing.B) {
	var heading, row []string
	for i := range 25 {
		heading, row = append(heading, fmt.Sprintf("XM%02d", i)), append(row, "王小明")
	}
	var s table.Set
	s.Add("T", open(b, "t.csv", strings.Join(heading, ",")+"\n"+strings.Join(row, ",")+"\n", table.Options{}))
	for rec := range s.Records("T", nil, table.Limits{}) {
		b.ReportAllocs()
		for b.Loop() {
			table.Digest(rec)
		}
	}
}
