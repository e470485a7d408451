package ingest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

func TestWhatIsWrongWithOneRecordDoesNotHoldUpTheOthers(t *testing.T) {
	document := func(no string) string {
		return `{"no":"` + no + `","who":"1","at":"2025-06-01T08:00:00+08:00","state":"1","what":"血糖"}`
	}
	g := running(t, small())
	for _, tt := range []struct {
		name  string
		files []ingest.File
		want  string
	}{
		{"messages", []ingest.File{file("batch.hl7", adt("A04", "B1", 1, "B1", "甲")+strings.Replace(adt("A04", "B2", 1, "B2", "乙"), "|2.4|", "|9.9|", 1)+adt("A04", "B3", 1, "B3", "丙"))},
			"committed quarantined:record-version committed"},
		{"a batch that lost its last message", []ingest.File{file("batch.hl7", "BHS|^~\\&\r"+adt("A04", "B4", 1, "B4", "甲")+"BTS|2\r")},
			"committed quarantined:record-truncated"},
		{"rows", []ingest.File{file("HZ_1.csv", "ID,XM,GX\nr1,甲,2025-06-01 08:00:00\nr2\nr3,丙,2025-06-01 08:00:00\n")},
			"committed quarantined:record-columns committed"},
		{"joined rows", []ingest.File{file("BG_1.csv", "BH,HZ,MC\n1,r1,生化\n2,r1,血常规\n"), file("XM_1.csv", "BH,DM,JG\n1,GLU,5.6\n9,GLU,7\n2,WBC,4\n")},
			"committed committed quarantined:record-orphan"},
		{"a file that nobody knows", []ingest.File{file("HZ_2.csv", "ID,XM,GX\nr4,甲,2025-06-01 08:00:00\n"), file("notes.csv", "A\n1\n")},
			"quarantined:record-table committed"},
		{"formula text", []ingest.File{file("HZ_3.csv", "ID,XM,GX\nr5,=cmd|'/C calc'!A0,2025-06-01 08:00:00\nr6,丁,2025-06-01 08:00:00\n")},
			"quarantined:record-formula committed"},
		{"documents", []ingest.File{file("a.ndjson", document("d1")+"\n{\"no\": d2}\n"+document("d3")+"\n")},
			"committed quarantined:record-json committed"},
		{"a deep document", []ingest.File{file("a.ndjson", document("d4")+"\n{\"no\":"+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+"}\n"+document("d5")+"\n")},
			"committed quarantined:record-too-large committed"},
		{"a document that does not end", []ingest.File{file("a.ndjson", document("d6")+"\n{\"no\":\"d7\"")},
			"committed quarantined:record-truncated"},
		{"a document that no map is for", []ingest.File{file("a.json", `{"nr":"1"}`)}, "quarantined:no-map"},
		{"a code that must be known", []ingest.File{file("a.json", strings.Replace(document("d8"), `"state":"1"`, `"state":"7"`, 1))}, "quarantined:code-rejected"},
		{"a file without rows", []ingest.File{file("HZ_4.csv", "ID,XM,GX\n")}, "quarantined:delivery-empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := g.take(t, from("east", tt.files...))
			if diff := cmp.Diff(tt.want, states(got)); diff != "" {
				t.Error(diff)
			}
			for _, r := range got {
				if r.State != store.Quarantined {
					continue
				}
				if strings.Contains(r.Reason, "calc") || strings.Contains(r.Reason, "甲") {
					t.Errorf("the reason quotes the record: %s", r.Reason)
				}
			}
		})
	}
}

