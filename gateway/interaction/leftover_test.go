package interaction_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// sent puts a record with bytes of its own into the inbox and writes what it became.
func (f *fixture) sent(minute int64, text string, writes ...interaction.Write) store.Record {
	f.t.Helper()
	receipts, err := f.store.Accept(f.ctx(), []store.Entry{{
		Record: store.Record{Institution: "city", Source: "test", Format: "json", Lanes: []string{"patient 1"}}, Bytes: []byte(text),
	}})
	if err != nil {
		f.t.Fatal(err)
	}
	b := f.batch("city", minute, writes...)
	b.Record, b.Digest, b.Length = receipts[0].ID, receipts[0].Digest, receipts[0].Length
	if _, err := f.Apply(f.ctx(), b); err != nil {
		f.t.Fatal(err)
	}
	return receipts[0].Record
}

// erasing expunges and returns how many things and records went, and which records stayed.
func (f *fixture) erasing(k store.Key, version int64, names ...string) (count, records string, kept []string, err error) {
	c := &interaction.Call{Key: k, Version: version}
	for _, name := range names {
		c.Pairs = append(c.Pairs, search.Pair{Name: name, Value: "true"})
	}
	r, err := f.Operate(f.ctx(), everybody, "expunge", c)
	if err != nil {
		return "", "", nil, err
	}
	for _, p := range r.Resource.Get("parameter").Items() {
		switch value := string(p.Get("valueInteger").AppendJSON(nil)); p.Get("name").Text() {
		case "count":
			count = value
		case "records":
			records = value
		default:
			kept = append(kept, p.Get("valueString").Text())
		}
	}
	return count, records, kept, nil
}

