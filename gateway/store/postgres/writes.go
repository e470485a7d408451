package postgres

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/yilian/yilian/gateway/store"
)

// writes is what a transaction is to write and has not sent. flush turns it into one
// statement for each table and kind, whatever number of resources there are. All
// transactions have the order of the tables in common, and the order of rows in those
// where one waits for another. It belongs to one goroutine at a time.
type writes struct {
	rows     []resourceWrite // as they were written: the same one may come again
	versions []versionWrite
	persons  []store.Person
	links    []linkWrite
	features []featureWrite
	reviews  []store.Review
	pending  []pendingWrite
	flushed  int // times
}

// kind says what a resourceWrite does to the row of a resource.
type kind int

const (
	replacing  kind = iota // the row is made, or replaced by another version
	reindexing             // index values alone
	advancing              // the stamp alone, to a newer one
	expunging              // index rows go
)

type resourceWrite struct {
	kind          kind
	deleted       bool
	rid           int64
	was           int64 // change of the row before; 0: there is none
	change, at    int64
	number        int64
	self          int64
	stamp         store.Stamp
	shard         int32
	typ, owner    int32
	id            string
	patient       string
	source        string
	before, after *values
}

type versionWrite struct {
	change, rid, at, number int64
	stamp                   store.Stamp
	shard, owner            int32
	deleted                 bool
	patient, source         string
	blob, body              []byte
}

type featureWrite struct {
	patient string
	body    []byte
	strong  [][]byte
	fresh   bool // nothing is known of the Patient before
}

type linkWrite struct {
	store.Link
	since int64
	fresh bool // the Patient has no link before
}

type pendingWrite struct {
	from  store.Key
	waits []store.Pending
	fresh bool // the resource waits for nothing before
}

// mark is a point in what was collected.
type mark struct{ rows, versions, persons, links, features, reviews, pending, flushed int }

func (w *writes) mark() mark {
	return mark{len(w.rows), len(w.versions), len(w.persons), len(w.links), len(w.features), len(w.reviews), len(w.pending), w.flushed}
}

// undo forgets what was collected since the mark. It reports false, and does nothing,
// where some of it is flushed.
func (w *writes) undo(m mark) bool {
	if m.flushed != w.flushed {
		return false
	}
	w.rows, w.versions = shorten(w.rows, m.rows), shorten(w.versions, m.versions)
	w.persons, w.links, w.features = shorten(w.persons, m.persons), shorten(w.links, m.links), shorten(w.features, m.features)
	w.reviews, w.pending = shorten(w.reviews, m.reviews), shorten(w.pending, m.pending)
	return true
}

func shorten[T any](list []T, n int) []T {
	clear(list[n:])
	return list[:n]
}

func (w *writes) empty() bool {
	return len(w.rows)+len(w.versions)+len(w.persons)+len(w.links)+len(w.features)+len(w.reviews)+len(w.pending) == 0
}

// flush queues what was collected, and returns the resources whose rows are replaced:
// where there are several, they are to be locked first.
func (w *writes) flush(b *pgx.Batch) (rids []int64) {
	if w.empty() {
		return nil
	}
	rids = w.flushResources(b)
	w.flushVersions(b)
	w.flushPersons(b)
	w.flushLinks(b)
	w.flushFeatures(b)
	w.flushReviews(b)
	w.flushPending(b)
	*w = writes{flushed: w.flushed + 1}
	return rids
}

const resourceColumns = `change, updated, stamp_time, stamp_sequence, number, owner, deleted, patient, source, ` + valueColumns

const valueColumns = `at, x_strings, x_rows, q_canonical, q_rows, keys, x_pid, x_space, x_form, x_group, x_text, d_pid, d_group, d_bounds, q_pid, q_group, q_bounds, q_units`

var (
	insertResourcesSQL = "INSERT INTO resource (rid, self, shard, type, id, " + resourceColumns + ") SELECT rid, self, shard, type, id, " + resourceColumns +
		" FROM unnest($1::resource_row[])"
	updateResourcesSQL = replaces(resourceColumns)
	reindexSQL         = replaces(valueColumns)
)

// replaces makes the statement that replaces columns of all rows, each of which must
// have the change that it is to have.
func replaces(columns string) string {
	var set []string
	for column := range strings.SplitSeq(columns, ", ") {
		set = append(set, column+" = x."+column)
	}
	return "WITH done AS (UPDATE resource r SET " + strings.Join(set, ", ") + " FROM unnest($1::resource_row[]) x " +
		"WHERE r.rid = x.rid AND r.change = x.was RETURNING 1) SELECT found_all((SELECT count(*) FROM done), $2)"
}

