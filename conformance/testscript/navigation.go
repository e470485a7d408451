package testscript

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// assertNavigation wants a Bundle to have links to the first and last page, and to the next where it is not the last.
func (x *execution) assertNavigation(a *assertion, m *message) (verdict, error) {
	if a.navigationLinks == "false" {
		return verdict{holds: true, message: "navigation links are not asked for"}, nil
	}
	n, err := m.resource()
	if err != nil {
		return failed("there is no resource: %v", err), nil
	}
	if n.ResourceType() != "Bundle" {
		return failed("the resource is no Bundle"), nil
	}
	links := map[string]string{}
	for _, l := range n.Get("link").Items() {
		relation := l.Get("relation").Text()
		if _, twice := links[relation]; twice {
			return failed("the link %s is there twice", shortened(relation)), nil
		}
		links[relation] = l.Get("url").Text()
	}
	var missing []string
	for _, relation := range []string{"first", "last", "next"} {
		target, there := links[relation]
		switch {
		case relation == "next" && !there && lastPage(n, links):
		case !there:
			missing = append(missing, relation)
		case !x.follows(target):
			return failed("the link %s does not lead to a server of this run", relation), nil
		}
	}
	if missing != nil {
		return failed("the Bundle has no link %s", strings.Join(missing, ", ")), nil
	}
	return verdict{holds: true, message: "navigation links"}, nil
}

// lastPage reports whether nothing can follow: the page is the last, or has all there is.
func lastPage(n *fhir.Node, links map[string]string) bool {
	if self := links["self"]; self != "" && self == links["last"] {
		return true
	}
	matches := 0
	for _, e := range n.Get("entry").Items() {
		if mode := e.Path("search", "mode").Text(); mode == "" || mode == "match" {
			matches++
		}
	}
	total, err := strconv.Atoi(n.Get("total").Text())
	switch {
	case err != nil:
		return links["previous"] != "" || links["prev"] != ""
	case links["previous"] != "" || links["prev"] != "":
		return true
	}
	return matches >= total
}

func (x *execution) follows(target string) bool {
	u, err := url.Parse(target)
	if err != nil || target == "" {
		return false
	}
	if !u.IsAbs() {
		return true
	}
	return slices.ContainsFunc(x.clients, func(c *client) bool { return c.owns(u) })
}
