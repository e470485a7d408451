package testscript

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

// assigned is where a fixture or an answer stands on a server.
type assigned struct {
	kind, id, version string
	client            *client
}

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

// address is the place of a request.
type address struct {
	full  string
	id    string // of the resource, where the engine knows it
	query string // of a search by POST, which goes into the body
	form  bool
}

// address puts the URL together: url as it is, or [type]/[id] from resource, targetId and sourceId, what the operation
// adds, and params.
func (x *execution) address(o *operation, c *client, method string) (address, error) {
	if o.url != "" {
		u, err := x.expand(o.url)
		if err != nil {
			return address{}, err
		}
		if !strings.Contains(u, "://") {
			u = c.base.String() + "/" + strings.TrimLeft(u, "/")
		}
		return address{full: u}, nil
	}
	params, err := x.expand(o.params)
	if err != nil {
		return address{}, err
	}
	if params != "" && params[0] != '/' && params[0] != '?' {
		if strings.Contains(params, "=") {
			params = "?" + params
		} else {
			params = "/" + params
		}
	}
	inPath, query, _ := strings.Cut(params, "?")
	kind, at := o.resource, assigned{}
	switch o.kind {
	case "batch", "transaction":
		kind = ""
	case "capabilities":
		kind = ""
		if !strings.Contains(inPath, "metadata") {
			inPath = "/metadata" + inPath
		}
	default:
		if at, err = x.target(o, inPath, query); err != nil {
			return address{}, err
		}
		if kind == "" {
			kind = at.kind
		}
	}
	p := ""
	if kind != "" {
		p = "/" + kind
	}
	if at.id != "" {
		p += "/" + at.id
	}
	id := at.id
	if id == "" && kind != "" {
		id, _, _ = strings.Cut(strings.TrimPrefix(inPath, "/"), "/")
	}
	p += inPath
	switch {
	case o.kind == "vread" && !strings.Contains(p, "/_history"):
		if at.version == "" {
			return address{}, errors.New("the version to read is not known")
		}
		p += "/_history/" + at.version
	case o.kind == "history" && !strings.Contains(p, "/_history"):
		p += "/_history"
	case o.custom() && !strings.Contains(p, "/$"):
		p += "/$" + o.kind
	}
	out := address{full: c.base.String() + p, id: id}
	if o.kind == "search" && method == "POST" {
		if !strings.HasSuffix(p, "/_search") {
			out.full += "/_search"
		}
		out.query, out.form = query, true
	} else if query != "" {
		out.full += "?" + query
	}
	return out, nil
}

// custom reports whether the type names an operation of FHIR's $ kind.
func (o *operation) custom() bool { _, plain := methods[o.kind]; return o.kind != "" && !plain }

// needsID are the operations on one resource.
var needsID = []string{"read", "vread", "update", "updateCreate", "patch", "delete"}

// target finds type, id and version of what an operation is about.
func (x *execution) target(o *operation, inPath, query string) (assigned, error) {
	switch {
	case o.targetID != "":
		return x.where(o.targetID)
	case o.sourceID != "" && (o.kind == "update" || o.kind == "updateCreate") && inPath == "" && query == "":
		return x.where(o.sourceID)
	case o.sourceID != "" && o.resource == "" && (o.kind == "create" || o.kind == "update" || o.kind == "updateCreate"):
		at, err := x.where(o.sourceID)
		return assigned{kind: at.kind}, err
	case slices.Contains(needsID, o.kind) && inPath == "" && query == "":
		return assigned{}, errors.New("nothing says which resource is meant: no url, params or targetId")
	}
	return assigned{}, nil
}

// where finds where a fixture or an answer stands: where the server put it, or where it says itself.
func (x *execution) where(id string) (assigned, error) {
	if at, ok := x.assigned[id]; ok {
		return at, nil
	}
	m, err := x.message(id)
	if err != nil {
		return assigned{}, err
	}
	at := locate(m.header.Get("Location"))
	n, err := m.resource()
	if err != nil && at.id == "" {
		return assigned{}, err
	}
	if n != nil && n.ResourceType() != "OperationOutcome" {
		if at.id == "" {
			at.kind, at.id = n.ResourceType(), n.ID()
		}
		if at.version == "" {
			at.version = n.Path("meta", "versionId").Text()
		}
	}
	if at.version == "" {
		at.version = strings.Trim(strings.TrimPrefix(m.header.Get("ETag"), "W/"), `"`)
	}
	return at, nil
}

// locate reads a Location: …/[type]/[id]/_history/[version].
func locate(location string) assigned {
	location, _, _ = strings.Cut(location, "?")
	parts := strings.Split(strings.Trim(location, "/"), "/")
	var at assigned
	if n := len(parts); n >= 4 && parts[n-2] == "_history" {
		at.version = parts[n-1]
		parts = parts[:n-2]
	}
	if n := len(parts); n >= 2 && definitionsOf().IsResource(parts[n-2]) {
		at.kind, at.id = parts[n-2], parts[n-1]
	}
	return at
}

// placed gives a URL to the server below whose base it is. Nobody else is asked.
func (x *execution) placed(target string, c *client) (*client, string, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil, "", errors.New("the URL of the request is none")
	}
	u.Fragment = ""
	for _, c := range append([]*client{c}, x.clients...) {
		if c.owns(u) {
			return c, u.String(), nil
		}
	}
	return nil, "", errors.New("the URL of the request is not below the base of a server of this run")
}

// encodeURL writes in percents what may not stand in a URL. What is so written already stays.
func encodeURL(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]),
			c > ' ' && c < 0x7F && !strings.ContainsRune("%\"<>\\^`{|}", rune(c)):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// sendable refuses what a request line cannot carry unencoded.
func sendable(s string) (string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7F {
			return "", errors.New("the URL has a character that cannot be sent unencoded")
		}
	}
	return s, nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

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
