package rest

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
)

// create answers POST [type], which may be conditional.
func (h *Handler) create(r *request) error {
	typ, err := h.typ(r)
	if err != nil {
		return err
	}
	criteria, err := r.ifNoneExist()
	if err != nil {
		return err
	}
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	var w interaction.Written
	if criteria != nil {
		w, err = h.Engine.CreateIf(r.ctx, r.viewer, typ, content, criteria)
	} else {
		w, err = h.Engine.Create(r.ctx, r.viewer, typ, content)
	}
	if err != nil {
		return err
	}
	return h.written(r, w)
}

// ifNoneExist returns the criteria of If-None-Exist, nil when it is absent. One that
// says nothing is no reason to create what may be there.
func (r *request) ifNoneExist() ([]search.Pair, error) {
	lines := r.Request().Header["If-None-Exist"]
	if len(lines) == 0 {
		return nil, nil
	}
	if len(lines) > 1 {
		return nil, fault.New(fault.Invalid, "If-None-Exist is given twice")
	}
	text := strings.TrimSpace(lines[0])
	if address, query, found := strings.Cut(text, "?"); found {
		if typ := address[strings.LastIndexByte(address, '/')+1:]; typ != "" && typ != r.Param("type") {
			return nil, fault.New(fault.Invalid, "If-None-Exist is about another type")
		}
		text = query
	}
	return pairsOf(text)
}

// criteria returns the parameters of the address that say which resource is meant.
func (r *request) criteria() ([]search.Pair, error) {
	pairs, err := pairsOf(r.Request().URL.RawQuery)
	out := make([]search.Pair, 0, len(pairs))
	for _, p := range pairs {
		if p.Name != "_format" && p.Name != "_pretty" {
			out = append(out, p)
		}
	}
	return out, err
}

func pairsOf(query string) ([]search.Pair, error) {
	pairs, issues := search.Pairs(query)
	if fhir.HasErrors(issues) {
		return nil, &interaction.Refused{Fault: fault.New(fault.Invalid, "the criteria cannot be read"), Issues: issues}
	}
	if pairs == nil {
		pairs = []search.Pair{}
	}
	return pairs, nil
}
