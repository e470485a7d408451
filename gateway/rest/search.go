package rest

import (
	"io"
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
	pairs, err := h.pairs(r)
	if err != nil {
		return err
	}
	lenient := strings.Contains(r.Request().Header.Get("Prefer"), "handling=lenient")
	found, err := h.Engine.Search(r.ctx, r.viewer, typ, pairs, lenient)
	if err != nil {
		return err
	}
	return h.searchset(r, h.base()+"/"+typ, found)
}

// pairs reads the parameters of the address and, for POST, of the form.
func (h *Handler) pairs(r *request) ([]search.Pair, error) {
	query := r.Request().URL.RawQuery
	if r.Request().Method == http.MethodPost {
		media, _, err := mime.ParseMediaType(r.Request().Header.Get("Content-Type"))
		if err != nil || media != "application/x-www-form-urlencoded" {
			return nil, &httpError{status: http.StatusUnsupportedMediaType,
				error: fault.New(fault.Unsupported, "a search is posted as application/x-www-form-urlencoded")}
		}
		form, err := io.ReadAll(io.LimitReader(r.Request().Body, maxForm+1))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the form could not be read")
		}
		if len(form) > maxForm {
			return nil, fault.Newf(fault.TooCostly, "the form is over %d bytes", maxForm).WithCode("too-long")
		}
		query += "&" + string(form)
	}
	pairs, issues := search.Pairs(query)
	if fhir.HasErrors(issues) {
		return nil, &interaction.Refused{Fault: fault.New(fault.Invalid, "the query cannot be read"), Issues: issues}
	}
	return pairs, nil
}

// maxForm bounds a posted search.
const maxForm = 1 << 20

// searchset sends a page of a search.
func (h *Handler) searchset(r *request, address string, found *interaction.Found) error {
	links := []link{{"self", address + queryOf(found.Self)}}
	if found.Next != "" {
		next := append(found.Self[:len(found.Self):len(found.Self)], search.Pair{Name: interaction.CursorParam, Value: found.Next})
		links = append(links, link{"next", address + queryOf(next)})
	}
	b := newBundle("searchset", found.Total, links, sizeOf(found.Matches)+sizeOf(found.Included))
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
