package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

// What a transaction foresees is locked and answered in its first trip:
//
//	BEGIN, advisory locks, rows that it replaces, time of the transaction
//	the rows, who waits, who is the same person, states
//
// Each statement sees what is committed when it begins, so what stands behind the locks
// sees all that their holders before wrote. Members of a group take the locks that are
// free; a member that another transaction stands in the way of is refused, so that none
// waits for the sake of another.

// answers are what the first trip of some transactions found. They do not change.
type answers struct {
	states  map[string]int64
	waits   map[store.Pending][]store.Pending // who waits for a target, which has no From
	strong  map[store.Identifier]bool         // asked for
	persons map[string][]store.Link           // living links of a person, by institution and patient
	people  map[string]known                  // by Patient; what is not known of one that was asked for is empty
}

// known is what identity knows of a Patient.
type known struct {
	features *store.Features
	link     *store.Link
}

const (
	lockNamesSQL = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::int8[]) k"
	tryNamesSQL  = "SELECT k FROM unnest($1::int8[]) k WHERE NOT pg_try_advisory_xact_lock(k)"
	tryRowsSQL   = lockHotSQL + " SKIP LOCKED"

	// What stands behind OFFSET 0 is looked for by index, once for each row before it, whatever the planner thinks
	// of tables that it has no statistics of.
	foreseenRowsSQL = "SELECT x.n, " + currentRowColumns + ` FROM unnest($1::int4[], $2::bytea[]) WITH ORDINALITY x(type, id, n)
CROSS JOIN LATERAL (SELECT * FROM resource r WHERE r.type = x.type AND r.id = x.id OFFSET 0) r
LEFT JOIN LATERAL (SELECT * FROM index_word w WHERE w.rid = r.rid OFFSET 0) w ON true`

	// All that have one of the identifiers or are named, and who is one person with them.
	foreseenPeopleSQL = `WITH seed AS (SELECT p AS patient FROM unnest($1::bytea[]) p UNION SELECT s.patient FROM unnest($2::bytea[]) u(s)
	CROSS JOIN LATERAL (SELECT f.patient FROM feature_strong f WHERE f.strong = u.s OFFSET 0) s)
SELECT x.patient, f.body, l.person, l.institution, l.rule, l.reason, l.since FROM (SELECT patient FROM seed UNION SELECT b.patient FROM seed
	CROSS JOIN LATERAL (SELECT k.person FROM link k WHERE k.patient = seed.patient AND k.until = 0 OFFSET 0) a
	CROSS JOIN LATERAL (SELECT k.patient FROM link k WHERE k.person = a.person AND k.until = 0 OFFSET 0) b) x
LEFT JOIN LATERAL (SELECT k.body FROM feature k WHERE k.patient = x.patient OFFSET 0) f ON true
LEFT JOIN LATERAL (SELECT * FROM link k WHERE k.patient = x.patient AND k.until = 0 OFFSET 0) l ON true`
)

// foresee makes the first trip for transactions that share the one of t. Those that
// cannot be carried out without waiting are refused where try is set; else it waits.
func (t *tx) foresee(ctx context.Context, list []*member, try bool) error {
	t.begin()
	a := &answers{}
	for _, m := range list {
		m.known, m.refused = map[store.Key]*current{}, false
	}
	t.foreseeLocks(list, try)
	if err := t.foreseeRows(ctx, list, try); err != nil {
		return t.breaks(err)
	}
	t.foreseeWaiting(list, a)
	t.foreseePeople(list, a)
	t.foreseeStates(list, a)
	if err := t.trip(ctx); err != nil {
		return err
	}
	for _, m := range list {
		m.answers = a
		if try && !m.refused && len(list) > 1 {
			m.refused = a.joins(m.f)
		}
	}
	return nil
}

func (t *tx) foreseeLocks(list []*member, try bool) {
	var keys []int64
	for _, m := range list {
		m.locks = make([]int64, len(m.f.Names))
		for i, name := range m.f.Names {
			m.locks[i] = t.s.hash.text("lock\xff" + name)
		}
		keys = append(keys, m.locks...)
	}
	if len(keys) == 0 {
		return
	}
	if !try {
		t.b.Queue(lockNamesSQL, unique(keys))
		return
	}
	taken := map[int64]bool{}
	each(t.b.Queue(tryNamesSQL, unique(keys)), func(rows pgx.Rows) error {
		var key int64
		err := rows.Scan(&key)
		taken[key] = true
		return err
	}, func() error {
		for _, m := range list {
			m.refused = m.refused || slices.ContainsFunc(m.locks, func(k int64) bool { return taken[k] })
		}
		return nil
	})
}

