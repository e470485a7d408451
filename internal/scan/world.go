package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Resource is one resource that is stored, with its id and lastUpdated as the server gave them.
type Resource struct {
	Type, ID string
	Body     map[string]any // numbers are json.Number
}

// Key names the resource as a relative reference.
func (r *Resource) Key() string { return r.Type + "/" + r.ID }

// World is all that is stored.
type World struct {
	Base string         // of absolute references to what is stored, ends with "/"
	Zone *time.Location // of times without one

	byType map[string][]*Resource
	byKey  map[string]*Resource
}

// Add puts resources into the world.
func (w *World) Add(list ...*Resource) {
	if w.byKey == nil {
		w.byType, w.byKey = map[string][]*Resource{}, map[string]*Resource{}
	}
	for _, r := range list {
		w.byType[r.Type] = append(w.byType[r.Type], r)
		w.byKey[r.Key()] = r
	}
}

// Types are those of which there are resources, sorted.
func (w *World) Types() []string {
	var out []string
	for typ := range w.byType {
		out = append(out, typ)
	}
	slices.Sort(out)
	return out
}

// Of are the resources of a type.
func (w *World) Of(typ string) []*Resource { return w.byType[typ] }

// Read returns the resource of a key, or nil.
func (w *World) Read(key string) *Resource { return w.byKey[key] }

// Parse reads JSON and keeps the text of numbers.
func Parse(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	return out, d.Decode(&out)
}

// at returns the values at a path of names, each item of a list by itself. "a[k=v]" keeps
// those of a whose k is v, "a>T" the references to a T.
func at(v any, path string) []any {
	if list, ok := v.([]any); ok {
		var out []any
		for _, item := range list {
			out = append(out, at(item, path)...)
		}
		return out
	}
	if path == "" {
		return []any{v}
	}
	name, rest, _ := strings.Cut(path, ".")
	name, target, _ := strings.Cut(name, ">")
	name, filter, filtered := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	fields, _ := v.(map[string]any)
	child, ok := fields[name]
	if !ok {
		return nil
	}
	out := at(child, rest)
	return slices.DeleteFunc(out, func(v any) bool {
		key, value, _ := strings.Cut(filter, "=")
		return target != "" && !strings.Contains("/"+text(v, "reference"), "/"+target+"/") || filtered && text(v, key) != value
	})
}

// text returns a primitive, or that of a field of an object, "" if there is none.
func text(v any, field ...string) string {
	for _, f := range field {
		m, _ := v.(map[string]any)
		v = m[f]
	}
	switch v := v.(type) {
	case string:
		return v
	case bool, json.Number:
		return fmt.Sprint(v)
	}
	return ""
}
