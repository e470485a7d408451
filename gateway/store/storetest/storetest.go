package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Store is all that an adapter fulfils.
type Store interface {
	store.Reader
	store.Writer
	store.IdentityReader
	store.Inbox
	store.Secrets
	store.Folders
	store.States
	store.Erasures
	store.Leftovers
	store.Labels
}

type group struct {
	name  string
	tests []test
}

// Run tests an adapter. open returns a new and empty store and closes it with the
// test.
func Run(t *testing.T, open func(t testing.TB) Store) {
	RunSearch(t, open)
	run(t, open, group{"resource", resourceTests}, group{"transaction", transactionTests}, group{"foresight", foresightTests()}, group{"pending", pendingTests}, group{"history", historyTests}, group{"order", orderTests},
		group{"blob", blobTests},
		group{"inbox", inboxTests}, group{"lane", laneTests}, group{"delivery", deliveryTests}, group{"person", personTests},
		group{"folder", folderTests}, group{"state", stateTests}, group{"erasure", erasureTests}, group{"label", labelTests})
}

// RunSearch runs the part of the suite that searches, for adapters that plan
// differently by their settings.
func RunSearch(t *testing.T, open func(t testing.TB) Store) {
	run(t, open, group{"search", searchTests}, group{"combined search", combinedTests}, group{"allowed", allowedTests}, group{"paging", pagingTests},
		group{"compartment", compartmentTests})
}

func run(t *testing.T, open func(t testing.TB) Store, groups ...group) {
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, tt := range g.tests {
				t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s Store)
}

// item is a resource as tests write it.
type item struct {
	key     string // "Type/id"
	owner   string // default h1
	patient string
	source  string
	stamp   store.Stamp
	expect  int64
	deleted bool
	values  search.Values
}

func key(text string) store.Key {
	typ, id, _ := strings.Cut(text, "/")
	return store.Key{Type: typ, ID: id}
}

func (i item) put() *store.Put {
	if i.owner == "" {
		i.owner = "h1"
	}
	k := key(i.key)
	p := &store.Put{Key: k, Owner: i.owner, Patient: i.patient, Source: i.source, Stamp: i.stamp, Expect: i.expect,
		Deleted: i.deleted, Values: i.values}
	if !i.deleted {
		p.Render = func(number int64, updated time.Time) []byte {
			return fmt.Appendf(nil, `{"resourceType":%q,"id":%q,"meta":{"versionId":"%d","lastUpdated":%q}}`,
				k.Type, k.ID, number, updated.Format(time.RFC3339Nano))
		}
	}
	return p
}

// update runs fn in a transaction that must commit.
func update(t testing.TB, s Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("the transaction failed: %v", err)
	}
}

// write puts items in one transaction.
func write(t testing.TB, s Store, items ...item) []store.Version {
	t.Helper()
	var out []store.Version
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		out = out[:0]
		for _, i := range items {
			v, err := tx.Put(ctx, i.put())
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out
}

// wantFault fails the test unless err is of the kind.
func wantFault(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got error %v, want a fault of kind %s", err, kind)
	}
}

// walk reads all pages of a query and returns the ids in order.
func walk(t testing.TB, s Store, q search.Query) []string {
	t.Helper()
	list, err := pages(t.Context(), s, q)
	if err != nil {
		t.Fatalf("search failed: %v", err)
	}
	return list
}

var errEndless = errors.New("paging does not end")

func pages(ctx context.Context, s Store, q search.Query) ([]string, error) {
	if q.Count == 0 {
		q.Count = 3
	}
	out := []string{}
	for range 10_000 {
		p, err := s.Search(ctx, &q)
		if err != nil {
			return nil, err
		}
		for _, r := range p.Rows {
			out = append(out, r.ID)
		}
		if p.Next == nil {
			return out, nil
		}
		q.After, q.AsOf = p.Next, p.AsOf
	}
	return nil, errEndless
}

// find returns the ids that all clauses select, for a viewer who may see all.
func find(t testing.TB, s Store, typ string, where ...search.Clause) []string {
	t.Helper()
	return sorted(walk(t, s, search.Query{Type: typ, Where: where, Allowed: everybody}))
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

var everybody = search.Allowed{All: true}

// ids splits a list of ids for comparison with find.
func ids(text string) []string {
	list := strings.Fields(text)
	slices.Sort(list)
	if list == nil {
		list = []string{}
	}
	return list
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func clause(param string, kind search.Kind, any ...search.Operand) search.Clause {
	return search.Clause{Param: param, Kind: kind, Any: any}
}

func not(c search.Clause) search.Clause {
	c.Not = true
	return c
}

func missing(param string, kind search.Kind, absent bool) search.Clause {
	return search.Clause{Param: param, Kind: kind, Missing: &absent}
}

func ptr(s string) *string { return &s }
