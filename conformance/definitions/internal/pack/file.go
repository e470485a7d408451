package pack

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Magic opens the file; its last digit changes with the layout of any record.
const Magic = "YLDEFS2\n"

const (
	headerSize = len(Magic) + 8
	// maxBlob bounds one decompressed blob; the largest of R4 is under 2 MB.
	maxBlob = 16 << 20
)

// Blob is something to be sealed in a file: data, and the number of the
// dictionary to compress it with.
type Blob struct {
	Dict int
	Data []byte
}

// Seal writes a file. index is called with the compressed length of each blob,
// zero for an empty one, and returns the index record.
func Seal(dicts [][]byte, blobs []Blob, index func(sizes []int) []byte) ([]byte, error) {
	plain, err := compressor()
	if err != nil {
		return nil, err
	}
	encoders := make([]*zstd.Encoder, len(dicts))
	var all Writer
	all.Uint(len(dicts))
	for i, d := range dicts {
		if encoders[i], err = compressor(zstd.WithEncoderDictRaw(uint32(i+1), d)); err != nil {
			return nil, err
		}
		all.String(string(d))
	}
	sizes := make([]int, len(blobs))
	var body []byte
	for i, b := range blobs {
		before := len(body)
		if len(b.Data) > 0 {
			body = encoders[b.Dict].EncodeAll(b.Data, body)
		}
		sizes[i] = len(body) - before
	}
	shared := plain.EncodeAll(all.Bytes(), nil)
	idx := plain.EncodeAll(index(sizes), nil)
	out := []byte(Magic)
	out = binary.BigEndian.AppendUint32(out, uint32(len(shared)))
	out = binary.BigEndian.AppendUint32(out, uint32(len(idx)))
	out = append(out, shared...)
	out = append(out, idx...)
	return append(out, body...), nil
}

func compressor(options ...zstd.EOption) (*zstd.Encoder, error) {
	enc, err := zstd.NewWriter(nil, append(options,
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true))...)
	if err != nil {
		return nil, fmt.Errorf("create compressor: %w", err)
	}
	return enc, nil
}

// File is an opened definitions file. It is safe for concurrent use.
type File struct {
	dec   *zstd.Decoder
	index string
	body  []byte
}

// Open reads the header, the dictionaries and the index of a file. It keeps
// data.
func Open(data []byte) (*File, error) {
	if len(data) < headerSize || string(data[:len(Magic)]) != Magic {
		return nil, fmt.Errorf("open definitions: %w", ErrCorrupt)
	}
	head := data[len(Magic):headerSize]
	sharedLen, idxLen := int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
	rest := data[headerSize:]
	if sharedLen > len(rest) || idxLen > len(rest)-sharedLen {
		return nil, fmt.Errorf("open definitions: %w", ErrCorrupt)
	}
	plain, err := decompressor()
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	shared, err := inflate(plain, rest[:sharedLen])
	if err != nil {
		return nil, fmt.Errorf("open definitions: %w", err)
	}
	f := &File{body: rest[sharedLen+idxLen:]}
	if f.index, err = inflate(plain, rest[sharedLen:sharedLen+idxLen]); err != nil {
		return nil, fmt.Errorf("open definitions: %w", err)
	}
	r := NewReader(shared)
	var options []zstd.DOption
	for i := range r.Count() {
		options = append(options, zstd.WithDecoderDictRaw(uint32(i+1), []byte(r.String())))
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("open definitions: %w", err)
	}
	if f.dec, err = decompressor(options...); err != nil {
		return nil, err
	}
	return f, nil
}

func decompressor(options ...zstd.DOption) (*zstd.Decoder, error) {
	dec, err := zstd.NewReader(nil, append(options,
		zstd.WithDecoderConcurrency(2),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxBlob))...)
	if err != nil {
		return nil, fmt.Errorf("open definitions: %w", err)
	}
	return dec, nil
}

// Index is the index record.
func (f *File) Index() string { return f.index }

// Size is the length of the compressed blobs together.
func (f *File) Size() int { return len(f.body) }

// Blob decompresses one blob.
func (f *File) Blob(offset, size int) (string, error) {
	if offset < 0 || size < 0 || offset > len(f.body) || size > len(f.body)-offset {
		return "", ErrCorrupt
	}
	return inflate(f.dec, f.body[offset:offset+size])
}

func inflate(dec *zstd.Decoder, frame []byte) (string, error) {
	out, err := dec.DecodeAll(frame, nil)
	if err != nil {
		return "", fmt.Errorf("decompress: %w", err)
	}
	return string(out), nil
}
