package sqlite

import (
	"cmp"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Suffixes of a parameter's name: the same values in another form.
const (
	asText       = ":text"       // display of a token, as a string
	asExact      = ":exact"      // string as written
	asCanonical  = ":canonical"  // quantity in base units
	asURL        = ":url"        // reference by url
	asIdentifier = ":identifier" // reference by business identifier
	asPart       = "$"           // what several parameters of a type lead by, together
)

// shortDate is the longest interval of class 0: a day, with room for the zone.
const shortDate = 26 * 3600 * 1_000_000

// startBytes is how much of a text index_string holds.
const startBytes = 256

// start is the part of a text that index_string holds.
func start(text string) string { return text[:min(len(text), startBytes)] }

// values are the index values of one resource.
type values struct {
	held  held
	words []words
	part  int64 // number of asPart for the type
}

// words are those of a text, a space before and behind each.
type words struct {
	pid   int64
	terms string
}

// valuesOf turns index values into entries, giving names their numbers.
func (t *tx) valuesOf(typ string, v *search.Values) (*values, error) {
	var out values
	var h holder
	var failed error
	name := func(text string) int64 {
		id, err := t.intern(text)
		if err != nil && failed == nil {
			failed = err
		}
		return id
	}
	prefix := typ + "."
	out.part = name(prefix + asPart)
	leading := search.LeadingDate(typ)
	add := func(class int, pid, space, form int64, group uint16, text string, dated bool) {
		if group != 0 && class != byKey {
			class = byNone
		}
		h.add(&entry{class: class, pid: pid, space: space, form: form, group: int64(group), text: []byte(text), dated: dated && group == 0})
	}
	text := func(class int, pid, space, form int64, group uint16, text string) {
		add(class, pid, space, form, group, text, false)
	}
	store.EachLabel(typ, v, func(label []byte) { name(string(label)) })
	for i := range v.Tokens {
		k := &v.Tokens[i]
		add(byKey, name(prefix+k.Param), name(k.System), name(k.Type), k.Group, k.Code, k.Param == datedToken)
		if k.Text != "" {
			text(byPrefix, name(prefix+k.Param+asText), 0, 0, k.Group, k.Text)
		}
	}
	for i := range v.References {
		k := &v.References[i]
		if k.ID != "" {
			add(byKey, name(prefix+k.Param), name(k.Type), 0, k.Group, k.ID, true)
		}
		if k.URL != "" {
			text(byKey, name(prefix+k.Param+asURL), 0, 0, k.Group, k.URL)
		}
		if k.Value != "" {
			text(byKey, name(prefix+k.Param+asIdentifier), name(k.System), 0, k.Group, k.Value)
		}
	}
	for i := range v.Strings {
		k := &v.Strings[i]
		text(byGram, name(prefix+k.Param), 0, 0, k.Group, k.Folded)
		exact := byKey
		if k.Group == 0 && search.Fold(k.Exact) == k.Folded {
			exact = byNone // the folded text leads there
		}
		text(exact, name(prefix+k.Param+asExact), 0, 0, k.Group, k.Exact)
	}
	for i := range v.URIs {
		k := &v.URIs[i]
		text(byPrefix, name(prefix+k.Param), 0, 0, k.Group, k.Value)
	}
	for i := range v.Dates {
		k := &v.Dates[i]
		h.add(&entry{class: byTime, pid: name(prefix + k.Param), group: int64(k.Group), low: k.Low, high: k.High,
			leads: k.Group == 0 && k.Param == leading})
	}
	for i := range v.Numbers { // those of composites too: positions are looked for by them
		k := &v.Numbers[i]
		h.add(&entry{class: byAmount, pid: name(prefix + k.Param), group: int64(k.Group), from: k.Low, to: k.High})
	}
	for i := range v.Quantities {
		k := &v.Quantities[i]
		class := byAmount
		if k.Group != 0 {
			class = justAmount
		}
		h.add(&entry{class: class, pid: name(prefix + k.Param), group: int64(k.Group), from: k.Low, to: k.High,
			system: name(k.System), code: name(k.Code), unit: name(k.Unit), of: isQuantity})
		if k.CanonicalCode != "" {
			h.add(&entry{class: class, pid: name(prefix + k.Param + asCanonical), group: int64(k.Group), from: k.CanonicalLow, to: k.CanonicalHigh,
				code: name(k.CanonicalCode), of: isCanonical})
		}
	}
	if len(v.Texts) > 0 {
		sum := sha256.New()
		for i := range v.Texts {
			k := &v.Texts[i]
			w := words{name(prefix + k.Param), " " + strings.Join(k.Terms, " ") + " "}
			if k.Param == paramContent {
				if more, ok := without(k.Terms, v.Texts); ok {
					w.terms = alsoText + strings.Join(more, " ") + " "
				}
			}
			out.words = append(out.words, w)
			_, _ = io.WriteString(sum, k.Param+w.terms)
		}
		h.add(&entry{class: byWord, text: sum.Sum(nil)})
	}
	out.held = append(held{}, h.bytes...) // never nil
	return &out, failed
}

// The words of all texts begin with alsoText where those of the narrative, which stand
// in a row of their own, are among them.
const (
	paramText    = "_text"
	paramContent = "_content"
	alsoText     = "+ "
)

// without returns the words of all texts that the narrative does not have; ok tells
// that all of the narrative's are among them.
func without(terms []string, texts []search.Text) (more []string, ok bool) {
	i := slices.IndexFunc(texts, func(t search.Text) bool { return t.Param == paramText })
	if i < 0 {
		return nil, false
	}
	known := make(map[string]bool, len(texts[i].Terms))
	for _, term := range texts[i].Terms {
		known[term] = true
	}
	met := 0
	for _, term := range terms {
		switch seen, is := known[term]; {
		case !is:
			more = append(more, term)
		case seen:
			known[term] = false
			met++
		}
	}
	return more, met == len(known)
}

// Tables of index rows.
const (
	keys = iota
	strs
	dates
	numbers
	tables
)

// indexRow is a row of an index table, to be written or removed.
type indexRow struct {
	table  int8
	remove bool
	a, b   int64 // key, or number of the parameter; class of a date
	low    int64 // of a date; the leading date of what a key lists
	value  float64
	text   string
	rid    int64
}

func compareRows(x, y *indexRow) int {
	if c := cmp.Or(cmp.Compare(x.table, y.table), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.low, y.low)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(x.value, y.value), cmp.Compare(x.text, y.text), cmp.Compare(x.rid, y.rid))
}

