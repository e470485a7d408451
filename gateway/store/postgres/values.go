package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/yilian/yilian/gateway/search"
)

// Suffixes of a parameter's name: the same values in another form.
const (
	asText       = ":text"       // display of a token, as a string
	asExact      = ":exact"      // string as written
	asCanonical  = ":canonical"  // quantity in base units
	asURL        = ":url"        // reference by url
	asIdentifier = ":identifier" // reference by business identifier
	asPart       = "$"           // codes of all composites of a type together
)

// shortDate is the longest interval of class 0: a day, with room for the zone.
const shortDate = 26 * 3600 * 1_000_000

// startBytes is how much of a text index_string holds.
const startBytes = 256

// maxGrams bounds the grams of one text; a longer one is a candidate for all.
const maxGrams = 1000

// entry is a row of index_string, date of index_date, number of index_number.
type (
	entry struct {
		pid  int32
		text string
	}
	date struct {
		pid, class int32
		low        int64
	}
	number struct {
		pid   int32
		value float64
	}
)

// values are the index values of one resource as its row holds them, and the rows of
// the index tables that follow from them.
type values struct {
	xPid, xSpace, xForm, xGroup []int32
	xText                       [][]byte
	xRows                       int32
	dPid, dGroup                []int32
	dBounds                     []int64
	qPid, qGroup, qUnits        []int32
	qBounds                     []float64
	qRows                       int32

	keys    []int64
	strings []entry
	dates   []date
	numbers []number
	words   []int64
	grams   []int32
}

// valuesOf turns index values into rows, giving names their numbers.
func (s *Store) valuesOf(ctx context.Context, typ string, v *search.Values) (*values, error) {
	var missing []string
	name := func(text string) int32 {
		id, ok := s.names.cached(text)
		if !ok {
			missing = append(missing, text)
		}
		return id
	}
	out := s.build(typ, v, name)
	for range 3 { // the cache may be emptied in between
		if len(missing) == 0 {
			break
		}
		slices.Sort(missing)
		if err := s.names.intern(ctx, slices.Compact(missing)); err != nil {
			return nil, err
		}
		missing = missing[:0]
		out = s.build(typ, v, name)
	}
	return out, nil
}

func (s *Store) build(typ string, v *search.Values, name func(string) int32) *values {
	out := &values{}
	prefix := typ + "."
	text := func(pid, space, form int32, group uint16, text string) {
		out.xPid, out.xSpace, out.xForm = append(out.xPid, pid), append(out.xSpace, space), append(out.xForm, form)
		out.xGroup, out.xText = append(out.xGroup, int32(group)), append(out.xText, []byte(text))
	}
	key := func(pid int32, text string) { out.keys = append(out.keys, s.hash.of(pid, text)) }
	// First what has rows in index_string.
	for i := range v.Strings {
		if k := &v.Strings[i]; k.Group == 0 {
			pid := name(prefix + k.Param)
			text(pid, 0, 0, 0, k.Folded)
			key(name(prefix+k.Param+asExact), k.Exact)
			s.gram(out, pid, k.Folded)
		}
	}
	for i := range v.Tokens {
		if k := &v.Tokens[i]; k.Text != "" && k.Group == 0 {
			text(name(prefix+k.Param+asText), 0, 0, 0, k.Text)
		}
	}
	for i := range v.URIs {
		if k := &v.URIs[i]; k.Group == 0 {
			text(name(prefix+k.Param), 0, 0, 0, k.Value)
		}
	}
	out.xRows = int32(len(out.xPid))
	for i := range v.Tokens {
		k := &v.Tokens[i]
		pid := name(prefix + k.Param)
		text(pid, name(k.System), name(k.Type), k.Group, k.Code)
		if k.Group != 0 {
			pid = name(prefix + asPart)
		}
		key(pid, k.Code)
		if k.Text != "" && k.Group != 0 {
			text(name(prefix+k.Param+asText), 0, 0, k.Group, k.Text)
		}
	}
	for i := range v.References {
		k := &v.References[i]
		if k.ID != "" {
			pid := name(prefix + k.Param)
			text(pid, name(k.Type), 0, k.Group, k.ID)
			key(pid, k.ID)
		}
		if k.URL != "" {
			pid := name(prefix + k.Param + asURL)
			text(pid, 0, 0, k.Group, k.URL)
			key(pid, k.URL)
		}
		if k.Value != "" {
			pid := name(prefix + k.Param + asIdentifier)
			text(pid, name(k.System), 0, k.Group, k.Value)
			key(pid, k.Value)
		}
	}
	for i := range v.Strings {
		if k := &v.Strings[i]; k.Group != 0 {
			text(name(prefix+k.Param), 0, 0, k.Group, k.Folded)
			text(name(prefix+k.Param+asExact), 0, 0, k.Group, k.Exact)
		}
	}
	for i := range v.URIs {
		if k := &v.URIs[i]; k.Group != 0 {
			text(name(prefix+k.Param), 0, 0, k.Group, k.Value)
		}
	}
	for i := range v.Dates {
		k := &v.Dates[i]
		out.dPid, out.dGroup = append(out.dPid, name(prefix+k.Param)), append(out.dGroup, int32(k.Group))
		out.dBounds = append(out.dBounds, k.Low, k.High)
	}
	amount := func(pid int32, low, high float64, system, code, unit int32, group uint16) {
		out.qPid, out.qGroup = append(out.qPid, pid), append(out.qGroup, int32(group))
		out.qBounds, out.qUnits = append(out.qBounds, middle(low, high), low, high), append(out.qUnits, system, code, unit)
	}
	quantity := func(k *search.Quantity) {
		amount(name(prefix+k.Param), k.Low, k.High, name(k.System), name(k.Code), name(k.Unit), k.Group)
		if k.CanonicalCode != "" {
			amount(name(prefix+k.Param+asCanonical), k.CanonicalLow, k.CanonicalHigh, 0, name(k.CanonicalCode), 0, k.Group)
		}
	}
	for i := range v.Numbers { // those of composites too: positions are looked for by them
		k := &v.Numbers[i]
		amount(name(prefix+k.Param), k.Low, k.High, 0, 0, 0, k.Group)
	}
	for i := range v.Quantities {
		if v.Quantities[i].Group == 0 {
			quantity(&v.Quantities[i])
		}
	}
	out.qRows = int32(len(out.qPid))
	for i := range v.Quantities {
		if v.Quantities[i].Group != 0 {
			quantity(&v.Quantities[i])
		}
	}
	for i := range v.Texts {
		k := &v.Texts[i]
		pid := name(prefix + k.Param)
		if len(k.Terms) > 0 {
			out.words = append(out.words, s.hash.param(pid)) // says that there is a text
		}
		for _, term := range k.Terms {
			out.words = append(out.words, s.hash.of(pid, term))
		}
	}
	out.finish()
	return out
}

