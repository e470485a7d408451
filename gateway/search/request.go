package search

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Pair is one parameter of a query string, decoded.
type Pair struct{ Name, Value string }

// Pairs decodes a query string in order. A plus sign that is not escaped means a
// space, as forms have it, except where only a zone can follow.
func Pairs(query string) ([]Pair, []fhir.Issue) {
	var out []Pair
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, []fhir.Issue{issue(fhir.Error, fhir.TypeInvalid, "search-encoding", phrases.Say("the query string has a malformed % escape"))}
		}
		out = append(out, Pair{n, v})
	}
	return out, nil
}

// Encode writes pairs as a query string.
func Encode(pairs []Pair) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p.Value))
	}
	return b.String()
}

// Request is a parsed search: the query for the store and how its result is
// wanted.
type Request struct {
	// Query has Type, Where, Sort, Count and Total; Allowed and paging are the
	// caller's. Type is empty for a search over several types.
	Query *Query
	// Types are those that _type names, for a search over several types, and WhereOf what
	// must hold for each of them besides the conditions of Query, by parameters of its own.
	Types      []string
	WhereOf    map[string][]Clause
	Include    []Include
	RevInclude []Include
	Summary    Summary
	Elements   []string
	Format     string // _format as given
	Pretty     *bool
	// Counted says that the client gave _count.
	Counted bool
	// Self is the query as it was understood, for the self link: without what was
	// ignored, the page size as it is applied.
	Self []Pair
	// Hash tells searches apart whose pages must not be mixed: it covers type,
	// conditions and order, not the page size or how the result is shown.
	Hash string
}

// Summary is what _summary asks for.
type Summary string

// The summaries.
const (
	SummaryFalse Summary = ""
	SummaryTrue  Summary = "true"
	SummaryText  Summary = "text"
	SummaryData  Summary = "data"
	SummaryCount Summary = "count"
)

// Include asks for resources that the matches refer to, or for _revinclude those
// that refer to the matches.
type Include struct {
	Source  string // type that has the reference; empty for every type
	Param   string // reference parameter; empty for all of them, never in RevInclude
	Target  string // type referred to; empty for all
	Iterate bool   // also from what was included
}

// ParseOptions say how strict Parse is.
type ParseOptions struct {
	// Lenient leaves out parameters that are unknown or not supported and reports
	// them as warnings, as "Prefer: handling=lenient" asks for. Malformed values
	// are errors all the same.
	Lenient bool
	// Other are parameters that belong to the caller, such as a page cursor. They
	// are skipped.
	Other []string
	// Context bounds what Terminology is asked; nil means none.
	Context context.Context
}

// hash covers what decides which resources are found and in what order.
func (r *Request) hash(conditions []Pair) string {
	h := sha256.New()
	write := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	write(r.Query.Type)
	for _, t := range r.Types {
		write(t)
	}
	for _, p := range conditions {
		write(p.Name)
		write(p.Value)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
