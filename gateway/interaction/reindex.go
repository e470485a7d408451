package interaction

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// $reindex makes the index values of stored resources anew, type by type in the order
// of ids. Where a job is stands in a state of the store, which is set in the same
// transaction as the index values: a process that dies loses the batch that it was at,
// and any process goes on from there. Two that work on one job do no harm: of two
// batches from one place the second is not committed.
//
//	asked for ──▶ waiting ──▶ running ──▶ finished
//	                  batch, batch, …      the parameters that it covers are ready
//
// What is written while it runs is indexed by its writer, see parameter.go.

// Limits of $reindex.
const (
	// reindexBatch is how many resources one transaction indexes.
	reindexBatch = 100
	// maxReindexing is how many jobs may wait.
	maxReindexing = 16
	// keptReindexing is how many finished jobs are remembered.
	keptReindexing = 20
	// maxUnindexed is how many resources that could not be indexed a job names.
	maxUnindexed = 20
	// jobPoll is how often a process looks for jobs and other parameters; jobLease, how
	// long a job stands still before another process than that which began it goes on.
	jobPoll  = time.Second
	jobLease = 5 * time.Second
)

const reindexState = "reindex/"

// Reindexing is how far a job of $reindex is.
type Reindexing struct {
	ID    string    `json:"id"`
	Types []string  `json:"types"` // that it goes through, in this order
	Begun time.Time `json:"begun"`
	Ended time.Time `json:"ended,omitzero"`
	// Parameters is the number of the state of parameters when it was asked for: what was
	// in effect then, it covers.
	Parameters int64          `json:"parameters"`
	At         int            `json:"at"`              // the type in Types that it is at
	After      string         `json:"after,omitempty"` // the last resource of it that is done
	Total      int            `json:"total"`           // resources that there were when it began, or about as many
	Done       int            `json:"done"`
	Failed     map[string]int `json:"failed,omitempty"` // resources of a type that cannot be indexed
	Unindexed  []string       `json:"unindexed,omitempty"`
	Holder     string         `json:"holder,omitempty"`

	number int64
}

func (j *Reindexing) clone() *Reindexing {
	c := *j
	c.Failed, c.Unindexed = maps.Clone(j.Failed), slices.Clone(j.Unindexed)
	return &c
}

// ended tells that nothing is left to do.
func (j *Reindexing) ended() bool { return !j.Ended.IsZero() }

// covers reports whether the job leaves nothing out that a parameter finds.
func (j *Reindexing) covers(e *Engine, parameter *fhir.Node, since int64) bool {
	if since > j.Parameters {
		return false
	}
	for _, typ := range e.typesOf(parameter) {
		if !slices.Contains(j.Types, typ) || j.Failed[typ] > 0 {
			return false
		}
	}
	return true
}

// typesOf are the types whose resources a parameter is about.
func (e *Engine) typesOf(parameter *fhir.Node) (types []string) {
	for _, base := range parameter.Get("base").Items() {
		if name := base.Text(); name == "Resource" || name == "DomainResource" {
			return e.Definitions.ResourceTypes()
		}
		types = append(types, base.Text())
	}
	return types
}

// reindex asks for a job, see Operation. By reading, it tells how far jobs are.
func (e *Engine) reindex(ctx context.Context, v Viewer, c *Call) (Result, error) {
	if !v.Everything {
		return Result{}, fault.New(fault.Forbidden, "the index is the whole alliance's, and this client is one institution's")
	}
	p, err := c.parameters(nil)
	if err != nil {
		return Result{}, err
	}
	if err := e.LoadParameters(ctx); err != nil {
		return Result{}, err
	}
	set := e.parameters.Load()
	types, err := e.typesToReindex(c, p, set)
	if err != nil {
		return Result{}, err
	}
	jobs, err := e.reindexings(ctx)
	if err != nil {
		return Result{}, err
	}
	waiting := 0
	for _, j := range jobs {
		if !j.ended() {
			waiting++
		}
	}
	if waiting >= maxReindexing {
		return Result{}, fault.Newf(fault.Busy, "%d jobs wait already", waiting)
	}
	job := &Reindexing{ID: strings.ToLower(rand.Text()), Types: types, Begun: e.now().UTC(), Parameters: set.number}
	for _, typ := range types {
		page, err := e.Store.Search(ctx, &search.Query{Type: typ, Count: 1, Total: search.TotalEstimate, Allowed: search.Allowed{All: true}})
		if err != nil {
			return Result{}, fmt.Errorf("count what is to be indexed: %w", err)
		}
		job.Total += max(0, page.Total)
	}
	if err := e.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error { return e.setReindexing(ctx, tx, job) }); err != nil {
		return Result{}, fmt.Errorf("keep the job: %w", err)
	}
	e.Poke()
	return Result{Resource: progressOf(job), Job: job.ID}, nil
}

