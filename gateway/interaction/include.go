package interaction

import (
	"context"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// maxIterations bounds how often :iterate follows what was included.
const maxIterations = 5

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
	for round := range maxIterations {
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
	for _, v := range from {
		if i.Source != "" && v.Type != i.Source {
			continue
		}
		tree, err := parseStored(v.Body)
		if err != nil {
			return err
		}
		values, _ := x.engine.Index.Values(tree)
		for _, r := range values.References {
			if r.ID == "" || i.Param != "" && r.Param != i.Param || i.Target != "" && r.Type != i.Target {
				continue
			}
			if err := x.read(ctx, store.Key{Type: r.Type, ID: r.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *inclusion) read(ctx context.Context, k store.Key) error {
	if x.seen[k] || x.cut {
		return nil
	}
	got, err := x.engine.Store.Read(ctx, k)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !got.Deleted && permits(x.viewer.allowed(), got) {
		x.add(got)
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
