package backup

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Writer writes a backup. After an error it is of no use.
type Writer struct {
	file *os.File
	sum  hash.Hash
	zip  *zstd.Encoder
	err  error
}

// Create makes a file that only its owner may read. One that is there already is an
// error. What is not ended with Finish is removed by Abort.
func Create(path string) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, sum: sha256.New()}
	out := io.MultiWriter(file, w.sum)
	_, err = out.Write(append([]byte(magic), Version))
	if err == nil {
		w.zip, err = zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(4<<20))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	return w, nil
}

// Dir is the folder of the file, for what is needed on the way.
func (w *Writer) Dir() string { return filepath.Dir(w.file.Name()) }

// Manifest writes what the backup is of. It comes first, once.
func (w *Writer) Manifest(m Manifest) error {
	text, err := json.Marshal(m)
	if err == nil && len(text) > maxManifest {
		err = fmt.Errorf("the manifest is %d bytes long", len(text))
	}
	if err != nil {
		return w.fails(err)
	}
	return w.write(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text)
}

// Section writes what fill writes, under a name.
func (w *Writer) Section(name string, fill func(w io.Writer) error) error {
	if name == "" || len(name) > maxName {
		return w.fails(fmt.Errorf("a section cannot have a name of %d bytes", len(name)))
	}
	if err := w.write(binary.AppendUvarint(nil, uint64(len(name))), []byte(name)); err != nil {
		return err
	}
	s := &sectionWriter{w: w, rest: make([]byte, 0, piece)}
	if err := fill(s); err != nil {
		return w.fails(err)
	}
	if err := s.flush(); err != nil {
		return err
	}
	return w.write([]byte{0})
}

// sectionWriter cuts what is written into pieces.
type sectionWriter struct {
	w    *Writer
	rest []byte
}

func (s *sectionWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		k := min(len(p), piece-len(s.rest))
		s.rest = append(s.rest, p[:k]...)
		p, n = p[k:], n+k
		if len(s.rest) == piece {
			if err := s.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *sectionWriter) flush() error {
	if len(s.rest) == 0 {
		return nil
	}
	err := s.w.write(binary.AppendUvarint(nil, uint64(len(s.rest))), s.rest)
	s.rest = s.rest[:0]
	return err
}

func (w *Writer) write(parts ...[]byte) error {
	for _, p := range parts {
		if w.err == nil {
			_, w.err = w.zip.Write(p)
		}
	}
	return w.err
}

func (w *Writer) fails(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// Finish makes the backup complete and durable, and returns its length.
func (w *Writer) Finish() (size int64, err error) {
	if err := w.write([]byte{0}); err != nil {
		return 0, err
	}
	if err := w.zip.Close(); err != nil {
		return 0, w.fails(err)
	}
	if _, err := w.file.Write(w.sum.Sum(nil)); err != nil {
		return 0, w.fails(err)
	}
	if err := w.file.Sync(); err != nil {
		return 0, w.fails(err)
	}
	info, err := w.file.Stat()
	if err != nil {
		return 0, w.fails(err)
	}
	if err := w.file.Close(); err != nil {
		return 0, w.fails(err)
	}
	dir, err := os.Open(w.Dir())
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	return info.Size(), dir.Sync()
}

// Abort removes what was written.
func (w *Writer) Abort() error {
	_ = w.zip.Close()
	_ = w.file.Close()
	return os.Remove(w.file.Name())
}
