//go:build !unix

package sqlite

import "errors"

func mapFile(string, int64) (*mapping, error) {
	return nil, errors.New("mapping a database is not supported on this system")
}
