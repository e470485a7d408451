package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/markup"
)

// The hashes and base64 here are those of the tools sha1sum and base64.
func TestAttachments(t *testing.T) {
	const (
		pdf  = `"data":"JVBERi0xLjQKeA==","size":10,"hash":"C0IwXt5T2LJo1uiiwcCa7qqJLh4="}`
		abcd = `"data":"YWJjZA==","size":4,"hash":"gf6L/odXbD7LIkJvjleEc4KRes8="}`
	)
	dicom := strings.Repeat("A", 170) + "BESUNNeA=="
	for _, tt := range []struct {
		name  string
		with  string // inputs
		value string // of column A, and of E, behind a bar
		want  string // "" for none
		issue string
	}{
		{"a PDF by its first bytes", "", "JVBERi0xLjQKeA==", `{"contentType":"application/pdf",` + pdf, ""},
		{"a PNG", "", "iVBORw0KGgphYmM=", `{"contentType":"image/png","data":"iVBORw0KGgphYmM=","size":11,"hash":"FrfMIT+0HUN2kw8c4oMepYszX9A="}`, ""},
		{"a JPEG", "", "/9j/4A==", `{"contentType":"image/jpeg","data":"/9j/4A==","size":4,"hash":"MFZ/a1KvYESaYRPTyA+5+FC3Qmo="}`, ""},
		{"a GIF", "", "R0lGODlhMQ==", `{"contentType":"image/gif","data":"R0lGODlhMQ==","size":7,"hash":"Aou1+dvV/QkSTTZljFdaGqqxUz0="}`, ""},
		{"a TIFF", "", "SUkqAHo=", `{"contentType":"image/tiff","data":"SUkqAHo=","size":5,"hash":"4fL8YWhWGJMVBcNJOETKX5A5gUM="}`, ""},
		{"a BMP", "", "Qk0KAAAAAAAAAA==", `{"contentType":"image/bmp","data":"Qk0KAAAAAAAAAA==","size":10,"hash":"f0v/8Q+jSd1L834lcE7GLML9PE8="}`, ""},
		{"a DICOM file, whose mark stands behind 128 bytes", "", dicom, `{"contentType":"application/dicom","data":"` + dicom + `","size":133,"hash":"J7bPIRPrAQ4i6QiYRsa8ACTkkUw="}`, ""},
		{"RTF", "", "e1xydGYxIHh9", `{"contentType":"application/rtf","data":"e1xydGYxIHh9","size":9,"hash":"y8zcE30H43tc0BLhp+t+jsuua9c="}`, ""},
		{"XML in base64", "", "PD94bWwgdmVyc2lvbj0iMS4wIj8+PGEvPg==", `{"contentType":"application/xml","data":"PD94bWwgdmVyc2lvbj0iMS4wIj8+PGEvPg==","size":25,"hash":"v0FHQZ4aEzOZioE2ULOk+72jEbI="}`, ""},
		{"XML as it is", "", `<?xml version="1.0"?><a/>`, `{"contentType":"application/xml; charset=utf-8","data":"PD94bWwgdmVyc2lvbj0iMS4wIj8+PGEvPg==","size":25,"hash":"v0FHQZ4aEzOZioE2ULOk+72jEbI="}`, ""},
		{"XML of a type that base64 cannot be mistaken for", "contentType: =application/hl7-cda+xml", `<?xml version="1.0"?><a/>`, `{"contentType":"application/hl7-cda+xml","data":"PD94bWwgdmVyc2lvbj0iMS4wIj8+PGEvPg==","size":25,"hash":"v0FHQZ4aEzOZioE2ULOk+72jEbI="}`, ""},
		{"text that could be base64 is text", "", "abcd", `{"contentType":"text/plain; charset=utf-8",` + abcd, ""},
		{"text in Chinese, on two lines", "", "一\n二", `{"contentType":"text/plain; charset=utf-8","data":"5LiACuS6jA==","size":7,"hash":"A0xbsYAU/k+NkT/2ZF7iIj1knVo="}`, ""},
		{"base64 of text that is said to be base64", "encoding: =Base64", "YWJjZA==", `{"contentType":"text/plain; charset=utf-8",` + abcd, ""},
		{"base64 of bytes of no known kind", "encoding: =Base64", "AAECAw==", `{"contentType":"application/octet-stream","data":"AAECAw==","size":4,"hash":"oCoFsCW5KMA5zxrn6O4E58GQwNs="}`, ""},
		{"hexadecimal digits", "encoding: =Hex", "00 01\n0203", `{"contentType":"application/octet-stream","data":"AAECAw==","size":4,"hash":"oCoFsCW5KMA5zxrn6O4E58GQwNs="}`, ""},
		{"encoding A is text", "encoding: =A", "abcd", `{"contentType":"text/plain; charset=utf-8",` + abcd, ""},
		{"line breaks and blanks in base64", "", "JVBERi0x\r\nLjQK\t eA==", `{"contentType":"application/pdf",` + pdf, ""},
		{"line breaks that stayed escaped", "encoding: =Base64", `JVBERi0x\.br\LjQK\X0D\\X0A\eA==`, `{"contentType":"application/pdf",` + pdf, ""},
		{"base64 without padding", "encoding: =Base64", "YWJjZA", `{"contentType":"text/plain; charset=utf-8",` + abcd, ""},
		{"base64 of the URL alphabet", "encoding: =Base64, contentType: =image/jpeg", "_9j_4A", `{"contentType":"image/jpeg","data":"/9j/4A==","size":4,"hash":"MFZ/a1KvYESaYRPTyA+5+FC3Qmo="}`, ""},
		{"a type that is none is found out", "encoding: =Base64, contentType: =PDF", "JVBERi0xLjQKeA==", `{"contentType":"application/pdf",` + pdf, ""},
		{"a data: URI", "", "data:application/pdf;base64,JVBERi0xLjQKeA==", `{"contentType":"application/pdf",` + pdf, ""},
		{"a data: URI without a type", "", "data:;base64,JVBERi0xLjQKeA==", `{"contentType":"application/pdf",` + pdf, ""},
		{"a data: URI of text", "", "data:text/plain,ab%63d", `{"contentType":"text/plain",` + abcd, ""},
		{"a data: URI that is none", "", "data:image/png;base64", "", "want a data: URI such as data:application/pdf;base64,…"},
		{"a data: URI of base64 that is none", "", "data:image/png;base64,*", "", "want base64"},
		{"base64 that is none", "encoding: =Base64", "YWJ*ZA==", "", "want base64"},
		{"base64 that is cut", "encoding: =Base64", "YWJjZ", "", "want base64"},
		{"a file that is said to be a PDF and is no base64", "contentType: =application/pdf", "见附件", "", "want base64"},
		{"hexadecimal digits that are none", "encoding: =Hex", "0g", "", "want hexadecimal digits"},
		{"an unknown encoding", "encoding: =uuencode", "abcd", "", "want A, Base64 or Hex as the encoding"},
		{"language, title and creation", "language: =zh-CN, title: E, creation: ID", "abcd|t", `{"contentType":"text/plain; charset=utf-8","language":"zh-CN",` + strings.TrimSuffix(abcd, "}") + `,"title":"t","creation":"2024-05-01"}`, ""},
		{"over its limit", "encoding: =Base64", "JVBERi0xLjQK" + strings.Repeat("AAAA", 100), "", "not kept: an attachment of more than 200 bytes"},
		{"text over its limit", "", strings.Repeat("一", 100), "", "not kept: an attachment of more than 200 bytes"},
		{"digits over their limit", "encoding: =Hex", strings.Repeat("00", 201), "", "not kept: an attachment of more than 200 bytes"},
		{"a data: URI over its limit", "", "data:text/plain," + strings.Repeat("a", 201), "", "not kept: an attachment of more than 200 bytes"},
		{"exactly its limit", "encoding: =A, contentType: =text/x", strings.Repeat("a", 200), `{"contentType":"text/x"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "format: 1\nmap: m\nreads: {format: csv, table: T}\nresources:\n  r: {type: Patient, write: update, key: [ID], set: {photo: {from: A, as: attachment, with: {" + tt.with + "}}}}"
			inst, err := mapping.Load(folder(map[string]string{"institution.yaml": institution, "maps/m.yaml": text}), mapping.Options{Limits: mapping.Limits{MaxAttachment: 200}})
			if err != nil {
				t.Fatal(err)
			}
			value, e, _ := strings.Cut(tt.value, "|")
			resources, issues := show(run(t, inst, row("ID=20240501", "A="+value, "E="+e)))
			want := `{"resourceType":"Patient","id":"#1"`
			if tt.want != "" {
				want += `,"photo":[` + tt.want
			} else {
				want += "}"
			}
			if !strings.HasPrefix(resources[0], want) {
				t.Errorf("got  %s\nwant %s", resources[0], want)
			}
			if got := strings.Join(issues, "\n"); tt.issue == "" && got != "" || !strings.Contains(got, tt.issue) {
				t.Errorf("got %q, want %q", got, tt.issue)
			}
		})
	}
}

func TestAnAttachmentOfAMessage(t *testing.T) {
	inst := load(t, hl7Head, "r: {type: DiagnosticReport, write: replace, key: [PID-3], set: {status: =final, code: PID-3, presentedForm: {each: \"//OBX[OBX-2='ED']\", from: OBX-5.5, as: attachment, with: {encoding: OBX-5.4, title: OBX-3.2}}}}")
	res := run(t, inst, er7(t, "PID|1||A", "OBX|1|ED|PDF^报告||LIS^AP^PDF^Base64^JVBERi0x\\.br\\LjQK\\X0D\\\\X0A\\eA==", "OBX|2|ED|T||^TX^^A^abcd"))
	resources, issues := show(res)
	want := []string{`{"resourceType":"DiagnosticReport","id":"#1","status":"final","code":{"text":"A"},"presentedForm":[` +
		`{"contentType":"application/pdf","data":"JVBERi0xLjQKeA==","size":10,"hash":"C0IwXt5T2LJo1uiiwcCa7qqJLh4=","title":"报告"},` +
		`{"contentType":"text/plain; charset=utf-8","data":"YWJjZA==","size":4,"hash":"gf6L/odXbD7LIkJvjleEc4KRes8="}]}`}
	if diff := cmp.Diff(want, resources); diff != "" || issues != nil {
		t.Error(diff, issues)
	}
}

func TestADocumentIsTheRecordItself(t *testing.T) {
	const set = `{type: DocumentReference, write: replace, key: [%], set: {status: =current, content: {set: {attachment: {as: document, with: {title: =t}}}}}}`
	t.Run("a document of JSON", func(t *testing.T) {
		inst := load(t, "format: 1\nmap: m\nreads: {format: json}", "r: "+strings.Replace(set, "%", "no", 1))
		rec, err := markup.ParseJSON([]byte("{\"no\": 1}"), markup.Options{})
		if err != nil {
			t.Fatal(err)
		}
		resources, issues := show(run(t, inst, rec))
		want := []string{`{"resourceType":"DocumentReference","id":"#1","status":"current","content":[{"attachment":{"contentType":"application/json; charset=utf-8","data":"eyJubyI6IDF9","size":9,"hash":"dgLIEjxS0lnbUqkmPi4T8buoRzM=","title":"t"}}]}`}
		if diff := cmp.Diff(want, resources); diff != "" || issues != nil {
			t.Error(diff, issues)
		}
	})
	t.Run("a message is kept in its own charset, without what stands around it", func(t *testing.T) {
		inst := load(t, hl7Head, "r: "+strings.Replace(set, "%", "PID-3", 1))
		rec, err := hl7v2.Parse([]byte("\x0bMSH|^~\\&|A|B|||20240501||ADT^A01|1|P|2.4\rPID|1||A||\xd5\xc5\xc8\xfd\r\x1c\r"), hl7v2.Options{Charset: "GB18030"})
		if err != nil {
			t.Fatal(err)
		}
		attachment := run(t, inst, rec).Resources[0].Tree.Get("content").At(0).Get("attachment")
		if got := attachment.Get("contentType").Text(); got != "x-application/hl7-v2+er7; charset=gb18030" {
			t.Error(got)
		}
		if got, want := attachment.Get("data").Text(), "TVNIfF5+XCZ8QXxCfHx8MjAyNDA1MDF8fEFEVF5BMDF8MXxQfDIuNA1QSUR8MXx8QXx81cXI/Q0="; got != want {
			t.Errorf("got %s", got)
		}
	})
	for _, tt := range []struct{ name, text, want string }{
		{"a row has no bytes", tableHead + "  d: " + strings.Replace(set, "%", "NO", 1) + "\n",
			"maps/m.yaml:12:111: document is not for format: csv; a row has no bytes of its own"},
		{"it reads no field", patientHead + "      photo: {from: PID-5, as: document}\n",
			"maps/m.yaml:10:14: document is of the record itself; want no from, each or expr"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := loadMap(tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("got %v", err)
			}
		})
	}
}
