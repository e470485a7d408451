package rest

import (
	"strings"

	"github.com/yilian/yilian/gateway/store"
)

// subset cuts resources of a type down to what _summary and _elements of the address
// ask for; "" is any type. The list is changed.
func (h *Handler) subset(r *request, typ string, list []store.Version) error {
	query := r.Request().URL.RawQuery
	if !strings.Contains(query, "_summary") && !strings.Contains(query, "_elements") {
		return nil
	}
	pairs, err := h.query(query)
	if err != nil {
		return err
	}
	var types []string
	if typ != "" {
		types = []string{typ}
	}
	asked, err := h.Engine.SubsetOf(types, pairs)
	if err != nil {
		return err
	}
	return h.Engine.Cut(list, asked)
}

// cut is subset for one resource.
func (h *Handler) cut(r *request, v store.Version) (store.Version, error) {
	list := []store.Version{v}
	err := h.subset(r, v.Type, list)
	return list[0], err
}