func TestRecordsGoWithTheLastThatCameFromThem(t *testing.T) {
	patient, ward := store.Key{Type: "Patient", ID: "p1"}, store.Key{Type: "Location", ID: "w1"}
	result, other := store.Key{Type: "Observation", ID: "o1"}, store.Key{Type: "Patient", ID: "p2"}
	const (
		person   = `{"resourceType":"Patient","id":"p1","gender":"male"}`
		place    = `{"resourceType":"Location","id":"w1","name":"Ward"}`
		observed = `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
	)
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.expunging()
		admitted := f.sent(1, "admitted", f.replace(person), f.replace(place))
		again := f.sent(2, "admitted again", f.replace(person))
		reported := f.sent(3, "reported", f.replace(observed), f.fill(`{"resourceType":"Patient","id":"p1","birthDate":"1990-01-01"}`))
		elsewhere := f.sent(4, "elsewhere", f.replace(`{"resourceType":"Patient","id":"p2","gender":"female"}`))
		want := func(r store.Record, state store.RecordState, bytes bool) {
			t.Helper()
			got, err := f.store.Record(f.ctx(), r.ID)
			if err != nil || got.State != state {
				t.Errorf("record %s, want %s: %v", got.State, state, err)
			}
			if _, err := f.store.Content(f.ctx(), r.Digest, 0, 0); (err == nil) != bytes {
				t.Errorf("its bytes, want %v: %v", bytes, err)
			}
		}
		want(again, store.Unchanged, true)

		// What a patient's other resource came from as well stays, and is named.
		count, records, kept, err := f.erasing(patient, 0)
		if count != "1" || records != "2" || !slices.Equal(kept, []string{reported.ID}) || err != nil {
			t.Error(count, records, kept, err)
		}
		want(admitted, store.Erased, false)
		want(again, store.Erased, false)
		want(reported, store.Committed, true)
		if _, err := f.Read(f.ctx(), everybody, ward); err != nil {
			t.Error("the ward:", err)
		}
		count, records, kept, err = f.erasing(result, 0)
		if count != "1" || records != "1" || kept != nil || err != nil {
			t.Error(count, records, kept, err)
		}
		want(reported, store.Erased, false)
		want(elsewhere, store.Committed, true)

		// A ward belongs to nobody: what else the record made keeps it.
		shared := f.sent(5, "shared", f.replace(strings.Replace(place, "w1", "w2", 1)), f.replace(`{"resourceType":"Patient","id":"p2","gender":"male"}`))
		if _, records, kept, err := f.erasing(store.Key{Type: "Location", ID: "w2"}, 0); records != "0" || len(kept) != 1 || err != nil {
			t.Error(records, kept, err)
		}
		want(shared, store.Committed, true)
		if count, records, kept, err := f.erasing(other, 0); count != "1" || records != "2" || kept != nil || err != nil {
			t.Error(count, records, kept, err)
		}
		want(shared, store.Erased, false)
	})
}

// However often a Patient was sent again, nothing of that stays.
func TestAllThatWasSentAgainGoesWithThePatient(t *testing.T) {
	patient := store.Key{Type: "Patient", ID: "p1"}
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.expunging()
		f.LeaveOver(3)
		const person = `{"resourceType":"Patient","id":"p1","gender":"male"}`
		records := []store.Record{f.sent(1, "first", f.replace(person))}
		for n := range 11 {
			records = append(records, f.sent(int64(2+n), "again "+strconv.Itoa(n), f.replace(person)))
		}
		count, erased, kept, err := f.erasing(patient, 0)
		if err != nil || count != "1" || erased != "12" || kept != nil {
			t.Errorf("%s things and %s records went, %v stayed: %v", count, erased, kept, err)
		}
		for _, r := range records {
			got, err := f.store.Record(f.ctx(), r.ID)
			if err != nil || got.State != store.Erased {
				t.Errorf("record %s: %v", got.State, err)
			}
		}
	})
}

func TestRecordsGoWithTheFirstWhereThatIsAsked(t *testing.T) {
	f := newFixture(t)
	f.expunging()
	r := f.sent(1, "both", f.replace(`{"resourceType":"Patient","id":"p1"}`), f.replace(`{"resourceType":"Patient","id":"p2"}`))
	if _, records, kept, err := f.erasing(store.Key{Type: "Patient", ID: "p1"}, 0, "expungeRecords"); records != "1" || kept != nil || err != nil {
		t.Error(records, kept, err)
	}
	if _, err := f.store.Content(f.ctx(), r.Digest, 0, 0); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := f.Read(f.ctx(), everybody, store.Key{Type: "Patient", ID: "p2"}); err != nil {
		t.Error(err)
	}
}

func TestExpungeOfPreviousVersionsLeavesTheCurrentOnes(t *testing.T) {
	one, two := store.Key{Type: "Patient", ID: "p1"}, store.Key{Type: "Patient", ID: "p2"}
	onEachStore(t, func(t *testing.T, f *fixture) {
		f.expunging()
		versions := func(k store.Key) (numbers []int64) {
			t.Helper()
			list, err := f.store.History(f.ctx(), k, 0, 100)
			if err != nil && !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			for _, v := range list {
				numbers = append(numbers, v.Number)
			}
			return numbers
		}
		var sent []store.Record
		minute := int64(0)
		for _, id := range []string{"p1", "p2"} {
			for _, gender := range []string{"male", "female", "other", "unknown"} {
				minute++
				sent = append(sent, f.sent(minute, id+gender, f.replace(`{"resourceType":"Patient","id":"`+id+`","gender":"`+gender+`"}`)))
			}
		}
		if count, records, _, err := f.erasing(one, 2); count != "1" || records != "1" || err != nil {
			t.Error(count, records, err)
		}
		if got := versions(one); !slices.Equal(got, []int64{4, 3, 1}) {
			t.Error(got)
		}
		if r, err := f.store.Record(f.ctx(), sent[1].ID); r.State != store.Erased || err != nil {
			t.Error("the record of the version:", r.State, err)
		}
		for _, row := range []struct {
			number int64
			want   fault.Kind
		}{{4, fault.Conflict}, {2, fault.NotFound}} {
			if _, _, _, err := f.erasing(one, row.number); !fault.Is(err, row.want) {
				t.Errorf("version %d: %v", row.number, err)
			}
		}
		if count, _, _, err := f.erasing(one, 0, "expungePreviousVersions"); count != "2" || err != nil {
			t.Error(count, err)
		}
		if count, _, _, err := f.erasing(one, 0, "expungePreviousVersions"); count != "0" || err != nil {
			t.Error("nothing to do:", count, err)
		}
		if v, err := f.Read(f.ctx(), everybody, one); v.Number != 4 || err != nil {
			t.Error(v.Number, err)
		}
		// Of a type, with a limit, then of everything.
		f.Engine.Limit.Expunged = 2
		if count, _, _, err := f.erasing(store.Key{Type: "Patient"}, 0, "expungePreviousVersions"); count != "2" || err != nil {
			t.Error(count, err)
		}
		f.Engine.Limit.Expunged = 1000
		if count, _, _, err := f.erasing(store.Key{}, 0, "expungePreviousVersions"); count != "1" || err != nil {
			t.Error(count, err)
		}
		if got := versions(two); !slices.Equal(got, []int64{4}) {
			t.Error(got)
		}
		for _, k := range []store.Key{one, two} {
			if _, err := f.Delete(f.ctx(), everybody, k, 0); err != nil {
				t.Fatal(err)
			}
		}
		if count, _, _, err := f.erasing(store.Key{}, 0, "expungePreviousVersions", "expungeDeletedResources"); count != "2" || err != nil {
			t.Error("what is deleted goes with its versions:", count, err)
		}
		if got := versions(one); got != nil {
			t.Error(got)
		}
		if _, _, _, err := f.erasing(store.Key{}, 0); !fault.Is(err, fault.Invalid) {
			t.Error("not said what:", err)
		}
	})
}
