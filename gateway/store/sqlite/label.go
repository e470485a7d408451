package sqlite

import (
	"context"

	"github.com/yilian/yilian/gateway/store"
)

var _ store.Labels = (*Store)(nil)

// Labels returns the labels that names were given for, see store.Labels.
func (s *Store) Labels(ctx context.Context, typ string, limit int) (list []store.Label, err error) {
	low, high := store.LabelNames(typ)
	err = s.reading(ctx, func(v view) error {
		return v.c.query(ctx, "SELECT text FROM name WHERE text >= ? AND text < ? ORDER BY text"+limited(int64(limit)), []any{low, high}, func(row row) error {
			if l, ok := store.ParseLabel(row.text(0)); ok {
				list = append(list, l)
			}
			return ctx.Err()
		})
	})
	return list, err
}
