package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

func TestRecordsWaitWhileTheMapsOfTheirInstitutionDoNotLoad(t *testing.T) {
	g := newGateway(t, small())
	members := g.Members()
	// One came while the maps still loaded, the others do not find any.
	before, err := g.Accept(t.Context(), from("east", file("", adt("A04", "1", 1, "1", "甲"))))
	if err != nil {
		t.Fatal(err)
	}
	var others []ingest.Member
	for _, m := range members {
		if m.Institution.ID() != "east" {
			others = append(others, m)
		}
	}
	g.SetMembers(others, "east")
	g.start()
	message, err := g.Accept(t.Context(), from("east", file("", adt("A04", "2", 2, "2", "乙"))))
	if err != nil || !strings.Contains(string(message.Ack), "\rMSA|AA|2") {
		t.Fatalf("acknowledged with %q, %v", message.Ack, err)
	}
	table, err := g.Accept(t.Context(), from("east", file("HZ.csv", "ID,XM,GX\n9,丙,2025-06-01 08:00:00\n")))
	if err != nil || table.Ack != nil {
		t.Fatalf("acknowledged with %q, %v", table.Ack, err)
	}
	if _, err := g.Accept(t.Context(), from("nowhere", file("x.hl7", "x"))); !fault.Is(err, fault.NotFound) {
		t.Errorf("an institution that nobody knows: %v", err)
	}
	if got := states(g.take(t, from("south", file("", adt("A04", "3", 3, "3", "丁"))))); got != "committed" {
		t.Errorf("another institution's record is %s", got)
	}
	if _, err := g.Wait(t.Context(), before.Receipt.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("somebody waited for it until %v", err)
	}
	for _, a := range []ingest.Acceptance{before, message, table} {
		r, err := g.store.Record(t.Context(), a.Receipt.ID)
		if err != nil || r.State != store.Received || r.Attempts > 0 {
			t.Errorf("%s after %d attempts, %v", r.State, r.Attempts, err)
		}
	}
	g.SetMembers(members)
	if err := g.settle(); err != nil {
		t.Fatal(err)
	}
	for _, r := range g.every(t) {
		if r.State != store.Committed && r.State != store.Split {
			t.Errorf("%s is %s: %s", r.ID, r.State, r.Reason)
		}
	}
}

func TestARecordNamesTheVersionOfTheFolderThatMappedIt(t *testing.T) {
	g := running(t, small())
	inst, err := mapping.Load(member("east", nil), mapping.Options{Base: base.FS, Alliance: alliance, Lazy: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ folder, want string }{{"", inst.Version()}, {"7/abc", "7/abc"}} {
		g.SetMembers([]ingest.Member{{Institution: inst, Salt: []byte("s"), Folder: tt.folder}})
		r := g.take(t, from("east", file("", adt("A04", "n"+tt.folder, 1, "1", "甲"+tt.folder))))[0]
		p, err := g.store.Read(t.Context(), store.Key{Type: "Provenance", ID: r.ID})
		if err != nil || !strings.Contains(string(p.Body), `/folder","valueString":"`+tt.want+`"`) {
			t.Errorf("%s, %v; want folder %q", p.Body, err, tt.want)
		}
	}
}
