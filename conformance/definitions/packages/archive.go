package packages

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/yilian/yilian/conformance/fhir"
)

// folder is where the files of a package stand in its archive.
const folder = "package/"

// ReadFile reads the package in an archive file.
func ReadFile(name string, limits Limits) (*Package, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	defer f.Close()
	return Read(f, limits)
}

// Read reads the package in an archive (.tgz). It keeps the definitions, compressed, and reads no further than the
// limits allow. Files that are no definitions are passed over; one that is too large is, too, with a finding.
// Anything that has no business in a package – links, devices, names that lead out of it – is an error.
func Read(r io.Reader, limits Limits) (*Package, error) {
	limits = limits.withDefaults()
	a := &archive{limits: limits, packed: &counter{r: r, limit: limits.Archive, name: "Archive"}}
	a.p = &Package{limits: limits}
	if err := a.read(); err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	p := a.p
	if a.text == nil {
		return nil, errors.New("read package: there is no package/package.json in the archive")
	}
	if err := p.manifest(a.text); err != nil {
		return nil, err
	}
	for _, name := range a.large {
		p.report(fhir.Warning, fhir.TypeTooLong, "file-too-large", "%s: %s", p.ID(), &LimitError{"File", int64(limits.File), clip(name)})
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(limits.File)+1))
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	p.load = func(e entry) ([]byte, error) { return decoder.DecodeAll(e.data, nil) }
	p.arrange()
	return p, nil
}

// archive is the reading of one.
type archive struct {
	limits Limits
	packed *counter
	p      *Package
	text   []byte   // of package.json
	large  []string // files over the limit
	kept   int64
	buffer bytes.Buffer // one file at a time
}

// counter counts bytes and refuses those over a limit.
type counter struct {
	r     io.Reader
	n     int64
	limit int64
	name  string
	check func(n int64) error
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	if c.n > c.limit {
		return 0, &LimitError{Limit: c.name, Value: c.limit}
	}
	if c.check != nil {
		if err := c.check(c.n); err != nil {
			return 0, err
		}
	}
	return n, err
}

func (a *archive) read() error {
	zr, err := gzip.NewReader(a.packed)
	if err != nil {
		return err
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(false))
	if err != nil {
		return err
	}
	unpacked := &counter{r: zr, limit: a.limits.Unpacked, name: "Unpacked", check: func(n int64) error {
		if n > RatioFrom && n > a.limits.Ratio*max(a.packed.n, 1) {
			return &LimitError{Limit: "Ratio", Value: a.limits.Ratio}
		}
		return nil
	}}
	tr := tar.NewReader(unpacked)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= a.limits.Entries {
			return &LimitError{Limit: "Entries", Value: int64(a.limits.Entries)}
		}
		if err := a.file(h, tr, encoder); err != nil {
			return err
		}
	}
}

// file takes one entry of the archive.
func (a *archive) file(h *tar.Header, r io.Reader, encoder *zstd.Encoder) error {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("%q is neither a file nor a folder", clip(h.Name))
	}
	name := strings.TrimPrefix(h.Name, "./")
	if path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || name != "" && !strings.HasPrefix(path.Clean("/x/"+name), "/x") ||
		strings.Contains("/"+name+"/", "/../") {
		return fmt.Errorf("%q leads out of the package", clip(h.Name))
	}
	base, ok := strings.CutPrefix(name, folder)
	if h.Typeflag == tar.TypeDir || !ok || base != "package.json" && !validFile(base) {
		return nil
	}
	limit := int64(a.limits.File)
	if base == "package.json" {
		limit = maxManifest
	}
	if h.Size > limit {
		if base == "package.json" {
			return &LimitError{Limit: "File", Value: limit, File: base}
		}
		if len(a.large) < maxFindings {
			a.large = append(a.large, base)
		}
		return nil
	}
	a.buffer.Reset()
	a.buffer.Grow(int(h.Size) + bytes.MinRead)
	if _, err := io.Copy(&a.buffer, io.LimitReader(r, limit)); err != nil {
		return err
	}
	text := a.buffer.Bytes()
	if base == "package.json" {
		if a.text == nil {
			a.text = bytes.Clone(text)
		}
		return nil
	}
	heading := skim(text)
	if heading.kind == "" || heading.url == "" {
		return nil
	}
	data := bytes.Clone(encoder.EncodeAll(text, nil))
	if a.kept += int64(len(data)); a.kept > a.limits.Kept {
		return &LimitError{Limit: "Kept", Value: a.limits.Kept}
	}
	a.p.entries = append(a.p.entries, entry{heading: heading, file: base, data: data})
	return nil
}