const advanceSQL = `UPDATE resource r SET stamp_time = x.stamp_time, stamp_sequence = x.stamp_sequence FROM unnest($1::resource_row[]) x
WHERE r.rid = x.rid AND (r.stamp_time, r.stamp_sequence) < (x.stamp_time, x.stamp_sequence)`

// size is about what the row takes when it is packed.
func (r *resourceWrite) size() int {
	n := 8*resourceRowColumns + 100 + len(r.id) + len(r.patient) + len(r.source)
	if v := r.after; v != nil {
		n += 11*headBytes + 12*(len(v.marks)+len(v.dBounds)+len(v.qBounds)) + 8*(5*len(v.xPid)+2*len(v.dPid)+2*len(v.qPid)+len(v.qUnits))
		for _, text := range v.xText {
			n += len(text)
		}
	}
	return n
}

// flushResources writes the rows of resources and those of the index tables.
func (w *writes) flushResources(b *pgx.Batch) (rids []int64) {
	if len(w.rows) == 0 {
		return nil
	}
	var index indexWrite
	var made, replaced, reindexed, advanced packed
	var fresh []*resourceWrite
	rows := merged(w.rows)
	index.grow(rows)
	for i := range rows {
		r := &rows[i]
		index.add(r)
		switch {
		case r.kind == replacing && r.was == 0:
			fresh = append(fresh, r)
			continue
		case r.kind == replacing:
			r.pack(&replaced)
		case r.kind == reindexing:
			r.pack(&reindexed)
		case r.kind == advancing:
			r.pack(&advanced)
		}
		rids = append(rids, r.rid)
	}
	// Who makes the same resources waits for the first of them.
	slices.SortFunc(fresh, func(a, b *resourceWrite) int { return cmp.Or(cmp.Compare(a.typ, b.typ), strings.Compare(a.id, b.id)) })
	bytes := 0
	for _, r := range fresh {
		bytes += r.size()
	}
	made.grow(bytes)
	for _, r := range fresh {
		r.pack(&made)
	}
	if made.count > 0 {
		b.Queue(insertResourcesSQL, &made)
	}
	if replaced.count > 0 {
		b.Queue(updateResourcesSQL, &replaced, replaced.count)
	}
	if reindexed.count > 0 {
		b.Queue(reindexSQL, &reindexed, reindexed.count)
	}
	if advanced.count > 0 {
		b.Queue(advanceSQL, &advanced)
	}
	index.flush(b)
	return rids
}

// merged makes one write of all that replace a row, which takes in what was done to it
// afterwards, and otherwise one of each kind. They come by row.
func merged(rows []resourceWrite) (out []resourceWrite) {
	again := false
	for i := 1; i < len(rows) && !again; i++ {
		again = rows[i].rid <= rows[i-1].rid
	}
	if !again {
		return rows // as most are: made in this order
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b resourceWrite) int { return cmp.Compare(a.rid, b.rid) })
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].rid == rows[0].rid {
			n++
		}
		out = append(out, mergedRow(rows[:n])...)
		rows = rows[n:]
	}
	return out
}

func mergedRow(rows []resourceWrite) []resourceWrite {
	if len(rows) == 1 {
		return rows
	}
	var of [expunging + 1]*resourceWrite
	var first *resourceWrite // that changes index values
	for i := range rows {
		r := &rows[i]
		if r.kind != advancing && first == nil {
			first = r
		}
		before, base := of[r.kind], of[replacing]
		switch {
		case r.kind == replacing:
			if base != nil {
				r.was = base.was
			}
			of = [expunging + 1]*resourceWrite{replacing: r}
		case r.kind == reindexing && base != nil:
			base.after = r.after
		case r.kind == advancing && base != nil:
			base.stamp = later(base.stamp, r.stamp)
		case r.kind == advancing && before != nil:
			before.stamp = later(before.stamp, r.stamp)
		default:
			of[r.kind] = r
		}
	}
	var out []resourceWrite
	for _, r := range of {
		if r != nil {
			if r.kind != advancing {
				r.before = first.before
			}
			out = append(out, *r)
		}
	}
	return out
}

func later(a, b store.Stamp) store.Stamp {
	if a.Before(b) {
		return b
	}
	return a
}

// resourceRowColumns is how many columns resource_row has.
const resourceRowColumns = 33

