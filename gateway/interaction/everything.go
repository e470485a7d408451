package interaction

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// everythingOf carries out $everything of a Patient – or a person with all its
// Patients – and of an Encounter: it, what belongs to it, and what that refers to.
//
// https://hl7.org/fhir/R4/patient-operation-everything.html
func (e *Engine) everythingOf(ctx context.Context, v Viewer, c *Call) (Result, error) {
	pairs, err := c.pairs()
	if err != nil {
		return Result{}, err
	}
	x := &everything{Engine: e, viewer: v, key: c.Key, count: e.Limit.Page}
	if err := x.read(pairs); err != nil {
		return Result{}, err
	}
	found := &Found{Total: -1, Self: x.self}
	answer := x.patient
	if c.Key.Type != "Patient" {
		answer = x.compartment
	}
	if err := answer(ctx, pairs, found); err != nil {
		return Result{}, err
	}
	if len(x.types) == 0 {
		if err := x.supporting(ctx, found); err != nil {
			return Result{}, err
		}
	}
	return Result{Found: found}, e.attach(ctx, found.Matches, found.Included)
}

// everything is what $everything is asked for.
type everything struct {
	*Engine
	viewer     Viewer
	key        store.Key
	types      []string
	since      time.Time
	start, end time.Time // of care; zero: no bound
	count      int
	self       []search.Pair
	seen       map[string]bool
}

// read reads the parameters. start and end are of Patients alone.
func (x *everything) read(pairs []search.Pair) error {
	names := []string{"_since", "_type", "_count"}
	if x.key.Type == "Patient" {
		names = append(names, "start", "end")
	}
	x.seen = map[string]bool{}
	for _, p := range pairs {
		if p.Name == CursorParam || slices.Contains(shownBy, p.Name) {
			continue
		}
		if !slices.Contains(names, p.Name) {
			return invalid("parameter-unknown", "", "$everything has the parameters "+strings.Join(names, ", "))
		}
		if x.seen[p.Name] && p.Name != "_type" {
			return invalid("parameter-repeated", "", "a parameter is given twice: "+p.Name)
		}
		x.seen[p.Name] = true
		low, high, dated := time.Time{}, time.Time{}, false
		if p.Name == "_since" || p.Name == "start" || p.Name == "end" {
			if low, high, dated = x.interval(p.Value); !dated {
				return invalid("date-invalid", "", p.Name+" is not a date or time")
			}
		}
		switch p.Name {
		case "_since":
			x.since = low
		case "start":
			x.start = low
		case "end":
			x.end = high
		case "_type":
			for typ := range strings.SplitSeq(p.Value, ",") {
				if !x.Definitions.IsResource(typ) {
					return invalid("type-unknown", "", "_type names something that is no resource type")
				}
				x.types = append(x.types, typ)
			}
		case "_count":
			n, err := strconv.Atoi(p.Value)
			if err != nil || n < 1 {
				return invalid("count-invalid", "", "_count is not a positive number")
			}
			x.count = min(n, x.Limit.MaxPage)
			p.Value = strconv.Itoa(x.count)
		}
		x.self = append(x.self, p)
	}
	return nil
}

// maxSkipped bounds how many pages start and end may leave empty; what comes then is
// shorter than asked for, with a link to more.
const maxSkipped = 10

// patient fills found with what belongs to a Patient or a person.
func (x *everything) patient(ctx context.Context, pairs []search.Pair, found *Found) error {
	subject, err := x.Read(ctx, x.viewer, x.key)
	if err != nil {
		return err
	}
	q := store.CompartmentQuery{Patients: []string{x.key.ID}, Types: x.types, Since: x.since, Allowed: x.viewer.allowed(), Count: x.count}
	if subject.Number == 0 {
		if q.Patients, err = x.linked(ctx, x.key.ID); err != nil {
			return err
		}
	}
	hash := strings.Join([]string{"everything", x.key.ID, x.since.String(), x.start.String(), x.end.String(), strings.Join(x.types, ",")}, "/")
	from, err := x.cursorOf(x.viewer, pairs, hash)
	if err != nil {
		return err
	}
	q.After, q.AsOf = from.position(), from.AsOf
	if subject.Number == 0 && !from.continues() && (len(x.types) == 0 || slices.Contains(x.types, "Patient")) {
		found.Matches = append(found.Matches, subject)
	}
	for range maxSkipped {
		page, err := x.Store.Compartment(ctx, q)
		if err != nil {
			return err
		}
		before := len(found.Matches)
		if err := x.within(page.Rows, found); err != nil {
			return err
		}
		q.After, q.AsOf = page.Next, page.AsOf
		if page.Next == nil || len(found.Matches) > before {
			break
		}
	}
	var next *place
	if q.After != nil {
		next = &place{Keys: q.After.Keys, ID: q.After.ID}
	}
	found.Turn = x.turn(x.viewer, hash, from, next, q.AsOf, -1)
	return nil
}

