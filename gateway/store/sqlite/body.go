package sqlite

import (
	_ "embed"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/yilian/yilian/gateway/fault"
)

// The first byte of a stored body says how it is kept.
const (
	bodyPlain  = 0 // as it is
	bodyShared = 1 // S2 with common.txt
)

// What bodies of all types have in common. It is part of the format: another text
// needs another number above.
//
//go:embed common.txt
var common []byte

var commonDict = sync.OnceValue(func() *s2.Dict { return s2.MakeDict(common, nil) })

// minBody is the length from which bodies are compressed.
const minBody = 100

var errBody = fault.New(fault.Internal, "a stored body is damaged")

// packBody compresses a body; none stays none.
func packBody(body []byte) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	if len(body) >= minBody && len(body) < maxBody {
		out := make([]byte, 1+s2.MaxEncodedLen(len(body)))
		if packed := commonDict().Encode(out[1:], body); len(packed) < len(body) {
			out[0] = bodyShared
			return out[:1+len(packed)], nil
		}
	}
	return append([]byte{bodyPlain}, body...), nil
}

// maxBody is the longest body that is compressed.
const maxBody = 1 << 30

// unpackBody gives a stored body back, in bytes of its own.
func unpackBody(packed []byte) ([]byte, error) {
	switch {
	case packed == nil:
		return nil, nil
	case len(packed) == 0:
		return nil, errBody
	case packed[0] == bodyPlain:
		return append(make([]byte, 0, len(packed)-1), packed[1:]...), nil
	case packed[0] == bodyShared:
		body, err := commonDict().Decode(nil, packed[1:])
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, errBody.Message)
		}
		return body, nil
	}
	return nil, errBody
}
