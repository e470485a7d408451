package rest

import "net/http"

// vread answers GET [type]/[id]/_history/[version].
func (h *Handler) vread(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	number, err := versionOf(r.Param("version"))
	if err != nil {
		return err
	}
	v, err := h.Engine.ReadVersion(r.ctx, r.viewer, key, number)
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
