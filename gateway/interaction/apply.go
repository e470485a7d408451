package interaction

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// Write is one resource that a record became.
type Write struct {
	Resource *fhir.Node // with its id; references to others of the record are literal
	// Over lays the resource over the one that is stored, without changing either;
	// nil: it takes its place whole.
	Over func(stored *fhir.Node) *fhir.Node
	// Fills says that Over only fills gaps: that gives no authority, so it leaves no
	// stamp, and whoever states the resource comes after it, however old that is.
	Fills bool
}

// Batch is what one record became. It is written whole or not at all, together
// with the end of the work on the record.
type Batch struct {
	Institution string
	Record      string // inbox id; "" for what an institution's own folder says
	Digest      string // of the archived bytes
	Offset      int64  // and where in them the record stands
	Length      int64
	Place       string // of a workbook's row, sheet!row; Offset and Length are the workbook's
	Map         string // map and version
	Folder      string // version of the institution's folder
	Stamp       store.Stamp
	RowKey      string // with RowHash: state of a table row to remember
	RowHash     string
	Writes      []Write
	Issues      []fhir.Issue // findings to keep with the record
}

// Applied tells what became of a Batch.
type Applied struct {
	State    store.RecordState // Committed, Unchanged or Superseded
	Versions []store.Version   // what was written, the Provenance last
	Skipped  int               // resources that were newer than the record
}

// Source is the meta.source of what a record became.
func (e *Engine) Source(institution, record string) string {
	return e.Base + "/institution/" + institution + "/record/" + record
}

// Apply writes what a record became. The resources of b belong to it: contents over
// the limit are taken out of them.
//
// Faults: Invalid as a *Refused with issues when a resource is not valid FHIR
// (the caller quarantines the record), Conflict when the work on the record has
// ended already.
func (e *Engine) Apply(ctx context.Context, b Batch) (Applied, error) {
	var out Applied
	parts, err := e.detach(ctx, b)
	if err != nil {
		return out, err
	}
	versions, err := e.write(ctx, func(ctx context.Context, wake []store.Key) (*transaction, error) {
		t, applied, err := e.planBatch(ctx, b, parts, wake)
		out = applied
		return t, err
	})
	out.Versions = versions
	return out, err
}

func (e *Engine) planBatch(ctx context.Context, b Batch, parts []detached, wake []store.Key) (*transaction, Applied, error) {
	var applied Applied
	source := ""
	if b.Record != "" {
		source = e.Source(b.Institution, b.Record)
	}
	known := map[store.Pending]string{}
	for _, w := range b.Writes {
		e.brings(known, keyOf(w.Resource), w.Resource)
	}
	var drafts []*draft
	var same []store.Key
	for i, w := range b.Writes {
		var part detached
		if parts != nil {
			part = parts[i]
		}
		d, newer, err := e.draftOf(ctx, b, w, part.own, source, known)
		if err != nil {
			return nil, applied, err
		}
		switch {
		case newer:
			applied.Skipped++
		case d != nil:
			drafts = append(drafts, d)
		case !w.Fills:
			same = append(same, keyOf(w.Resource))
		}
		if len(part.attachments) > 0 && !newer {
			fresh, kept, err := e.binaries(ctx, b, w, d, part.attachments, source)
			if err != nil {
				return nil, applied, err
			}
			drafts, same = append(drafts, fresh...), append(same, kept...)
		}
	}
	woken, err := e.woken(ctx, wake, known, drafts)
	if err != nil {
		return nil, applied, err
	}
	switch {
	case len(drafts) > 0:
		applied.State = store.Committed
		for _, d := range drafts {
			b.Issues = append(b.Issues[:len(b.Issues):len(b.Issues)], asWarnings(d.profile)...)
		}
		targets := drafts
		drafts = append(drafts, woken...)
		if b.Record != "" {
			p, err := e.provenance(ctx, b, targets)
			if err != nil {
				return nil, applied, err
			}
			drafts = append(drafts, p)
		}
	case applied.Skipped > 0:
		applied.State = store.Superseded
	default:
		applied.State = store.Unchanged
	}
	return &transaction{drafts: drafts, advances: same, asks: b.Record != "", more: e.finish(b, applied.State, same)}, applied, nil
}

