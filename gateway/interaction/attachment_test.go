package interaction_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// pdf is content of a size that is told from others by its mark.
func pdf(mark string, size int) []byte {
	return append([]byte("%PDF-1.7 "+mark+"\n"), bytes.Repeat([]byte{0, 1, 0xFE, '\n'}, size/4+1)...)[:size]
}

func inBase64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// attached is the Attachment that is left of content: its elements in FHIR's order.
func attached(before, id string, content []byte, after string) string {
	sum := sha1.Sum(content)
	return fmt.Sprintf(`{%s"url":"Binary/%s","size":%d,"hash":"%s"%s}`, before, id, len(content), inBase64(sum[:]), after)
}

// binaries returns the keys of all Binaries.
func (f *fixture) binaries() []store.Version {
	f.t.Helper()
	page, err := f.store.Search(f.ctx(), &search.Query{Type: "Binary", Allowed: search.Allowed{All: true}, Count: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	return page.Rows
}

// content reads the content of a resource.
func (f *fixture) content(v store.Version) []byte {
	f.t.Helper()
	b, err := io.ReadAll(f.Content(f.ctx(), v))
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func TestLargeAttachmentsOfRecordsBecomeBinaries(t *testing.T) {
	large := pdf("large", 1025)
	small := pdf("small", 1024)
	for _, tt := range []struct {
		name, typ, resource string // BIG stands for the base64 of large, SMALL for that of small
		want                string // GONE stands for what an Attachment of large with a type is afterwards
		owned               string // securityContext of the Binary
		contentType         string
	}{
		{
			"a report's form",
			"DiagnosticReport", `"status":"final","code":{"text":"CT"},"subject":{"reference":"Patient/p1"},"presentedForm":[{"contentType":"application/pdf","language":"zh","data":"BIG","title":"报告","creation":"2025-06-01"}]`,
			`"status":"final","code":{"text":"CT"},"subject":{"reference":"Patient/p1"},"presentedForm":[GONE{"contentType":"application/pdf","language":"zh",|,"title":"报告","creation":"2025-06-01"}]`,
			"Patient/p1", "application/pdf",
		},
		{
			"what describes the data does not stay when it was wrong",
			"Media", `"status":"completed","content":{"contentType":"image/png","data":"BIG","size":3,"url":"http://elsewhere/1","hash":"AAAA"}`,
			`"status":"completed","content":GONE{"contentType":"image/png",|}`,
			"Media/r1", "image/png",
		},
		{
			"an attachment without a type",
			"Media", `"status":"completed","content":{"data":"BIG"}`,
			`"status":"completed","content":GONE{|}`,
			"Media/r1", "application/octet-stream",
		},
		{
			"inside an element that is defined elsewhere",
			"QuestionnaireResponse", `"status":"completed","item":[{"linkId":"1","item":[{"linkId":"1.1","answer":[{"valueAttachment":{"contentType":"application/pdf","data":"BIG"}}]}]}]`,
			`"status":"completed","item":[{"linkId":"1","item":[{"linkId":"1.1","answer":[{"valueAttachment":GONE{"contentType":"application/pdf",|}}]}]}]`,
			"QuestionnaireResponse/r1", "application/pdf",
		},
		{
			"in an extension",
			"Patient", `"extension":[{"url":"http://e/x","extension":[{"url":"y","valueAttachment":{"contentType":"image/jpeg","data":"BIG"}}]}]`,
			`"extension":[{"url":"http://e/x","extension":[{"url":"y","valueAttachment":GONE{"contentType":"image/jpeg",|}}]}]`,
			"Patient/r1", "image/jpeg",
		},
		{
			"in an extension of a primitive",
			"Patient", `"birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"http://e/x","valueAttachment":{"contentType":"image/jpeg","data":"BIG"}}]}`,
			`"birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"http://e/x","valueAttachment":GONE{"contentType":"image/jpeg",|}}]}`,
			"Patient/r1", "image/jpeg",
		},
		{
			"in an extension of an attachment that stays",
			"Media", `"status":"completed","content":{"extension":[{"url":"http://e/x","valueAttachment":{"contentType":"image/jpeg","data":"BIG"}}],"contentType":"image/png","data":"SMALL"}`,
			`"status":"completed","content":{"extension":[{"url":"http://e/x","valueAttachment":GONE{"contentType":"image/jpeg",|}}],"contentType":"image/png","data":"SMALL"}`,
			"Media/r1", "image/jpeg",
		},
		{
			"in a contained resource",
			"DiagnosticReport", `"contained":[{"resourceType":"Media","id":"m","status":"completed","content":{"contentType":"image/png","data":"BIG"}}],"status":"final","code":{"text":"CT"},"media":[{"link":{"reference":"#m"}}]`,
			`"contained":[{"resourceType":"Media","id":"m","status":"completed","content":GONE{"contentType":"image/png",|}}],"status":"final","code":{"text":"CT"},"media":[{"link":{"reference":"#m"}}]`,
			"DiagnosticReport/r1", "image/png",
		},
		{
			"the same content twice in a resource",
			"DiagnosticReport", `"status":"final","code":{"text":"CT"},"presentedForm":[{"contentType":"application/pdf","data":"BIG"},{"contentType":"application/pdf","data":"BIG","title":"copy"}]`,
			`"status":"final","code":{"text":"CT"},"presentedForm":[GONE{"contentType":"application/pdf",|},GONE{"contentType":"application/pdf",|,"title":"copy"}]`,
			"DiagnosticReport/r1", "application/pdf",
		},
		{
			"what is small stays, and what is no attachment",
			"Observation", `"status":"final","code":{"text":"ECG"},"valueSampledData":{"origin":{"value":0},"period":10,"dimensions":1,"data":"` + strings.Repeat("1 2 ", 1000) + `3"}`,
			`"status":"final","code":{"text":"ECG"},"valueSampledData":{"origin":{"value":0},"period":10,"dimensions":1,"data":"` + strings.Repeat("1 2 ", 1000) + `3"}`,
			"", "",
		},
		{
			"an attachment at the limit stays",
			"Media", `"status":"completed","content":{"contentType":"image/png","data":"SMALL"}`,
			`"status":"completed","content":{"contentType":"image/png","data":"SMALL"}`,
			"", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			fill := strings.NewReplacer("BIG", inBase64(large), "SMALL", inBase64(small))
			f.apply("city", 1, f.replace(`{"resourceType":"`+tt.typ+`","id":"r1",`+fill.Replace(tt.resource)+`}`))
			found := f.binaries()
			id := ""
			if want := tt.owned != ""; want != (len(found) == 1) || len(found) > 1 {
				t.Fatalf("%d Binaries", len(found))
			} else if want {
				b := found[0]
				id = b.ID
				patient, _ := strings.CutPrefix(tt.owned, "Patient/")
				if !strings.HasPrefix(tt.owned, "Patient/") {
					patient = ""
				}
				if b.Owner != "city" || b.Patient != patient || !bytes.Equal(f.content(b), large) || bytes.Contains(b.Body, []byte(`"data"`)) {
					t.Errorf("Binary of %s for %q with %d bytes: %s", b.Owner, b.Patient, len(f.content(b)), b.Body)
				}
				want := `{"resourceType":"Binary","id":"` + id + `","contentType":"` + tt.contentType + `","securityContext":{"reference":"` + tt.owned + `"}}`
				if diff := cmp.Diff(want, f.get("Binary", id)); diff != "" {
					t.Error(diff)
				}
			}
			want := fill.Replace(tt.want)
			for {
				head, rest, ok := strings.Cut(want, "GONE{")
				if !ok {
					break
				}
				before, rest, _ := strings.Cut(rest, "|")
				after, rest, _ := strings.Cut(rest, "}")
				want = head + attached(before, id, large, after) + rest
			}
			if diff := cmp.Diff(`{"resourceType":"`+tt.typ+`","id":"r1",`+want+`}`, f.get(tt.typ, "r1")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// withForm is a report with a form.
func withForm(id string, form []byte) string {
	return `{"resourceType":"DiagnosticReport","id":"` + id + `","status":"final","code":{"text":"CT"},"subject":{"reference":"Patient/p1"},"presentedForm":[{"contentType":"application/pdf","data":"` + inBase64(form) + `"}]}`
}

func TestTheSameRecordAgainMakesNothingNew(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 5000)
	f.apply("city", 1, f.replace(withForm("r1", form)))
	first := f.binaries()
	if got := f.apply("city", 1, f.replace(withForm("r1", form))); got.State != store.Unchanged || len(got.Versions) != 0 {
		t.Errorf("state %s with %d versions", got.State, len(got.Versions))
	}
	if diff := cmp.Diff(first, f.binaries()); diff != "" {
		t.Error(diff)
	}
}

func TestACorrectedFormIsANewBinaryAndTheOldOneStays(t *testing.T) {
	f := newFixture(t)
	old, corrected := pdf("preliminary", 5000), pdf("corrected", 5000)
	f.apply("city", 1, f.replace(withForm("r1", old)))
	first := f.binaries()[0]
	f.apply("city", 2, f.replace(withForm("r1", corrected)))
	all := f.binaries()
	if len(all) != 2 {
		t.Fatalf("%d Binaries", len(all))
	}
	contents := []string{string(f.content(all[0])), string(f.content(all[1]))}
	if !slices.Contains(contents, string(old)) || !slices.Contains(contents, string(corrected)) {
		t.Error("a content is lost")
	}
	now := f.get("DiagnosticReport", "r1")
	if strings.Contains(now, first.ID) {
		t.Error("the report refers to the old form")
	}
	past, err := f.History(f.ctx(), everybody, store.Key{Type: "DiagnosticReport", ID: "r1"}, nil)
	if err != nil || len(past.Versions) != 2 || !strings.Contains(string(past.Versions[1].Body), "Binary/"+first.ID) {
		t.Errorf("the history does not lead to the old form: %v", err)
	}
	// An older record brings nothing back.
	if got := f.apply("city", 1, f.replace(withForm("r1", pdf("draft", 5000)))); got.State != store.Superseded || len(f.binaries()) != 2 {
		t.Errorf("state %s, %d Binaries", got.State, len(f.binaries()))
	}
}

func TestTheSameContentOfTwoResourcesIsTwoBinariesOverOneContent(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 5000)
	f.apply("city", 1, f.replace(withForm("r1", form)), f.replace(withForm("r2", form)))
	all := f.binaries()
	if len(all) != 2 || all[0].ID == all[1].ID || all[0].Blob != all[1].Blob {
		t.Errorf("%d Binaries: %+v", len(all), all)
	}
}

func TestFillingGapsBringsNoAttachmentThatIsNotUsed(t *testing.T) {
	f := newFixture(t)
	f.apply("city", 1, f.replace(withForm("r1", pdf("stated", 5000))))
	f.apply("city", 2, f.fill(withForm("r1", pdf("mentioned", 5000))))
	if all := f.binaries(); len(all) != 1 || !strings.Contains(string(f.content(all[0])), "stated") {
		t.Errorf("%d Binaries", len(all))
	}
	f.apply("city", 3, f.fill(withForm("r2", pdf("only this", 5000))))
	if all := f.binaries(); len(all) != 2 {
		t.Errorf("%d Binaries after filling what was not there", len(all))
	}
}

func TestABinaryFollowsItsResourceToAnotherPatient(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 5000)
	f.apply("city", 1, f.replace(withForm("r1", form)))
	f.apply("city", 2, f.replace(strings.Replace(withForm("r1", form), "Patient/p1", "Patient/p2", 1)))
	all := f.binaries()
	if len(all) != 1 || all[0].Patient != "p2" || all[0].Number != 2 || !strings.Contains(string(all[0].Body), `"Patient/p2"`) || !bytes.Equal(f.content(all[0]), form) {
		t.Errorf("%+v", all)
	}
}

func TestABinaryThatAClientDeletedStaysDeletedForOlderRecords(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 5000)
	f.apply("city", 1, f.replace(withForm("r1", form)))
	k := f.binaries()[0].Key
	if _, err := f.Delete(f.ctx(), everybody, k, 0); err != nil {
		t.Fatal(err)
	}
	f.apply("city", 2, f.replace(withForm("r1", form)))
	if _, err := f.Read(f.ctx(), everybody, k); !fault.Is(err, fault.Gone) {
		t.Errorf("got %v, want gone", err)
	}
}

func TestADocumentThatIsTheRecordIsNotStoredTwice(t *testing.T) {
	document := append(bytes.Repeat([]byte("<section/>"), 300), "</ClinicalDocument>"...)
	for _, tt := range []struct {
		name           string
		archived       []byte
		offset, length int64
		shared         bool
	}{
		{"alone", document, 0, int64(len(document)), true},
		{"as a part of a delivery", slices.Concat([]byte("head of a delivery"), document, []byte("tail")), 18, int64(len(document)), true},
		{"in another form", append([]byte("\xEF\xBB\xBF"), document...), 0, int64(len(document)) + 3, false},
		{"beside other bytes of its length", slices.Concat(bytes.Repeat([]byte("x"), len(document)), document), 0, int64(len(document)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			receipts, err := f.store.Accept(f.ctx(), []store.Entry{{
				Record: store.Record{Institution: "city", Source: "test", Format: "xml", State: store.Received}, Bytes: tt.archived,
			}})
			if err != nil {
				t.Fatal(err)
			}
			b := f.batch("city", 1, f.replace(`{"resourceType":"DocumentReference","id":"d1","status":"current","content":[{"attachment":{"contentType":"text/xml","data":"`+inBase64(document)+`"}}]}`))
			b.Record, b.Digest, b.Offset, b.Length = receipts[0].ID, receipts[0].Digest, tt.offset, tt.length
			if _, err := f.Apply(f.ctx(), b); err != nil {
				t.Fatal(err)
			}
			all := f.binaries()
			if len(all) != 1 || !bytes.Equal(f.content(all[0]), document) {
				t.Fatalf("%d Binaries", len(all))
			}
			want := store.Blob{Digest: b.Digest, Offset: tt.offset, Length: tt.length}
			if got := all[0].Blob; (got == want) != tt.shared {
				t.Errorf("blob %+v of record %+v", got, want)
			}
			// The same document in a delivery of another form is the same Binary.
			again := f.batch("city", 2, f.replace(`{"resourceType":"DocumentReference","id":"d1","status":"current","content":[{"attachment":{"contentType":"text/xml","data":"`+inBase64(document)+`"}}]}`))
			got, err := f.Apply(f.ctx(), again)
			if err != nil || got.State != store.Unchanged {
				t.Errorf("state %s, %v", got.State, err)
			}
		})
	}
}

func TestARefusedRecordLeavesNoContent(t *testing.T) {
	form := pdf("form", 5000)
	for _, tt := range []struct{ name, data, place string }{
		{"data that is no base64", strings.Repeat("!!!!", 2000), "DiagnosticReport.presentedForm[0].data"},
		{"data that ends too early", inBase64(form)[:6001], "DiagnosticReport.presentedForm[0].data"},
		{"data with something behind its end", inBase64(form) + "AAAA", "DiagnosticReport.presentedForm[0].data"},
		{"good data beside a wrong status", inBase64(form), "DiagnosticReport.status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			status := "final"
			if strings.Contains(tt.place, "status") {
				status = "no such status"
			}
			_, err := f.Apply(f.ctx(), f.batch("city", 1, f.replace(`{"resourceType":"DiagnosticReport","id":"r1","status":"`+status+`","code":{"text":"CT"},"presentedForm":[{"contentType":"application/pdf","data":"`+tt.data+`"}]}`)))
			var refused *interaction.Refused
			if !errors.As(err, &refused) || !slices.ContainsFunc(refused.Issues, func(i fhir.Issue) bool { return i.Expression == tt.place }) {
				t.Fatalf("got %v, want a refusal at %s", err, tt.place)
			}
			for _, i := range refused.Issues {
				if strings.Contains(i.Text, "!!!!") {
					t.Error("the finding quotes the data")
				}
			}
			if all := f.binaries(); len(all) != 0 {
				t.Errorf("%d Binaries", len(all))
			}
			if _, err := f.store.Content(f.ctx(), fmt.Sprintf("%x", sha256.Sum256(form)), 0, 0); !fault.Is(err, fault.NotFound) {
				t.Errorf("content of a refused record: %v", err)
			}
		})
	}
}

func TestTheProvenanceNamesBinariesPlaceAndFolder(t *testing.T) {
	f := newFixture(t)
	b := f.batch("city", 1, f.replace(withForm("r1", pdf("form", 5000))))
	b.Place, b.Folder = "检查!12", "7"
	got, err := f.Apply(f.ctx(), b)
	if err != nil {
		t.Fatal(err)
	}
	p := tree(t, string(got.Versions[len(got.Versions)-1].Body))
	var targets []string
	for _, n := range p.Get("target").Items() {
		targets = append(targets, n.Get("reference").Text())
	}
	if diff := cmp.Diff([]string{"DiagnosticReport/r1", "Binary/" + f.binaries()[0].ID}, targets); diff != "" {
		t.Error(diff)
	}
	place, folder := "", ""
	for _, entity := range p.Get("entity").Items() {
		for _, x := range entity.Get("extension").Items() {
			switch x.Get("url").Text() {
			case "https://yilian.dev/fhir/StructureDefinition/record-place":
				place = x.Get("valueString").Text()
			case "https://yilian.dev/fhir/StructureDefinition/folder":
				folder = x.Get("valueString").Text()
			}
		}
	}
	if place != "检查!12" || folder != "7" {
		t.Errorf("place %q, folder %q", place, folder)
	}
}

func TestWhatAClientAttachesStaysAsItWroteIt(t *testing.T) {
	f := newFixture(t)
	form := inBase64(pdf("form", 50_000))
	v, err := f.Create(f.ctx(), everybody, "Media", tree(t, `{"resourceType":"Media","status":"completed","content":{"contentType":"application/pdf","data":"`+form+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := tree(t, f.get("Media", v.ID)).Path("content", "data").Text(); got != form || len(f.binaries()) != 0 {
		t.Errorf("%d characters of %d, %d Binaries", len(got), len(form), len(f.binaries()))
	}
}

func TestWhatAClientAttachesMayBeLargerThanAParserTakesUnasked(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 13<<20) // over fhir.DefaultMaxBytes in base64
	media := fhir.NewObject().SetString("resourceType", "Media").SetString("status", "completed").
		Set("content", fhir.NewObject().SetString("contentType", "application/pdf").SetString("data", inBase64(form)))
	v, err := f.Create(f.ctx(), everybody, "Media", media)
	if err != nil {
		t.Fatal(err)
	}
	found, err := f.Search(f.ctx(), everybody, "Media", []search.Pair{{Name: "_id", Value: v.ID}, {Name: "_elements", Value: "status"}}, false)
	if err != nil || len(found.Matches) != 1 {
		t.Fatalf("search: %v", err)
	}
	media.SetString("id", v.ID)
	if w, err := f.Update(f.ctx(), everybody, v.Key, media, 0); w.Effect != interaction.Unchanged || err != nil {
		t.Errorf("the same again: %v, %v", w.Effect, err)
	}
	media.SetString("status", "entered-in-error")
	if w, err := f.Update(f.ctx(), everybody, v.Key, media, 0); w.Effect != interaction.Changed || err != nil {
		t.Errorf("update: %v, %v", w.Effect, err)
	}
}

func TestABinaryThatAMapMakesKeepsItsContentInTheArchive(t *testing.T) {
	f := newFixture(t)
	form := pdf("form", 10) // of a Binary all content is, however small
	binary := `{"resourceType":"Binary","id":"b1","contentType":"application/pdf","securityContext":{"reference":"DocumentReference/d1"},"data":"` + inBase64(form) + `"}`
	about := `{"resourceType":"DocumentReference","id":"d1","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"Binary/b1"}}]}`
	f.apply("city", 1, f.replace(binary), f.replace(about))
	all := f.binaries()
	if len(all) != 1 || all[0].Patient != "p1" || bytes.Contains(all[0].Body, []byte(`"data"`)) || !bytes.Equal(f.content(all[0]), form) {
		t.Fatalf("%+v", all)
	}
	if got := f.apply("city", 2, f.replace(binary), f.replace(about)); got.State != store.Unchanged {
		t.Errorf("state %s", got.State)
	}
	// Without data, what fills gaps or lays itself over leaves the content.
	f.apply("city", 3, f.fill(`{"resourceType":"Binary","id":"b1","contentType":"application/pdf","language":"zh"}`))
	if all := f.binaries(); all[0].Number != 2 || !bytes.Equal(f.content(all[0]), form) {
		t.Errorf("version %d with %d bytes", all[0].Number, len(f.content(all[0])))
	}
	other := pdf("other", 10)
	f.apply("city", 4, f.replace(strings.Replace(binary, inBase64(form), inBase64(other), 1)))
	if all := f.binaries(); all[0].Number != 3 || !bytes.Equal(f.content(all[0]), other) {
		t.Errorf("version %d with %q", all[0].Number, f.content(all[0]))
	}
	_, err := f.Apply(f.ctx(), f.batch("city", 5, f.replace(strings.Replace(binary, inBase64(form), "YQ", 1))))
	var refused *interaction.Refused
	if !errors.As(err, &refused) || refused.Issues[0].Expression != "Binary.data" {
		t.Errorf("wrong base64: %v", err)
	}
}

// FuzzAttachment gives an Attachment of a record any data: it is refused, or all of
// it is there afterwards.
func FuzzAttachment(f *testing.F) {
	for _, s := range []string{"", "QUJD", "QQ==", "QR==", "QUI=", "Q U\nI\t=", "=", "====", "QQ==QQ==", "-_-_", "QUJ", "\u3000QUI="} {
		f.Add(s)
	}
	x := newFixture(f)
	n := int64(0)
	f.Fuzz(func(t *testing.T, tail string) {
		data := strings.Repeat("QUJD", 400) + tail
		resource := fhir.NewObject().SetString("resourceType", "Media").SetString("id", fmt.Sprintf("%x", sha256.Sum256([]byte(tail)))).
			SetString("status", "completed").Set("content", fhir.NewObject().SetString("contentType", "a/b").SetString("data", data))
		n++
		x := fixture{Engine: x.Engine, store: x.store, t: t}
		batch := x.batch("city", n, interaction.Write{Resource: resource})
		want, wrong := base64.StdEncoding.DecodeString(strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "").Replace(data))
		_, err := x.Apply(t.Context(), batch)
		var refused *interaction.Refused
		switch {
		case errors.As(err, &refused) && wrong != nil:
			return
		case err != nil || wrong != nil:
			t.Fatalf("data that decodes: %v; applied: %v", wrong, err)
		}
		_, id, ok := strings.Cut(resource.Path("content", "url").Text(), "Binary/")
		if !ok || resource.Path("content", "data") != nil {
			t.Fatalf("the data stays: %s", resource.AppendJSON(nil))
		}
		v, err := x.Read(t.Context(), everybody, store.Key{Type: "Binary", ID: id})
		if err != nil || !bytes.Equal(x.content(v), want) {
			t.Errorf("%d bytes of %d, %v", v.Blob.Length, len(want), err)
		}
	})
}
