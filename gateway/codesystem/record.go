package codesystem

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/store"
)

// description is what stands in store.CodeSystem.About.
type description struct {
	terminology.Description
	// Kinds are the properties that concepts have.
	Kinds []string `json:",omitempty"`
	// Defined says that some concept has a definition.
	Defined bool `json:",omitempty"`
}

// Flags of a store.Concept.
const (
	flagAbstract = 1 << iota
	flagInactive
)

// record is what stands in store.Concept.Details.
type record struct {
	Definition   string                    `json:"d,omitempty"`
	Designations []terminology.Designation `json:"n,omitempty"`
	Properties   []property                `json:"p,omitempty"`
	Parents      []parent                  `json:"u,omitempty"`
}

type property struct {
	Code   string              `json:"c"`
	Type   string              `json:"t"`
	Value  string              `json:"v,omitempty"`
	Coding *terminology.Coding `json:"o,omitempty"`
}

type parent struct {
	Position int64  `json:"p"`
	Code     string `json:"c"`
}

// key is what a code is found by.
func key(code string, sensitive bool) string {
	if sensitive {
		return code
	}
	return strings.ToLower(code)
}

// stored is a concept as the store keeps it.
func stored(d *terminology.Details, parents []parent, sensitive bool) (store.Concept, error) {
	c := store.Concept{Key: key(d.Code, sensitive), Code: d.Code, Display: d.Display, Text: terminology.SearchText(d)}
	if d.Abstract {
		c.Flags |= flagAbstract
	}
	if d.Inactive {
		c.Flags |= flagInactive
	}
	r := record{Definition: d.Definition, Designations: d.Designations, Parents: parents}
	for _, p := range parents {
		c.Above = append(c.Above, p.Position)
	}
	if len(parents) > 0 {
		c.Parent = parents[0].Code
	}
	for _, p := range d.Properties {
		one := property{Code: p.Code, Type: p.Type, Value: p.Value}
		if p.Type == "Coding" {
			one.Value, one.Coding = "", &p.Coding
		}
		r.Properties = append(r.Properties, one)
	}
	var err error
	c.Details, err = json.Marshal(&r)
	return c, err
}

func concept(c *store.Concept) terminology.Concept {
	return terminology.Concept{Code: c.Code, Display: c.Display, Parent: c.Parent, Abstract: c.Flags&flagAbstract != 0, Inactive: c.Flags&flagInactive != 0}
}

func read(c *store.Concept) (r record, err error) {
	if err = json.Unmarshal(c.Details, &r); err != nil {
		err = fmt.Errorf("read the details of an imported code: %w", err)
	}
	return r, err
}

func (p *property) value() terminology.Property {
	v := terminology.Property{Code: p.Code, Type: p.Type, Value: p.Value}
	if p.Coding != nil {
		v.Coding = *p.Coding
	}
	return v
}
