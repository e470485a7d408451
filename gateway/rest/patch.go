package rest

import (
	"net/http"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// patch answers PATCH [type]/[id].
func (h *Handler) patch(r *request) error {
	key, match, err := h.instance(r)
	if err != nil {
		return err
	}
	x, err := h.patchBody(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.Patch(r.ctx, r.viewer, key, x, match...)
	if err != nil {
		return err
	}
	return h.written(r, w)
}

// patchIf answers PATCH [type]?[criteria].
func (h *Handler) patchIf(r *request) error {
	typ, criteria, match, err := h.conditional(r)
	if err != nil {
		return err
	}
	x, err := h.patchBody(r)
	if err != nil {
		return err
	}
	w, err := h.Engine.PatchIf(r.ctx, r.viewer, typ, x, criteria, match...)
	if err != nil {
		return err
	}
	return h.written(r, w)
}

// patchTypes are the media types of patches.
var patchTypes = strings.Join([]string{interaction.JSONPatch, interaction.XMLPatch, MediaType, XMLMediaType}, ", ")

// acceptPatch tells which kinds of patch there are.
func (r *request) acceptPatch() { r.Response().Header().Set("Accept-Patch", patchTypes) }

// patchBody reads a patch by its media type: that of a resource is a FHIRPath Patch.
func (h *Handler) patchBody(r *request) (interaction.Patch, error) {
	sent := r.Request().Header.Get("Content-Type")
	media, _, _ := strings.Cut(sent, ";")
	switch strings.TrimSpace(strings.ToLower(media)) {
	case interaction.JSONPatch, interaction.XMLPatch:
		text, err := h.body(r)
		if err != nil {
			return interaction.Patch{}, err
		}
		return interaction.PatchOf(strings.ToLower(media), text, fhir.Limits{Bytes: int(h.Body), Depth: h.Depth})
	case "":
		return interaction.Patch{}, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "the Content-Type says which kind of patch it is")}
	}
	parameters, err := h.resource(r)
	if err != nil {
		return interaction.Patch{}, err
	}
	return interaction.Patch{FHIRPath: parameters}, nil
}
