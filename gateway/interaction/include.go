package interaction

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// includedCut warns that not all of what a page refers to is in it.
var includedCut = fhir.Issue{
	Severity: fhir.Warning, Code: fhir.TypeTooCostly, ID: "included-cut",
	Text:    "more resources are included than a page may hold; ask for smaller pages",
	Chinese: "所包含的资源超过一页的上限；请减小每页数量",
}

// inclusion collects what _include and _revinclude add to a page.
type inclusion struct {
	engine *Engine
	viewer Viewer
	found  *Found
	seen   map[store.Key]bool
	cut    bool
}

// include adds what the request asks for besides the matches, in the viewer's
// sight and up to a limit.
func (e *Engine) include(ctx context.Context, v Viewer, r *search.Request, found *Found) error {
	if len(r.Include) == 0 && len(r.RevInclude) == 0 {
		return nil
	}
	x := &inclusion{engine: e, viewer: v, found: found, seen: map[store.Key]bool{}}
	for _, m := range found.Matches {
		x.seen[m.Key] = true
	}
	fresh := found.Matches
	for round := range e.Limit.Iterations {
		before := len(found.Included)
		for _, i := range r.Include {
			if round == 0 || i.Iterate {
				if err := x.forward(ctx, i, fresh); err != nil {
					return err
				}
			}
		}
		for _, i := range r.RevInclude {
			if round == 0 || i.Iterate {
				if err := x.backward(ctx, i, fresh); err != nil {
					return err
				}
			}
		}
		if fresh = found.Included[before:]; len(fresh) == 0 || x.cut {
			break
		}
	}
	if x.cut {
		found.Issues = append(found.Issues, includedCut)
	}
	return nil
}

// forward adds what the resources refer to.
func (x *inclusion) forward(ctx context.Context, i search.Include, from []store.Version) error {
	var keys []store.Key
	for _, v := range from {
		if i.Source != "" && v.Type != i.Source {
			continue
		}
		tree, err := parseStored(v.Body)
		if err != nil {
			return err
		}
		for _, r := range x.engine.Index.References(tree, i.Param) {
			if r.ID == "" || i.Target != "" && r.Type != i.Target {
				continue
			}
			keys = append(keys, store.Key{Type: r.Type, ID: r.ID})
		}
	}
	return x.readAll(ctx, keys)
}

// readTogether is how many resources are asked for at a time, so that a store behind a
// network answers them together.
const readTogether = 64

// readAll adds resources in the order of keys.
func (x *inclusion) readAll(ctx context.Context, keys []store.Key) error {
	asked := map[store.Key]bool{}
	keys = slices.DeleteFunc(keys, func(k store.Key) bool {
		again := x.seen[k] || asked[k]
		asked[k] = true
		return again
	})
	for len(keys) > 0 && !x.cut {
		n := min(len(keys), readTogether)
		if err := x.read(ctx, keys[:n]); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

func (x *inclusion) read(ctx context.Context, keys []store.Key) error {
	list := make([]store.Version, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	if transactionOf(ctx) != nil {
		g.SetLimit(1) // a transaction is used by one goroutine
	}
	for i, k := range keys {
		g.Go(func() (err error) {
			if list[i], err = x.engine.Store.Read(ctx, k); fault.Is(err, fault.NotFound) {
				err = nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, v := range list {
		if v.Number != 0 && !v.Deleted && permits(x.viewer.allowed(), v) {
			x.add(v)
		}
	}
	return nil
}

func (x *inclusion) add(v store.Version) {
	if x.seen[v.Key] {
		return
	}
	if len(x.found.Included) >= x.engine.Limit.Included {
		x.cut = true
		return
	}
	x.seen[v.Key] = true
	x.found.Included = append(x.found.Included, v)
}

// backward adds what refers to the resources. A person is referred to through
// its Patients.
func (x *inclusion) backward(ctx context.Context, i search.Include, to []store.Version) error {
	var operands []search.Operand
	for _, v := range to {
		if i.Target != "" && v.Type != i.Target {
			continue
		}
		operands = append(operands, search.ReferenceMatch{Type: v.Type, ID: v.ID})
		if v.Number != 0 || v.Type != "Patient" {
			continue
		}
		ids, err := x.engine.linked(ctx, v.ID)
		if err != nil {
			return err
		}
		for _, id := range ids {
			operands = append(operands, search.ReferenceMatch{Type: "Patient", ID: id})
		}
	}
	if len(operands) == 0 || i.Source == "" || i.Param == "" {
		return nil
	}
	q := &search.Query{
		Type:    i.Source,
		Where:   []search.Clause{{Param: i.Param, Kind: search.KindReference, Any: operands}},
		Allowed: x.viewer.allowed(),
		Count:   min(x.engine.Limit.Included, x.engine.Limit.MaxPage),
	}
	for {
		page, err := x.engine.Store.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, v := range page.Rows {
			x.add(v)
		}
		if page.Next == nil || x.cut {
			return nil
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
}
