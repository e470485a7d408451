package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/sqlite"
)

// desk is a console over a store in which city and county have records.
type desk struct {
	t       *testing.T
	store   *sqlite.Store
	handler http.Handler
	members *members
	ingest  *ingest
	ids     map[string]string // of records, by their file names
}

// members has two institutions.
type members struct {
	findings []string
	err      error
	reloads  int

	push     func(console.Push) (console.Pushed, error)
	activate func(console.Activate) (console.Activated, error)
}

func (m *members) Push(_ context.Context, p console.Push) (console.Pushed, error) { return m.push(p) }

func (m *members) Activate(_ context.Context, a console.Activate) (console.Activated, error) {
	return m.activate(a)
}

func (*members) List() []console.Member {
	return []console.Member{{ID: "city", Name: "城", Maps: []string{"adt"}}, {ID: "county", Name: "县", Maps: []string{}}}
}

func (m *members) Reload(context.Context) ([]string, error) {
	m.reloads++
	return m.findings, m.err
}

// ingest ends the work on records when it is told to.
type ingest struct {
	pokes int
	wait  func(ctx context.Context, id string) error
}

func (i *ingest) Poke() { i.pokes++ }

func (i *ingest) Wait(ctx context.Context, id string) ([]store.Record, error) {
	return nil, i.wait(ctx, id)
}

// byHeader sees what the header names: all, nobody or an institution.
type byHeader struct{}

func (byHeader) Viewer(r *http.Request) (interaction.Viewer, error) {
	switch who := r.Header.Get("X-Test-Viewer"); who {
	case "":
		return interaction.Viewer{}, fault.New(fault.Unauthenticated, "nobody is known")
	case "all":
		return interaction.Viewer{Client: "all", Institution: interaction.Alliance, Everything: true}, nil
	case "stranger":
		return interaction.Viewer{Client: "stranger"}, nil
	default:
		return interaction.Viewer{Client: who, Institution: who}, nil
	}
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{t: t, store: s, members: &members{}, ingest: &ingest{wait: func(context.Context, string) error { return nil }}, ids: map[string]string{}}
	reason := interaction.Reason([]fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeCodeInvalid, ID: "code-rejected", Expression: "Patient.gender", Origin: "PID-8", Line: 3, Column: 7, Text: "not in table sex",
	}})
	d.accept("city", "one", store.Received, "")
	d.accept("city", "two", store.Quarantined, reason)
	d.accept("county", "three", store.Quarantined, reason)
	d.accept("city", "four", store.Quarantined, reason)

	e := echo.New()
	console.New(console.Config{Inbox: s, Ingest: d.ingest, Members: d.members, Folders: s, Auth: byHeader{}, Fail: func(c echo.Context, err error) error {
		a := fault.AnswerTo(err)
		return c.JSON(a.Status, refused{a.Code, a.Message})
	}}).Register(e)
	d.handler = e
	return d
}

// refused is how the test's console refuses.
type refused struct{ Code, Message string }

