package rest

import "net/http"

// delete answers DELETE [type]/[id].
func (h *Handler) delete(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	match, err := r.ifMatch()
	if err != nil {
		return err
	}
	if err := h.Engine.Delete(r.ctx, r.viewer, key, match); err != nil {
		return err
	}
	return r.NoContent(http.StatusNoContent)
}
