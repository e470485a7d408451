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
	if err != nil {
		return notCreated(err)
	}
	r.Response().Header().Set("Content-Location", h.versionURL(v))
	return r.written(http.StatusOK, v)
}

// notCreated answers an update of nothing: ids are the server's to give, so a client
// cannot create by update.
func notCreated(err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return &httpError{status: http.StatusMethodNotAllowed,
		error: fault.New(fault.Unsupported, "there is no such resource, and update does not create one")}
}
