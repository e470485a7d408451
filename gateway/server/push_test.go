package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/server"
	"github.com/yilian/yilian/gateway/source/upload"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// clinicFiles is a folder that maps a record to two resources which both say word.
func clinicFiles(word string) map[string]string {
	return map[string]string{
		"institution.yaml": clinicYAML + "organization: {}\n",
		"maps/visit.yaml": `format: 1
map: visit
reads: {format: json, where: {no: present}}
lane: pid
resources:
  patient:
    type: Patient
    key: [pid]
    write: replace
    set:
      identifier: {from: pid, as: identifier, system: patient}
      gender: {from: sex, table: sex, unmapped: reject}
      maritalStatus: {set: {text: =` + word + `}}
  visit:
    type: Encounter
    key: [no]
    write: replace
    set:
      status: =finished
      class: {set: {code: =AMB, system: "=http://terminology.hl7.org/CodeSystem/v3-ActCode"}}
      subject: {ref: patient}
      serviceType: {set: {text: =` + word + `}}
`,
		"codes/sex.csv":   "#! system: http://hl7.org/fhir/administrative-gender\ncode,display,target\n1,男,male\n",
		"cases/one.txtar": "-- in.json --\n" + `{"no":"1","pid":"P1","sex":"1"}` + "\n-- want.txt --\nPatient/patient.maritalStatus.text = \"" + word + "\"\n",
	}
}

// with returns files of which some are others.
func with(files map[string]string, others ...string) map[string]string {
	out := maps.Clone(files)
	for i := 0; i < len(others); i += 2 {
		out[others[i]] = others[i+1]
	}
	return out
}

// packed is the archive of files.
func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := folder.Read(dir, folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f.Pack()
}

// push pushes files as a version of an institution's folder.
func (g *gateway) push(institution string, archive []byte, query string) (status int, answer console.Pushed) {
	g.t.Helper()
	return g.call("POST", "/console/institutions/"+institution+"/versions"+query, string(archive), &answer), answer
}

// pushed is a push that must make a version.
func (g *gateway) pushed(institution string, files map[string]string) console.Pushed {
	g.t.Helper()
	status, answer := g.push(institution, packed(g.t, files), "")
	if status != http.StatusOK || !answer.Pushed {
		g.t.Fatalf("push: %d %+v", status, answer)
	}
	return answer
}

// member is an institution as it is listed.
func (g *gateway) member(id string) console.Member {
	g.t.Helper()
	var members []console.Member
	g.call("GET", "/console/institutions", nil, &members)
	for _, m := range members {
		if m.ID == id {
			return m
		}
	}
	return console.Member{}
}

// send hands a record in and tells what became of it.
func (g *gateway) send(institution, body string) upload.Record {
	g.t.Helper()
	var answer upload.Answer
	if status := g.call("POST", "/ingest/"+institution+"?wait=1", body, &answer); status != http.StatusOK || len(answer.Records) != 1 {
		g.t.Fatalf("sent: %d %+v", status, answer)
	}
	return answer.Records[0]
}

