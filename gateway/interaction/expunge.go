package interaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// $expunge erases for good, where the law asks for it: resources with all versions, or
// versions that are not current any more; what they are found by, what identity knows of
// a Patient, contents that nothing else names, and of the records they came from what
// leftover.go says.

// DefaultExpunged is how many resources and versions one $expunge may remove.
const DefaultExpunged = 1000

// expungedTogether is how many resources one transaction erases: a process that shares
// its store waits a second behind each.
//
// It is a constant: what a client may ask for is Limits.Expunged, in as many transactions
// as that takes.
const expungedTogether = 50

// expunging is what one $expunge asks for, and what came of it.
type expunging struct {
	deleted  bool // resources that are deleted
	previous bool // versions that are not current
	records  bool // the bytes of records too that others came from
	limit    int

	count  int      // resources and versions that went
	erased int      // records
	kept   []string // records whose bytes stay
}

// removal is what goes of one resource.
type removal struct {
	key     store.Key
	numbers []int64 // of versions; nil: the resource
}

func (e *Engine) expunge(ctx context.Context, v Viewer, c *Call) (Result, error) {
	p, err := c.parameters(nil)
	if err != nil {
		return Result{}, err
	}
	if err := p.only("limit", "expungeDeletedResources", "expungePreviousVersions", "expungeRecords"); err != nil {
		return Result{}, err
	}
	x := &expunging{
		deleted: p.text("expungeDeletedResources") == "true", previous: p.text("expungePreviousVersions") == "true",
		records: p.text("expungeRecords") == "true", limit: e.Limit.Expunged,
	}
	if p.get("limit") != nil {
		if x.limit, err = strconv.Atoi(p.text("limit")); err != nil || x.limit < 1 || x.limit > e.Limit.Expunged {
			return Result{}, invalid("parameter-invalid", "", "limit is a number from 1 to "+strconv.Itoa(e.Limit.Expunged))
		}
	}
	switch {
	case c.Version > 0:
		err = e.remove(ctx, v, x, []removal{{c.Key, []int64{c.Version}}})
	case c.Key.ID != "":
		err = e.expungeOne(ctx, v, c.Key, x)
	case x.deleted || x.previous:
		err = e.expungeMany(ctx, v, c.Key.Type, x)
	default:
		err = invalid("parameter-missing", "", "of a type or of everything, only what is deleted or replaced is expunged: say expungeDeletedResources or expungePreviousVersions")
	}
	if err != nil {
		return Result{}, err
	}
	number := func(name string, n int) *fhir.Node {
		return fhir.NewObject().SetString("name", name).Set("valueInteger", fhir.NewNumber(strconv.Itoa(n)))
	}
	list := fhir.NewArray(number("count", x.count), number("records", x.erased))
	for _, id := range x.kept {
		list.Append(fhir.NewObject().SetString("name", "recordKept").SetString("valueString", id))
	}
	return Result{Resource: fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", list)}, nil
}

// expungeOne erases a resource, or versions of it.
func (e *Engine) expungeOne(ctx context.Context, v Viewer, k store.Key, x *expunging) error {
	if x.previous {
		current, err := e.current(ctx, v, k)
		if err != nil {
			return err
		}
		if !x.deleted || !current.Deleted {
			list, err := e.historyOf(ctx, k)
			if err != nil {
				return err
			}
			r := removal{key: k}
			for _, old := range slices.Backward(list) { // the oldest first, where not all may go at once
				if old.Number >= current.Number || len(r.numbers) == x.limit {
					break
				}
				r.numbers = append(r.numbers, old.Number)
			}
			if r.numbers == nil {
				return e.mayExpunge(v, current)
			}
			return e.remove(ctx, v, x, []removal{r})
		}
	}
	return e.remove(ctx, v, x, []removal{{key: k}})
}

// expungeMany erases what is deleted of a type or of everything, and what was replaced,
// as much as may go at once.
func (e *Engine) expungeMany(ctx context.Context, v Viewer, typ string, x *expunging) error {
	var parts []store.Part
	if x.deleted {
		parts = append(parts, store.Removed)
	}
	if x.previous {
		parts = append(parts, store.Replaced)
	}
	for _, part := range parts {
		q := store.HistoryQuery{Type: typ, Part: part, Allowed: v.allowed(), Limit: e.Limit.MaxPage}
		for x.count < x.limit {
			page, err := e.Store.Versions(ctx, q)
			if err != nil {
				return fmt.Errorf("look for what may go: %w", err)
			}
			var list []removal
			places := map[store.Key]int{}
			for _, row := range page.Rows {
				q.Before = row.Change
				if !v.mayWrite(row.Owner) {
					continue
				}
				if part == store.Removed {
					list = append(list, removal{key: row.Key})
					continue
				}
				at, ok := places[row.Key]
				if !ok {
					at = len(list)
					places[row.Key] = at
					list = append(list, removal{key: row.Key})
				}
				list[at].numbers = append(list[at].numbers, row.Number)
			}
			if err := e.removeMany(ctx, v, x, list); err != nil {
				return err
			}
			if !page.More {
				break
			}
		}
	}
	return nil
}

// removeMany removes in portions, up to the limit. What others removed or changed
// meanwhile is left to the next call.
func (e *Engine) removeMany(ctx context.Context, v Viewer, x *expunging, list []removal) error {
	for len(list) > 0 && x.count < x.limit {
		var portion []removal
		left := x.limit - x.count
		for len(list) > 0 && len(portion) < expungedTogether && left > 0 {
			r := list[0]
			list = list[1:]
			r.numbers = r.numbers[:min(len(r.numbers), left)]
			left -= max(len(r.numbers), 1)
			portion = append(portion, r)
		}
		err := e.remove(ctx, v, x, portion)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
			for _, r := range portion {
				if err = e.remove(ctx, v, x, []removal{r}); err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) {
					return err
				}
			}
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayExpunge tells whether a viewer may erase a resource that is there.
func (e *Engine) mayExpunge(v Viewer, current store.Version) error {
	if !v.mayWrite(current.Owner) {
		return fault.New(fault.Forbidden, "the resource belongs to another institution")
	}
	if current.Type == parameterType {
		return v.mayDefine()
	}
	return nil
}

// erasure is the plan of a removal.
type erasure struct {
	removal
	current   store.Version
	digests   []string // of the contents of what goes
	leftovers []leftover
}

// remove erases together. Where only deleted resources are to go, one that is not is left.
//
// Faults: NotFound, Forbidden for another institution's, Conflict for one that is not
// deleted and for a current version, Busy for one that others keep changing.
func (e *Engine) remove(ctx context.Context, v Viewer, x *expunging, list []removal) error {
	for range maxPlans {
		plans := make([]erasure, len(list))
		var names []string
		for i, r := range list {
			p, own, err := e.planErasure(ctx, v, x, r)
			for many := new(abundant); errors.As(err, &many); {
				if err := e.thin(ctx, x, many.records); err != nil {
					return err
				}
				p, own, err = e.planErasure(ctx, v, x, r)
			}
			if err != nil {
				return err
			}
			plans[i], names = p, union(names, own)
		}
		set := e.parameters.Load()
		var done expunging
		err := e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			done = expunging{records: x.records}
			if err := begin(ctx, tx, store.Foresight{Names: names}); err != nil {
				return err
			}
			for i := range plans {
				now, err := tx.Read(ctx, plans[i].key)
				if err != nil {
					return err
				}
				if now.Number != plans[i].current.Number {
					return &stale{}
				}
			}
			for i := range plans {
				if err := e.eraseWithin(ctx, tx, &plans[i], &done, set); err != nil {
					return err
				}
			}
			for i := range plans {
				if err := release(ctx, tx, plans[i].leftovers, &done); err != nil {
					return err
				}
			}
			return nil
		})
		err = e.rested(ctx, err)
		var again *stale
		if errors.As(err, &again) {
			continue
		}
		if fault.Is(err, fault.NotFound) {
			return notFound()
		}
		if err != nil {
			return fmt.Errorf("expunge: %w", err)
		}
		x.add(&done)
		for _, p := range plans {
			if p.key.Type == parameterType {
				_ = e.LoadParameters(ctx) // else it is found out a little later
			}
			if e.Config.Expunged != nil {
				e.Config.Expunged(ctx, p.key, v.Client)
			}
		}
		return nil
	}
	return fault.New(fault.Busy, "others keep changing the same resources, try again")
}

