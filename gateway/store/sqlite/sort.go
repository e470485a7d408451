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
	table, ok := kindTables[s.Kind]
	if !ok {
		return fragment{}, fault.Newf(fault.Invalid, "a sort key of kind %d is not known", s.Kind)
	}
	column := [tables]string{tokens: "code", strs: "text", dates: "low", numbers: "value", quantities: "value",
		references: "key", uris: "value"}[table]
	pick := "min"
	if s.Down {
		pick = "max"
	}
	one := func(form string) (fragment, error) {
		pid, ok, err := b.pid(typ, s.Param, form)
		if !ok || err != nil {
			return fragment{sql: "NULL"}, err
		}
		name := indexTables[table].name
		return fragment{"(SELECT " + pick + "(x." + column + ") FROM " + name + " x INDEXED BY " + name +
			"_rid WHERE x.rid = @.rid AND x.pid = ?)", []any{pid}}, nil
	}
	key, err := one("")
	if err != nil || s.Kind != search.KindQuantity {
		return key, err
	}
	canonical, err := one(asCanonical) // so that g/L and mg/L sort as they should
	canonical.sql = "coalesce(" + canonical.sql + ", "
	canonical.add(key.sql+")", key.args...)
	return canonical, err
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
