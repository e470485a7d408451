package rest

import (
	"net/http"
	"strconv"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// create answers POST [type].
func (h *Handler) create(r *request) error {
	typ, err := h.typ(r)
	if err != nil {
		return err
	}
	if err := unconditional(r); err != nil {
		return err
	}
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	v, err := h.Engine.Create(r.ctx, r.viewer, typ, content)
	if err != nil {
		return err
	}
	r.Response().Header().Set("Location", h.versionURL(v))
	return r.written(http.StatusCreated, v)
}

// unconditional refuses a conditional create.
func unconditional(r *request) error {
	if r.Request().Header.Get("If-None-Exist") == "" {
		return nil
	}
	return &httpError{status: http.StatusPreconditionFailed,
		error: fault.New(fault.Unsupported, "conditional create is not supported")}
}

// versionURL is the address of one version.
func (h *Handler) versionURL(v store.Version) string {
	return h.base() + "/" + v.Key.String() + "/_history/" + strconv.FormatInt(v.Number, 10)
}

// written answers a write as Prefer asks: with the resource, or without a body.
func (r *request) written(status int, v store.Version) error {
	if r.Request().Header.Get("Prefer") == "return=minimal" {
		r.Response().Header().Set("ETag", etag(v.Number))
		r.Response().Header().Set("Last-Modified", v.Updated.UTC().Format(http.TimeFormat))
		return r.NoContent(status)
	}
	return r.resourceResponse(status, v)
}
