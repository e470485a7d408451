package postgres

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// probeSteps are how far the alternatives are counted, widening, until one of them
// ends; the last step is Options.ScanFrom. Most searches have one that ends at the
// first.
var probeSteps = [...]int64{128, 1024, math.MaxInt64}

// counts remembers for a while how many resources there are under keys of index_key that
// have many, such as a status, so that they need not be counted for every search. They only help to
// choose between ways to the same answer, so nothing depends on them being true still.
type counts struct {
	mu    sync.Mutex
	byKey map[int64]counted
}

// counted is how many there were: n, or more where the count ended at its limit.
type counted struct {
	n    int64
	more bool
	at   time.Time
}

// Which counts are remembered, for how long, and how many of them.
const (
	countsFrom = 128
	countsTime = time.Minute
	maxCounts  = 1 << 14
)

func (c *counts) of(s *source, now time.Time) (counted, bool) {
	if !s.plain() {
		return counted{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.byKey[s.keys[0]]
	return known, ok && now.Sub(known.at) < countsTime
}

func (c *counts) remember(s *source, n, limit int64, now time.Time) {
	if !s.plain() || n < countsFrom {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil || len(c.byKey) >= maxCounts {
		c.byKey = map[int64]counted{}
	}
	c.byKey[s.keys[0]] = counted{n, n >= limit, now}
}

// nestedMost is how many resources the driver of a chain may list for it to be taken
// instead of a condition that lists more. Beyond, going through what the condition lists
// until the page is full is taken to be the cheaper way.
const nestedMost = 512

// rarest returns the source that lists the fewest resources, nil when there is
// none to choose from; how many it lists, 0 when that is not known; and whether even that one is
// common. Where one source alone comes in order it is not counted, unless wanted.
func (b *builder) rarest(sources []source, wanted bool) (best *source, size int64, common bool, err error) {
	var plain []*source
	for i := range sources {
		switch d := &sources[i]; {
		case d.rids.sql == "":
		case !d.nested:
			plain = append(plain, d)
		case best == nil || d.size > 0 && (best.size == 0 || d.size < best.size):
			best = d // better than all of a type; a plain one that ends is better still
		}
	}
	if len(plain) == 0 {
		if best != nil {
			size = best.size
		}
		return best, size, false, nil
	}
	if len(plain) == 1 && best == nil && !wanted && (plain[0].ordered || plain[0].listing != nil) {
		return plain[0], 0, false, nil // streams in order: never worse than reading the whole type
	}
	slices.SortStableFunc(plain, func(x, y *source) int { return cmp.Compare(x.likely(), y.likely()) })
	last := int64(b.v.s.opt.ScanFrom)
	if best != nil && best.size > 0 && best.size <= min(nestedMost, last) {
		found, n, err := b.fewest(plain, best.size)
		if found == nil {
			found, n = best, best.size
		}
		return found, max(n, 1), false, err
	}
	for _, limit := range probeSteps {
		limit = min(limit, last)
		found, n, err := b.fewest(plain, limit)
		if found != nil || err != nil {
			return found, max(n, 1), false, err
		}
		if limit == last {
			break
		}
	}
	for _, d := range plain {
		if d.listing != nil {
			return d, 0, true, nil
		}
	}
	// All are common. What comes in order fills a page without being read to its end; of a
	// chain all is read, unless it is known where it ends.
	for _, d := range plain {
		if d.ordered && (best == nil || best.size == 0 && !wanted) {
			return d, 0, true, nil
		}
	}
	if best != nil {
		return best, 0, false, nil
	}
	return plain[0], 0, true, nil
}

// fewest returns the source that lists the fewest and how many, nil when none lists less than the limit.
// Those whose count is remembered are not counted again, and the others no further than the least of them.
func (b *builder) fewest(sources []*source, limit int64) (found *source, least int64, err error) {
	now := b.v.s.opt.Now()
	var unknown []*source
	for _, d := range sources {
		known, ok := b.v.s.counts.of(d, now)
		switch {
		case !ok || known.more && known.n < limit:
			unknown = append(unknown, d)
		case !known.more && known.n < limit:
			found, limit = d, known.n
		}
	}
	if len(unknown) == 0 || limit == 0 {
		return found, limit, nil
	}
	list, err := b.probe(unknown, limit)
	if err != nil {
		return nil, 0, err
	}
	least = limit
	for i, n := range list {
		b.v.s.counts.remember(unknown[i], n, least, now)
		if n < least {
			least, found = n, unknown[i]
		}
	}
	return found, least, nil
}

// likely orders sources by how soon their counts may be expected to end.
func (s *source) likely() int {
	switch {
	case s.listing != nil && s.listing.bounded:
		return 0
	case s.listing != nil:
		return 1
	}
	return 2
}

// maxChained is how many sources one statement counts.
const maxChained = 8

// probe counts what sources list, up to a limit, and each no further than the least before it.
func (b *builder) probe(sources []*source, limit int64) ([]int64, error) {
	if len(sources) > maxChained {
		var all []int64
		for chunk := range slices.Chunk(sources, maxChained) {
			counts, err := b.probe(chunk, limit)
			if err != nil {
				return nil, err
			}
			all = append(all, counts...)
			limit = min(limit, slices.Min(counts))
		}
		return all, nil
	}
	var f fragment
	names, least := "", ""
	for i, d := range sources {
		alias := "c" + strconv.Itoa(i)
		if i > 0 {
			f.sql += " CROSS JOIN LATERAL "
			names += ", "
		}
		names += alias + ".n"
		f.add("(SELECT count(*) AS n FROM (SELECT 1 FROM ("+d.rids.sql+") p", d.rids.args...)
		if i == 0 { // an argument: counts that are remembered make many different ones
			f.add(" LIMIT ?) c) "+alias, limit)
			least = alias + ".n"
			continue
		}
		f.sql += " LIMIT " + least + ") c) " + alias
		least = "least(" + least + ", " + alias + ".n)"
	}
	f.sql = "SELECT ARRAY[" + names + "] FROM " + f.sql
	var counts []int64
	err := b.v.q.query(b.ctx, ask(f, func(rows pgx.Rows) error { return rows.Scan(&counts) }))
	return counts, err
}

// plain reports that a source lists what has one key, and nothing else is asked.
func (s *source) plain() bool {
	return len(s.keys) == 1 && len(s.rids.args) == 1 && (s.ordered || s.listing != nil && !s.listing.bounded)
}
