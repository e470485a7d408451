package interaction

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// What a record attaches – reports as PDF, images, the document itself – does not
// stand in the bodies of its resources: each content over a limit becomes a Binary
// of its own, whose bytes are in the archive. What clients write stays as they
// wrote it.

// content is bytes on their way into the archive.
type content struct {
	blob  store.Blob
	bytes []byte // nil when the archive has them already
	sum   string // hex SHA-256 of the content
}

// attachment is content that was taken out of a resource.
type attachment struct {
	content
	binary      string // id of the Binary it becomes
	contentType string
}

// detached is what was taken out of one Write.
type detached struct {
	own         *content // of a Binary, its data
	attachments []attachment
}

// detach takes the contents over the limit out of the resources of a record. The
// resources are changed: an Attachment refers to its Binary from then on.
func (e *Engine) detach(ctx context.Context, b Batch) ([]detached, error) {
	var out []detached
	for i, w := range b.Writes {
		var d detached
		switch {
		case w.Resource.ResourceType() == binaryType:
			own, err := takeData(w.Resource)
			if err != nil {
				return nil, err
			}
			d.own = own
		case holdsData(w.Resource, e.Limit.Inline):
			x := &detaching{limit: e.Limit.Inline, definitions: e.Definitions, owner: keyOf(w.Resource), out: &d}
			x.resource(w.Resource)
		}
		if d.own == nil && d.attachments == nil {
			continue
		}
		if out == nil {
			out = make([]detached, len(b.Writes))
		}
		if d.own != nil {
			if err := e.find(ctx, b, d.own); err != nil {
				return nil, err
			}
		}
		for j := range d.attachments {
			if err := e.find(ctx, b, &d.attachments[j].content); err != nil {
				return nil, err
			}
		}
		out[i] = d
	}
	return out, nil
}

func keyOf(resource *fhir.Node) store.Key {
	return store.Key{Type: resource.ResourceType(), ID: resource.ID()}
}

// holdsData reports whether anything in a tree is called data and is longer than
// limit when decoded: most records have no such thing, and for them this is all.
func holdsData(n *fhir.Node, limit int64) bool {
	for i := range n.Len() {
		k := n.At(i)
		switch k.Kind() {
		case fhir.Object, fhir.Array:
			if holdsData(k, limit) {
				return true
			}
		case fhir.String:
			if k.Name() == "data" && decodedMost(k.Text()) > limit {
				return true
			}
		}
	}
	return false
}

// decodedMost is how long base64 may be when decoded.
func decodedMost(text string) int64 { return int64(base64.StdEncoding.DecodedLen(len(text))) }

// detaching walks one resource.
type detaching struct {
	limit       int64
	definitions *definitions.Definitions
	owner       store.Key
	out         *detached
}

func (x *detaching) resource(n *fhir.Node) {
	if t := x.definitions.Type(n.ResourceType()); t != nil {
		x.children(n, t.Child)
	}
}

func (x *detaching) children(n *fhir.Node, child func(name string) *definitions.Property) {
	for _, k := range n.All() {
		name := k.Name()
		var under func(string) *definitions.Property
		typ := ""
		if primitive, ok := strings.CutPrefix(name, "_"); ok && child(primitive) != nil {
			under = x.definitions.Type("Element").Child // id and extensions of a primitive
		} else {
			p := child(name)
			if p == nil {
				continue
			}
			under, typ = p.Child, p.Type
		}
		for _, item := range k.Items() {
			switch {
			case item.Kind() != fhir.Object:
			case item.ResourceType() != "" && name == "contained":
				x.resource(item)
			default:
				if typ == "Attachment" {
					x.attachment(item)
				}
				x.children(item, under) // an Attachment may have extensions
			}
		}
	}
}

// attachment takes the data out of one Attachment. Data that is no base64 stays, for
// the validator to refuse.
func (x *detaching) attachment(n *fhir.Node) {
	data := n.Get("data")
	if data.Kind() != fhir.String || decodedMost(data.Text()) <= x.limit {
		return
	}
	decoded, ok := decodeBase64(data.Text())
	if !ok || int64(len(decoded)) <= x.limit {
		return
	}
	a := attachment{content: newContent(decoded), contentType: n.Get("contentType").Text()}
	if a.contentType == "" {
		a.contentType = unknownContent
	}
	a.binary = binaryID(x.owner, a.contentType, a.sum)
	if !slices.ContainsFunc(x.out.attachments, func(o attachment) bool { return o.binary == a.binary }) {
		x.out.attachments = append(x.out.attachments, a)
	}
	sum := sha1.Sum(decoded) // Attachment.hash is defined as SHA-1; nothing trusts it
	refer(n, binaryType+"/"+a.binary, int64(len(decoded)), base64.StdEncoding.EncodeToString(sum[:]))
}

// unknownContent is the type of content whose type nobody says.
const unknownContent = "application/octet-stream"

// attachmentOrder is the order of an Attachment's elements up to where its content
// is described.
var attachmentOrder = []string{"id", "extension", "contentType", "_contentType", "language", "_language"}