// pack writes a resource_row. What its kind does not need is sent as it is.
func (r *resourceWrite) pack(p *packed) {
	at := p.row(resourceRowColumns)
	v := r.after
	if v == nil {
		v = &values{}
	}
	p.int8(r.rid)
	p.int8(r.was)
	p.int8(r.change)
	p.int8(r.at)
	p.int8(r.stamp.Time)
	p.int8(r.stamp.Sequence)
	p.int8(r.self)
	p.int4(r.shard)
	p.int4(r.typ)
	p.int4(int32(r.number))
	p.int4(r.owner)
	p.bool(r.deleted)
	p.text(r.id)
	p.text(r.patient)
	p.text(r.source)
	p.int8(v.at)
	p.int4(v.xStrings)
	p.int4(v.xRows)
	p.int4(v.qCanonical)
	p.int4(v.qRows)
	p.int8s(v.marks)
	p.int4s(v.xPid)
	p.int4s(v.xSpace)
	p.int4s(v.xForm)
	p.int4s(v.xGroup)
	p.byteas(v.xText)
	p.int4s(v.dPid)
	p.int4s(v.dGroup)
	p.int8s(v.dBounds)
	p.int4s(v.qPid)
	p.int4s(v.qGroup)
	p.float8s(v.qBounds)
	p.int4s(v.qUnits)
	p.end(at)
}

const insertVersionsSQL = "INSERT INTO version (" + versionRowColumns + ") SELECT " + versionRowColumns + " FROM unnest($1::version_row[])"

const versionRowColumns = "change, rid, updated, stamp_time, stamp_sequence, shard, number, owner, deleted, patient, source, blob, body"

func (w *writes) flushVersions(b *pgx.Batch) {
	if len(w.versions) == 0 {
		return
	}
	var p packed
	bytes := 0
	for i := range w.versions {
		v := &w.versions[i]
		bytes += 200 + len(v.patient) + len(v.source) + len(v.blob) + len(v.body)
	}
	p.grow(bytes)
	for i := range w.versions {
		v := &w.versions[i]
		at := p.row(13)
		p.int8(v.change)
		p.int8(v.rid)
		p.int8(v.at)
		p.int8(v.stamp.Time)
		p.int8(v.stamp.Sequence)
		p.int4(v.shard)
		p.int4(int32(v.number))
		p.int4(v.owner)
		p.bool(v.deleted)
		p.text(v.patient)
		p.text(v.source)
		p.bytes(v.blob)
		p.bytes(v.body)
		p.end(at)
	}
	b.Queue(insertVersionsSQL, &p)
}

// indexWrite is by what the index tables differ afterwards, in the order of their
// indexes, so that rows which stand together are written together.
type indexWrite struct {
	keys, keysGone       []indexed[key]
	strings, stringsGone []indexed[entry]
	dates, datesGone     []indexed[date]
	numbers, numbersGone []indexed[number]
	words, wordsChanged  packed
	wordsGone            []int64
}

// indexed is a value with the resource that has it.
type indexed[T any] struct {
	value T
	rid   int64
}

// grow makes room for the rows that new resources bring.
func (w *indexWrite) grow(rows []resourceWrite) {
	keys, strings, dates, numbers, words := 0, 0, 0, 0, 0
	for i := range rows {
		if v := rows[i].after; v != nil && rows[i].was == 0 {
			keys, strings, dates, numbers = keys+len(v.keys), strings+len(v.strings), dates+len(v.dates), numbers+len(v.numbers)
			words += 80 + 12*len(v.words) + 8*len(v.grams)
		}
	}
	w.keys, w.strings = make([]indexed[key], 0, keys), make([]indexed[entry], 0, strings)
	w.dates, w.numbers = make([]indexed[date], 0, dates), make([]indexed[number], 0, numbers)
	w.words.grow(words)
}

func (w *indexWrite) add(r *resourceWrite) {
	if r.kind == advancing {
		return
	}
	old, fresh := r.before, r.after
	differ(&w.keysGone, &w.keys, old.keys, fresh.keys, r.rid, compareKeys)
	differ(&w.stringsGone, &w.strings, old.strings, fresh.strings, r.rid, compareEntries)
	differ(&w.datesGone, &w.dates, old.dates, fresh.dates, r.rid, compareDates)
	differ(&w.numbersGone, &w.numbers, old.numbers, fresh.numbers, r.rid, compareNumbers)
	before, after := len(old.words)+len(old.grams) > 0, len(fresh.words)+len(fresh.grams) > 0
	switch {
	case slices.Equal(old.words, fresh.words) && slices.Equal(old.grams, fresh.grams):
	case before && !after:
		w.wordsGone = append(w.wordsGone, r.rid)
	case before:
		packWords(&w.wordsChanged, r.rid, fresh)
	default:
		packWords(&w.words, r.rid, fresh)
	}
}

