package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Suffixes of a parameter's name: the same values in another form.
const (
	asText       = ":text"       // display of a token, as a string
	asExact      = ":exact"      // string as written that the folded one does not lead to
	asCanonical  = ":canonical"  // quantity in base units
	asURL        = ":url"        // reference by url
	asIdentifier = ":identifier" // reference by business identifier
)

// Classes of index_date: intervals of which the low bound bounds the high one, short ones apart, and all others.
const (
	classMoment = 0
	classOther  = 1
	classDay    = 2
)

// The longest intervals of classes: of a moment, and of a day, with room for the zone.
const (
	momentDate = 60 * 1_000_000
	shortDate  = 26 * 3600 * 1_000_000
)

// startBytes is how much of a text index_string holds.
const startBytes = 256

// maxGrams bounds the grams of one text; a longer one is a candidate for all.
const maxGrams = 1000

// key is a row of index_key, entry of index_string, date of index_date, number of index_number.
type (
	key   struct{ key, at int64 }
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
	xStrings, xRows             int32
	dPid, dGroup                []int32
	dBounds                     []int64
	qPid, qGroup, qUnits        []int32
	qBounds                     []float64
	qCanonical, qRows           int32
	at                          int64   // see atNone
	marks                       []int64 // keys without their dates

	keys    []key
	strings []entry
	dates   []date
	numbers []number
	words   []int64
	grams   []int32
}

// valuesOf turns index values into rows, giving names their numbers.
func (s *Store) valuesOf(ctx context.Context, typ string, v *search.Values) (*values, error) {
	out, missing := s.build(typ, v)
	for range 3 { // the cache may be emptied in between
		if len(missing) == 0 {
			break
		}
		slices.Sort(missing)
		if err := s.names.intern(ctx, slices.Compact(missing)); err != nil {
			return nil, err
		}
		out, missing = s.build(typ, v)
	}
	if len(missing) > 0 {
		return nil, errNames
	}
	return out, nil
}

var errNames = fault.New(fault.Busy, "too many new names at once")

// valuing turns the index values of one resource into rows.
type valuing struct {
	s       *Store
	out     *values
	name    []byte // of a parameter, behind that of the type
	typ     int    // length of the latter
	texts   []byte // that xText are parts of
	missing []string
	grams   []string // texts whose grams are there
	under   [sharedCount]int64
	number0 int32 // of the type
}

// build returns the rows of a resource, and the names that have no number yet: then the
// rows are worth nothing. It holds the lock of names all the time, and takes no other.
func (s *Store) build(typ string, v *search.Values) (*values, []string) {
	b := valuing{s: s, out: &values{}, name: append(append(make([]byte, 0, 64), typ...), '.')}
	b.typ = len(b.name)
	b.reserve(v)
	s.names.mu.RLock()
	defer s.names.mu.RUnlock()
	b.number0 = b.number(typ)
	b.strings(v)
	b.others(v)
	b.dates(typ, v)
	b.amounts(v)
	b.words(v)
	store.EachLabel(typ, v, func(label []byte) {
		if _, ok := s.names.ids[string(label)]; !ok {
			b.missing = append(b.missing, string(label))
		}
	})
	b.out.finish(b.number0)
	return b.out, b.missing
}

