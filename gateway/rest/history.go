package rest

import (
	"net/http"
	"strconv"

	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// history answers GET [type]/[id]/_history, GET [type]/_history and GET _history with
// versions, newest first.
func (h *Handler) history(r *request) error {
	var key store.Key
	var err error
	address := h.base()
	switch {
	case r.Param("id") != "":
		if key, err = h.key(r); err == nil {
			address += "/" + key.String()
		}
	case r.Param("type") != "":
		if key.Type, err = h.typ(r); err == nil {
			address += "/" + key.Type
		}
	}
	if err != nil {
		return err
	}
	pairs, err := h.pairs(r)
	if err != nil {
		return err
	}
	past, err := h.Engine.History(r.ctx, r.viewer, key, pairs)
	if err != nil {
		return err
	}
	if err := h.subset(r, key.Type, past.Versions); err != nil {
		return err
	}
	address += "/_history"
	b := newBundle("history", -1, pageLinks(address, past.Self, past.Turn), sizeOf(past.Versions))
	for _, v := range past.Versions {
		b.add(h.base()+"/"+v.Key.String(), v, historyTail(v))
	}
	return r.write(http.StatusOK, b.bytes())
}

// historyTail is the request and response of a history entry.
func historyTail(v store.Version) string {
	method, status := "PUT", "200"
	address := v.Key.String()
	switch {
	case v.Deleted:
		method, status = "DELETE", "204"
	case v.Number == 1:
		method, status, address = "POST", "201", v.Type
	}
	return `"request":{"method":"` + method + `","url":"` + address + `"},"response":{"status":"` + status +
		`","etag":"W/\"` + strconv.FormatInt(v.Number, 10) + `\"","lastModified":"` +
		v.Updated.UTC().Format(interaction.Instant) + `"}`
}
