package interaction

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/yilian/yilian/gateway/search"
)

// cursor is where a page begins. It is opaque to clients: it carries a MAC over
// itself, the search it belongs to and the client that was given it.
type cursor struct {
	place
	AsOf   int64   `json:"a"`
	Total  int     `json:"t"`
	Number int     `json:"n"`           // how many pages come before
	Back   []place `json:"b,omitempty"` // where the last of those begin; the first page, at the beginning, is not among them

	text string // as it was given
}

// place is where a page begins in its order.
type place struct {
	Keys  []string `json:"k,omitempty"`
	ID    string   `json:"i,omitempty"`
	Type  int      `json:"y,omitempty"` // of several types that come in turn: which
	Heads []head   `json:"h,omitempty"` // of several types that are merged: each
}

// head is how far one of several types is answered.
type head struct {
	Keys []string `json:"k,omitempty"`
	ID   string   `json:"i,omitempty"`
	Done bool     `json:"d,omitempty"`
}

func (h head) position() *search.Position {
	if h.ID == "" {
		return nil
	}
	return &search.Position{Keys: h.Keys, ID: h.ID}
}

func (p place) continues() bool { return p.ID != "" || p.Type > 0 || p.Heads != nil }

func (p place) position() *search.Position { return head{Keys: p.Keys, ID: p.ID}.position() }

// maxBack bounds the pages that a client can turn back, one by one, as every link carries
// where they begin. Behind them there is the first. It is a constant, as it keeps links
// within the bytes of an address that every proxy takes.
const maxBack = 16

// then is the cursor of the page behind that of c.
func (c cursor) then(p place, asOf int64, total int) cursor {
	next := cursor{place: p, AsOf: asOf, Total: total, Number: c.Number + 1}
	if c.continues() {
		next.Back = append(slices.Clone(c.Back[max(0, len(c.Back)-maxBack+1):]), c.place)
	}
	return next
}

// before is the cursor of the page before that of c, if c knows where it begins.
func (c cursor) before() (cursor, bool) {
	last := len(c.Back) - 1
	if last < 0 {
		return cursor{}, false
	}
	return cursor{place: c.Back[last], AsOf: c.AsOf, Total: c.Total, Number: c.Number - 1, Back: c.Back[:last]}, true
}

// Turn says where a page stands among others.
type Turn struct {
	Page     string // cursor of this page, "" on the first
	Number   int    // how many pages come before
	Previous string // cursor of the page before, "" where that is the first or it is not known any more
	Next     string // cursor of the next page, "" on the last
}

// turn tells what stands around the page of c; next is nil behind the last.
func (e *Engine) turn(v Viewer, hash string, c cursor, next *place, asOf int64, total int) Turn {
	t := Turn{Page: c.text, Number: c.Number}
	if before, ok := c.before(); ok {
		t.Previous = e.seal(v, hash, before)
	}
	if next != nil {
		t.Next = e.seal(v, hash, c.then(*next, asOf, total))
	}
	return t
}

// total is the count that the first page made, -1 if it made none.
func (c cursor) total() int {
	if !c.continues() {
		return -1
	}
	return c.Total
}

const macSize = 16

func (e *Engine) mac(v Viewer, hash string, payload []byte) []byte {
	m := hmac.New(sha256.New, e.Key)
	for _, part := range []string{v.Client, v.Institution, hash} {
		m.Write([]byte(part))
		m.Write([]byte{0})
	}
	m.Write(payload)
	return m.Sum(nil)[:macSize]
}

// seal writes where a page begins, for the client v and what hash stands for alone.
func (e *Engine) seal(v Viewer, hash string, place any) string {
	payload, err := json.Marshal(place)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(e.mac(v, hash, payload), payload...))
}

// unseal reads what seal wrote.
func (e *Engine) unseal(v Viewer, hash, text string, place any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) < macSize || !hmac.Equal(sealed[:macSize], e.mac(v, hash, sealed[macSize:])) ||
		json.Unmarshal(sealed[macSize:], place) != nil {
		return invalid("cursor-invalid", "", "the page link belongs to another search or server; begin again")
	}
	return nil
}

// cursorOf reads the cursor among the parameters of a search.
func (e *Engine) cursorOf(v Viewer, pairs []search.Pair, hash string) (c cursor, err error) {
	if text := cursorText(pairs); text != "" {
		c.text, err = text, e.unseal(v, hash, text, &c)
	}
	return c, err
}

func cursorText(pairs []search.Pair) string {
	for _, p := range pairs {
		if p.Name == CursorParam {
			return p.Value
		}
	}
	return ""
}