// differ adds what is in old alone to gone, and what is in fresh alone to more. Both are sorted.
func differ[T any](gone, more *[]indexed[T], old, fresh []T, rid int64, by func(a, b T) int) {
	for len(old) > 0 || len(fresh) > 0 {
		n := 0
		switch {
		case len(old) == 0:
			n = 1
		case len(fresh) == 0:
			n = -1
		default:
			n = by(old[0], fresh[0])
		}
		if n < 0 {
			*gone = append(*gone, indexed[T]{old[0], rid})
		}
		if n > 0 {
			*more = append(*more, indexed[T]{fresh[0], rid})
		}
		if n <= 0 {
			old = old[1:]
		}
		if n >= 0 {
			fresh = fresh[1:]
		}
	}
}

func packWords(p *packed, rid int64, v *values) {
	at := p.row(3)
	p.int8(rid)
	p.int8s(v.words)
	p.int4s(v.grams)
	p.end(at)
}

// compareKeys orders keys as index_key_key does, and so on.
func compareKeys(a, b key) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at)) }

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), strings.Compare(a.text, b.text))
}

func compareDates(a, b date) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.class, b.class), cmp.Compare(a.low, b.low))
}

func compareNumbers(a, b number) int {
	return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.value, b.value))
}

// inIndex sorts rows as the index has them.
func inIndex[T any](list []indexed[T], by func(a, b T) int) {
	slices.SortFunc(list, func(a, b indexed[T]) int { return cmp.Or(by(a.value, b.value), cmp.Compare(a.rid, b.rid)) })
}

const (
	deleteKeysSQL = `DELETE FROM index_key s USING unnest($1::int8[], $2::int8[], $3::int8[]) x(key, at, rid)
WHERE s.key = x.key AND s.at = x.at AND s.rid = x.rid`
	insertKeysSQL    = "INSERT INTO index_key (key, at, rid) SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[])"
	deleteStringsSQL = `DELETE FROM index_string s USING unnest($1::int8[], $2::int4[], $3::bytea[]) x(rid, pid, text)
WHERE s.pid = x.pid AND s.text = x.text AND s.rid = x.rid`
	insertStringsSQL = "INSERT INTO index_string (rid, pid, text) SELECT * FROM unnest($1::int8[], $2::int4[], $3::bytea[])"
	deleteDatesSQL   = `DELETE FROM index_date s USING unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[]) x(rid, low, pid, class)
WHERE s.pid = x.pid AND s.class = x.class AND s.low = x.low AND s.rid = x.rid`
	insertDatesSQL   = "INSERT INTO index_date (rid, low, pid, class) SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[])"
	deleteNumbersSQL = `DELETE FROM index_number s USING unnest($1::int8[], $2::float8[], $3::int4[]) x(rid, value, pid)
WHERE s.pid = x.pid AND s.value = x.value AND s.rid = x.rid`
	insertNumbersSQL = "INSERT INTO index_number (rid, value, pid) SELECT * FROM unnest($1::int8[], $2::float8[], $3::int4[])"
	deleteWordsSQL   = "DELETE FROM index_word WHERE rid = ANY($1)"
	updateWordsSQL   = "UPDATE index_word s SET words = x.words, grams = x.grams FROM unnest($1::word_row[]) x WHERE s.rid = x.rid"
	insertWordsSQL   = "INSERT INTO index_word (rid, words, grams) SELECT rid, words, grams FROM unnest($1::word_row[])"
)

