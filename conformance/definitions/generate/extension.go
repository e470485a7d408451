package main

import (
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

// extensionRecord writes what definitions.decodeExtension reads.
func (s *structureDefinition) extensionRecord(resources map[string]bool) ([]byte, error) {
	byID := map[string]*elementDefinition{}
	for i := range s.Snapshot.Element {
		e := &s.Snapshot.Element[i]
		byID[e.ID] = e
	}
	root := byID["Extension"]
	if root == nil {
		return nil, fmt.Errorf("%s has no root", s.URL)
	}
	var w pack.Writer
	w.Bool(root.IsModifier)
	var contexts []string
	for _, c := range s.Context {
		contexts = append(contexts, c.Expression)
	}
	w.Strings(contexts)
	if err := s.part(&w, root, byID, resources); err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	return w.Bytes(), nil
}

// part writes an extension or a part of one, and the parts below.
func (s *structureDefinition) part(w *pack.Writer, e *elementDefinition, byID map[string]*elementDefinition, resources map[string]bool) error {
	if url := byID[e.ID+".url"]; url != nil {
		w.String(url.FixedURI)
	} else if len(e.Type) == 1 && len(e.Type[0].Profile) == 1 {
		w.String(e.Type[0].Profile[0]) // an extension with a definition of its own
	} else {
		return fmt.Errorf("%s has no url", e.ID)
	}
	w.String(e.Short)
	w.Uint(e.Min)
	most, err := maximum(e.Max)
	if err != nil {
		return fmt.Errorf("%s: %w", e.ID, err)
	}
	w.Uint(most + 1)
	value := byID[e.ID+".value[x]"]
	if value == nil || value.Max == "0" {
		value = &elementDefinition{}
	}
	w.Bool(value.Min > 0)
	value.types(w, resources)
	value.binding(w)
	var parts []*elementDefinition
	for i := range s.Snapshot.Element {
		name, ok := strings.CutPrefix(s.Snapshot.Element[i].ID, e.ID+".extension:")
		if ok && !strings.Contains(name, ".") {
			parts = append(parts, &s.Snapshot.Element[i])
		}
	}
	w.Uint(len(parts))
	for _, p := range parts {
		if err := s.part(w, p, byID, resources); err != nil {
			return err
		}
	}
	return nil
}