// readyz is what the server says of itself.
func (g *gateway) readyz() (int, string) {
	g.t.Helper()
	got, err := http.Get("http://" + g.address + "/readyz")
	if err != nil {
		g.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return got.StatusCode, string(text)
}

func TestAnInstitutionBecomesAMemberByItsFirstPush(t *testing.T) {
	g := start(t, false, nil)
	var refused struct{ ResourceType string }
	if status := g.call("POST", "/ingest/clinic", `{"no":"1","pid":"P1","sex":"1"}`, &refused); status != http.StatusNotFound {
		t.Fatalf("before: %d", status)
	}
	answer := g.pushed("clinic", with(clinicFiles("first"), "institution.yaml", clinicYAML+"organization: {}\nidentifiers:\n  patient: {system: \"urn:oid:1.2.3\", aliases: [\"urn:oid:1.2.4\"]}\n"))
	if answer.Number != 1 || answer.Cases != 1 {
		t.Errorf("%+v", answer)
	}
	if r := g.send("clinic", `{"no":"1","pid":"P1","sex":"1"}`); r.State != store.Committed {
		t.Errorf("after: %+v", r)
	}
	if found := g.search("Patient", "identifier", "urn:oid:1.2.4|P1"); len(found) != 1 {
		t.Errorf("%d Patients by an alias of the institution's system", len(found))
	}
	if org := g.get("Organization/clinic"); org.Get("name").Text() != "试验诊所" {
		t.Errorf("published: %s", org.Get("name").Text())
	}
	if m := g.member("clinic"); m.From != console.FromStore || m.Number != 1 || m.Version != answer.Version || m.Records[store.Committed] != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAPushThatIsRefusedChangesNothing(t *testing.T) {
	g := start(t, false, nil)
	first := g.pushed("clinic", clinicFiles("first"))
	g.send("clinic", `{"no":"1","pid":"P1","sex":"1"}`)
	files := clinicFiles("second")
	tests := []struct {
		name    string
		archive []byte
		query   string
		status  int
		want    []string
	}{
		{"a map that does not load", packed(t, with(files, "maps/visit.yaml", strings.Replace(files["maps/visit.yaml"], "gender:", "gendre:", 1))), "", 422,
			[]string{`maps/visit.yaml:12:7: Patient has no element "gendre"; did you mean gender?`}},
		{"another institution's", packed(t, with(files, "institution.yaml", strings.Replace(clinicYAML, "id: clinic", "id: other", 1))), "", 422,
			[]string{"institution.yaml: the id is other; want clinic, whose folder it is to be"}},
		{"a case that fails", packed(t, with(files, "cases/one.txtar", clinicFiles("third")["cases/one.txtar"])), "", 422,
			[]string{`cases/one.txtar: Patient/patient.maritalStatus.text = "third": got "second"`}},
		{"a case that is none", packed(t, with(files, "cases/two.txtar", "# nothing\n")), "", 422,
			[]string{"cases/two.txtar: nothing goes in; want a file such as -- in.hl7 --"}},
		{"no archive", []byte("no archive"), "", 422, []string{"archive: the archive cannot be read; want a tar of the folder's files"}},
		{"another version expected", packed(t, files), "?expected=3", 409, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g.t = t
			status, answer := g.push("clinic", test.archive, test.query)
			var got []string
			for _, f := range answer.Findings {
				got = append(got, f.String())
			}
			if status != test.status || answer.Pushed || strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("%d %q, want %d %q", status, got, test.status, test.want)
			}
		})
	}
	g.t = t
	if m := g.member("clinic"); m.Number != 1 || m.Version != first.Version {
		t.Errorf("%+v", m)
	}
	g.send("clinic", `{"no":"2","pid":"P2","sex":"1"}`)
	for _, p := range g.search("Patient") {
		if got := p.Path("maritalStatus", "text").Text(); got != "first" {
			t.Errorf("mapped with %s", got)
		}
	}
	if status, answer := g.push("clinic", packed(t, clinicFiles("first")), ""); status != 200 || !answer.Unchanged || answer.Pushed || answer.Number != 1 {
		t.Errorf("the same again: %d %+v", status, answer)
	}
}

