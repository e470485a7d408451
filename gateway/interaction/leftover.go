package interaction

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// What is erased stands in the records it came from, too. A record goes – its bytes, its
// lanes, the key of its row – with the last of what was made of it. Of a record that
// something of a patient came from, only what belongs to patients counts: the ward and
// the doctor that it mentions hold nothing. A record that also made what is there still
// keeps its bytes, and is named in the answer, so that who erases a person sees what is
// left to erase; expungeRecords takes it with the first. What the institution sent of a
// Patient and changed nothing goes with the Patient.

const (
	// maxKept bounds how many records an answer names. Who erases what is left and asks
	// again is told of the next, so no setting is needed.
	maxKept = 100
	// maxLeftovers bounds the records that go in the transaction of a resource: those that
	// an institution sent again of one Patient and that changed nothing. Where there are
	// more, the others go in transactions before it. It is what one transaction can take,
	// not what a client asks for.
	maxLeftovers = 10_000
)

// leftover is a record that has nothing to stay for, once its holders are gone.
type leftover struct {
	id      string
	holders []store.Key
}

// lock is held by those who erase what the record made, so that one of them sees that it
// is the last.
func (l leftover) lock() string { return "record\x00" + l.id }

// release erases records that nothing is there of any more.
func release(ctx context.Context, tx store.Tx, list []leftover, done *expunging) error {
	for _, l := range list {
		held := false
		for _, k := range l.holders {
			if held = !done.records; !held {
				break
			}
			_, err := tx.Read(ctx, k)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if held = err == nil; held {
				break
			}
		}
		whole := false
		if !held {
			var err error
			if whole, err = tx.EraseRecord(ctx, l.id); err != nil {
				return err
			}
			done.erased++
		}
		if !whole {
			done.kept = append(done.kept, l.id)
		}
	}
	return nil
}

// leftoversOf finds the records that versions of a resource came from and the ones that
// stay did not.
func (e *Engine) leftoversOf(ctx context.Context, current store.Version, gone, stays []store.Version) ([]leftover, error) {
	var list []leftover
	var lanes, seen []string
	for _, old := range gone {
		if old.Source == "" || slices.Contains(seen, old.Source) || slices.ContainsFunc(stays, func(o store.Version) bool { return o.Source == old.Source }) {
			continue
		}
		seen = append(seen, old.Source)
		_, id, ok := cutLast(old.Source, "/record/")
		if !ok || old.Source != e.Source(old.Owner, id) {
			continue
		}
		r, err := e.Store.Record(ctx, id)
		switch {
		case fault.Is(err, fault.NotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("read a record: %w", err)
		case r.Institution != old.Owner || !slices.Contains([]store.RecordState{store.Committed, store.Unchanged, store.Superseded}, r.State):
			continue
		}
		holders, err := e.holders(ctx, current, id, old.Source)
		if err != nil {
			return nil, err
		}
		list, lanes = append(list, leftover{id, holders}), append(lanes, r.Lanes...)
	}
	if current.Type != "Patient" || len(stays) > 0 || len(lanes) == 0 {
		return list, nil
	}
	idle, err := e.Store.Ineffective(ctx, current.Owner, lanes, e.leftovers+1)
	if err != nil {
		return nil, fmt.Errorf("look for records that changed nothing: %w", err)
	}
	if len(idle) > e.leftovers {
		return nil, &abundant{idle[:e.leftovers]}
	}
	for _, id := range idle {
		if !slices.ContainsFunc(list, func(l leftover) bool { return l.id == id }) {
			list = append(list, leftover{id: id})
		}
	}
	return list, nil
}

// abundant is the error of a Patient with more records that changed nothing than go in its
// own transaction.
type abundant struct{ records []string }

func (*abundant) Error() string { return "more records than one transaction takes" }

// thin erases records that changed nothing, before the Patient that they tell of: should
// the process end in between, erasing it again goes on from there.
func (e *Engine) thin(ctx context.Context, x *expunging, records []string) error {
	list := make([]leftover, len(records))
	names := make([]string, len(records))
	for i, id := range records {
		list[i] = leftover{id: id}
		names[i] = list[i].lock()
	}
	slices.Sort(names)
	var done expunging
	err := e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		done = expunging{records: x.records}
		if err := begin(ctx, tx, store.Foresight{Names: names}); err != nil {
			return err
		}
		return release(ctx, tx, list, &done)
	})
	if err != nil {
		return fmt.Errorf("expunge records: %w", err)
	}
	x.add(&done)
	return nil
}

// holders are the other resources that a record made, as its Provenance tells. Where that
// is gone nobody knows any more, and none is left to ask.
func (e *Engine) holders(ctx context.Context, current store.Version, record, source string) (keys []store.Key, err error) {
	own := store.Key{Type: "Provenance", ID: record}
	versions, err := e.Store.History(ctx, own, 0, e.Limit.MaxPage)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, fmt.Errorf("read the provenance: %w", err)
	}
	for _, p := range versions {
		if p.Deleted {
			continue
		}
		tree, err := parseStored(p.Body)
		if err != nil {
			return nil, fmt.Errorf("read the stored provenance: %w", err)
		}
		for _, target := range tree.Get("target").Items() {
			k, ok := relative(target)
			if !ok || k == current.Key || slices.Contains(keys, k) {
				continue
			}
			made, patient, err := e.made(ctx, k, source)
			if err != nil {
				return nil, err
			}
			if made && (patient || current.Patient == "") {
				keys = append(keys, k)
			}
		}
	}
	return keys, nil
}

// relative is the key that a reference names.
func relative(reference *fhir.Node) (store.Key, bool) {
	typ, id, ok := strings.Cut(reference.Get("reference").Text(), "/")
	return store.Key{Type: typ, ID: id}, ok
}

// made tells whether a version of a resource came from a source, and whether it belongs
// to a patient.
func (e *Engine) made(ctx context.Context, k store.Key, source string) (made, patient bool, err error) {
	list, err := e.historyOf(ctx, k)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return false, false, err
	}
	for _, v := range list {
		if v.Source == source {
			made, patient = true, patient || v.Patient != ""
		}
	}
	return made, patient, nil
}