// planErasure finds out what a removal takes with it, and what it locks.
func (e *Engine) planErasure(ctx context.Context, v Viewer, x *expunging, r removal) (p erasure, names []string, err error) {
	current, err := e.current(ctx, v, r.key)
	if err != nil {
		return p, nil, err
	}
	if err := e.mayExpunge(v, current); err != nil {
		return p, nil, err
	}
	switch {
	case r.numbers == nil && x.deleted && !current.Deleted:
		return p, nil, fault.New(fault.Conflict, "the resource is not deleted")
	case slices.Contains(r.numbers, current.Number):
		return p, nil, fault.New(fault.Conflict, "the current version of a resource goes with the resource only")
	}
	p = erasure{removal: r, current: current}
	list, err := e.historyOf(ctx, r.key)
	if err != nil {
		return p, nil, err
	}
	var gone, stays []store.Version
	for _, old := range list {
		if r.numbers == nil || slices.Contains(r.numbers, old.Number) {
			gone = append(gone, old)
		} else {
			stays = append(stays, old)
		}
	}
	if len(gone) == 0 {
		return p, nil, notFound()
	}
	for _, old := range gone {
		if d := old.Blob.Digest; d != "" && !slices.Contains(p.digests, d) {
			p.digests = append(p.digests, d)
		}
	}
	if r.numbers == nil {
		if names, err = e.lockNamesOf(ctx, current); err != nil {
			return p, nil, err
		}
	}
	if p.leftovers, err = e.leftoversOf(ctx, current, gone, stays); err != nil {
		return p, nil, err
	}
	for _, l := range p.leftovers {
		names = append(names, l.lock())
	}
	return p, names, nil
}

