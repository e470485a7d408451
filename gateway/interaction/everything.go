package interaction

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Everything answers Patient/[id]/$everything: the Patient, or the person and all
// its Patients, what belongs to them, and what that refers to. Parameters: _since,
// _type, _count.
func (e *Engine) Everything(ctx context.Context, v Viewer, id string, pairs []search.Pair) (*Found, error) {
	subject, err := e.Read(ctx, v, store.Key{Type: "Patient", ID: id})
	if err != nil {
		return nil, err
	}
	q := store.CompartmentQuery{Patients: []string{id}, Allowed: v.allowed(), Count: e.Limit.Page}
	if subject.Number == 0 {
		if q.Patients, err = e.linked(ctx, id); err != nil {
			return nil, err
		}
	}
	if err := e.everythingParams(&q, pairs); err != nil {
		return nil, err
	}
	hash := "everything/" + id + "/" + q.Since.String() + "/" + strings.Join(q.Types, ",")
	from, err := e.cursorOf(v, pairs, hash)
	if err != nil {
		return nil, err
	}
	q.After, q.AsOf = from.position(), from.AsOf
	page, err := e.Store.Compartment(ctx, q)
	if err != nil {
		return nil, err
	}
	found := &Found{Total: -1, Next: e.cursorFor(v, hash, page, -1)}
	for _, p := range pairs {
		if p.Name != CursorParam {
			found.Self = append(found.Self, p)
		}
	}
	if subject.Number == 0 && !from.continues() {
		found.Matches = append(found.Matches, subject)
	}
	found.Matches = append(found.Matches, page.Rows...)
	if len(q.Types) == 0 {
		if err := e.supporting(ctx, v, found); err != nil {
			return nil, err
		}
	}
	return found, e.attach(ctx, found.Matches, found.Included)
}

// supporting includes what the resources of a page refer to outside of any
// patient's record: organizations, practitioners, places.
func (e *Engine) supporting(ctx context.Context, v Viewer, found *Found) error {
	x := &inclusion{engine: e, viewer: v, found: found, seen: map[store.Key]bool{}}
	for _, m := range found.Matches {
		x.seen[m.Key] = true
	}
	for _, m := range found.Matches {
		tree, err := parseStored(m.Body)
		if err != nil {
			return err
		}
		values, _ := e.Index.Values(tree)
		for _, r := range values.References {
			if r.ID == "" || len(e.Definitions.Compartment("Patient").Parameters(r.Type)) > 0 || r.Type == "Patient" {
				continue
			}
			if err := x.read(ctx, store.Key{Type: r.Type, ID: r.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) everythingParams(q *store.CompartmentQuery, pairs []search.Pair) error {
	for _, p := range pairs {
		switch p.Name {
		case "_since":
			since, err := time.Parse(time.RFC3339Nano, p.Value)
			if err != nil {
				return invalid("since-invalid", "", "_since is not an instant")
			}
			q.Since = since
		case "_type":
			for _, t := range strings.Split(p.Value, ",") {
				if !e.Definitions.IsResource(t) {
					return invalid("type-unknown", "", "_type names something that is no resource type")
				}
				q.Types = append(q.Types, t)
			}
		case "_count":
			n, err := strconv.Atoi(p.Value)
			if err != nil || n < 1 {
				return invalid("count-invalid", "", "_count is not a positive number")
			}
			q.Count = min(n, e.Limit.MaxPage)
		case CursorParam, "_format", "_pretty":
		default:
			return invalid("parameter-unknown", "", "$everything has the parameters _since, _type and _count")
		}
	}
	return nil
}
