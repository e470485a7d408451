package interaction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// SearchParameters that clients store are in effect for all processes of the gateway.
// Which these are, and which of them every resource is indexed by, is the state
// "parameters" of the store; it has another number after every change.
//
//	written ──▶ waiting ──$reindex──▶ ready ──▶ retired, deleted
//	               ▲                    │
//	               └── another meaning ─┘
//
// A write rests on the number under which its index values were made: where the state
// has another one, it is planned anew. So what is stored after a parameter is in effect
// is indexed by it, whichever process wrote it, and $reindex has to look only at what
// was there. A search that names a given parameter looks at the number when it has its
// answer, and asks again if that changed: no answer mixes two meanings of a parameter.

const (
	parameterType   = "SearchParameter"
	parametersState = "parameters"
)

// DefaultParameters is how many SearchParameters may be in effect.
const DefaultParameters = 200

// parameterRecord is what the state says of one parameter.
type parameterRecord struct {
	// Since is the number of the state from which on it meant what it means.
	Since int64 `json:"since"`
	Ready bool  `json:"ready,omitempty"`
}

// parameterSet is what is in effect by one number of the state. It is not changed.
type parameterSet struct {
	number  int64
	loaded  bool
	records map[string]parameterRecord // by id of the resource
	ids     []string                   // of active parameters
	active  []*fhir.Node               // as ids
}

// customs are the parameters as package search takes them.
func (s *parameterSet) customs() []search.Custom {
	out := make([]search.Custom, len(s.active))
	for i, res := range s.active {
		out[i] = search.Custom{Resource: res, Ready: s.records[s.ids[i]].Ready}
	}
	return out
}

// named reports whether a query may name one of the parameters.
func (s *parameterSet) named(pairs []search.Pair) bool {
	for _, res := range s.active {
		code := res.Get("code").Text()
		if slices.ContainsFunc(pairs, func(p search.Pair) bool { return strings.Contains(p.Name, code) || strings.Contains(p.Value, code) }) {
			return true
		}
	}
	return false
}

// meaning is what index values depend on.
func meaning(parameter *fhir.Node) string {
	var b []byte
	for _, name := range []string{"url", "code", "base", "type", "expression", "target", "component"} {
		b = append(b, name...)
		if n := parameter.Get(name); n != nil {
			b = n.AppendJSON(b)
		}
		b = append(b, 0)
	}
	return string(b)
}

func isActive(parameter *fhir.Node) bool { return parameter.Get("status").Text() == "active" }

// LoadParameters puts into effect what the store says of SearchParameters, if that is
// something else than what is in effect here. What package search cannot use, it
// leaves out.
func (e *Engine) LoadParameters(ctx context.Context) error {
	ctx = outside(ctx)
	e.loading.Lock()
	defer e.loading.Unlock()
	for range maxPlans {
		state, err := e.Store.State(ctx, parametersState)
		if err != nil {
			return fmt.Errorf("read which search parameters are in effect: %w", err)
		}
		if known := e.parameters.Load(); known.loaded && known.number == state.Number {
			return nil
		}
		set, err := e.readParameters(ctx, state)
		if err != nil {
			return err
		}
		after, err := e.Store.State(ctx, parametersState)
		if err != nil {
			return fmt.Errorf("read which search parameters are in effect: %w", err)
		}
		if after.Number == state.Number {
			e.Index.SetParameters(set.customs())
			e.parameters.Store(set) // after the index: who knows the number indexes by it
			return nil
		}
	}
	return fault.New(fault.Busy, "the search parameters keep changing, try again")
}

// parameterPage is how many SearchParameters are read at once.
const parameterPage = 200

func (e *Engine) readParameters(ctx context.Context, state store.State) (*parameterSet, error) {
	set := &parameterSet{number: state.Number, loaded: true, records: map[string]parameterRecord{}}
	if state.Number > 0 {
		if err := json.Unmarshal(state.Content, &set.records); err != nil {
			return nil, fmt.Errorf("read the state of search parameters: %w", err)
		}
	}
	for after := ""; ; {
		page, err := e.Store.Scan(ctx, parameterType, after, parameterPage)
		if err != nil {
			return nil, fmt.Errorf("read search parameters: %w", err)
		}
		if len(page) == 0 {
			return set, nil
		}
		for _, v := range page {
			after = v.ID
			tree, err := parseStored(v.Body)
			if err != nil {
				return nil, fmt.Errorf("read a stored search parameter: %w", err)
			}
			if isActive(tree) && len(set.ids) < e.Limit.Parameters {
				set.ids, set.active = append(set.ids, v.ID), append(set.active, tree)
			}
		}
	}
}

