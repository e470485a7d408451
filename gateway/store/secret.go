package store

import "context"

// Secrets keeps random keys that all processes of a gateway share and that must
// never change, such as the salt of an institution's ids.
type Secrets interface {
	// Secret returns the 32 bytes of that name, made when it is first asked for.
	Secret(ctx context.Context, name string) ([]byte, error)
}

// SecretLineage names the secret that tells a store from all others, and from what it
// was before it was restored from a backup: restoring forgets it.
const SecretLineage = "lineage"