func TestWhatBelongsToAnotherInstitutionIsNotPublished(t *testing.T) {
	data := t.TempDir()
	s, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Put(ctx, &store.Put{Key: store.Key{Type: "Organization", ID: "clinic"}, Owner: "other", Render: func(int64, time.Time) []byte {
			return []byte(`{"resourceType":"Organization","id":"clinic","name":"x"}`)
		}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	g := start(t, false, map[string]string{"data": data})
	status, answer := g.push("clinic", packed(t, clinicFiles("first")), "")
	if status != http.StatusUnprocessableEntity || len(answer.Findings) != 1 ||
		answer.Findings[0].String() != "institution.yaml: what it publishes as Organization/clinic belongs to another institution" {
		t.Errorf("%d %+v", status, answer)
	}
}

// Every record names one version of the folder, and all that it became is of that
// version, whatever is pushed and rolled back meanwhile.
func TestARecordIsMappedWithOneVersion(t *testing.T) {
	g := start(t, false, nil)
	words := []string{"red", "green", "blue"}
	word := map[string]string{} // by folder, as a Provenance names it
	for _, w := range words {
		answer := g.pushed("clinic", clinicFiles(w))
		word[fmt.Sprintf("%d/%s", answer.Number, answer.Version)] = w
	}
	var wg sync.WaitGroup
	sent := make(chan struct{})
	wg.Go(func() {
		defer close(sent)
		for n := range 40 {
			var lines strings.Builder
			for i := range 20 {
				fmt.Fprintf(&lines, "{\"no\":\"%d-%d\",\"pid\":\"P%d-%d\",\"sex\":\"1\"}\n", n, i, n, i)
			}
			var answer upload.Answer
			g.call("POST", "/ingest/clinic?name=a.ndjson&wait=1", lines.String(), &answer)
		}
	})
	switches := 0
	for running := true; running; switches++ {
		var answer console.Activated
		number := int64(switches%len(words) + 1)
		if status := g.call("POST", "/console/institutions/clinic/activate", console.ActivateRequest{Number: &number}, &answer); status != 200 {
			t.Errorf("switch: %d", status)
		}
		if switches%5 == 4 {
			w := fmt.Sprint("push", switches)
			pushed := g.pushed("clinic", clinicFiles(w))
			word[fmt.Sprintf("%d/%s", pushed.Number, pushed.Version)] = w
		}
		select {
		case <-sent:
			running = false
		default:
		}
	}
	wg.Wait()
	said := map[string]string{}
	for _, p := range g.search("Patient") {
		said["Patient/"+p.ID()] = p.Path("maritalStatus", "text").Text()
	}
	for _, e := range g.search("Encounter") {
		said["Encounter/"+e.ID()] = e.Path("serviceType", "text").Text()
	}
	used := map[string]int{}
	for _, p := range g.search("Provenance") {
		name := ""
		for _, x := range p.Get("entity").Items()[0].Get("extension").Items() {
			if strings.HasSuffix(x.Get("url").Text(), "/folder") {
				name = x.Get("valueString").Text()
			}
		}
		if word[name] == "" {
			t.Fatalf("a Provenance names folder %q", name)
		}
		used[word[name]]++
		for _, target := range p.Get("target").Items() {
			if ref := target.Get("reference").Text(); said[ref] != word[name] {
				t.Errorf("%s says %q, and its Provenance %s: %q", ref, said[ref], name, word[name])
			}
		}
	}
	total := 0
	for _, n := range used {
		total += n
	}
	if total != 800 || len(said) != 1600 || len(used) < 2 {
		t.Errorf("%d records, %d resources, versions used: %v", total, len(said), used)
	}
	t.Logf("%d switches; records by version: %v", switches, used)
}

func TestQuarantinedRecordsRunAgainAfterAPush(t *testing.T) {
	g := start(t, false, nil)
	g.pushed("clinic", clinicFiles("first"))
	r := g.send("clinic", `{"no":"1","pid":"P1","sex":"2"}`)
	if r.State != store.Quarantined {
		t.Fatalf("%+v", r)
	}
	g.pushed("clinic", with(clinicFiles("first"), "codes/sex.csv", clinicFiles("first")["codes/sex.csv"]+"2,女,female\n"))
	var replayed console.ReplayAnswer
	if g.call("POST", "/console/inbox/replay", console.ReplayRequest{IDs: []string{r.ID}}, &replayed); replayed.Replayed != 1 {
		t.Fatalf("%+v", replayed)
	}
	var shown console.Record
	if g.call("GET", "/console/inbox/"+r.ID+"?wait=1", nil, &shown); shown.State != store.Committed {
		t.Errorf("%+v", shown)
	}
}

func TestConcurrentPushesAreVersionsOfTheirOwn(t *testing.T) {
	g := start(t, false, nil)
	const pushes = 6
	var mu sync.Mutex
	var wg sync.WaitGroup
	version := map[int64]string{}
	for n := range pushes {
		archive := packed(t, clinicFiles(fmt.Sprint("word", n)))
		wg.Go(func() {
			_, answer := g.push("clinic", archive, "")
			mu.Lock()
			defer mu.Unlock()
			version[answer.Number] = answer.Version
		})
	}
	wg.Wait()
	m := g.member("clinic")
	if len(version) != pushes || m.Number != pushes || m.Version != version[pushes] {
		t.Errorf("%v; in effect is %d %s", version, m.Number, m.Version)
	}
	var list console.Versions
	if g.call("GET", "/console/institutions/clinic/versions", nil, &list); list.Active != pushes || len(list.Versions) != pushes {
		t.Errorf("%+v", list)
	}
}

func TestAPushReplacesTheDemosMapsUntilItIsRolledBack(t *testing.T) {
	data := t.TempDir()
	g := start(t, true, map[string]string{"data": data})
	before := g.member("regional-lab")
	if before.From != console.FromDemo || before.Number != 0 {
		t.Fatalf("%+v", before)
	}
	files := with(clinicFiles("lab"), "institution.yaml", strings.Replace(clinicYAML, "id: clinic", "id: regional-lab", 1))
	g.pushed("regional-lab", files)
	if m := g.member("regional-lab"); m.From != console.FromStore || m.Number != 1 {
		t.Errorf("%+v", m)
	}
	var back console.Activated
	if g.call("POST", "/console/institutions/regional-lab/activate", console.ActivateRequest{Why: "wrong"}, &back); !back.Activated || back.From != console.FromDemo || back.Number != 0 {
		t.Errorf("%+v", back)
	}
	if m := g.member("regional-lab"); m.From != console.FromDemo || m.Version != before.Version {
		t.Errorf("%+v", m)
	}
	if g.call("POST", "/console/institutions/regional-lab/activate", console.ActivateRequest{}, &back); !back.Activated || back.Number != 1 {
		t.Errorf("and back again: %+v", back)
	}
}

// older puts a version into a data folder that this program cannot load, as one that
// an older program took.
func older(t *testing.T, data, institution string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	broken := packed(t, with(clinicFiles("old"), "maps/visit.yaml", "format: 1\nmap: visit\nreads: {format: papyrus}\n"))
	if _, err := s.PushFolder(t.Context(), store.Folder{Institution: institution, Version: "0123456789abcdef"}, broken, store.AnyFolder); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPushedVersionThatDoesNotLoadLetsItsOwnRecordsWaitAlone(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	older(t, data, "clinic")
	other := with(clinicFiles("other"), "institution.yaml", strings.Replace(clinicYAML, "id: clinic", "id: other", 1))
	folderOf(t, dir, other)
	g := start(t, false, map[string]string{"data": data, "institutions": dir})

	if status, text := g.readyz(); status != http.StatusOK || text != "ready\nclinic waits: version 1 of its folder does not load\n" {
		t.Errorf("%d %q", status, text)
	}
	m := g.member("clinic")
	if m.From != console.FromStore || m.Number != 1 || m.Version != "0123456789abcdef" || len(m.Findings) == 0 ||
		!strings.HasPrefix(m.Findings[0].String(), "maps/visit.yaml:3:17: ") {
		t.Errorf("%+v", m)
	}
	var taken upload.Answer
	for n := range 3 {
		if status := g.call("POST", "/ingest/clinic", fmt.Sprintf(`{"no":"%d","pid":"P1","sex":"1"}`, n), &taken); status != http.StatusAccepted {
			t.Fatalf("%d %+v", status, taken)
		}
	}
	began := time.Now()
	if status := g.call("POST", "/ingest/clinic?wait=1", `{"no":"9","pid":"P1","sex":"1"}`, &taken); status != http.StatusAccepted || time.Since(began) > 10*time.Second {
		t.Errorf("somebody waited %v for a record that waits: %d", time.Since(began), status)
	}
	request, err := http.NewRequest("POST", "http://"+g.address+"/ingest/clinic", strings.NewReader("MSH|^~\\&|HIS|H|||20240501083000||ADT^A08|7|P|2.4\rPID|1||P1\r"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/hl7-v2")
	ack, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(ack.Body)
	ack.Body.Close()
	if err != nil || !strings.Contains(string(text), "\rMSA|AA|7") {
		t.Errorf("acknowledged with %q, %v", text, err)
	}
	if r := g.send("other", `{"no":"1","pid":"P1","sex":"1"}`); r.State != store.Committed {
		t.Errorf("the other institution's record: %+v", r)
	}
	if m := g.member("clinic"); m.Records[store.Received] != 5 {
		t.Errorf("%v", m.Records)
	}
	var back console.Activated
	if status := g.call("POST", "/console/institutions/clinic/activate", console.ActivateRequest{Number: new(int64(1))}, &back); status != http.StatusUnprocessableEntity || back.Activated || len(back.Findings) == 0 {
		t.Errorf("switched to what does not load: %d %+v", status, back)
	}

	g.pushed("clinic", with(clinicFiles("new"), "institution.yaml", clinicYAML+"  his: {format: hl7v2}\norganization: {}\n"))
	if _, text := g.readyz(); text != "ready\n" {
		t.Errorf("%q", text)
	}
	var shown console.Record
	if g.call("GET", "/console/inbox/"+taken.ID+"?wait=1", nil, &shown); shown.State != store.Split {
		t.Errorf("%+v", shown)
	}
	if got := g.search("Encounter", "subject:Patient.identifier", "P1"); len(got) != 5 {
		t.Errorf("%d Encounters", len(got)) // four of clinic, one of the other
	}
}

func TestTheDemoStartsWhileOneOfItsInstitutionsWaits(t *testing.T) {
	data := t.TempDir()
	older(t, data, "regional-lab")
	g := start(t, true, map[string]string{"data": data})
	if m := g.member("regional-lab"); len(m.Findings) == 0 || len(m.Records) != 0 {
		t.Errorf("%+v", m)
	}
	if m := g.member("city-hospital"); m.Records[store.Committed] == 0 {
		t.Errorf("%+v", m)
	}
}

// killedFolder makes this test binary a server that is killed when a push is durable
// and nothing else happened.
const killedFolder = "YILIAN_TEST_KILLED_FOLDER"

func killAfterPush(point string) {
	if point == server.AfterPush {
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			_ = p.Kill()
		}
		select {}
	}
}

func TestAPushOutlivesTheDeathOfTheServerBeforeItWasPublished(t *testing.T) {
	data := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killedFolder+"="+data)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Post("http://"+address+"/console/institutions/clinic/versions", "application/x-tar", bytes.NewReader(packed(t, clinicFiles("first")))); err == nil {
		t.Error("the push was answered by a server that should have died")
	}
	if err := cmd.Wait(); err == nil || strings.Contains(err.Error(), "exit status") {
		t.Errorf("the server ended with %v, and was not killed", err)
	}
	g := start(t, false, map[string]string{"data": data})
	if m := g.member("clinic"); m.Number != 1 || m.From != console.FromStore {
		t.Errorf("%+v", m)
	}
	if org := g.get("Organization/clinic"); org.Get("name").Text() != "试验诊所" {
		t.Error("nothing was published")
	}
	if r := g.send("clinic", `{"no":"1","pid":"P1","sex":"1"}`); r.State != store.Committed {
		t.Errorf("%+v", r)
	}
}

func TestAPushByAnotherSitesPageIsRefused(t *testing.T) {
	g := start(t, false, nil)
	r, err := http.NewRequest("POST", "http://"+g.address+"/console/institutions/clinic/versions", bytes.NewReader(packed(t, clinicFiles("first"))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://evil.example")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if m := g.member("clinic"); got.StatusCode != http.StatusForbidden || m.ID != "" {
		t.Errorf("%d, %+v", got.StatusCode, m)
	}
}

func TestWhatWasPushedStaysWhenTheLimitIsLowered(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "yilian.yaml")
	files := with(clinicFiles("first"), "README.md", strings.Repeat("x", 100<<10))
	s, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PushFolder(t.Context(), store.Folder{Institution: "clinic", Version: "v"}, packed(t, files), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("limits:\n  folder: 64KiB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t, data, "")
	if o.Config, err = config.Load(config.Sources{File: file, Flags: map[string]string{"data": data}}); err != nil {
		t.Fatal(err)
	}
	l := opened(t, o)
	if status, text := ask(t, l, "GET", "/readyz", ""); status != http.StatusOK || text != "ready\n" {
		t.Errorf("%d %q", status, text)
	}
	changed := packed(t, with(files, "README.md", strings.Repeat("y", 100<<10)))
	status, text := ask(t, l, "POST", "/console/institutions/clinic/versions", string(changed))
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"file":"README.md","text":"here the folder gets over 65536 bytes"`) {
		t.Errorf("%d %q", status, text)
	}
}

// opened is a gateway without a network for the length of a test.
func opened(t *testing.T, o server.Options) *server.Local {
	t.Helper()
	l, err := server.OpenLocal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