// typesToReindex reads what is to be indexed: everything, a type, types, or what some
// parameters are about.
func (e *Engine) typesToReindex(c *Call, p parameters, set *parameterSet) ([]string, error) {
	var types []string
	for _, n := range p.list {
		value := valueOf(n).Text()
		switch n.Get("name").Text() {
		case "type":
			if c.Key.Type != "" || !e.Definitions.IsResource(value) {
				return nil, invalid("parameter-invalid", "", "type is a resource type, for the whole system only")
			}
			types = append(types, value)
		case "parameter":
			i := slices.IndexFunc(set.active, func(res *fhir.Node) bool { return res.Get("url").Text() == value })
			if i < 0 {
				return nil, invalid("parameter-invalid", "", "parameter is the URL of an active SearchParameter")
			}
			types = append(types, e.typesOf(set.active[i])...)
		default:
			return nil, invalid("parameter-unknown", "", "the operation has the parameters type, parameter")
		}
	}
	all := e.Definitions.ResourceTypes()
	if c.Key.Type != "" {
		return []string{c.Key.Type}, nil
	}
	if len(types) == 0 {
		return slices.Clone(all), nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(typ string) bool { return !slices.Contains(types, typ) }), nil
}

// Reindexings returns the jobs of $reindex, the oldest first.
func (e *Engine) Reindexings(ctx context.Context, v Viewer) ([]*Reindexing, error) {
	if !v.Everything {
		return nil, fault.New(fault.Forbidden, "the index is the whole alliance's, and this client is one institution's")
	}
	return e.reindexings(ctx)
}

