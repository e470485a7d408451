package search

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func (x *indexer) addReference(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Reference":
		if text := n.Get("reference").Text(); text != "" && !strings.HasPrefix(text, "#") {
			x.reference(x.engine.reference(text))
		}
		if id := n.Get("identifier"); id.Get("value").Text() != "" {
			x.reference(Reference{
				Type:   n.Get("type").Text(),
				System: x.engine.System(id.Get("system").Text()),
				Value:  id.Get("value").Text(),
			})
		}
	case "canonical", "uri", "url", "oid", "uuid":
		if text := n.Text(); text != "" && !strings.HasPrefix(text, "#") {
			x.reference(Reference{URL: text})
			x.versions(text)
		}
	default:
		// A resource inside, as the first entry of a Bundle is.
		if id := n.ID(); id != "" && slices.Contains(x.param.targets, n.ResourceType()) {
			x.reference(Reference{Type: n.ResourceType(), ID: id})
		}
	}
}

// References returns what a resource refers to by a reference parameter, or by all of
// them when param is empty: those of Values, without the work for the others.
func (e *Engine) References(res *fhir.Node, param string) []Reference {
	t := e.parametersOf(res.ResourceType())
	if t == nil {
		return nil
	}
	x := indexers.Get().(*indexer)
	x.engine, x.resource = e, res
	defer x.release()
	run := t.plan.Run(&e.env, e.model.Resource(res))
	defer run.Close()
	for i, p := range t.indexed {
		if p.kind != KindReference || param != "" && p.code != param {
			continue
		}
		found, err := run.Evaluate(i)
		if err != nil {
			continue // Values has warned of it
		}
		x.param = p
		for i := range found {
			x.add(&found[i], 0)
		}
	}
	return x.values.References
}

// versions indexes a canonical with a version also by what finds it: without a
// version, all of them; with :below, a version that its own begins with.
func (x *indexer) versions(text string) {
	url, version, versioned := strings.Cut(text, "|")
	if !versioned {
		return
	}
	x.reference(Reference{URL: url})
	for i, c := range []byte(version) {
		if c == '.' && i > 0 {
			x.reference(Reference{URL: belowVersion(url, version[:i])})
		}
	}
}

// belowVersion is what canonicals are indexed by whose version begins with
// another; no URL has white space.
func belowVersion(url, version string) string { return url + "|" + version + ". *" }

func (x *indexer) reference(r Reference) {
	r.Param, r.Group = x.param.code, x.group
	x.values.References = append(x.values.References, r)
}

// reference tells local references, relative or under one of the server's own
// addresses, from others. A version is not part of what is searched.
func (e *Engine) reference(text string) Reference {
	local := e.Relative(text)
	if i := strings.Index(local, "/_history/"); i >= 0 {
		local = local[:i]
	}
	if typ, id, ok := strings.Cut(local, "/"); ok && e.defs.IsResource(typ) && isID(id) {
		return Reference{Type: typ, ID: id}
	}
	return Reference{URL: text}
}

// isID reports whether s is a logical id.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func (x *indexer) addURI(v *fhirpath.Value) {
	if n := v.Node(); n.Kind() == fhir.String && n.Text() != "" {
		x.uri(n.Text())
		if url, _, versioned := strings.Cut(n.Text(), "|"); versioned && v.Type() == "canonical" {
			x.uri(url)
		}
	}
}

func (x *indexer) uri(value string) {
	x.values.URIs = append(x.values.URIs, URI{Param: x.param.code, Value: value, Group: x.group})
}
