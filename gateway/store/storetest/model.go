package storetest

import (
	"slices"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/search/oracle"
	"github.com/yilian/yilian/gateway/store"
)

// model answers queries over a list of resources by looking at every value.
type model []item

func (m model) find(q *search.Query) []string {
	w := oracle.World{Visible: func(i int) bool { return visible(&m[i], &q.Allowed) }}
	for i := range m {
		w.Resources = append(w.Resources, oracle.Resource{Type: key(m[i].key).Type, ID: key(m[i].key).ID, Source: m[i].source, Values: m[i].values})
	}
	return w.Find(q.Type, q.Where)
}

func visible(r *item, a *search.Allowed) bool {
	if r.deleted || a.Patients != nil && (r.patient == "" || !slices.Contains(a.Patients, r.patient)) {
		return false
	}
	return a.All || slices.Contains(a.Owners, r.owner) || a.Shared && r.owner == store.Alliance && r.patient == ""
}
