package rest

import (
	"net/http"

	"github.com/yilian/yilian/gateway/fault"
)

// update answers PUT [type]/[id].
func (h *Handler) update(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	match, err := r.ifMatch()
	if err != nil {
		return err
	}
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	v, _, err := h.Engine.Update(r.ctx, r.viewer, key, content, match)
	if fault.Is(err, fault.NotFound) {
		// Ids are the server's to give: a client cannot create by update.
		return &httpError{status: http.StatusMethodNotAllowed,
			error: fault.New(fault.Unsupported, "there is no such resource, and update does not create one")}
	}
	if err != nil {
		return err
	}
	r.Response().Header().Set("Content-Location", h.versionURL(v))
	return r.written(http.StatusOK, v)
}
