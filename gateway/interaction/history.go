package interaction

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Past is one page of a history, newest first. Deletions are among the versions,
// Binaries as in a search.
type Past struct {
	Turn
	Versions []store.Version
	Self     []search.Pair // the parameters as they were understood
}

// History answers the history of a resource, of a type (k.ID is empty) or of the
// system (k.Type is empty too). Parameters: _since, _at, _count, and _sort for the
// order that a history has anyway.
//
// A client that asks again with _since set to the newest lastUpdated it saw misses
// nothing.
//
// Faults: NotFound for what is absent or not the viewer's to see, *Refused for
// parameters, TooCostly for what would run too long.
func (e *Engine) History(ctx context.Context, v Viewer, k store.Key, pairs []search.Pair) (*Past, error) {
	past, q, err := e.historyQuery(v, k, pairs)
	if err != nil {
		return nil, err
	}
	if k.ID != "" {
		if _, err := e.current(ctx, v, k); err != nil {
			return nil, err
		}
	}
	page := e.versionsOf
	if k.ID == "" {
		page = e.versions
	}
	var last int64
	past.Versions, last, err = page(ctx, v, k, q)
	if err != nil {
		return nil, err
	}
	past.Turn = q.turn(e, v, last)
	return past, e.attach(ctx, past.Versions)
}

// historyCursor is where a page of a history begins: below a version number, or a
// place in the order of commits. The zero one is of the first page.
type historyCursor struct {
	Before int64   `json:"b"`
	Number int     `json:"n"`           // how many pages come before
	Back   []int64 `json:"l,omitempty"` // where the last of those begin, but for the first
}

// turn tells what stands around a page, at the end of which there is more below last; 0
// for nothing.
func (q *historyQuery) turn(e *Engine, v Viewer, last int64) Turn {
	c, t := q.place, Turn{Page: q.page, Number: q.place.Number}
	if n := len(c.Back); n > 0 {
		t.Previous = e.seal(v, q.hash, historyCursor{Before: c.Back[n-1], Number: c.Number - 1, Back: c.Back[:n-1]})
	}
	if last > 0 {
		next := historyCursor{Before: last, Number: c.Number + 1}
		if c.Number > 0 {
			next.Back = append(slices.Clone(c.Back[max(0, len(c.Back)-maxBack+1):]), c.Before)
		}
		t.Next = e.seal(v, q.hash, next)
	}
	return t
}

// historyQuery is what a history is asked for.
type historyQuery struct {
	since    time.Time
	from, to time.Time // _at; zero: not given
	limit    int
	place    historyCursor
	page     string // the cursor as it was given
	hash     string
}

func (e *Engine) historyQuery(v Viewer, k store.Key, pairs []search.Pair) (*Past, *historyQuery, error) {
	past, q := &Past{}, &historyQuery{limit: e.Limit.History}
	seen := map[string]bool{}
	for _, p := range pairs {
		if seen[p.Name] {
			return nil, nil, invalid("search-parameter-repeated", "", "parameter "+strconv.Quote(p.Name)+": it may be given once")
		}
		seen[p.Name] = true
		switch p.Name {
		case "_since":
			low, _, ok := e.interval(p.Value)
			if !ok {
				return nil, nil, invalid("since-invalid", "", "_since is not an instant")
			}
			q.since = low
		case "_at":
			low, high, ok := e.interval(p.Value)
			if !ok {
				return nil, nil, invalid("at-invalid", "", "_at is not a date or time")
			}
			q.from, q.to = low, high
		case "_count":
			n, err := strconv.Atoi(p.Value)
			if err != nil || n < 1 {
				return nil, nil, invalid("count-invalid", "", "_count is not a positive number")
			}
			q.limit = min(n, e.Limit.MaxPage)
			p.Value = strconv.Itoa(q.limit)
		case "_sort":
			if p.Value != "-_lastUpdated" {
				return nil, nil, invalid("sort-unsupported", "", "a history is sorted by -_lastUpdated alone")
			}
		case CursorParam:
			q.page = p.Value
			continue
		case "_format", "_pretty", "_summary", "_elements":
		default:
			return nil, nil, invalid("parameter-unknown", "", "a history has the parameters _since, _at, _count and _sort")
		}
		past.Self = append(past.Self, p)
	}
	q.hash = strings.Join([]string{"history", k.String(), q.since.String(), q.from.String(), q.to.String()}, "\x00")
	if q.page != "" {
		if err := e.unseal(v, q.hash, q.page, &q.place); err != nil {
			return nil, nil, err
		}
	}
	return past, q, nil
}

