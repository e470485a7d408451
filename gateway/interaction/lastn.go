package interaction

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// lastN carries out Observation/$lastn: of the Observations that a search finds, the
// last ones of each kind. Codes that one Observation has together are of one kind, and
// those that are equal in time to the last one that fits come too.
//
// https://hl7.org/fhir/R4/observation-operation-lastn.html
func (e *Engine) lastN(ctx context.Context, v Viewer, c *Call) (Result, error) {
	pairs, err := c.pairs()
	if err != nil {
		return Result{}, err
	}
	limit, pairs, err := lastNParameters(pairs)
	if err != nil {
		return Result{}, err
	}
	a, issues, err := e.understand(ctx, v, Scope{Type: c.Key.Type}, pairs, c.Lenient)
	if err != nil {
		return Result{}, err
	}
	q, err := e.query(ctx, a, c.Key.Type)
	if err != nil {
		return Result{}, err
	}
	q.Sort, q.Count = []search.Sort{{Param: "date", Kind: search.KindDate, Down: true}}, min(e.Limit.MaxPage, e.Limit.LastN)
	kinds := newKinds()
	for {
		page, err := e.Store.Search(ctx, q)
		if err != nil {
			return Result{}, err
		}
		for _, row := range page.Rows {
			if err := kinds.add(e, row); err != nil {
				return Result{}, err
			}
		}
		if page.Next == nil {
			break
		}
		if len(kinds.seen) >= e.Limit.LastN {
			return Result{}, fault.Newf(fault.TooCostly, "more than %d Observations fit; ask for fewer, by category or date", e.Limit.LastN)
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
	found := &Found{Matches: kinds.last(limit), Issues: issues}
	found.Total = len(found.Matches)
	found.Self = append([]search.Pair{{Name: "max", Value: strconv.Itoa(limit)}}, a.request.Self...)
	return Result{Found: found}, e.Cut(found.Matches, Subset{Summary: a.request.Summary, Elements: a.request.Elements})
}

// lastNParameters takes max out of the parameters and checks what else the operation
// demands.
func lastNParameters(pairs []search.Pair) (limit int, rest []search.Pair, err error) {
	limit = 1
	var whose, what bool
	for _, p := range pairs {
		name, _, _ := strings.Cut(p.Name, ":")
		head, _, _ := strings.Cut(name, ".")
		switch {
		case p.Name == "max":
			if limit, err = strconv.Atoi(p.Value); err != nil || limit < 1 {
				return 0, nil, invalid("max-invalid", "", "max is a positive number")
			}
			continue
		case slices.Contains([]string{"_sort", "_count", "_total", "_include", "_revinclude", CursorParam}, name), p.Name == summaryParam && p.Value == "count":
			return 0, nil, invalid("parameter-unsupported", "", "$lastn answers the matches alone, in one page and the latest first")
		case head == "patient" || head == "subject":
			whose = true
		case name == "category" || strings.Contains(name, "code") || strings.HasSuffix(name, "-concept"):
			what = true
		}
		rest = append(rest, p)
	}
	switch {
	case !whose:
		return 0, nil, invalid("parameter-missing", "", "$lastn needs patient or subject")
	case !what:
		return 0, nil, invalid("parameter-missing", "", "$lastn needs category, or a parameter of a code")
	}
	return limit, rest, nil
}

// kinds groups Observations, the latest first, by code.
type kinds struct {
	of   map[string]int // code → kind
	into []int          // kind → the kind that it turned out to be
	seen []observed
}

type observed struct {
	store.Version
	kind      int
	low, high int64 // when
}

func newKinds() *kinds { return &kinds{of: map[string]int{}} }

func (k *kinds) root(kind int) int {
	for k.into[kind] != kind {
		k.into[kind] = k.into[k.into[kind]]
		kind = k.into[kind]
	}
	return kind
}

func (k *kinds) add(e *Engine, v store.Version) error {
	tree, err := parseStored(v.Body)
	if err != nil {
		return err
	}
	var codes []string
	for _, coding := range tree.Path("code", "coding").Items() {
		if code := coding.Get("code").Text(); code != "" {
			codes = append(codes, coding.Get("system").Text()+"\x00"+code)
		}
	}
	if len(codes) == 0 {
		codes = []string{"text\x00" + tree.Path("code", "text").Text()}
	}
	kind := len(k.into)
	k.into = append(k.into, kind)
	for _, code := range codes {
		if other, ok := k.of[code]; ok {
			k.into[k.root(other)] = k.root(kind)
		}
		k.of[code] = kind
	}
	o := observed{Version: v, kind: kind, low: search.MinTime, high: search.MinTime}
	values, _ := e.Index.Values(tree)
	for _, d := range values.Dates {
		if d.Param == "date" {
			o.low, o.high = d.Low, d.High
		}
	}
	k.seen = append(k.seen, o)
	return nil
}

// last returns of each kind the first ones, and what is equal to the last of these in
// time.
func (k *kinds) last(limit int) []store.Version {
	type taken struct {
		count     int
		low, high int64
	}
	kinds := map[int]*taken{}
	var out []store.Version
	for _, o := range k.seen {
		root := k.root(o.kind)
		t := kinds[root]
		if t == nil {
			t = &taken{}
			kinds[root] = t
		}
		if t.count >= limit && (o.low != t.low || o.high != t.high || o.low == search.MinTime) {
			continue
		}
		t.count, t.low, t.high = t.count+1, o.low, o.high
		out = append(out, o.Version)
	}
	return out
}
