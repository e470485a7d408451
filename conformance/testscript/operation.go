package testscript

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// methods of the operation codes; a custom operation is a POST if it has a body, else a GET.
var methods = map[string]string{
	"read": "GET", "vread": "GET", "search": "GET", "history": "GET", "capabilities": "GET",
	"create": "POST", "batch": "POST", "transaction": "POST",
	"update": "PUT", "updateCreate": "PUT", "patch": "PATCH",
	"delete": "DELETE", "deleteCondSingle": "DELETE", "deleteCondMultiple": "DELETE",
}

var allowedMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// prepare makes the request of an operation.
func (x *execution) prepare(o *operation) (*message, *client, error) {
	c, err := x.destination(o.destination)
	if err != nil {
		return nil, nil, err
	}
	if o.origin < 0 || o.origin > 0 && len(x.script.origins) > 0 && !slices.Contains(x.script.origins, o.origin) {
		return nil, nil, errors.New("the script has no origin of that number")
	}
	m := &message{header: http.Header{}}
	if m.method, err = o.verb(); err != nil {
		return nil, nil, err
	}
	address, err := x.address(o, c, m.method)
	if err != nil {
		return nil, nil, err
	}
	target := address.full
	if o.encodeURL {
		target = encodeURL(target)
	} else if target, err = sendable(target); err != nil {
		return nil, nil, err
	}
	if c, m.url, err = x.placed(target, c); err != nil {
		return nil, nil, err
	}
	if err := x.body(o, m, address); err != nil {
		return nil, nil, err
	}
	if o.accept == "" {
		m.header.Set("Accept", typeJSON)
	} else if t := mediaType(o.accept); t != "" {
		m.header.Set("Accept", t)
	}
	for _, h := range o.headers {
		v, err := x.expand(h.value)
		if err != nil {
			return nil, nil, err
		}
		switch name := http.CanonicalHeaderKey(h.field); name {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection":
			return nil, nil, fmt.Errorf("the header %s cannot be set", name)
		default:
			m.header.Set(name, v)
		}
	}
	return m, c, nil
}

func (x *execution) destination(index int) (*client, error) {
	if index < 0 || index > 0 && len(x.script.destinations) > 0 && !slices.Contains(x.script.destinations, index) {
		return nil, errors.New("the script has no destination of that number")
	}
	index = max(index, 1)
	if index > len(x.clients) {
		return nil, fmt.Errorf("destination %d has no server: the run has %d", index, len(x.clients))
	}
	return x.clients[index-1], nil
}

func (o *operation) verb() (string, error) {
	if o.method != "" {
		m := strings.ToUpper(o.method)
		if !slices.Contains(allowedMethods, m) {
			return "", errors.New("the method is none that a script may use")
		}
		return m, nil
	}
	if m, ok := methods[o.kind]; ok {
		return m, nil
	}
	switch {
	case o.kind == "":
		return "", errors.New("the operation has neither a type nor a method")
	case o.sourceID != "":
		return "POST", nil
	}
	return "GET", nil
}

// custom reports whether the type names an operation of FHIR's $ kind.
func (o *operation) custom() bool { _, plain := methods[o.kind]; return o.kind != "" && !plain }

// body fills the request's body from the source, in the form that contentType asks for.
func (x *execution) body(o *operation, m *message, at address) error {
	if at.form {
		query := at.query
		if o.encodeURL {
			query = encodeURL(query)
		}
		m.body = []byte(query)
		m.header.Set("Content-Type", "application/x-www-form-urlencoded")
		return nil
	}
	if o.sourceID == "" {
		if t := mediaType(o.contentType); t != "" && (m.method == "POST" || m.method == "PUT" || m.method == "PATCH") {
			m.header.Set("Content-Type", t)
		}
		return nil
	}
	source, err := x.message(o.sourceID)
	if err != nil {
		return err
	}
	content := mediaType(o.contentType)
	n, err := source.resource()
	if err != nil { // not a resource, such as a JSON Patch
		if len(source.body) == 0 {
			return err
		}
		if content == "" {
			content = typeJSON
			if o.kind == "patch" {
				content = "application/json-patch+json"
			}
		}
		s, err := x.expandKnown(string(source.body))
		m.body = []byte(s)
		m.header.Set("Content-Type", content)
		return err
	}
	if content == "" {
		content = typeJSON
	}
	n = n.Clone()
	if (o.kind == "update" || o.kind == "updateCreate") && o.url == "" && at.id != "" {
		if n.Get("id") == nil {
			n.Remove("resourceType")
			n.Prepend("id", fhir.NewString(at.id))
			n.Prepend("resourceType", fhir.NewString(sourceType(source)))
		} else {
			n.SetString("id", at.id)
		}
	}
	if err := x.expandNode(n); err != nil {
		return err
	}
	if m.body, err = encode(n, content); err != nil {
		return fmt.Errorf("the body cannot be written as %s: %w", content, err)
	}
	m.header.Set("Content-Type", content)
	return nil
}

func sourceType(m *message) string {
	n, _ := m.resource()
	return n.ResourceType()
}

// expandNode replaces variables in the texts of a resource.
func (x *execution) expandNode(n *fhir.Node) error {
	for i, c := range n.All() {
		switch {
		case c.Kind() == fhir.String && strings.Contains(c.Text(), "${"):
			s, err := x.expandKnown(c.Text())
			if err != nil {
				return err
			}
			n.SetAt(i, fhir.NewString(s))
		case c.Len() > 0:
			if err := x.expandNode(c); err != nil {
				return err
			}
		}
	}
	return nil
}
