package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
)

// methods are those that interactions have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// unknown answers addresses and methods that are no interaction of ours, and OPTIONS.
func (h *Handler) unknown(r *request) error {
	allowed := h.allowed(r.Request().URL.Path)
	if len(allowed) == 0 {
		return fault.New(fault.NotFound, "no such address")
	}
	if r.Request().Method == http.MethodOptions {
		r.allow(allowed)
		if slices.Contains(allowed, http.MethodPatch) {
			r.acceptPatch()
		}
		h.preflight(r, allowed)
		return r.NoContent(http.StatusNoContent)
	}
	return r.notAllowed(allowed)
}

// misplaced is the error of a request whose address is an interaction's with another
// method, err where it is none at all.
func (h *Handler) misplaced(r *request, err error) error {
	if allowed := h.allowed(r.Request().URL.Path); len(allowed) > 0 {
		return r.notAllowed(allowed)
	}
	return err
}

func (r *request) notAllowed(allowed []string) error {
	r.allow(allowed)
	return &httpError{status: http.StatusMethodNotAllowed, error: fault.New(fault.Unsupported, "this interaction is not supported here")}
}

// otherwise returns the methods that remain when the request's own is not carried out.
func (h *Handler) otherwise(r *request) []string {
	return slices.DeleteFunc(h.allowed(r.Request().URL.Path), func(m string) bool { return m == r.Request().Method })
}

func (r *request) allow(methods []string) {
	r.Response().Header().Set("Allow", strings.Join(methods, ", ")+", "+http.MethodOptions)
}

// allowed returns the methods that an address takes, none for what is no address here.
func (h *Handler) allowed(path string) []string {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(path, h.Path), "/"), "/")
	first, last := parts[0], parts[len(parts)-1]
	if first == "" {
		return []string{http.MethodGet, http.MethodHead, http.MethodPost}
	}
	found := h.entries.NewContext(nil, nil)
	var out []string
	for _, method := range methods {
		found.Reset(nil, nil)
		h.entries.Router().Find(method, path, found)
		route := found.Path()
		name := strings.TrimPrefix(route, h.Path+"/")
		switch {
		case name == "*", strings.HasPrefix(name, ":type") && !h.Engine.Definitions.IsResource(first):
		case strings.HasSuffix(name, ":id") && !isID(last):
		case strings.HasSuffix(name, ":within") && last != "*" && !h.Engine.Definitions.IsResource(last):
		default:
			out = append(out, method)
		}
	}
	return out
}
