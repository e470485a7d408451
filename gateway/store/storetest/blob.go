package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// writeBlob archives content and puts the item with all of it, in one transaction.
func writeBlob(t testing.TB, s Store, i item, content []byte) (v store.Version) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		digest, err := tx.Archive(ctx, content)
		if err != nil {
			return err
		}
		p := i.put()
		p.Blob = store.Blob{Digest: digest, Length: int64(len(content))}
		v, err = tx.Put(ctx, p)
		return err
	})
	return v
}

// digestOf is the digest that an archive must give content.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// wantContent fails unless a version's blob is there and is content.
func wantContent(t testing.TB, s Store, v store.Version, content []byte) {
	t.Helper()
	if want := (store.Blob{Digest: digestOf(content), Length: int64(len(content))}); v.Blob != want {
		t.Errorf("%s/%d: blob %+v, want %+v", v.Key, v.Number, v.Blob, want)
		return
	}
	got, err := s.Content(t.Context(), v.Blob.Digest, v.Blob.Offset, v.Blob.Length)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%s/%d: %d bytes of %d, %v", v.Key, v.Number, len(got), len(content), err)
	}
}

// noise is content that nothing can be left out of unnoticed.
func noise(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(uint64(i) * 0x9E3779B97F4A7C15 >> 56)
	}
	return out
}

