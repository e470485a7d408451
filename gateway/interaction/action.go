package interaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Everything a client writes is a list of actions: one for an interaction, as many
// as entries for a transaction. They are planned together, carried out in one
// transaction of the store, and answered in their order.

// Effect is what became of a write.
type Effect uint8

// The effects.
const (
	Unchanged Effect = iota // nothing was written: it is so already
	Created
	Changed
	Removed
)

// Written is the answer to a write: the version that stands now – none for what was
// not there to be deleted – and what the validator remarked.
type Written struct {
	store.Version
	Effect Effect
	Issues []fhir.Issue
}

// What a client may expect in place of a version.
const (
	// AnyVersion is any, but there must be one, as If-Match: * has it.
	AnyVersion = -1
	// NoVersion is that there must be none, as If-None-Match: * has it.
	NoVersion = -2
	// OtherVersion is one that no resource has: a tag that is none of this server's.
	OtherVersion = -3
)

// expected are the versions one of which a client expects to be there, or AnyVersion.
// NoVersion is alone, with others nothing is as expected; without any, or with 0 alone,
// the client does not say.
type expected []int64

// said reports whether the client expects anything.
func (x expected) said() bool { return slices.ContainsFunc(x, func(n int64) bool { return n != 0 }) }

// something reports whether the client expects that there is something.
func (x expected) something() bool { return x.said() && (len(x) > 1 || x[0] != NoVersion) }

// judge returns the fault of a version that is not what the client expects.
func (x expected) judge(current store.Version) error {
	switch {
	case !x.said(), !x.something() && current.Deleted:
		return nil
	case slices.Contains(x, NoVersion):
		return fault.New(fault.Precondition, "the resource is there already")
	case slices.Contains(x, current.Number), slices.Contains(x, AnyVersion) && !current.Deleted:
		return nil
	}
	return otherVersion()
}

type verb uint8

// The verbs, in the order in which a transaction carries them out.
const (
	deletes verb = iota
	creates
	replaces
	patches
)

// action is one write that a client asks for.
type action struct {
	verb  verb
	place string    // in a Bundle, "" for a single interaction
	key   store.Key // without ID where the server or a criterion decides
	match expected  // by the client
	tree  *fhir.Node
	data  *content // of a Binary
	patch *Patch
	pairs []search.Pair // what a conditional action asks for; nil: it is not conditional
	many  bool          // a conditional delete may mean more than one

	criterion *criterion
	fresh     string // id of what it creates, the same in every plan
	fullURL   string
}

// target is what an action means by a plan.
type target struct {
	keys    []store.Key // none: there is nothing; one, but for a conditional delete of many
	creates bool
	keeps   bool // a conditional create that found its resource
}

