package testscript

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// capable checks the servers against the capability statements that the script requires. It returns why the script is
// not run, "" if it is.
func (x *execution) capable(ctx context.Context) (reason string, result Result) {
	for _, c := range x.script.capabilities {
		if !c.required && !c.validated || c.canonical == "" {
			continue
		}
		if c.node == nil {
			if c.validated {
				return "the capability statement " + c.canonical + " is not at hand, so it cannot be validated", Error
			}
			x.report.Notes = append(x.report.Notes, "the required capabilities were not checked: "+c.canonical+" is not at hand")
			continue
		}
		server, err := x.destination(c.destination)
		if err != nil {
			return err.Error(), Error
		}
		got, err := x.capabilities(ctx, server)
		if err != nil {
			return "the server's capabilities could not be read: " + err.Error(), Error
		}
		missing := lacks(got, c.node)
		switch {
		case missing == "":
		case c.validated:
			return "the server's capabilities lack " + missing, Fail
		default:
			return "the server's capabilities lack " + missing, Skip
		}
	}
	return "", Pass
}

// capabilities reads a server's statement, once in a run.
func (x *execution) capabilities(ctx context.Context, c *client) (*fhir.Node, error) {
	if c.statement != nil {
		return c.statement, nil
	}
	request := &message{method: http.MethodGet, url: c.base.String() + "/metadata", header: http.Header{"Accept": {typeJSON}}}
	response, err := x.exchange(ctx, c, request, nil)
	x.lastRequest, x.lastResponse = nil, nil // the script has not asked for it
	if err != nil {
		return nil, err
	}
	if response.status != http.StatusOK {
		return nil, fmt.Errorf("the server answered %d", response.status)
	}
	n, err := response.resource()
	if err == nil && n.ResourceType() != "CapabilityStatement" {
		err = errors.New("the server answered with another resource")
	}
	if err != nil {
		return nil, err
	}
	c.statement = n
	return n, nil
}

// lacks returns the first thing that a statement asks of servers and another does not promise: resource types with their
// interactions, conditional interactions, search parameters, includes and operations; interactions and operations of the
// system; formats, of patches too.
func lacks(got, want *fhir.Node) string {
	for _, list := range []string{"format", "patchFormat"} {
		for _, f := range want.Get(list).Items() {
			if !offersFormat(got.Get(list), f.Text()) {
				return list + " " + f.Text()
			}
		}
	}
	for _, w := range want.Get("rest").Items() {
		if w.Get("mode").Text() != "server" {
			continue
		}
		var rest *fhir.Node
		for _, g := range got.Get("rest").Items() {
			if g.Get("mode").Text() == "server" {
				rest = g
			}
		}
		if rest == nil {
			return "a server"
		}
		if m := lacksNamed(rest, w, "interaction", "code", "interaction of the system "); m != "" {
			return m
		}
		if m := lacksNamed(rest, w, "operation", "name", "operation of the system "); m != "" {
			return m
		}
		for _, r := range w.Get("resource").Items() {
			if !demanded(r) {
				continue
			}
			name := r.Get("type").Text()
			have := named(rest.Get("resource"), "type", name)
			if have == nil {
				return name
			}
			for _, part := range [][2]string{{"interaction", "code"}, {"searchParam", "name"}, {"operation", "name"}} {
				if m := lacksNamed(have, r, part[0], part[1], name+": "+part[0]+" "); m != "" {
					return m
				}
			}
			if m := lacksPromise(have, r); m != "" {
				return name + ": " + m
			}
		}
	}
	return ""
}

// lacksPromise compares what a statement says of a type in single words.
func lacksPromise(got, want *fhir.Node) string {
	for _, name := range []string{"readHistory", "updateCreate", "conditionalCreate", "conditionalUpdate"} {
		if flag(want, name) && !flag(got, name) {
			return name
		}
	}
	for _, p := range []struct {
		name string
		more map[string][]string // what else fulfils a wish
	}{
		{"versioning", map[string][]string{"versioned": {"versioned-update"}}},
		{"conditionalRead", map[string][]string{"modified-since": {"full-support"}, "not-match": {"full-support"}}},
		{"conditionalDelete", map[string][]string{"single": {"multiple"}}},
	} {
		w, g := text(want, p.name), text(got, p.name)
		if w != "" && w != g && !slices.Contains(p.more[w], g) {
			return p.name + " " + w
		}
	}
	for _, list := range []string{"searchInclude", "searchRevInclude"} {
		for _, w := range want.Get(list).Items() {
			if !slices.ContainsFunc(got.Get(list).Items(), func(g *fhir.Node) bool { return g.Text() == w.Text() || g.Text() == "*" }) {
				return list + " " + w.Text()
			}
		}
	}
	return ""
}

func lacksNamed(got, want *fhir.Node, list, key, prefix string) string {
	for _, w := range want.Get(list).Items() {
		if !demanded(w) {
			continue
		}
		if value := w.Get(key).Text(); named(got.Get(list), key, value) == nil {
			return prefix + value
		}
	}
	return ""
}

// demanded reports whether a statement of requirements insists on something: what it says nothing about, it does.
func demanded(n *fhir.Node) bool {
	for _, e := range n.Get("extension").Items() {
		if e.Get("url").Text() == "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation" {
			return e.Get("valueCode").Text() == "SHALL"
		}
	}
	return true
}

func named(list *fhir.Node, key, value string) *fhir.Node {
	for _, n := range list.Items() {
		if n.Get(key).Text() == value {
			return n
		}
	}
	return nil
}

func offersFormat(list *fhir.Node, format string) bool {
	for _, f := range list.Items() {
		if strings.EqualFold(mediaType(f.Text()), mediaType(format)) {
			return true
		}
	}
	return false
}
