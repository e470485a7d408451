package codesystem

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/store"
)

// ImportTable imports a CSV table, which open opens twice: it is never held whole. The
// issues say what was left out. An error is one of terminology.ReadCSV, of open, or a
// fault of the store.
func ImportTable(ctx context.Context, s store.ConceptImporter, t terminology.Table, open func() (io.ReadCloser, error), limits terminology.Limits) (store.CodeSystem, []fhir.Issue, error) {
	return imported(ctx, s, t, func(yield func(terminology.Details, error) bool) {
		f, err := open()
		if err != nil {
			yield(terminology.Details{}, err)
			return
		}
		defer f.Close()
		for d, err := range t.Rows(f, 0) {
			if !yield(d, err) {
				return
			}
		}
	}, limits)
}

// Import imports a code system that is read already.
func Import(ctx context.Context, s store.ConceptImporter, m *terminology.Memory, limits terminology.Limits) (store.CodeSystem, error) {
	all, err := m.Select(ctx, terminology.Query{})
	if err != nil {
		return store.CodeSystem{}, err
	}
	got, _, err := imported(ctx, s, terminology.Table{Description: *m.Describe()}, func(yield func(terminology.Details, error) bool) {
		for c, err := range all.From(ctx, 0) {
			var d terminology.Details
			if err == nil {
				d, _, err = m.Details(ctx, c.Code)
				d.Children = nil // each says so itself
			}
			if !yield(d, err) {
				return
			}
		}
	}, limits)
	return got, err
}

// imported goes over the concepts twice: for the codes and how they hang together, and
// for all the rest.
func imported(ctx context.Context, s store.ConceptImporter, t terminology.Table, concepts iter.Seq2[terminology.Details, error], limits terminology.Limits) (store.CodeSystem, []fhir.Issue, error) {
	kinds, defined := map[string]bool{}, false
	outline, issues, err := t.Outline(func(yield func(terminology.Details, error) bool) {
		for d, err := range concepts {
			if err == nil {
				err = ctx.Err()
			}
			defined = defined || d.Definition != ""
			for _, p := range d.Properties {
				kinds[p.Code] = true
			}
			if err == nil && len(kinds) > terminology.MaxKinds {
				err = terminology.TooManyKinds(t.URL)
			}
			if !yield(d, err) {
				return
			}
		}
	}, limits)
	if err != nil {
		return store.CodeSystem{}, nil, err
	}
	about := description{Description: outline.Describe(), Defined: defined}
	for k := range kinds {
		about.Kinds = append(about.Kinds, k)
	}
	slices.Sort(about.Kinds)
	text, err := json.Marshal(about)
	if err != nil {
		return store.CodeSystem{}, nil, fmt.Errorf("describe a code system: %w", err)
	}
	got, err := s.ImportConcepts(ctx, store.CodeSystem{URL: about.URL, Version: about.Version, About: text}, func(yield func(store.Concept, error) bool) {
		next := 0
		for d, err := range concepts {
			if err != nil {
				yield(store.Concept{}, err)
				return
			}
			position, known := outline.Position(d.Code)
			switch {
			case known && position < next:
				continue // it came before
			case !known || position > next:
				yield(store.Concept{}, errChanged)
				return
			}
			next++
			var parents []parent
			for _, p := range outline.Parents(position) {
				parents = append(parents, parent{int64(p), outline.Code(p)})
			}
			c, err := stored(&d, parents, about.CaseSensitive)
			if !yield(c, err) || err != nil {
				return
			}
		}
		if next != about.Count {
			yield(store.Concept{}, errChanged)
		}
	})
	return got, issues, err
}