// foreseeRows looks for the rows of resources that are replaced. Where all are brief, or
// run again, it locks them first, and takes the time of the transaction, which is later
// than theirs then; one that is not brief does that when it writes.
func (t *tx) foreseeRows(ctx context.Context, list []*member, try bool) error {
	var of []*member
	var keys []store.Key
	var types []int32
	var ids [][]byte
	add := func(m *member, k store.Key) error {
		if m.known[k] != nil {
			return nil
		}
		typ, ok, err := t.s.names.id(context.WithoutCancel(ctx), k.Type)
		if err != nil {
			return err
		}
		m.known[k] = &current{} // of a type without a number there is nothing
		if ok {
			of, keys, types, ids = append(of, m), append(keys, k), append(types, typ), append(ids, []byte(k.ID))
		}
		return nil
	}
	brief, again := true, false
	for _, m := range list {
		brief, again = brief && m.f.Brief, again || len(m.t.hot) > 0
		for _, k := range m.f.Replaces {
			if err := add(m, k); err != nil {
				return err
			}
		}
		for _, r := range m.t.hot {
			if err := add(m, r.key); err != nil {
				return err
			}
		}
	}
	t.held = map[int64]bool{}
	locks := len(keys) > 0 && (brief || again)
	if locks {
		sql := lockHotSQL
		if try {
			sql = tryRowsSQL
		}
		each(t.b.Queue(sql, types, ids), func(rows pgx.Rows) error {
			var rid int64
			err := rows.Scan(&rid)
			t.held[rid] = true
			return err
		}, nil)
	}
	t.heated = true
	if brief {
		t.stamp()
	}
	if len(keys) == 0 {
		return nil
	}
	each(t.b.Queue(foreseenRowsSQL, types, ids), func(rows pgx.Rows) error {
		var n int
		c := &current{}
		if err := c.scan(rows, &n); err != nil {
			return err
		}
		m := of[n-1]
		m.known[keys[n-1]] = c
		m.refused = m.refused || try && locks && !t.held[c.rid]
		return nil
	}, nil)
	return nil
}

func (t *tx) foreseeWaiting(list []*member, a *answers) {
	a.waits = map[store.Pending][]store.Pending{}
	var targets [][]byte
	for _, m := range list {
		for typ, ids := range m.f.Arrives {
			for _, id := range ids {
				target := store.Pending{Type: typ, Identifier: id}
				if _, there := a.waits[target]; !there {
					a.waits[target] = nil
					targets = append(targets, targetOf(typ, id))
				}
			}
		}
	}
	if len(targets) == 0 {
		return
	}
	each(t.b.Queue(numbered(waitingSQL), targets), func(rows pgx.Rows) error {
		p, err := scanPending(rows)
		target := store.Pending{Type: p.Type, Identifier: p.Identifier}
		a.waits[target] = append(a.waits[target], p)
		return err
	}, nil)
}

func (t *tx) foreseePeople(list []*member, a *answers) {
	a.strong, a.people, a.persons = map[store.Identifier]bool{}, map[string]known{}, map[string][]store.Link{}
	strong, patients := [][]byte{}, [][]byte{}
	for _, m := range list {
		for _, id := range m.f.Strong {
			if !a.strong[id] {
				a.strong[id] = true
				strong = append(strong, strongOf(id))
			}
		}
		for _, p := range m.f.Patients {
			if _, there := a.people[p]; !there {
				a.people[p] = known{}
				patients = append(patients, []byte(p))
			}
		}
	}
	if len(strong)+len(patients) == 0 {
		return
	}
	each(t.b.Queue(foreseenPeopleSQL, patients, strong), func(rows pgx.Rows) error {
		var patient, body []byte
		var link [4][]byte
		var since *int64
		if err := rows.Scan(&patient, &body, &link[0], &link[1], &link[2], &link[3], &since); err != nil {
			return err
		}
		var k known
		if body != nil {
			k.features = &store.Features{}
			if err := json.Unmarshal(body, k.features); err != nil {
				return err
			}
		}
		if since != nil {
			k.link = &store.Link{Person: string(link[0]), Patient: string(patient), Institution: string(link[1]), Rule: string(link[2]),
				Reason: string(link[3]), Since: microTime(*since)}
			a.persons[k.link.Person] = append(a.persons[k.link.Person], *k.link)
		}
		a.people[string(patient)] = k
		return nil
	}, func() error {
		for _, links := range a.persons {
			slices.SortFunc(links, func(x, y store.Link) int {
				return cmp.Or(strings.Compare(x.Institution, y.Institution), strings.Compare(x.Patient, y.Patient))
			})
		}
		return nil
	})
}

