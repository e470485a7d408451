package interaction

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
)

// Entry is one request of a batch or transaction.
type Entry struct {
	Place    string // "Bundle.entry[3]"
	FullURL  string
	Resource *fhir.Node
	Method   string
	URL      string // below the endpoint, without a slash before it
	// Headers, as a Bundle has them.
	IfNoneMatch, IfModifiedSince, IfMatch, IfNoneExist string
}

// The types of Bundles that are requests.
const (
	BatchBundle       = "batch"
	TransactionBundle = "transaction"
)

// Entries reads a batch or transaction and tells which it is.
//
// Faults: *Refused for what is no such Bundle, each issue with its place; TooCostly
// (413) for more than Limits.Entries.
func (e *Engine) Entries(bundle *fhir.Node) (kind string, entries []Entry, err error) {
	if bundle.ResourceType() != "Bundle" {
		return "", nil, invalid("resource-type-other", "", "the body is not a Bundle")
	}
	kind = bundle.Get("type").Text()
	if kind != BatchBundle && kind != TransactionBundle {
		return "", nil, invalid("bundle-type", "Bundle.type", "the Bundle is neither a batch nor a transaction")
	}
	list := bundle.Get("entry").Items()
	if len(list) > e.Limit.Entries {
		return "", nil, fault.Newf(fault.TooCostly, "the Bundle has more than %d entries", e.Limit.Entries).WithCode("too-long")
	}
	var issues []fhir.Issue
	missing := func(n *fhir.Node, place, what string) {
		line, column := n.Position()
		issues = append(issues, fhir.Issue{
			Severity: fhir.Error, Code: fhir.TypeRequired, ID: "bundle-entry-incomplete", Expression: place, Line: line, Column: column, Text: what,
		})
	}
	for i, n := range list {
		request := n.Get("request")
		x := Entry{
			Place: "Bundle.entry[" + strconv.Itoa(i) + "]", FullURL: n.Get("fullUrl").Text(), Resource: n.Get("resource"),
			Method: request.Get("method").Text(), URL: e.relative(request.Get("url").Text()),
			IfNoneMatch: request.Get("ifNoneMatch").Text(), IfModifiedSince: request.Get("ifModifiedSince").Text(),
			IfMatch: request.Get("ifMatch").Text(), IfNoneExist: request.Get("ifNoneExist").Text(),
		}
		switch {
		case request == nil:
			missing(n, x.Place, "an entry of a "+kind+" has a request")
		case x.Method == "" || request.Get("url") == nil:
			missing(request, x.Place+".request", "a request has a method and a url")
		case x.Resource == nil && (x.Method == "PUT" || x.Method == "PATCH" || x.Method == "POST" && !strings.Contains(x.URL, "$") && !strings.Contains(x.URL, "_search")):
			missing(n, x.Place, "a "+x.Method+" has a resource")
		}
		entries = append(entries, x)
	}
	if len(issues) == 0 {
		issues = e.shell(bundle, list)
	}
	if fhir.HasErrors(issues) {
		return "", nil, &Refused{Fault: fault.New(fault.Invalid, "the Bundle is not a valid "+kind), Issues: issues}
	}
	return kind, entries, nil
}

// relative takes an address of the endpoint off a URL.
func (e *Engine) relative(url string) string {
	rest, own := strings.CutPrefix(url, strings.TrimSuffix(e.FHIRBase, "/"))
	if !own || rest != "" && rest[0] != '/' && rest[0] != '?' {
		rest = e.Index.Relative(url)
	}
	return strings.TrimPrefix(rest, "/")
}

// shell judges a Bundle without its resources, which are judged as they are written.
func (e *Engine) shell(bundle *fhir.Node, list []*fhir.Node) []fhir.Issue {
	items := make([]*fhir.Node, len(list))
	for i, n := range list {
		items[i] = without(n, "resource")
	}
	entries := fhir.NewArray(items...)
	out := fhir.NewObjectOf(bundle.Len())
	for i := range bundle.Len() {
		if k := bundle.At(i); k.Name() == "entry" {
			out.Add("entry", entries)
		} else {
			out.Add(k.Name(), k)
		}
	}
	return e.Validator.Resource(out)
}

// without is an object without one of its properties; it shares the others.
func without(n *fhir.Node, name string) *fhir.Node {
	line, column := n.Position()
	out := fhir.NewObjectOf(n.Len()).SetPosition(line, column)
	for i := range n.Len() {
		if k := n.At(i); k.Name() != name {
			out.Add(k.Name(), k)
		}
	}
	return out
}