func TestARowIsSkippedOnlyWhenItEqualsTheLastState(t *testing.T) {
	g := running(t, small())
	for i, tt := range []struct{ item, want string }{
		{"5.6", "committed"}, {"5.6", "unchanged"}, {"7.1", "committed"}, {"5.6", "committed"}, {"5.6", "unchanged"},
	} {
		got := states(g.take(t, from("east", file("BG.csv", "BH,HZ,MC\n1,h,生化\n"), file("XM.csv", "BH,DM,JG\n1,GLU,"+tt.item+"\n"))))
		if got != tt.want {
			t.Errorf("delivery %d of result %s: %s, want %s", i+1, tt.item, got, tt.want)
		}
	}
	results := g.all(t, "Observation")
	if len(results) != 1 || !strings.Contains(results[0], `"valueString":"5.6"`) {
		t.Errorf("got %s", results)
	}
}

func TestAnOlderRecordDoesNotOverwriteANewerOne(t *testing.T) {
	g := running(t, small())
	row := func(name, at string) ingest.Delivery {
		return from("east", file("HZ.csv", "ID,XM,GX\n1,"+name+","+at+"\n"))
	}
	for _, tt := range []struct{ name, at, want string }{
		{"新", "2025-06-01 09:00:00", "committed"}, {"旧", "2025-06-01 08:00:00", "superseded"}, {"更新", "2025-06-01 10:00:00", "committed"},
	} {
		if got := states(g.take(t, row(tt.name, tt.at))); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.at, got, tt.want)
		}
	}
	if got := g.all(t, "Patient"); len(got) != 1 || !strings.Contains(got[0], "更新") {
		t.Errorf("got %s", got)
	}
}

func TestAResultFindsItsOrderWhicheverComesFirst(t *testing.T) {
	order := "MSH|^~\\&|HIS|E|Y|Y|20250601080000||ORM^O01|O1|P|2.4||||||UNICODE UTF-8\rPID|1||1^^^^MR||甲\rORC|NW|S1\rOBR|1|S1||GLU^血糖\r"
	result := `{"no":"L1","who":"9","at":"2025-06-01T09:00:00+08:00","state":"1","what":"血糖","order":"S1"}`
	for _, tt := range []struct {
		name string
		list []ingest.Delivery
	}{
		{"order first", []ingest.Delivery{from("east", file("", order)), from("west", file("", result))}},
		{"result first", []ingest.Delivery{from("west", file("", result)), from("east", file("", order))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := running(t, small())
			for _, d := range tt.list {
				if got := states(g.take(t, d)); got != "committed" {
					t.Fatalf("%s", got)
				}
			}
			got := g.all(t, "DiagnosticReport")
			if len(got) != 1 || !strings.Contains(got[0], `"basedOn":[{"reference":"ServiceRequest/`) {
				t.Errorf("got %s", got)
			}
		})
	}
}

// watched notes when records are applied, and lets a test interfere.
type watched struct {
	ingest.Applier
	before func(interaction.Batch) // called before a record is applied

	mu     sync.Mutex
	events []string // "+id" when it begins, "-id" when it ends
}

func (w *watched) note(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event)
}

func (w *watched) Apply(ctx context.Context, b interaction.Batch) (interaction.Applied, error) {
	w.note("+" + b.Record)
	defer w.note("-" + b.Record)
	if w.before != nil {
		w.before(b)
	}
	return w.Applier.Apply(ctx, b)
}

func (w *watched) around(o setup) setup {
	o.engine = func(a ingest.Applier) ingest.Applier {
		w.Applier = a
		return w
	}
	return o
}