// reserve makes room for all that is to come.
func (b *valuing) reserve(v *search.Values) {
	texts, bytes := 0, 0
	for i := range v.Strings {
		texts, bytes = texts+2, bytes+len(v.Strings[i].Folded)+len(v.Strings[i].Exact)
	}
	for i := range v.Tokens {
		texts, bytes = texts+1, bytes+len(v.Tokens[i].Code)+len(v.Tokens[i].Text)
		if v.Tokens[i].Text != "" {
			texts++
		}
	}
	for i := range v.References {
		k := &v.References[i]
		for _, text := range [...]string{k.ID, k.URL, k.Value} {
			if text != "" {
				texts, bytes = texts+1, bytes+len(text)
			}
		}
	}
	for i := range v.URIs {
		texts, bytes = texts+1, bytes+len(v.URIs[i].Value)
	}
	out := b.out
	numbers := make([]int32, 4*texts)
	part := func(n int) []int32 { return numbers[n*texts : n*texts : (n+1)*texts] }
	out.xPid, out.xSpace, out.xForm, out.xGroup = part(0), part(1), part(2), part(3)
	out.xText, out.marks = make([][]byte, 0, texts), make([]int64, 0, texts)
	b.texts = make([]byte, 0, bytes)
	words := 0
	for i := range v.Texts {
		words += 1 + len(v.Texts[i].Terms)
	}
	out.words = make([]int64, 0, words)
	if n := len(v.Numbers) + 2*len(v.Quantities); n > 0 {
		out.qPid, out.qGroup, out.qBounds, out.qUnits = make([]int32, 0, n), make([]int32, 0, n), make([]float64, 0, 3*n), make([]int32, 0, 3*n)
	}
	if n := len(v.Dates); n > 0 {
		out.dPid, out.dGroup, out.dBounds = make([]int32, 0, n), make([]int32, 0, n), make([]int64, 0, 2*n)
	}
}

// number returns that of a text.
func (b *valuing) number(text string) int32 {
	if text == "" {
		return 0
	}
	n, ok := b.s.names.ids[text]
	if !ok {
		b.missing = append(b.missing, text)
	}
	return n.id
}

// param returns the number of a parameter, or of another form of it.
func (b *valuing) param(param, form string) named {
	name := append(append(b.name[:b.typ], param...), form...)
	n, ok := b.s.names.ids[string(name)]
	if !ok {
		b.missing = append(b.missing, string(name))
	}
	b.name = name
	return n
}

func (b *valuing) text(pid named, space, form int32, group uint16, text string) {
	at := len(b.texts)
	b.texts = append(b.texts, text...)
	out := b.out
	out.xPid, out.xSpace, out.xForm = append(out.xPid, pid.id), append(out.xSpace, space), append(out.xForm, form)
	out.xGroup, out.xText = append(out.xGroup, int32(group)), append(out.xText, b.texts[at:len(b.texts):len(b.texts)])
}

// shared is what keys under a number that parameters have in common differ from others by.
func (b *valuing) shared(s sharing) int64 {
	if b.under[s] == 0 {
		b.under[s] = b.s.hash.param(s.of(b.number0))
	}
	return b.under[s]
}

func (b *valuing) key(pid named, l lead, text string) {
	if text == "" {
		return // nobody asks for nothing
	}
	under := pid.hash
	if !l.own {
		under = b.shared(l.shared)
	}
	b.out.marks = append(b.out.marks, keyOf(b.s.hash.text(text), under, l.dated))
}

// written is the hash of a string as it was written, in two halves that stand where a code has its system and
// type.
func (h hasher) written(exact string) (high, low int32) {
	sum := h.text(exact)
	return int32(sum >> 32), int32(sum)
}

// strings come first: what has rows in index_string.
func (b *valuing) strings(v *search.Values) {
	for i := range v.Strings {
		k := &v.Strings[i]
		if k.Group != 0 {
			continue
		}
		high, low := b.s.hash.written(k.Exact)
		b.text(b.param(k.Param, ""), high, low, 0, k.Folded)
		if k.Exact != k.Folded && search.Fold(k.Exact) != k.Folded { // see foldsOf
			b.key(b.param(k.Param, asExact), lead{own: true}, k.Exact)
		}
		b.gram(k.Folded)
	}
	for i := range v.URIs {
		if k := &v.URIs[i]; k.Group == 0 {
			b.text(b.param(k.Param, ""), 0, 0, 0, k.Value)
		}
	}
	b.out.xStrings = int32(len(b.out.xPid))
	for i := range v.Tokens {
		if k := &v.Tokens[i]; k.Text != "" && k.Group == 0 {
			b.text(b.param(k.Param, asText), 0, 0, 0, k.Text)
		}
	}
	b.out.xRows = int32(len(b.out.xPid))
}

