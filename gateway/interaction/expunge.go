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

// $expunge erases resources for good, where the law asks for it: all versions, what they
// are found by, what identity knows of a Patient, and contents that nothing else names.
// The bytes of records, as institutions sent them, belong to the inbox and stay.

// DefaultExpunged is how many resources one $expunge may remove.
const DefaultExpunged = 1000

// expunge erases one resource; or deleted ones of a type, as many as may go at once.
func (e *Engine) expunge(ctx context.Context, v Viewer, c *Call) (Result, error) {
	p, err := c.parameters(nil)
	if err != nil {
		return Result{}, err
	}
	if err := p.only("limit", "expungeDeletedResources"); err != nil {
		return Result{}, err
	}
	deleted := p.text("expungeDeletedResources") == "true"
	limit := e.Limit.Expunged
	if p.get("limit") != nil {
		if limit, err = strconv.Atoi(p.text("limit")); err != nil || limit < 1 || limit > e.Limit.Expunged {
			return Result{}, invalid("parameter-invalid", "", "limit is a number from 1 to "+strconv.Itoa(e.Limit.Expunged))
		}
	}
	keys := []store.Key{c.Key}
	if c.Key.ID == "" {
		if !deleted {
			return Result{}, invalid("parameter-missing", "", "of a type, only deleted resources are expunged: expungeDeletedResources must be true")
		}
		if keys, err = e.deletedOf(ctx, v, c.Key.Type, limit); err != nil {
			return Result{}, err
		}
	}
	for _, k := range keys {
		if err := e.erase(ctx, v, k, deleted); err != nil {
			return Result{}, err
		}
	}
	count := fhir.NewObject().SetString("name", "count").Set("valueInteger", fhir.NewNumber(strconv.Itoa(len(keys))))
	return Result{Resource: fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", fhir.NewArray(count))}, nil
}

// deletedOf returns deleted resources of a type that the viewer may write.
func (e *Engine) deletedOf(ctx context.Context, v Viewer, typ string, limit int) (keys []store.Key, err error) {
	seen := map[store.Key]bool{}
	q := store.HistoryQuery{Type: typ, Allowed: v.allowed(), Limit: e.Limit.MaxPage}
	for {
		page, err := e.Store.Versions(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("look for deleted resources: %w", err)
		}
		for _, row := range page.Rows { // the newest of each comes first
			q.Before = row.Change
			if !seen[row.Key] && row.Deleted && v.mayWrite(row.Owner) {
				keys = append(keys, row.Key)
			}
			seen[row.Key] = true
			if len(keys) == limit {
				return keys, nil
			}
		}
		if !page.More {
			return keys, nil
		}
	}
}

// erase removes one resource. Where only deleted ones are to go, one that is not is left.
//
// Faults: NotFound, Forbidden for another institution's, Conflict for one that is not
// deleted, Busy for one that others keep changing.
func (e *Engine) erase(ctx context.Context, v Viewer, k store.Key, deleted bool) error {
	for range maxPlans {
		current, err := e.current(ctx, v, k)
		switch {
		case err != nil:
			return err
		case !v.mayWrite(current.Owner):
			return fault.New(fault.Forbidden, "the resource belongs to another institution")
		case deleted && !current.Deleted:
			return fault.New(fault.Conflict, "the resource is not deleted")
		}
		if k.Type == parameterType {
			if err := v.mayDefine(); err != nil {
				return err
			}
		}
		names, err := e.lockNamesOf(ctx, current)
		if err != nil {
			return err
		}
		digests, err := e.contentsOf(ctx, k)
		if err != nil {
			return err
		}
		set := e.parameters.Load()
		err = e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			if err := begin(ctx, tx, store.Foresight{Names: names}); err != nil {
				return err
			}
			now, err := tx.Read(ctx, k)
			if err != nil {
				return err
			}
			if now.Number != current.Number {
				return &stale{}
			}
			return e.eraseWithin(ctx, tx, k, digests, set)
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
		if k.Type == parameterType {
			_ = e.LoadParameters(ctx) // else it is found out a little later
		}
		if e.Config.Expunged != nil {
			e.Config.Expunged(ctx, k, v.Client)
		}
		return nil
	}
	return fault.New(fault.Busy, "others keep changing the same resources, try again")
}

func (e *Engine) eraseWithin(ctx context.Context, tx store.Tx, k store.Key, digests []string, set *parameterSet) error {
	if err := tx.Expunge(ctx, k); err != nil {
		return err
	}
	switch k.Type {
	case "Patient":
		if err := tx.ForgetPatient(ctx, k.ID); err != nil {
			return err
		}
	case parameterType:
		if err := e.setParameters(ctx, tx, set, func(records map[string]parameterRecord) { delete(records, k.ID) }); err != nil {
			return err
		}
	}
	for _, digest := range digests {
		if _, err := tx.Discard(ctx, digest); err != nil {
			return err
		}
	}
	return nil
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
		names = append(names, e.Identity.LockNames(tree, v.Owner)...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// contentsOf returns the digests of the contents of all versions of a resource.
func (e *Engine) contentsOf(ctx context.Context, k store.Key) (digests []string, err error) {
	for before := int64(0); ; {
		list, err := e.Store.History(ctx, k, before, e.Limit.MaxPage)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		for _, v := range list {
			before = v.Number
			if d := v.Blob.Digest; d != "" && !slices.Contains(digests, d) {
				digests = append(digests, d)
			}
		}
		if len(list) < e.Limit.MaxPage {
			return digests, nil
		}
	}
}