// act carries out actions, all or none. more, which may be nil, is called within the
// transaction when everything is written.
func (e *Engine) act(ctx context.Context, v Viewer, actions []*action, more func(context.Context, []Written) error) ([]Written, error) {
	if v.Institution == "" {
		return nil, fault.New(fault.Forbidden, "the client writes for no institution")
	}
	for _, a := range actions {
		a.fresh = e.newID()
		if a.key.Type == parameterType {
			if err := v.mayDefine(); err != nil {
				return nil, at(a.place, err)
			}
		}
	}
	set := e.parameters.Load()
	links, err := e.criteria(ctx, v, actions)
	if err != nil {
		return nil, err
	}
	var results []Written
	_, err = e.write(ctx, func(ctx context.Context, wake []store.Key) (*transaction, error) {
		if now := e.parameters.Load(); now != set { // criteria may mean something else
			if links, err = e.criteria(ctx, v, actions); err != nil {
				return nil, err
			}
			set = now
		}
		p := &planning{Engine: e, viewer: v, actions: actions, links: links}
		t, err := p.plan(ctx, wake)
		if err != nil {
			return nil, err
		}
		results = p.results
		done := func(written []store.Version) {
			results = slices.Clone(p.results)
			for i, of := range p.of {
				results[of].Version = written[i]
			}
		}
		switch {
		case more != nil:
			t.asks = true
			t.more = func(ctx context.Context, _ store.Tx, written []store.Version) error {
				done(written)
				return more(ctx, results)
			}
		case len(t.drafts) > 0:
			t.more = func(_ context.Context, _ store.Tx, written []store.Version) error {
				done(written)
				return nil
			}
		}
		return t, nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// criteria reads what the actions and their references look for.
func (e *Engine) criteria(ctx context.Context, v Viewer, actions []*action) (*linker, error) {
	for _, a := range actions {
		if a.pairs == nil {
			continue
		}
		var err error
		if a.criterion, err = e.criterion(ctx, v, a.key.Type, a.pairs); err != nil {
			return nil, at(a.place, err)
		}
	}
	return e.linker(ctx, v, actions)
}

// one carries out a single action.
func (e *Engine) one(ctx context.Context, v Viewer, a *action) (Written, error) {
	results, err := e.act(ctx, v, []*action{a}, nil)
	if err != nil {
		return Written{}, err
	}
	return results[0], nil
}

// planning is one plan in the making.
type planning struct {
	*Engine
	viewer  Viewer
	actions []*action
	links   *linker

	targets    []target
	results    []Written
	drafts     []*draft
	of         []int // the action of each draft
	conditions []condition
	same       []store.Version // what stays as it is, and must be so still
}

func (p *planning) plan(ctx context.Context, wake []store.Key) (*transaction, error) {
	p.targets, p.results = make([]target, len(p.actions)), make([]Written, len(p.actions))
	for i, a := range p.actions {
		if err := p.aim(ctx, i); err != nil {
			return nil, at(a.place, err)
		}
	}
	if err := p.distinct(); err != nil {
		return nil, err
	}
	trees, err := p.contents(ctx)
	if err != nil {
		return nil, err
	}
	known := map[store.Pending]string{}
	for i, tree := range trees {
		if tree != nil && !p.targets[i].keeps {
			k := p.targets[i].keys[0]
			p.brings(known, k, tree)
			known[store.Pending{Type: k.Type, Identifier: store.Identifier{Value: k.ID}}] = k.ID
		}
	}
	for _, verb := range []verb{deletes, creates, replaces, patches} {
		for i, a := range p.actions {
			if a.verb != verb {
				continue
			}
			if err := p.draft(ctx, i, trees[i], known); err != nil {
				return nil, at(a.place, err)
			}
		}
	}
	woken, err := p.woken(ctx, wake, known, p.drafts)
	if err != nil {
		return nil, err
	}
	return &transaction{drafts: append(p.drafts, woken...), conditions: p.conditions, same: p.same}, nil
}

// aim finds what an action means.
func (p *planning) aim(ctx context.Context, i int) error {
	a, t := p.actions[i], &p.targets[i]
	fresh := store.Key{Type: a.key.Type, ID: a.fresh}
	if a.criterion == nil {
		switch {
		case a.verb == creates:
			t.keys, t.creates = []store.Key{fresh}, true
		default:
			t.keys = []store.Key{a.key}
		}
		return nil
	}
	limit := 2
	if a.many {
		limit = p.Limit.Deletes + 1
	}
	found, err := a.criterion.find(ctx, p.Store, limit)
	if err != nil {
		return err
	}
	condition := condition{criterion: a.criterion, found: found, limit: limit}
	for _, id := range found {
		t.keys = append(t.keys, store.Key{Type: a.key.Type, ID: id})
	}
	switch {
	case a.many && len(found) == limit:
		return fault.Newf(fault.TooCostly, "the criterion finds more than %d resources", p.Limit.Deletes)
	case len(found) > 1 && !a.many:
		return several()
	case a.verb == creates && len(found) == 1:
		t.keeps = true
	case a.verb == creates:
		t.keys, t.creates = []store.Key{fresh}, true
	case a.verb == replaces && len(found) == 1:
		if id := a.tree.ID(); id != "" && id != found[0] {
			return invalid("id-other", a.key.Type+".id", "the id of the body is not that of the resource that fits the criterion")
		}
	case a.verb == replaces:
		t.keys, t.creates = []store.Key{fresh}, true
		if id := a.tree.ID(); id != "" {
			if !p.UpdateCreates {
				return ErrNotCreated
			}
			t.keys = []store.Key{{Type: a.key.Type, ID: id}}
		}
	case a.verb == patches && len(found) == 0:
		return notFound()
	}
	if len(p.actions) > 1 && a.verb != deletes {
		own := t.keys[0].ID
		condition.holds = func(found []string) error {
			if slices.ContainsFunc(found, func(id string) bool { return id != own }) {
				return at(a.place, duplicate("another entry writes a resource that fits the criterion"))
			}
			return nil
		}
	}
	p.conditions = append(p.conditions, condition)
	return nil
}

// distinct refuses actions that mean the same resource: which of them should hold is
// nothing to guess.
func (p *planning) distinct() error {
	if len(p.actions) < 2 {
		return nil
	}
	places := map[store.Key]string{}
	criteria := map[string]string{}
	for i, a := range p.actions {
		if a.criterion != nil && p.targets[i].creates {
			if other, taken := criteria[a.criterion.text]; taken {
				return at(a.place, duplicate("the entry means the same resource as "+other))
			}
			criteria[a.criterion.text] = a.place
		}
		for _, k := range p.targets[i].keys {
			if other, taken := places[k]; taken {
				return at(a.place, duplicate("the entry means the same resource as "+other))
			}
			places[k] = a.place
		}
	}
	return nil
}

func duplicate(text string) error {
	return &Refused{Fault: fault.New(fault.Invalid, text).WithCode("duplicate"), Issues: []fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeDuplicate, ID: "bundle-entries-same", Text: text,
	}}}
}

// contents returns what the actions write, with the references to what others write. The
// trees share what stays as it is with those of the actions, which the next plan begins
// with: nothing may change them.
func (p *planning) contents(ctx context.Context) ([]*fhir.Node, error) {
	trees := make([]*fhir.Node, len(p.actions))
	for i, a := range p.actions {
		trees[i] = a.tree
	}
	if p.links == nil {
		return trees, nil
	}
	conditions, err := p.links.resolve(ctx, p, trees)
	p.conditions = append(p.conditions, conditions...)
	return trees, err
}

// draft drafts what an action writes, if it changes anything.
func (p *planning) draft(ctx context.Context, i int, tree *fhir.Node, known map[store.Pending]string) error {
	a, t := p.actions[i], p.targets[i]
	switch {
	case a.verb == deletes:
		for _, k := range t.keys {
			if err := p.draftDelete(ctx, i, k); err != nil {
				return err
			}
		}
		return nil
	case t.keeps:
		current, err := p.current(ctx, p.viewer, t.keys[0])
		p.keep(i, current)
		return err
	case t.creates && a.verb == creates:
		return p.draftCreate(ctx, i, t.keys[0], tree, known)
	case a.verb == patches:
		return p.draftPatch(ctx, i, t.keys[0], known)
	}
	return p.draftReplace(ctx, i, t.keys[0], tree, known)
}

// add takes a draft into the plan.
func (p *planning) add(i int, d *draft, effect Effect) {
	p.drafts, p.of = append(p.drafts, d), append(p.of, i)
	p.results[i] = Written{Effect: effect, Issues: d.issues}
}

// keep answers an action that changes nothing.
func (p *planning) keep(i int, current store.Version) {
	p.results[i] = Written{Version: current}
	p.same = append(p.same, current)
}

// replaceable reads what an action wants to replace or delete.
func (p *planning) replaceable(ctx context.Context, k store.Key, match expected) (store.Version, error) {
	current, err := p.current(ctx, p.viewer, k)
	if err != nil {
		return store.Version{}, err
	}
	if !p.viewer.mayWrite(current.Owner) {
		return store.Version{}, fault.New(fault.Forbidden, "the resource belongs to another institution")
	}
	return current, match.judge(current)
}

func otherVersion() error {
	return fault.New(fault.Precondition, "the resource has another version by now")
}

// writable checks what holds for every client's write.
func writable(typ string, content *fhir.Node) error {
	if content.Kind() != fhir.Object || content.ResourceType() != typ {
		return invalid("resource-type-other", "", "the body is not a "+typ)
	}
	return nil
}

// clientStamp makes what a client writes as new as now, so that no record from
// before overwrites it.
func (e *Engine) clientStamp() store.Stamp {
	return store.Stamp{Time: e.now().UnixMicro()}
}

// at names the entry of a Bundle that an error is about.
func at(place string, err error) error {
	var again *stale
	if place == "" || errors.As(err, &again) {
		return err
	}
	var refused *Refused
	if errors.As(err, &refused) && len(refused.Issues) > 0 {
		out := &Refused{Fault: refused.Fault, Issues: slices.Clone(refused.Issues)}
		for i := range out.Issues {
			out.Issues[i].Expression = below(place, out.Issues[i].Expression)
		}
		return out
	}
	if answer := fault.AnswerTo(err); answer.Kind != fault.Internal {
		return &Refused{Fault: fault.Wrap(answer.Kind, err, answer.Message).WithCode(answer.Code), Issues: []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.IssueType(answer.Code), Expression: place, Text: answer.Message,
		}}}
	}
	return fmt.Errorf("%s: %w", place, err)
}

// below writes where in a Bundle a place of an entry's resource is.
func below(place, expression string) string {
	if expression == "" || strings.HasPrefix(expression, place) {
		return cmp.Or(expression, place)
	}
	_, rest, deeper := strings.Cut(expression, ".")
	if !deeper {
		return place + ".resource"
	}
	return place + ".resource." + rest
}
