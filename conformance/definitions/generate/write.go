package main

import (
	"encoding/json"
	"fmt"

	"github.com/yilian/yilian/conformance/definitions/internal/pack"
)

// definition is one definition on its way into the file.
type definition struct {
	kind, name, url string
	compact, source []byte
	index           func(*pack.Writer) // what the index holds beyond the common fields
}

// write makes the file.
func write(in []resource) ([]byte, error) {
	defs, err := collect(in)
	if err != nil {
		return nil, err
	}
	samples, number := dictionaries(defs)
	blobs := make([]pack.Blob, 0, 2*len(defs))
	for _, d := range defs {
		blobs = append(blobs,
			pack.Blob{Dict: number[d.kind+compact], Data: d.compact},
			pack.Blob{Dict: number[d.kind+source], Data: d.source})
	}
	return pack.Seal(samples, blobs, func(sizes []int) []byte {
		var w pack.Writer
		w.String(fhirVersion)
		w.Uint(len(defs))
		for i, d := range defs {
			w.String(d.kind)
			w.String(d.name)
			w.String(d.url)
			w.Uint(sizes[2*i])
			w.Uint(sizes[2*i+1])
			if d.index != nil {
				d.index(&w)
			}
		}
		return w.Bytes()
	})
}

// collect decodes the package's resources and makes their records.
func collect(in []resource) ([]definition, error) {
	var structures []*structureDefinition
	terms := terminology{systems: map[string]*codeSystem{}, valueSets: map[string]*valueSet{}}
	decoded := make([]any, len(in))
	for i, r := range in {
		var v any
		switch r.kind {
		case "StructureDefinition":
			v = &structureDefinition{}
		case "ValueSet":
			v = &valueSet{}
		case "CodeSystem":
			v = &codeSystem{}
		case "SearchParameter":
			v = &searchParameter{}
		case "CompartmentDefinition":
			v = &compartmentDefinition{}
		default:
			v = &struct{ ID, URL string }{}
		}
		if err := json.Unmarshal(r.json, v); err != nil {
			return nil, fmt.Errorf("%s: %w", r.file, err)
		}
		decoded[i] = v
		switch v := v.(type) {
		case *structureDefinition:
			structures = append(structures, v)
		case *valueSet:
			terms.valueSets[v.URL] = v
		case *codeSystem:
			v.flatten()
			terms.systems[v.URL] = v
		}
	}
	resources := map[string]bool{}
	for _, s := range structures {
		if s.kind() == kindResource {
			resources[s.Type] = true
		}
	}
	var out []definition
	for i, r := range in {
		d := definition{kind: r.kind}
		var err error
		if d.source, err = slim(r.json, r.kind); err != nil {
			return nil, fmt.Errorf("%s: %w", r.file, err)
		}
		switch v := decoded[i].(type) {
		case *structureDefinition:
			d.name, d.url = v.Name, v.URL
			kind, abstract, base := v.kind(), v.Abstract, v.base()
			d.index = func(w *pack.Writer) { w.Uint(kind); w.Bool(abstract); w.String(base) }
			switch kind {
			case kindNone:
			case kindExtension:
				d.compact, err = v.extensionRecord(resources)
			default:
				d.name = v.Type
				d.compact, err = v.record(resources)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.file, err)
			}
		case *valueSet:
			d.name, d.url, d.compact = v.Name, v.URL, terms.record(v)
		case *codeSystem:
			d.name, d.url, d.compact = v.Name, v.URL, v.record()
		case *searchParameter:
			if !v.usable() {
				continue
			}
			d.name, d.url, d.compact = v.Code, v.URL, v.record()
			d.index = func(w *pack.Writer) { w.Strings(v.Base) }
		case *compartmentDefinition:
			if v.ID == "example" {
				continue
			}
			d.name, d.url, d.compact = v.Code, v.URL, v.record()
		case *struct{ ID, URL string }:
			d.name, d.url = v.ID, v.URL
		}
		out = append(out, d)
	}
	return out, nil
}

// The two forms of a definition.
const (
	compact = " compact"
	source  = " source"
)

// A dictionary is a sample of what the definitions of a kind have in common in
// one form: the beginnings of some of them, spread evenly so that they differ.
const (
	maxDictionary = 64 << 10
	maxSample     = 24 << 10
	minSample     = 1 << 10
)

// dictionaries samples each kind and form, and numbers them.
func dictionaries(defs []definition) (samples [][]byte, number map[string]int) {
	data := map[string][][]byte{}
	for _, d := range defs {
		for form, b := range map[string][]byte{compact: d.compact, source: d.source} {
			if len(b) > 0 {
				data[d.kind+form] = append(data[d.kind+form], b)
			}
		}
	}
	number = map[string]int{}
	for _, kind := range kinds {
		for _, form := range []string{compact, source} {
			number[kind+form] = len(samples)
			samples = append(samples, sample(data[kind+form]))
		}
	}
	return samples, number
}

// sample joins the beginnings of some of the blobs.
func sample(list [][]byte) []byte {
	total := 0
	for _, b := range list {
		total += min(len(b), maxSample)
	}
	// No dictionary larger than a part of what it serves.
	limit := min(maxDictionary, max(total/8, minSample))
	step := max(total/limit, 1)
	var out []byte
	for i := 0; i < len(list) && len(out) < limit; i += step {
		out = append(out, list[i][:min(len(list[i]), maxSample, limit-len(out))]...)
	}
	return out
}
