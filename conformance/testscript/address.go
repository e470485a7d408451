package testscript

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// assigned is where a fixture or an answer stands on a server.
type assigned struct {
	kind, id, version string
	client            *client
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
		if !absolute.MatchString(u) {
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

// absolute are URLs that need no base. What stands in a query does not make one.
var absolute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

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