// refer lets an Attachment refer to its content, in place of holding it.
func refer(n *fhir.Node, url string, size int64, hash string) {
	var rest []*fhir.Node
	for i := n.Len() - 1; i >= 0; i-- {
		k := n.At(i)
		switch {
		case slices.Contains(attachmentOrder, k.Name()):
			continue
		case !slices.Contains([]string{"data", "url", "size", "hash"}, k.Name()):
			rest = append(rest, k)
		}
		n.RemoveAt(i)
	}
	n.SetString("url", url).Set("size", fhir.NewNumber(strconv.FormatInt(size, 10))).SetString("hash", hash)
	for _, k := range slices.Backward(rest) {
		n.Set(k.Name(), k)
	}
}

// binaryID is the id of the Binary that a content becomes: always the same for the
// same content of the same resource, and not to be told from the content alone.
func binaryID(owner store.Key, contentType, sum string) string {
	id := sha256.Sum256([]byte(strings.Join([]string{"attachment", owner.String(), contentType, sum}, "\x00")))
	return hex.EncodeToString(id[:20])
}

func newContent(b []byte) content {
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	return content{blob: store.Blob{Digest: digest, Length: int64(len(b))}, bytes: b, sum: digest}
}

// decodeBase64 reads base64 with white space in it, as FHIR allows.
func decodeBase64(text string) ([]byte, bool) {
	if strings.ContainsAny(text, " \t\r\n") {
		text = strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
				return -1
			}
			return r
		}, text)
	}
	out, err := base64.StdEncoding.DecodeString(text)
	return out, err == nil
}

// find looks whether a content is the record itself: that is archived already,
// perhaps as a part of a delivery.
func (e *Engine) find(ctx context.Context, b Batch, c *content) error {
	size := int64(len(c.bytes))
	if b.Record == "" || size == 0 || size != b.Length {
		return nil
	}
	if c.sum != b.Digest {
		record, err := e.Store.Content(ctx, b.Digest, b.Offset, b.Length)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the archived record: %w", err)
		}
		if !bytes.Equal(record, c.bytes) {
			return nil
		}
	}
	c.blob = store.Blob{Digest: b.Digest, Offset: b.Offset, Length: size}
	c.bytes = nil
	return nil
}

// binaries drafts the Binaries of what was taken out of a write. owner is the
// draft of the resource they belong to, nil when the stored one says the same
// already.
func (e *Engine) binaries(ctx context.Context, b Batch, w Write, owner *draft, list []attachment, source string) (drafts []*draft, same []store.Key, err error) {
	key := keyOf(w.Resource)
	var stored *fhir.Node
	patient := ""
	if owner != nil {
		stored, patient = owner.stamped, e.patientOf(key, owner.values)
	} else {
		current, err := e.Store.Read(ctx, key)
		if err != nil {
			return nil, nil, fmt.Errorf("read what is stored: %w", err)
		}
		if stored, err = parseStored(current.Body); err != nil {
			return nil, nil, fmt.Errorf("read stored %s: %w", key.Type, err)
		}
		patient = current.Patient
	}
	about := key.String()
	if patient != "" {
		about = "Patient/" + patient
	}
	for _, a := range list {
		if !refersTo(stored, binaryType+"/"+a.binary) {
			continue // filling gaps left another Attachment where it was
		}
		d := &draft{key: store.Key{Type: binaryType, ID: a.binary}, owner: b.Institution, source: source, stamp: b.Stamp, content: &a.content}
		tree := fhir.NewObject().SetString("resourceType", binaryType).SetString("contentType", a.contentType).
			Set("securityContext", fhir.NewObject().SetString("reference", about))
		write, err := e.draftBinary(ctx, b, d, tree)
		switch {
		case err != nil:
			return nil, nil, err
		case write:
			drafts = append(drafts, d)
		default:
			same = append(same, d.key)
		}
	}
	return drafts, same, nil
}

// draftBinary completes the draft of a Binary. It reports false when it is stored
// already, or was changed by somebody who came later.
func (e *Engine) draftBinary(ctx context.Context, b Batch, d *draft, tree *fhir.Node) (bool, error) {
	current, err := e.Store.Read(ctx, d.key)
	missing := fault.Is(err, fault.NotFound)
	switch {
	case missing:
	case err != nil:
		return false, fmt.Errorf("read what is stored: %w", err)
	case current.Owner != b.Institution:
		return false, fault.New(fault.Conflict, "the resource belongs to another institution")
	case b.Stamp.Before(current.Stamp):
		return false, nil
	default:
		d.expect, d.waits = current.Number, true
	}
	if err := e.prepare(ctx, d, tree, nil); err != nil {
		return false, err
	}
	if missing || current.Deleted {
		return true, nil
	}
	stored, err := parseStored(current.Body)
	if err != nil {
		return false, fmt.Errorf("read stored %s: %w", d.key.Type, err)
	}
	if !fhir.EqualContent(stored, d.stamped) {
		return true, nil
	}
	same, err := e.sameContent(ctx, current.Blob, d.content)
	return !same, err
}

// refersTo reports whether an Attachment below n has the url.
func refersTo(n *fhir.Node, url string) bool {
	for _, k := range n.All() {
		switch k.Kind() {
		case fhir.Object, fhir.Array:
			if refersTo(k, url) {
				return true
			}
		case fhir.String:
			if k.Name() == "url" && k.Text() == url {
				return true
			}
		}
	}
	return false
}
