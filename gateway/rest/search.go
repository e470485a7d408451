package rest

import (
	"mime"
	"net/http"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// searchType answers GET [type]?… and POST [type]/_search.
func (h *Handler) searchType(r *request) error {
	typ, err := h.typ(r)
	if err != nil {
		return err
	}
	return h.search(r, h.base()+"/"+typ, interaction.Scope{Type: typ})
}

// searchAll answers GET [base]?… and POST _search: a search on several types.
func (h *Handler) searchAll(r *request) error {
	return h.search(r, h.base(), interaction.Scope{})
}

// searchWithin answers GET [type]/[id]/[type]?… and GET [type]/[id]/*?…, a search in a
// compartment, and the same by POST …/_search.
func (h *Handler) searchWithin(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	address, scope := h.base()+"/"+key.String(), interaction.Scope{Of: key}
	switch typ := r.Param("within"); {
	case typ == "*":
		address += "/*"
	case h.Engine.Definitions.IsResource(typ):
		scope.Type = typ
		address += "/" + typ
	case strings.HasPrefix(typ, "$"):
		return h.misplaced(r, noOperation())
	case typ != "":
		return unknownType()
	}
	return h.search(r, address, scope)
}

func (h *Handler) search(r *request, address string, scope interaction.Scope) error {
	pairs, err := h.pairs(r)
	if err != nil {
		return err
	}
	found, err := h.Engine.SearchIn(r.ctx, r.viewer, scope, pairs, r.lenient())
	if err != nil {
		return err
	}
	return h.searchset(r, address, found)
}

// query reads the parameters of an address.
func (h *Handler) query(text string) ([]search.Pair, error) {
	pairs, issues := search.Pairs(text)
	if fhir.HasErrors(issues) {
		return nil, &interaction.Refused{Fault: fault.New(fault.Invalid, "the query cannot be read"), Issues: issues}
	}
	return pairs, nil
}

// pairs reads the parameters of the address and, for POST, of the form, which may ask
// for a format as the address may.
func (h *Handler) pairs(r *request) ([]search.Pair, error) {
	pairs, err := h.query(r.Request().URL.RawQuery)
	if err != nil || r.Request().Method != http.MethodPost {
		return pairs, err
	}
	media, _, err := mime.ParseMediaType(r.Request().Header.Get("Content-Type"))
	if err != nil && r.Request().ContentLength == 0 {
		return pairs, nil
	}
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "a search is posted as application/x-www-form-urlencoded")}
	}
	from, err := unzipping(r.Request(), maxForm)
	if err != nil {
		return nil, err
	}
	form, err := readOn(nil, from, maxForm+1, r.Request().ContentLength)
	if err != nil {
		return nil, err
	}
	if len(form) > maxForm {
		return nil, fault.Newf(fault.TooCostly, "the form is over %d bytes", maxForm).WithCode("too-long")
	}
	more, err := h.query(string(form))
	if err != nil {
		return nil, err
	}
	for _, p := range more {
		if p.Name == "_format" || p.Name == "_pretty" {
			if err := r.format.ask(p.Name, p.Value); err != nil {
				return nil, err
			}
		}
	}
	return append(pairs, more...), nil
}

// maxForm bounds a posted search.
const maxForm = 1 << 20

// searchset sends a page of a search.
func (h *Handler) searchset(r *request, address string, found *interaction.Found) error {
	b := newBundle("searchset", found.Total, pageLinks(address, found.Self, found.Turn), sizeOf(found.Matches)+sizeOf(found.Included))
	for _, v := range found.Matches {
		b.add(h.base()+"/"+v.Key.String(), v, `"search":{"mode":"match"}`)
	}
	for _, v := range found.Included {
		b.add(h.base()+"/"+v.Key.String(), v, `"search":{"mode":"include"}`)
	}
	if len(found.Issues) > 0 {
		b.add("", store.Version{Body: r.outcome(found.Issues)}, `"search":{"mode":"outcome"}`)
	}
	return r.write(http.StatusOK, b.bytes())
}

func queryOf(pairs []search.Pair) string {
	if len(pairs) == 0 {
		return ""
	}
	return "?" + search.Encode(pairs)
}
