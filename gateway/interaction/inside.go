package interaction

import (
	"context"
	"slices"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// What is read within a transaction – by a plan that is made there, or by the reads
// that are part of a transaction of a client – must see what the transaction wrote.
// The context says that it is within, so that reading is written once.

type withinKey struct{}

// inside is a transaction and the contents that it archived, which only it can see.
type inside struct {
	store.Tx
	archived map[string][]byte
}

// within returns a context whose reads see tx. It must not outlive the transaction.
func within(ctx context.Context, tx store.Tx) context.Context {
	return context.WithValue(ctx, withinKey{}, &inside{tx, map[string][]byte{}})
}

func transactionOf(ctx context.Context) *inside {
	in, _ := ctx.Value(withinKey{}).(*inside)
	return in
}

// sighted is a store that sees the transaction which its caller is within.
type sighted struct{ Store }

func (s sighted) Read(ctx context.Context, k store.Key) (store.Version, error) {
	if tx := transactionOf(ctx); tx != nil {
		return tx.Read(ctx, k)
	}
	return s.Store.Read(ctx, k)
}

func (s sighted) Search(ctx context.Context, q *search.Query) (store.Page, error) {
	if tx := transactionOf(ctx); tx != nil {
		return tx.Search(ctx, q)
	}
	return s.Store.Search(ctx, q)
}

func (s sighted) ReadVersion(ctx context.Context, k store.Key, number int64) (store.Version, error) {
	if tx := transactionOf(ctx); tx != nil {
		if current, err := tx.Read(ctx, k); err != nil || current.Number == number {
			return current, err
		}
	}
	return s.Store.ReadVersion(ctx, k, number)
}

func (s sighted) History(ctx context.Context, k store.Key, before int64, limit int) ([]store.Version, error) {
	list, err := s.Store.History(ctx, k, before, limit)
	tx := transactionOf(ctx)
	if tx == nil || err != nil && !fault.Is(err, fault.NotFound) {
		return list, err
	}
	current, err := tx.Read(ctx, k)
	if err != nil || before > 0 && current.Number >= before {
		return list, err
	}
	if len(list) == 0 || list[0].Number < current.Number { // a transaction writes one version of a resource
		list = slices.Insert(list, 0, current)
	}
	return list[:min(limit, len(list))], nil
}

func (s sighted) Content(ctx context.Context, digest string, offset, length int64) ([]byte, error) {
	if tx := transactionOf(ctx); tx != nil {
		if b, ok := tx.archived[digest]; ok && offset+length <= int64(len(b)) {
			return b[offset : offset+length], nil
		}
	}
	return s.Store.Content(ctx, digest, offset, length)
}

// Versions cannot be answered within a transaction: the order of what it wrote is
// not decided yet.
func (s sighted) Versions(ctx context.Context, q store.HistoryQuery) (store.HistoryPage, error) {
	if transactionOf(ctx) != nil {
		return store.HistoryPage{}, fault.New(fault.Unsupported, "the history of a type or of the system cannot be read within a transaction")
	}
	return s.Store.Versions(ctx, q)
}
