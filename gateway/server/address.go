package server

import (
	"os"
	"path/filepath"
	"strings"
)

// addressFile is where the address of the running server stands in its data folder.
const addressFile = "address"

// Address returns where the server that holds a data folder listens, "" when none
// says so. A server that was killed leaves its address behind, until somebody opens
// the folder.
func Address(data string) string {
	text, err := os.ReadFile(filepath.Join(data, addressFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
