package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// scope is a resource together with those it contains: fragments mean one of
// these.
type scope struct {
	typ       string
	byID      map[string]int
	contained []containedResource
	inside    int // the contained resource being walked, or none
	node      *fhir.Node
	env       *fhirpath.Env // of a thorough run
	judge     fhirpath.Judge
}

type containedResource struct {
	node *fhir.Node
	typ  string
	used bool // something refers to it, or it refers to its container
}

// open makes the scope of a resource.
func (r *run) open(n *fhir.Node) *scope {
	s := &scope{typ: n.ResourceType(), inside: none, node: n}
	if r.thorough {
		s.see(r, n, n)
	}
	list := n.Get("contained")
	if list.Kind() != fhir.Array || list.Len() == 0 {
		return s
	}
	s.byID = make(map[string]int, list.Len())
	s.contained = make([]containedResource, list.Len())
	for i, c := range list.All() {
		s.contained[i] = containedResource{node: c, typ: c.ResourceType()}
		id := c.ID()
		if id == "" {
			continue
		}
		if _, ok := s.byID[id]; ok {
			r.push("contained", i)
			r.fail(c, msgContainedDuplicate, "")
			r.pop()
			continue
		}
		s.byID[id] = i
	}
	return s
}

// use notes a reference to a fragment, and reports whether it exists.
func (s *scope) use(id string) bool {
	if id == "" {
		if s.inside != none {
			s.contained[s.inside].used = true
		}
		return true
	}
	i, ok := s.byID[id]
	if ok {
		s.contained[i].used = true
	}
	return ok
}

// typeOf is the type of the resource a fragment means, empty if there is none.
func (s *scope) typeOf(id string) string {
	if id == "" {
		return s.typ
	}
	if i, ok := s.byID[id]; ok {
		return s.contained[i].typ
	}
	return ""
}

// see makes what invariants of a resource see. container is the resource it is
// contained in, or itself.
func (s *scope) see(r *run, n, container *fhir.Node) {
	s.env = r.environment(n, container)
	s.judge = r.v.model.Judge(s.env)
}

// close reports contained resources that nothing led to.
func (r *run) close(s *scope) {
	s.judge.Close()
	for i, c := range s.contained {
		if !c.used && c.node.ID() != "" {
			r.push("contained", i)
			r.fail(c.node, msgContainedUnreferenced, "")
			r.pop()
		}
	}
}

// noteFragment notes a canonical or address that means a contained resource.
func noteFragment(r *run, n *fhir.Node) {
	if id, ok := strings.CutPrefix(n.Text(), "#"); ok {
		if !r.scope.use(id) && r.thorough {
			r.report(n, fhir.Information, msgFragmentUnknown)
		}
	}
}

// contained walks a contained resource, which is no scope of its own.
func (r *run) contained(n *fhir.Node) {
	name := n.Get("resourceType")
	switch {
	case r.scope.inside != none:
		r.fail(n, msgContainedNested, "")
		return
	case name.Kind() != fhir.String || name.Text() == "":
		r.fail(at(name, n), msgResourceTypeMissing, "")
		return
	case !r.v.defs.IsResource(name.Text()):
		r.fail(name, msgResourceTypeUnknown, "")
		return
	}
	if n.Get("id") == nil {
		r.fail(n, msgContainedID, "")
	}
	for _, part := range []string{"versionId", "lastUpdated", "security"} {
		if m := n.Path("meta", part); m != nil {
			r.reportBelow(m, fhir.Error, msgContainedMeta, "meta", part)
		}
	}
	r.scope.inside = r.path[len(r.path)-1].index
	p := r.v.plan(name.Text())
	if r.thorough {
		outer, judge := r.scope.env, r.scope.judge
		r.scope.see(r, n, r.scope.node)
		r.object(p, n)
		r.judge(p.invariants, r.v.model.Resource(n), n)
		r.claimed(n, name.Text())
		r.scope.judge.Close()
		r.scope.env, r.scope.judge = outer, judge
	} else {
		r.object(p, n)
	}
	r.scope.inside = none
}
