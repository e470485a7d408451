package rest

import (
	"net/http"
	"strings"
	"time"

	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// read answers GET [type]/[id].
func (h *Handler) read(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	v, err := h.Engine.Read(r.ctx, r.viewer, key)
	if err != nil {
		return err
	}
	if r.unmodified(v) {
		return r.notModified(v)
	}
	if v, err = h.cut(r, v); err != nil {
		return err
	}
	return r.resourceResponse(http.StatusOK, v)
}

// notModified tells a client that what it has is what there is, with the headers that
// caches want.
func (r *request) notModified(v store.Version) error {
	header := r.Response().Header()
	header.Set("ETag", etag(v.Number))
	varies(header)
	return r.NoContent(http.StatusNotModified)
}

// unmodified answers If-None-Match and If-Modified-Since; a person, made for each
// answer, is always new.
func (r *request) unmodified(v store.Version) bool {
	if v.Number == 0 {
		return false
	}
	if tag := strings.Join(r.Request().Header.Values("If-None-Match"), ","); tag != "" {
		for part := range strings.SplitSeq(tag, ",") {
			if n, ok := interaction.VersionOf(part); ok && n == v.Number || strings.TrimSpace(part) == "*" {
				return true
			}
		}
		return false
	}
	asked := r.Request().Header.Get("If-Modified-Since")
	if asked == "" {
		return false
	}
	since, err := http.ParseTime(asked)
	return err == nil && !v.Updated.Truncate(time.Second).After(since)
}
