package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/yilian/yilian/mapping"
)

// maxDelivery bounds the bytes of all files of one delivery, which are held while it is read.
const maxDelivery = 256 << 20

// readDelivery reads the files of a delivery. Their names are the paths as they were given.
func readDelivery(out *output, names []string) ([]mapping.File, error) {
	var files []mapping.File
	left := int64(maxDelivery)
	for _, name := range names {
		r, err := out.open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(r, left+1))
		r.Close()
		if err != nil {
			return nil, err
		}
		if left -= int64(len(text)); left < 0 {
			return nil, fmt.Errorf("%s: the files are over %d bytes together", name, maxDelivery)
		}
		files = append(files, mapping.File{Name: shown(name), Bytes: text})
	}
	return files, nil
}

// unknownSource says which sources there are.
func unknownSource(inst *mapping.Institution, name string) error {
	var names []string
	for _, s := range inst.Sources() {
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Format))
	}
	return fmt.Errorf("%s has no source %s; want one of %s", inst.ID(), name, strings.Join(names, ", "))
}
