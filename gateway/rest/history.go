package rest

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// history answers GET [type]/[id]/_history with its versions, newest first.
func (h *Handler) history(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	limit, before, err := historyParams(r.QueryParams())
	if err != nil {
		return err
	}
	list, more, err := h.Engine.History(r.ctx, r.viewer, key, before, limit)
	if err != nil {
		return err
	}
	address := h.base() + "/" + key.String() + "/_history"
	links := []link{{"self", address + query(r.QueryParams())}}
	if more {
		next := url.Values{"_before": {strconv.FormatInt(list[len(list)-1].Number, 10)}}
		if limit > 0 {
			next.Set("_count", strconv.Itoa(limit))
		}
		links = append(links, link{"next", address + query(next)})
	}
	b := newBundle("history", -1, links, sizeOf(list))
	for _, v := range list {
		b.add(h.base()+"/"+key.String(), v, historyTail(v))
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

func historyParams(params url.Values) (limit int, before int64, err error) {
	for name, values := range params {
		text := values[0]
		switch name {
		case "_count":
			limit, err = strconv.Atoi(text)
			if err != nil || limit < 1 {
				return 0, 0, fault.New(fault.Invalid, "_count is not a positive number")
			}
		case "_before":
			before, err = strconv.ParseInt(text, 10, 64)
			if err != nil || before < 1 {
				return 0, 0, fault.New(fault.Invalid, "_before is not a version")
			}
		case "_format", "_pretty":
		default:
			return 0, 0, fault.New(fault.Invalid, "a parameter that history does not have; it has _count")
		}
	}
	return limit, before, nil
}

// query writes parameters as part of an address, "" when there are none.
func query(params url.Values) string {
	if len(params) == 0 {
		return ""
	}
	return "?" + params.Encode()
}
