package interaction

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// A Binary is stored as its elements without data; its content is a run of the
// archive that the version names. Whoever answers with a Binary puts the two
// together, or sends the content alone.
//
// https://hl7.org/fhir/R4/binary.html

const binaryType = "Binary"

// takeData takes the content out of a Binary: nil when it has none.
func takeData(binary *fhir.Node) (*content, error) {
	data := binary.Get("data")
	if data == nil || data.Kind() != fhir.String || data.Text() == "" {
		return nil, nil // nothing, or nothing valid
	}
	decoded, ok := decodeBase64(data.Text())
	if !ok {
		return nil, refuse("the resource is not valid FHIR R4", []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeInvalid, ID: "format-base64Binary", Expression: "Binary.data", Text: "not base64",
		}})
	}
	binary.Remove("data")
	c := newContent(decoded)
	return &c, nil
}

// sameContent reports whether a stored content and a new one are the same bytes,
// wherever in the archive they stand.
func (e *Engine) sameContent(ctx context.Context, stored store.Blob, c *content) (bool, error) {
	switch {
	case c == nil || stored.Digest == "":
		return c == nil && stored.Digest == "", nil
	case stored == c.blob:
		return true, nil
	case stored.Length != c.blob.Length:
		return false, nil
	}
	old, err := e.bytesOf(ctx, stored)
	if err != nil {
		return false, err
	}
	fresh := c.bytes
	if fresh == nil {
		if fresh, err = e.bytesOf(ctx, c.blob); err != nil {
			return false, err
		}
	}
	return bytes.Equal(old, fresh), nil
}

// bytesOf reads a whole blob.
func (e *Engine) bytesOf(ctx context.Context, b store.Blob) ([]byte, error) {
	if b.Length == 0 {
		return nil, nil // for the archive, no length is all there is
	}
	out, err := e.Store.Content(ctx, b.Digest, b.Offset, b.Length)
	if err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	return out, nil
}

// CreateBinary stores a new Binary whose content is given beside its elements; data
// belongs to the engine from then on. Otherwise it is like Create, or with criteria
// that are not nil like CreateIf.
func (e *Engine) CreateBinary(ctx context.Context, v Viewer, elements *fhir.Node, data []byte, criteria []search.Pair) (Written, error) {
	c := newContent(data)
	return e.one(ctx, v, &action{verb: creates, key: store.Key{Type: binaryType}, tree: elements, data: &c, pairs: criteria})
}

// UpdateBinary replaces a Binary by elements and content. Otherwise it is like
// Update.
func (e *Engine) UpdateBinary(ctx context.Context, v Viewer, k store.Key, elements *fhir.Node, data []byte, match ...int64) (Written, error) {
	c := newContent(data)
	return e.one(ctx, v, &action{verb: replaces, key: k, tree: elements, data: &c, match: match})
}

// split takes the content out of what a client writes as a Binary, without changing
// the client's tree.
func split(typ string, tree *fhir.Node) (*fhir.Node, *content, error) {
	if typ != binaryType || tree.Get("data") == nil {
		return tree, nil, nil
	}
	tree = tree.Clone()
	c, err := takeData(tree)
	return tree, c, err
}

// protect notes whose Binaries the drafts are: the Patient that securityContext
// names, or that of the resource it names, which may be among the drafts.
func (e *Engine) protect(ctx context.Context, drafts []*draft) error {
	for _, d := range drafts {
		if d.key.Type != binaryType || d.deleted {
			continue
		}
		to, ok := e.local(d.stamped.Path("securityContext", "reference").Text())
		if !ok {
			continue
		}
		if to.Type == "Patient" {
			d.patient = to.ID
			continue
		}
		found := false
		for _, other := range drafts {
			if found = other.key == to && !other.deleted; found {
				d.patient = e.patientOf(to, other.values)
				break
			}
		}
		if found {
			continue
		}
		target, err := e.Store.Read(ctx, to)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("read a security context: %w", err)
		}
		d.patient = target.Patient
	}
	return nil
}

