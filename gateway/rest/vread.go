package rest

import (
	"net/http"
	"strconv"

	"github.com/yilian/yilian/gateway/fault"
)

// vread answers GET [type]/[id]/_history/[version].
func (h *Handler) vread(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(r.Param("version"), 10, 64)
	if err != nil || number < 1 {
		return fault.New(fault.NotFound, "no such resource")
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
