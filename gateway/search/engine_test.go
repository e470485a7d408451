package search_test

import (
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/gateway/search"
)

func TestAliases(t *testing.T) {
	aliases := search.DefaultAliases()
	aliases["urn:local:id"] = "urn:oid:2.16.840.1.113883.2.23.1.19.1"
	e := search.New(definitions.R4(), search.Options{Aliases: aliases})
	for system, want := range map[string]string{
		"urn:oid:2.16.840.1.113883.2.23.1.19.1": residentID,
		"urn:oid:2.16.840.1.113883.2.23.1.9.1":  residentID,
		"urn:oid:2.16.840.1.113883.2.23.1.19.2": "urn:oid:2.16.156.10011.1.19",
		"urn:local:id":                          residentID,
		residentID:                              residentID,
		"urn:other":                             "urn:other",
		"":                                      "",
	} {
		if got := e.System(system); got != want {
			t.Errorf("%s is indexed under %s, want %s", system, got, want)
		}
	}
	// Aliases that lead round in a circle end.
	e = search.New(definitions.R4(), search.Options{Aliases: search.Aliases{"a": "b", "b": "a", "c": "a", "d": "d"}})
	for system, want := range map[string]string{"a": "a", "b": "a", "c": "a", "d": "d"} {
		if got := e.System(system); got != want {
			t.Errorf("%s is indexed under %s, want %s", system, got, want)
		}
	}
	// Aliases may change while the engine is in use.
	e.SetAliases(search.Aliases{"a": "c", "c": "x"})
	for system, want := range map[string]string{"a": "x", "b": "b"} {
		if got := e.System(system); got != want {
			t.Errorf("after the change %s is indexed under %s, want %s", system, got, want)
		}
	}
}