func (w *indexWrite) flush(b *pgx.Batch) {
	keys := func(sql string, list []indexed[key]) {
		var key, at, rid packed
		inIndex(list, compareKeys)
		key.grow(12 * len(list))
		at.grow(12 * len(list))
		rid.grow(12 * len(list))
		for _, k := range list {
			key.addInt8(k.value.key)
			at.addInt8(k.value.at)
			rid.addInt8(k.rid)
		}
		queueSome(b, sql, &key, &at, &rid)
	}
	texts := func(sql string, list []indexed[entry]) {
		var rid, pid, text packed
		inIndex(list, compareEntries)
		rid.grow(12 * len(list))
		pid.grow(8 * len(list))
		text.grow(40 * len(list))
		for _, k := range list {
			rid.addInt8(k.rid)
			pid.addInt4(k.value.pid)
			text.addText(k.value.text)
		}
		queueSome(b, sql, &rid, &pid, &text)
	}
	dates := func(sql string, list []indexed[date]) {
		var rid, low, pid, class packed
		inIndex(list, compareDates)
		low.grow(12 * len(list))
		rid.grow(12 * len(list))
		pid.grow(8 * len(list))
		class.grow(8 * len(list))
		for _, k := range list {
			rid.addInt8(k.rid)
			low.addInt8(k.value.low)
			pid.addInt4(k.value.pid)
			class.addInt4(k.value.class)
		}
		queueSome(b, sql, &rid, &low, &pid, &class)
	}
	numbers := func(sql string, list []indexed[number]) {
		var rid, value, pid packed
		inIndex(list, compareNumbers)
		value.grow(12 * len(list))
		rid.grow(12 * len(list))
		pid.grow(8 * len(list))
		for _, k := range list {
			rid.addInt8(k.rid)
			value.addFloat8(k.value.value)
			pid.addInt4(k.value.pid)
		}
		queueSome(b, sql, &rid, &value, &pid)
	}
	keys(deleteKeysSQL, w.keysGone)
	keys(insertKeysSQL, w.keys)
	texts(deleteStringsSQL, w.stringsGone)
	texts(insertStringsSQL, w.strings)
	dates(deleteDatesSQL, w.datesGone)
	dates(insertDatesSQL, w.dates)
	numbers(deleteNumbersSQL, w.numbersGone)
	numbers(insertNumbersSQL, w.numbers)
	var gone packed
	for _, rid := range w.wordsGone {
		gone.addInt8(rid)
	}
	queueSome(b, deleteWordsSQL, &gone)
	queueSome(b, updateWordsSQL, &w.wordsChanged)
	queueSome(b, insertWordsSQL, &w.words)
}

// queueSome queues a statement whose arrays have elements.
func queueSome(b *pgx.Batch, sql string, columns ...*packed) {
	if columns[0].count == 0 {
		return
	}
	args := make([]any, len(columns))
	for i, c := range columns {
		args[i] = c
	}
	b.Queue(sql, args...)
}

const insertPersonsSQL = `INSERT INTO person (id, "into", since, merged) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::int8[])`

// flushPersons writes persons, none of which is there: their key ends the transaction otherwise.
func (w *writes) flushPersons(b *pgx.Batch) {
	slices.SortFunc(w.persons, func(a, b store.Person) int { return strings.Compare(a.ID, b.ID) })
	var id, into, since, merged packed
	for _, p := range w.persons {
		id.addText(p.ID)
		into.addText(p.Into)
		since.addInt8(micros(p.Since))
		merged.addInt8(micros(p.MergedAt))
	}
	queueSome(b, insertPersonsSQL, &id, &into, &since, &merged)
}

const (
	endLinksSQL    = "UPDATE link l SET until = x.until FROM unnest($1::bytea[], $2::int8[]) x(patient, until) WHERE l.patient = x.patient AND l.until = 0"
	insertLinksSQL = `INSERT INTO link (person, patient, institution, rule, reason, since, until)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::int8[], $7::int8[])`
)

// flushLinks ends the link that each Patient has and writes new ones, of which the last holds.
func (w *writes) flushLinks(b *pgx.Batch) {
	slices.SortStableFunc(w.links, func(a, b linkWrite) int { return strings.Compare(a.Patient, b.Patient) })
	var ended, when, person, patient, institution, rule, reason, since, until packed
	for i, l := range w.links {
		if !l.fresh && (i == 0 || w.links[i-1].Patient != l.Patient) {
			ended.addText(l.Patient)
			when.addInt8(l.since)
		}
		person.addText(l.Person)
		patient.addText(l.Patient)
		institution.addText(l.Institution)
		rule.addText(l.Rule)
		reason.addText(l.Reason)
		since.addInt8(l.since)
		if i+1 < len(w.links) && w.links[i+1].Patient == l.Patient {
			until.addInt8(w.links[i+1].since)
		} else {
			until.addInt8(0)
		}
	}
	queueSome(b, endLinksSQL, &ended, &when)
	queueSome(b, insertLinksSQL, &person, &patient, &institution, &rule, &reason, &since, &until)
}

