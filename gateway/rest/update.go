package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/yilian/yilian/gateway/interaction"
)

// update answers PUT [type]/[id].
func (h *Handler) update(r *request) error {
	key, match, err := h.instance(r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.Request().Header.Get("If-None-Match")) == "*" {
		match = append(match, interaction.NoVersion)
	}
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.Update(r.ctx, r.viewer, key, content, match...)
	if err != nil {
		return notCreated(err)
	}
	return h.written(r, w)
}

// updateIf answers PUT [type]?[criteria].
func (h *Handler) updateIf(r *request) error {
	typ, criteria, match, err := h.conditional(r)
	if err != nil {
		return err
	}
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.UpdateIf(r.ctx, r.viewer, typ, content, criteria, match...)
	if err != nil {
		return notCreated(err)
	}
	return h.written(r, w)
}

// notCreated gives an update of nothing its status, where a client cannot create by
// update.
func notCreated(err error) error {
	if !errors.Is(err, interaction.ErrNotCreated) {
		return err
	}
	return &httpError{status: http.StatusMethodNotAllowed, error: err}
}
