package interaction

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// cursor is where a page begins. It is opaque to clients: it carries a MAC over
// itself, the search it belongs to and the client that was given it.
type cursor struct {
	Keys  []string `json:"k,omitempty"`
	ID    string   `json:"i"`
	AsOf  int64    `json:"a"`
	Total int      `json:"t"`
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

func (c cursor) continues() bool { return c.ID != "" || c.Type > 0 || c.Heads != nil }

func (c cursor) position() *search.Position { return head{Keys: c.Keys, ID: c.ID}.position() }

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

// cursorFor makes the cursor behind a page, "" behind the last.
func (e *Engine) cursorFor(v Viewer, hash string, page store.Page, total int) string {
	if page.Next == nil {
		return ""
	}
	return e.seal(v, hash, cursor{Keys: page.Next.Keys, ID: page.Next.ID, AsOf: page.AsOf, Total: total})
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
		return c, e.unseal(v, hash, text, &c)
	}
	return cursor{}, nil
}

func cursorText(pairs []search.Pair) string {
	for _, p := range pairs {
		if p.Name == CursorParam {
			return p.Value
		}
	}
	return ""
}