var blobTests = []test{
	{"names the content of a version wherever the version is read", func(t *testing.T, s Store) {
		one, two := []byte("%PDF one"), []byte("%PDF two")
		first := writeBlob(t, s, item{key: "Binary/a", patient: "p"}, one)
		second := writeBlob(t, s, item{key: "Binary/a", patient: "p", expect: 1}, two)
		third := write(t, s, item{key: "Binary/a", patient: "p", expect: 2, deleted: true})[0]
		if third.Blob != (store.Blob{}) {
			t.Errorf("a deletion has content: %+v", third.Blob)
		}
		fourth := writeBlob(t, s, item{key: "Binary/a", patient: "p", expect: 3}, one)
		plain := write(t, s, item{key: "Patient/p", patient: "p"})[0]

		now, err := s.Read(t.Context(), key("Binary/a"))
		if diff := cmp.Diff(fourth, now); diff != "" || err != nil {
			t.Errorf("read: %v %s", err, diff)
		}
		wantContent(t, s, now, one)
		old, err := s.ReadVersion(t.Context(), key("Binary/a"), 2)
		if diff := cmp.Diff(second, old); diff != "" || err != nil {
			t.Errorf("read of a version: %v %s", err, diff)
		}
		wantContent(t, s, old, two)
		list, err := s.History(t.Context(), key("Binary/a"), 0, 10)
		if diff := cmp.Diff([]store.Version{fourth, third, second, first}, list); diff != "" || err != nil {
			t.Errorf("history: %v %s", err, diff)
		}
		found, err := s.Search(t.Context(), &search.Query{Type: "Binary", Allowed: everybody, Count: 5})
		if diff := cmp.Diff([]store.Version{fourth}, found.Rows); diff != "" || err != nil {
			t.Errorf("search: %v %s", err, diff)
		}
		all, err := s.Compartment(t.Context(), store.CompartmentQuery{Patients: []string{"p"}, Allowed: everybody, Count: 5})
		if diff := cmp.Diff([]store.Version{fourth, plain}, all.Rows); diff != "" || err != nil {
			t.Errorf("compartment: %v %s", err, diff)
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			v, err := tx.Read(ctx, key("Binary/a"))
			if diff := cmp.Diff(fourth, v); diff != "" {
				t.Errorf("read in a transaction: %s", diff)
			}
			return err
		})
	}},
	{"keeps the same content under one digest, whoever brings it", func(t *testing.T, s Store) {
		content := noise(600_000)
		record := entry("1", "")
		record.Bytes = content
		fromInbox := accept(t, s, record)[0]
		a := writeBlob(t, s, item{key: "Binary/a"}, content)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			for range 2 {
				if digest, err := tx.Archive(ctx, content); err != nil || digest != fromInbox.Digest {
					t.Errorf("digest %s, %v", digest, err)
				}
			}
			return nil
		})
		wantContent(t, s, a, content)
		again := entry("2", "")
		again.Bytes = content
		if r := accept(t, s, again)[0]; r.Digest != fromInbox.Digest {
			t.Errorf("a later record has digest %s", r.Digest)
		}
	}},
	{"takes content without bytes, and content of 20 MB", func(t *testing.T, s Store) {
		for name, content := range map[string][]byte{"none": {}, "large": noise(20 << 20)} {
			v := writeBlob(t, s, item{key: "Binary/" + name}, content)
			wantContent(t, s, v, content)
			got, err := s.Read(t.Context(), v.Key)
			if err != nil {
				t.Fatal(err)
			}
			wantContent(t, s, got, content)
		}
	}},
	{"takes a part of archived bytes as content", func(t *testing.T, s Store) {
		r := accept(t, s, entry("1", "head|<document/>|tail"))[0]
		p := item{key: "Binary/a"}.put()
		p.Blob = store.Blob{Digest: r.Digest, Offset: 5, Length: 11}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Put(ctx, p)
			return err
		})
		v, err := s.Read(t.Context(), p.Key)
		if err != nil || v.Blob != p.Blob {
			t.Fatalf("blob %+v, %v", v.Blob, err)
		}
		if got, err := s.Content(t.Context(), v.Blob.Digest, v.Blob.Offset, v.Blob.Length); err != nil || string(got) != "<document/>" {
			t.Errorf("%q, %v", got, err)
		}
	}},
	{"refuses content that is not archived", func(t *testing.T, s Store) {
		r := accept(t, s, entry("1", "0123456789"))[0]
		for _, tt := range []struct {
			name string
			blob store.Blob
			kind fault.Kind
		}{
			{"an unknown digest", store.Blob{Digest: strings.Repeat("0", 64), Length: 1}, fault.NotFound},
			{"no digest", store.Blob{Digest: "x", Length: 1}, fault.Invalid},
			{"a length without a digest", store.Blob{Length: 1}, fault.Invalid},
			{"more than there is", store.Blob{Digest: r.Digest, Length: 11}, fault.Invalid},
			{"behind the end", store.Blob{Digest: r.Digest, Offset: 11}, fault.Invalid},
			{"before the start", store.Blob{Digest: r.Digest, Offset: -1, Length: 1}, fault.Invalid},
			{"a length below zero", store.Blob{Digest: r.Digest, Length: -1}, fault.Invalid},
			{"a length beyond all numbers", store.Blob{Digest: r.Digest, Offset: 1, Length: 1<<63 - 1}, fault.Invalid},
		} {
			p := item{key: "Binary/a"}.put()
			p.Blob = tt.blob
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Put(ctx, p)
				return err
			})
			if !fault.Is(err, tt.kind) {
				t.Errorf("%s: got %v, want a fault of kind %s", tt.name, err, tt.kind)
			}
		}
		_, err := s.Read(t.Context(), key("Binary/a"))
		wantFault(t, err, fault.NotFound)
	}},
	{"leaves no content of a transaction that failed", func(t *testing.T, s Store) {
		content := noise(300_000)
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			digest, err := tx.Archive(ctx, content)
			if err != nil {
				return err
			}
			p := item{key: "Binary/a"}.put()
			p.Blob = store.Blob{Digest: digest, Length: int64(len(content))}
			_, err = tx.Put(ctx, p)
			return errors.Join(err, errGivenUp)
		})
		if !errors.Is(err, errGivenUp) {
			t.Fatal(err)
		}
		_, err = s.Content(t.Context(), digestOf(content), 0, 0)
		wantFault(t, err, fault.NotFound)
		wantContent(t, s, writeBlob(t, s, item{key: "Binary/a"}, content), content)
	}},
	{"refuses content for a transaction that is over or was left by its client", func(t *testing.T, s Store) {
		var over store.Tx
		update(t, s, func(_ context.Context, tx store.Tx) error {
			over = tx
			left, leave := context.WithCancel(t.Context())
			leave()
			if _, err := tx.Archive(left, []byte("x")); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			return nil
		})
		if _, err := over.Archive(t.Context(), []byte("x")); err == nil {
			t.Error("a transaction that is over took content")
		}
		_, err := s.Content(t.Context(), digestOf([]byte("x")), 0, 0)
		wantFault(t, err, fault.NotFound)
	}},
	{"does not keep the caller's bytes", func(t *testing.T, s Store) {
		content := []byte("as it was")
		was := slices.Clone(content)
		v := writeBlob(t, s, item{key: "Binary/a"}, content)
		copy(content, "CHANGED!!")
		wantContent(t, s, v, was)
	}},
}