// careDates are the search parameters that say when care was given, the best first. A
// resource that has none of them is of any time.
var careDates = []string{"occurrence", "period", "effective-time", "effective", "event-date", "started", "whenhandedover", "whenprepared",
	"collected", "identified", "sent", "onset-date", "onset", "start-date", "datetime", "date", "datewritten", "authored", "authored-on", "authoredon", "created"}

// within adds to found what start and end do not leave out.
func (x *everything) within(rows []store.Version, found *Found) error {
	if x.start.IsZero() && x.end.IsZero() {
		found.Matches = append(found.Matches, rows...)
		return nil
	}
	for _, row := range rows {
		tree, err := parseStored(row.Body)
		if err != nil {
			return err
		}
		values, _ := x.Index.Values(tree)
		if x.overlaps(row.Type, values.Dates) {
			found.Matches = append(found.Matches, row)
		}
	}
	return nil
}

func (x *everything) overlaps(typ string, dates []search.Date) bool {
	if typ == "Patient" {
		return true
	}
	for _, name := range careDates {
		dated := false
		for _, d := range dates {
			if d.Param != name {
				continue
			}
			dated = true
			if (x.start.IsZero() || d.High > x.start.UnixMicro()) && (x.end.IsZero() || d.Low < x.end.UnixMicro()) {
				return true
			}
		}
		if dated {
			return false
		}
	}
	return true
}

// compartment fills found with what is in the compartment of the resource, itself
// among it.
func (x *everything) compartment(ctx context.Context, pairs []search.Pair, found *Found) error {
	asks := []search.Pair{{Name: "_count", Value: strconv.Itoa(x.count)}}
	if len(x.types) > 0 {
		asks = append(asks, search.Pair{Name: "_type", Value: strings.Join(x.types, ",")})
	}
	if !x.since.IsZero() {
		asks = append(asks, search.Pair{Name: "_lastUpdated", Value: "ge" + x.since.UTC().Format(Instant)})
	}
	a, _, err := x.understand(ctx, x.viewer, Scope{Of: x.key}, asks, false)
	if err != nil {
		return err
	}
	a.hash = "everything " + a.hash
	from, err := x.cursorOf(x.viewer, pairs, a.hash)
	if err != nil {
		return err
	}
	return x.inTurn(ctx, a, from, found)
}

// supporting includes what the resources of a page refer to: organizations,
// practitioners, places, contents. Of patients' records it includes only what an
// Encounter's resources refer to; those of a Patient are matches themselves.
func (x *everything) supporting(ctx context.Context, found *Found) error {
	i := &inclusion{engine: x.Engine, viewer: x.viewer, found: found, seen: map[store.Key]bool{}}
	for _, m := range found.Matches {
		i.seen[m.Key] = true
	}
	var keys []store.Key
	for _, m := range found.Matches {
		tree, err := parseStored(m.Body)
		if err != nil {
			return err
		}
		for _, r := range x.Index.References(tree, "") {
			if r.ID == "" || x.key.Type == "Patient" && (r.Type == "Patient" || len(x.Definitions.Compartment("Patient").Parameters(r.Type)) > 0) {
				continue
			}
			keys = append(keys, store.Key{Type: r.Type, ID: r.ID})
		}
		err = eachURL(tree, func(url string) error {
			if k, ok := x.local(url); ok && k.Type == binaryType {
				keys = append(keys, k)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := i.readAll(ctx, keys); err != nil {
		return err
	}
	if i.cut {
		found.Issues = append(found.Issues, includedCut)
	}
	return nil
}

// eachURL calls fn for the url of every Attachment below n.
func eachURL(n *fhir.Node, fn func(string) error) error {
	for _, k := range n.All() {
		var err error
		switch k.Kind() {
		case fhir.String:
			if k.Name() == "url" {
				err = fn(k.Text())
			}
		case fhir.Object, fhir.Array:
			err = eachURL(k, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
