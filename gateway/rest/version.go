package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// resourceResponse sends a stored version with its ETag and Last-Modified.
func (r *request) resourceResponse(status int, v store.Version) error {
	header := r.Response().Header()
	if v.Number > 0 {
		header.Set("ETag", etag(v.Number))
	}
	header.Set("Last-Modified", v.Updated.UTC().Format(http.TimeFormat))
	return r.write(status, v.Body)
}

func etag(number int64) string { return `W/"` + strconv.FormatInt(number, 10) + `"` }

// ifMatch returns the versions that If-Match names, none when it is absent.
func (r *request) ifMatch() ([]int64, error) {
	return interaction.Match(strings.Join(r.Request().Header.Values("If-Match"), ","))
}

// instance returns the resource that the path names, and the versions that If-Match does.
func (h *Handler) instance(r *request) (store.Key, []int64, error) {
	key, err := h.key(r)
	if err != nil {
		return key, nil, err
	}
	match, err := r.ifMatch()
	return key, match, err
}

// conditional returns the type that the path names, the criteria that choose a
// resource of it, and the versions that If-Match names.
func (h *Handler) conditional(r *request) (typ string, criteria []search.Pair, match []int64, err error) {
	if typ, err = h.typ(r); err != nil {
		return typ, nil, nil, err
	}
	if criteria, err = r.criteria(); err != nil {
		return typ, nil, nil, err
	}
	match, err = r.ifMatch()
	return typ, criteria, match, err
}

// isID reports whether text has the form of a logical id.
func isID(text string) bool {
	if len(text) == 0 || len(text) > 64 {
		return false
	}
	for _, c := range []byte(text) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// key returns the resource that the path names.
func (h *Handler) key(r *request) (store.Key, error) {
	typ, err := h.typ(r)
	if err != nil {
		return store.Key{}, err
	}
	id := r.Param("id")
	switch {
	case isID(id):
		return store.Key{Type: typ, ID: id}, nil
	case strings.HasPrefix(id, "$"):
		return store.Key{}, h.misplaced(r, noOperation())
	case r.Request().Method == http.MethodPut:
		return store.Key{}, h.misplaced(r, fault.New(fault.Invalid, "an id is 1 to 64 letters, digits, hyphens and dots").WithCode("value"))
	}
	return store.Key{}, h.misplaced(r, fault.New(fault.NotFound, "no such resource"))
}

func noOperation() error { return fault.New(fault.NotFound, "there is no such operation here") }

// versionOf reads the number of a version as it stands in an address.
func versionOf(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != text {
		return 0, fault.New(fault.NotFound, "no such resource")
	}
	return n, nil
}