func TestRecordsOfOnePatientKeepTheirOrder(t *testing.T) {
	var slow sync.Map // records that take their time
	w := &watched{before: func(b interaction.Batch) {
		if _, ok := slow.Load(b.Record); ok {
			time.Sleep(150 * time.Millisecond)
		}
	}}
	g := newGateway(t, w.around(small()))
	accept := func(text string, wait bool) string {
		a, err := g.Accept(t.Context(), from("east", file("", text)))
		if err != nil {
			t.Fatal(err)
		}
		if wait {
			slow.Store(a.Receipt.ID, true)
		}
		return a.Receipt.ID
	}
	first := accept(adt("A04", "1", 1, "1", "甲"), true)
	other := accept(adt("A04", "2", 1, "2", "乙"), true)
	second := accept(adt("A08", "3", 2, "1", "甲甲"), false)
	merge := accept(strings.Replace(adt("A40", "4", 3, "1", "甲甲"), "PV1|1|O\r", "MRG|2^^^^MR\r", 1), false)
	after := accept(adt("A08", "5", 4, "2", "乙乙"), false)
	apart := accept(adt("A04", "6", 1, "3", "丙"), false)
	g.start()
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := func(event string) int { return slices.Index(w.events, event) }
	for _, tt := range []struct{ name, earlier, later string }{
		{"a record follows the one before of its patient", first, second},
		{"a merge waits for the surviving patient's records", second, merge},
		{"a merge waits for the other patient's records", other, merge},
		{"what came after the merge waits for it", merge, after},
	} {
		if at("+"+tt.later) < at("-"+tt.earlier) {
			t.Errorf("%s: it did not wait", tt.name)
		}
	}
	if at("+"+apart) > at("-"+first) || at("+"+other) > at("-"+first) {
		t.Error("records of other patients waited too")
	}
}

func TestReplayAfterTheMapIsMended(t *testing.T) {
	g := running(t, small())
	document := from("east", file("a.json", `{"no":"1","who":"1","at":"2025-06-01T08:00:00+08:00","state":"2","what":"血糖"}`))
	tables := from("east", file("HZ_1.csv", "ID,XM,GX\n1,甲,2025-06-01 08:00:00\n"), file("GM_1.csv", "ID,GMY,HZ\n1,青霉素,1\n2,花生,1\n"))
	var ids []string
	for _, tt := range []struct {
		d    ingest.Delivery
		want string
	}{{document, "quarantined:code-rejected"}, {tables, "quarantined:record-table committed"}} {
		got := g.take(t, tt.d)
		if states(got) != tt.want {
			t.Fatalf("got %s, want %s", states(got), tt.want)
		}
		for _, r := range got {
			if r.State == store.Quarantined {
				ids = append(ids, r.ID)
			}
		}
	}
	east := member("east", map[string]string{
		"institution.yaml": "format: 1\nid: east\nname: east\ncharset: UTF-8\n" + strings.Replace(tableMaps, "XM: ", `GM: "GM*.csv", XM: `, 1),
		"codes/state.csv":  smallMaps["codes/state.csv"] + "2,作废,cancelled,Cancelled\n",
		"maps/allergy.yaml": `
format: 1
map: allergy
reads: {format: csv, table: GM}
lane: HZ
row: ID
resources:
  allergy:
    type: AllergyIntolerance
    key: [ID]
    write: replace
    set:
      code: {set: {text: GMY}}
      patient: {ref: {type: Patient, key: [HZ]}}
`})
	if err := g.join(east, member("west", nil)); err != nil {
		t.Fatal(err)
	}
	if n, err := g.store.Replay(t.Context(), ids); n != 2 || err != nil {
		t.Fatalf("%d replayed, %v", n, err)
	}
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	if got := g.all(t, "DiagnosticReport"); len(got) != 1 || !strings.Contains(got[0], `"status":"cancelled"`) {
		t.Errorf("the document became %s", got)
	}
	if got := g.all(t, "AllergyIntolerance"); len(got) != 2 {
		t.Errorf("the file became %s", got)
	}
	counts := map[string]int{}
	for _, r := range g.every(t) {
		counts[states([]store.Record{r})]++
	}
	// The document, the patient's row, two allergies; the row once more, and the file that stood for both.
	if diff := cmp.Diff(map[string]int{"committed": 4, "unchanged": 2, "split": 3}, counts); diff != "" {
		t.Error(diff)
	}
}

