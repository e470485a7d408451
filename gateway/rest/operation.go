package rest

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// operations adds the routes of the operations that there are.
func (h *Handler) operations(g *echo.Group) {
	routed := map[string]bool{}
	for _, o := range interaction.Operations() {
		methods := []string{http.MethodPost}
		if !o.Changes {
			methods = append(methods, reading...)
		}
		for path, there := range map[string]bool{"/": o.OnSystem, "/:type/": o.OnType, "/:type/:id/": o.OnInstance, "/:type/:id/_history/:version/": o.OnVersion} {
			if there && !routed[path+o.Name] {
				routed[path+o.Name] = true
				g.Match(methods, path+"$"+o.Name, h.authenticated(func(r *request) error { return h.operate(r, o.Name) }))
			}
		}
	}
}

// operate answers [type]/$name, [type]/[id]/$name and [type]/[id]/_history/[version]/$name.
func (h *Handler) operate(r *request, name string) error {
	call, address, err := h.call(r, name)
	if err != nil {
		return err
	}
	result, err := h.Engine.Operate(r.ctx, r.viewer, name, call)
	switch {
	case err != nil:
		return err
	case result.Found != nil:
		return h.searchset(r, address+"/$"+name, result.Found)
	case result.Job != "":
		return h.accepted(r, result.Job, result.Resource)
	case result.Resource != nil:
		return r.write(http.StatusOK, result.Resource.AppendJSON(nil))
	}
	r.Response().Header().Set("Content-Language", spoken(r.Request()))
	r.Response().Header().Add("Vary", "Accept-Language")
	return r.write(http.StatusOK, r.outcome(result.Issues))
}

// call reads what an operation is invoked on and with.
func (h *Handler) call(r *request, name string) (call *interaction.Call, address string, err error) {
	call = &interaction.Call{Lenient: r.lenient()}
	switch names := r.ParamNames(); {
	case slices.Contains(names, "id"):
		if call.Key, err = h.key(r); err != nil {
			return nil, "", err
		}
		address = h.base() + "/" + call.Key.String()
	case slices.Contains(names, "type"):
		typ, err := h.typ(r)
		if err != nil {
			return nil, "", err
		}
		call.Key = store.Key{Type: typ}
		address = h.base() + "/" + typ
	default:
		address = h.base()
	}
	if version := r.Param("version"); version != "" {
		if call.Version, err = versionOf(version); err != nil {
			return nil, "", err
		}
	}
	if call.Match, err = r.ifMatch(); err != nil {
		return nil, "", err
	}
	if call.Pairs, err = h.query(r.Request().URL.RawQuery); err != nil {
		return nil, "", err
	}
	if r.Request().Method == http.MethodPost && r.Request().ContentLength != 0 {
		var found []fhir.Issue
		if call.Body, found, err = h.sent(r); err != nil {
			return nil, "", err
		}
		if call.Findings = found; fhir.HasErrors(found) && name != "validate" { // which is asked for them
			return nil, "", invalidXML(found)
		}
	}
	return call, address, nil
}
