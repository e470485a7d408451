package interaction

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// What codes and profiles mean is said by the definitions of FHIR, by the guide, and
// by resources that are stored: CodeSystems, ValueSets, ConceptMaps and
// StructureDefinitions that the viewer may see. They are taken from the store when
// they are asked for, and what was made of them is kept until one of them changes.

// Definer finds definitions beyond those of FHIR, by resource type and canonical URL,
// with |version or without.
type Definer interface {
	Resolve(kind, canonical string) (*fhir.Node, bool)
}

// Imported finds code systems that are too large to be resources.
type Imported interface {
	// Imports returns a text that changes when something is imported.
	Imports(ctx context.Context) (string, error)
	Systems(ctx context.Context) ([]terminology.CodeSystem, error)
}

// defining are the types whose resources say what others mean.
var defining = []string{"CodeSystem", "ConceptMap", "StructureDefinition", "ValueSet"}

// knowledge is what a viewer's definitions say, as long as none of them changes.
type knowledge struct {
	changes   [4]int64 // the latest of each type of defining
	imports   string   // see Imported
	erasures  int64    // see store.Erasures
	view      string   // what the viewer may see
	catalog   *terminology.Catalog
	validator func() *validate.Validator
	source    *storedDefinitions
}

// maxKnown bounds for how many different views of the store knowledge is kept.
const maxKnown = 4

// keptTerms is how many bytes of what was read of code systems and value sets each
// knowledge keeps.
const keptTerms = 32 << 20

// library keeps knowledge by what viewers may see.
type library struct {
	mu    sync.Mutex
	known map[string]*knowledge
}

// maxMaps and maxSupplements bound how many stored ConceptMaps a translation without a
// map looks through, and how many stored supplements are added to code systems.
const (
	maxMaps        = 200
	maxSupplements = 200
)

