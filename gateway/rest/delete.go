package rest

import "github.com/yilian/yilian/gateway/interaction"

// delete answers DELETE [type]/[id].
func (h *Handler) delete(r *request) error {
	key, match, err := h.instance(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.Delete(r.ctx, r.viewer, key, match...)
	if err != nil {
		return err
	}
	return h.deleted(r, w)
}

// deleteIf answers DELETE [type]?[criteria].
func (h *Handler) deleteIf(r *request) error {
	typ, criteria, match, err := h.conditional(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.DeleteIf(r.ctx, r.viewer, typ, criteria, match...)
	if err != nil {
		return err
	}
	return h.deleted(r, w)
}

func (h *Handler) deleted(r *request, w interaction.Written) error {
	w.Effect = interaction.Removed // there is nothing to show, whether it was there or not
	return h.written(r, w)
}
