package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/store"
)

// versioned is a desk over a store in which city pushed twice, and went back.
func versioned(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	for _, content := range []string{"one", "two"} {
		f := store.Folder{Institution: "city", Version: "v-" + content, Maps: []string{"adt@" + content}, By: "analyst", Note: content}
		if _, err := d.store.PushFolder(t.Context(), f, []byte(content), store.AnyFolder); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.store.ActivateFolder(t.Context(), store.Activation{Institution: "city", Number: 1, By: "head", Why: "back"}, 2); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestVersionsAreListedWithWhatIsInEffect(t *testing.T) {
	d := versioned(t)
	for _, viewer := range []string{"all", "city"} {
		var got console.Versions
		d.decode(d.do(viewer, "GET", "/console/institutions/city/versions", ""), &got)
		var lines []string
		for _, v := range got.Versions {
			if v.Pushed.IsZero() || v.Bytes != 3 || len(v.Digest) != 64 {
				t.Errorf("%+v", v)
			}
			line := v.Version + " by " + v.By + ", " + v.Note + ", " + strings.Join(v.Maps, " ")
			if v.Active {
				line += ", active"
			}
			lines = append(lines, line)
		}
		for _, a := range got.Activations {
			lines = append(lines, string(rune('0'+a.Number))+" by "+a.By+", "+a.Why)
		}
		want := []string{"v-two by analyst, two, adt@two", "v-one by analyst, one, adt@one, active", "1 by head, back", "2 by analyst, two", "1 by analyst, one"}
		if diff := cmp.Diff(want, lines); diff != "" || got.Active != 1 || got.Institution != "city" {
			t.Errorf("for %s: %s", viewer, diff)
		}
	}
	var page console.Versions
	d.decode(d.do("all", "GET", "/console/institutions/city/versions?before=2&limit=5", ""), &page)
	if len(page.Versions) != 1 || page.Versions[0].Number != 1 || len(page.Activations) != 0 {
		t.Errorf("the second page: %+v", page)
	}
	d.decode(d.do("county", "GET", "/console/institutions/county/versions", ""), &page)
	if len(page.Versions)+len(page.Activations) != 0 || page.Active != 0 {
		t.Errorf("an institution without versions: %+v", page)
	}
	archive := d.do("city", "GET", "/console/institutions/city/versions/2", "")
	if archive.Code != http.StatusOK || archive.Body.String() != "two" || archive.Header().Get("Content-Type") != "application/x-tar" ||
		archive.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q %v", archive.Code, archive.Body, archive.Header())
	}
}

func TestAPushIsHandedOnWithWhoPushes(t *testing.T) {
	d := newDesk(t)
	var got console.Push
	d.members.push = func(p console.Push) (console.Pushed, error) {
		got = p
		return console.Pushed{Institution: p.Institution, Number: 3, Pushed: true, Findings: []console.Finding{{Severity: "warning", File: "maps/x.yaml", Text: "doubtful"}}}, nil
	}
	var answer console.Pushed
	d.decode(d.do("city", "POST", "/console/institutions/city/versions?note=%20mended%20&untested=1&expected=2", "bytes"), &answer)
	want := console.Push{Institution: "city", Archive: []byte("bytes"), Note: "mended", Untested: true, By: "city", Expected: 2}
	if diff := cmp.Diff(want, got); diff != "" || answer.Number != 3 || len(answer.Findings) != 1 {
		t.Errorf("%s, answered %+v", diff, answer)
	}
	d.decode(d.do("all", "POST", "/console/institutions/city/versions", "x"), &answer)
	if got.Expected != store.AnyFolder || got.By != "all" || got.Untested {
		t.Errorf("%+v", got)
	}
	d.members.push = func(console.Push) (console.Pushed, error) {
		return console.Pushed{Findings: []console.Finding{{Severity: "error", File: "maps/x.yaml", Line: 3, Column: 7, Text: "wrong"}}}, nil
	}
	refused := d.do("all", "POST", "/console/institutions/city/versions", "x")
	if err := json.Unmarshal(refused.Body.Bytes(), &answer); err != nil || refused.Code != http.StatusUnprocessableEntity || answer.Pushed ||
		answer.Findings[0].String() != "maps/x.yaml:3:7: wrong" {
		t.Errorf("%d %s, %v", refused.Code, refused.Body, err)
	}
}

func TestAnActivationIsHandedOnWithWhoSwitches(t *testing.T) {
	d := newDesk(t)
	var got console.Activate
	d.members.activate = func(a console.Activate) (console.Activated, error) {
		got = a
		return console.Activated{Institution: a.Institution, Activated: true}, nil
	}
	one, two := int64(1), int64(2)
	for body, want := range map[string]console.Activate{
		`{}`:                                     {Institution: "city", By: "city", Expected: store.AnyFolder},
		`{"number":1,"why":"back","expected":2}`: {Institution: "city", By: "city", Number: &one, Why: "back", Expected: two},
	} {
		var answer console.Activated
		d.decode(d.do("city", "POST", "/console/institutions/city/activate", body), &answer)
		if diff := cmp.Diff(want, got); diff != "" || !answer.Activated {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

func TestVersionsAreNobodyElses(t *testing.T) {
	d := versioned(t)
	d.members.push = func(console.Push) (console.Pushed, error) { t.Error("it was pushed"); return console.Pushed{}, nil }
	d.members.activate = func(console.Activate) (console.Activated, error) {
		t.Error("it was switched")
		return console.Activated{}, nil
	}
	tests := []struct {
		name, viewer, method, path, body string
		status                           int
		text                             string
	}{
		{"a list for nobody", "", "GET", "/console/institutions/city/versions", "", 401, "nobody is known"},
		{"a list of another institution", "county", "GET", "/console/institutions/city/versions", "", 404, "no such institution"},
		{"a list for a client of no institution", "stranger", "GET", "/console/institutions/city/versions", "", 404, "no such institution"},
		{"a list of what is not there", "all", "GET", "/console/institutions/nowhere/versions", "", 404, "no such institution"},
		{"a page from nowhere", "all", "GET", "/console/institutions/city/versions?before=0", "", 400, "before is not the number"},
		{"a page of nothing", "all", "GET", "/console/institutions/city/versions?limit=0", "", 400, "limit is not a positive number"},
		{"bytes for nobody", "", "GET", "/console/institutions/city/versions/1", "", 401, "nobody is known"},
		{"bytes of another institution", "county", "GET", "/console/institutions/city/versions/1", "", 404, "no such version"},
		{"bytes of a version that was not pushed", "all", "GET", "/console/institutions/city/versions/3", "", 404, "no such version"},
		{"bytes of version 0", "all", "GET", "/console/institutions/city/versions/0", "", 404, "no such version"},
		{"bytes of what is no number", "all", "GET", "/console/institutions/city/versions/x", "", 404, "no such version"},
		{"a push for nobody", "", "POST", "/console/institutions/city/versions", "x", 401, "nobody is known"},
		{"a push of another institution", "county", "POST", "/console/institutions/city/versions", "x", 403, "its own institution"},
		{"a push for a client of no institution", "stranger", "POST", "/console/institutions/city/versions", "x", 403, "its own institution"},
		{"a push with a note over the limit", "city", "POST", "/console/institutions/city/versions?note=" + strings.Repeat("n", console.MaxNote+1), "x", 400, "more than 500 letters"},
		{"a push with a note of lines", "city", "POST", "/console/institutions/city/versions?note=a%0Ab", "x", 400, "more than a line"},
		{"a push that expects no number", "city", "POST", "/console/institutions/city/versions?expected=-1", "x", 400, "expected is not the number"},
		{"a push over the limit", "city", "POST", "/console/institutions/city/versions", strings.Repeat("x", int(folder.Limits{}.Archive())+1), 413, "the archive is over"},
		{"a switch for nobody", "", "POST", "/console/institutions/city/activate", "{}", 401, "nobody is known"},
		{"a switch of another institution", "county", "POST", "/console/institutions/city/activate", "{}", 403, "its own institution"},
		{"a switch without JSON", "city", "POST", "/console/institutions/city/activate", "back", 400, "not the JSON of a version"},
		{"a switch with a misspelt key", "city", "POST", "/console/institutions/city/activate", `{"nummer":1}`, 400, "not the JSON of a version"},
		{"a switch to a negative number", "city", "POST", "/console/institutions/city/activate", `{"number":-1}`, 400, "not one of a version"},
		{"a switch that expects a negative number", "city", "POST", "/console/institutions/city/activate", `{"expected":-1}`, 400, "expected is not the number"},
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
	d.members.push = func(console.Push) (console.Pushed, error) {
		return console.Pushed{}, fault.New(fault.Conflict, "version 2 of the institution's folder is in effect, and not 1")
	}
	if got := d.do("city", "POST", "/console/institutions/city/versions?expected=1", "x"); got.Code != http.StatusConflict {
		t.Errorf("a race: %d %s", got.Code, got.Body)
	}
}
