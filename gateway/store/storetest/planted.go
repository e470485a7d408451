package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Planted is a value that occurs nowhere but where Plant puts it.
const Planted = "zqxplantedvalue"

// RunPlanted puts a value into everything that a store keeps of a resource and of the
// record that it came from, and erases both: no place may have it then. places lists what
// the store holds of the value: tables, files.
func RunPlanted(t *testing.T, s Store, places func() []string) {
	patient, other := key("Patient/a"), key("Patient/b")
	id := store.Identifier{System: "urn:s", Value: Planted}
	bytes := []byte(`{"name":"` + Planted + `"}`)
	r := acceptOne(t, s, store.Entry{Record: store.Record{Institution: "h1", Source: "s", Format: "json", Name: Planted + ".json", Key: Planted, Hash: Planted,
		Lanes: []string{Planted}}, Bytes: bytes})
	body := func(text string) func(int64, time.Time) []byte {
		return func(int64, time.Time) []byte { return []byte(`{"resourceType":"Patient","text":"` + text + `"}`) }
	}
	values := search.Values{
		Tokens:     []search.Token{{Param: "identifier", System: "urn:s", Code: Planted, Text: Planted}},
		Strings:    []search.String{{Param: "name", Folded: Planted, Exact: Planted}},
		References: []search.Reference{{Param: "link", URL: "urn:" + Planted}, {Param: "link", System: "urn:s", Value: Planted}},
		URIs:       []search.URI{{Param: "source", Value: "urn:" + Planted}},
		Texts:      []search.Text{{Param: "_content", Terms: []string{Planted}}},
	}
	var digest string
	for number := range int64(3) {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			var err error
			if digest, err = tx.Archive(ctx, []byte("content "+Planted)); err != nil {
				return err
			}
			_, err = tx.Put(ctx, &store.Put{Key: patient, Owner: "h1", Patient: "a", Source: "urn:" + Planted, Render: body(strings.Repeat(Planted, int(number)+1)),
				Values: values, Blob: store.Blob{Digest: digest, Length: 7}, Expect: number})
			return err
		})
	}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(
			tx.NewPerson(ctx, store.Person{ID: "p", Since: time.Unix(1, 0)}),
			tx.SetFeatures(ctx, store.Features{Patient: "a", Institution: "h1", Strong: []store.Identifier{id}, Name: Planted}),
			tx.SetLink(ctx, store.Link{Person: "p", Patient: "a", Institution: "h1", Rule: "r", Reason: Planted, Since: time.Unix(1, 0)}),
			tx.AddReview(ctx, store.Review{PatientA: "a", PatientB: "b", Rule: "r", Reason: Planted}),
			tx.SetPending(ctx, patient, []store.Pending{{Type: "Patient", Identifier: id, From: patient}}),
			tx.SetApplied(ctx, "h1", Planted, Planted),
			tx.Finish(ctx, r.ID, store.Outcome{State: store.Committed, Reason: Planted}))
	})
	write(t, s, item{key: other.String()})
	if found := places(); len(found) == 0 {
		t.Fatalf("what looks for the value does not find it: %v", found)
	}

	update(t, s, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExpungeVersions(ctx, patient, []int64{1, 2})
		return err
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := errors.Join(tx.Expunge(ctx, patient), tx.ForgetPatient(ctx, "a")); err != nil {
			return err
		}
		if gone, err := tx.Discard(ctx, digest); !gone || err != nil {
			t.Error("the content stays", err)
		}
		if whole, err := tx.EraseRecord(ctx, r.ID); !whole || err != nil {
			t.Error("the record's bytes stay", err)
		}
		return nil
	})
	deadline := time.Now().Add(20 * time.Second)
	for found := places(); len(found) > 0; found = places() {
		if time.Now().After(deadline) {
			t.Fatalf("the value is left in %v", found)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := s.Read(t.Context(), other); err != nil {
		t.Error("another resource:", err)
	}
}