func (d *desk) accept(institution, name string, state store.RecordState, reason string) {
	d.t.Helper()
	receipts, err := d.store.Accept(d.t.Context(), []store.Entry{{
		Record: store.Record{
			Institution: institution, Source: "upload", Format: "json", Name: name, State: state, Reason: reason,
			Lanes: []string{name},
		},
		Bytes: []byte("<<" + name + ">>"),
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.ids[name] = receipts[0].ID
}

// do sends a request as viewer, in which {name} stands for a record's id.
func (d *desk) do(viewer, method, path, body string) *httptest.ResponseRecorder {
	d.t.Helper()
	for name, id := range d.ids {
		path, body = strings.ReplaceAll(path, "{"+name+"}", id), strings.ReplaceAll(body, "{"+name+"}", id)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if viewer != "" {
		r.Header.Set("X-Test-Viewer", viewer)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

// names are the files of the records in a list.
func (d *desk) names(w *httptest.ResponseRecorder) []string {
	d.t.Helper()
	var list []console.Record
	d.decode(w, &list)
	names := []string{}
	for _, r := range list {
		names = append(names, r.File)
	}
	return names
}

func (d *desk) decode(w *httptest.ResponseRecorder, into any) {
	d.t.Helper()
	if w.Code != http.StatusOK {
		d.t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		d.t.Fatal(err)
	}
}

func TestTheListHoldsWhatTheViewerMaySee(t *testing.T) {
	d := newDesk(t)
	tests := []struct {
		name, viewer, query string
		want                []string
	}{
		{"all for the alliance", "all", "", []string{"one", "two", "three", "four"}},
		{"its own for an institution", "city", "", []string{"one", "two", "four"}},
		{"its own when it asks for them", "county", "?institution=county", []string{"three"}},
		{"none for one without records", "village", "", []string{}},
		{"one institution for the alliance", "all", "?institution=county", []string{"three"}},
		{"one state", "all", "?state=quarantined", []string{"two", "three", "four"}},
		{"one state of its own", "city", "?state=received", []string{"one"}},
		{"a page", "all", "?limit=2", []string{"one", "two"}},
		{"the next page", "all", "?limit=2&after=2", []string{"three", "four"}},
		{"behind the last", "all", "?after=4", []string{}},
		{"a delivery that is none", "all", "?delivery=nothing", []string{}},
		{"a limit beyond the largest page", "all", "?limit=1000000", []string{"one", "two", "three", "four"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d.t = t
			if diff := cmp.Diff(test.want, d.names(d.do(test.viewer, "GET", "/console/inbox"+test.query, ""))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsRefusedSaysWhyAndChangesNothing(t *testing.T) {
	d := newDesk(t)
	tests := []struct {
		name, viewer, method, path, body string
		status                           int
		text                             string
	}{
		{"a list for nobody", "", "GET", "/console/inbox", "", 401, "nobody is known"},
		{"a list of another institution", "city", "GET", "/console/inbox?institution=county", "", 403, "its own institution"},
		{"a list for a client of no institution", "stranger", "GET", "/console/inbox", "", 403, "no institution"},
		{"a negative place", "all", "GET", "/console/inbox?after=-1", "", 400, "after is not a sequence number"},
		{"a place that is no number", "all", "GET", "/console/inbox?after=x", "", 400, "after is not a sequence number"},
		{"a place beyond all numbers", "all", "GET", "/console/inbox?after=99999999999999999999", "", 400, "after is not a sequence number"},
		{"no limit at all", "all", "GET", "/console/inbox?limit=0", "", 400, "limit is not a positive number"},
		{"a limit that is no number", "all", "GET", "/console/inbox?limit=ten", "", 400, "limit is not a positive number"},
		{"a state that is none", "all", "GET", "/console/inbox?state=lost", "", 400, "not the state of a record"},
		{"a record that is not there", "all", "GET", "/console/inbox/nothing", "", 404, "no such record"},
		{"a record of another institution", "city", "GET", "/console/inbox/{three}", "", 404, "no such record"},
		{"waiting for a record of another institution", "city", "GET", "/console/inbox/{three}?wait=1", "", 404, "no such record"},
		{"a record for a client of no institution", "stranger", "GET", "/console/inbox/{three}", "", 404, "no such record"},
		{"content that is not there", "all", "GET", "/console/inbox/nothing/content", "", 404, "no such record"},
		{"content of another institution", "city", "GET", "/console/inbox/{three}/content", "", 404, "no such record"},
		{"content for nobody", "", "GET", "/console/inbox/{three}/content", "", 401, "nobody is known"},
		{"replay for nobody", "", "POST", "/console/inbox/replay", `{"institution":"city"}`, 401, "nobody is known"},
		{"replay of another institution", "city", "POST", "/console/inbox/replay", `{"institution":"county"}`, 403, "its own institution"},
		{"replay of another institution's record", "city", "POST", "/console/inbox/replay", `{"ids":["{two}","{three}"]}`, 404, "no such record"},
		{"replay of a record that is not there", "all", "POST", "/console/inbox/replay", `{"ids":["{two}","nothing"]}`, 404, "no such record"},
		{"replay of nothing", "all", "POST", "/console/inbox/replay", `{}`, 400, "either records or an institution"},
		{"replay of nothing for a client of no institution", "stranger", "POST", "/console/inbox/replay", `{"institution":""}`, 400, "either records or an institution"},
		{"replay of both", "all", "POST", "/console/inbox/replay", `{"ids":["{two}"],"institution":"city"}`, 400, "either records or an institution"},
		{"replay from a negative place", "all", "POST", "/console/inbox/replay", `{"institution":"city","after":-1}`, 400, "after is not a sequence number"},
		{"replay with a misspelt key", "all", "POST", "/console/inbox/replay", `{"institutions":"city"}`, 400, "not the JSON of a replay"},
		{"replay with something behind it", "all", "POST", "/console/inbox/replay", `{"institution":"city"}{}`, 400, "not the JSON of a replay"},
		{"replay without JSON", "all", "POST", "/console/inbox/replay", `city`, 400, "not the JSON of a replay"},
		{"replay of too much text", "all", "POST", "/console/inbox/replay", `{"institution":"` + strings.Repeat("c", 1<<20) + `"}`, 413, "over 1048576 bytes"},
		{"replay of too many records", "all", "POST", "/console/inbox/replay", `{"ids":[` + strings.Repeat(`"x",`, console.PageLimit) + `"x"]}`, 413, "more than 1000 records"},
		{"institutions for nobody", "", "GET", "/console/institutions", "", 401, "nobody is known"},
		{"a reload for nobody", "", "POST", "/console/institutions/reload", "", 401, "nobody is known"},
		{"a reload for an institution", "city", "POST", "/console/institutions/reload", "", 403, "the whole alliance"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d.t = t
			got := d.do(test.viewer, test.method, test.path, test.body)
			var why refused
			if err := json.Unmarshal(got.Body.Bytes(), &why); err != nil {
				t.Fatalf("%v: %s", err, got.Body)
			}
			if got.Code != test.status || !strings.Contains(why.Message, test.text) {
				t.Errorf("%d %q, want %d with %q", got.Code, why.Message, test.status, test.text)
			}
		})
	}
	d.t = t
	if left := d.names(d.do("all", "GET", "/console/inbox?state=quarantined", "")); len(left) != 3 || d.members.reloads+d.ingest.pokes != 0 {
		t.Errorf("something changed: %q in quarantine, %d reloads, %d pokes", left, d.members.reloads, d.ingest.pokes)
	}
}

func TestARecordIsShownWithItsFindings(t *testing.T) {
	d := newDesk(t)
	var got console.Record
	d.decode(d.do("city", "GET", "/console/inbox/{two}", ""), &got)
	want := []fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeCodeInvalid, ID: "code-rejected", Expression: "Patient.gender", Origin: "PID-8", Line: 3, Column: 7, Text: "not in table sex",
	}}
	if diff := cmp.Diff(want, got.Issues); diff != "" {
		t.Error(diff)
	}
	if got.ID != d.ids["two"] || got.Sequence != 2 || got.Institution != "city" || got.State != store.Quarantined || len(got.Digest) != 64 {
		t.Errorf("%+v", got)
	}
	for viewer, name := range map[string]string{"city": "four", "all": "three"} {
		content := d.do(viewer, "GET", "/console/inbox/{"+name+"}/content", "")
		if content.Code != http.StatusOK || content.Body.String() != "<<"+name+">>" || content.Header().Get("Content-Type") != "application/octet-stream" ||
			content.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("content of %s: %d %q %v", name, content.Code, content.Body, content.Header())
		}
	}
}

func TestARowOfAWorkbookIsShownByItsPlace(t *testing.T) {
	d := newDesk(t)
	receipts, err := d.store.Accept(t.Context(), []store.Entry{{
		Record: store.Record{Institution: "city", Source: "upload", Format: "excel", Type: "门诊", Place: "门诊!12", State: store.Quarantined, Reason: "[]"},
		Bytes:  []byte("the workbook"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.ids["row"] = receipts[0].ID
	var got console.Record
	if d.decode(d.do("city", "GET", "/console/inbox/{row}", ""), &got); got.Place != "门诊!12" || got.Length != int64(len("the workbook")) {
		t.Errorf("%+v", got)
	}
	if content := d.do("city", "GET", "/console/inbox/{row}/content", ""); content.Body.String() != "the workbook" {
		t.Errorf("content %q, want the workbook", content.Body)
	}
	if plain := d.do("city", "GET", "/console/inbox/{one}", ""); strings.Contains(plain.Body.String(), `"place"`) {
		t.Errorf("a record that is no row has a place: %s", plain.Body)
	}
}

func TestWaitingAnswersWhenTheWorkEnded(t *testing.T) {
	d := newDesk(t)
	d.ingest.wait = func(ctx context.Context, id string) error {
		return d.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.Finish(ctx, id, store.Outcome{State: store.Committed})
		})
	}
	var got console.Record
	if d.decode(d.do("city", "GET", "/console/inbox/{one}?wait=1", ""), &got); got.State != store.Committed {
		t.Errorf("state %s", got.State)
	}
	d.ingest.wait = func(ctx context.Context, _ string) error {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > time.Minute {
			t.Errorf("the waiting is not bounded: %v", left)
		}
		return fmt.Errorf("wait: %w", context.DeadlineExceeded)
	}
	if got := d.do("city", "GET", "/console/inbox/{two}?wait=1", ""); got.Code != http.StatusAccepted || !strings.Contains(got.Body.String(), d.ids["two"]) {
		t.Errorf("work that goes on: %d %s", got.Code, got.Body)
	}
	d.ingest.wait = func(context.Context, string) error { return fault.New(fault.Unavailable, "the store is away") }
	if got := d.do("city", "GET", "/console/inbox/{two}?wait=1", ""); got.Code != http.StatusServiceUnavailable {
		t.Errorf("a store that is away: %d %s", got.Code, got.Body)
	}
}

func TestReplayPutsQuarantinedRecordsBackIntoLine(t *testing.T) {
	tests := []struct {
		name, viewer, body string
		want               []string // in the order of their arrival
	}{
		{"one record", "city", `{"ids":["{two}"]}`, []string{"two"}},
		{"records in the order in which they came", "all", `{"ids":["{four}","{three}","{two}"]}`, []string{"two", "three", "four"}},
		{"a record named twice", "all", `{"ids":["{four}","{four}"]}`, []string{"four"}},
		{"nothing of what is not quarantined", "all", `{"ids":["{one}"]}`, []string{}},
		{"all of an institution", "city", `{"institution":"city"}`, []string{"two", "four"}},
		{"an institution behind a place", "all", `{"institution":"city","after":2}`, []string{"four"}},
		{"an institution without any", "village", `{"institution":"village"}`, []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t)
			var got console.ReplayAnswer
			d.decode(d.do(test.viewer, "POST", "/console/inbox/replay", test.body), &got)
			want := console.ReplayAnswer{Replayed: len(test.want), IDs: []string{}}
			for _, name := range test.want {
				want.IDs = append(want.IDs, d.ids[name])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if d.ingest.pokes != 1 {
				t.Errorf("ingest was told %d times", d.ingest.pokes)
			}
			if received := d.names(d.do("all", "GET", "/console/inbox?state=received", "")); len(received) != len(test.want)+1 {
				t.Errorf("%q wait for their turn", received)
			}
		})
	}
}

func TestReplayOfManyRecordsGoesPageByPage(t *testing.T) {
	d := newDesk(t)
	var entries []store.Entry
	for range console.PageLimit {
		entries = append(entries, store.Entry{Record: store.Record{Institution: "city", Source: "upload", Format: "json", State: store.Quarantined, Reason: "[]"}, Bytes: []byte("{}")})
	}
	if _, err := d.store.Accept(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	pages, next := 0, int64(0)
	for {
		var got console.ReplayAnswer
		d.decode(d.do("city", "POST", "/console/inbox/replay", fmt.Sprintf(`{"institution":"city","after":%d}`, next)), &got)
		for _, id := range got.IDs {
			seen[id] = true
		}
		pages++
		if next = got.Next; next == 0 {
			break
		}
	}
	if len(seen) != console.PageLimit+2 || pages != 2 {
		t.Errorf("%d records on %d pages", len(seen), pages)
	}
}

func TestInstitutionsAreListedForThoseWhoMaySeeThem(t *testing.T) {
	d := newDesk(t)
	city := console.Member{ID: "city", Name: "城", Maps: []string{"adt"}, Records: map[store.RecordState]int{store.Received: 1, store.Quarantined: 2}}
	county := console.Member{ID: "county", Name: "县", Maps: []string{}, Records: map[store.RecordState]int{store.Quarantined: 1}}
	for viewer, want := range map[string][]console.Member{"all": {city, county}, "county": {county}, "stranger": {}} {
		var got []console.Member
		d.decode(d.do(viewer, "GET", "/console/institutions", ""), &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", viewer, diff)
		}
	}
}

func TestReloadAnswersWithFindings(t *testing.T) {
	d := newDesk(t)
	var got console.ReloadAnswer
	if d.decode(d.do("all", "POST", "/console/institutions/reload", ""), &got); !got.Loaded || d.members.reloads != 1 {
		t.Errorf("%+v after %d reloads", got, d.members.reloads)
	}
	d.members.findings = []string{"city/maps/a.yaml:1:2: no"}
	broken := d.do("all", "POST", "/console/institutions/reload", "")
	if broken.Code != http.StatusUnprocessableEntity || strings.TrimSpace(broken.Body.String()) != `{"loaded":false,"findings":["city/maps/a.yaml:1:2: no"]}` {
		t.Errorf("%d %s", broken.Code, broken.Body)
	}
	d.members.findings, d.members.err = nil, fault.New(fault.Unavailable, "away")
	if away := d.do("all", "POST", "/console/institutions/reload", ""); away.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", away.Code, away.Body)
	}
}
