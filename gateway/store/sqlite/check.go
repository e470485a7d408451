package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	modernc "modernc.org/sqlite"
)

// check is what a statement asks of held values. Statements name it by a number,
// which they get as an argument; it lives as long as the question.
type check struct {
	r    heldReader
	e    entry
	fits func(c *check) bool         // whether a resource fulfils a condition
	key  func(c *check) driver.Value // what it sorts by
	pid  int64                       // the parameter of references
	of   int64                       // and the type that they must point to
	part int64                       // asPart of the type that refers
	hash *hasher
}

// functions are what statements can call, known to every connection of the process
// because the driver has no others.
type functions struct {
	last   atomic.Int64
	checks sync.Map // number → *check
}

var errCheck = errors.New("a statement names a check that is over")

// registered makes the functions known to the driver, before the first connection.
var registered = sync.OnceValues(func() (*functions, error) {
	f := &functions{}
	define := func(name string, args int32, fn func(c *check, args []driver.Value) driver.Value) error {
		return modernc.RegisterFunction(name, &modernc.FunctionImpl{NArgs: args, Deterministic: true, VolatileArgs: true,
			Scalar: func(_ *modernc.FunctionContext, args []driver.Value) (driver.Value, error) {
				number, _ := args[0].(int64)
				c, ok := f.checks.Load(number)
				if !ok {
					return nil, errCheck
				}
				return fn(c.(*check), args[1:]), nil
			}})
	}
	return f, errors.Join(
		define("yl_fits", 2, func(c *check, args []driver.Value) driver.Value {
			return c.begin(args[0]) && c.fits(c)
		}),
		define("yl_sort", 2, func(c *check, args []driver.Value) driver.Value {
			if !c.begin(args[0]) {
				return nil
			}
			return c.key(c)
		}),
		// The ids that references point to, as JSON.
		define("yl_targets", 2, func(c *check, args []driver.Value) driver.Value {
			ids := []string{}
			for ok := c.begin(args[0]); ok && c.r.next(&c.e); {
				if c.refers() && !slices.Contains(ids, string(c.e.text)) {
					ids = append(ids, string(c.e.text))
				}
			}
			text, err := json.Marshal(ids)
			if err != nil {
				return "[]"
			}
			return string(text)
		}),
		define("yl_refers", 3, func(c *check, args []driver.Value) driver.Value {
			id, _ := args[1].(string)
			for ok := c.begin(args[0]); ok && c.r.next(&c.e); {
				if c.refers() && string(c.e.text) == id {
					return true
				}
			}
			return false
		}),
		// The key of index_key that a reference to an id has.
		define("yl_lead", 2, func(c *check, args []driver.Value) driver.Value {
			id, _ := args[0].(string)
			return c.hash.of(keyPID(c.pid, c.part, false, []byte(id)), []byte(id))
		}),
	)
})

func (c *check) begin(v driver.Value) bool {
	b, ok := v.([]byte)
	c.r.begin(b)
	return ok
}

func (c *check) refers() bool {
	return c.e.pid == c.pid && c.e.class == byKey && c.e.space == c.of
}

// check gives a check its number, until the question is over.
func (b *builder) check(c *check) (int64, error) {
	f, err := registered()
	if err != nil {
		return 0, err
	}
	c.hash = &b.v.s.hash
	n := f.last.Add(1)
	f.checks.Store(n, c)
	b.checks = append(b.checks, n)
	return n, nil
}

// close ends the checks of a question.
func (b *builder) close() {
	f, err := registered()
	if err != nil {
		return
	}
	for _, n := range b.checks {
		f.checks.Delete(n)
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
