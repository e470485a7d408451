package folder

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS shows a folder as a file system, as package mapping reads it.
func (f *Folder) FS() fs.FS { return files(f.files) }

// files is a file system of sorted files.
type files []File

func (s files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if i, ok := s.find(name); ok {
		return &openFile{Reader: bytes.NewReader(s[i].Bytes), info: infoOf(s[i])}, nil
	}
	entries := s.entries(name)
	if len(entries) == 0 && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openDir{info: info{name: path.Base(name), dir: true}, left: entries}, nil
}

func (s files) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s, name, func(f File, name string) int { return strings.Compare(f.Name, name) })
}

// entries lists what stands directly below a directory, in the order of names.
func (s files) entries(dir string) []fs.DirEntry {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	found := map[string]info{}
	for _, f := range s {
		rest, below := strings.CutPrefix(f.Name, prefix)
		if !below {
			continue
		}
		if sub, _, deeper := strings.Cut(rest, "/"); deeper {
			found[sub] = info{name: sub, dir: true}
		} else {
			found[rest] = infoOf(f)
		}
	}
	list := make([]fs.DirEntry, 0, len(found))
	for _, i := range found {
		list = append(list, fs.FileInfoToDirEntry(i))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

// info describes a file or directory.
type info struct {
	name string
	size int64
	dir  bool
}

func infoOf(f File) info { return info{name: path.Base(f.Name), size: int64(len(f.Bytes))} }

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	*bytes.Reader
	info info
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info info
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	out := d.left[:n:n]
	d.left = d.left[n:]
	return out, nil
}