func TestTablesTakenUpAgainAreAsOldAsTheyWere(t *testing.T) {
	g := running(t, small())
	report := func(item, more string) []store.Record {
		return g.take(t, from("east", file("BG.csv", "BH,HZ,MC\n1,h,生化\n"), file("XM.csv", "BH,DM,JG\n1,GLU,"+item+"\n"), file("GM"+more+".csv", "ID\n1\n")))
	}
	old := report("5.6", "1")
	report("7.1", "2") // its map has no time: it is newer because it came later
	if n, err := g.store.Replay(t.Context(), []string{old[0].ID}); n != 1 || err != nil {
		t.Fatalf("%d replayed, %v", n, err)
	}
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	if got := g.all(t, "Observation"); len(got) != 1 || !strings.Contains(got[0], "7.1") {
		t.Errorf("an old delivery taken up again overwrote a newer one: %s", got)
	}
}

func TestAMapThatDoesNotLoadChangesNothing(t *testing.T) {
	g := running(t, small())
	broken := member("east", map[string]string{"maps/person.yaml": strings.Replace(smallMaps["maps/person.yaml"], "name: {from", "nmae: {from", 1)})
	err := g.join(broken)
	if err == nil || !strings.Contains(err.Error(), "maps/person.yaml:15:7: ") {
		t.Fatalf("got %v, want file, line and column", err)
	}
	if got := states(g.take(t, from("east", file("HZ.csv", "ID,XM,GX\n1,甲,2025-06-01 08:00:00\n")))); got != "committed" {
		t.Errorf("what ran before does not run any more: %s", got)
	}
}

