package rest

import (
	"net/http"

	"github.com/yilian/yilian/gateway/store"
)

// metadata answers GET metadata.
func (h *Handler) metadata(r *request) error {
	v, err := h.cut(r, store.Version{Key: store.Key{Type: "CapabilityStatement"}, Body: h.Engine.Capabilities()})
	if err != nil {
		return err
	}
	return r.write(http.StatusOK, v.Body)
}
