package reference

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// history answers with the versions of a resource, of a type or of all, newest first.
func (s *Server) history(r *request, kind, id string) *answer {
	type change struct {
		kind, id string
		v        version
	}
	var changes []change
	for k, ids := range s.stored {
		for i, all := range ids {
			if kind != "" && k != kind || id != "" && i != id {
				continue
			}
			for j, v := range all {
				if s.faults[HistoryMissesVersion] && j == 0 && len(all) > 1 || s.faults[HistoryNoDeletion] && v.node == nil {
					continue
				}
				changes = append(changes, change{k, i, v})
			}
		}
	}
	if id != "" && s.current(kind, id) == nil {
		return notFound()
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(b.v.change, a.v.change) })
	if s.faults[HistoryOldestFirst] {
		slices.Reverse(changes)
	}
	b := fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", "history")
	b.Set("total", fhir.NewNumber(strconv.Itoa(len(changes))))
	if c, err := strconv.Atoi(r.query.Get("_count")); err == nil && c >= 0 {
		changes = changes[:min(c, len(changes))]
	}
	entries := fhir.NewArray()
	for _, c := range changes {
		url := c.kind + "/" + c.id
		if c.v.method == http.MethodPost {
			url = c.kind
		}
		status := "200"
		switch {
		case c.v.node == nil:
			status = "204"
		case c.v.number == 1:
			status = "201"
		}
		e := fhir.NewObject().SetString("fullUrl", s.base+"/"+c.kind+"/"+c.id)
		if c.v.node != nil {
			e.Set("resource", c.v.node.Clone())
		}
		e.Set("request", fhir.NewObject().SetString("method", c.v.method).SetString("url", url))
		e.Set("response", fhir.NewObject().SetString("status", status).SetString("etag", etag(c.v.number)).
			SetString("lastModified", c.v.at.Format("2006-01-02T15:04:05.000Z07:00")))
		entries.Append(e)
	}
	if entries.Len() > 0 {
		b.Set("entry", entries)
	}
	return &answer{status: http.StatusOK, node: b}
}
