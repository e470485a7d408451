package sqlite

import (
	"math"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
)

// sortKey writes the value that resource @ sorts by; NULL when it has none.
func (b *builder) sortKey(typ string, s search.Sort) (fragment, error) {
	switch s.Param {
	case paramID:
		return fragment{sql: "@.id"}, nil
	case paramUpdated:
		return fragment{sql: "@.updated"}, nil
	case paramSource:
		return fragment{sql: "nullif(@.source, '')"}, nil
	}
	if !sortable(s.Kind) {
		return fragment{}, fault.Newf(fault.Invalid, "a sort key of kind %d is not known", s.Kind)
	}
	pid, ok, err := b.pid(typ, s.Param, "")
	if !ok || err != nil {
		return fragment{sql: "NULL"}, err
	}
	canonical := int64(-1)
	if s.Kind == search.KindQuantity { // so that g/L and mg/L sort as they should
		if n, ok, err := b.pid(typ, s.Param, asCanonical); err != nil {
			return fragment{}, err
		} else if ok {
			canonical = n
		}
	}
	return fragment{"yl_sort(?, @.held)", []any{b.check(&check{key: sortValue(pid, canonical, s.Down)})}}, nil
}

// sortValue finds the least or greatest value of a parameter. Canonical values of
// quantities stand before others.
func sortValue(pid, canonical int64, down bool) func(*check) any {
	return func(c *check) any {
		var best any
		from := pid
		for c.r.next(&c.e) {
			e := &c.e
			if e.pid != pid && e.pid != canonical || e.pid != from && from == canonical {
				continue
			}
			var v any
			var less bool
			switch e.class {
			case byTime:
				v = e.low
				old, _ := best.(int64)
				less = e.low < old
			case byAmount:
				v = e.middle()
				old, _ := best.(float64)
				less = e.middle() < old
			default:
				v = string(e.text)
				old, _ := best.(string)
				less = string(e.text) < old
			}
			if best == nil || e.pid != from || less != down && v != best {
				best, from = v, e.pid
			}
		}
		return best
	}
}

// beyond writes the rows behind a position: key by key, those that have no value
// last. names are the columns of the keys, the last is the tie-breaker.
func beyond(names []string, down []bool, keys []any) fragment {
	var out fragment
	out.add("(")
	for i := range keys {
		if i > 0 {
			out.add(" OR ")
		}
		out.add("(")
		for j := range i {
			out.add(names[j]+" IS ? AND ", keys[j])
		}
		switch {
		case keys[i] == nil:
			out.add("0") // nothing comes behind the missing
		case down[i]:
			out.add("("+names[i]+" < ? OR "+names[i]+" IS NULL)", keys[i])
		default:
			out.add("("+names[i]+" > ? OR "+names[i]+" IS NULL)", keys[i])
		}
		out.add(")")
	}
	out.add(")")
	return out
}

// Keys of a position carry their type, so that they compare as they did.
func encodeKey(v any) string {
	switch v := v.(type) {
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case float64:
		return "f" + strconv.FormatUint(math.Float64bits(v), 16)
	case string:
		return "s" + v
	}
	return "n"
}

var errPosition = fault.New(fault.Invalid, "the page does not belong to this search")

// decodeKeys reads the keys of a position: one per sort key and the tie-breaker.
func decodeKeys(p *search.Position, n int) ([]any, error) {
	if len(p.Keys) != n+1 {
		return nil, errPosition
	}
	out := make([]any, len(p.Keys))
	for i, k := range p.Keys {
		var err error
		switch {
		case k == "n":
			continue
		case strings.HasPrefix(k, "i"):
			out[i], err = strconv.ParseInt(k[1:], 10, 64)
		case strings.HasPrefix(k, "s"):
			out[i] = k[1:]
		case strings.HasPrefix(k, "f"):
			var bits uint64
			bits, err = strconv.ParseUint(k[1:], 16, 64)
			out[i] = math.Float64frombits(bits)
		default:
			err = errPosition
		}
		if err != nil {
			return nil, errPosition
		}
	}
	if _, ok := out[n].(int64); !ok {
		return nil, errPosition
	}
	return out, nil
}
