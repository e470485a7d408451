package rest

import (
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
)

// link is one link of a Bundle.
type link struct{ relation, url string }

// pageLinks are the links of a page of a search or a history: to itself, the first page,
// the one before and the next. Where a page is the last it says so; from others the last
// is not known, as pages are found one from another.
//
// https://hl7.org/fhir/R4/http.html#paging
func pageLinks(address string, asked []search.Pair, at interaction.Turn) []link {
	page := func(cursor string) string {
		if cursor == "" {
			return address + queryOf(asked)
		}
		return address + queryOf(append(asked[:len(asked):len(asked)], search.Pair{Name: interaction.CursorParam, Value: cursor}))
	}
	links := make([]link, 0, 4)
	links = append(links, link{"self", page(at.Page)}, link{"first", page("")})
	if at.Previous != "" || at.Number == 1 {
		links = append(links, link{"previous", page(at.Previous)})
	}
	if at.Next != "" {
		return append(links, link{"next", page(at.Next)})
	}
	return append(links, link{"last", links[0].url})
}
