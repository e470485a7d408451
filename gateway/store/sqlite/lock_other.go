//go:build !unix

package sqlite

import (
	"errors"
	"os"
)

func lockFile(*os.File) (held bool, err error) {
	return false, errors.New("locking a data folder is not supported on this system")
}