const (
	setFeaturesSQL = `INSERT INTO feature (patient, body) SELECT * FROM unnest($1::bytea[], $2::bytea[])
ON CONFLICT (patient) DO UPDATE SET body = excluded.body`
	dropStrongSQL = `DELETE FROM feature_strong s USING unnest($1::bytea[]) x(patient) WHERE s.patient = x.patient
AND NOT EXISTS (SELECT 1 FROM unnest($2::bytea[], $3::bytea[]) k(strong, patient) WHERE k.strong = s.strong AND k.patient = s.patient)`
	insertStrongSQL = "INSERT INTO feature_strong (strong, patient) SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT DO NOTHING"
)

// flushFeatures writes what is known of each Patient last.
func (w *writes) flushFeatures(b *pgx.Batch) {
	list := lastOf(w.features, func(a, b featureWrite) int { return strings.Compare(a.patient, b.patient) })
	type strong struct {
		digest  []byte
		patient string
	}
	var known []strong
	var patient, body, again packed
	for _, f := range list {
		patient.addText(f.patient)
		body.addBytes(f.body)
		if !f.fresh {
			again.addText(f.patient)
		}
		for _, s := range f.strong {
			known = append(known, strong{s, f.patient})
		}
	}
	slices.SortFunc(known, func(a, b strong) int {
		return cmp.Or(bytes.Compare(a.digest, b.digest), strings.Compare(a.patient, b.patient))
	})
	var digest, of packed
	for _, k := range known {
		digest.addBytes(k.digest)
		of.addText(k.patient)
	}
	queueSome(b, setFeaturesSQL, &patient, &body)
	queueSome(b, dropStrongSQL, &again, &digest, &of)
	queueSome(b, insertStrongSQL, &digest, &of)
}

// lastOf sorts writes and keeps the last of those that are equal.
func lastOf[T any](list []T, by func(a, b T) int) (out []T) {
	slices.SortStableFunc(list, by)
	for i, x := range list {
		if i+1 == len(list) || by(x, list[i+1]) != 0 {
			out = append(out, x)
		}
	}
	return out
}

const insertReviewsSQL = `INSERT INTO review (patient_a, patient_b, rule, reason, since, resolution)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::int8[], $6::bytea[]) ON CONFLICT DO NOTHING`

func (w *writes) flushReviews(b *pgx.Batch) {
	var first, second, rule, reason, since, resolution packed
	for _, r := range w.reviews {
		first.addText(r.PatientA)
		second.addText(r.PatientB)
		rule.addText(r.Rule)
		reason.addText(r.Reason)
		since.addInt8(micros(r.Since))
		resolution.addText(r.Resolution)
	}
	queueSome(b, insertReviewsSQL, &first, &second, &rule, &reason, &since, &resolution)
}

const (
	dropPendingSQL   = "DELETE FROM pending p USING unnest($1::bytea[], $2::bytea[]) x(type, id) WHERE p.from_id = x.id AND p.from_type = x.type"
	insertPendingSQL = `INSERT INTO pending (target, type, system, value, from_type, from_id)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[]) ON CONFLICT DO NOTHING`
)

// flushPending writes what each resource waits for last.
func (w *writes) flushPending(b *pgx.Batch) {
	list := lastOf(w.pending, func(a, b pendingWrite) int {
		return cmp.Or(strings.Compare(a.from.Type, b.from.Type), strings.Compare(a.from.ID, b.from.ID))
	})
	type wait struct {
		store.Pending
		target []byte
	}
	var waits []wait
	var types, ids packed
	for _, p := range list {
		if !p.fresh {
			types.addText(p.from.Type)
			ids.addText(p.from.ID)
		}
		for _, x := range p.waits {
			x.From = p.from
			waits = append(waits, wait{x, targetOf(x.Type, x.Identifier)})
		}
	}
	slices.SortStableFunc(waits, func(a, b wait) int {
		return cmp.Or(bytes.Compare(a.target, b.target), strings.Compare(a.From.Type, b.From.Type), strings.Compare(a.From.ID, b.From.ID))
	})
	var target, typ, system, value, fromType, fromID packed
	for _, x := range waits {
		target.addBytes(x.target)
		typ.addText(x.Type)
		system.addText(x.Identifier.System)
		value.addText(x.Identifier.Value)
		fromType.addText(x.From.Type)
		fromID.addText(x.From.ID)
	}
	queueSome(b, dropPendingSQL, &types, &ids)
	queueSome(b, insertPendingSQL, &target, &typ, &system, &value, &fromType, &fromID)
}