// finish ends the work on the record in the transaction that wrote its resources.
// The resources that say the same already are as new as the record from now on.
func (e *Engine) finish(b Batch, state store.RecordState, same []store.Key) func(context.Context, store.Tx, []store.Version) error {
	return func(ctx context.Context, tx store.Tx, _ []store.Version) error {
		for _, k := range same {
			if err := tx.Advance(ctx, k, b.Stamp); err != nil {
				return fmt.Errorf("advance %s: %w", k.Type, err)
			}
		}
		if b.RowKey != "" && state != store.Superseded {
			if err := tx.SetApplied(ctx, b.Institution, b.RowKey, b.RowHash); err != nil {
				return fmt.Errorf("remember the row: %w", err)
			}
		}
		if b.Record == "" {
			return nil
		}
		err := tx.Finish(ctx, b.Record, store.Outcome{State: state, Reason: Reason(b.Issues), Map: b.Map})
		if err != nil {
			return fmt.Errorf("finish the record: %w", err)
		}
		return nil
	}
}

// Reason is how issues are kept with a record.
func Reason(issues []fhir.Issue) string {
	if len(issues) == 0 {
		return ""
	}
	text, err := json.Marshal(issues)
	if err != nil {
		return ""
	}
	return string(text)
}

// Issues reads what Reason wrote.
func Issues(reason string) []fhir.Issue {
	var issues []fhir.Issue
	if reason == "" || json.Unmarshal([]byte(reason), &issues) != nil {
		return nil
	}
	return issues
}

// draftOf drafts one write. It returns no draft when there is nothing to write:
// the resource says all of it already, or is newer than the record. own is the
// content of a Binary.
func (e *Engine) draftOf(ctx context.Context, b Batch, w Write, own *content, source string, known map[store.Pending]string) (*draft, bool, error) {
	if w.Resource.ResourceType() == parameterType {
		return nil, false, invalid("search-parameter-record", parameterType, "a record cannot say what all are searched by")
	}
	d := &draft{
		key:     keyOf(w.Resource),
		owner:   b.Institution,
		source:  source,
		stamp:   b.Stamp,
		content: own,
	}
	var stored *fhir.Node
	current, err := e.Store.Read(ctx, d.key)
	switch {
	case fault.Is(err, fault.NotFound):
	case err != nil:
		return nil, false, fmt.Errorf("read what is stored: %w", err)
	case current.Owner != b.Institution:
		return nil, false, fault.New(fault.Conflict, "the resource belongs to another institution")
	default:
		d.expect, d.waits = current.Number, true
		if !w.Fills && b.Stamp.Before(current.Stamp) {
			return nil, true, nil
		}
		if !current.Deleted {
			if stored, err = parseStored(current.Body); err != nil {
				return nil, false, fmt.Errorf("read stored %s: %w", d.key.Type, err)
			}
			d.lost = e.Index.IdentifierLocks(stored)
		}
	}
	if w.Fills {
		d.stamp = current.Stamp
	}
	if stored != nil && current.Blob.Digest != "" && (w.Fills || own == nil && w.Over != nil) {
		d.content = &content{blob: current.Blob}
	}
	tree := w.Resource
	if stored != nil && w.Over != nil {
		tree = w.Over(stored)
	}
	if err := e.prepare(ctx, d, tree, known); err != nil {
		return nil, false, err
	}
	if stored != nil && fhir.EqualContent(stored, d.stamped) {
		same, err := e.sameContent(ctx, current.Blob, d.content)
		if same || err != nil {
			return nil, false, err
		}
	}
	return d, false, nil
}