// interval reads a date or time of any precision: from low until before high.
func (e *Engine) interval(text string) (low, high time.Time, ok bool) {
	request, issues := e.Index.Parse("", []search.Pair{{Name: "_lastUpdated", Value: text}}, search.ParseOptions{})
	if fhir.HasErrors(issues) || len(request.Query.Where) != 1 || len(request.Query.Where[0].Any) != 1 {
		return low, high, false
	}
	d, is := request.Query.Where[0].Any[0].(search.DateMatch)
	if !is || d.Compare != search.EQ || text[0] < '0' || text[0] > '9' {
		return low, high, false
	}
	return time.UnixMicro(d.Low).UTC(), time.UnixMicro(d.High).UTC(), true
}

// takes tells whether a version belongs to the answer; next is when it was replaced,
// zero if it was not.
func (q *historyQuery) takes(v store.Version, next time.Time) bool {
	if v.Updated.Before(q.since) {
		return false
	}
	if q.to.IsZero() {
		return true
	}
	if !v.Updated.Before(q.to) {
		return false
	}
	return !v.Updated.Before(q.from) || !v.Deleted && (next.IsZero() || next.After(q.from))
}

// versionsOf returns a page of the versions of one resource, and the number below
// which the next begins, 0 for none.
func (e *Engine) versionsOf(ctx context.Context, v Viewer, k store.Key, q *historyQuery) (list []store.Version, last int64, err error) {
	before, allowed := q.place.Before, v.allowed()
	var replaced time.Time
	if before > 0 && !q.to.IsZero() {
		if replaced, err = e.replacedAt(ctx, k, before-1); err != nil {
			return nil, 0, err
		}
	}
	for {
		got, err := e.Store.History(ctx, k, before, q.limit+1)
		if err != nil {
			return nil, 0, err
		}
		for _, version := range got {
			if q.takes(version, replaced) && permits(allowed, version) {
				if len(list) == q.limit {
					return list, list[len(list)-1].Number, nil
				}
				list = append(list, version)
			}
			replaced, before = version.Updated, version.Number
			if version.Updated.Before(q.since) || !q.from.IsZero() && version.Updated.Before(q.from) {
				return list, 0, nil // what is older was replaced before
			}
		}
		if len(got) <= q.limit {
			return list, 0, nil
		}
	}
}

// replacedAt returns when the version of a number was replaced, zero if it is the
// newest.
func (e *Engine) replacedAt(ctx context.Context, k store.Key, number int64) (time.Time, error) {
	next, err := e.Store.ReadVersion(ctx, k, number+1)
	if fault.Is(err, fault.NotFound) {
		return time.Time{}, nil
	}
	return next.Updated, err
}

// maxHistoryPages bounds how many pages of versions are looked at for one page of an
// answer to _at; what comes then is shorter than asked for, with a link to more. There
// is nothing to choose: another number divides the same work among other pages.
const maxHistoryPages = 10

// versions returns a page of the history of a type or of the system, and the place
// in the order of commits below which the next begins, 0 for none.
func (e *Engine) versions(ctx context.Context, v Viewer, k store.Key, q *historyQuery) (list []store.Version, last int64, err error) {
	before := q.place.Before
	for range maxHistoryPages {
		page, err := e.Store.Versions(ctx, store.HistoryQuery{
			Type: k.Type, Since: q.since, Until: q.to, Before: before, Allowed: v.allowed(), Limit: q.limit,
		})
		if err != nil {
			return nil, 0, err
		}
		for i, version := range page.Rows {
			before = version.Change
			if !q.from.IsZero() && version.Updated.Before(q.from) {
				replaced, err := e.replacedAt(ctx, version.Key, version.Number)
				if err != nil {
					return nil, 0, err
				}
				if !q.takes(version, replaced) {
					continue
				}
			}
			if list = append(list, version); len(list) == q.limit && (page.More || i < len(page.Rows)-1) {
				return list, before, nil
			}
		}
		if !page.More {
			return list, 0, nil
		}
	}
	return list, before, nil
}
