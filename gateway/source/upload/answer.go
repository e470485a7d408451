package upload

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// Answer is the JSON answer to an upload.
type Answer struct {
	ID        string   `json:"id"`                  // the record, or the delivery it came in
	Duplicate bool     `json:"duplicate,omitempty"` // the same bytes came before under the same control id
	Warning   string   `json:"warning,omitempty"`
	Records   []Record `json:"records,omitempty"` // with ?wait=1: what became of each
}

// Record tells what became of one record. Its issues never hold its data; warnings
// about a committed one are among them.
type Record struct {
	ID     string            `json:"id"`
	State  store.RecordState `json:"state"`
	Type   string            `json:"type,omitempty"`
	File   string            `json:"file,omitempty"`
	Place  string            `json:"place,omitempty"` // of a workbook's row: sheet!row
	Issues []fhir.Issue      `json:"issues,omitempty"`
}

// AnswerTo tells what became of a delivery; records may be nil while nobody waits
// for them.
func AnswerTo(a ingest.Acceptance, records []store.Record) Answer {
	out := Answer{ID: a.Receipt.ID, Duplicate: a.Receipt.Duplicate}
	if a.Receipt.ControlUsed {
		out.Warning = "the control id was used before with other bytes; taken as a new record"
	}
	for _, r := range records {
		out.Records = append(out.Records, recordOf(r))
	}
	return out
}

func recordOf(r store.Record) Record {
	return Record{ID: r.ID, State: r.State, Type: r.Type, File: r.Name, Place: r.Place, Issues: interaction.Issues(r.Reason)}
}