func (t *tx) foreseeStates(list []*member, a *answers) {
	a.states = map[string]int64{}
	for _, m := range list {
		for _, state := range m.f.States {
			if _, there := a.states[state.Name]; !there {
				a.states[state.Name] = state.Number
				t.queue(holdStateSQL, t.stateLock(state.Name), []byte(state.Name), state.Number)
			}
		}
	}
}

// each reads the rows of a statement that is queued, and then calls done, which may be
// nil.
func each(q *pgx.QueuedQuery, row func(rows pgx.Rows) error, done func() error) {
	q.Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil || done == nil {
			return err
		}
		return done()
	})
}

// joins reports whether there are others who may be one person with a Patient that is
// written, so that more is asked than was foreseen, and persons change that others see.
func (a *answers) joins(f *store.Foresight) bool {
	own := func(patient string) bool {
		return slices.ContainsFunc(f.Replaces, func(k store.Key) bool { return k.ID == patient && k.Type == "Patient" })
	}
	for patient, k := range a.people {
		shares := slices.Contains(f.Patients, patient) || k.features != nil && slices.ContainsFunc(k.features.Strong, func(id store.Identifier) bool {
			return slices.Contains(f.Strong, id)
		})
		if shares && (!own(patient) && k != (known{}) || k.link != nil && len(a.persons[k.link.Person]) > 1) {
			return true
		}
	}
	return false
}

// waiting answers Waiting; false when it was not foreseen.
func (a *answers) waiting(typ string, ids []store.Identifier) (list []store.Pending, ok bool) {
	if a == nil {
		return nil, false
	}
	for i, id := range ids {
		found, foreseen := a.waits[store.Pending{Type: typ, Identifier: id}]
		if !foreseen {
			return nil, false
		}
		if !slices.Contains(ids[:i], id) {
			list = append(list, found...)
		}
	}
	slices.SortFunc(list, func(x, y store.Pending) int {
		return cmp.Or(strings.Compare(x.Identifier.System, y.Identifier.System), strings.Compare(x.Identifier.Value, y.Identifier.Value),
			strings.Compare(x.From.Type, y.From.Type), strings.Compare(x.From.ID, y.From.ID))
	})
	return list, true
}

// features answers Features, own being what the transaction itself said.
func (a *answers) features(ids []store.Identifier, patients []string, own map[string]store.Features) (list []store.Features, ok bool) {
	if a == nil {
		return nil, false
	}
	for _, id := range ids {
		if !a.strong[id] {
			return nil, false
		}
	}
	for _, p := range patients {
		_, said := own[p]
		if _, foreseen := a.people[p]; !foreseen && !said {
			return nil, false
		}
	}
	places := map[string]int{}
	consider := func(f *store.Features) {
		place := slices.Index(patients, f.Patient)
		if place < 0 {
			at := slices.IndexFunc(ids, func(id store.Identifier) bool { return slices.Contains(f.Strong, id) })
			if at < 0 {
				return
			}
			place = len(patients) + at
		}
		places[f.Patient] = place
		list = append(list, *f)
	}
	for patient, k := range a.people {
		if _, said := own[patient]; !said && k.features != nil {
			consider(k.features)
		}
	}
	for _, f := range own {
		consider(&f)
	}
	slices.SortFunc(list, func(x, y store.Features) int {
		return cmp.Or(cmp.Compare(places[x.Patient], places[y.Patient]), strings.Compare(x.Patient, y.Patient))
	})
	return list, true
}

// linkOf answers LinkOf.
func (a *answers) linkOf(patient string) (l store.Link, linked, ok bool) {
	if a == nil {
		return l, false, false
	}
	k, ok := a.people[patient]
	if k.link != nil {
		l = *k.link
	}
	return l, k.link != nil, ok
}

// linksOf answers LinksOf.
func (a *answers) linksOf(person string) ([]store.Link, bool) {
	if a == nil {
		return nil, false
	}
	list, ok := a.persons[person]
	return slices.Clone(list), ok
}

// holds reports whether the state is held.
func (a *answers) holds(name string, number int64) bool {
	if a == nil {
		return false
	}
	is, ok := a.states[name]
	return ok && is == number
}
