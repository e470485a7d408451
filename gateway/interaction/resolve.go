package interaction

import (
	"context"
	"fmt"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// References that come ahead of their target stay logical: a type and an
// identifier. When the target is there a literal reference is set beside them,
// by whichever of the two is written later.

// resolve sets the targets of a draft's logical references that exist, and
// returns those that do not. known holds the ids of resources that are written in
// the same transaction, by what would be waited for.
func (e *Engine) resolve(ctx context.Context, d *draft, known map[store.Pending]string) ([]store.Pending, error) {
	var pending []store.Pending
	resolved, err := mapReferences(d.stamped, func(ref *fhir.Node) (*fhir.Node, error) {
		id := ref.Get("identifier")
		want := store.Pending{
			Type:       ref.Get("type").Text(),
			Identifier: e.identifier(id),
		}
		if want.Identifier.System == "" || want.Identifier.Value == "" || !e.Definitions.IsResource(want.Type) {
			return ref, nil
		}
		if literal := ref.Get("reference"); literal != nil {
			// A literal reference beside an identifier is a guess of where the target
			// will stand, to be kept only if it stands there.
			ok, err := e.stands(ctx, literal.Text(), want, known)
			if ok || err != nil {
				return ref, err
			}
		}
		target, err := e.target(ctx, want, known)
		if err != nil {
			return ref, err
		}
		if target == "" {
			want.From = d.key
			if !slices.Contains(pending, want) {
				pending = append(pending, want)
			}
			if ref.Get("reference") == nil {
				return ref, nil
			}
		}
		ref = ref.Shallow()
		ref.Remove("reference")
		if target == "" {
			return ref, nil
		}
		ref.Prepend("reference", fhir.NewString(want.Type+"/"+target))
		return ref, nil
	})
	if err != nil {
		return nil, err
	}
	d.stamped = resolved
	return pending, nil
}

// identifier reads a business identifier as it is indexed: under its canonical
// system.
func (e *Engine) identifier(n *fhir.Node) store.Identifier {
	return store.Identifier{System: e.Index.System(n.Get("system").Text()), Value: n.Get("value").Text()}
}

// stands reports whether a literal reference points at something that is there.
func (e *Engine) stands(ctx context.Context, literal string, want store.Pending, known map[store.Pending]string) (bool, error) {
	id, ok := cutPrefix(literal, want.Type+"/")
	if !ok {
		return true, nil // elsewhere: not ours to judge
	}
	for k, v := range known {
		if k.Type == want.Type && v == id {
			return true, nil
		}
	}
	got, err := e.Store.Read(ctx, store.Key{Type: want.Type, ID: id})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the target of a reference: %w", err)
	}
	if !got.Deleted && known != nil {
		known[want] = id
	}
	return !got.Deleted, nil
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return "", false
}

// target returns the id of the one resource that a logical reference means, ""
// when there is none or more than one.
func (e *Engine) target(ctx context.Context, want store.Pending, known map[store.Pending]string) (string, error) {
	if id, ok := known[want]; ok {
		return id, nil
	}
	page, err := e.Store.Search(ctx, byIdentifier(want))
	if err != nil {
		return "", fmt.Errorf("look for the target of a reference: %w", err)
	}
	if len(page.Rows) != 1 {
		return "", nil
	}
	if known != nil {
		known[want] = page.Rows[0].ID
	}
	return page.Rows[0].ID, nil
}

func byIdentifier(want store.Pending) *search.Query {
	return &search.Query{
		Type: want.Type,
		Where: []search.Clause{{Param: "identifier", Kind: search.KindToken, Any: []search.Operand{
			search.TokenMatch{System: &want.Identifier.System, Code: want.Identifier.Value},
		}}},
		Allowed: search.Allowed{All: true},
		Count:   2,
	}
}

// unchangedSince checks inside the transaction that what drafts wait for is still
// not there, and that nobody has begun to wait for what they bring.
func (e *Engine) unchangedSince(ctx context.Context, tx store.Tx, drafts []*draft) error {
	planned := map[store.Key]bool{}
	var wake []store.Key
	var types []string
	arriving := map[string][]store.Identifier{} // of each type, asked for at once
	for _, d := range drafts {
		planned[d.key] = true
	}
	for _, d := range drafts {
		for _, p := range d.pending {
			p.From = store.Key{}
			page, err := tx.Search(ctx, byIdentifier(p))
			if err != nil {
				return fmt.Errorf("look for the target of a reference: %w", err)
			}
			if len(page.Rows) == 1 {
				return &stale{}
			}
		}
		if d.deleted {
			continue
		}
		if len(arriving[d.key.Type]) == 0 {
			types = append(types, d.key.Type)
		}
		arriving[d.key.Type] = append(arriving[d.key.Type], identifiers(d.values)...)
	}
	for _, typ := range types {
		waiting, err := tx.Waiting(ctx, typ, arriving[typ])
		if err != nil {
			return fmt.Errorf("look for who waits: %w", err)
		}
		for _, w := range waiting {
			if !planned[w.From] {
				wake = append(wake, w.From)
			}
		}
	}
	if len(wake) > 0 {
		return &stale{wake: wake}
	}
	return nil
}

// mapReferences returns a tree with what fn makes of every Reference below n that has an
// identifier. It shares with n all that stays as it is, and n is not changed. Contained
// resources are part of n.
func mapReferences(n *fhir.Node, fn func(*fhir.Node) (*fhir.Node, error)) (*fhir.Node, error) {
	out := n
	for i := range n.Len() {
		k := n.At(i)
		to := k
		if k.Kind() == fhir.Object && k.Get("identifier").Kind() == fhir.Object && k.Get("type").Kind() == fhir.String {
			var err error
			if to, err = fn(k); err != nil {
				return nil, err
			}
		}
		if k.Kind() == fhir.Object || k.Kind() == fhir.Array {
			var err error
			if to, err = mapReferences(to, fn); err != nil {
				return nil, err
			}
		}
		if to != k {
			if out == n {
				out = n.Shallow()
			}
			out.SetAt(i, to)
		}
	}
	return out, nil
}
