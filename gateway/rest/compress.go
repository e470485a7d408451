package rest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/yilian/yilian/gateway/fault"
)

// compressOver is how many bytes a body has at least that is sent compressed: a single
// resource is sent in less time than it takes to compress it.
const compressOver = 4 << 10

var zippers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one that there is
	}
	return w
}}

// zipped compresses a body.
func zipped(body []byte) []byte {
	w := zippers.Get().(*gzip.Writer)
	defer zippers.Put(w)
	out := bytes.NewBuffer(make([]byte, 0, len(body)/3))
	w.Reset(out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// takesGzip tells whether the client takes an answer that is compressed by gzip.
func takesGzip(r *http.Request) bool {
	var named wish
	for _, line := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			q := 1.0
			if key, value, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(key, "q") {
				q = quality(value)
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				named.add(2, q)
			case "*":
				named.add(1, q)
			}
		}
	}
	return named.q > 0
}

// unzipped reads a body that may be compressed, at most limit bytes of what it says
// and one more.
func unzipped(r *http.Request, limit int64) ([]byte, error) {
	from := io.Reader(r.Body)
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the body is not gzip, as Content-Encoding says")
		}
		from = z
	default:
		return nil, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "the Content-Encoding of a body is gzip, or none")}
	}
	text, err := readAll(io.LimitReader(from, limit+1), r.ContentLength)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body could not be read")
	}
	return text, nil
}

// maxBodyRoom bounds the room that is made for a body before it comes.
const maxBodyRoom = 64 << 10

// readAll reads what is said to have so many bytes, or -1 for an unknown number.
func readAll(from io.Reader, said int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, min(max(said, 0), maxBodyRoom)+bytes.MinRead))
	_, err := text.ReadFrom(from)
	return text.Bytes(), err
}
