package interaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// draft is one resource on its way into the store.
type draft struct {
	key      store.Key
	expect   int64      // version it replaces, 0 for none
	stamped  *fhir.Node // what will be stored, but for versionId and lastUpdated
	owner    string
	source   string
	stamp    store.Stamp
	values   search.Values
	indexed  *parameterSet     // what values are made by
	content  *content          // of a Binary
	patient  string            // of a Binary, whom it belongs to
	identity *identity.Patient // of a Patient
	pending  []store.Pending   // logical references without a target
	deleted  bool
	waits    bool         // the version it replaces may have waited for targets
	lost     []string     // locks of the identifiers of the version that it replaces
	issues   []fhir.Issue // what the validators found and did not refuse
	profile  []fhir.Issue // errors by profiles among it
}

// stale ends a transaction whose plan no longer fits what is committed. wake
// lists resources that wait for what the plan brings, and must be part of it;
// names are locks that it would have needed besides those it took.
type stale struct {
	wake  []store.Key
	names []string
}

func (*stale) Error() string { return "the plan is out of date" }

const (
	// maxPlans bounds how often a write is planned anew because others were faster.
	maxPlans = 50
	// maxPlansOutside bounds how often that is tried outside of the transaction: where
	// many write the same, a plan that is made within it holds at once.
	maxPlansOutside = 4
)

// planner makes a plan. It gets the resources that must be part of it besides its
// own, because they wait for what it brings. It may be called again, and within the
// transaction.
type planner func(ctx context.Context, wake []store.Key) (*transaction, error)

// write plans and commits until a plan holds.
func (e *Engine) write(ctx context.Context, plan planner) ([]store.Version, error) {
	var wake []store.Key
	var names []string
	for i := range maxPlans {
		var written []store.Version
		var err error
		if i < maxPlansOutside {
			var t *transaction
			if t, err = e.planned(ctx, plan, wake); err != nil {
				return nil, err
			}
			if t.idle() {
				return nil, nil
			}
			own := e.lockNames(t)
			names = union(names, own)
			written, err = e.commit(ctx, t, own)
		} else {
			written, err = e.commitWithin(ctx, plan, wake, names)
		}
		err = e.rested(ctx, err)
		var again *stale
		if !errors.As(err, &again) {
			return written, err
		}
		names = union(names, again.names)
		for _, k := range again.wake {
			if !slices.Contains(wake, k) {
				wake = append(wake, k)
			}
		}
	}
	return nil, fault.New(fault.Busy, "others keep changing the same resources, try again")
}

func (e *Engine) planned(ctx context.Context, plan planner, wake []store.Key) (*transaction, error) {
	t, err := plan(ctx, wake)
	if err != nil {
		return nil, err
	}
	if err := e.checkParameters(t.drafts); err != nil {
		return nil, err
	}
	return t, e.protect(ctx, t.drafts)
}

// union adds names to a sorted list of them.
func union(sorted, more []string) []string {
	out := slices.Concat(sorted, more)
	slices.Sort(out)
	return slices.Compact(out)
}

// transaction is a plan: the drafts to write, what it took for the answers to
// criteria, and what else belongs into the same commit.
type transaction struct {
	drafts     []*draft
	conditions []condition
	same       []store.Version // what the plan leaves as it is
	advances   []store.Key     // what more advances
	asks       bool            // more asks the store
	more       func(context.Context, store.Tx, []store.Version) error
}

// idle tells that there is nothing to commit.
func (t *transaction) idle() bool { return len(t.drafts) == 0 && t.more == nil }