func (e *Engine) reindexings(ctx context.Context) ([]*Reindexing, error) {
	states, err := e.Store.States(ctx, reindexState)
	if err != nil {
		return nil, fmt.Errorf("read the jobs: %w", err)
	}
	out := make([]*Reindexing, 0, len(states))
	for _, s := range states {
		j := &Reindexing{}
		if err := json.Unmarshal(s.Content, j); err != nil {
			return nil, fmt.Errorf("read a job: %w", err)
		}
		j.number = s.Number
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *Reindexing) int {
		if c := a.Begun.Compare(b.Begun); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

func (e *Engine) setReindexing(ctx context.Context, tx store.Tx, j *Reindexing) error {
	content, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return tx.SetState(ctx, reindexState+j.ID, j.number, content)
}

// Progress is a Parameters resource that tells how far jobs are, and which given
// parameters still wait for one.
func (e *Engine) Progress(jobs []*Reindexing) *fhir.Node {
	list := fhir.NewArray()
	for _, j := range jobs {
		list.Append(fhir.NewObject().SetString("name", "job").Set("part", progressOf(j).Get("parameter")))
	}
	for _, url := range e.Index.PendingParameters() {
		list.Append(fhir.NewObject().SetString("name", "waiting").Set("valueUri", fhir.NewString(url)))
	}
	out := fhir.NewObject().SetString("resourceType", "Parameters")
	if list.Len() > 0 {
		out.Set("parameter", list)
	}
	return out
}

// JobProgress is a Parameters resource that tells how far a job is.
func JobProgress(j *Reindexing) *fhir.Node { return progressOf(j) }

func progressOf(j *Reindexing) *fhir.Node {
	list := fhir.NewArray()
	add := func(name, kind string, value *fhir.Node) {
		list.Append(fhir.NewObject().SetString("name", name).Set("value"+kind, value))
	}
	number := func(n int) *fhir.Node { return fhir.NewNumber(strconv.Itoa(n)) }
	status := "running"
	switch {
	case j.ended() && len(j.Failed) > 0:
		status = "failed"
	case j.ended():
		status = "finished"
	case j.Holder == "":
		status = "waiting"
	}
	add("job", "Id", fhir.NewString(j.ID))
	add("status", "Code", fhir.NewString(status))
	add("begun", "Instant", fhir.NewString(j.Begun.Format(Instant)))
	if j.ended() {
		add("ended", "Instant", fhir.NewString(j.Ended.Format(Instant)))
	} else if j.At < len(j.Types) {
		add("type", "Code", fhir.NewString(j.Types[j.At]))
	}
	add("done", "UnsignedInt", number(j.Done))
	add("total", "UnsignedInt", number(max(j.Total, j.Done)))
	failed := 0
	for _, n := range j.Failed {
		failed += n
	}
	add("failed", "UnsignedInt", number(failed))
	for _, key := range j.Unindexed {
		list.Append(fhir.NewObject().SetString("name", "unindexed").Set("valueReference", fhir.NewObject().SetString("reference", key)))
	}
	return fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", list)
}

// Poke makes the engine look for jobs and for other parameters now.
func (e *Engine) Poke() {
	select {
	case e.poked <- struct{}{}:
	default:
	}
}

// Run follows what other processes put into effect and works on jobs, until ctx ends.
// What fails is told and tried again.
func (e *Engine) Run(ctx context.Context, failed func(error)) {
	w := &worker{Engine: e, name: strings.ToLower(rand.Text()), seen: map[string]sight{}}
	for {
		if err := w.work(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-e.poked:
		case <-time.After(jobPoll):
		}
	}
}

// worker works on jobs.
type worker struct {
	*Engine
	name string
	seen map[string]sight
}

// sight is where somebody else's job was, and since when.
type sight struct {
	number int64
	since  time.Time
}

func (w *worker) work(ctx context.Context) error {
	if err := w.LoadParameters(ctx); err != nil {
		return err
	}
	jobs, err := w.reindexings(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.ended() {
			continue
		}
		if j.Holder != "" && j.Holder != w.name {
			if s, ok := w.seen[j.ID]; !ok || s.number != j.number {
				w.seen = map[string]sight{j.ID: {j.number, time.Now()}}
				return nil // it is worked on
			} else if time.Since(s.since) < jobLease {
				return nil
			}
		}
		if err := w.run(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// run works on a job until it ended or somebody else works on it.
func (w *worker) run(ctx context.Context, j *Reindexing) error {
	for ctx.Err() == nil {
		next, err := w.batch(ctx, j)
		if errors.Is(err, store.ErrState) {
			if err := w.LoadParameters(ctx); err != nil {
				return err
			}
			now, err := w.Store.State(ctx, reindexState+j.ID)
			if err != nil {
				return err
			}
			if now.Number == j.number {
				continue // other parameters were put into effect
			}
			w.Poke()
			return nil
		}
		if err != nil {
			return err
		}
		if next.ended() {
			return errors.Join(w.LoadParameters(ctx), w.forget(ctx))
		}
		j = next
	}
	return nil
}

// batch indexes the next resources, or ends the job.
func (w *worker) batch(ctx context.Context, j *Reindexing) (*Reindexing, error) {
	next := j.clone()
	next.Holder = w.name
	set := w.parameters.Load()
	page, err := w.page(ctx, next)
	if err != nil {
		return nil, err
	}
	if page == nil {
		next.Ended = w.now().UTC()
		err := w.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			return errors.Join(w.setReindexing(ctx, tx, next), w.makeReady(ctx, tx, set, next))
		})
		next.number++
		return next, err
	}
	values := make([]*search.Values, len(page))
	for i, v := range page {
		tree, err := parseStored(v.Body)
		if err != nil {
			return nil, fmt.Errorf("read a stored %s: %w", v.Type, err)
		}
		found, issues := w.Index.Values(tree)
		next.Done++
		if !fhir.HasErrors(issues) {
			values[i] = &found
			continue
		}
		if next.Failed == nil {
			next.Failed = map[string]int{}
		}
		if next.Failed[v.Type]++; len(next.Unindexed) < maxUnindexed {
			next.Unindexed = append(next.Unindexed, v.Key.String())
		}
	}
	err = w.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := tx.HoldState(ctx, parametersState, set.number); err != nil {
			return err
		}
		for i, v := range page {
			if values[i] == nil {
				continue
			}
			// Who wrote another version, or removed it, left nothing to do.
			err := tx.Reindex(ctx, v.Key, v.Number, *values[i])
			if errors.Is(err, store.ErrState) || err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return w.setReindexing(ctx, tx, next)
	})
	next.number++
	return next, err
}

// page reads the next resources of a job and moves it behind them; nil: there are none.
func (w *worker) page(ctx context.Context, j *Reindexing) ([]store.Version, error) {
	for j.At < len(j.Types) {
		page, err := w.Store.Scan(ctx, j.Types[j.At], j.After, reindexBatch)
		if err != nil {
			return nil, fmt.Errorf("read what is to be indexed: %w", err)
		}
		if len(page) > 0 {
			j.After = page[len(page)-1].ID
			return page, nil
		}
		j.At, j.After = j.At+1, ""
	}
	return nil, nil
}

// makeReady lets all search by the parameters that a job covered.
func (e *Engine) makeReady(ctx context.Context, tx store.Tx, set *parameterSet, j *Reindexing) error {
	covered := func(i int) bool { return j.covers(e, set.active[i], set.records[set.ids[i]].Since) }
	changes := false
	for i, id := range set.ids {
		changes = changes || covered(i) && !set.records[id].Ready
	}
	if !changes {
		return tx.HoldState(ctx, parametersState, set.number)
	}
	return e.setParameters(ctx, tx, set, func(records map[string]parameterRecord) {
		for i, id := range set.ids {
			if covered(i) {
				records[id] = parameterRecord{Since: records[id].Since, Ready: true}
			}
		}
	})
}

// forget removes what is known of jobs that ended long ago.
func (w *worker) forget(ctx context.Context) error {
	jobs, err := w.reindexings(ctx)
	if err != nil {
		return err
	}
	jobs = slices.DeleteFunc(jobs, func(j *Reindexing) bool { return !j.ended() })
	for _, j := range jobs[:max(0, len(jobs)-keptReindexing)] {
		err := w.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.SetState(ctx, reindexState+j.ID, j.number, nil)
		})
		if err != nil && !errors.Is(err, store.ErrState) {
			return err
		}
	}
	return nil
}
