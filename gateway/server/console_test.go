package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/source/upload"
)

const clinicYAML = `format: 1
id: clinic
name: 试验诊所
sources:
  upload: {format: json}
`

const clinicMap = `format: 1
map: visit
reads: {format: json, where: {no: present}}
lane: pid
resources:
  patient:
    type: Patient
    key: [pid]
    write: update
    set:
      identifier: {from: pid, as: identifier, system: patient}
      gender: {from: sex, table: sex, unmapped: reject}
`

// folderOf writes an institution's folder below dir.
func folderOf(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, "clinic", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// call sends JSON and reads JSON.
func (g *gateway) call(method, path string, body, answer any) int {
	g.t.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		sent = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			g.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, "http://"+g.address+path, sent)
	if err != nil {
		g.t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer got.Body.Close()
	if err := json.NewDecoder(got.Body).Decode(answer); err != nil {
		g.t.Fatalf("%s %s: %d, %v", method, path, got.StatusCode, err)
	}
	return got.StatusCode
}

func TestAQuarantinedRecordRunsAgainAfterItsMapIsMended(t *testing.T) {
	dir := t.TempDir()
	folderOf(t, dir, map[string]string{
		"institution.yaml": clinicYAML, "maps/visit.yaml": clinicMap,
		"codes/sex.csv": "#! system: http://hl7.org/fhir/administrative-gender\ncode,display,target\n1,男,male\n",
	})
	g := start(t, false, map[string]string{"institutions": dir})

	var answer upload.Answer
	g.call("POST", "/ingest/clinic?wait=1", `{"no":"1","pid":"P7","sex":"2"}`, &answer)
	if len(answer.Records) != 1 || answer.Records[0].State != "quarantined" || len(answer.Records[0].Issues) == 0 ||
		!strings.Contains(answer.Records[0].Issues[0].Origin, "sex") {
		t.Fatalf("want a quarantined record that names its place, got %+v", answer)
	}
	var list []console.Record
	if g.call("GET", "/console/inbox?institution=clinic&state=quarantined", nil, &list); len(list) != 1 {
		t.Fatalf("%d quarantined records, want 1", len(list))
	}

	// A folder that does not load changes nothing that runs, and says where.
	folderOf(t, dir, map[string]string{"maps/visit.yaml": strings.Replace(clinicMap, "gender:", "gendre:", 1)})
	var reload console.ReloadAnswer
	if status := g.call("POST", "/console/institutions/reload", nil, &reload); status != http.StatusUnprocessableEntity || reload.Loaded ||
		!strings.Contains(strings.Join(reload.Findings, "\n"), filepath.Join("clinic", "maps", "visit.yaml")+":12:7: ") {
		t.Errorf("reload of a broken folder: %d %+v", status, reload)
	}
	g.call("POST", "/ingest/clinic?wait=1", `{"no":"2","pid":"P8","sex":"1"}`, &answer)
	if answer.Records[0].State != "committed" {
		t.Errorf("the old maps do not run any more: %+v", answer)
	}

	folderOf(t, dir, map[string]string{
		"maps/visit.yaml": clinicMap,
		"codes/sex.csv":   "#! system: http://hl7.org/fhir/administrative-gender\ncode,display,target\n1,男,male\n2,女,female\n",
	})
	if g.call("POST", "/console/institutions/reload", nil, &reload); !reload.Loaded {
		t.Fatalf("reload: %+v", reload)
	}
	var replayed console.ReplayAnswer
	if g.call("POST", "/console/inbox/replay", console.ReplayRequest{IDs: []string{list[0].ID}}, &replayed); replayed.Replayed != 1 {
		t.Fatalf("%d records replayed", replayed.Replayed)
	}
	for {
		var shown console.Record
		g.call("GET", "/console/inbox/"+list[0].ID, nil, &shown)
		if shown.State == "committed" {
			break
		}
		if shown.State == "quarantined" {
			t.Fatalf("again in quarantine: %+v", shown)
		}
	}
	if found := g.search("Patient", "identifier", local("clinic", "patient", "P7")); len(found) != 1 || found[0].Get("gender").Text() != "female" {
		t.Errorf("%d Patients after the replay", len(found))
	}
	var members []console.Member
	if g.call("GET", "/console/institutions", nil, &members); len(members) != 1 || members[0].Records["committed"] != 2 {
		t.Errorf("institutions: %+v", members)
	}
}
