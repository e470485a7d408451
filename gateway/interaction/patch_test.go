package interaction_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

func TestPatch(t *testing.T) {
	json := func(t *testing.T, text string) interaction.Patch { return interaction.Patch{JSON: tree(t, text)} }
	path := func(t *testing.T, text string) interaction.Patch {
		return interaction.Patch{FHIRPath: tree(t, `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[`+text+`]}]}`)}
	}
	xml := func(_ *testing.T, text string) interaction.Patch {
		return interaction.Patch{XML: []byte(`<diff xmlns:f="http://hl7.org/fhir">` + text + `</diff>`)}
	}
	for _, tt := range []struct {
		name   string
		read   func(*testing.T, string) interaction.Patch
		patch  string
		effect interaction.Effect
		kind   fault.Kind
		code   string
		place  string
	}{
		{"JSON Patch changes", json, `[{"op":"replace","path":"/gender","value":"male"}]`, interaction.Changed, 0, "", ""},
		{"FHIRPath Patch changes", path, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"male"}`, interaction.Changed, 0, "", ""},
		{"XML Patch changes", xml, `<replace sel="f:Patient/f:gender/@value">male</replace>`, interaction.Changed, 0, "", ""},
		{"JSON Patch of what is so already", json, `[{"op":"replace","path":"/gender","value":"female"}]`, interaction.Unchanged, 0, "", ""},
		{"FHIRPath Patch of what is so already", path, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"female"}`, interaction.Unchanged, 0, "", ""},
		{"XML Patch of what is so already", xml, `<replace sel="f:Patient/f:gender/@value">female</replace>`, interaction.Unchanged, 0, "", ""},
		{"a test that fails", json, `[{"op":"test","path":"/gender","value":"male"}]`, 0, fault.Invalid, "processing", ""},
		{"an operation that is none", json, `[{"op":"put","path":"/gender","value":"male"}]`, 0, fault.Invalid, "", ""},
		{"a path to nothing", path, `{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.birthDate"},{"name":"value","valueDate":"1990-01-01"}`, 0, fault.Invalid, "processing", ""},
		{"a selector that is none", xml, `<replace sel="f:Patient[">male</replace>`, 0, fault.Invalid, "", ""},
		{"a result that is not valid", json, `[{"op":"replace","path":"/gender","value":"m"}]`, 0, fault.Invalid, "processing", "Patient.gender"},
		{"the id", json, `[{"op":"replace","path":"/id","value":"other"}]`, 0, fault.Invalid, "processing", "Patient"},
		{"the type", json, `[{"op":"replace","path":"/resourceType","value":"Person"}]`, 0, fault.Invalid, "processing", "Patient"},
		{"the owner's tag", json, `[{"op":"replace","path":"/meta/tag/0/code","value":"county"}]`, interaction.Unchanged, 0, "", ""},
		{"more operations than may be", json, `[` + strings.Repeat(`{"op":"test","path":"/gender","value":"female"},`, 1000) + `{"op":"test","path":"/gender","value":"female"}]`, 0, fault.TooCostly, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.create(identified)
			w, err := f.Patch(f.ctx(), everybody, first.Key, tt.read(t, tt.patch), 0)
			if tt.kind != 0 {
				if !fault.Is(err, tt.kind) || tt.code != "" && fault.AnswerTo(err).Code != tt.code {
					t.Fatalf("got %v (%s), want %v %s", err, fault.AnswerTo(err).Code, tt.kind, tt.code)
				}
				if got := issuesOf(t, err)[0].Expression; tt.place != "" && got != tt.place {
					t.Errorf("place %q, want %q", got, tt.place)
				}
				if v, err := f.Read(f.ctx(), everybody, first.Key); err != nil || v.Number != 1 {
					t.Errorf("something was written: version %d, %v", v.Number, err)
				}
				return
			}
			if err != nil || w.Effect != tt.effect {
				t.Fatalf("got %v, %v", w.Effect, err)
			}
			want := map[interaction.Effect]int64{interaction.Changed: 2, interaction.Unchanged: 1}[w.Effect]
			if v, err := f.Read(f.ctx(), everybody, first.Key); err != nil || v.Number != want || v.Owner != "city" || !strings.Contains(string(v.Body), `"city"`) {
				t.Errorf("version %d of %s, %v", v.Number, v.Owner, err)
			}
		})
	}
}

func TestConditionalPatch(t *testing.T) {
	for there, kind := range map[int]fault.Kind{0: fault.NotFound, 1: 0, 2: fault.Precondition} {
		f := newFixture(t)
		for range there {
			f.create(identified)
		}
		w, err := f.PatchIf(f.ctx(), everybody, "Patient", interaction.Patch{JSON: tree(t, `[{"op":"replace","path":"/gender","value":"male"}]`)}, pairs(t, "identifier=7"), 0)
		if kind != 0 && !fault.Is(err, kind) || kind == 0 && (err != nil || w.Effect != interaction.Changed) {
			t.Errorf("%d are there: %v, %v", there, w.Effect, err)
		}
	}
}

func TestPatchesAtOnceAllHold(t *testing.T) {
	onEachStore(t, func(t *testing.T, f *fixture) {
		first := f.create(identified)
		together(32, func(int) {
			if _, err := f.Patch(f.ctx(), everybody, first.Key, interaction.Patch{JSON: tree(t, `[{"op":"add","path":"/identifier/-","value":{"value":"more"}}]`)}, 0); err != nil {
				t.Error(err)
			}
		})
		if got := strings.Count(f.get("Patient", first.ID), `"more"`); got != 32 {
			t.Errorf("%d of 32 patches hold", got)
		}
	})
}

func TestAPatchedBinaryKeepsItsContent(t *testing.T) {
	f := newFixture(t)
	data := base64.StdEncoding.EncodeToString([]byte("content"))
	first := f.create(`{"resourceType":"Binary","contentType":"text/plain","data":"` + data + `"}`)
	w, err := f.Patch(f.ctx(), everybody, first.Key, interaction.Patch{JSON: tree(t, `[{"op":"replace","path":"/contentType","value":"text/html"}]`)}, 0)
	if err != nil || w.Blob != first.Blob || !strings.Contains(string(w.Body), "text/html") {
		t.Errorf("%v %s", err, w.Body)
	}
	w, err = f.Patch(f.ctx(), everybody, first.Key, interaction.Patch{JSON: tree(t, `[{"op":"replace","path":"/data","value":"bW9yZQ=="}]`)}, 0)
	if err != nil || string(f.content(w.Version)) != "more" {
		t.Errorf("%v %s", err, w.Body)
	}
}
