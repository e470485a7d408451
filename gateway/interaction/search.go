package interaction

import (
	"context"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// CursorParam is the parameter of a next link that says where the page begins.
const CursorParam = "_cursor"

// Found is one page of a search.
type Found struct {
	Turn
	Matches  []store.Version
	Included []store.Version
	Total    int           // -1: not counted
	Self     []search.Pair // the query as it was understood
	Issues   []fhir.Issue  // warnings: what was ignored or cut
}

// Scope says among which resources a search looks.
type Scope struct {
	Type string    // "": all types, or those that _type names
	Of   store.Key // whose compartment; zero: everywhere
}

// Search answers a search on one resource type. A person's id in a patient
// parameter, chain or _id stands for all its Patients; persons themselves are
// found only by id or by the tag of the alliance.
//
// Faults: Invalid as a *Refused for parameters that are unknown or malformed,
// TooCostly for what would run too long.
func (e *Engine) Search(ctx context.Context, v Viewer, typ string, pairs []search.Pair, lenient bool) (*Found, error) {
	return e.SearchIn(ctx, v, Scope{Type: typ}, pairs, lenient)
}

// SearchIn is Search in a compartment, on several types, or both. Several types are
// answered one after the other, each in the order of its own; _sort may merge a few of
// them by _lastUpdated and _id.
//
// Faults besides those of Search: NotFound and Gone as of Read for the resource whose
// compartment it is.
func (e *Engine) SearchIn(ctx context.Context, v Viewer, s Scope, pairs []search.Pair, lenient bool) (*Found, error) {
	for range maxPlans {
		set := e.parameters.Load()
		found, err := e.searchIn(ctx, v, s, pairs, lenient)
		now := e.parameters.Load()
		if err != nil || !set.named(pairs) && !now.named(pairs) {
			return found, err
		}
		if now != set {
			continue
		}
		again, err := e.outdated(ctx, set)
		if err != nil {
			return nil, err
		}
		if !again {
			return found, nil
		}
	}
	return nil, fault.New(fault.Busy, "the search parameters keep changing, try again")
}

func (e *Engine) searchIn(ctx context.Context, v Viewer, s Scope, pairs []search.Pair, lenient bool) (*Found, error) {
	ctx = seenBy(ctx, v)
	a, issues, err := e.understand(ctx, v, s, pairs, lenient)
	if err != nil {
		return nil, err
	}
	from, err := e.cursorOf(v, pairs, a.hash)
	if err != nil {
		return nil, err
	}
	found := &Found{Total: -1, Self: a.request.Self, Issues: issues}
	pages := e.inTurn
	if len(a.types) > 1 && len(a.request.Query.Sort) > 0 {
		pages = e.merged
	}
	if err := pages(ctx, a, from, found); err != nil {
		return nil, err
	}
	if found.Total < 0 && found.Number == 0 && found.Next == "" && a.request.Query.Count > 0 {
		found.Total = len(found.Matches) // all there are
	}
	if err := e.include(ctx, v, a.request, found); err != nil {
		return nil, err
	}
	subset := Subset{Summary: a.request.Summary, Elements: a.request.Elements}
	for _, list := range [][]store.Version{found.Matches, found.Included} {
		if err := e.Cut(list, subset); err != nil {
			return nil, err
		}
	}
	if !wantsData(a.request) {
		return found, nil
	}
	return found, e.attach(ctx, found.Matches, found.Included)
}

// asked is a search that was understood.
type asked struct {
	viewer  Viewer
	scope   Scope
	request *search.Request
	types   []string // in the order in which they are answered
	hash    string
}

func (e *Engine) understand(ctx context.Context, v Viewer, s Scope, pairs []search.Pair, lenient bool) (*asked, []fhir.Issue, error) {
	a := &asked{viewer: v, scope: s, types: []string{s.Type}}
	if s.Of.Type != "" {
		if err := e.compartment(ctx, v, s); err != nil {
			return nil, nil, err
		}
	}
	own := pairs
	if s.Type == "" { // the elements are those of any type
		own = slices.DeleteFunc(slices.Clone(pairs), func(p search.Pair) bool { return p.Name == elementsParam })
	}
	var request *search.Request
	var issues []fhir.Issue
	err := e.parsed(ctx, func() bool {
		request, issues = e.Index.Parse(s.Type, own, search.ParseOptions{Lenient: lenient, Other: []string{CursorParam}, Context: ctx})
		return len(issues) > 0
	})
	if err != nil {
		return nil, nil, err
	}
	if fhir.HasErrors(issues) {
		return nil, nil, unsearchable(issues)
	}
	a.request, a.hash = request, request.Hash
	if s.Of.Type != "" {
		a.hash += " in " + s.Of.String()
	}
	if s.Type != "" {
		return a, issues, nil
	}
	a.types = e.Definitions.ResourceTypes()
	if s.Of.Type != "" {
		a.types = e.Index.CompartmentTypes(s.Of.Type)
	}
	if len(request.Types) > 0 {
		a.types = slices.DeleteFunc(a.types, func(typ string) bool { return !slices.Contains(request.Types, typ) })
	}
	subset, err := e.subsetOf(a.types, pairs)
	if err != nil {
		return nil, nil, err
	}
	if request.Elements = subset.Elements; len(request.Elements) > 0 {
		request.Self = append(request.Self, search.Pair{Name: elementsParam, Value: strings.Join(request.Elements, ",")})
	}
	return a, issues, mergeable(a)
}

// unsearchable is the answer to a query that cannot be carried out: a wrong one, or one
// that is nothing but over limits.
func unsearchable(issues []fhir.Issue) error {
	for _, i := range issues {
		if i.Severity == fhir.Error && i.Code != fhir.TypeTooCostly {
			return &Refused{Fault: fault.New(fault.Invalid, "the search cannot be carried out"), Issues: issues}
		}
	}
	return &Refused{Fault: fault.New(fault.TooCostly, "the search is over a limit"), Issues: issues}
}

// compartment checks that there is a compartment, in the viewer's sight.
func (e *Engine) compartment(ctx context.Context, v Viewer, s Scope) error {
	if e.Definitions.Compartment(s.Of.Type) == nil {
		return fault.New(fault.NotFound, "resources of this type have no compartment")
	}
	if _, ok := e.Index.Compartment(s.Of.Type, s.Of.ID, s.Type); s.Type != "" && !ok {
		return fault.New(fault.NotFound, "the compartment never holds resources of this type")
	}
	_, err := e.Read(ctx, v, s.Of)
	return err
}

// query makes the question to the store about one type.
func (e *Engine) query(ctx context.Context, a *asked, typ string) (*search.Query, error) {
	q := *a.request.Query
	q.Type, q.Allowed = typ, a.viewer.allowed()
	q.Where = slices.Concat(q.Where, a.request.WhereOf[typ])
	var err error
	if q.Where, err = e.resolved(ctx, a.viewer, q.Where); err != nil {
		return nil, err
	}
	if err := e.expandPersons(ctx, q.Where, false); err != nil {
		return nil, err
	}
	if a.scope.Of.Type == "" {
		return &q, nil
	}
	within, ok := e.Index.Compartment(a.scope.Of.Type, a.scope.Of.ID, typ)
	if !ok {
		return nil, fault.New(fault.NotFound, "the compartment never holds resources of this type")
	}
	clause := []search.Clause{within}
	if err := e.expandPersons(ctx, clause, typ == "Patient"); err != nil {
		return nil, err
	}
	q.Where = append(q.Where, clause...)
	return &q, nil
}

// inTurn fills found with a page of matches, type by type.
func (e *Engine) inTurn(ctx context.Context, a *asked, from cursor, found *Found) error {
	asOf, want := from.AsOf, a.request.Query.Count
	total, counts := 0, a.request.Query.Total != search.TotalNone && !from.continues()
	var next *place
	for i, typ := range a.types {
		if i < from.Type || next != nil && !counts {
			continue
		}
		q, err := e.query(ctx, a, typ)
		if err != nil {
			return err
		}
		q.AsOf = asOf
		if i == from.Type {
			q.After = from.position()
		}
		if !counts {
			q.Total = search.TotalNone
		}
		left := max(want-len(found.Matches), 0)
		switch {
		case next != nil || want == 0:
			q.Count = 0
		default:
			q.Count = max(left, 1) // behind a full page it only counts whether there is more
		}
		page, err := e.matches(ctx, a.viewer, q, q.After == nil)
		if err != nil {
			return err
		}
		asOf = page.AsOf
		if counts {
			total += page.Total
		}
		switch {
		case q.Count == 0:
		case left == 0 && (len(page.Rows) > 0 || page.Next != nil):
			next = &place{Type: i}
		case left > 0:
			found.Matches = append(found.Matches, page.Rows...)
			if page.Next != nil {
				next = &place{Type: i, Keys: page.Next.Keys, ID: page.Next.ID}
			}
		}
	}
	if found.Total = from.total(); counts {
		found.Total = total
	}
	found.Turn = e.turn(a.viewer, a.hash, from, next, asOf, found.Total)
	return nil
}

// matches asks for one page of one type, persons included where they are asked for:
// those that _id names come first.
func (e *Engine) matches(ctx context.Context, v Viewer, q *search.Query, first bool) (store.Page, error) {
	var persons []store.Version
	if q.Type == "Patient" {
		if rest, ok := withoutAllianceTag(q.Where, e.InstitutionSystem()); ok {
			q.Where = rest
			return e.personsPage(ctx, v, q)
		}
		if first {
			var err error
			if persons, err = e.personsByID(ctx, v, q); err != nil {
				return store.Page{}, err
			}
		}
	}
	page, err := e.Store.Search(ctx, q)
	if err != nil || len(persons) == 0 {
		return page, err
	}
	if q.Count > 0 {
		page.Rows = append(persons, page.Rows...)
	}
	if q.Total != search.TotalNone {
		page.Total += len(persons)
	}
	return page, nil
}
