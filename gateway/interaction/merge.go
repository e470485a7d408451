package interaction

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// maxMerged bounds how many types _sort may merge: a page asks each of them.
const maxMerged = 10

// mergeable refuses to sort several types by what they do not share.
func mergeable(a *asked) error {
	if len(a.types) < 2 || len(a.request.Query.Sort) == 0 {
		return nil
	}
	if len(a.types) > maxMerged {
		return &Refused{Fault: fault.New(fault.TooCostly, "too many types are sorted"), Issues: []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeTooCostly, ID: "sort-types-many",
			Text:    "parameter '_sort': at most " + strconv.Itoa(maxMerged) + " types can be sorted together; name them with _type",
			Chinese: "参数“_sort”：最多可将 " + strconv.Itoa(maxMerged) + " 种资源一起排序；请用 _type 指定",
		}}}
	}
	for _, key := range a.request.Query.Sort {
		if key.Param != "_id" && key.Param != "_lastUpdated" {
			return invalid("sort-types-several", "", "several types can be sorted by _lastUpdated and _id alone")
		}
	}
	return nil
}

// merged fills found with a page of matches of several types in one order.
func (e *Engine) merged(ctx context.Context, a *asked, from cursor, found *Found) error {
	heads := slices.Clone(from.Heads)
	if len(heads) != len(a.types) {
		heads = make([]head, len(a.types))
	}
	asOf, want := from.AsOf, a.request.Query.Count
	total, counts := 0, a.request.Query.Total != search.TotalNone && !from.continues()
	queries, pages, used := make([]*search.Query, len(a.types)), make([]store.Page, len(a.types)), make([]int, len(a.types))
	for i, typ := range a.types {
		if heads[i].Done {
			continue
		}
		q, err := e.query(ctx, a, typ)
		if err != nil {
			return err
		}
		q.AsOf, q.After = asOf, heads[i].position()
		if !counts {
			q.Total = search.TotalNone
		}
		if pages[i], err = e.Store.Search(ctx, q); err != nil {
			return err
		}
		queries[i], asOf, total = q, pages[i].AsOf, total+pages[i].Total
	}
	for len(found.Matches) < want {
		least := -1
		for i := range pages {
			if used[i] < len(pages[i].Rows) && (least < 0 || precedes(a.request.Query.Sort, pages[i].Rows[used[i]], pages[least].Rows[used[least]])) {
				least = i
			}
		}
		if least < 0 {
			break
		}
		found.Matches = append(found.Matches, pages[least].Rows[used[least]])
		used[least]++
	}
	more := false
	for i := range heads {
		switch {
		case heads[i].Done || want == 0:
		case used[i] == len(pages[i].Rows) && pages[i].Next == nil:
			heads[i] = head{Done: true}
		case used[i] == len(pages[i].Rows):
			heads[i], more = head{Keys: pages[i].Next.Keys, ID: pages[i].Next.ID}, true
		case used[i] > 0:
			q := *queries[i] // where a shorter page would end
			q.Count, q.Total, q.AsOf = used[i], search.TotalNone, asOf
			page, err := e.Store.Search(ctx, &q)
			if err != nil {
				return err
			}
			if page.Next == nil {
				return fault.New(fault.Internal, "a shorter page has no end")
			}
			heads[i] = head{Keys: page.Next.Keys, ID: page.Next.ID}
			more = true
		default:
			more = true
		}
	}
	if found.Total = from.total(); counts {
		found.Total = total
	}
	var next *place
	if more {
		next = &place{Heads: heads}
	}
	found.Turn = e.turn(a.viewer, a.hash, from, next, asOf, found.Total)
	return nil
}

// precedes tells whether a stands before b in an order that all types share.
func precedes(sort []search.Sort, a, b store.Version) bool {
	for _, key := range sort {
		order := a.Updated.Compare(b.Updated)
		if key.Param == "_id" {
			order = strings.Compare(a.ID, b.ID)
		}
		if key.Down {
			order = -order
		}
		if order != 0 {
			return order < 0
		}
	}
	return false
}
