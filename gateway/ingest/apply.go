package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/record"
)

// apply carries one record from its bytes to FHIR, or into quarantine.
func (in *Ingest) apply(ctx context.Context, r store.Record) error {
	m, ok := in.member(r.Institution)
	if !ok && in.waits(r.Institution) {
		return errWaits
	}
	if !ok {
		return in.quarantine(ctx, r, "", issue("institution-unknown", "the institution is not a member"))
	}
	if record.Tabular(r.Format) && r.Type == "" && r.Parent != "" {
		return in.deliverAgain(ctx, m, r)
	}
	if unchanged, err := in.sameRow(ctx, r); unchanged || err != nil {
		return err
	}
	rec, received, err := in.read(ctx, m, r)
	if err != nil {
		return in.refuse(ctx, r, "", err)
	}
	got, err := m.Institution.Map(rec, mapping.RunOptions{Salt: m.Salt, Received: received})
	if err != nil {
		return in.refuse(ctx, r, "", err)
	}
	name := got.Map + "@" + got.Version
	if got.Rejected() {
		return in.quarantine(ctx, r, name, got.Issues...)
	}
	in.Fault(BeforeApply)
	_, err = in.Engine.Apply(ctx, in.batch(r, got, name, m.folder()))
	var refused *interaction.Refused
	switch {
	case errors.As(err, &refused):
		return in.quarantine(ctx, r, name, append(got.Issues, refused.Issues...)...)
	case err != nil:
		return fmt.Errorf("apply: %w", err)
	}
	in.Fault(AfterApply)
	return nil
}

// batch is what a record became, in the words of package interaction.
func (in *Ingest) batch(r store.Record, got *mapping.Result, name, folder string) interaction.Batch {
	b := interaction.Batch{
		Institution: r.Institution, Record: r.ID,
		Digest: r.Digest, Offset: r.Offset, Length: r.Length, Place: r.Place,
		Map: name, Folder: folder,
		Stamp:  store.Stamp{Time: got.Stamp.Time, Sequence: got.Stamp.Sequence},
		RowKey: r.Key, RowHash: r.Hash,
		Issues: got.Issues,
	}
	for i := range got.Resources {
		res := &got.Resources[i]
		if res.Write != mapping.Reference {
			b.Writes = append(b.Writes, interaction.Write{Resource: res.Tree, Over: res.Over, Fills: res.Write == mapping.Merge})
		}
	}
	return b
}

// deliverAgain takes up a replayed piece of a delivery that was no row to the maps
// of then: a file of an unknown name, a table that no map read, a row without its
// other half. What it is now only the delivery as a whole can tell, so its tables
// are split once more; rows that did not change are skipped as ever.
func (in *Ingest) deliverAgain(ctx context.Context, m Member, r store.Record) error {
	parent, err := in.Inbox.Record(ctx, r.Parent)
	if err != nil {
		return fmt.Errorf("read the delivery of a row: %w", err)
	}
	first := parent.ID
	if id, ok := deliveredFirst(parent); ok {
		first = id
	}
	receipts, err := in.Inbox.Accept(ctx, []store.Entry{{Record: store.Record{
		Institution: r.Institution, Source: r.Source, Format: store.Delivery, Name: parent.Name,
		Digest: parent.Digest, Offset: parent.Offset, Length: parent.Length,
		Control: againControl + first + "/" + m.Institution.Version(), State: store.Received,
	}}})
	if err != nil {
		return fmt.Errorf("deliver again: %w", err)
	}
	again := fhir.Issue{
		Severity: fhir.Information, Code: fhir.TypeInformational, ID: "delivered-again",
		Text: "its delivery was taken up again as " + receipts[0].ID,
	}
	return in.finish(ctx, r, store.Outcome{State: store.Unchanged, Reason: interaction.Reason([]fhir.Issue{again})})
}

// againControl begins the control id of a delivery that is taken up again; the id of
// the first delivery and the version of the maps follow.
const againControl = "again/"

// deliveredFirst returns the delivery that one is the repetition of.
func deliveredFirst(delivery store.Record) (id string, again bool) {
	rest, again := strings.CutPrefix(delivery.Control, againControl)
	id, _, _ = strings.Cut(rest, "/")
	return id, again
}

// sameRow ends the work on a table row that is equal to the last applied state of
// its key. Only the last one counts: a row may go from X to Y and back to X.
func (in *Ingest) sameRow(ctx context.Context, r store.Record) (bool, error) {
	if r.Key == "" {
		return false, nil
	}
	last, err := in.Inbox.Applied(ctx, r.Institution, r.Key)
	if err != nil {
		return false, fmt.Errorf("compare a row with its last state: %w", err)
	}
	if last != r.Hash {
		return false, nil
	}
	return true, in.finish(ctx, r, store.Outcome{State: store.Unchanged})
}

// finish ends the work on a record that became nothing.
func (in *Ingest) finish(ctx context.Context, r store.Record, o store.Outcome) error {
	return in.Writer.Update(ctx, func(ctx context.Context, tx store.Tx) error { return tx.Finish(ctx, r.ID, o) })
}

// refuse quarantines a record for an error about its bytes, and passes on any
// other.
func (in *Ingest) refuse(ctx context.Context, r store.Record, name string, err error) error {
	var syntax *record.SyntaxError
	if errors.As(err, &syntax) {
		return in.quarantine(ctx, r, name, syntaxIssue(syntax))
	}
	return err
}

// quarantine puts a record aside with the reason. Its bytes stay in the archive.
func (in *Ingest) quarantine(ctx context.Context, r store.Record, name string, issues ...fhir.Issue) error {
	return in.finish(ctx, r, store.Outcome{State: store.Quarantined, Reason: interaction.Reason(issues), Map: name})
}
