package server_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/testdata"
)

// gateway is a running server and a client of it.
type gateway struct {
	t       *testing.T
	address string
}

// start runs a server on a free port until the test ends.
func start(t *testing.T, demo bool, flags map[string]string) *gateway {
	t.Helper()
	return startFault(t, demo, flags, nil)
}

// startFault is start of a server that calls fault at the named points of its life.
func startFault(t *testing.T, demo bool, flags map[string]string, fault func(point string)) *gateway {
	t.Helper()
	all := map[string]string{"listen": "127.0.0.1:0", "data": t.TempDir()}
	for k, v := range flags {
		all[k] = v
	}
	c, err := config.Load(config.Sources{Flags: all})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{
			Config: c, Demo: demo, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "test",
			Started: func(a string) { address <- a }, Fault: fault,
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	g := &gateway{t: t}
	select {
	case g.address = <-address:
	case err := <-ended:
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if got, err := http.Get("http://" + g.address + "/readyz"); err == nil {
			got.Body.Close()
			if got.StatusCode == http.StatusOK {
				return g
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("not ready after a minute")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// get reads a FHIR address below the base.
func (g *gateway) get(address string) *fhir.Node {
	g.t.Helper()
	if !strings.HasPrefix(address, "http") {
		address = "http://" + g.address + "/fhir/" + address
	}
	got, err := http.Get(address)
	if err != nil {
		g.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	tree, err := fhir.Parse(text, fhir.Limits{Bytes: 1 << 30})
	if err != nil || got.StatusCode != http.StatusOK {
		g.t.Fatalf("GET %s: %d, %v", address, got.StatusCode, err)
	}
	return tree
}

// search returns all resources that a search finds, page by page.
func (g *gateway) search(typ string, params ...string) (found []*fhir.Node) {
	g.t.Helper()
	query := url.Values{}
	for i := 0; i < len(params); i += 2 {
		query.Add(params[i], params[i+1])
	}
	address := typ + "?" + query.Encode()
	for address != "" {
		page := g.get(address)
		for _, e := range page.Get("entry").Items() {
			if e.Path("search", "mode").Text() == "match" {
				found = append(found, e.Get("resource"))
			}
		}
		address = ""
		for _, l := range page.Get("link").Items() {
			if l.Get("relation").Text() == "next" {
				address = l.Get("url").Text()
			}
		}
	}
	return found
}

// deliver posts one delivery and waits until the work on it ended.
func (g *gateway) deliver(institution string, files map[string][]byte) {
	g.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(mapsKeys(files)) {
		part, err := form.CreateFormFile("file", name)
		if err != nil {
			g.t.Fatal(err)
		}
		if _, err := part.Write(files[name]); err != nil {
			g.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		g.t.Fatal(err)
	}
	got, err := http.Post("http://"+g.address+"/ingest/"+institution+"?wait=1", form.FormDataContentType(), &body)
	if err != nil {
		g.t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(got.Body)
		g.t.Fatalf("ingest: %d %s", got.StatusCode, text)
	}
}

func mapsKeys(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

const (
	residentID  = "urn:oid:2.16.156.10011.1.3"
	healthCard  = "urn:oid:2.16.156.10011.1.19"
	institution = "https://yilian.dev/fhir/institution"
	alliance    = institution + "|alliance"
)

func local(institutionID, name, value string) string {
	return institution + "/" + institutionID + "/" + name + "|" + value
}

func TestTheDemoAllianceHoldsForEveryPersonOfTheLedger(t *testing.T) {
	text, err := fs.ReadFile(testdata.Alliance(), "ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := alliancegen.ReadLedger(text)
	if err != nil {
		t.Fatal(err)
	}
	holds(start(t, true, nil), ledger)
}

func TestAnotherSeedPassesThroughTheSameMaps(t *testing.T) {
	dir := t.TempDir()
	institutions, err := fs.Sub(testdata.Alliance(), "institutions")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, institutions); err != nil {
		t.Fatal(err)
	}
	g := start(t, false, map[string]string{"institutions": dir})
	generated := alliancegen.Generate(20250917, alliancegen.Options{})
	folders := map[string]map[string][]byte{}
	for _, f := range generated.Files {
		if rest, ok := strings.CutPrefix(filepath.ToSlash(f.Path), "deliveries/"); ok {
			folder, name := path.Split(rest)
			if folders[folder] == nil {
				folders[folder] = map[string][]byte{}
			}
			folders[folder][name] = f.Bytes
		}
	}
	order := make([]string, 0, len(folders))
	for folder := range folders {
		order = append(order, folder)
	}
	sort.Strings(order)
	for _, folder := range order {
		_, rest, _ := strings.Cut(folder, "-")
		for _, i := range generated.Ledger.Institutions {
			if strings.HasPrefix(rest, i.ID+"-") {
				g.deliver(i.ID, folders[folder])
			}
		}
	}
	holds(g, generated.Ledger)
}

// holds checks through the FHIR endpoint alone what the ledger says.
func holds(g *gateway, ledger *alliancegen.Ledger) {
	persons := map[alliancegen.Ref]string{}
	for i := range ledger.Persons {
		p := &ledger.Persons[i]
		g.personOf(p, persons)
		if len(p.Patients) > 0 {
			g.facts(p, persons[alliancegen.Ref{Institution: p.Patients[0].Institution, Number: p.Patients[0].ID}])
		}
	}
	g.apart(ledger, persons)
	g.totals(ledger)
}

// personOf checks that all Patients of a person of the ledger, and no others, are
// one person of the alliance, found by every identifier that may join.
func (g *gateway) personOf(p *alliancegen.Person, persons map[alliancegen.Ref]string) {
	var want []string
	for _, patient := range p.Patients {
		found := g.search("Patient", "identifier", local(patient.Institution, "patient", patient.ID), "_source:below",
			"https://yilian.dev/institution/"+patient.Institution)
		if len(found) != 1 {
			g.t.Errorf("%s: %d Patients at %s, want 1", p.Key, len(found), patient.Institution)
			return
		}
		want = append(want, "Patient/"+found[0].ID())
		if sex := found[0].Get("gender").Text(); sex != patient.Sex {
			g.t.Errorf("%s: sex at %s differs", p.Key, patient.Institution)
		}
		if birth := patient.Birth; birth.Precision() != "" && found[0].Get("birthDate").Text() != birth.Instant().Format(time.DateOnly) {
			g.t.Errorf("%s: birth date at %s differs", p.Key, patient.Institution)
		}
		if name := found[0].Path("name").At(0).Get("text").Text(); name != patient.Name {
			g.t.Errorf("%s: name at %s differs", p.Key, patient.Institution)
		}
		retired := found[0].Path("link", "type").Text() == "replaced-by"
		if retired != (patient.MergedInto != "") {
			g.t.Errorf("%s: merged at %s: %v", p.Key, patient.Institution, retired)
		}
	}
	slices.Sort(want)
	for _, patient := range p.Patients {
		ref := alliancegen.Ref{Institution: patient.Institution, Number: patient.ID}
		found := g.search("Patient", "identifier", local(patient.Institution, "patient", patient.ID), "_tag", alliance)
		if len(found) != 1 {
			g.t.Errorf("%s: %d persons by the number at %s, want 1", p.Key, len(found), patient.Institution)
			continue
		}
		persons[ref] = found[0].ID()
		var got []string
		for _, l := range found[0].Get("link").Items() {
			got = append(got, l.Path("other", "reference").Text())
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			g.t.Errorf("%s: the person has %d Patients, want %d", p.Key, len(got), len(want))
		}
		for _, id := range patient.Identifiers {
			system := map[string]string{alliancegen.ResidentID: residentID, alliancegen.HealthCard: healthCard}[id.Kind]
			if system == "" || !id.Usable {
				continue
			}
			if by := g.search("Patient", "identifier", system+"|"+id.Value, "_tag", alliance); !slices.ContainsFunc(by, func(n *fhir.Node) bool { return n.ID() == found[0].ID() }) {
				g.t.Errorf("%s: not found by its %s of %s", p.Key, id.Kind, patient.Institution)
			}
		}
	}
}

// facts checks that everything that happened to a person is found through it.
func (g *gateway) facts(p *alliancegen.Person, person string) {
	if person == "" {
		return
	}
	one := func(what, typ, identifier string) *fhir.Node {
		found := g.search(typ, "patient", person, "identifier", identifier)
		if len(found) != 1 {
			g.t.Errorf("%s: %s: %d found through the person, want 1", p.Key, what, len(found))
			return nil
		}
		return found[0]
	}
	for _, v := range p.Visits {
		if n := one("visit at "+v.Institution, "Encounter", local(v.Institution, "visit", v.Number)); n != nil {
			if n.Get("status").Text() != v.Status || n.Path("class", "code").Text() != v.Class {
				g.t.Errorf("%s: visit at %s is %s %s, want %s %s", p.Key, v.Institution,
					n.Path("class", "code").Text(), n.Get("status").Text(), v.Class, v.Status)
			}
		}
	}
	for _, o := range p.Orders {
		if n := one("order at "+o.Institution, "ServiceRequest", local(o.Institution, "order", o.Number)); n != nil && n.Get("status").Text() != o.Status {
			g.t.Errorf("%s: order at %s is %s, want %s", p.Key, o.Institution, n.Get("status").Text(), o.Status)
		}
	}
	for _, r := range p.Reports {
		n := one("report of "+r.Institution, "DiagnosticReport", local(r.Institution, "report", r.Number))
		if n == nil {
			continue
		}
		if n.Get("status").Text() != r.Status {
			g.t.Errorf("%s: report of %s is %s, want %s", p.Key, r.Institution, n.Get("status").Text(), r.Status)
		}
		if r.Order != nil {
			resolved := n.Path("basedOn").At(0).Get("reference").Text() != ""
			if resolved != r.OrderKnown {
				g.t.Errorf("%s: report of %s: order resolved %v, want %v", p.Key, r.Institution, resolved, r.OrderKnown)
			}
		}
		if results := n.Get("result").Len(); results < len(r.Results) {
			g.t.Errorf("%s: report of %s has %d results, want %d", p.Key, r.Institution, results, len(r.Results))
		}
		if r.Conclusion != "" && n.Get("conclusion").Text() != r.Conclusion {
			g.t.Errorf("%s: conclusion of the report of %s differs", p.Key, r.Institution)
		}
	}
	for _, r := range p.Referrals {
		if n := one("referral of "+r.Institution, "ServiceRequest", local(r.Institution, "referral", r.Number)); n != nil && n.Get("status").Text() != r.Status {
			g.t.Errorf("%s: referral of %s is %s, want %s", p.Key, r.Institution, n.Get("status").Text(), r.Status)
		}
	}
	if got := len(g.search("MedicationRequest", "patient", person)); got != len(p.Prescriptions) {
		g.t.Errorf("%s: %d prescriptions, want %d", p.Key, got, len(p.Prescriptions))
	}
	if got := len(g.search("AllergyIntolerance", "patient", person)); got != len(p.Allergies) {
		g.t.Errorf("%s: %d allergies, want %d", p.Key, got, len(p.Allergies))
	}
}

// apart checks that nobody is joined with a stranger.
func (g *gateway) apart(ledger *alliancegen.Ledger, persons map[alliancegen.Ref]string) {
	seen := map[string]string{}
	for _, p := range ledger.Persons {
		for _, patient := range p.Patients {
			id := persons[alliancegen.Ref{Institution: patient.Institution, Number: patient.ID}]
			if other, taken := seen[id]; id != "" && taken && other != p.Key {
				g.t.Errorf("%s and %s are one person", other, p.Key)
			}
			seen[id] = p.Key
		}
	}
	for _, s := range ledger.Strangers {
		if a, b := persons[s.A], persons[s.B]; a == "" || a == b {
			g.t.Errorf("strangers joined (%s)", s.Why)
		}
	}
	for _, r := range ledger.Reviews {
		if a, b := persons[r.A], persons[r.B]; a == "" || a == b {
			g.t.Errorf("joined before anybody reviewed it (%s)", r.Why)
		}
	}
}

// totals checks how many resources there are, findings of reports apart.
func (g *gateway) totals(ledger *alliancegen.Ledger) {
	for _, i := range ledger.Institutions {
		for typ, want := range ledger.Totals[i.ID] {
			switch typ {
			case "Narrative", "Referral":
				continue
			case "Department": // beside its departments an institution has its own Organization; rooms and beds have no number
				got := g.count("Organization", i.ID) - 1 + g.count("Location", i.ID, "identifier:missing", "false")
				if got != want {
					g.t.Errorf("%s: %d departments and wards, want %d", i.ID, got, want)
				}
				continue
			case "Observation": // findings of imaging and ECG are Observations too
				want += ledger.Totals[i.ID]["Narrative"]
			case "Condition": // and so are the diagnoses a referral states
				want += referralDiagnoses(ledger, i.ID)
			}
			if got := g.count(typ, i.ID); got != want {
				g.t.Errorf("%s: %d of type %s, want %d", i.ID, got, typ, want)
			}
		}
	}
	persons := 0
	for range g.search("Patient", "_tag", alliance, "_count", "50") {
		persons++
	}
	if want := ledger.Totals["alliance"]["Person"]; persons != want {
		g.t.Errorf("%d persons, want %d", persons, want)
	}
}

// count asks how many resources of a type an institution has.
func (g *gateway) count(typ, institutionID string, params ...string) int {
	g.t.Helper()
	query := url.Values{"_summary": {"count"}, "_tag": {institution + "|" + institutionID}}
	for k := 0; k < len(params); k += 2 {
		query.Set(params[k], params[k+1])
	}
	n, err := strconv.Atoi(g.get(typ + "?" + query.Encode()).Get("total").Text())
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

func referralDiagnoses(ledger *alliancegen.Ledger, institution string) (n int) {
	for _, p := range ledger.Persons {
		for _, r := range p.Referrals {
			if r.Institution == institution {
				n += len(r.Diagnoses)
			}
		}
	}
	return n
}
