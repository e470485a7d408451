package main

import (
	"cmp"
	"fmt"
	"text/tabwriter"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
)

type igListCommand struct {
	Type []string `sep:"," placeholder:"TYPE" help:"Only resources of these types, such as StructureDefinition; may be repeated."`
}

func (igListCommand) Help() string {
	return `Lists the definitions of the alliance's implementation guide, sorted by type and id: type, id, canonical URL, title. Examples follow,
with the profile that they claim in place of a URL.

With --json one object a line: type, id, url, title, of examples profile and example.`
}

// listedResource is one line of "ig list".
type listedResource struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	URL     string `json:"url,omitempty"`
	Title   string `json:"title,omitempty"`
	Profile string `json:"profile,omitempty"`
	Example bool   `json:"example,omitempty"`
}

func (c igListCommand) Run(out *output) error {
	wanted := map[string]bool{}
	for _, t := range c.Type {
		wanted[t] = true
	}
	var list []listedResource
	add := func(n *fhir.Node, example bool) {
		if len(wanted) > 0 && !wanted[n.ResourceType()] {
			return
		}
		r := listedResource{Type: n.ResourceType(), ID: n.ID(), Example: example}
		if example {
			r.Profile = n.Path("meta", "profile").At(0).Text()
		} else {
			r.URL, r.Title = n.Get("url").Text(), cmp.Or(n.Get("title").Text(), n.Get("name").Text()) // search parameters have no title
		}
		list = append(list, r)
	}
	for _, n := range ig.Guide().Resources() {
		add(n, false)
	}
	for _, n := range ig.Guide().Examples() {
		add(n, true)
	}
	if out.json {
		for _, r := range list {
			if err := out.print(r); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		if r.Example {
			r.URL, r.Title = r.Profile, "example"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Type, r.ID, r.URL, r.Title)
	}
	return w.Flush()
}
