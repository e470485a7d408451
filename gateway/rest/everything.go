package rest

import "github.com/yilian/yilian/gateway/fault"

// everything answers GET Patient/[id]/$everything.
func (h *Handler) everything(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	if key.Type != "Patient" {
		return fault.New(fault.NotFound, "$everything is an operation of Patient")
	}
	pairs, err := h.pairs(r)
	if err != nil {
		return err
	}
	found, err := h.Engine.Everything(r.ctx, r.viewer, key.ID, pairs)
	if err != nil {
		return err
	}
	return h.searchset(r, h.base()+"/"+key.String()+"/$everything", found)
}