// gram adds the grams of a text that :contains looks in.
func (s *Store) gram(out *values, pid int32, text string) {
	all := s.hash.param(pid)
	if len(text) > 4*maxGrams {
		out.grams = append(out.grams, int32(all))
		return
	}
	list := search.Grams(text)
	if len(list) > maxGrams {
		out.grams = append(out.grams, int32(all))
		return
	}
	for _, g := range list {
		out.grams = append(out.grams, int32(s.hash.text(g)^all))
	}
}

// finish derives the rows of the index tables and drops what says nothing.
func (v *values) finish() {
	v.keys = unique(v.keys)
	v.words, v.grams = unique(v.words), unique(v.grams)
	v.derive()
	v.xSpace, v.xForm, v.xGroup = orNil(v.xSpace), orNil(v.xForm), orNil(v.xGroup)
	v.dGroup, v.qGroup, v.qUnits = orNil(v.dGroup), orNil(v.qGroup), orNil(v.qUnits)
}

// derive makes the rows of index_string, index_date and index_number from the arrays.
func (v *values) derive() {
	v.strings = make([]entry, 0, v.xRows)
	for i := range v.xRows {
		v.strings = append(v.strings, entry{v.xPid[i], start(string(v.xText[i]))})
	}
	v.strings = unique2(v.strings, func(a, b entry) int { return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.text, b.text)) })
	for i, pid := range v.dPid {
		if v.dGroup != nil && v.dGroup[i] != 0 {
			continue
		}
		low, high := v.dBounds[2*i], v.dBounds[2*i+1]
		d := date{pid: pid, low: low}
		if low <= search.MinTime || high >= search.MaxTime || high-low > shortDate || several(v.dPid, v.dGroup, i) {
			d.class = 1
		}
		v.dates = append(v.dates, d)
	}
	v.dates = unique2(v.dates, func(a, b date) int {
		return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.class, b.class), cmp.Compare(a.low, b.low))
	})
	for i := range v.qRows {
		v.numbers = append(v.numbers, number{v.qPid[i], v.qBounds[3*i]})
	}
	v.numbers = unique2(v.numbers, func(a, b number) int {
		return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.value, b.value))
	})
}

// several reports whether a parameter has more than one value outside of composites.
func several(pids, groups []int32, at int) bool {
	for i, pid := range pids {
		if i != at && pid == pids[at] && (groups == nil || groups[i] == 0) {
			return true
		}
	}
	return false
}

// start is the part of a text that index_string holds.
func start(text string) string { return text[:min(len(text), startBytes)] }

func unique[T cmp.Ordered](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

func unique2[T comparable](list []T, by func(a, b T) int) []T {
	slices.SortFunc(list, by)
	return slices.Compact(list)
}

// orNil drops a list of zeros.
func orNil(list []int32) []int32 {
	for _, n := range list {
		if n != 0 {
			return list
		}
	}
	return nil
}

// middle of an interval; an open end is its own middle.
func middle(low, high float64) float64 {
	switch {
	case math.IsInf(low, 0):
		return low
	case math.IsInf(high, 0):
		return high
	}
	return low + (high-low)/2
}

// without returns what is in a and not in b; both are sorted.
func without[T any](a, b []T, by func(a, b T) int) (out []T) {
	for _, x := range a {
		for len(b) > 0 && by(b[0], x) < 0 {
			b = b[1:]
		}
		if len(b) == 0 || by(b[0], x) != 0 {
			out = append(out, x)
		}
	}
	return out
}
