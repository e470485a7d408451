package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/gateway/store"
)

// Brief transactions share those of PostgreSQL, because a trip, a statement and a commit
// cost much more than a row:
//
//	fn ── Begin ──▶ queue ──▶ first trip for all ──▶ fn, one after the other ──▶ rows of all, COMMIT
//	                  │              │                       │                        │
//	                 left         refused             error, or asks more         broken
//	                  ▼              ▼                       ▼                        ▼
//	               its error       alone           error, or again alone        all again alone
//
// No two members of the groups that run have a name, a resource or a person in common, so
// no member sees, or rests on, what another one wrote, and each is answered by itself. A
// group waits for no lock: a member that would have to is refused and goes on alone. A
// transaction that finds nobody beside it has a group to itself, on the goroutine of its
// caller, and may ask what it did not foresee. Beside a group that takes long, and beside
// one that is not much larger, another one begins.

// claim is what no two members have in common: a name, or a resource.
type claim struct{ typ, text string }

// member is a transaction on its way through a group.
type member struct {
	t       *tx
	f       *store.Foresight
	claims  []claim
	locks   []int64
	known   map[store.Key]*current // what the first trip found
	answers *answers
	refused bool // it cannot be carried out without waiting
	course  *course

	state atomic.Int32
	turn  chan turn  // Begin goes on
	ran   chan error // fn returned
	done  chan error // what became of it; errRerun: nothing
}

// States of a member. Only one that waits can leave.
const (
	waiting = iota
	running
	left
)

// turn is how a member goes on.
type turn int

const (
	inGroup turn = iota // it shares the connection of its group until fn returns
	inSolo              // the group is its own
	inOwn               // outside of groups
)

var (
	errRerun     = errors.New("the transaction must be run by itself")
	errAbandoned = errors.New("the goroutine of the transaction ended")
)

// groups puts transactions together. A group takes all that wait and do not stand in
// each other's way; none waits for company.
type groups struct {
	s *Store

	mu      sync.Mutex
	queue   []*member
	busy    map[claim]bool // of groups that run
	running int            // those that have not taken long
	carried int            // how many members they have
}

// course is a group that runs. Once it has taken long others run beside it, so that one
// which waits for the database does not hold them up. What its members have claimed
// stays theirs.
type course struct {
	clock   *time.Timer
	members int
	long    bool // it does not count any more
	over    bool
}

// enter queues a transaction, and waits until it can go on. It fails when ctx ends
// before.
func (g *groups) enter(ctx context.Context, m *member) (turn, error) {
	if g.s.waiting.Add(1) > int64(g.s.opt.Queue) {
		g.s.waiting.Add(-1)
		return inOwn, errQueue
	}
	defer g.s.waiting.Add(-1)
	g.mu.Lock()
	g.queue = append(g.queue, m)
	list := g.start()
	g.mu.Unlock()
	if len(list) == 1 && list[0] == m {
		return inSolo, nil
	}
	g.lead(list)
	select {
	case how := <-m.turn:
		return how, nil
	case <-ctx.Done():
	}
	if !m.state.CompareAndSwap(waiting, left) {
		return <-m.turn, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.queue, m); i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
	}
	return inOwn, ctx.Err()
}

// besideCount is how many must wait at least for a group to begin beside another.
const besideCount = 4

// may reports whether a group may begin. Beside another one it may when it would be
// half as large or larger: then one waits for the disk while the other one computes, and
// what a group costs by itself is still shared by many.
func (g *groups) may() bool {
	n := len(g.queue)
	return g.running == 0 || g.running < g.s.opt.Groups && n >= besideCount && 2*n >= g.carried
}

// start begins a group if one may, and returns its members.
func (g *groups) start() []*member {
	if !g.may() {
		return nil
	}
	list := g.take()
	if len(list) > 0 {
		g.running++
		g.carried += len(list)
		c := &course{members: len(list)}
		for _, m := range list {
			m.course = c
		}
		c.clock = time.AfterFunc(g.s.opt.GroupTime, func() { g.lead(g.yield(c)) })
	}
	return list
}

// yield begins another group beside one that takes long.
func (g *groups) yield(c *course) []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.over {
		return nil
	}
	c.long = true
	g.running--
	g.carried -= c.members
	return g.start()
}

// take takes members from the queue. One that must wait keeps its place before those
// behind it that have something in common with it.
func (g *groups) take() (list []*member) {
	if len(g.queue) == 0 {
		return nil
	}
	var passed map[claim]bool
	claims := 0
	rest := g.queue[:0]
	for _, m := range g.queue {
		fits := len(list) == 0 || len(list) < g.s.opt.GroupCount && claims+len(m.claims) <= g.s.opt.GroupNames
		free := fits && !slices.ContainsFunc(m.claims, func(c claim) bool { return g.busy[c] || passed[c] })
		if free {
			list, claims = append(list, m), claims+len(m.claims)
			for _, c := range m.claims {
				g.busy[c] = true
			}
			continue
		}
		if passed == nil {
			passed = map[claim]bool{}
		}
		for _, c := range m.claims {
			passed[c] = true
		}
		rest = append(rest, m)
	}
	clear(g.queue[len(rest):])
	g.queue = rest
	return list
}

