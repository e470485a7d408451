package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

var _ store.Labels = (*Store)(nil)

// Labels returns the labels that names were given for, see store.Labels. No index has
// names in order: the table is read once.
func (s *Store) Labels(ctx context.Context, typ string, limit int) (list []store.Label, err error) {
	low, high := store.LabelNames(typ)
	err = s.reading(ctx, func(v view) error {
		list = nil
		return v.q.query(ctx, ask(fragment{"SELECT text FROM name WHERE text >= ? AND text < ? ORDER BY text" + limited(limit),
			[]any{[]byte(low), []byte(high)}}, func(rows pgx.Rows) error {
			var text []byte
			err := rows.Scan(&text)
			if l, ok := store.ParseLabel(string(text)); ok {
				list = append(list, l)
			}
			return err
		}))
	})
	return list, err
}
