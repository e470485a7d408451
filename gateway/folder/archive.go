package folder

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
)

// archiveName stands for the archive as a whole in findings.
const archiveName = "archive"

// Pack returns the archive of a folder.
func (f *Folder) Pack() []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, file := range f.files {
		// Names and sizes are bounded, and a buffer takes everything: neither call fails.
		_ = w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: file.Name, Size: int64(len(file.Bytes)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
		})
		_, _ = w.Write(file.Bytes)
	}
	_ = w.Close()
	return out.Bytes()
}

// Unpack reads an archive. What keeps it from being a folder is a *mapping.Error
// that names files. The archive may come from anybody.
func Unpack(archive []byte, l Limits) (*Folder, error) {
	b := newBuilder(l)
	r := tar.NewReader(bytes.NewReader(archive))
	entries := 0
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if entries == 0 {
				b.refuse(archiveName, "the archive is empty; want a tar of the folder's files")
			}
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) { // names are looked at below
			b.refuse(archiveName, "the archive cannot be read; want a tar of the folder's files")
			break
		}
		// Folders count too, and there are few of them.
		if entries++; entries > b.limits.Files+len(contents)+1 {
			b.refuse(archiveName, "the archive has too many entries")
			break
		}
		if !b.entry(h, r) {
			break
		}
	}
	return b.folder()
}

// entry takes one entry of an archive; false ends the reading.
func (b *builder) entry(h *tar.Header, content io.Reader) bool {
	name := strings.TrimPrefix(h.Name, "./")
	switch {
	case h.Typeflag == tar.TypeXGlobalHeader:
		return true
	case h.Typeflag == tar.TypeDir:
		dir := strings.TrimSuffix(name, "/")
		if _, known := contents[dir]; known || dir == "" || dir == "." {
			return true
		}
		return b.refuse(name, "the folder does not belong here; "+wanted)
	case h.Typeflag == tar.TypeSymlink || h.Typeflag == tar.TypeLink:
		return b.refuse(name, "is a link; want plain files")
	case h.Typeflag != tar.TypeReg || sparse(h):
		return b.refuse(name, "is not a plain file")
	case !b.takes(name):
		return len(b.findings) < maxFindings
	case h.Size > b.left:
		b.overLimit(name)
		return false
	}
	text, err := io.ReadAll(content)
	if err != nil {
		b.refuse(name, "the archive ends inside the file")
		return false
	}
	return b.add(name, text)
}

// sparse reports whether a file says that it is larger than what stands of it.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