func (b *valuing) others(v *search.Values) {
	for i := range v.Tokens {
		k := &v.Tokens[i]
		pid := b.param(k.Param, "")
		b.text(pid, b.number(k.System), b.number(k.Type), k.Group, k.Code)
		b.key(pid, leadOf(k.Param, "", k.Code, true, k.Group != 0), k.Code)
		if k.Text != "" && k.Group != 0 {
			b.text(b.param(k.Param, asText), 0, 0, k.Group, k.Text)
		}
	}
	for i := range v.References {
		k := &v.References[i]
		if k.ID != "" {
			pid := b.param(k.Param, "")
			b.text(pid, b.number(k.Type), 0, k.Group, k.ID)
			b.key(pid, leadOf(k.Param, "", k.ID, false, false), k.ID)
		}
		if k.URL != "" {
			pid := b.param(k.Param, asURL)
			b.text(pid, 0, 0, k.Group, k.URL)
			b.key(pid, leadOf(k.Param, asURL, k.URL, false, false), k.URL)
		}
		if k.Value != "" {
			pid := b.param(k.Param, asIdentifier)
			b.text(pid, b.number(k.System), 0, k.Group, k.Value)
			b.key(pid, leadOf(k.Param, asIdentifier, k.Value, false, false), k.Value)
		}
	}
	for i := range v.Strings {
		if k := &v.Strings[i]; k.Group != 0 {
			high, low := b.s.hash.written(k.Exact)
			b.text(b.param(k.Param, ""), high, low, k.Group, k.Folded)
		}
	}
	for i := range v.URIs {
		if k := &v.URIs[i]; k.Group != 0 {
			b.text(b.param(k.Param, ""), 0, 0, k.Group, k.Value)
		}
	}
}

func (b *valuing) dates(typ string, v *search.Values) {
	out := b.out
	leading, many := search.LeadingDate(typ), false
	for i := range v.Dates {
		k := &v.Dates[i]
		if k.Group == 0 && k.Param == leading {
			if out.at = k.Low; many || k.Low <= atOther || long(k.Low, k.High) {
				out.at = atOther
			}
			many = true
		}
		out.dPid, out.dGroup = append(out.dPid, b.param(k.Param, "").id), append(out.dGroup, int32(k.Group))
		out.dBounds = append(out.dBounds, k.Low, k.High)
	}
}

// amounts come in the order in which they have rows in index_number: those in base units, others, and
// last what has none.
func (b *valuing) amounts(v *search.Values) {
	b.quantities(v, b.canonical, false)
	b.out.qCanonical = int32(len(b.out.qPid))
	for i := range v.Numbers { // those of composites too: positions are looked for by them
		k := &v.Numbers[i]
		b.amount(b.param(k.Param, ""), k.Low, k.High, 0, 0, 0, k.Group)
	}
	b.quantities(v, b.quantity, false)
	b.out.qRows = int32(len(b.out.qPid))
	b.quantities(v, b.canonical, true)
	b.quantities(v, b.quantity, true)
}

// quantities are those of composites, or the others.
func (b *valuing) quantities(v *search.Values, add func(*search.Quantity), grouped bool) {
	for i := range v.Quantities {
		if k := &v.Quantities[i]; (k.Group != 0) == grouped {
			add(k)
		}
	}
}

func (b *valuing) quantity(k *search.Quantity) {
	b.amount(b.param(k.Param, ""), k.Low, k.High, b.number(k.System), b.number(k.Code), b.number(k.Unit), k.Group)
}

func (b *valuing) canonical(k *search.Quantity) {
	if k.CanonicalCode != "" {
		b.amount(b.param(k.Param, asCanonical), k.CanonicalLow, k.CanonicalHigh, 0, b.number(k.CanonicalCode), 0, k.Group)
	}
}

func (b *valuing) amount(pid named, low, high float64, system, code, unit int32, group uint16) {
	out := b.out
	out.qPid, out.qGroup = append(out.qPid, pid.id), append(out.qGroup, int32(group))
	out.qBounds, out.qUnits = append(out.qBounds, middle(low, high), low, high), append(out.qUnits, system, code, unit)
}

// The texts of a resource that have words in common.
const (
	paramText    = "_text"
	paramContent = "_content"
)

