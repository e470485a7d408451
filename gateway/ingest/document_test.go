package ingest_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// papers is an institution that sends workbooks and XML documents, some with what
// they attach.
func papers() setup {
	return setup{folders: []fs.FS{member("center", map[string]string{
		"institution.yaml": `
format: 1
id: center
name: center
timezone: "+08:00"
sources:
  book: {format: excel, tables: {人员: {file: "*", sheet: 人员}, 就诊: {file: "*", sheet: 就诊}}}
  documents: {format: xml}
`,
		"maps/report.yaml": "", "maps/document.yaml": "", "codes/state.csv": "",
		"maps/person.yaml": `
format: 1
map: person
reads: {format: excel, table: 人员}
lane: 编号
row: 编号
resources:
  patient:
    type: Patient
    key: [编号]
    write: update
    set:
      identifier: {from: 编号, as: identifier, system: patient}
      name: {from: 姓名, as: name}
`,
		"maps/visit.yaml": `
format: 1
map: visit
reads:
  format: excel
  table: 就诊
  join:
    who: {table: 人员, on: {编号: 编号}}
lane: 编号
row: 流水号
resources:
  patient:
    type: Patient
    key: [编号]
    write: reference
    set: {identifier: {from: 编号, as: identifier, system: patient}}
  encounter:
    type: Encounter
    key: [流水号]
    write: replace
    set:
      status: =finished
      class: {set: {code: =AMB}}
      subject: {ref: patient}
      serviceType: {set: {text: who.姓名}}
`,
		"maps/paper.yaml": `
format: 1
map: paper
reads: {format: xml, root: Report}
lane: who
version: {time: at}
resources:
  patient:
    type: Patient
    key: [who]
    write: merge
    set: {identifier: {from: who, as: identifier, system: patient}}
  report:
    type: DiagnosticReport
    key: [no]
    write: replace
    set:
      identifier: {from: no, as: identifier, system: report}
      status: =final
      code: {set: {text: what}}
      subject: {ref: patient}
      presentedForm: {from: pdf, as: attachment, with: {contentType: =application/pdf}}
  document:
    type: DocumentReference
    key: [no]
    write: replace
    set:
      status: =current
      subject: {ref: patient}
      content: {set: {attachment: {as: document, with: {contentType: =application/xml}}}}
`,
	})}}
}

// sheet is one sheet of a workbook: its name and rows.
type sheet struct {
	name string
	rows [][]string
}

