package sqlite

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// check is what a statement asks of held values. Statements name it by a number,
// which they get as an argument; it lives as long as the question.
type check struct {
	r    heldReader
	e    entry
	fits func(c *check) bool // whether a resource fulfils a condition
	key  func(c *check) any  // what it sorts by
	pid  int64               // the parameter of references
	of   int64               // and the type that they must point to
	part int64               // asPart of the type that refers
	hash *hasher
	look *lookout
}

// checks are those of all questions under way, by number.
var checks struct {
	sync.RWMutex
	last int64
	all  map[int64]*check
}

// checked is the check that a statement names.
func (f call) checked() *check {
	n := f.int(0)
	checks.RLock()
	c := checks.all[n]
	checks.RUnlock()
	if c == nil {
		f.fail("a statement names a check that is over")
	}
	return c
}

// define makes functions known to a connection that statements can call.
func define(c *conn) int32 {
	for _, f := range []struct {
		name string
		args int32
		fn   func(tls *libc.TLS, ctx uintptr, argc int32, argv uintptr)
	}{{"yl_fits", 2, fits}, {"yl_sort", 2, sorts}, {"yl_targets", 2, targets}, {"yl_refers", 3, refers}, {"yl_lead", 2, leadsTo}, {"yl_within", 2, within}} {
		rc := text(c.tls, f.name, func(at uintptr) int32 {
			return lib.Xsqlite3_create_function_v2(c.tls, c.db, at, f.args, lib.SQLITE_UTF8|lib.SQLITE_DETERMINISTIC, 0, pointer(f.fn), 0, 0, 0)
		})
		if rc != lib.SQLITE_OK {
			return rc
		}
	}
	return lib.SQLITE_OK
}

// yl_fits tells whether what a resource holds fulfils a condition.
func fits(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	if c := f.checked(); c != nil {
		f.answer(c.begin(f.bytes(1)) && c.fits(c))
	}
}

// yl_sort is what a resource sorts by.
func sorts(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	if c := f.checked(); c != nil {
		if !c.begin(f.bytes(1)) {
			f.answer(nil)
			return
		}
		f.answer(c.key(c))
	}
}

// yl_targets are the ids that references point to, as JSON.
func targets(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	c := f.checked()
	if c == nil {
		return
	}
	ids := []string{}
	for ok := c.begin(f.bytes(1)); ok && c.r.next(&c.e); {
		if c.refers() && !slices.Contains(ids, string(c.e.text)) {
			ids = append(ids, string(c.e.text))
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		list = []byte("[]")
	}
	f.answer(string(list))
}

// yl_refers tells whether a reference points to an id.
func refers(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	c := f.checked()
	if c == nil {
		return
	}
	id := f.bytes(2)
	for ok := c.begin(f.bytes(1)); ok && c.r.next(&c.e); {
		if c.refers() && bytes.Equal(c.e.text, id) {
			f.answer(true)
			return
		}
	}
	f.answer(false)
}

// yl_lead is the key of index_key that a reference to an id has.
func leadsTo(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	if c := f.checked(); c != nil {
		id := f.bytes(1)
		f.answer(c.hash.of(keyPID(c.pid, c.part, false, id), id))
	}
}

// yl_within ends a statement when it was asked too often.
func within(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	f := call{tls, ctx, argv}
	c := f.checked()
	if c == nil {
		return
	}
	if c.look.left--; c.look.left < 0 {
		c.look.over = true
		f.fail("looked far enough")
		return
	}
	f.answer(true)
}

func (c *check) begin(h held) bool {
	c.r.begin(h)
	return h != nil
}

func (c *check) refers() bool {
	return c.e.pid == c.pid && c.e.class == byKey && c.e.space == c.of
}

// check gives a check its number, until the question is over.
func (b *builder) check(c *check) int64 {
	c.hash = &b.v.s.hash
	checks.Lock()
	defer checks.Unlock()
	if checks.all == nil {
		checks.all = map[int64]*check{}
	}
	checks.last++
	checks.all[checks.last] = c
	b.checks = append(b.checks, checks.last)
	return checks.last
}

// close ends the checks of a question.
func (b *builder) close() {
	if len(b.checks) == 0 {
		return
	}
	checks.Lock()
	defer checks.Unlock()
	for _, n := range b.checks {
		delete(checks.all, n)
	}
	b.checks = nil
}

// test asks one entry of some parameters. It is right only for entries of the class
// that the parameters have.
type test struct {
	pids []int64
	ok   func(*entry) bool
}

func (t *test) fits(e *entry) bool {
	for _, pid := range t.pids {
		if pid == e.pid {
			return t.ok(e)
		}
	}
	return false
}

// anyOf asks whether some entry passes one of the tests.
func anyOf(tests []test) func(c *check) bool {
	return func(c *check) bool {
		for c.r.next(&c.e) {
			for i := range tests {
				if tests[i].fits(&c.e) {
					return true
				}
			}
		}
		return false
	}
}

// inOneGroup asks whether some element has for each part an entry that passes one of
// the part's tests.
func inOneGroup(parts [][]test) func(c *check) bool {
	return func(c *check) bool {
		groups := map[int64]uint64{}
		for c.r.next(&c.e) {
			if c.e.group == 0 {
				continue
			}
			for i, tests := range parts {
				if slices.ContainsFunc(tests, func(t test) bool { return t.fits(&c.e) }) {
					groups[c.e.group] |= 1 << i
					if groups[c.e.group] == 1<<len(parts)-1 {
						return true
					}
				}
			}
		}
		return false
	}
}