func textBit(param string) int {
	switch param {
	case paramText:
		return 1
	case paramContent:
		return 2
	}
	return 0
}

// otherText is the parameter that has words in common with one; "" when none has.
func otherText(param string) string {
	switch param {
	case paramText:
		return paramContent
	case paramContent:
		return paramText
	}
	return ""
}

// words hashes each term once: what both texts of the resource have stands under both together, and once.
func (b *valuing) words(v *search.Values) {
	type place struct{ at, in int }
	var known map[string]place // of terms of the two
	in := 0
	for i := range v.Texts {
		in |= textBit(v.Texts[i].Param)
	}
	if in == textBit(paramText)|textBit(paramContent) {
		known = map[string]place{}
	}
	for i := range v.Texts {
		k := &v.Texts[i]
		all, bit := b.param(k.Param, "").hash, textBit(k.Param)
		if len(k.Terms) > 0 {
			b.out.words = append(b.out.words, all) // says that there is a text
		}
		for _, term := range k.Terms {
			if known != nil && bit != 0 {
				p, again := known[term]
				if again && p.in&bit == 0 {
					b.out.words[p.at] ^= all
				}
				if again {
					known[term] = place{p.at, p.in | bit}
					continue
				}
				known[term] = place{len(b.out.words), bit}
			}
			b.out.words = append(b.out.words, b.s.hash.text(term)^all)
		}
	}
}

// gram adds the grams of a text that :contains looks in.
func (b *valuing) gram(text string) {
	if text == "" || slices.Contains(b.grams, text) {
		return
	}
	b.grams = append(b.grams, text)
	all := int32(b.shared(byText))
	hashes := b.s.hash.grams(text)
	if hashes == nil {
		b.out.grams = append(b.out.grams, all)
	}
	for _, g := range hashes {
		b.out.grams = append(b.out.grams, g^all)
	}
}

// finish derives the rows of the index tables and drops what says nothing.
func (v *values) finish(typ int32) {
	v.marks = unique(v.marks)
	v.words, v.grams = unique(v.words), unique(v.grams)
	v.derive(typ)
	v.xSpace, v.xForm, v.xGroup = orNil(v.xSpace), orNil(v.xForm), orNil(v.xGroup)
	v.dGroup, v.qGroup, v.qUnits = orNil(v.dGroup), orNil(v.qGroup), orNil(v.qUnits)
}

// derive makes the rows of the index tables, but for words, of what the row of a resource of the type has.
func (v *values) derive(typ int32) {
	v.keys = make([]key, len(v.marks))
	for i, k := range v.marks {
		if v.keys[i].key = k; dated(k) {
			v.keys[i].at = v.at
		}
	}
	v.strings = make([]entry, 0, v.xRows)
	for i := range v.xRows {
		under := byText
		if i >= v.xStrings {
			under = byLabel
		}
		v.strings = append(v.strings, entry{under.of(typ), start(string(v.xText[i]))})
	}
	v.strings = unique2(v.strings, func(a, b entry) int { return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.text, b.text)) })
	for i, pid := range v.dPid {
		if v.dGroup != nil && v.dGroup[i] != 0 {
			continue
		}
		low, high := v.dBounds[2*i], v.dBounds[2*i+1]
		d := date{pid: pid, low: low}
		switch {
		case long(low, high) || several(v.dPid, v.dGroup, i):
			d.class = classOther
		case high-low > momentDate:
			d.class = classDay
		}
		v.dates = append(v.dates, d)
	}
	v.dates = unique2(v.dates, func(a, b date) int {
		return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.class, b.class), cmp.Compare(a.low, b.low))
	})
	for i := range v.qRows {
		under := byCanonical
		if i >= v.qCanonical {
			under = byAmount
		}
		v.numbers = append(v.numbers, number{under.of(typ), v.qBounds[3*i]})
	}
	v.numbers = unique2(v.numbers, func(a, b number) int {
		return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.value, b.value))
	})
}

// long reports whether an interval is longer than a day, so that its bounds do not bound each other.
func long(low, high int64) bool {
	return low <= search.MinTime || high >= search.MaxTime || high-low > shortDate
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
