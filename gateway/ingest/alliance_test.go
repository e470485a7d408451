package ingest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/store"
)

// Small institutions, so that a test sees all that its maps say. Each takes HL7 v2 by
// the built-in maps, two tables joined by a key, and JSON documents.

const tableMaps = `
sources:
  adt: {format: hl7v2, base: true}
  night: {format: csv, tables: {HZ: "HZ*.csv", BG: "BG*.csv", XM: "XM*.csv"}}
  lab: {format: json}
`

var smallMaps = map[string]string{
	"maps/person.yaml": `
format: 1
map: person
reads: {format: csv, table: HZ}
lane: ID
version: {time: GX}
row: ID
resources:
  patient:
    type: Patient
    key: [ID]
    write: update
    set:
      identifier: {from: ID, as: identifier, system: patient}
      name: {from: XM, as: name}
`,
	"maps/report.yaml": `
format: 1
map: report
reads:
  format: csv
  table: BG
  join:
    item: {table: XM, on: {BH: BH}, many: true}
lane: HZ
row: BH
resources:
  report:
    type: DiagnosticReport
    key: [BH]
    write: replace
    set:
      identifier: {from: BH, as: identifier, system: report}
      status: =final
      code: {set: {text: MC}}
      result: {ref: {rule: observation, all: true}}
  observation:
    type: Observation
    each: item
    key: [/BH, DM]
    write: replace
    set:
      status: =final
      code: {set: {text: DM}}
      valueString: JG
`,
	"maps/document.yaml": `
format: 1
map: document
reads: {format: json, where: {no: present}}
lane: who
version: {time: at}
resources:
  report:
    type: DiagnosticReport
    key: [no]
    write: replace
    set:
      identifier: {from: no, as: identifier, system: report}
      status: {from: state, table: state}
      code: {set: {text: what}}
      basedOn: {ref: {type: ServiceRequest, identifier: {system: "east/order", from: order}}}
`,
	"codes/state.csv": "#! system: http://hl7.org/fhir/diagnostic-report-status\n#! unmapped: reject\ncode,display,target,target_display\n1,审核,final,Final\n",
}

// member is an institution's folder; changes replace or (by "") remove files.
func member(id string, changes map[string]string) fs.FS {
	folder := fstest.MapFS{"institution.yaml": {Data: []byte("format: 1\nid: " + id + "\nname: " + id + "\ntimezone: \"+08:00\"\ncharset: UTF-8\n" + tableMaps)}}
	files := maps.Clone(smallMaps)
	maps.Copy(files, changes)
	for name, text := range files {
		if text != "" {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return folder
}

func small() setup {
	return setup{folders: []fs.FS{member("east", nil), member("west", nil), member("south", nil)}}
}

// adt is an ADT message of a minute about a patient.
func adt(event, control string, minute int, number, name string) string {
	at := fmt.Sprintf("2025060108%02d00", minute)
	return "MSH|^~\\&|HIS|E|Y|Y|" + at + "||ADT^" + event + "|" + control + "|P|2.4||||||UNICODE UTF-8\r" +
		"EVN|" + event + "|" + at + "\r" +
		"PID|1||" + number + "^^^^MR||" + name + "||19900307|M\r" +
		"PV1|1|O\r"
}

func file(name, text string) ingest.File { return ingest.File{Name: name, Bytes: []byte(text)} }

func from(institution string, files ...ingest.File) ingest.Delivery {
	return ingest.Delivery{Institution: institution, Files: files}
}

// take accepts a delivery, waits until it is worked on, and returns its records.
func (g *gateway) take(t testing.TB, d ingest.Delivery) []store.Record {
	t.Helper()
	a, err := g.Accept(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	list, err := g.Wait(t.Context(), a.Receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// states are the states of records in order, as one word each; a quarantined one
// with the id of its first issue.
func states(list []store.Record) string {
	var words []string
	for _, r := range list {
		word := string(r.State)
		if issues := issuesOf(r); r.State == store.Quarantined && len(issues) > 0 {
			word += ":" + issues[0].ID
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func issuesOf(r store.Record) []fhir.Issue {
	var issues []fhir.Issue
	if r.Reason != "" && json.Unmarshal([]byte(r.Reason), &issues) != nil {
		return []fhir.Issue{{ID: "unreadable"}}
	}
	return issues
}

// every lists all records of the inbox.
func (g *gateway) every(t testing.TB) []store.Record {
	t.Helper()
	list, err := g.store.Records(t.Context(), store.RecordFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// all returns the current resources of a type, without meta and id, sorted.
func (g *gateway) all(t testing.TB, typ string) []string {
	t.Helper()
	var out []string
	seen := map[store.Key]bool{}
	for after := int64(0); ; {
		list, err := g.store.Changes(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		for _, c := range list {
			if after = c.Change; c.Type != typ || seen[c.Key] {
				continue
			}
			seen[c.Key] = true
			v, err := g.store.Read(t.Context(), c.Key)
			if err != nil {
				t.Fatal(err)
			}
			n, err := fhir.Parse(v.Body, fhir.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			n.Remove("meta")
			n.Remove("id")
			out = append(out, string(n.AppendJSON(nil)))
		}
	}
}