// next ends a group and takes the members of another in its stead; none ends it for
// good. Those that come back are the first in the queue.
func (g *groups) next(list, back []*member) []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range list {
		for _, c := range m.claims {
			delete(g.busy, c)
		}
	}
	g.queue = append(back, g.queue...)
	c := list[0].course
	c.clock.Stop()
	if c.over = true; !c.long {
		g.running--
		g.carried -= c.members
	}
	return g.start()
}

// lead carries out groups until nobody waits. One that consists of a single member is
// that member's.
func (g *groups) lead(list []*member) {
	if len(list) == 0 {
		return
	}
	if len(list) == 1 && list[0].state.CompareAndSwap(waiting, running) {
		list[0].turn <- inSolo
		return
	}
	g.s.work.Go(func() {
		for len(list) > 0 {
			var back []*member
			if len(list) > 1 {
				back = g.s.group(list)
			} else if list[0].state.CompareAndSwap(waiting, running) {
				list[0].turn <- inSolo // it ends the group
				return
			}
			list = g.next(list, back)
		}
	})
}

// leave ends the group that a member had to itself.
func (g *groups) leave(m *member) { g.lead(g.next([]*member{m}, nil)) }

// join lets a transaction that begins share one with others. It returns false where it
// is to run alone.
func (t *tx) join(ctx context.Context, m *member) (joined bool, err error) {
	m.turn, m.ran, m.done = make(chan turn, 1), make(chan error, 1), make(chan error, 1)
	for _, name := range m.f.Names {
		m.claims = append(m.claims, claim{text: name})
	}
	for _, keys := range [][]store.Key{m.f.Creates, m.f.Replaces} {
		for _, k := range keys {
			m.claims = append(m.claims, claim{k.Type, k.ID})
		}
	}
	switch how, err := t.s.groups.enter(ctx, m); {
	case err != nil:
		return false, err
	case how == inGroup:
		return true, nil
	case how == inOwn:
		return false, nil
	}
	t.solo = m
	if t.c, err = t.s.shared.Acquire(ctx); err != nil {
		return false, err
	}
	if err := t.foresee(ctx, []*member{m}, true); err != nil || !m.refused {
		m.tell()
		return true, err
	}
	t.release(false)
	t.endSolo()
	*t = *t.s.newTx(nil, t.hot) // nothing was written yet
	t.foretold, t.locked, t.alone = true, true, true
	return false, nil
}

// await ends the turn of a member, and waits for what becomes of it.
func (t *tx) await(ctx context.Context, err error) error {
	m := t.member
	t.over, t.gone = true, true
	m.ran <- err
	if err != nil {
		return <-m.done
	}
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// abandon ends the turn of a member whose goroutine ends.
func (t *tx) abandon() {
	if t.member != nil && !t.gone {
		t.gone = true
		t.member.ran <- errAbandoned
	}
}

// tell lets the transaction know what the first trip found. A member that left does not
// see what the group still does.
func (m *member) tell() { m.t.known, m.t.answers = m.known, m.answers }

// endSolo lets others take the place of a group that a transaction had to itself.
func (t *tx) endSolo() {
	if t.solo != nil {
		m := t.solo
		t.solo = nil
		t.s.groups.leave(m)
	}
}

// group carries out members together, and returns those that had no room.
func (s *Store) group(list []*member) (back []*member) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.done), s.opt.AwayTime)
	defer cancel()
	apart := func(m *member) {
		if m.state.CompareAndSwap(waiting, running) {
			m.turn <- inOwn
		}
	}
	c, err := s.shared.Acquire(ctx)
	if err != nil {
		for _, m := range list {
			apart(m)
		}
		return nil
	}
	defer c.Release()
	lead := s.newTx(c, nil)
	defer lead.rollback()
	err = lead.foresee(context.WithoutCancel(ctx), list, true)
	var wrote []*member
	for _, m := range list {
		switch {
		case err != nil || m.refused:
			apart(m)
		case lead.bytes > s.opt.GroupBytes:
			back = append(back, m)
		case m.state.CompareAndSwap(waiting, running):
			if lead.lend(m) {
				wrote = append(wrote, m)
			}
		}
	}
	if len(wrote) == 0 {
		return back
	}
	unknown, err := lead.commit(context.WithoutCancel(ctx))
	if err != nil && !unknown {
		err = errRerun
	}
	for _, m := range wrote {
		m.done <- err
	}
	return back
}

// lend lets a member run with what the group found, and reports whether what it writes
// is to be committed. Of one that fails nothing stays; its error rests on nothing that
// another member wrote.
func (t *tx) lend(m *member) bool {
	mark := t.w.mark()
	of := m.t
	of.member, of.begun = m, true
	of.w, of.at, of.changes, of.held = t.w, t.at, t.changes, t.held
	m.tell()
	m.turn <- inGroup
	err := <-m.ran
	if of.broken != nil && (errors.Is(of.broken, errRerun) || err == nil || again(of.broken)) {
		err = errRerun
	}
	if err != nil {
		t.w.undo(mark)
		m.done <- err
		return false
	}
	for _, v := range t.w.versions[mark.versions:] {
		t.bytes += len(v.body)
	}
	t.changes = of.changes
	if t.first == 0 {
		t.first = of.first
	}
	if of.b != nil {
		t.begin()
		t.b.QueuedQueries = append(t.b.QueuedQueries, of.b.QueuedQueries...)
	}
	return true
}
