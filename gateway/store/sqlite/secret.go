package sqlite

import (
	"context"
	"crypto/rand"

	"github.com/yilian/yilian/gateway/store"
)

var _ store.Secrets = (*Store)(nil)

const (
	secretSQL    = "SELECT bytes FROM secret WHERE name = ?"
	newSecretSQL = "INSERT INTO secret (name, bytes) VALUES (?, ?)"
)

// Secret returns the secret of that name, making it if it is new.
func (s *Store) Secret(ctx context.Context, name string) (secret []byte, err error) {
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		secret = nil
		if err := t.ready(ctx); err != nil {
			return err
		}
		err := t.c.query(context.Background(), secretSQL, []any{name}, func(row row) error {
			secret = append([]byte(nil), row.bytes(0)...)
			return nil
		})
		if err != nil || secret != nil {
			return err
		}
		secret = make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		_, err = t.c.exec(newSecretSQL, name, secret)
		return t.breaks(err)
	})
	return secret, err
}