// local reads a literal reference to a resource of this server.
func (e *Engine) local(reference string) (store.Key, bool) {
	typ, id, ok := strings.Cut(e.relative(reference), "/")
	id, _, _ = strings.Cut(id, "/_history/")
	return store.Key{Type: typ, ID: id}, ok && id != "" && !strings.Contains(id, "/") && e.Definitions.IsResource(typ)
}

// Content reads the content of a Binary's version piece by piece. It is for one
// goroutine.
type Content struct {
	ctx   context.Context
	from  store.Archive
	blob  store.Blob
	at    int64
	piece []byte
	start int64 // of piece in the content
}

// contentPiece is how much of a content is in memory at once while it is sent.
const contentPiece = 1 << 20

// Content returns the content of a Binary's version, which may be empty; ctx ends
// the reading.
func (e *Engine) Content(ctx context.Context, v store.Version) *Content {
	return &Content{ctx: ctx, from: e.Store, blob: v.Blob}
}

// Size is the number of bytes in all.
func (c *Content) Size() int64 { return c.blob.Length }

// Read implements io.Reader.
func (c *Content) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.at >= c.blob.Length {
		return 0, io.EOF
	}
	if c.at < c.start || c.at >= c.start+int64(len(c.piece)) {
		piece, err := c.from.Content(c.ctx, c.blob.Digest, c.blob.Offset+c.at, min(contentPiece, c.blob.Length-c.at))
		if err != nil {
			return 0, fmt.Errorf("read content: %w", err)
		}
		if len(piece) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		c.piece, c.start = piece, c.at
	}
	n := copy(p, c.piece[c.at-c.start:])
	c.at += int64(n)
	return n, nil
}

var errSeek = errors.New("a place before the start")

// Seek implements io.Seeker.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.blob.Length
	}
	if offset < 0 {
		return 0, errSeek
	}
	c.at = offset
	return offset, nil
}

// attach puts the contents of Binaries into the bodies of a Bundle's resources, as
// long as they are small together; a Binary whose content does not fit goes without,
// marked as a subset: its content is read by its id.
func (e *Engine) attach(ctx context.Context, lists ...[]store.Version) error {
	left := e.Limit.Attached
	for _, list := range lists {
		for i := range list {
			v := &list[i]
			if v.Type != binaryType || v.Blob.Length == 0 || v.Deleted {
				continue
			}
			if v.Blob.Length > left {
				tree, err := parseStored(v.Body)
				if err != nil {
					return err
				}
				v.Body = subsetted(tree).AppendJSON(nil)
				continue
			}
			left -= v.Blob.Length
			data, err := e.bytesOf(ctx, v.Blob)
			if err != nil {
				return err
			}
			v.Body = withData(v.Body, data)
		}
	}
	return nil
}

// withData returns a Binary's body with its content.
func withData(body, data []byte) []byte {
	head, tail := DataPlace(body)
	out := make([]byte, 0, len(head)+base64.StdEncoding.EncodedLen(len(data))+len(tail))
	out = append(out, head...)
	out = base64.StdEncoding.AppendEncode(out, data)
	return append(out, tail...)
}

// DataPlace cuts the body of a Binary, compact or indented, where the base64 of its
// content goes: head, base64 and tail are the JSON of the whole.
func DataPlace(body []byte) (head, tail []byte) {
	body = bytes.TrimSpace(body)
	inner := bytes.TrimRight(body[:len(body)-1], " \n")
	separator, end := `,"data":"`, `"}`
	if len(inner) < len(body)-1 { // indented
		separator, end = ",\n  \"data\": \"", "\"\n}\n"
	}
	return append(inner[:len(inner):len(inner)], separator...), []byte(end)
}

// wantsData tells whether a search asks for the data of Binaries.
func wantsData(r *search.Request) bool {
	if len(r.Elements) > 0 {
		for _, name := range r.Elements {
			if name == "data" {
				return true
			}
		}
		return false
	}
	return r.Summary == search.SummaryFalse || r.Summary == search.SummaryData
}
