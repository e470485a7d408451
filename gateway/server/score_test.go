package server_test

import (
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/testdata"
)

// TestScoreAlliance counts the facts of the demo alliance's ledger that are found through the FHIR API alone.
func TestScoreAlliance(t *testing.T) {
	text, err := fs.ReadFile(testdata.Alliance(), "ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := alliancegen.ReadLedger(text)
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, true, nil).harvest()
	facts, persons := alliancetest.Check(h, ledger), alliancetest.CheckPersons(h, ledger)
	for _, missing := range append(facts.Missing, persons.Missing...) {
		t.Log(missing)
	}
	total := facts.Checked + persons.Checked
	score.Report(t, "alliance", total-len(facts.Missing)-len(persons.Missing), total)
}

// harvest reads everything that the alliance's members and the alliance itself own, by search, page by page.
func (g *gateway) harvest() *alliancetest.Holdings {
	g.t.Helper()
	h := &alliancetest.Holdings{Bytes: g.bytes}
	var types []string
	for _, r := range g.get("metadata").Get("rest").At(0).Get("resource").Items() {
		for _, i := range r.Get("interaction").Items() {
			if i.Get("code").Text() == "search-type" {
				types = append(types, r.Get("type").Text())
			}
		}
	}
	if len(types) < 50 {
		g.t.Fatalf("%d types can be searched", len(types))
	}
	for _, typ := range types {
		if typ == "Provenance" || typ == "Binary" { // what tells of records, and bytes that are read when they are wanted
			continue
		}
		for _, owner := range append([]string{alliancetest.Alliance}, alliancetest.Members...) {
			for _, n := range g.search(typ, "_tag", institution+"|"+owner, "_count", "1000") {
				h.Add(owner, n)
			}
		}
	}
	return h
}

// bytes reads what an Attachment's url names, as a client that wants the paper itself.
func (g *gateway) bytes(url string) []byte {
	g.t.Helper()
	if !strings.HasPrefix(url, "http") {
		url = "http://" + g.address + "/fhir/" + url
	}
	got, err := http.Get(url)
	if err != nil {
		g.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		return nil
	}
	if strings.Contains(got.Header.Get("Content-Type"), "fhir+json") {
		if n, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 30}); err == nil && n.ResourceType() == "Binary" {
			return nil
		}
	}
	return text
}
