package rest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
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

// unzipping returns a body as it is, or was before it was compressed; limit bounds the
// bytes that come.
func unzipping(r *http.Request, limit int64) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return r.Body, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return nil, unread(err, "the body is not gzip, as Content-Encoding says")
		}
		return z, nil
	}
	return nil, &httpError{status: http.StatusUnsupportedMediaType,
		error: fault.New(fault.Unsupported, "the Content-Encoding of a body is gzip, or none")}
}

// unread is the fault of a body that could not be read.
func unread(err error, text string) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &httpError{status: http.StatusRequestTimeout, error: fault.Wrap(fault.Invalid, err, "the body did not come in time").WithCode("timeout")}
	}
	return fault.Wrap(fault.Invalid, err, text)
}

// maxBodyRoom bounds the room that is made for a body before it comes.
const maxBodyRoom = 64 << 10

// readOn reads behind what was read, up to limit bytes in all. said is how many there
// will be as far as is known.
func readOn(text []byte, from io.Reader, limit, said int64) ([]byte, error) {
	if room := min(max(said, 0), maxBodyRoom) + bytes.MinRead; len(text) == 0 {
		text = make([]byte, 0, room)
	}
	all := bytes.NewBuffer(text)
	if rest := min(said, limit) - int64(len(text)); len(text) > 0 && rest > 0 {
		all.Grow(int(rest) + bytes.MinRead) // its turn came, so there is room for it
	}
	if _, err := all.ReadFrom(io.LimitReader(from, limit-int64(len(text)))); err != nil {
		return nil, unread(err, "the body could not be read")
	}
	return all.Bytes(), nil
}
