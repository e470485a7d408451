package ingest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/yilian/yilian/gateway/fault"
)

// File is one file of a delivery.
type File struct {
	Name  string
	Bytes []byte
}

// Delivery is what a source hands over at once: one message or document, or the
// files of one extract, which belong together and are read together.
type Delivery struct {
	Institution string
	Source      string // name of a source in institution.yaml; "" for its only or its upload source
	Control     string // the sender's own id of the delivery; "" when it has none
	Files       []File
}

// size is the number of bytes of all files.
func (d Delivery) size() (n int64) {
	for _, f := range d.Files {
		n += int64(len(f.Bytes))
	}
	return n
}

// archive makes one run of bytes of a delivery: the file itself when there is
// one, else a tar of all, in which every row keeps its place.
func (d Delivery) archive() (name string, _ []byte, err error) {
	if len(d.Files) == 1 {
		return cleanName(d.Files[0].Name), d.Files[0].Bytes, nil
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	seen := map[string]bool{}
	for _, f := range d.Files {
		name := cleanName(f.Name)
		if name == "" || seen[name] {
			return "", nil, fault.New(fault.Invalid, "the files of a delivery need names of their own")
		}
		seen[name] = true
		header := &tar.Header{Name: name, Size: int64(len(f.Bytes)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := w.WriteHeader(header); err != nil {
			return "", nil, fmt.Errorf("archive a delivery: %w", err)
		}
		if _, err := w.Write(f.Bytes); err != nil {
			return "", nil, fmt.Errorf("archive a delivery: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, fmt.Errorf("archive a delivery: %w", err)
	}
	return archiveName, out.Bytes(), nil
}

// archiveName is the name under which a delivery of several files is kept.
const archiveName = "delivery.tar"

// cleanName keeps the last part of a file name, without anything a path could do.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, name)
}

// unpack returns the files of an archived delivery, and where in the archive each
// begins.
func unpack(name string, archived []byte) ([]File, []int64, error) {
	if name != archiveName {
		return []File{{Name: name, Bytes: archived}}, []int64{0}, nil
	}
	source := bytes.NewReader(archived)
	r := tar.NewReader(source)
	var files []File
	var offsets []int64
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, offsets, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read an archived delivery: %w", err)
		}
		at := int64(len(archived)) - int64(source.Len())
		if h.Size > int64(len(archived))-at {
			return nil, nil, fmt.Errorf("read an archived delivery: %w", io.ErrUnexpectedEOF)
		}
		files = append(files, File{Name: h.Name, Bytes: archived[at : at+h.Size : at+h.Size]})
		offsets = append(offsets, at)
	}
}
