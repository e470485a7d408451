package testscript

import (
	"context"
	"fmt"
	"net/http"
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

func (x *execution) capabilities(ctx context.Context, c *client) (*fhir.Node, error) {
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
		err = fmt.Errorf("the server answered with another resource")
	}
	return n, err
}

// lacks returns the first thing that a statement asks of servers and another does not promise: resource types with their
// interactions, search parameters and operations, interactions of the system, formats.
func lacks(got, want *fhir.Node) string {
	for _, f := range want.Get("format").Items() {
		if !offersFormat(got, f.Text()) {
			return "format " + f.Text()
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
		for _, r := range w.Get("resource").Items() {
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
		}
	}
	return ""
}

func lacksNamed(got, want *fhir.Node, list, key, prefix string) string {
	for _, w := range want.Get(list).Items() {
		if value := w.Get(key).Text(); named(got.Get(list), key, value) == nil {
			return prefix + value
		}
	}
	return ""
}

func named(list *fhir.Node, key, value string) *fhir.Node {
	for _, n := range list.Items() {
		if n.Get(key).Text() == value {
			return n
		}
	}
	return nil
}

func offersFormat(got *fhir.Node, format string) bool {
	for _, f := range got.Get("format").Items() {
		if strings.EqualFold(mediaType(f.Text()), mediaType(format)) {
			return true
		}
	}
	return false
}
