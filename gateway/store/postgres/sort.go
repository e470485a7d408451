package postgres

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
)

// sortType is the type of a sort key, by which it is written into positions.
type sortType byte

const (
	sortText   sortType = 's'
	sortInt    sortType = 'i'
	sortNumber sortType = 'f'
)

// sortKey writes the value that resource @ sorts by; NULL when it has none.
func (b *builder) sortKey(typ string, s search.Sort) (fragment, sortType, error) {
	switch s.Param {
	case paramID:
		return fragment{sql: "@.id"}, sortText, nil
	case paramUpdated:
		return fragment{sql: "@.updated"}, sortInt, nil
	case paramSource:
		return fragment{sql: "nullif(@.source, '')"}, sortText, nil
	}
	pick, order := "min", ""
	if s.Down {
		pick, order = "max", " DESC"
	}
	pid, ok, err := b.pid(typ, s.Param, "")
	if err != nil {
		return fragment{}, 0, err
	}
	var key fragment
	switch s.Kind {
	case search.KindToken, search.KindString, search.KindReference, search.KindURI:
		if key = (fragment{sql: "NULL::bytea"}); ok {
			key = fragment{"(SELECT u.text FROM unnest(@.x_pid, @.x_text) u(pid, text) WHERE u.pid = ? ORDER BY u.text" + order + " LIMIT 1)", []any{pid}}
		}
		return key, sortText, nil
	case search.KindDate:
		if key = (fragment{sql: "NULL::int8"}); ok {
			key = fragment{"(SELECT " + pick + "(" + dateLow + ") FROM unnest(array_positions(@.d_pid, ?)) i)", []any{pid}}
		}
		return key, sortInt, nil
	case search.KindNumber, search.KindQuantity:
		amount := func(pid int32) fragment {
			return fragment{"(SELECT " + pick + "(" + amountValue + ") FROM unnest(array_positions(@.q_pid, ?)) i)", []any{pid}}
		}
		if key = (fragment{sql: "NULL::float8"}); ok {
			key = amount(pid)
		}
		if s.Kind == search.KindNumber {
			return key, sortNumber, nil
		}
		canonical, ok, err := b.pid(typ, s.Param, asCanonical) // so that g/L and mg/L sort as they should
		if err == nil && ok {
			first := amount(canonical)
			first.sql = "coalesce(" + first.sql + ", "
			first.append(key)
			first.sql += ")"
			key = first
		}
		return key, sortNumber, err
	}
	return fragment{}, 0, fault.Newf(fault.Invalid, "a sort key of kind %d is not known", s.Kind)
}

// beyond writes the rows behind a position: key by key, those that have no value
// last. names are the columns of the keys, the last is the tie-breaker.
func beyond(names []string, down []bool, keys []any) fragment {
	var out fragment
	out.sql = "("
	for i := range keys {
		if i > 0 {
			out.sql += " OR "
		}
		out.sql += "("
		for j := range i {
			if keys[j] == nil {
				out.sql += names[j] + " IS NULL AND "
			} else {
				out.add(names[j]+" = ? AND ", keys[j])
			}
		}
		switch {
		case keys[i] == nil:
			out.sql += never // nothing comes behind the missing
		case down[i]:
			out.add("("+names[i]+" < ? OR "+names[i]+" IS NULL)", keys[i])
		default:
			out.add("("+names[i]+" > ? OR "+names[i]+" IS NULL)", keys[i])
		}
		out.sql += ")"
	}
	out.sql += ")"
	return out
}

// Keys of a position carry their type, so that they compare as they did.
func encodeKey(v any) string {
	switch v := v.(type) {
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case float64:
		return "f" + strconv.FormatUint(math.Float64bits(v), 16)
	case []byte:
		if v == nil {
			break
		}
		if utf8.Valid(v) {
			return "s" + string(v)
		}
		return "x" + hex.EncodeToString(v)
	}
	return "n"
}

func decodeKey(k string, want sortType) (any, error) {
	if k == "" {
		return nil, errPosition
	}
	switch at := sortType(k[0]); {
	case k == "n":
		return nil, nil
	case at == 'x' && want == sortText:
		b, err := hex.DecodeString(k[1:])
		if err != nil {
			return nil, errPosition
		}
		return b, nil
	case at != want:
	case at == sortText:
		return []byte(k[1:]), nil
	case at == sortInt:
		n, err := strconv.ParseInt(k[1:], 10, 64)
		if err != nil {
			return nil, errPosition
		}
		return n, nil
	case at == sortNumber:
		bits, err := strconv.ParseUint(k[1:], 16, 64)
		if err != nil {
			return nil, errPosition
		}
		return math.Float64frombits(bits), nil
	}
	return nil, errPosition
}

// A position ends with the horizon of the first page: its last time, and the times that
// were open, each less than the one before by what follows a dot.
func (h *horizon) encode() string {
	var b strings.Builder
	b.WriteString("h" + strconv.FormatInt(h.last, 36))
	before := h.last
	for i := len(h.open) - 1; i >= 0; i-- {
		b.WriteString("." + strconv.FormatInt(before-h.open[i], 36))
		before = h.open[i]
	}
	return b.String()
}

// maxOpen bounds the open transactions that a position names.
const maxOpen = 10_000

func decodeHorizon(text string) (h horizon, err error) {
	parts := strings.Split(text, ".")
	if len(parts) > maxOpen || !strings.HasPrefix(text, "h") {
		return h, errPosition
	}
	before := int64(0)
	for i, p := range parts {
		if i == 0 {
			p = p[1:]
		}
		n, err := strconv.ParseInt(p, 36, 64)
		if err != nil || n < 0 || n > math.MaxInt64>>changeShift {
			return h, errPosition
		}
		if i == 0 {
			h.last, before = n, n
			continue
		}
		if before -= n; before < 0 {
			return h, errPosition
		}
		h.open = append([]int64{before}, h.open...)
	}
	return h, nil
}

// within asks resource @ whether its current version was there at the horizon.
func (h *horizon) within() fragment {
	f := fragment{"@.change <= ?", []any{h.asOf()}}
	if len(h.open) > 0 {
		first := make([]int64, len(h.open))
		for i, at := range h.open {
			first[i] = changeAt(at)
		}
		f.add(" AND NOT EXISTS (SELECT 1 FROM unnest(?::int8[]) o WHERE @.change >= o AND @.change < o + "+strconv.Itoa(maxChanges)+")", first)
	}
	return f
}

// positionKeys are the keys of a position besides those of the sort: tie-breaker and horizon.
const positionKeys = 2

// decodePosition reads the keys of a position: one per sort key, the tie-breaker and
// the horizon.
func decodePosition(p *search.Position, types []sortType) (keys []any, h horizon, err error) {
	if len(p.Keys) != len(types)+positionKeys {
		return nil, h, errPosition
	}
	for i, typ := range append(types[:len(types):len(types)], sortInt) {
		k, err := decodeKey(p.Keys[i], typ)
		if err != nil {
			return nil, h, err
		}
		keys = append(keys, k)
	}
	if keys[len(types)] == nil {
		return nil, h, errPosition
	}
	h, err = decodeHorizon(p.Keys[len(types)+1])
	return keys, h, err
}