// knows returns the knowledge of a viewer.
func (e *Engine) knows(ctx context.Context, v Viewer) (*knowledge, error) {
	ctx = outside(ctx)
	allowed := v.allowed()
	view := strconv.FormatBool(allowed.All) + strconv.FormatBool(allowed.Shared) + strings.Join(allowed.Owners, "\x00") +
		"\x00\x00" + strings.Join(allowed.Patients, "\x00")
	var changes [4]int64
	for i, typ := range defining {
		page, err := e.Store.Versions(ctx, store.HistoryQuery{Type: typ, Allowed: search.Allowed{All: true}, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(page.Rows) > 0 {
			changes[i] = page.Rows[0].Change
		}
	}
	imports := ""
	if e.Imported != nil {
		var err error
		if imports, err = e.Imported.Imports(ctx); err != nil {
			return nil, err
		}
	}
	erasures, err := e.Store.Erasures(ctx)
	if err != nil {
		return nil, err
	}
	e.library.mu.Lock()
	k := e.library.known[view]
	e.library.mu.Unlock()
	if k != nil && k.changes == changes && k.imports == imports && k.erasures == erasures {
		return k, nil
	}
	if k, err = e.learn(ctx, allowed, changes); err != nil {
		return nil, err
	}
	k.imports, k.erasures, k.view = imports, erasures, view
	e.library.mu.Lock()
	defer e.library.mu.Unlock()
	if len(e.library.known) >= maxKnown || e.library.known == nil {
		e.library.known = map[string]*knowledge{}
	}
	e.library.known[view] = k
	return k, nil
}

func (e *Engine) learn(ctx context.Context, allowed search.Allowed, changes [4]int64) (*knowledge, error) {
	source := &storedDefinitions{engine: e, allowed: allowed}
	k := &knowledge{changes: changes, source: source}
	supplement := search.Clause{Param: "content-mode", Kind: search.KindToken, Any: []search.Operand{search.TokenMatch{Code: "supplement"}}}
	var resources []*fhir.Node
	for _, wanted := range []struct {
		typ   string
		where []search.Clause
		limit int
	}{{"CodeSystem", []search.Clause{supplement}, maxSupplements}, {"ConceptMap", nil, maxMaps}} {
		if changes[slices.Index(defining, wanted.typ)] == 0 {
			continue
		}
		found, err := source.find(ctx, wanted.typ, wanted.where, wanted.limit)
		if err != nil {
			return nil, err
		}
		resources = append(resources, found...)
	}
	var systems []terminology.CodeSystem
	if e.Imported != nil {
		var err error
		if systems, err = e.Imported.Systems(ctx); err != nil {
			return nil, err
		}
	}
	k.catalog = terminology.New(e.Definitions, terminology.Options{Systems: systems, Resources: resources, Source: source, Now: e.now, Limits: terminology.Limits{Kept: keptTerms}})
	k.validator = sync.OnceValue(func() *validate.Validator {
		return validate.New(e.Definitions, validate.Options{Thorough: true, NoBestPractice: true, Source: source, Catalog: k.catalog})
	})
	return k, nil
}

// expanding is the operation whose answers are kept: the others look at single codes.
const expanding = "ValueSet/$expand"

// maxAnswer bounds the bytes of an answer that is kept.
const maxAnswer = 1 << 20

// operate answers a question about codes, from what was answered before if that rests on
// the same definitions.
func (e *Engine) operate(ctx context.Context, k *knowledge, name string, question *fhir.Node) (*fhir.Node, error) {
	if e.Answers == nil || name != expanding {
		return k.catalog.Operate(ctx, name, question)
	}
	asked := []string{name, e.Config.Version, k.view, fmt.Sprint(k.changes, k.erasures), k.imports, string(question.AppendJSON(nil))}
	if text, ok := e.Answers.Get(ctx, asked...); ok {
		if kept, err := fhir.Parse(bytes.Clone(text), fhir.Limits{}); err == nil {
			return kept, nil
		}
	}
	answer, err := k.catalog.Operate(ctx, name, question)
	if err == nil {
		if text := answer.AppendJSON(nil); len(text) <= maxAnswer {
			e.Answers.Keep(text, asked...)
		}
	}
	return answer, err
}

// storedDefinitions finds definitions in the store, as far as they may be seen, and in
// the guide.
type storedDefinitions struct {
	engine  *Engine
	allowed search.Allowed
}

// resolveTime bounds the look for one definition: whoever asks has no context.
const resolveTime = 10 * time.Second

// maxSameURL bounds how many resources of one canonical URL are looked at.
const maxSameURL = 50

// Resolve implements Definer.
func (d *storedDefinitions) Resolve(kind, canonical string) (*fhir.Node, bool) {
	if slices.Contains(defining, kind) || kind == "Questionnaire" {
		ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
		defer cancel()
		url, version, _ := strings.Cut(canonical, "|")
		found, err := d.find(ctx, kind, []search.Clause{{
			Param: "url", Kind: search.KindURI, Any: []search.Operand{search.URIMatch{Value: url}},
		}}, maxSameURL)
		if err == nil {
			if n := newest(found, version); n != nil {
				return n, true
			}
		}
	}
	if d.engine.Guide == nil {
		return nil, false
	}
	return d.engine.Guide.Resolve(kind, canonical)
}

// newest picks of definitions with one URL the one that is meant: of the version, if
// one is named, active rather than not, and the highest version of these.
func newest(found []*fhir.Node, version string) *fhir.Node {
	var best *fhir.Node
	for _, n := range found {
		switch {
		case version != "" && n.Get("version").Text() != version:
		case best == nil, rank(n) > rank(best),
			rank(n) == rank(best) && later(n.Get("version").Text(), best.Get("version").Text()):
			best = n
		}
	}
	return best
}

func rank(n *fhir.Node) int {
	return slices.Index([]string{"retired", "draft", "active"}, n.Get("status").Text())
}

// later compares versions: numbers between dots count as such.
func later(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.ParseUint(as[i], 10, 63)
		y, errY := strconv.ParseUint(bs[i], 10, 63)
		switch {
		case errX == nil && errY == nil && x != y:
			return x > y
		case (errX != nil || errY != nil) && as[i] != bs[i]:
			return as[i] > bs[i]
		}
	}
	return len(as) > len(bs)
}

// find returns stored resources, the last changed first.
func (d *storedDefinitions) find(ctx context.Context, typ string, where []search.Clause, limit int) ([]*fhir.Node, error) {
	page, err := d.engine.Store.Search(ctx, &search.Query{
		Type: typ, Where: where, Allowed: d.allowed, Count: min(limit, d.engine.Limit.MaxPage),
		Sort: []search.Sort{{Param: "_lastUpdated", Kind: search.KindDate, Down: true}},
	})
	if err != nil {
		return nil, err
	}
	out := make([]*fhir.Node, 0, len(page.Rows))
	for _, row := range page.Rows {
		tree, err := parseStored(row.Body)
		if err != nil {
			return nil, err
		}
		out = append(out, tree)
	}
	return out, nil
}

// outside returns a context whose reads see what is committed, also from within a
// transaction: definitions hold when they are committed.
func outside(ctx context.Context) context.Context {
	return context.WithValue(ctx, withinKey{}, (*inside)(nil))
}

type viewerKey struct{}

// seenBy returns a context that says who asks, for the terminology that the search
// engine asks in the middle of parsing.
func seenBy(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// Terminology answers what codes mean to the search engine, from the definitions that
// who asks may see.
func (e *Engine) Terminology() search.Terminology { return codes{e} }

type codes struct{ engine *Engine }

func (c codes) catalog(ctx context.Context) (search.Terminology, error) {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	k, err := c.engine.knows(ctx, v)
	if err != nil {
		return nil, fault.Wrap(fault.KindOf(err), err, "the definitions cannot be read now")
	}
	return search.Catalog(k.catalog), nil
}

// Members implements search.Terminology.
func (c codes) Members(ctx context.Context, valueSet string, limit int) ([]search.Code, error) {
	t, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	return t.Members(ctx, valueSet, limit)
}

// Below implements search.Terminology.
func (c codes) Below(ctx context.Context, system, code string, limit int) ([]search.Code, error) {
	t, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	return t.Below(ctx, system, code, limit)
}

// Above implements search.Terminology.
func (c codes) Above(ctx context.Context, system, code string, limit int) ([]search.Code, error) {
	t, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	return t.Above(ctx, system, code, limit)
}