// rowsOf derives the rows of the index tables, sorted and each once.
func (s *Store) rowsOf(h held, part, rid int64) []indexRow {
	var r heldReader
	var e entry
	rows := make([]indexRow, 0, 32)
	var times []indexRow
	at, leading := int64(atNone), 0
	for r.begin(h); r.next(&e); {
		switch e.class {
		case byKey:
			if len(e.text) > 0 { // nobody asks for nothing
				row := indexRow{table: keys, a: s.hash.of(keyPID(e.pid, part, e.group != 0, e.text), e.text), rid: rid}
				if e.dated || tells(e.text) {
					row.low = atUnknown
				}
				rows = append(rows, row)
			}
		case byPrefix, byGram:
			rows = append(rows, indexRow{table: strs, a: e.pid, text: start(string(e.text)), rid: rid})
		case byTime:
			if e.group == 0 {
				class := int64(0)
				if e.low <= search.MinTime || e.high >= search.MaxTime || e.high-e.low > shortDate {
					class = 1
				}
				times = append(times, indexRow{table: dates, a: e.pid, b: class, low: e.low, rid: rid})
				if e.leads {
					leading++
					if at = e.low; class > 0 || leading > 1 || at <= atOther {
						at = atOther
					}
				}
			}
		case byAmount:
			rows = append(rows, indexRow{table: numbers, a: amountPID(e.pid, part, e.of), value: e.middle(), rid: rid})
		}
	}
	for i := range rows {
		if rows[i].table == keys && rows[i].low == atUnknown {
			rows[i].low = at
		}
	}
	for i := range times {
		for j := range times {
			if i != j && times[i].a == times[j].a {
				times[i].b = 1
			}
		}
	}
	rows = append(rows, times...)
	slices.SortFunc(rows, func(x, y indexRow) int { return compareRows(&x, &y) })
	return slices.Compact(rows)
}

// texts returns what the two tables of words hold of a resource: the digest of its
// words, and its texts for :contains.
func (h held) texts() (digest string, grams []string, pids []int64) {
	var r heldReader
	var e entry
	for r.begin(h); r.next(&e); {
		switch e.class {
		case byWord:
			digest = string(e.text)
		case byGram:
			grams, pids = append(grams, string(e.text)), append(pids, e.pid)
		}
	}
	return digest, grams, pids
}

// maxGrams bounds the characters of one text that index_gram knows; a longer text
// is a candidate for all.
const maxGrams = 1000

// gramsOf returns the terms of texts for index_gram.
func gramsOf(texts []string, pids []int64) string {
	var out []byte
	seen := map[string]bool{}
	add := func(term []byte) {
		if !seen[string(term)] {
			seen[string(term)] = true
			out = append(append(out, term...), ' ')
		}
	}
	for i, text := range texts {
		if len(text) > maxGrams {
			add(gramTerm(pids[i], "", ""))
			continue
		}
		for len(text) > 0 {
			_, n := utf8.DecodeRuneInString(text)
			_, m := utf8.DecodeRuneInString(text[n:])
			add(gramTerm(pids[i], text[:n], text[n:n+m]))
			text = text[n:]
		}
	}
	return string(out)
}

// gramTerm is the term of two neighbours; of the last character, its own.
func gramTerm(pid int64, first, second string) []byte {
	out := appendDigits(make([]byte, 0, gramHead+gramTail), gramHash(pid, first), gramHead)
	return appendDigits(out, gramHash(0, second), gramTail)
}

// gramQuery asks index_gram for what may contain text.
func gramQuery(pid int64, text string) string {
	var out strings.Builder
	_, n := utf8.DecodeRuneInString(text)
	if n == len(text) {
		out.WriteString(string(appendDigits(nil, gramHash(pid, text), gramHead)) + "*")
	}
	for count := 0; n < len(text) && count < maxAsked; count++ {
		_, m := utf8.DecodeRuneInString(text[n:])
		if count > 0 {
			out.WriteString(" AND ")
		}
		out.WriteString(`"` + string(gramTerm(pid, text[:n], text[n:n+m])) + `"`)
		text = text[n:]
		n = m
	}
	return "(" + out.String() + `) OR "` + string(gramTerm(pid, "", "")) + `"`
}

// maxAsked bounds the pairs of characters that a search for text asks for; the held
// text decides.
const maxAsked = 16
