package rest

import "net/http"

// metadata answers GET metadata.
func (h *Handler) metadata(r *request) error {
	return r.write(http.StatusOK, h.Engine.Capabilities())
}