// workbook makes an .xlsx file.
func workbook(t testing.TB, sheets ...sheet) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var types, names, relations strings.Builder
	for i, s := range sheets {
		n := i + 1
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		fmt.Fprintf(&names, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, s.name, n, n)
		fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, n, n)
		var data strings.Builder
		for r, row := range s.rows {
			fmt.Fprintf(&data, `<row r="%d">`, r+1)
			for c, text := range row {
				fmt.Fprintf(&data, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+c, r+1, text)
			}
			data.WriteString("</row>")
		}
		add(fmt.Sprintf("xl/worksheets/sheet%d.xml", n), `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+data.String()+`</sheetData></worksheet>`)
	}
	add("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>`+types.String()+`</Types>`)
	add("_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	add("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>`+names.String()+`</sheets></workbook>`)
	add("xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+relations.String()+`</Relationships>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// people is a sheet of people by number and name.
func people(rows ...[]string) sheet {
	return sheet{"人员", append([][]string{{"编号", "姓名"}}, rows...)}
}

func visits(rows ...[]string) sheet {
	return sheet{"就诊", append([][]string{{"流水号", "编号"}}, rows...)}
}

func TestRowsOfAWorkbookAreRecordsOfTheirOwn(t *testing.T) {
	g := running(t, papers())
	book := workbook(t, people([]string{"1", "甲"}, []string{"2", "乙"}), visits([]string{"V1", "2"}, []string{"V2", "1"}))
	page := "<html><table><tr><td>编号</td><td>姓名</td></tr><tr><td>7</td><td>庚</td></tr></table></html>"
	for _, tt := range []struct {
		name  string
		files []ingest.File
		want  string
	}{
		{"a workbook", []ingest.File{file("a.xlsx", book)}, "人员!2 committed, 人员!3 committed, 就诊!2 committed, 就诊!3 committed"},
		{"the same again", []ingest.File{file("a.xlsx", book)}, "人员!2 unchanged, 人员!3 unchanged, 就诊!2 unchanged, 就诊!3 unchanged"},
		{"one row changed, one more", []ingest.File{file("b.xlsx", workbook(t, people([]string{"1", "甲"}, []string{"2", "乙乙"}, []string{"3", "丁"})))},
			"人员!2 unchanged, 人员!3 committed, 人员!4 committed"},
		{"a number that the spreadsheet spoiled", []ingest.File{file("b.xlsx", workbook(t, people([]string{"1.10105E+17", "丙"}, []string{"8", "壬"})))},
			"人员!2 quarantined, 人员!3 committed"},
		{"two workbooks in a delivery", []ingest.File{file("c.xlsx", workbook(t, people([]string{"4", "戊"}))), file("d.xlsx", workbook(t, people([]string{"5", "己"})))},
			"人员!2 committed, 人员!2 committed"},
		{"a workbook that is none", []ingest.File{file("e.xlsx", book[:len(book)/2])}, " quarantined"},
		{"a sheet that nobody knows", []ingest.File{file("f.xlsx", workbook(t, sheet{"说明", [][]string{{"甲", "乙"}, {"1", "2"}}}, people([]string{"6", "辛"})))},
			"说明!1 quarantined, 人员!2 committed"},
		{"a page of HTML", []ingest.File{file("人员.xls", page)}, "人员!2 committed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range g.take(t, from("center", tt.files...)) {
				got = append(got, r.Place+" "+string(r.State))
				if r.Format != "excel" {
					t.Errorf("%s is of format %s", r.Place, r.Format)
				}
				if r.State == store.Quarantined && (len(issuesOf(r)) == 0 || strings.Contains(r.Reason, "record-failed")) {
					t.Errorf("%s: %s", r.Place, r.Reason)
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
	encounters := g.all(t, "Encounter")
	if len(encounters) != 2 || !strings.Contains(encounters[0]+encounters[1], "甲") || !strings.Contains(encounters[0]+encounters[1], `"乙"`) {
		t.Errorf("visits are not joined with their people: %s", encounters)
	}
}

func TestTheProvenanceOfARowNamesItsPlace(t *testing.T) {
	g := running(t, papers())
	r := g.take(t, from("center", file("a.xlsx", workbook(t, people([]string{"1", "甲"}, []string{"2", "乙"})))))[1]
	v, err := g.store.Read(t.Context(), store.Key{Type: "Provenance", ID: r.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"url":"https://yilian.dev/fhir/StructureDefinition/record-place","valueString":"人员!3"}`,
		`{"url":"https://yilian.dev/fhir/StructureDefinition/folder","valueString":"`,
		fmt.Sprintf(`{"url":"https://yilian.dev/fhir/StructureDefinition/record-length","valueInteger":%d}`, r.Length),
	} {
		if !strings.Contains(string(v.Body), want) {
			t.Errorf("%s is not in %s", want, v.Body)
		}
	}
}

func TestARowIsFoundAgainWhenItsMapIsMended(t *testing.T) {
	g := running(t, papers())
	book := workbook(t, people([]string{"1", "甲"}, []string{"2", "乙"}))
	if err := g.join(member("center", map[string]string{
		"institution.yaml":   papersYAML(t),
		"maps/report.yaml":   "",
		"maps/document.yaml": "",
		"maps/person.yaml":   "format: 1\nmap: person\nreads: {format: excel, table: 人员}\nrow: 编号\nresources:\n  patient: {type: Patient, key: [编号], write: replace, required: true, when: {编号: nobody}, set: {active: =true}}\n",
	})); err != nil {
		t.Fatal(err)
	}
	before := g.take(t, from("center", file("a.xlsx", book)))
	if got := states(before); strings.Count(got, "quarantined") != 2 {
		t.Fatalf("got %s", got)
	}
	if err := g.join(papers().folders...); err != nil {
		t.Fatal(err)
	}
	if n, err := g.store.Replay(t.Context(), []string{before[0].ID, before[1].ID}); n != 2 || err != nil {
		t.Fatalf("%d replayed, %v", n, err)
	}
	g.Poke()
	for _, r := range before {
		after, err := g.Wait(t.Context(), r.ID)
		if err != nil || states(after) != "committed" || after[0].Place != r.Place {
			t.Errorf("%s: %s, %v", r.Place, states(after), err)
		}
	}
	if got := g.all(t, "Patient"); len(got) != 2 {
		t.Errorf("%d Patients", len(got))
	}
}

// papersYAML is the institution.yaml of papers.
func papersYAML(t testing.TB) string {
	t.Helper()
	text, err := fs.ReadFile(papers().folders[0], "institution.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// paper is an XML document; more stands inside its root.
func paper(no, more string) string {
	return `<Report><no>` + no + `</no><who>1</who><at>2025-06-01T08:00:00+08:00</at><what>胸片</what>` + more + `</Report>`
}

func gbk(t testing.TB, text string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestXMLDocumentsAreRecords(t *testing.T) {
	g := running(t, papers())
	for _, tt := range []struct{ name, text, want string }{
		{"a document", paper("1", ""), "committed"},
		{"in GBK, as its prolog says", gbk(t, `<?xml version="1.0" encoding="GB2312"?>`+paper("2", "")), "committed"},
		{"in a SOAP envelope", `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><f><![CDATA[` + paper("3", "") + `]]></f></soap:Body></soap:Envelope>`, "committed"},
		{"one that does not end", paper("4", "")[:60], "quarantined"},
		{"one with a DTD", `<!DOCTYPE Report [<!ENTITY a "aaaa">]>` + paper("5", "&a;"), "quarantined"},
		{"one with an external entity", `<!DOCTYPE Report [<!ENTITY a SYSTEM "file:///etc/hostname">]>` + paper("6", "&a;"), "quarantined"},
		{"one that no map is for", `<Letter/>`, "quarantined"},
		{"two in one", paper("7", "") + paper("8", ""), "quarantined"},
		{"bytes that are not of its encoding", `<?xml version="1.0" encoding="UTF-8"?>` + strings.Replace(paper("9", ""), "胸片", "\xff\xff\xff", 1), "quarantined"},
		{"deep", strings.Repeat("<a>", 100_000), "quarantined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := g.take(t, ingest.Delivery{Institution: "center", Source: "documents", Files: []ingest.File{file("a.xml", tt.text)}})
			if len(got) != 1 || string(got[0].State) != tt.want || got[0].Format != "xml" {
				t.Fatalf("%s of format %s", states(got), got[0].Format)
			}
			r := got[0]
			if kept, err := g.store.Content(t.Context(), r.Digest, r.Offset, r.Length); err != nil || string(kept) != tt.text {
				t.Errorf("%d bytes of %d are kept, %v", len(kept), len(tt.text), err)
			}
			if r.State == store.Quarantined {
				if issues := issuesOf(r); len(issues) == 0 || issues[0].ID == "record-failed" || strings.Contains(r.Reason, "胸片") {
					t.Errorf("reason %s", r.Reason)
				}
			}
		})
	}
	reports := g.all(t, "DiagnosticReport")
	if len(reports) != 3 || strings.Count(strings.Join(reports, ""), "胸片") != 3 {
		t.Errorf("%d reports: %s", len(reports), reports)
	}
}

func TestADocumentSentAgainIsADuplicateByItsControlAndBytes(t *testing.T) {
	g := running(t, papers())
	send := func(control, text string) store.Receipt {
		a, err := g.Accept(t.Context(), ingest.Delivery{Institution: "center", Source: "documents", Control: control, Files: []ingest.File{file("a.xml", text)}})
		if err != nil {
			t.Fatal(err)
		}
		return a.Receipt
	}
	first := send("D1", paper("1", ""))
	if again := send("D1", paper("1", "")); !again.Duplicate || again.ID != first.ID {
		t.Errorf("the same again: %+v", again)
	}
	if other := send("D1", paper("2", "")); other.Duplicate || !other.ControlUsed {
		t.Errorf("other bytes: %+v", other)
	}
	if list, err := g.Wait(t.Context(), send("D2", paper("1", "")).ID); err != nil || states(list) != "unchanged" {
		t.Errorf("the same document under another control: %s, %v", states(list), err)
	}
}

// contents returns the contents of all Binaries of a type.
func (g *gateway) contents(t testing.TB, contentType string) []string {
	t.Helper()
	page, err := g.store.Search(t.Context(), &search.Query{Type: "Binary", Allowed: search.Allowed{All: true}, Count: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range page.Rows {
		if !strings.Contains(string(v.Body), `"contentType":"`+contentType+`"`) {
			continue
		}
		text, err := g.store.Content(t.Context(), v.Blob.Digest, v.Blob.Offset, v.Blob.Length)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}

func TestDocumentsAndWhatTheyAttachAreKeptBesideTheirResources(t *testing.T) {
	g := running(t, papers())
	form := "%PDF-1.4\n" + strings.Repeat("\x00\xff form", 3000)
	text := paper("1", "<pdf>"+base64.StdEncoding.EncodeToString([]byte(form))+"</pdf>")
	other := paper("0", "")
	got := g.take(t, ingest.Delivery{Institution: "center", Source: "documents", Files: []ingest.File{file("a.xml", other), file("b.xml", text)}})
	if states(got) != "committed committed" {
		t.Fatalf("%s", states(got))
	}
	for typ, want := range map[string]string{"application/pdf": form, "application/xml": text} {
		if diff := cmp.Diff([]string{want}, g.contents(t, typ)); diff != "" {
			t.Errorf("%s: %s", typ, diff)
		}
	}
	for _, r := range append(g.all(t, "DocumentReference"), g.all(t, "DiagnosticReport")...) {
		if len(r) > 2000 {
			t.Errorf("%d bytes stand in a resource", len(r))
		}
	}
	page, err := g.engine.Search(t.Context(), interaction.Viewer{Everything: true}, "Binary", nil, false)
	if err != nil || len(page.Matches) != 2 {
		t.Fatalf("%v", err)
	}
	shared := slices.ContainsFunc(page.Matches, func(v store.Version) bool {
		return v.Blob == store.Blob{Digest: got[1].Digest, Offset: got[1].Offset, Length: got[1].Length}
	})
	if !shared {
		t.Error("the document is archived a second time")
	}
}

func TestAttachmentsThatAreWrongOrTooLargeAreNamed(t *testing.T) {
	o := papers()
	o.ingest.Limits.Record = 1 << 20
	large := 50 << 20
	if testing.Short() {
		large = 2 << 20
	}
	g := running(t, o)
	for _, tt := range []struct{ name, data, state, finding string }{
		{"no base64", strings.Repeat("#", 5000), "committed", "base64-format"},
		{"base64 that ends too early", base64.StdEncoding.EncodeToString([]byte("%PDF" + strings.Repeat("x", 5000)))[:5001], "committed", "base64-format"},
		{"far more than a record may have", strings.Repeat("QUFB", large/3), "quarantined", "record-too-large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := g.take(t, ingest.Delivery{Institution: "center", Source: "documents", Files: []ingest.File{file("a.xml", paper("1", "<pdf>"+tt.data+"</pdf>"))}})
			if len(got) != 1 || string(got[0].State) != tt.state || !strings.Contains(got[0].Reason, `"`+tt.finding+`"`) {
				t.Errorf("%s: %.300s", states(got), got[0].Reason)
			}
			if kept := g.contents(t, "application/pdf"); kept != nil {
				t.Errorf("%d contents are kept", len(kept))
			}
		})
	}
}
