package reference

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// maxEntries bounds a batch or transaction.
const maxEntries = 1000

// bundle runs a batch or a transaction.
func (s *Server) bundle(r *request) *answer {
	kind := r.node.Get("type").Text()
	if r.node.ResourceType() != "Bundle" || kind != "batch" && kind != "transaction" {
		return invalid("the body must be a batch or a transaction")
	}
	entries := r.node.Get("entry").Items()
	if len(entries) > maxEntries {
		return outcome(http.StatusRequestEntityTooLarge, fhir.TypeTooCostly, "there are too many entries")
	}
	saved, next, changes := s.snapshot(), s.next, s.changes
	undo := func() { s.stored, s.next, s.changes = saved, next, changes }
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	if kind == "transaction" {
		slices.SortStableFunc(order, func(a, b int) int { return rank(entries[a]) - rank(entries[b]) })
	}
	renamed := map[string]string{}
	if kind == "transaction" && !s.faults[ConditionalReferences] {
		for _, e := range entries {
			if wrong := s.conditionalReferences(e.Get("resource")); wrong != nil {
				return wrong
			}
		}
	}
	answers := make([]*answer, len(entries))
	for _, i := range order {
		a := s.entry(entries[i])
		answers[i] = a
		if a.status < 400 {
			if full := entries[i].Get("fullUrl").Text(); full != "" && a.version != nil && a.node != nil {
				renamed[full] = a.node.ResourceType() + "/" + a.node.ID()
			}
			continue
		}
		if kind == "transaction" || s.faults[BatchAllOrNothing] {
			if !s.faults[TransactionPartial] {
				undo()
			}
			return &answer{status: a.status, node: a.node}
		}
	}
	if kind == "transaction" && !s.faults[TransactionReferences] {
		for _, a := range answers {
			if a.version != nil && a.node != nil {
				rename(a.node, renamed)
			}
		}
	}
	out := fhir.NewObject().SetString("resourceType", "Bundle").SetString("type", kind+"-response")
	list := fhir.NewArray()
	for _, a := range answers {
		response := fhir.NewObject().SetString("status", strconv.Itoa(a.status)+" "+http.StatusText(a.status))
		if a.location != "" && !s.faults[TransactionNoLocation] {
			response.SetString("location", a.location)
		}
		if a.version != nil {
			response.SetString("etag", etag(a.version.number))
			response.SetString("lastModified", a.version.at.Format("2006-01-02T15:04:05.000Z07:00"))
		}
		e := fhir.NewObject()
		switch {
		case a.status >= 400:
			response.Set("outcome", a.node)
		case a.node != nil:
			e.Set("resource", a.node.Clone())
		}
		list.Append(e.Set("response", response))
	}
	if list.Len() > 0 {
		out.Set("entry", list)
	}
	return &answer{status: http.StatusOK, node: out}
}

func (s *Server) snapshot() map[string]map[string][]version {
	out := map[string]map[string][]version{}
	for kind, ids := range s.stored {
		out[kind] = maps.Clone(ids)
		for id, all := range ids {
			out[kind][id] = slices.Clip(slices.Clone(all))
		}
	}
	return out
}

// rank is the order in which a transaction is run.
func rank(entry *fhir.Node) int {
	switch entry.Path("request", "method").Text() {
	case http.MethodDelete:
		return 0
	case http.MethodPost:
		return 1
	case http.MethodPut, http.MethodPatch:
		return 2
	}
	return 3
}

func (s *Server) entry(e *fhir.Node) *answer {
	target := e.Path("request", "url").Text()
	u, err := url.Parse(strings.TrimPrefix(target, s.base))
	if err != nil || target == "" {
		return invalid("an entry has no URL")
	}
	req := &request{method: e.Path("request", "method").Text(), query: u.Query(), header: http.Header{}, content: typeJSON}
	req.path = slices.DeleteFunc(strings.Split(u.Path, "/"), func(p string) bool { return p == "" })
	if len(req.path) == 0 {
		return invalid("an entry has no path")
	}
	if n := e.Get("resource"); n != nil {
		req.node = n.Clone()
	}
	for name, header := range map[string]string{"ifMatch": "If-Match", "ifNoneExist": "If-None-Exist", "ifNoneMatch": "If-None-Match"} {
		if v := e.Path("request", name).Text(); v != "" {
			req.header.Set(header, v)
		}
	}
	return s.do(req)
}

// conditionalReferences replaces references that are searches by what these find.
func (s *Server) conditionalReferences(n *fhir.Node) *answer {
	for i, c := range n.All() {
		if c.Name() == "reference" && c.Kind() == fhir.String {
			kind, condition, ok := strings.Cut(c.Text(), "?")
			if !ok || !s.defs.IsResource(kind) {
				continue
			}
			ids, wrong := s.matching(kind, condition)
			switch {
			case wrong != nil:
				return wrong
			case len(ids) != 1:
				return outcome(http.StatusPreconditionFailed, fhir.TypeNotFound, "a reference by condition does not find one resource")
			}
			n.SetAt(i, fhir.NewString(kind+"/"+ids[0]))
			continue
		}
		if wrong := s.conditionalReferences(c); wrong != nil {
			return wrong
		}
	}
	return nil
}

// rename replaces references to entries by where these have come to be.
func rename(n *fhir.Node, names map[string]string) {
	for i, c := range n.All() {
		if c.Name() == "reference" && c.Kind() == fhir.String {
			if to, ok := names[c.Text()]; ok {
				n.SetAt(i, fhir.NewString(to))
			}
			continue
		}
		rename(c, names)
	}
}