func (e *Engine) eraseWithin(ctx context.Context, tx store.Tx, p *erasure, done *expunging, set *parameterSet) error {
	if p.numbers != nil {
		n, err := tx.ExpungeVersions(ctx, p.key, p.numbers)
		if err != nil {
			return err
		}
		done.count += n
	} else {
		if err := tx.Expunge(ctx, p.key); err != nil {
			return err
		}
		done.count++
		switch p.key.Type {
		case "Patient":
			if err := tx.ForgetPatient(ctx, p.key.ID); err != nil {
				return err
			}
		case parameterType:
			if err := e.setParameters(ctx, tx, set, func(records map[string]parameterRecord) { delete(records, p.key.ID) }); err != nil {
				return err
			}
		}
	}
	for _, digest := range p.digests {
		if _, err := tx.Discard(ctx, digest); err != nil {
			return err
		}
	}
	return nil
}

// add takes over what one transaction did.
func (x *expunging) add(done *expunging) {
	x.count += done.count
	x.erased += done.erased
	for _, id := range done.kept {
		if len(x.kept) < maxKept && !slices.Contains(x.kept, id) {
			x.kept = append(x.kept, id)
		}
	}
}

// historyOf returns all versions of a resource, newest first.
func (e *Engine) historyOf(ctx context.Context, k store.Key) (all []store.Version, err error) {
	for before := int64(0); ; {
		list, err := e.Store.History(ctx, k, before, e.Limit.MaxPage)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		for i := range list {
			list[i].Body = nil // not needed, and many
			before = list[i].Number
		}
		all = append(all, list...)
		if len(list) < e.Limit.MaxPage {
			return all, nil
		}
	}
}

// lockNamesOf lists what writes of a resource lock.
func (e *Engine) lockNamesOf(ctx context.Context, v store.Version) ([]string, error) {
	if v.Deleted {
		return nil, nil
	}
	tree, err := parseStored(v.Body)
	if err != nil {
		return nil, fmt.Errorf("read stored %s: %w", v.Type, err)
	}
	names := e.Index.IdentifierLocks(tree)
	if v.Type == "Patient" {
		names = append(names, e.Identity.Read(tree, v.Owner).LockNames()...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
