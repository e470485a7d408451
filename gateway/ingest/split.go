package ingest

import (
	"context"
	"fmt"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// expandChunk is how many records of a delivery are added in one transaction.
const expandChunk = 256

// split cuts an archived delivery into records, which take its place in line. A
// process that dies in the middle leaves the chunks it added; the next one goes on
// behind them.
func (in *Ingest) split(ctx context.Context, r store.Record) error {
	m, ok := in.member(r.Institution)
	if !ok && in.waits(r.Institution) {
		return errWaits
	}
	if !ok {
		return in.quarantine(ctx, r, "", issue("institution-unknown", "the institution is not a member"))
	}
	d, err := in.open(ctx, m, r)
	if err != nil {
		return err
	}
	in.Fault(BeforeExpand)
	var chunk []store.Entry
	at := 0
	flush := func(done bool) error {
		err := in.Writer.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.Expand(ctx, r.ID, at, chunk, done)
		})
		if err != nil {
			return fmt.Errorf("split a delivery: %w", err)
		}
		at += len(chunk)
		chunk = chunk[:0]
		return nil
	}
	for cut, err := range d.intake.Records() {
		if err != nil {
			if at == 0 && len(chunk) == 0 {
				return in.quarantine(ctx, r, "", issue("delivery-unreadable", err.Error()))
			}
			// What was cut from it stays; the rest is put aside as one.
			chunk = append(chunk, in.spoiledEntry(r, err))
			break
		}
		if d.again && !record.Tabular(cut.Format) {
			continue
		}
		chunk = append(chunk, in.entry(r, d, cut))
		if len(chunk) == expandChunk {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	if at == 0 && len(chunk) == 0 {
		return in.quarantine(ctx, r, "", issue("delivery-empty", "the delivery holds no record"))
	}
	return flush(true)
}

// entry is what the inbox must know of a record cut from a delivery.
func (in *Ingest) entry(r store.Record, d *delivery, cut mapping.Cut) store.Entry {
	e := store.Entry{Record: store.Record{
		Institution: r.Institution, Source: r.Source, Format: cut.Format, Name: d.files[cut.File].Name,
		Digest: r.Digest, Offset: d.offsets[cut.File] + cut.Start, Length: cut.End - cut.Start, Place: cut.Place,
		Key: cut.Key, Hash: cut.Hash, Lanes: cut.Lanes, State: store.Received,
	}}
	if cut.Record != nil {
		e.Type, e.Control = cut.Record.Type, cut.Record.Control
	}
	if cut.Err != nil {
		e.State = store.Quarantined
		e.Reason = interaction.Reason([]fhir.Issue{syntaxIssue(cut.Err)})
		e.Key, e.Hash, e.Lanes = "", "", nil
	}
	return e
}

// spoiledEntry stands for the rest of a delivery that cannot be read on.
func (in *Ingest) spoiledEntry(r store.Record, err error) store.Entry {
	return store.Entry{Record: store.Record{
		Institution: r.Institution, Source: r.Source, Format: record.Table, Name: r.Name, Digest: r.Digest, Length: r.Length,
		State:  store.Quarantined,
		Reason: interaction.Reason([]fhir.Issue{issue("delivery-unreadable", err.Error())}),
	}}
}
