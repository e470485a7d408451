package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/yilian/yilian/gateway/fault"
)

// Reader reads a backup that is whole.
type Reader struct {
	file     *os.File
	zip      *zstd.Decoder
	in       *bufio.Reader
	manifest Manifest
	section  *sectionReader
}

// Open opens a backup after it read all of it and found the sum right. Faults:
// fault.Invalid for a file that is no backup, is damaged, or has a newer format.
func Open(path string) (_ *Reader, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{file: file}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	length, err := check(file)
	if err != nil {
		return nil, err
	}
	body := io.NewSectionReader(file, int64(len(magic)+1), length)
	if r.zip, err = zstd.NewReader(body, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1)); err != nil {
		return nil, err
	}
	r.in = bufio.NewReaderSize(r.zip, 64<<10)
	var size [4]byte
	if _, err := io.ReadFull(r.in, size[:]); err != nil {
		return nil, errDamaged
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxManifest {
		return nil, errDamaged
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return nil, errDamaged
	}
	if err := json.Unmarshal(text, &r.manifest); err != nil {
		return nil, errDamaged
	}
	return r, nil
}

// check reads a whole file and returns the length of what is compressed in it.
func check(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	head := make([]byte, len(magic)+1)
	if n, err := io.ReadFull(file, head); err != nil || !info.Mode().IsRegular() {
		if bytes.HasPrefix([]byte(magic), head[:min(n, len(magic))]) && n > 0 {
			return 0, errDamaged
		}
		return 0, errForeign
	}
	if string(head[:len(magic)]) != magic {
		return 0, errForeign
	}
	length := info.Size() - int64(len(head)) - sumBytes
	if length < 0 {
		return 0, errDamaged
	}
	sum := sha256.New()
	sum.Write(head)
	if _, err := io.CopyN(sum, file, length); err != nil {
		return 0, err
	}
	want := make([]byte, sumBytes)
	if _, err := io.ReadFull(file, want); err != nil {
		return 0, err
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return 0, errDamaged
	}
	if version := head[len(magic)]; version != Version {
		return 0, fault.Newf(fault.Invalid, "the backup has format %d, this program knows %d; a newer one wrote it", version, Version)
	}
	return length, nil
}

// Manifest says what the backup is of.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Next returns the name of the next section and its content, which ends with io.EOF
// only when it is whole. After the last section the name is empty.
func (r *Reader) Next() (name string, content io.Reader, err error) {
	if r.section != nil {
		if _, err := io.Copy(io.Discard, r.section); err != nil {
			return "", nil, err
		}
		r.section = nil
	}
	n, err := r.length(maxName)
	if err != nil || n == 0 {
		return "", nil, err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return "", nil, errDamaged
	}
	r.section = &sectionReader{r: r}
	return string(text), r.section, nil
}

func (r *Reader) length(most uint64) (int, error) {
	n, err := binary.ReadUvarint(r.in)
	if err != nil || n > most {
		return 0, errDamaged
	}
	return int(n), nil
}

// sectionReader joins the pieces of a section.
type sectionReader struct {
	r    *Reader
	left int
	end  bool
}

func (s *sectionReader) Read(p []byte) (int, error) {
	if s.end {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if s.left == 0 {
		n, err := s.r.length(maxPiece)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			s.end = true
			return 0, io.EOF
		}
		s.left = n
	}
	n, err := s.r.in.Read(p[:min(len(p), s.left)])
	s.left -= n
	if err != nil {
		err = errDamaged
	}
	return n, err
}

// Close closes the file.
func (r *Reader) Close() error {
	if r.zip != nil {
		r.zip.Close()
	}
	return r.file.Close()
}
