package draft

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed concepts.txt
var conceptsText string

// Concept is something that a column can be said to hold.
type Concept struct {
	Name string `json:"name"`
	Is   string `json:"is"` // what it is, in a line
}

// Concepts are all that an answer can name, in the order of records: person, visit, order, report, prescription, referral. lang is English
// or Chinese; any other counts as English.
func Concepts(lang string) []Concept {
	all := theConcepts()
	out := make([]Concept, len(all))
	for i, c := range all {
		out[i] = Concept{c.name, c.is.in(lang)}
	}
	return out
}

type describedConcept struct {
	name string
	is   text
}

var theConcepts = sync.OnceValue(func() []describedConcept {
	var out []describedConcept
	for line := range strings.Lines(conceptsText) {
		parts := strings.Split(strings.TrimSpace(line), " | ")
		if len(parts) == 3 && !strings.HasPrefix(line, "#") {
			out = append(out, describedConcept{parts[0], text{parts[1], parts[2]}})
		}
	}
	return out
})