// woken drafts the resources that wait for what known brings.
func (e *Engine) woken(ctx context.Context, wake []store.Key, known map[store.Pending]string, own []*draft) ([]*draft, error) {
	var drafts []*draft
	for _, k := range wake {
		if slices.ContainsFunc(own, func(d *draft) bool { return d.key == k }) {
			continue
		}
		current, err := e.Store.Read(ctx, k)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, fmt.Errorf("read who waits: %w", err)
		}
		if err != nil || current.Deleted {
			continue
		}
		d := &draft{
			key: k, expect: current.Number, owner: current.Owner, source: current.Source, stamp: current.Stamp, waits: true,
		}
		if current.Blob.Digest != "" {
			d.content = &content{blob: current.Blob}
		}
		tree, err := parseStored(current.Body)
		if err != nil {
			return nil, fmt.Errorf("read stored %s: %w", k.Type, err)
		}
		d.lost = e.Index.IdentifierLocks(tree)
		if err := e.prepare(ctx, d, tree, known); err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// brings lists what a resource can be referred to by, for others in the same
// transaction.
func (e *Engine) brings(known map[store.Pending]string, k store.Key, content *fhir.Node) {
	for _, id := range content.Get("identifier").Items() {
		want := store.Pending{Type: k.Type, Identifier: e.identifier(id)}
		if want.Identifier.System != "" && want.Identifier.Value != "" {
			known[want] = k.ID
		}
	}
}

// prepare validates content, resolves its logical references and extracts its
// index values.
func (e *Engine) prepare(ctx context.Context, d *draft, content *fhir.Node, known map[store.Pending]string) error {
	if err := shaped(content); err != nil {
		return err
	}
	d.stamped = e.stamp(content, d.key.ID, d.owner, d.source)
	pending, err := e.resolve(ctx, d, known)
	if err != nil {
		return err
	}
	d.pending = pending
	if err := e.judge(d); err != nil {
		return err
	}
	d.indexed = e.parameters.Load()
	values, issues := e.Index.Values(d.stamped)
	if fhir.HasErrors(issues) {
		return refuse("the resource cannot be indexed", issues)
	}
	d.values = values
	if d.key.Type == "Patient" {
		d.identity = e.Identity.Read(d.stamped, d.owner)
	}
	return nil
}

// put writes a draft inside a transaction, with what hangs on it: the person of
// a Patient, and what waits or is waited for.
func (e *Engine) put(ctx context.Context, tx store.Tx, d *draft) (store.Version, error) {
	p := &store.Put{
		Key: d.key, Deleted: d.deleted, Owner: d.owner, Source: d.source, Stamp: d.stamp, Expect: d.expect,
		Values: d.values,
	}
	if !d.deleted {
		p.Patient = e.patientOf(d.key, d.values)
		if d.key.Type == binaryType {
			p.Patient = d.patient
		}
		p.Render = renderer(d.stamped)
	}
	if d.content != nil {
		p.Blob = d.content.blob
		if d.content.bytes != nil {
			if _, err := tx.Archive(ctx, d.content.bytes); err != nil {
				return store.Version{}, fmt.Errorf("archive content: %w", err)
			}
			if in := transactionOf(ctx); in != nil {
				in.archived[d.content.blob.Digest] = d.content.bytes
			}
		}
	}
	version, err := tx.Put(ctx, p)
	if fault.Is(err, fault.Conflict) {
		return store.Version{}, &stale{}
	}
	if err != nil {
		return store.Version{}, fmt.Errorf("write %s: %w", d.key.Type, err)
	}
	if len(d.pending) > 0 || d.waits {
		if err := tx.SetPending(ctx, d.key, d.pending); err != nil {
			return store.Version{}, fmt.Errorf("keep what it waits for: %w", err)
		}
	}
	return version, nil
}

// patientOf names the local Patient that a resource belongs to: the one its
// patient compartment parameters point at.
func (e *Engine) patientOf(k store.Key, values search.Values) string {
	if k.Type == "Patient" {
		return k.ID
	}
	compartment := e.Definitions.Compartment("Patient")
	params := compartment.Parameters(k.Type)
	for _, param := range append([]string{"patient", "subject"}, params...) {
		if !slices.Contains(params, param) && param != "patient" && param != "subject" {
			continue
		}
		for _, r := range values.References {
			if r.Param == param && r.Type == "Patient" && r.ID != "" {
				return r.ID
			}
		}
	}
	return ""
}

// place gives the Patients among drafts their persons: survivors of a merge
// before those they replaced.
func (e *Engine) place(ctx context.Context, tx store.Tx, drafts []*draft) error {
	for _, replaced := range []bool{false, true} {
		for _, d := range drafts {
			if d.key.Type != "Patient" || d.deleted || isReplaced(d.stamped) != replaced {
				continue
			}
			if err := e.Identity.Place(ctx, tx, d.identity); err != nil {
				return fmt.Errorf("place the patient: %w", err)
			}
		}
	}
	return nil
}

func isReplaced(patient *fhir.Node) bool {
	for _, l := range patient.Get("link").Items() {
		if l.Get("type").Text() == "replaced-by" {
			return true
		}
	}
	return false
}

// lockNames lists what a transaction must lock: every identifier that a resource
// gets or loses, or that one refers by, and what its conditions look for. It is
// sorted, so that transactions lock in one order.
func (e *Engine) lockNames(t *transaction) []string {
	var names []string
	for _, c := range t.conditions {
		names = append(names, c.locks...)
	}
	for _, d := range t.drafts {
		names = append(names, d.lost...)
		if d.deleted {
			continue
		}
		for _, v := range d.values.Tokens {
			if v.Param == "identifier" && v.Code != "" {
				names = append(names, search.IdentifierLock(d.key.Type, v.Code))
			}
		}
		for _, p := range d.pending {
			names = append(names, search.IdentifierLock(p.Type, p.Identifier.Value))
		}
		if d.key.Type == "Patient" {
			names = append(names, d.identity.LockNames()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// identifiers returns the business identifiers among a resource's index values.
func identifiers(values search.Values) (ids []store.Identifier) {
	for _, t := range values.Tokens {
		if t.Param == "identifier" && t.System != "" && t.Code != "" {
			ids = append(ids, store.Identifier{System: t.System, Value: t.Code})
		}
	}
	return ids
}

// maxBrief bounds how many resources a transaction writes that others may wait for.
const maxBrief = 32

// foresight tells the store what carrying out a plan will ask it. A plan that rests on
// searches is not brief, nor is one with contents.
func (e *Engine) foresight(t *transaction, names []string) store.Foresight {
	f := store.Foresight{Names: names, Brief: !t.asks && len(t.conditions) == 0 && len(t.same) == 0 && len(t.drafts) <= maxBrief}
	rests := false
	for _, d := range t.drafts {
		if d.expect == 0 {
			f.Creates = append(f.Creates, d.key)
		} else {
			f.Replaces = append(f.Replaces, d.key)
		}
		f.Brief = f.Brief && len(d.pending) == 0 && d.content == nil && !isParameter(d)
		if d.deleted {
			continue
		}
		rests = true
		if ids := identifiers(d.values); len(ids) > 0 {
			if f.Arrives == nil {
				f.Arrives = map[string][]store.Identifier{}
			}
			f.Arrives[d.key.Type] = append(f.Arrives[d.key.Type], ids...)
		}
		if d.key.Type == "Patient" {
			d.identity.Foresee(&f, d.expect > 0)
		}
	}
	f.Replaces = append(f.Replaces, t.advances...)
	if rests && !slices.ContainsFunc(t.drafts, isParameter) {
		f.States = []store.State{{Name: parametersState, Number: e.parameters.Load().number}}
	}
	return f
}

// commit carries out a plan that locks names. It fails with *stale when the plan was
// made from what is no longer so.
func (e *Engine) commit(ctx context.Context, t *transaction, names []string) (written []store.Version, err error) {
	f := e.foresight(t, names)
	err = e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := begin(ctx, tx, f); err != nil {
			return err
		}
		written, err = e.carryOut(within(ctx, tx), tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	e.done(ctx, t.drafts)
	return written, nil
}

// commitWithin plans and carries out within one transaction that holds the locks.
func (e *Engine) commitWithin(ctx context.Context, plan planner, wake []store.Key, names []string) (written []store.Version, err error) {
	var t *transaction
	err = e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if err := begin(ctx, tx, store.Foresight{Names: names}); err != nil {
			return err
		}
		ctx = within(ctx, tx)
		if t, err = e.planned(ctx, plan, wake); err != nil {
			return err
		}
		if needed := union(names, e.lockNames(t)); len(needed) > len(names) {
			return &stale{names: needed}
		}
		written, err = e.carryOut(ctx, tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	e.done(ctx, t.drafts)
	return written, nil
}

// done is called when drafts are committed.
func (e *Engine) done(ctx context.Context, drafts []*draft) {
	e.count(drafts)
	if slices.ContainsFunc(drafts, isParameter) {
		_ = e.LoadParameters(ctx) // else it is found out a little later
	}
}

func begin(ctx context.Context, tx store.Tx, f store.Foresight) error {
	if err := tx.Begin(ctx, f); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// carryOut checks a plan and writes it.
func (e *Engine) carryOut(ctx context.Context, tx store.Tx, t *transaction) ([]store.Version, error) {
	if err := stand(ctx, tx, t.conditions); err != nil {
		return nil, err
	}
	for _, v := range t.same {
		if now, err := tx.Read(ctx, v.Key); err != nil || now.Number != v.Number {
			return nil, cmp.Or[error](err, &stale{})
		}
	}
	if err := e.unchangedSince(ctx, tx, t.drafts); err != nil {
		return nil, err
	}
	if err := e.holdParameters(ctx, tx, t.drafts); err != nil {
		return nil, err
	}
	written := make([]store.Version, 0, len(t.drafts))
	for _, d := range t.drafts {
		version, err := e.put(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		written = append(written, version)
	}
	if err := e.place(ctx, tx, t.drafts); err != nil {
		return nil, err
	}
	if err := hold(ctx, tx, t.conditions); err != nil {
		return nil, err
	}
	if t.more == nil {
		return written, nil
	}
	return written, t.more(ctx, tx, written)
}