func TestARecordOfAnInstitutionThatLeftIsQuarantined(t *testing.T) {
	g := newGateway(t, small())
	for _, d := range []ingest.Delivery{from("south", file("", adt("A04", "1", 1, "1", "甲"))), from("south", file("HZ.csv", "ID,XM,GX\n1,甲,\n"))} {
		if _, err := g.Accept(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.join(member("east", nil)); err != nil {
		t.Fatal(err)
	}
	g.start()
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	if got := states(g.every(t)); got != "quarantined:institution-unknown quarantined:institution-unknown" {
		t.Errorf("got %s", got)
	}
}

func TestAPanicIsTheRecordsProblem(t *testing.T) {
	w := &watched{}
	g := newGateway(t, w.around(small()))
	bad, err := g.Accept(t.Context(), from("east", file("", adt("A04", "1", 1, "1", "甲"))))
	if err != nil {
		t.Fatal(err)
	}
	w.before = func(b interaction.Batch) {
		if b.Record == bad.Receipt.ID {
			panic("甲")
		}
	}
	g.start()
	if got := states(g.take(t, from("east", file("", adt("A04", "2", 1, "2", "乙"))))); got != "committed" {
		t.Errorf("the record beside it is %s", got)
	}
	list, err := g.Wait(t.Context(), bad.Receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	if states(list) != "quarantined:record-failed" || list[0].Attempts != ingest.DefaultMaxAttempts || strings.Contains(list[0].Reason, "甲") {
		t.Errorf("%s after %d attempts: %s", states(list), list[0].Attempts, list[0].Reason)
	}
	w.before = nil
	if n, err := g.store.Replay(t.Context(), []string{bad.Receipt.ID}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if list, err := g.Wait(t.Context(), bad.Receipt.ID); err != nil || states(list) != "committed" {
		t.Errorf("after replay: %s, %v", states(list), err)
	}
}

func TestTheEndGivesBackWhatIsNotDone(t *testing.T) {
	blocked := make(chan struct{})
	begun := make(chan struct{}, 100)
	w := &watched{before: func(interaction.Batch) { begun <- struct{}{}; <-blocked }}
	o := w.around(small())
	o.ingest.Workers = 2
	g := newGateway(t, o)
	for i := range 20 {
		if _, err := g.Accept(t.Context(), from("east", file("", adt("A04", fmt.Sprint(i), 1, fmt.Sprint("P", i), "甲")))); err != nil {
			t.Fatal(err)
		}
	}
	g.start()
	<-begun
	<-begun
	g.stop()
	close(blocked)
	g.stop = nil
	if err := <-g.done; err != nil {
		t.Fatal(err)
	}
	counts, err := g.store.CountRecords(t.Context(), "east")
	if err != nil {
		t.Fatal(err)
	}
	if counts[store.Received] < 18 || counts[store.Received]+counts[store.Committed] != 20 {
		t.Errorf("after the end: %v", counts)
	}
	again, err := g.store.Claim(t.Context(), "the next process", time.Minute, 100)
	if err != nil || len(again) != counts[store.Received] {
		t.Errorf("%d of %d can be claimed at once, %v", len(again), counts[store.Received], err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !strings.Contains(string(stacks), "ingest.(*Ingest)") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a goroutine outlives Run:\n%s", stacks)
		}
	}
}

func TestARecordThatOutlastsItsLeaseIsNotStartedTwice(t *testing.T) {
	w := &watched{before: func(interaction.Batch) { time.Sleep(300 * time.Millisecond) }}
	o := w.around(small())
	o.ingest.Lease = 50 * time.Millisecond
	g := running(t, o)
	first, err := g.Accept(t.Context(), from("east", file("", adt("A04", "1", 1, "1", "甲"))))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // its lease is over, and the next record has the inbox looked at
	list := g.take(t, from("east", file("", adt("A04", "2", 1, "2", "乙"))))
	again, err := g.Wait(t.Context(), first.Receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	if again[0].Attempts < 2 {
		t.Error("its lease did not run out")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range append(list, again...) {
		begun := 0
		for _, e := range w.events {
			if e == "+"+r.ID {
				begun++
			}
		}
		if begun != 1 || r.State != store.Committed {
			t.Errorf("begun %d times, %s", begun, r.State)
		}
	}
}

func TestAWaiterLeavesWithItsContext(t *testing.T) {
	g := newGateway(t, small()) // nobody works
	for _, d := range []ingest.Delivery{from("east", file("", adt("A04", "1", 1, "1", "甲"))), from("east", file("HZ.csv", "ID,XM,GX\n1,甲,\n"))} {
		a, err := g.Accept(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		if list, err := g.Wait(ctx, a.Receipt.ID); err == nil {
			t.Errorf("it returned %s", states(list))
		}
		cancel()
	}
}

func TestOneResidentIDFromThreeInstitutionsAtOnceIsOnePerson(t *testing.T) {
	const n = 64
	g := running(t, small())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			text := strings.Replace(adt("A04", fmt.Sprint("C", i), 1, fmt.Sprint("N", i), "甲"), "19900307|M", "19900307|M"+strings.Repeat("|", 11)+"990101199003077217", 1)
			if _, err := g.Accept(t.Context(), from([]string{"east", "west", "south"}[i%3], file("", text))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	s := stateOf(t, g)
	if len(s.Persons) != 1 || len(strings.Fields(s.Persons[0])) != n {
		t.Errorf("%d persons of %d patients", len(s.Persons), len(g.all(t, "Patient")))
	}
	persons, err := g.store.Persons(t.Context(), "", 100)
	if err != nil || len(persons) != 1 {
		t.Errorf("%d living persons, %v", len(persons), err)
	}
}

func TestTheCheckOfCrashesSeesALossAndADouble(t *testing.T) {
	want := undisturbed(t)
	g := running(t, setup{})
	set := slices.Delete(crashSet(), 10, 11) // the extract is lost
	last := set[len(set)-1]
	last.Control = "" // and the last delivery comes twice without a sign
	set = append(set, last, last)
	for _, d := range set {
		g.take(t, d)
	}
	got := stateOf(t, g)
	if len(got.Resources) >= len(want.Resources) || len(got.Records) == len(want.Records) {
		t.Errorf("%d of %d resources, records %d of %d", len(got.Resources), len(want.Resources), len(got.Records), len(want.Records))
	}
}