// outdated reports whether the store knows other parameters than set, which are in
// effect here then.
func (e *Engine) outdated(ctx context.Context, set *parameterSet) (bool, error) {
	state, err := e.Store.State(outside(ctx), parametersState)
	if err != nil {
		return false, fmt.Errorf("read which search parameters are in effect: %w", err)
	}
	if set.loaded && state.Number == set.number {
		return false, nil
	}
	if err := e.LoadParameters(ctx); err != nil {
		return false, err
	}
	return e.parameters.Load() != set, nil
}

// parsed parses by the parameters that are in effect: what is refused is looked at once
// more if they are others by now.
func (e *Engine) parsed(ctx context.Context, parse func() (refused bool)) error {
	set := e.parameters.Load()
	if !parse() {
		return nil
	}
	again, err := e.outdated(ctx, set)
	if again {
		parse()
	}
	return err
}

// mayDefine refuses to let a viewer say what all are searched by who may not.
func (v Viewer) mayDefine() error {
	if v.Everything {
		return nil
	}
	return fault.New(fault.Forbidden, "search parameters are the whole alliance's, and this client is one institution's")
}

// checkParameters refuses SearchParameters that cannot be put into effect, together with
// those that are. Only active ones are.
func (e *Engine) checkParameters(drafts []*draft) error {
	if !slices.ContainsFunc(drafts, isParameter) {
		return nil
	}
	set := e.parameters.Load()
	var list []search.Custom
	for i, id := range set.ids {
		if !slices.ContainsFunc(drafts, func(d *draft) bool { return isParameter(d) && d.key.ID == id }) {
			list = append(list, search.Custom{Resource: set.active[i], Ready: true})
		}
	}
	trial := search.New(e.Definitions, search.Options{})
	for _, d := range drafts {
		if !isParameter(d) || d.deleted || !isActive(d.stamped) {
			continue
		}
		if len(list) >= e.Limit.Parameters {
			return fault.Newf(fault.TooCostly, "at most %d search parameters are in effect", e.Limit.Parameters)
		}
		trial.SetParameters(list)
		issues := trial.CheckParameter(d.stamped)
		if list = append(list, search.Custom{Resource: d.stamped, Ready: true}); !fhir.HasErrors(issues) {
			issues = trial.SetParameters(list) // which tells one that has the URL of another
		}
		if fhir.HasErrors(issues) {
			return refuse("the search parameter cannot be put into effect", issues)
		}
	}
	return nil
}

func isParameter(d *draft) bool { return d.key.Type == parameterType }

// holdParameters lets a transaction rest on the parameters by which its drafts are
// indexed, and puts into effect what it writes of them.
func (e *Engine) holdParameters(ctx context.Context, tx store.Tx, drafts []*draft) error {
	set, changes := e.parameters.Load(), false
	for _, d := range drafts {
		changes = changes || isParameter(d)
		if !d.deleted && d.indexed != set {
			return &stale{}
		}
	}
	switch {
	case !changes && slices.ContainsFunc(drafts, func(d *draft) bool { return !d.deleted }):
		return tx.HoldState(ctx, parametersState, set.number)
	case !changes:
		return nil
	}
	return e.setParameters(ctx, tx, set, func(records map[string]parameterRecord) {
		for _, d := range drafts {
			if !isParameter(d) {
				continue
			}
			if d.deleted || !isActive(d.stamped) {
				delete(records, d.key.ID)
				continue
			}
			i := slices.Index(set.ids, d.key.ID)
			if _, known := records[d.key.ID]; !known || i < 0 || meaning(set.active[i]) != meaning(d.stamped) {
				records[d.key.ID] = parameterRecord{Since: set.number + 1}
			}
		}
	})
}

// setParameters changes the state of set.
func (e *Engine) setParameters(ctx context.Context, tx store.Tx, set *parameterSet, change func(map[string]parameterRecord)) error {
	records := maps.Clone(set.records)
	if records == nil {
		records = map[string]parameterRecord{}
	}
	change(records)
	content, err := json.Marshal(records)
	if err != nil {
		return err
	}
	return tx.SetState(ctx, parametersState, set.number, content)
}

// rested turns the end of a transaction that rested on other parameters into a plan
// that is out of date, and puts into effect what the store says now.
func (e *Engine) rested(ctx context.Context, err error) error {
	if !errors.Is(err, store.ErrState) {
		return err
	}
	if err := e.LoadParameters(ctx); err != nil {
		return err
	}
	return &stale{}
}
